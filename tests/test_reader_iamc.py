"""IAMC tables: wide and long, CSV and XLSX, what is never added up, and bad files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from catalogs import open_source
from catalogs.errors import NotAdditiveError, TimesError, UnknownNameError, UnreadableFileError
from catalogs.exporting import Results, export
from catalogs.importing import import_files
from catalogs.query import Query
from catalogs.source import Source
from catalogs.store import Store
from tests.times_files import flows, write_set

WIDE = [
    ["Model", "Scenario", "Region", "Variable", "Unit", 2020, 2030],
    ["M", "Base", "World", "Primary Energy", "EJ", 10, 12],
    ["M", "Base", "World", "Primary Energy|Coal", "EJ", 4, None],
    ["M", "Base", "Europe", "Primary Energy", "EJ", 3.5, 3],
    ["M", "High", "World", "Primary Energy", "EJ", 10, 14],
]
LONG = [
    ["scenario", "MODEL", "region", "VARIABLE", "unit", "YEAR", "value"],
    ["Base", "M", "World", "Primary Energy", "EJ", 2020, 10],
    ["Base", "M", "World", "Primary Energy", "EJ", 2030, 12],
    ["Base", "M", "World", "Primary Energy|Coal", "EJ", 2020, 4],
    ["Base", "M", "Europe", "Primary Energy", "EJ", 2020, 3.5],
    ["Base", "M", "Europe", "Primary Energy", "EJ", 2030, 3],
    ["High", "M", "World", "Primary Energy", "EJ", 2020, 10],
    ["High", "M", "World", "Primary Energy", "EJ", 2030, 14],
]
Rows = Sequence[Sequence[object]]


def csv_file(path: Path, rows: Rows, separator: str = ",") -> Path:
    text = "\n".join(separator.join("" if c is None else str(c) for c in row) for row in rows)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def xlsx_file(path: Path, rows: Rows, title: str = "data") -> Path:
    book = openpyxl.Workbook()
    about = book.active
    assert about is not None
    about.title = "about"
    about.append(["made by hand"])
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


Writer = Callable[[Path, Rows], Path]
WRITERS: list[Writer] = [csv_file, xlsx_file]


def publish(data: Path, *paths: Path) -> Source:
    import_files(Store(data), "case", paths)
    return open_source(data, "case")


def refused(path: Path) -> UnreadableFileError:
    """Import what is bad over what is good, and see that nothing changes."""
    good = csv_file(path.parent / "good.csv", WIDE)
    source = publish(path.parent / "data", good)
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(path.parent / "data"), "case", [path])
    assert source.is_current
    return caught.value


VALUES = [
    ("Base", "Primary Energy", "Europe", 2020, 3.5),
    ("Base", "Primary Energy", "Europe", 2030, 3),
    ("Base", "Primary Energy", "World", 2020, 10),
    ("Base", "Primary Energy", "World", 2030, 12),
    ("Base", "Primary Energy|Coal", "World", 2020, 4),
    ("High", "Primary Energy", "World", 2020, 10),
    ("High", "Primary Energy", "World", 2030, 14),
]


@pytest.mark.parametrize("rows", [WIDE, LONG], ids=["wide", "long"])
@pytest.mark.parametrize("write", WRITERS)
def test_every_form_reads_the_same(tmp_path: Path, write: Writer, rows: Rows) -> None:
    source = publish(tmp_path / "data", write(tmp_path / "table.anything", rows))
    assert [(s.model, s.scenario) for s in source.manifest.scenarios] == [
        ("M", "Base"),
        ("M", "High"),
    ]
    assert (
        source.rows("SELECT scenario, attribute, region, year, value FROM result ORDER BY ALL")
        == VALUES
    )
    assert source.rows("SELECT DISTINCT unit, timeslice, sow FROM result") == [("EJ", "-", "-")]


def test_years_of_a_scenario_may_stand_in_several_files(tmp_path: Path) -> None:
    first = csv_file(tmp_path / "a.csv", [row[:6] for row in WIDE])
    second = csv_file(tmp_path / "b.csv", [[*row[:5], row[6]] for row in WIDE], ";")
    source = publish(tmp_path / "data", first, second)
    assert (
        source.rows("SELECT scenario, attribute, region, year, value FROM result ORDER BY ALL")
        == VALUES
    )


def test_nothing_of_a_table_is_ever_added_up(tmp_path: Path) -> None:
    source = publish(tmp_path / "data", csv_file(tmp_path / "a.csv", WIDE))
    with pytest.raises(NotAdditiveError, match="must not be added up over region"):
        source.ask(Query("attribute:Primary Energy", ("Base",)))
    frame = source.ask(Query("attribute:Primary Energy", ("Base",), group_by=("region",))).frame
    assert frame.value.tolist() == [3.5, 10, 3, 12]
    coal = source.ask(Query("attribute:Primary Energy|Coal", group_by=("region",))).frame
    assert coal.value.tolist() == [4]


def test_parents_and_parts_are_never_in_one_sum(tmp_path: Path) -> None:
    """A query is about one variable, and there is no way to ask for two."""
    source = publish(tmp_path / "data", csv_file(tmp_path / "a.csv", WIDE))
    with pytest.raises(UnknownNameError):
        Query("attribute:Primary Energy", group_by=("attribute",))
    with pytest.raises(TimesError):
        source.ask(Query("attribute:Primary Energy*"))


def test_parts_of_the_year_are_kept_apart(tmp_path: Path) -> None:
    rows = [
        ["model", "scenario", "region", "variable", "unit", "SubAnnual", "2020"],
        ["M", "Base", "World", "Load", "GW", "winter", 5],
        ["M", "Base", "World", "Load", "GW", "summer", 3],
        ["M", "Base", "World", "Load", "GW", "Year", 4],
    ]
    source = publish(tmp_path / "data", csv_file(tmp_path / "a.csv", rows))
    by_slice = Query("attribute:Load", group_by=("timeslice",), unit="GW")
    frame = source.ask(by_slice).frame
    assert dict(zip(frame.timeslice, frame.value, strict=True)) == {
        "ANNUAL": 4,
        "summer": 3,
        "winter": 5,
    }
    with pytest.raises(NotAdditiveError, match="timeslice"):
        source.ask(Query("attribute:Load", unit="GW"))


# ---------------------------------------------------------------------------- bad tables


def with_row(*cells: object) -> list[list[object]]:
    return [*WIDE, [*cells]]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([[*WIDE[0], 2020], [*WIDE[1], 11]], "the year 2020 has two columns"),
        ([[*WIDE[0], "Unit"], [*WIDE[1], "GJ"]], "the column 'unit' occurs twice"),
        (with_row("M", "Base", "World", "Primary Energy", "EJ", 11), "2020 is given twice"),
        (with_row("M", "Base", "World", "X", "EJ", "1,5"), "'1,5' has a decimal comma"),
        (with_row("M", "Base", "World", "X", "EJ", "many"), "'many' is not a number"),
        (
            [["Model", "Scenario", "Region", "Variable", "Unit", "time"], [*WIDE[1][:5], "x"]],
            "values are given at points in time",
        ),
        ([*LONG, ["Base", "M", "World", "X", "EJ", "soon", 1]], "'soon' is not a year"),
        ([*LONG, [*LONG[1][:6], 11]], "the year 2020 is given twice"),
        ([WIDE[0]], "there are no rows"),
    ],
    ids=[
        *("repeated year", "repeated column", "two rows", "decimal comma", "text", "time"),
        *("no year", "two values", "head only"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, write: Writer, rows: Rows, problem: str) -> None:
    quoted = [[f'"{c}"' if c == "1,5" and write is csv_file else c for c in row] for row in rows]
    width = max(len(row) for row in rows)
    padded = [[*row, *[None] * (width - len(row))] for row in quoted]
    assert problem in refused(write(tmp_path / "bad.x", padded)).what


def test_a_line_of_ten_million_letters_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "bad.csv", with_row("M", "Base", "World", "X" * 10**7, "EJ", 1, 2))
    error = refused(path)
    assert error.line == 6
    assert len(error.details) < 3000


def test_dates_that_a_spreadsheet_made_of_years_and_values_are_refused(tmp_path: Path) -> None:
    years = [[*WIDE[0][:5], datetime(2020, 1, 1)], WIDE[1][:6]]
    error = refused(xlsx_file(tmp_path / "years.xlsx", years))
    assert "the column '2020-01-01' is a date" in error.what
    values = [WIDE[0][:6], [*WIDE[1][:5], datetime(2024, 5, 3)]]
    error = refused(xlsx_file(tmp_path / "values.xlsx", values))
    assert "'2024-05-03' is a date; a spreadsheet program may have changed it" in error.what
    assert error.line == 2


def test_infinite_and_missing_values_are_counted(tmp_path: Path) -> None:
    rows = [
        [*WIDE[0], 2040],
        ["M", "Base", "World", "A", "EJ", "inf", "nan", "N/A"],
        ["M", "Base", "World", "B", "", 1, None, None],
    ]
    source = publish(tmp_path / "data", csv_file(tmp_path / "a.csv", rows))
    report = source.import_report()
    assert report[report.topic == "values"]["count"].tolist() == [2]
    assert report[report.message == "variables have no unit"]["count"].tolist() == [1]
    assert source.manifest.scenarios[0].rows == 3


# ---------------------------------------------------------------------------- bad workbooks


def repack(path: Path, change: dict[str, bytes], level: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write parts of a workbook anew."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", level) as archive:
        for name, content in (parts | change).items():
            archive.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = xlsx_file(tmp_path / "bomb.xlsx", WIDE)
    bomb = b"<worksheet>" + b" " * (64 * 2**20)
    error = refused(repack(path, {"xl/worksheets/sheet2.xml": bomb}))
    assert "would unpack from" in error.what


def test_a_workbook_that_names_files_outside_itself_is_refused(tmp_path: Path) -> None:
    path = repack(xlsx_file(tmp_path / "out.xlsx", WIDE), {"../../outside.xml": b"<x/>"})
    assert "names a file outside itself, ../../outside.xml" in refused(path).what
    assert not list(tmp_path.rglob("outside.xml"))


def test_xml_with_entities_is_refused(tmp_path: Path) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
    path = repack(xlsx_file(tmp_path / "x.xlsx", WIDE), {"xl/worksheets/sheet1.xml": bomb})
    assert "defines XML entities" in refused(path).what


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet2.xml"])
def test_a_damaged_workbook_is_refused(tmp_path: Path, part: str) -> None:
    path = repack(xlsx_file(tmp_path / "x.xlsx", WIDE), {part: b"<broken"})
    assert "the workbook cannot be read" in refused(path).what


def test_a_workbook_without_such_a_table_is_of_no_known_format(tmp_path: Path) -> None:
    assert "the format is not known" in refused(xlsx_file(tmp_path / "x.xlsx", [["a", "b"]])).what


# ---------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("form", ["iamc", "iamc-long"])
def test_what_was_exported_is_read_again(tmp_path: Path, form: str) -> None:
    rows = flows("MINE: -> COA 100\nPLANT: COA 100 -> ELC 40")
    folder = write_set(tmp_path / "files", rows, units={"PJ": "COA ELC"})
    source = publish(tmp_path / "data", folder)
    table = tmp_path / "out.csv"
    export(source, Results(), form, table)
    import_files(Store(tmp_path / "data"), "again", [table])
    again = open_source(tmp_path / "data", "again")
    assert again.rows(
        "SELECT scenario, attribute, region, year, value FROM result ORDER BY ALL"
    ) == [
        ("Case", "VAR_FIn|COA|PLANT|ANNUAL", "R1", 2020, 100),
        ("Case", "VAR_FOut|COA|MINE|ANNUAL", "R1", 2020, 100),
        ("Case", "VAR_FOut|ELC|PLANT|ANNUAL", "R1", 2020, 40),
    ]
    assert again.rows("SELECT DISTINCT unit FROM result") == [("PJ",)]
