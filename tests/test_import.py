"""Importing: which files are taken, what is refused, and that a refusal leaves all as it was."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalogs import open_source
from catalogs.errors import TimesError, UnreadableFileError
from catalogs.importing import expand, gather, import_files
from catalogs.source import Source
from catalogs.store import Store
from tests.browser import ROOT
from tests.times_files import cells, flows, header, publish, row, write_set, write_vd

ROWS = flows("PLANT: COA 100 -> ELC 40")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A dataset with one scenario, which no failed import may change."""
    folder = tmp_path_factory.mktemp("good")
    return publish(write_set(folder / "files", ROWS, scenario="Good"), folder / "data")


def assert_refused(published: Source, paths: list[Path]) -> UnreadableFileError:
    """Import into the dataset; it must fail clearly and change nothing."""
    folder = published.manifest_path.parent
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(folder.parent), folder.name, paths)
    # A finished file of another scenario may stay for the grace time, but nothing names it.
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert not [path for path in folder.iterdir() if path.is_dir()]
    assert open_source(folder.parent, folder.name).version == published.version
    return caught.value


def no_files(_: Path) -> None:
    """Leave the folder empty."""


def only_notes(folder: Path) -> None:
    (folder / "notes.txt").write_text("remember the milk")


def a_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "results.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")


def a_zip_by_another_name(folder: Path) -> None:
    with zipfile.ZipFile(folder / "results.miroscen", "w") as archive:
        archive.writestr("readme.txt", "nothing")


def text_called_miroscen(folder: Path) -> None:
    (folder / "results.miroscen").write_text("no zip")


def text_called_gdx(folder: Path) -> None:
    (folder / "results.gdx").write_text("no gdx")


def an_empty_vd(folder: Path) -> None:
    (folder / "results.vd").write_bytes(b"")


def a_table_of_a_spreadsheet(folder: Path) -> None:
    (folder / "results.vd").write_text("Attribute,Process,PV\nVAR_Act,P,1\n")


def a_cut_vd(folder: Path) -> None:
    text = header() + cells(ROWS)
    (folder / "results.vd").write_text(text[:-40])


def a_cut_gz(folder: Path) -> None:
    many = [row("VAR_Act", n / 7, process=f"P{n}") for n in range(500)]
    packed = gzip.compress((header() + cells(many)).encode())
    (folder / "results.vd.gz").write_bytes(packed[:-200])


def sets_without_results(folder: Path) -> None:
    (folder / "results.vds").write_text('"Process","R1","ELE","PLANT"\n')


def units_without_results(folder: Path) -> None:
    (folder / "commodity_units.csv").write_text("commodity,unit\nELC,PJ\n")


def broken_units(folder: Path) -> None:
    write_vd(folder / "results.vd", ROWS)
    (folder / "commodity_units.csv").write_text("commodity\nELC\n")


def a_broken_topology(folder: Path) -> None:
    write_vd(folder / "results.vd", ROWS)
    (folder / "results.vdt").write_text('"R1","PLANT"\n')


BAD: list[tuple[Callable[[Path], None], str, str]] = [
    (no_files, "no files: nothing was named that could be imported", "at least one results file"),
    (only_notes, "notes.txt: the format is not known", "VEDA results"),
    (a_zip, "results.zip: the format is not known", "a GAMS MIRO scenario"),
    (a_zip_by_another_name, "results.miroscen: the zip has no data.gdx", "GAMS MIRO exports"),
    (text_called_miroscen, "results.miroscen: the file is not a zip", "GAMS MIRO exports"),
    (text_called_gdx, "results.gdx: the file does not begin as a GDX file does", "a GDX file"),
    (an_empty_vd, "results.vd: the file is empty", "a VEDA .vd file with a header"),
    (a_table_of_a_spreadsheet, "results.vd, line 1: there is no '* Dimensions-'", "Dimensions-"),
    (a_cut_vd, "results.vd, line 9: the row cannot be read", "9 cells (Attribute;Commodity"),
    (a_cut_gz, "results.vd.gz: the compressed file is cut off or damaged", "a whole gzip file"),
    (sets_without_results, "results.vds: it describes results, but", "results.vd in the same"),
    (units_without_results, "commodity_units.csv: it is a table about results", ""),
    (broken_units, "commodity_units.csv, line 1: the column 'unit' is missing", "commodity, unit"),
    (a_broken_topology, "results.vdt, line 1: the line has 2 cells", "4 cells"),
]


