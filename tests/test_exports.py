"""Exporting selections: what stands in each file, what is refused, and that files are whole."""

from __future__ import annotations

import csv
import io
import re
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.errors import NotAvailableError, TimesError, UnknownNameError
from catalogs.exporting import Results, download, export, formats
from catalogs.query import Query
from catalogs.source import Source
from catalogs.writers import WRITERS, iamc, workbook
from tests.times_files import (
    DIMENSIONS,
    Row,
    cells,
    flows,
    header,
    publish,
    row,
    write_set,
    write_vd,
)

#: A process whose code a spreadsheet would run, and one that looks like a level of a variable.
FORMULA = "=1+1"
PIPED = "WIND|SEA"

ROWS = [
    *flows("PLANT: COA 100 -> ELC 40", year=2020),
    *flows("PLANT: COA 75 -> ELC 30.25", year=2030),
    *flows(f"{PIPED}: -> ELC 10", year=2030, region="R2"),
    row("VAR_Act", 1e-7, process=FORMULA, year=2030),
    row("ObjZ", 1000.5, year="-", region="-", timeslice="-"),
]
OPTIONS: dict[str, Any] = {
    "units": {"PJ": "COA ELC"},
    "commodity_sets": {"ELC": "ELC"},
    "process_sets": {"ELE": f"PLANT {PIPED}"},
}
GENERATION = Query("electricity_generation", group_by=("process",), unit="PJ")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Two scenarios; the second has a plant less and a name with a quote."""
    folder = tmp_path_factory.mktemp("exports")
    write_set(folder / "files", ROWS, scenario="Base", **OPTIONS)
    write_set(folder / "files", ROWS[:2], scenario="It's high", **OPTIONS)
    return publish(folder / "files", folder / "data", "North Sea", model="Nordic")


def written(source: Source, selection: Results | Query, name: str) -> bytes:
    stream = io.BytesIO()
    export(source, selection, name, stream)
    return stream.getvalue()


def lines_of(content: bytes) -> list[list[str]]:
    """Parse CSV by Python's csv module alone."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


# ---------------------------------------------------------------------------- CSV


def test_result_rows_as_csv(source: Source) -> None:
    assert lines_of(written(source, Results(scenarios=("It's high",)), "csv")) == [
        line.split(";")
        for line in (
            "scenario;sow;attribute;commodity;process;year;region;vintage;timeslice"
            ";user_constraint;unit;currency;value",
            "It's high;-;VAR_FIn;COA;PLANT;2020;R1;-;ANNUAL;-;PJ;;100",
            "It's high;-;VAR_FOut;ELC;PLANT;2020;R1;-;ANNUAL;-;PJ;;40",
        )
    ]


def test_an_answer_as_csv(source: Source) -> None:
    content = written(source, GENERATION, "csv")
    assert content.startswith(b"\xef\xbb\xbf")
    assert lines_of(content) == [
        ["scenario", "year", "process", "unit", "value"],
        ["Base", "2020", "PLANT", "PJ", "40"],
        ["Base", "2030", "PLANT", "PJ", "30.25"],
        ["Base", "2030", PIPED, "PJ", "10"],
        ["It's high", "2020", "PLANT", "PJ", "40"],
    ]


def test_a_formula_is_harmless_in_csv_and_no_value_is_as_it_was(source: Source) -> None:
    rows = lines_of(written(source, Results(attributes=("VAR_Act",)), "csv"))
    assert rows[1][3:5] == ["-", f"'{FORMULA}"]
    assert float(rows[1][-1]) == 1e-7


@pytest.mark.parametrize(
    ("selection", "values"),
    [
        (Results(scenarios=("Base",), years=(2020,)), [40, 100]),
        (Results(scenarios=("Base",), regions=("R2",)), [10]),
        (Results(attributes=("ObjZ",)), [1000.5]),
        (Results(scenarios=("Base",), attributes=("VAR_FOut",), years=(2030,)), [10, 30.25]),
        (Results(), [1e-7, 10, 30.25, 40, 40, 75, 100, 100, 1000.5]),
    ],
)
def test_a_selection_holds_what_was_chosen(
    source: Source, selection: Results, values: list[float]
) -> None:
    rows = lines_of(written(source, selection, "csv"))[1:]
    assert sorted(float(cells[-1]) for cells in rows) == values


