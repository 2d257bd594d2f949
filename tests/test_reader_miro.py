"""Reading GAMS MIRO scenarios: a small model checked by hand, bad files, and the real ones."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from catalogs.errors import MissingExtraError, UnreadableFileError
from catalogs.readers import gdx
from catalogs.readers.base import ScenarioFiles, ScenarioHeader
from catalogs.readers.miro import MiroReader
from catalogs.readers.timeslices import TimesliceInputs, timeslice_tree
from catalogs.tables import create_tables

transfer = pytest.importorskip("gams.transfer", reason="the gdx extra is not installed")
gamspy_base = pytest.importorskip("gamspy_base", reason="the gdx extra is not installed")

PROJECT = Path(__file__).parents[1]
REAL = Path(os.environ.get("TIMES_TEST_DATA", PROJECT / "../shared/data")) / "miro"

OUTPUT = ["soname", "sow", "com_grp", "prc", "allyear", "all_reg", "vintage", "all_ts", "uc_n"]
INPUT = [
    *("siname", "typ", "dd", "uc_n", "all_reg", "allyear", "prc", "com_grp", "all_ts"),
    *("lim", "cur", "uni", "*", "*"),
]
RESULTS = [
    ("VAR_Act", "-", "-", "PLANT", "2020", "R1", "2010", "WD", "-", 1.5),
    ("VAR_FOut", "-", "ELC", "PLANT", "2020", "R1", "2010", "WD", "-", 0.1),
    ("VAR_FOut", "-", "ELC", "LINE", "2020", "R2", "-", "ANNUAL", "-", -9e-7),
    ("User_con", "-", "-", "-", "NONE", "NONE", "-", "NONE", "LIMIT", 2e-300),
    ("Cost_Act", "-", "-", "PLANT", "2020", "R1", "-", "-", "-", "EPS"),
    ("EQ_CombalM", "-", "ELC", "-", "2020", "R1", "-", "WD", "-", "NA"),
    ("EQ_CombalM", "-", "ELC", "-", "2020", "R1", "-", "WN", "-", "UNDEF"),
    ("PAR_CapUP", "-", "-", "PLANT", "2020", "R1", "-", "-", "-", "POSINF"),
]


def given(name: str, file: str = "base", value: float = 1.0, **where: str) -> tuple[object, ...]:
    """Return a row of cubeinput: ``region="R1"`` and so on, ``-`` elsewhere."""
    places = ("region", "year", "process", "commodity", "timeslice", "limit", "currency")
    items = [where.get(place, "-") for place in (*places, "item", "item_2", "item_3")]
    return (name, "Set", file, "-", *items, value)


INPUTS = [
    given("REG", region="R1"),
    given("REG", region="R2"),
    given("REG", region="R3"),
    given("CUR", currency="MEUR20"),
    given("CUR", currency="MEUR10"),
    given("G_DRATE", value=0.05, region="R1", year="2020", currency="MEUR20"),
    given("G_DYEAR", value=2020),
    given("COM_UNIT", region="R1", commodity="ELC", item="TJ"),
    # The file "late" is loaded after "base": its unit holds.
    given("COM_UNIT", "late", region="R1", commodity="ELC", item="PJ"),
    # The scenario does not use the file "unused".
    given("COM_UNIT", "unused", region="R1", commodity="ELC", item="GWh"),
    given("COM_UNIT", "unused", region="R1", commodity="NOTHING", item="GWh"),
    given("COM_UNIT", region="R1", commodity="CO2", item="kt"),
    given("COM_UNIT", region="R2", commodity="ELC", item="PJ"),
    given("COM_TMAP", region="R1", commodity="NRG", item="ELC"),
    given("COM_TMAP", region="R1", commodity="ENV", item="CO2"),
    given("NRG_TMAP", region="R1", commodity="ELC", item="ELC"),
    given("PRC_MAP", region="R1", process="PLANT", item="ELE"),
    given("PRC_MAP", region="R2", process="LINE", item="IRE"),
    given("PRC_ACTUNT", region="R1", process="PLANT", commodity="ELC", item="PJ"),
    given("PRC_CAPACT", value=31.536, region="R1", process="PLANT"),
    given("PRC_CAPACT", "late", value=8.76, region="R2", process="LINE"),
    given("PRC_CAPUNT", region="R2", process="LINE", item="GW"),
    given("TOP", region="R1", process="PLANT", commodity="ELC", item="OUT"),
    given("TOP", region="R1", process="PLANT", commodity="NRGO", item="OUT"),
    given("TOP_IRE", region="R1", process="LINE", commodity="ELC", item="R2", item_2="ELC2"),
    given("TOP_IRE", region="MINRNW", process="MINE", commodity="COA", item="R1", item_2="COA"),
    given("COM_AGG", value=21, region="R1", year="2015", commodity="CH4", item="GHG"),
    given("COM_AGG", value=3, region="R1", year="0", commodity="CH4", item="GHG"),
    given("COM_IE", value=0.93, region="R1", year="2015", commodity="ELC", timeslice="ANNUAL"),
    given("TS_GROUP", region="R1", timeslice="WD", item="DAYNITE"),
    given("TS_GROUP", region="R1", timeslice="WN", item="DAYNITE"),
    given("TS_GROUP", region="R1", timeslice="SD", item="DAYNITE"),
    given("TS_GROUP", region="R1", timeslice="W", item="SEASON"),
    given("TS_GROUP", region="R1", timeslice="S", item="SEASON"),
    given("TS_MAP", region="R1", timeslice="W", item="WD"),
    given("TS_MAP", region="R1", timeslice="W", item="WN"),
    given("TS_MAP", region="R1", timeslice="S", item="SD"),
    given("G_YRFR", value=0.25, region="R1", timeslice="WD"),
    given("G_YRFR", value=0.25, region="R1", timeslice="WN"),
    given("G_YRFR", value=0.5, region="R1", timeslice="SD"),
    given("B", value=2018, year="2020"),
    given("E", value=2022, year="2020"),
    given("D", value=5, year="2020"),
    given("B", value=2023, year="2025"),
    given("E", value=2027, year="2025"),
    given("B", value=1990, year="1990"),
    given("FLO_TAX", value=7, region="R1", process="PLANT"),
]


def write_gdx(
    path: Path,
    results: Sequence[tuple[object, ...]] = RESULTS,
    inputs: Sequence[tuple[object, ...]] = INPUTS,
) -> Path:
    """Write a MIRO scenario's GDX as TIMES does."""
    special = {
        "EPS": transfer.SpecialValues.EPS,
        "NA": transfer.SpecialValues.NA,
        "UNDEF": transfer.SpecialValues.UNDEF,
        "POSINF": transfer.SpecialValues.POSINF,
    }
    container = transfer.Container(system_directory=gamspy_base.directory)
    rows = [(*row[:-1], special.get(str(row[-1]), row[-1])) for row in results]
    transfer.Parameter(container, "cubeoutput", OUTPUT, records=rows)
    files = [("1", "base", "false"), ("2", "late", "false"), ("0", "unused", "false")]
    transfer.Set(container, "scenddmap", ["*"] * 3, records=[(*file, "") for file in files])
    transfer.Set(container, "milestonyr", ["*"], records=[("2025", ""), ("2020", "")])
    slices = [("WD", ""), ("WN", "winter night"), ("SD", ""), ("ANNUAL", ""), ("S", ""), ("W", "")]
    transfer.Set(container, "timeslice", ["*"], records=slices)
    described = [("base", "R1", "PLANT", "Kraftværk"), ("base", "R1", "OTHER", "Never used")]
    transfer.Set(container, "dd_prc_desc", ["*"] * 3, records=described)
    described = [("base", "R1", "ELC", "Power"), ("late", "R1", "ELC", "Electricity")]
    transfer.Set(container, "dd_com_desc", ["*"] * 3, records=described)
    transfer.Parameter(container, "cubeinput", INPUT, records=inputs)
    container.write(str(path))
    return path


