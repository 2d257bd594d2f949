"""Writing a scenario as VEDA files, and reading it back."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.readers.base import RAW_RESULT_COLUMNS, create_raw_result
from catalogs.readers.miro import MiroReader
from catalogs.readers.veda import VedaReader
from catalogs.tables import create_tables
from catalogs.writers import veda

PROJECT = Path(__file__).parents[1]
REAL = Path(os.environ.get("TIMES_TEST_DATA", PROJECT / "../shared/data"))

Row = tuple[str | float | None, ...]

ROWS: list[Row] = [
    ("-", "VAR_FOut", "ELC", "PLANT", "2020", "R1", "2010", "WD", "-", 0.1),
    ("-", "User_con", "-", "-", "-", "-", "-", "-", 'A "limit", at most', -1e-300),
]


def with_rows(rows: list[Row]) -> duckdb.DuckDBPyConnection:
    """Return a database whose ``raw_result`` holds the rows, and empty canonical tables."""
    connection = duckdb.connect()
    create_tables(connection)
    create_raw_result(connection)
    places = ", ".join("?" * (len(RAW_RESULT_COLUMNS) + 1))
    if rows:
        connection.executemany(f"INSERT INTO raw_result VALUES ({places})", rows)
    return connection


def read_back(path: Path) -> tuple[str, list[Row], duckdb.DuckDBPyConnection]:
    """Read with the project's own VEDA reader; return the scenario's name and its rows."""
    connection = duckdb.connect()
    create_tables(connection)
    [files], _ = VedaReader().gather([path])
    header = VedaReader().read(files, connection)
    return header.scenario, connection.execute("FROM raw_result").fetchall(), connection


def parse(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the dimensions and the cells of a ``.vd``, by Python's csv module alone."""
    with path.open(encoding="utf-8", newline="") as file:
        dimensions: list[str] = []
        for line in file:
            if line == "\n":
                break
            if "Dimensions-" in line and "Parent" not in line:
                dimensions = line.partition("- ")[2].strip().split(";")
        return dimensions, list(csv.reader(file, strict=True))


def test_a_vd_looks_as_veda_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "small.vd"
    assert veda.write_vd(with_rows(ROWS).table("raw_result"), path, scenario="Small") == 2
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*         ImportID- Scenario:Small"
    assert lines[3] == (
        "*       Dimensions- Attribute;Commodity;Process;Period;Region;Vintage;TimeSlice;"
        "UserConstraint;PV"
    )
    assert lines[10:13] == ["*   FieldSeparator- ,", '*        TextDelim- "', ""]
    assert lines[13:] == [
        '"VAR_FOut","ELC","PLANT","2020","R1","2010","WD","-",0.1',
        '"User_con","-","-","-","-","-","-","A ""limit"", at most",-1e-300',
    ]


@pytest.mark.real_data
def test_the_header_is_that_of_a_real_file(tmp_path: Path) -> None:
    real = REAL / "veda" / "DemoS_007.vd"
    if not real.exists():
        pytest.skip("DemoS_007.vd is not there; set TIMES_TEST_DATA to the folder of real files")
    path = tmp_path / "small.vd"
    veda.write_vd(with_rows(ROWS).table("raw_result"), path, scenario="DemoS_007_3108")
    header = [line.rstrip() for line in real.read_text(encoding="utf-8").splitlines()[:13]]
    assert path.read_text(encoding="utf-8").splitlines()[:13] == header


def test_states_of_the_world_are_written_only_for_a_stochastic_run(tmp_path: Path) -> None:
    path = tmp_path / "stochastic.vd"
    rows = [*ROWS, ("2", *ROWS[0][1:])]
    veda.write_vd(with_rows(rows).table("raw_result"), path, scenario="S")
    dimensions, cells = parse(path)
    assert dimensions[:3] == ["Attribute", "Sow", "Commodity"]
    assert [row[1] for row in cells] == ["-", "-", "2"]
    assert read_back(path)[1] == rows


def test_the_published_table_is_written_in_the_order_of_its_rows(tmp_path: Path) -> None:
    connection = with_rows([])
    connection.execute(
        "INSERT INTO result (row, sow, attribute, commodity, process, year, region, vintage,"
        " timeslice, user_constraint, value) VALUES"
        " (2, '-', 'ObjZ', '-', '-', NULL, '-', '-', '-', '-', 5),"
        " (1, '-', 'VAR_Act', '-', 'P', 2020, 'R1', NULL, 'ANNUAL', '-', NULL)"
    )
    veda.write_vd(connection, tmp_path / "s.vd", scenario="S")
    assert parse(tmp_path / "s.vd")[1] == [
        ["VAR_Act", "-", "P", "2020", "R1", "-", "ANNUAL", "-", ""],
        ["ObjZ", "-", "-", "-", "-", "-", "-", "-", "5"],
    ]