# ---------------------------------------------------------------------------- XLSX


def sheets_of(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def test_numbers_in_a_spreadsheet_are_numbers(source: Source) -> None:
    sheets = sheets_of(written(source, GENERATION, "xlsx"))
    assert list(sheets) == ["Data", "About"]
    assert sheets["Data"][:3] == [
        ("scenario", "year", "process", "unit", "value"),
        ("Base", 2020, "PLANT", "PJ", 40),
        ("Base", 2030, "PLANT", "PJ", 30.25),
    ]


def test_a_spreadsheet_says_what_its_figures_mean(source: Source) -> None:
    notes = dict(sheets_of(written(source, GENERATION, "xlsx"))["About"])
    assert notes["Dataset"] == "North Sea"
    assert notes["Data version"] == source.version
    assert notes["Scenarios"] == "Base, It's high"
    assert notes["Unit"] == "PJ"
    assert "neither storage nor trade" in notes["Definition"]


@pytest.mark.parametrize("text", [FORMULA, "+1", "-1", "@SUM(A1)", "#REF!", "http://x.y"])
def test_no_text_becomes_a_formula_in_a_spreadsheet(tmp_path: Path, text: str) -> None:
    folder = write_set(tmp_path / "files", [row("VAR_Act", 1, process=text)], scenario="S")
    content = written(publish(folder, tmp_path / "data"), Results(), "xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Data"]
    cell = sheet.cell(2, 5)
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)
    # Stays text when someone edits the cell.
    assert cell.quotePrefix == (text != "http://x.y")


def test_what_a_spreadsheet_cannot_hold_as_a_number_is_text(tmp_path: Path) -> None:
    rows = [row("VAR_Act", "inf", process="P"), row("VAR_Act", "nan", process="Q")]
    source = publish(write_set(tmp_path / "files", rows, scenario="S"), tmp_path / "data")
    data = sheets_of(written(source, Results(), "xlsx"))["Data"]
    assert [cells[-1] for cells in data[1:]] == ["inf", "nan"]


def test_control_characters_are_shown_as_missing_in_a_spreadsheet(tmp_path: Path) -> None:
    rows = [row("VAR_Act", 1, process="A\x07B")]
    source = publish(write_set(tmp_path / "files", rows, scenario="S"), tmp_path / "data")
    assert sheets_of(written(source, Results(), "xlsx"))["Data"][1][4] == "A\ufffdB"


def test_programs_that_read_a_spreadsheet_row_by_row_see_every_cell(tmp_path: Path) -> None:
    texts = [" a ", "a < b & c", "it's", "æ€𝄞", "1.5", "-", "TRUE"]
    rows = [row("VAR_Act", n / 3, process=text) for n, text in enumerate(texts)]
    source = publish(write_set(tmp_path / "files", rows, scenario="S"), tmp_path / "data")
    content = written(source, Results(), "xlsx")
    whole = sheets_of(content)["Data"]
    with closing(openpyxl.load_workbook(io.BytesIO(content), read_only=True)) as book:
        assert list(book["Data"].iter_rows(values_only=True)) == whole
    found = {cells[4]: cells[-1] for cells in whole[1:]}
    csv = pd.read_csv(io.BytesIO(written(source, Results(), "csv")), keep_default_na=False)
    assert found == dict(zip(csv.process, csv.value, strict=True))
    assert {text.strip() for text in found} == {text.strip() for text in texts}


def test_more_rows_than_a_sheet_holds_go_on_the_next(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 4)
    sheets = sheets_of(written(source, Results(), "xlsx"))
    assert list(sheets) == ["Data", "Data 2", "Data 3", "About"]
    assert [len(rows) for rows in sheets.values()][:3] == [4, 4, 4]
    assert len({rows[0] for name, rows in sheets.items() if name != "About"}) == 1


def test_more_rows_than_a_spreadsheet_opens_are_refused(
    source: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 3)
    with pytest.raises(TimesError, match="too many for a spreadsheet") as caught:
        export(source, Results(), "xlsx", tmp_path / "big.xlsx")
    assert "CSV or Parquet" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------- IAMC


