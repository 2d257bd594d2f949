"""Damaged files: whatever happens to a file, it is refused with a clear error or read whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs import open_source
from catalogs.errors import TimesError
from catalogs.importing import import_files
from catalogs.store import Store
from tests.times_files import flows, row, write_set

ROWS = [
    *flows("MINCOA: -> COA 100\nPLANT: COA 100 -> ELC 40, CO2 9.4\nTB_ELC_R1_R2_01: ELC 3 ->"),
    *flows("PLANT: COA 50 -> ELC 20", timeslice="WD", year=2030),
    *flows("TB_ELC_R1_R2_01: -> ELC 2", region="R2"),
    row("EQ_CombalM", 12.5, commodity="ELC", timeslice="WD", year=2030),
    row("Reg_wobj", 7, commodity="MEUR20", timeslice="-", user_constraint="INV"),
    row("VAR_Cap", 4, process="PLANT", vintage="0", timeslice="-"),
]
SUFFIXES = (".vd", ".vde", ".vds", ".vdt", "commodity_units.csv", "timeslices.csv")

Change = Callable[[bytes], bytes]
_SHARE = st.floats(0, 1, exclude_max=True)


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Change]:
    """Draw a change of a file's bytes, with a name to read in a failure."""
    kind = draw(st.sampled_from(["flip", "cut", "insert", "delete", "repeat", "separators"]))
    at, length = draw(_SHARE), draw(st.integers(1, 40))
    more = draw(st.sampled_from([b'"', b",", b"\n", b"\0", b"\xa4", b"*", b";", b"\r", b"=", b"-"]))
    more = draw(st.one_of(st.just(more), st.binary(min_size=1, max_size=4)))

    def change(data: bytes) -> bytes:
        place = int(at * len(data))
        head, tail = data[:place], data[place:]
        return {
            "flip": lambda: head + bytes([tail[0] ^ (1 << length % 8)]) + tail[1:],
            "cut": lambda: head,
            "insert": lambda: head + more + tail,
            "delete": lambda: head + tail[length:],
            "repeat": lambda: head + tail[:length] * 3 + tail,
            "separators": lambda: head + tail.replace(b",", b";"),
        }[kind]()

    return f"{kind} at {at:.3f}, {length}, {more!r}", change


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return write_set(
        folder,
        ROWS,
        process_sets={"ELE": "PLANT", "IRE": "TB_ELC_R1_R2_01"},
        commodity_sets={"NRG": "COA ELC", "ENV": "CO2", "ELC+": "ELC"},
        units={"PJ": "COA ELC", "kt": "CO2"},
        descriptions={"PLANT": "Coal plant", "ELC": "Electricity"},
        timeslices="""timeslice,parent,level,year_fraction
            WD,ANNUAL,DAYNITE,0.6
            WN,ANNUAL,DAYNITE,0.4""",
    )


def assert_read_or_refused(folder: Path, data: Path) -> None:
    """Import; what is published must be readable, and a refusal must say what is wrong."""
    refused = None
    try:
        import_files(Store(data), "case", [folder])
    except TimesError as error:
        refused = error
    if refused:
        assert refused.what
        assert str(folder) not in str(refused)
        assert not Store(data).datasets()
        return
    source = open_source(data, "case")
    [(rows,)] = source.rows("SELECT count(*) FROM result")
    assert rows == sum(scenario.rows for scenario in source.manifest.scenarios)
    for file, read, *parts in source.rows(
        "SELECT file, read, kept, merged, conflicting, left_out FROM import_account"
    ):
        assert read == sum(parts), file
    source.close()


@given(suffix=st.sampled_from(SUFFIXES), changed=st.lists(changes(), min_size=1, max_size=3))
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_damaged_veda_set_is_read_or_refused(
    whole: Path, suffix: str, changed: list[tuple[str, Change]]
) -> None:
    with TemporaryDirectory() as place:
        folder = Path(shutil.copytree(whole, Path(place, "files")))
        path = folder / (suffix if suffix.endswith(".csv") else f"Case{suffix}")
        for _, change in changed:
            data = path.read_bytes()
            path.write_bytes(change(data) if data else b"")
        assert_read_or_refused(folder, Path(place, "data"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    miro = pytest.importorskip("tests.test_reader_miro", exc_type=ImportError)
    folder = tmp_path_factory.mktemp("packed")
    return miro.pack(folder / "Small.miroscen", miro.write_gdx(folder / "data.gdx"))


@given(change=changes())
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_damaged_miro_scenario_is_read_or_refused(
    packed: Path, change: tuple[str, Change]
) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place, "files")
        folder.mkdir()
        (folder / packed.name).write_bytes(change[1](packed.read_bytes()))
        assert_read_or_refused(folder, Path(place, "data"))