def test_a_scenario_name_cannot_break_the_header(tmp_path: Path) -> None:
    path = tmp_path / "s.vd"
    veda.write_vd(with_rows(ROWS).table("raw_result"), path, scenario="Two\nlines, é\r\n*x")
    name, rows, _ = read_back(path)
    assert (name, len(rows)) == ("Two lines, é *x", 2)


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "s.vd"
    path.write_text("old")
    connection = with_rows(ROWS)
    broken = connection.sql("SELECT * REPLACE (error('no') AS value) FROM raw_result")
    with pytest.raises(duckdb.Error, match="no"):
        veda.write_vd(broken, path, scenario="S")
    assert [file.name for file in tmp_path.iterdir()] == ["s.vd"]
    assert path.read_text() == "old"


# A code that means "no value" is written as it is but read as '-'.
code = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda t: t not in {"", "NONE"})
line = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(
    lambda t: t != "NONE"
)
value = st.floats(allow_nan=False, allow_infinity=False)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(rows=st.lists(st.tuples(*[code] * len(RAW_RESULT_COLUMNS), value), min_size=1, max_size=5))
def test_any_text_and_number_is_written_so_that_csv_reads_it(
    tmp_path: Path, rows: list[Row]
) -> None:
    path = tmp_path / "any.vd"
    veda.write_vd(with_rows(rows).table("raw_result"), path, scenario="any")
    dimensions, cells = parse(path)
    stochastic = any(row[0] != "-" for row in rows)
    assert ("Sow" in dimensions) == stochastic
    expected = [[row[1], *row[:1], *row[2:9]] if stochastic else list(row[1:9]) for row in rows]
    assert [row[:-1] for row in cells] == expected
    assert [float(row[-1]) for row in cells] == [row[-1] for row in rows]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(rows=st.lists(st.tuples(*[line] * len(RAW_RESULT_COLUMNS), value), min_size=1, max_size=5))
def test_what_is_written_is_what_our_reader_reads(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "round.vd"
    veda.write_vd(with_rows(rows).table("raw_result"), path, scenario="round")
    name, found, _ = read_back(path)
    assert name == "round"
    assert found == rows


def test_descriptions_sets_and_topology_come_back(tmp_path: Path) -> None:
    connection = with_rows(ROWS)
    tables: dict[str, list[Row]] = {
        "element": [("Attribute", "-", "VAR_Act", 'The "activity"'), ("Process", "R1", "P", "Old")],
        "process": [("R1", "P", "Old", "PJ", None, None, 1.0), ("R1", "Q", None, *[None] * 4)],
        "commodity": [("R1", "ELC", "Two\nlines", "PJ")],
        "process_set": [("R1", "P", "ELE")],
        "commodity_set": [("R1", "ELC", "NRG"), ("R1", "ELC", "ELC+")],
        "topology": [("R1", "P", "ELC", "OUT")],
        "trade_link": [("LINE", "R1", "ELC", "R2", "ELC2", "TOP_IRE")],
    }
    for table, rows in tables.items():
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
    connection.execute("INSERT INTO result BY NAME SELECT * REPLACE (2020 AS year) FROM raw_result")
    paths = veda.write_veda(connection, tmp_path, stem="set", scenario="The scenario")
    assert [path.name for path in paths] == ["set.vd", "set.vde", "set.vds", "set.vdt"]
    name, _, found = read_back(paths[0])
    assert name == "The scenario"

    def rows_of(table: str) -> list[tuple[object, ...]]:
        return found.execute(f"FROM {table} ORDER BY ALL").fetchall()

    assert rows_of("element") == [
        ("Attribute", "-", "VAR_Act", 'The "activity"'),
        ("Commodity", "R1", "ELC", "Two lines"),
        ("Process", "R1", "P", "Old"),
        ("Process", "R1", "Q", "Q"),
    ]
    assert rows_of("process_set") == [("R1", "P", "ELE")]
    assert rows_of("commodity_set") == [("R1", "ELC", "ELC+"), ("R1", "ELC", "NRG")]
    assert rows_of("topology") == [
        ("R1", "LINE", "ELC", "IN"),
        ("R1", "P", "ELC", "OUT"),
        ("R2", "LINE", "ELC2", "OUT"),
    ]


@pytest.mark.real_data
def test_a_real_scenario_written_as_veda_has_the_same_results(tmp_path: Path) -> None:
    pytest.importorskip("gamspy_base", reason="the gdx extra is not installed")
    path = REAL / "miro" / "times_miro_DK_Regeringen.miroscen"
    if not path.exists():
        pytest.skip(f"{path.name} is not there; set TIMES_TEST_DATA to the folder of real files")
    connection = duckdb.connect()
    create_tables(connection)
    [files], _ = MiroReader().gather([path])
    MiroReader().read(files, connection)
    written = tmp_path / "DK.vd"
    count = veda.write_vd(connection.table("raw_result"), written, scenario="DK_Regeringen")
    assert count == 589_455
    again = read_back(written)[2]
    # A reader may keep its rows as codes; written out they are text.
    texts = "SELECT COLUMNS(* EXCLUDE value)::VARCHAR, value FROM raw_result"
    before, after = (c.sql(texts).to_arrow_table() for c in (connection, again))
    assert after.equals(before)
