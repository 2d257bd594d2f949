"""Plain zips of result files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from catalogs import open_source
from catalogs.errors import UnreadableFileError
from catalogs.importing import import_files
from catalogs.store import Store
from tests.times_files import flows, write_set, write_vd

IAMC = "Model,Scenario,Region,Variable,Unit,2020\nM,Low,World,Primary Energy,EJ,5\n"


def packed(path: Path, folder: Path, more: dict[str, str] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, Path("results") / file.relative_to(folder))
        for name, text in (more or {}).items():
            archive.writestr(name, text)
    return path


def test_what_is_in_a_zip_reads_like_the_files_themselves(tmp_path: Path) -> None:
    rows = flows("MINE: -> COA 100\nPLANT: COA 100 -> ELC 40")
    folder = write_set(tmp_path / "files", rows, units={"PJ": "COA ELC"}, scenario="High")
    write_vd(folder / "Base.vd", rows, "Base")
    more = {"iamc.csv": IAMC, "read me.txt": "by hand", "__MACOSX/._x": "?", ".DS_Store": "?"}
    path = packed(tmp_path / "all.zip", folder, more)
    import_files(Store(tmp_path / "data"), "zip", [path])
    import_files(Store(tmp_path / "data"), "files", [folder])
    zipped, plain = (open_source(tmp_path / "data", name) for name in ("zip", "files"))
    assert zipped.scenario_names == ("Low", "Base", "High")
    assert {s.inputs[0].name for s in zipped.manifest.scenarios} == {"all.zip"}
    sql = "SELECT * FROM result WHERE scenario <> 'Low' ORDER BY ALL"
    assert zipped.rows(sql) == plain.rows(sql)
    left = zipped.rows("SELECT DISTINCT message, count FROM import_report WHERE file = 'all.zip'")
    assert left == [("files in the zip that are of no known format were left out: read me.txt", 1)]
    again = import_files(Store(tmp_path / "data"), "zip", [path])
    assert again.version == zipped.version


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("../../outside.vd", "x", "names a file outside itself"),
        ("/outside.vd", "x", "names a file outside itself"),
        ("C:\\outside.vd", "x", "names a file outside itself"),
        ("big.vd", "0" * (40 * 2**20), "would unpack from"),
        ("notes.txt", "x", "the format is not known"),
        ("empty.vd", "", "the file is empty"),
    ],
    ids=["up", "root", "drive", "bomb", "unknown", "empty results"],
)
def test_bad_zips_are_refused_and_nothing_changes(
    tmp_path: Path, name: str, content: str, problem: str
) -> None:
    good = write_vd(tmp_path / "Base.vd", flows("MINE: -> COA 100"))
    import_files(Store(tmp_path / "data"), "case", [good])
    source = open_source(tmp_path / "data", "case")
    path = packed(tmp_path / "bad.zip", tmp_path / "nothing", {name: content})
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(tmp_path / "data"), "case", [path])
    assert problem in caught.value.what
    assert source.is_current
    assert not list(tmp_path.rglob("outside*"))


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_zip_that_is_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    write_vd(tmp_path / "Base.vd", flows("MINE: -> COA 100"))
    path = packed(tmp_path / "all.zip", tmp_path / "nothing", {"a.vd": "x" * 1000})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnreadableFileError, match="not a whole zip"):
        import_files(Store(tmp_path / "data"), "case", [path])