@pytest.fixture(scope="module")
def small_gdx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gdx(tmp_path_factory.mktemp("small") / "data.gdx")


def pack(path: Path, data: Path, metadata: str | None = '{"scen_name": "Small"}') -> Path:
    """Pack a GDX as a .miroscen."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(data, "data.gdx")
        archive.writestr("views.json", "{}")
        archive.writestr("attachments/", "")
        if metadata is not None:
            archive.writestr("metadata.json", metadata)
    return path


def read(path: Path) -> tuple[ScenarioHeader, duckdb.DuckDBPyConnection]:
    """Read a file into a database of its own."""
    connection = duckdb.connect()
    create_tables(connection)
    scenarios, others = MiroReader().gather([path])
    assert others == []
    return MiroReader().read(scenarios[0], connection), connection


@pytest.fixture(scope="module")
def small(
    small_gdx: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ScenarioHeader, duckdb.DuckDBPyConnection]:
    return read(pack(tmp_path_factory.mktemp("packed") / "file.miroscen", small_gdx))


@pytest.fixture
def rows(
    small: tuple[ScenarioHeader, duckdb.DuckDBPyConnection],
) -> Callable[[str], list[tuple[object, ...]]]:
    return lambda query: small[1].execute(query).fetchall()


Rows = Callable[[str], list[tuple[object, ...]]]


def test_the_header_names_scenario_currency_and_rows(
    small: tuple[ScenarioHeader, duckdb.DuckDBPyConnection],
) -> None:
    header = small[0]
    assert (header.scenario, header.model, header.rows_read) == ("Small", "", 8)
    assert header.notes["currency"] == "MEUR20"
    assert header.notes["currencies"] == "MEUR10, MEUR20"
    assert header.notes["discount_year"] == "2020"


def test_results_come_as_they_are_and_in_the_order_of_the_file(rows: Rows) -> None:
    found = rows("SELECT attribute, process, year, region, timeslice, value FROM raw_result")
    assert found == [
        ("VAR_Act", "PLANT", "2020", "R1", "WD", 1.5),
        ("VAR_FOut", "PLANT", "2020", "R1", "WD", 0.1),
        ("VAR_FOut", "LINE", "2020", "R2", "ANNUAL", -9e-7),
        ("User_con", "-", "-", "-", "-", 2e-300),
        ("Cost_Act", "PLANT", "2020", "R1", "-", 0.0),
        ("EQ_CombalM", "-", "2020", "R1", "WD", None),
        ("EQ_CombalM", "-", "2020", "R1", "WN", None),
        ("PAR_CapUP", "PLANT", "2020", "R1", "-", float("inf")),
    ]
    assert rows("SELECT DISTINCT sow FROM raw_result") == [("-",)]
    assert rows("SELECT user_constraint FROM raw_result OFFSET 3 LIMIT 1") == [("LIMIT",)]
    assert rows("SELECT vintage, commodity FROM raw_result OFFSET 1 LIMIT 1") == [("2010", "ELC")]


def test_special_values_are_reported(rows: Rows) -> None:
    found = rows("SELECT message, count FROM import_report WHERE topic = 'special_value'")
    assert sorted(found) == [
        ("Result rows whose value is +INF in GAMS were kept.", 1),
        ("Result rows whose value is NA in GAMS were kept without a value.", 1),
        ("Result rows whose value is UNDEF in GAMS were kept without a value.", 1),
    ]


def test_units_come_from_the_file_loaded_last_and_never_from_an_unused_one(rows: Rows) -> None:
    assert rows("FROM commodity") == [
        ("R1", "CO2", None, "kt"),
        ("R1", "ELC", "Electricity", "PJ"),
        ("R2", "ELC", None, "PJ"),
    ]
    warned = rows("SELECT severity, message, count FROM import_report WHERE topic = 'units'")
    expected = "Commodities with several units; the one given last holds: R1 ELC."
    assert warned == [("warning", expected, 1)]
    unused = rows(
        "SELECT count FROM import_report WHERE message LIKE 'Input rows left out: of data%'"
    )
    assert unused == [(2,)]


def test_processes_have_units_and_a_capacity_unit_only_where_one_is_given(rows: Rows) -> None:
    assert rows("FROM process") == [
        ("R1", "OTHER", "Never used", None, None, None, None),
        ("R1", "PLANT", "Kraftværk", "PJ", None, None, 31.536),
        ("R2", "LINE", None, None, "GW", "file", 8.76),
    ]


def test_sets_follow_the_names_of_veda(rows: Rows) -> None:
    assert rows("FROM process_set") == [("R1", "PLANT", "ELE"), ("R2", "LINE", "IRE")]
    assert rows("FROM commodity_set") == [
        ("R1", "CO2", "ENV"),
        ("R1", "ELC", "ELC+"),
        ("R1", "ELC", "NRG"),
    ]


def test_topology_leaves_out_group_commodities_and_says_so(rows: Rows) -> None:
    assert rows("FROM topology") == [("R1", "PLANT", "ELC", "OUT")]
    message = "Topology of group pseudo-commodities left out."
    assert rows(f"SELECT count FROM import_report WHERE message = '{message}'") == [(1,)]


def test_trade_links_keep_both_commodities_and_the_direction(rows: Rows) -> None:
    assert rows("FROM trade_link") == [
        ("LINE", "R1", "ELC", "R2", "ELC2", "TOP_IRE"),
        ("MINE", "MINRNW", "COA", "R1", "COA", "TOP_IRE"),
    ]


def test_an_aggregation_names_its_parent_and_skips_interpolation_options(rows: Rows) -> None:
    assert rows("FROM commodity_aggregation") == [("R1", "GHG", "CH4", 21.0)]
    assert rows("FROM commodity_efficiency") == [("R1", "ELC", 2015, "ANNUAL", 0.93)]
    message = "Options for interpolating (year 0) left out."
    assert rows(f"SELECT count FROM import_report WHERE message = '{message}'") == [(1,)]


def test_the_timeslice_tree_has_parents_levels_and_fractions(rows: Rows) -> None:
    assert rows("FROM timeslice") == [
        ("R1", "ANNUAL", None, "ANNUAL", 1.0, 0, None),
        ("R1", "S", "ANNUAL", "SEASON", 0.5, 1, None),
        ("R1", "SD", "S", "DAYNITE", 0.5, 2, None),
        ("R1", "W", "ANNUAL", "SEASON", 0.5, 3, None),
        ("R1", "WD", "W", "DAYNITE", 0.25, 4, None),
        ("R1", "WN", "W", "DAYNITE", 0.25, 5, "winter night"),
    ]
    assert rows("FROM import_report WHERE topic = 'timeslice'") == []


def test_periods_are_those_of_milestone_years(rows: Rows) -> None:
    assert rows("FROM period") == [(2020, 2018, 2022, 5.0), (2025, 2023, 2027, 5.0)]


def test_regions_with_results_are_internal_and_linked_ones_external(rows: Rows) -> None:
    assert rows("SELECT region, kind FROM region") == [
        ("R1", "internal"),
        ("R2", "internal"),
        ("MINRNW", "external"),
    ]
    message = "Regions of the model without results left out."
    assert rows(f"SELECT count FROM import_report WHERE message = '{message}'") == [(1,)]


def test_descriptions_are_kept_as_elements(rows: Rows) -> None:
    assert rows("FROM element WHERE dimension = 'Commodity'") == [
        ("Commodity", "R1", "ELC", "Electricity")
    ]
    assert ("TimeSlice", "-", "WN", "winter night") in rows("FROM element")


def test_the_report_accounts_for_every_input_row(rows: Rows) -> None:
    found = rows("SELECT sum(count) FROM import_report WHERE message LIKE 'Input rows %'")
    assert found == [(len(INPUTS),)]


def test_a_bare_gdx_is_read_and_named_by_its_file(small_gdx: Path, tmp_path: Path) -> None:
    # Longer than the 255 characters of a path that the GDX library takes.
    folder = tmp_path / ("long" * 30) / ("path" * 30)
    folder.mkdir(parents=True)
    bare = folder / "My scenario ø.gdx"
    bare.write_bytes(small_gdx.read_bytes())
    header, connection = read(bare)
    assert (header.scenario, header.rows_read) == ("My scenario ø", 8)
    assert connection.execute("SELECT count(*) FROM process").fetchall() == [(3,)]


def test_results_alone_are_enough_and_what_lacks_is_said(tmp_path: Path) -> None:
    container = transfer.Container(system_directory=gamspy_base.directory)
    transfer.Parameter(container, "CubeOutput", ["*"] * 9, records=RESULTS[:3])
    container.write(str(tmp_path / "alone.gdx"))
    header, connection = read(tmp_path / "alone.gdx")
    assert header.rows_read == 3
    topics = {t for (t,) in connection.execute("SELECT topic FROM import_report").fetchall()}
    assert topics >= {"read", "period"}
    assert connection.execute("SELECT region FROM region").fetchall() == [("R1",), ("R2",)]


def test_letters_of_another_code_page_are_put_right(tmp_path: Path) -> None:
    path = write_gdx(tmp_path / "old.gdx")
    # GDX stores a text's length in bytes, so the two bytes of æ become æ and a letter.
    path.write_bytes(path.read_bytes().replace("Kraftværk".encode(), b"Kraftv\xe6rrk"))
    _, connection = read(path)
    query = "SELECT description FROM process WHERE process = 'PLANT'"
    assert connection.execute(query).fetchall() == [("Kraftværrk",)]


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (None, "is missing"),
        ("{not json", "cannot be read"),
        ("[1, 2]", "cannot be read"),
        ('{"scen_name": 7}', "has no scen_name"),
        ('{"scen_name": "  "}', "has no scen_name"),
    ],
)
def test_without_a_usable_name_the_file_names_the_scenario(
    small_gdx: Path, tmp_path: Path, metadata: str | None, says: str
) -> None:
    header, connection = read(pack(tmp_path / "Stem.miroscen", small_gdx, metadata))
    assert header.scenario == "Stem"
    found = connection.execute("SELECT message FROM import_report WHERE topic = 'name'").fetchall()
    assert len(found) == 1
    assert says in found[0][0]


def test_other_files_are_left_to_other_readers(tmp_path: Path) -> None:
    paths = [tmp_path / "a.vd", tmp_path / "b.csv"]
    assert MiroReader().gather(paths) == ([], paths)


def test_a_zip_without_data_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "bad.miroscen"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sheet1.xml", "<x/>")
    with pytest.raises(UnreadableFileError, match=r"bad\.miroscen.*sheet1\.xml.*GAMS MIRO"):
        MiroReader().gather([path])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("bad.miroscen", b"", "empty"),
        ("bad.miroscen", b"no zip at all", "not a zip"),
        ("bad.gdx", b"", "does not begin as a GDX"),
        ("bad.gdx", b"<html>", "does not begin as a GDX"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFileError, match=says):
        MiroReader().gather([tmp_path / name])


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.miroscen"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.gdx", bytes(20_000_000))
    with pytest.raises(UnreadableFileError, match="would unpack from"):
        MiroReader().gather([path])


def test_a_damaged_zip_is_refused(small_gdx: Path, tmp_path: Path) -> None:
    path = pack(tmp_path / "damaged.miroscen", small_gdx)
    content = bytearray(path.read_bytes())
    content[200:210] = bytes(10)
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="zip is damaged"):
        read(path)


def test_a_gdx_without_results_says_what_it_holds(tmp_path: Path) -> None:
    container = transfer.Container(system_directory=gamspy_base.directory)
    transfer.Set(container, "par_actl_like", ["*"], records=["a"])
    container.write(str(tmp_path / "other.gdx"))
    with pytest.raises(UnreadableFileError, match=r"no results of TIMES.*par_actl_like.*cubeinput"):
        read(tmp_path / "other.gdx")


def test_results_of_another_shape_are_refused(tmp_path: Path) -> None:
    container = transfer.Container(system_directory=gamspy_base.directory)
    transfer.Parameter(container, "cubeoutput", ["*", "*"], records=[("a", "b", 1.0)])
    container.write(str(tmp_path / "shape.gdx"))
    with pytest.raises(UnreadableFileError, match="2 dimensions"):
        read(tmp_path / "shape.gdx")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_gdx_cut_off_is_refused(small_gdx: Path, tmp_path: Path, share: float) -> None:
    content = small_gdx.read_bytes()
    path = tmp_path / "cut.gdx"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnreadableFileError, match="cut off or damaged"):
        read(path)


@pytest.mark.parametrize("program", ["import os; os.abort()", "import signal; signal.pause()"])
def test_a_crash_or_hang_of_the_library_is_an_error_and_not_our_end(
    small_gdx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(program)
    monkeypatch.setattr(gdx.gdx_process, "__file__", str(stand_in))
    monkeypatch.setattr(gdx, "_TIME_LIMIT", 0.5)
    with pytest.raises(UnreadableFileError, match="cut off or damaged"):
        gdx.read_gdx(small_gdx, ["cubeoutput"], shown_as="small.gdx")


def test_rows_with_labels_that_the_file_does_not_list_are_refused(
    small_gdx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(
        "import json, sys, numpy as np\n"
        "folder = json.loads(sys.argv[1])['folder']\n"
        "contents = {'labels': ['a'], 'symbols': {}, 'texts': {}}\n"
        "open(folder + '/contents.json', 'w').write(json.dumps(contents))\n"
        "np.save(folder + '/timeslice.keys.npy', np.array([[7]], np.int32))\n"
    )
    monkeypatch.setattr(gdx.gdx_process, "__file__", str(stand_in))
    with pytest.raises(UnreadableFileError, match="damaged") as caught:
        gdx.read_gdx(small_gdx, ["timeslice"], shown_as="small.gdx")
    assert "timeslice has labels" in caught.value.details


def test_without_the_extra_the_error_says_how_to_install_it(
    small_gdx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gdx, "_PACKAGES", ("no_such_package",))
    files = ScenarioFiles("miro", small_gdx)
    with pytest.raises(MissingExtraError, match=r"times-energy-analytics\[gdx\]"):
        MiroReader().read(files, duckdb.connect())


def test_a_timeslice_is_under_the_closest_of_those_it_is_within() -> None:
    # TIMES lists all that a timeslice is within, not only the next.
    inputs = TimesliceInputs(
        level={"W": "SEASON", "WK": "WEEKLY", "WKD": "DAYNITE"},
        year_fraction={"WKD": 1.0},
        ancestors={"WKD": ["W", "WK"], "WK": ["W"]},
    )
    nodes, problems = timeslice_tree(inputs, [])
    assert {n.name: n.parent for n in nodes} == {
        "ANNUAL": None,
        "W": "ANNUAL",
        "WK": "W",
        "WKD": "WK",
    }
    assert [n.year_fraction for n in nodes] == [1.0, 1.0, 1.0, 1.0]
    assert problems == []


def test_fractions_that_do_not_make_a_year_are_noticed() -> None:
    short = TimesliceInputs(year_fraction={"D": 0.5, "N": 0.4})
    assert timeslice_tree(short, [])[1] == [
        "the lowest timeslices make up 0.9 of a year instead of 1."
    ]
    unknown = TimesliceInputs(level={"D": "DAYNITE"}, year_fraction={"N": 0.4})
    assert timeslice_tree(unknown, [])[1] == ["the share of the year is unknown for D."]


def test_timeslices_within_each_other_do_not_hang_the_reader() -> None:
    circle = TimesliceInputs(ancestors={"A": ["B"], "B": ["A"], "C": ["C"]})
    nodes, problems = timeslice_tree(circle, [])
    assert problems[0].endswith("what they are in is not told: A, B.")
    assert {n.name: n.parent for n in nodes if n.name != "ANNUAL"} == {
        "A": "ANNUAL",
        "B": "ANNUAL",
        "C": "ANNUAL",
    }


# ------------------------------------------------------------------ the real files


def read_real(name: str) -> tuple[ScenarioHeader, duckdb.DuckDBPyConnection]:
    path = REAL / name
    if not path.exists():
        pytest.skip(f"{name} is not there; set TIMES_TEST_DATA to the folder of real files")
    return read(path)


@pytest.fixture(scope="module")
def denmark() -> tuple[ScenarioHeader, duckdb.DuckDBPyConnection]:
    return read_real("times_miro_DK_Regeringen.miroscen")


@pytest.mark.real_data
def test_the_danish_scenario_is_read_whole(
    denmark: tuple[ScenarioHeader, duckdb.DuckDBPyConnection],
) -> None:
    header, connection = denmark
    assert (header.scenario, header.rows_read) == ("DK_Regeringen", 589_455)
    assert header.notes["currency"] == "MKr12"
    counts = "SELECT count(*), count(DISTINCT attribute) FROM raw_result"
    assert connection.execute(counts).fetchall() == [(589_455, 34)]
    regions = connection.execute("SELECT region FROM region WHERE kind = 'internal'").fetchall()
    assert regions == [("DKE",), ("DKW",)]


@pytest.mark.real_data
def test_the_danish_objective_is_what_is_published(
    denmark: tuple[ScenarioHeader, duckdb.DuckDBPyConnection],
) -> None:
    query = "SELECT region, value FROM raw_result WHERE attribute = ? ORDER BY region"
    objective = dict(denmark[1].execute(query, ["Reg_obj"]).fetchall())
    assert {region: round(value) for region, value in objective.items()} == {
        "DKE": 1_085_307,
        "DKW": 1_172_504,
    }
    [(_, total)] = denmark[1].execute(query, ["ObjZ"]).fetchall()
    assert total == pytest.approx(sum(objective.values()), rel=1e-12)
    assert round(total) == 2_257_811
    transfers = denmark[1].execute(query, ["Reg_irec"]).fetchall()
    assert [round(value, 3) for _, value in transfers] == [2_431.657, -2_431.657]


@pytest.mark.real_data
def test_the_danish_year_has_32_lowest_timeslices_per_region(
    denmark: tuple[ScenarioHeader, duckdb.DuckDBPyConnection],
) -> None:
    lowest = denmark[1].execute(
        "SELECT region, count(*), sum(year_fraction) FROM timeslice WHERE timeslice NOT IN"
        " (SELECT parent FROM timeslice WHERE parent IS NOT NULL) GROUP BY 1 ORDER BY 1"
    )
    found = lowest.fetchall()
    assert [(region, count) for region, count, _ in found] == [("DKE", 32), ("DKW", 32)]
    assert [total for *_, total in found] == pytest.approx([1, 1], abs=1e-9)
    path = denmark[1].execute(
        "SELECT timeslice, parent, level FROM timeslice WHERE region = 'DKE'"
        " AND timeslice IN ('SWDA', 'SWD', 'S') ORDER BY year_fraction"
    )
    assert path.fetchall() == [
        ("SWDA", "SWD", "DAYNITE"),
        ("SWD", "S", "WEEKLY"),
        ("S", "ANNUAL", "SEASON"),
    ]


@pytest.mark.real_data
def test_every_danish_process_and_commodity_with_results_is_known(
    denmark: tuple[ScenarioHeader, duckdb.DuckDBPyConnection],
) -> None:
    processes = denmark[1].execute(
        "SELECT count(*) FROM (SELECT DISTINCT region, process FROM raw_result"
        " WHERE process <> '-') ANTI JOIN process USING (region, process)"
    )
    assert processes.fetchall() == [(0,)]
    flows = denmark[1].execute(
        "SELECT count(*), count(unit) FROM (SELECT DISTINCT region, commodity FROM raw_result"
        " WHERE attribute IN ('VAR_FIn', 'VAR_FOut')) LEFT JOIN commodity USING (region, commodity)"
    )
    [(all_flows, with_unit)] = flows.fetchall()
    assert all_flows == with_unit == 709
    links = "SELECT region_from, region_to FROM trade_link WHERE process LIKE 'TB_ELCC%' ORDER BY 1"
    assert denmark[1].execute(links).fetchall() == [("DKE", "DKW"), ("DKW", "DKE")]


@pytest.mark.real_data
def test_the_starter_scenario_is_read_and_its_attachments_left() -> None:
    header, connection = read_real("times_miro_Starter_P-CO2L20.miroscen")
    assert (header.scenario, header.rows_read) == ("Starter_P-CO2L20", 73_223)
    factors = "SELECT DISTINCT parent, factor FROM commodity_aggregation WHERE child LIKE 'CH4%'"
    assert sorted(connection.execute(factors).fetchall()) == [("CH4", 1.0), ("GHG", 21.0)]
    left = connection.execute("SELECT message FROM import_report WHERE topic = 'left_out'")
    messages = " ".join(message for (message,) in left.fetchall())
    assert "attachments/times_miro.log" in messages
    assert "pol-co2-30" in messages


def test_metadata_keeps_nobodys_name(small_gdx: Path, tmp_path: Path) -> None:
    metadata = json.dumps({"scen_name": "S", "uid": "someone", "created_by": "GAMS MIRO 2"})
    header, _ = read(pack(tmp_path / "s.miroscen", small_gdx, metadata))
    assert "someone" not in header.notes.values()
    assert header.notes["written_by"] == "GAMS MIRO 2"