def test_an_answer_as_iamc(source: Source) -> None:
    found = lines_of(written(source, GENERATION, "iamc"))
    label = "Electricity generation"
    assert found == [
        ["Model", "Scenario", "Region", "Variable", "Unit", "2020", "2030"],
        ["Nordic", "Base", "R1+R2", f"{label}|PLANT", "PJ", "40", "30.25"],
        ["Nordic", "Base", "R1+R2", f"{label}|WIND/SEA", "PJ", "", "10"],
        ["Nordic", "It's high", "R1", f"{label}|PLANT", "PJ", "40", ""],
    ]


def test_an_answer_by_region_as_long_iamc(source: Source) -> None:
    query = Query("electricity_generation", ("Base",), group_by=("region",), unit="PJ")
    assert lines_of(written(source, query, "iamc-long")) == [
        ["Model", "Scenario", "Region", "Variable", "Unit", "Year", "Value"],
        ["Nordic", "Base", "R1", "Electricity generation", "PJ", "2020", "40"],
        ["Nordic", "Base", "R1", "Electricity generation", "PJ", "2030", "30.25"],
        ["Nordic", "Base", "R2", "Electricity generation", "PJ", "2030", "10"],
    ]


def test_the_region_of_a_sum_is_that_of_the_regions_chosen(source: Source) -> None:
    query = Query("electricity_generation", ("Base",), regions=("R2",), unit="PJ")
    assert [cells[2] for cells in lines_of(written(source, query, "iamc"))[1:]] == ["R2"]


def test_result_rows_as_iamc(source: Source) -> None:
    stream = io.BytesIO()
    result = export(source, Results(scenarios=("Base",)), "iamc", stream)
    assert lines_of(stream.getvalue()) == [
        ["Model", "Scenario", "Region", "Variable", "Unit", "2020", "2030"],
        ["Nordic", "Base", "R1", "VAR_Act|-|=1+1|ANNUAL", "unknown", "", "1e-7"],
        ["Nordic", "Base", "R1", "VAR_FIn|COA|PLANT|ANNUAL", "PJ", "100", "75"],
        ["Nordic", "Base", "R1", "VAR_FOut|ELC|PLANT|ANNUAL", "PJ", "40", "30.25"],
        ["Nordic", "Base", "R2", "VAR_FOut|ELC|WIND/SEA|ANNUAL", "PJ", "", "10"],
    ]
    assert (result.rows, result.left_out) == (4, ("values without a year (1)",))


@pytest.mark.parametrize("name", ["iamc", "iamc-long"])
@pytest.mark.parametrize(
    "selection",
    [
        Results(),
        GENERATION,
        Query("attribute:VAR_FOut", group_by=("commodity", "process", "timeslice")),
    ],
)
def test_no_variable_is_the_parent_of_another(
    source: Source, selection: Results | Query, name: str
) -> None:
    variables = {cells[3] for cells in lines_of(written(source, selection, name))[1:]}
    assert not [(a, b) for a in variables for b in variables if b.startswith(f"{a}|")]


def test_two_values_for_one_cell_of_iamc_are_refused(tmp_path: Path) -> None:
    rows = [row("VAR_Act", 1, process="P"), row("VAR_Act", 2, process="P")]
    source = publish(write_set(tmp_path / "files", rows, scenario="S"), tmp_path / "data")
    for name in ("iamc", "iamc-long"):
        with pytest.raises(TimesError, match=r"2 values for VAR_Act\|-\|P\|ANNUAL in R1, 2020"):
            export(source, Results(), name, io.BytesIO())


def test_a_selection_without_years_is_refused_as_iamc(source: Source) -> None:
    with pytest.raises(NotAvailableError, match="No value of the selection has a year"):
        export(source, Results(attributes=("ObjZ",)), "iamc", io.BytesIO())


def test_many_regions_are_not_spelled_out(monkeypatch: pytest.MonkeyPatch, source: Source) -> None:
    monkeypatch.setattr(iamc, "_MOST_NAMED", 1)
    regions = [cells[2] for cells in lines_of(written(source, GENERATION, "iamc"))[1:]]
    assert regions == ["All regions", "All regions", "R1"]


# ---------------------------------------------------------------------------- answers as Parquet