@pytest.mark.parametrize(("make", "what", "expected"), BAD, ids=[b[0].__name__ for b in BAD])
def test_what_cannot_be_imported_is_named_and_changes_nothing(
    published: Source, tmp_path: Path, make: Callable[[Path], None], what: str, expected: str
) -> None:
    make(tmp_path)
    error = assert_refused(published, [tmp_path])
    assert error.what.startswith(what)
    assert expected in error.remedy
    assert str(tmp_path) not in str(error)


def test_a_path_that_is_not_there_is_named(published: Source, tmp_path: Path) -> None:
    error = assert_refused(published, [tmp_path / "nowhere.vd"])
    assert error.what.endswith("nowhere.vd: there is no such file or folder")


def test_a_rule_table_alone_is_refused(published: Source, tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("dimension,group,code\nsector,Homes,RES*\n")
    for named in (tmp_path, tmp_path / "groups.csv"):
        with pytest.raises(UnreadableFileError, match="is a rule table, and there are no results"):
            import_files(Store(published.manifest_path.parents[1]), "case", [named])
    assert published.is_current


def test_nothing_at_all_is_refused(published: Source) -> None:
    assert_refused(published, [])


def test_a_good_file_beside_a_bad_one_is_not_published(published: Source, tmp_path: Path) -> None:
    write_set(tmp_path / "good", ROWS, scenario="Another")
    (tmp_path / "bad").mkdir()
    a_cut_vd(tmp_path / "bad")
    error = assert_refused(published, [tmp_path / "good", tmp_path / "bad"])
    assert error.file == "results.vd"


# ---------------------------------------------------------------------------- what is taken


def test_a_folder_stands_for_the_files_directly_in_it(tmp_path: Path) -> None:
    write_set(tmp_path / "a", ROWS, scenario="A")
    write_set(tmp_path / "a" / "below", ROWS, scenario="B")
    found, _ = gather(expand([tmp_path / "a"]))
    assert [f.main.name for f in found] == ["A.vd"]


def test_unknown_files_of_a_folder_are_left_aside_and_told(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "files", ROWS, scenario="A")
    only_notes(folder)
    aside: list[Path] = []
    manifest = import_files(Store(tmp_path / "data"), "d", [folder], leave_aside=aside.append)
    assert [scenario.key for scenario in manifest.scenarios] == ["A"]
    assert [path.name for path in aside] == ["notes.txt"]


def test_an_unknown_file_named_by_itself_is_refused(published: Source, tmp_path: Path) -> None:
    folder = write_set(tmp_path, ROWS, scenario="A")
    only_notes(folder)
    error = assert_refused(published, [folder, folder / "notes.txt"])
    assert error.what == "notes.txt: the format is not known"


def test_a_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    folder = write_set(tmp_path, ROWS, scenario="A")
    paths = expand([folder, folder / "A.vd", folder])
    assert len(paths) == len(set(paths)) == 4
    assert len(gather(paths)[0]) == 1


def test_hidden_files_of_the_system_are_no_results(tmp_path: Path) -> None:
    folder = write_set(tmp_path, ROWS, scenario="A")
    (folder / ".DS_Store").write_bytes(b"\0")
    assert [f.main.name for f in gather(expand([folder]))[0]] == ["A.vd"]


def test_several_scenarios_of_one_folder_are_imported_together(tmp_path: Path) -> None:
    write_set(tmp_path / "files", flows("PLANT: -> ELC 1"), scenario="A")
    write_set(tmp_path / "files", flows("PLANT: -> ELC 2"), scenario="B")
    source = publish(tmp_path / "files", tmp_path / "data")
    assert source.rows("SELECT scenario, value FROM result ORDER BY ALL") == [("A", 1), ("B", 2)]


# ---------------------------------------------------------------------------- what is said


def test_progress_goes_up_to_one_and_names_the_file(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "files", ROWS, scenario="A")
    reported: dict[str, list[tuple[float, str]]] = {}

    def progress(name: str) -> Callable[[float, str], None]:
        steps = reported.setdefault(name, [])
        return lambda share, doing: steps.append((share, doing))

    import_files(Store(tmp_path / "data"), "d", [folder], progress=progress)
    [steps] = reported.values()
    assert list(reported) == ["A.vd"]
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert "reading results" in [doing for _, doing in steps]


def test_the_manifest_says_what_a_scenario_was_made_from(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "files", ROWS, scenario="A", units={"PJ": "ELC"})
    [scenario] = publish(folder, tmp_path / "data").manifest.scenarios
    assert (scenario.source_format, scenario.rows, scenario.model) == ("VEDA", 2, "R1")
    assert {i.name for i in scenario.inputs} == {
        "A.vd",
        "A.vde",
        "A.vds",
        "A.vdt",
        "commodity_units.csv",
    }
    [results] = [i for i in scenario.inputs if i.name == "A.vd"]
    assert results.size == (folder / "A.vd").stat().st_size
    assert len(results.sha256) == 64


def test_names_and_descriptions_come_from_a_table_of_scenarios(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "files", ROWS, scenario="A")
    (folder / "scenarios.csv").write_text("scenario,description,model\nA,As it is,Nordic\n")
    [scenario] = publish(folder, tmp_path / "data").manifest.scenarios
    assert (scenario.description, scenario.model) == ("As it is", "Nordic")


@pytest.mark.parametrize(
    "name", ["x'; DROP TABLE result;--", 'Two "words"', "é ∑ 漢", "a/b\\c", "..", "$units", "{x}%s"]
)
def test_a_scenario_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "files"
    write_set(folder, ROWS, scenario="plain", units={"PJ": "COA ELC"})
    write_vd(folder / "plain.vd", ROWS, name)
    source = publish(folder, tmp_path / "data")
    assert source.scenario_names == (name,)
    assert source.rows("SELECT DISTINCT scenario FROM result") == [(name,)]
    [scenario] = source.manifest.scenarios
    assert (source.manifest_path.parent / scenario.file).parent == source.manifest_path.parent
    assert scenario.file.endswith(f"-{scenario.digest[:12]}.duckdb")


def test_codes_with_quotes_are_only_codes(tmp_path: Path) -> None:
    given: dict[str, Any] = {"commodity": "it's", "region": "R'1", "process": 'a "b"; --'}
    folder = write_set(tmp_path / "files", [row("VAR_FOut", 5, **given)], scenario="A")
    text = (folder / "A.vd").read_text(encoding="utf-8")
    (folder / "A.vd").write_text(text.replace('"a "b"; --"', '"a ""b""; --"'), encoding="utf-8")
    (folder / "A.vdt").unlink()
    source = publish(folder, tmp_path / "data")
    asked = "SELECT region, process, commodity FROM flow"
    assert source.rows(asked) == [("R'1", 'a "b"; --', "it's")]


def test_a_currency_with_a_quote_is_only_a_currency(tmp_path: Path) -> None:
    rows = [
        row("Reg_wobj", 1, commodity="M'EUR20", timeslice="-", user_constraint="INV"),
        row("Cost_Inv", 2, process="P"),
    ]
    source = publish(write_set(tmp_path / "files", rows), tmp_path / "data")
    asked = "SELECT DISTINCT currency FROM result"
    assert source.rows(asked) == [("M'EUR20",)]


def test_an_error_can_be_shown_in_parts(tmp_path: Path) -> None:
    a_cut_vd(tmp_path)
    with pytest.raises(TimesError) as caught:
        import_files(Store(tmp_path / "data"), "d", [tmp_path])
    error = caught.value
    assert str(error) == f"{error.what} {error.remedy}"
    assert error.details


def test_what_takes_long_to_load_is_loaded_beside_the_reading() -> None:
    """An import of a second does not begin with another one of loading modules."""
    slow = ("pandas", "openpyxl", "pint", "shapely", "panel", "intake")
    code = f"import sys, catalogs.__main__; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