def test_an_answer_as_parquet_says_what_it_is(source: Source) -> None:
    table = pq.read_table(io.BytesIO(written(source, GENERATION, "parquet")))
    assert table.to_pylist()[1] == {
        "scenario": "Base",
        "year": 2030,
        "process": "PLANT",
        "unit": "PJ",
        "value": 30.25,
    }
    described = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    assert described["measure"] == "electricity_generation"
    assert described["data_version"] == source.version


# ---------------------------------------------------------------------------- VEDA


def test_a_vd_of_one_scenario(source: Source) -> None:
    selection = Results(scenarios=("It's high",))
    lines = written(source, selection, "vd").decode().splitlines()
    assert "*         ImportID- Scenario:It's high" in lines
    assert lines[-2:] == [
        '"VAR_FIn","COA","PLANT","2020","R1","-","ANNUAL","-",100',
        '"VAR_FOut","ELC","PLANT","2020","R1","-","ANNUAL","-",40',
    ]


def test_a_vd_of_several_scenarios_is_refused(source: Source) -> None:
    with pytest.raises(TimesError, match=r"A \.vd holds one scenario, and 2 are chosen") as caught:
        export(source, Results(), "vd", io.BytesIO())
    assert "export to a folder" in caught.value.remedy


def test_a_folder_of_veda_files_has_a_set_for_each_scenario(source: Source, tmp_path: Path) -> None:
    result = export(source, Results(), "vd", tmp_path / "veda")
    suffixes = ("vd", "vde", "vds", "vdt")
    expected = [f"{stem}.{suffix}" for stem in ("Base", "It_s high") for suffix in suffixes]
    assert list(result.files) == expected
    assert {path.name for path in (tmp_path / "veda").iterdir()} == set(expected)
    assert result.rows == 9
    again = publish(tmp_path / "veda", tmp_path / "data", model="Nordic")
    asked = "SELECT * EXCLUDE (row, unit) FROM result ORDER BY ALL"
    assert again.rows(asked) == source.rows(asked)
    for table in ("process_set", "commodity_set", "topology"):
        assert again.rows(f"FROM {table} ORDER BY ALL") == source.rows(f"FROM {table} ORDER BY ALL")


_CODE = st.sampled_from(["COA", "ELC", "P", "é 'x'", 'a "b"', "-"])
_ROW = st.builds(
    row,
    st.sampled_from(["VAR_FIn", "VAR_FOut", "VAR_Act", "User_con", "Any_Other"]),
    st.floats(allow_nan=False, allow_infinity=False),
    commodity=_CODE,
    process=_CODE,
    year=st.sampled_from([2020, 2030, "-", "LATER"]),
    region=st.sampled_from(["R1", "R2", "-"]),
    vintage=st.sampled_from(["-", "0", "2010"]),
    timeslice=st.sampled_from(["ANNUAL", "W", "-"]),
    user_constraint=_CODE,
)


# Few examples of many rows: an import takes as long for one row as for forty.
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(_ROW, min_size=1, max_size=40))
def test_any_scenario_exported_as_veda_is_imported_the_same(
    rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "files").mkdir()
    quoted = [[str(cell).replace('"', '""') for cell in r[:-1]] + [r[-1]] for r in rows]
    write_vd(folder / "files" / "S.vd", quoted, "S")
    source = publish(folder / "files", folder / "data")
    export(source, Results(), "vd", folder / "veda")
    again = publish(folder / "veda", folder / "data", "again")
    for table in ("result", "result_extra"):
        # Rows that repeat another were merged, so that those after them have other numbers.
        asked = f"SELECT * EXCLUDE row FROM {table} ORDER BY ALL"
        assert again.rows(asked) == source.rows(asked)


def test_what_a_vd_has_no_place_for_is_counted(tmp_path: Path) -> None:
    dimensions = (*DIMENSIONS[:-1], "Colour", "PV")
    *names, value = row("VAR_Act", 1, process="P")
    (tmp_path / "files").mkdir()
    text = header("S", dimensions=dimensions) + cells([(*names, "blue", value)])
    (tmp_path / "files" / "S.vd").write_text(text)
    source = publish(tmp_path / "files", tmp_path / "data")
    written = export(source, Results(), "vd", tmp_path / "S.vd")
    assert written.left_out == ("Colour of rows of S (1)",)


# ---------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Results(scenarios=("Bse",)), "no scenario 'Bse'"),
        (Results(regions=("R9",)), "no region 'R9'"),
        (Results(years=(1999,)), "no year 1999"),
        (Results(attributes=("VAR_ACT",)), "no attribute 'VAR_ACT'"),
        (Query("electricity_generation", scenarios=("'; --",)), "no scenario"),
    ],
)
@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_names_that_the_dataset_does_not_have(
    source: Source, selection: Results | Query, message: str, name: str, tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        export(source, selection, name, tmp_path / "export.zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["csv", "xlsx", "iamc", "iamc-long", "parquet", "vd"])
def test_an_empty_selection_says_what_is_empty(source: Source, name: str, tmp_path: Path) -> None:
    with pytest.raises(NotAvailableError, match="regions R2; years 2020"):
        export(source, Results(regions=("R2",), years=(2020,)), name, tmp_path / "e")
    assert list(tmp_path.iterdir()) == []


def test_a_question_that_makes_no_sense_is_refused_as_everywhere(source: Source) -> None:
    query = Query("attribute:ObjZ", group_by=("region",), unit="GW")
    with pytest.raises(TimesError) as asked:
        source.ask(query)
    with pytest.raises(type(asked.value), match=re.escape(str(asked.value))):
        export(source, query, "csv", io.BytesIO())


def test_unknown_formats_and_those_that_do_not_fit(source: Source) -> None:
    with pytest.raises(TimesError, match="no format 'pdf'") as caught:
        export(source, Results(), "pdf", io.BytesIO())
    assert "parquet, csv, xlsx, iamc, iamc-long, vd" in caught.value.remedy
    with pytest.raises(TimesError, match="holds result rows as they are") as caught:
        export(source, GENERATION, "vd", io.BytesIO())
    assert "vd" not in caught.value.remedy


# ---------------------------------------------------------------------------- whole or not at all


def no_space(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_an_error_leaves_the_old_file_and_no_rest(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: object, __: object, stream: BinaryIO) -> None:
        stream.write(b"half")
        no_space()

    monkeypatch.setattr("catalogs.writers.delimited.write_batches", half)
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="No space left"):
        export(source, Results(), "csv", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_no_folder(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalogs.writers.veda.write_vdt", no_space)
    with pytest.raises(OSError, match="No space left"):
        export(source, Results(), "vd", tmp_path / "sets")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_in_it_is_left_alone(source: Source, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for name in ("parquet", "vd"):
        with pytest.raises(TimesError, match="is there already"):
            export(source, Results(), name, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_is_no_place_for_one_file(source: Source, tmp_path: Path) -> None:
    with pytest.raises(TimesError, match="is a folder, and CSV is one file"):
        export(source, Results(), "csv", tmp_path)


def test_a_spreadsheet_leaves_nothing_in_the_temporary_folder(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    written(source, Results(), "xlsx")
    monkeypatch.setattr(workbook, "SHEET_ROWS", 3)
    with pytest.raises(TimesError):
        written(source, Results(), "xlsx")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------- for pages


@pytest.mark.parametrize("kind", [Results, Query])
def test_every_format_offered_can_be_downloaded(source: Source, kind: type) -> None:
    selection = Results(scenarios=("Base",)) if kind is Results else GENERATION
    offered = formats(kind)
    assert len(offered) == (6 if kind is Results else 5)
    for writer in offered:
        got = download(source, selection, writer.name)
        assert got.name.startswith("North-Sea_")
        assert got.name.endswith(writer.ending)
        assert got.media_type == writer.media_type
        assert got.written.rows > 0
        assert len(got.file.read()) > 100
        got.file.close()


def test_names_and_labels_of_formats_are_told_apart() -> None:
    for kind in (Results, Query):
        offered = formats(kind)
        assert len({writer.name for writer in offered}) == len(offered)
        assert len({writer.label for writer in offered}) == len(offered)
    assert all(writer.ending.startswith(".") for writer in WRITERS)


def test_a_download_is_what_pandas_reads(source: Source) -> None:
    frame = pd.read_csv(download(source, GENERATION, "csv").file)
    assert frame.value.sum() == 120.25
