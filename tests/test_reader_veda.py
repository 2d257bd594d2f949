"""Reading VEDA files: what is kept, what is noticed, and what is refused with which words."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest

from catalogs.errors import UnreadableFileError
from catalogs.importing import complete, load_attributes
from catalogs.readers import side_tables
from catalogs.readers.veda import VedaReader, read_header
from catalogs.tables import create_tables
from tests.times_files import DIMENSIONS, cells, flows, header, row, write_set, write_vd

ROWS = flows("MINCOA: -> COA 100\nPLANT: COA 100 -> ELC 40")


def read(path: Path, *, derive: bool = False) -> duckdb.DuckDBPyConnection:
    """Read the scenario of a ``.vd`` into a database; with ``derive``, do all that imports do."""
    connection = duckdb.connect()
    create_tables(connection)
    load_attributes(connection)
    [files], _ = VedaReader().gather([path])
    VedaReader().read(files, connection)
    if derive:
        complete(connection)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, columns: str = "*") -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {columns} FROM raw_result").fetchall()


def notes(connection: duckdb.DuckDBPyConnection, topic: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT severity, message, file, line, count FROM import_report WHERE topic = ?", [topic]
    ).fetchall()


def refused(path: Path) -> UnreadableFileError:
    with pytest.raises(UnreadableFileError) as caught:
        read(path)
    return caught.value


def vd(folder: Path, text: str | bytes, name: str = "case.vd") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# ---------------------------------------------------------------------------- the header


def test_the_header_says_how_rows_are_cut(tmp_path: Path) -> None:
    found = read_header(vd(tmp_path, header("My scenario, 2") + cells(ROWS)))
    assert found.scenario == "My scenario, 2"
    assert found.dimensions == DIMENSIONS
    assert (found.separator, found.quote, found.value_dimension) == (",", '"', "PV")
    assert found.lines == 7


def test_without_a_name_the_file_names_the_scenario(tmp_path: Path) -> None:
    text = header().replace("*         ImportID- Scenario:Case\n", "")
    assert read_header(vd(tmp_path, text + cells(ROWS), "Base run.vd")).scenario == "Base run"


@pytest.mark.parametrize(
    ("named", "separator"), [(";", ";"), ("\t", "\t"), ("TAB", "\t"), ("|", "|"), ("comma", ",")]
)
@pytest.mark.parametrize("quote", ['"', "'"])
def test_rows_are_cut_as_the_header_says(
    tmp_path: Path, named: str, separator: str, quote: str
) -> None:
    text = header(separator=named, quote=quote)
    text += cells(
        [row("VAR_FOut", 1.5, commodity="A,B;C", process="say x")],
        separator=separator,
        quote=quote,
    )
    found = rows(read(vd(tmp_path, text)), "attribute, commodity, process, value")
    assert found == [("VAR_FOut", "A,B;C", "say x", 1.5)]


def test_the_files_beside_are_cut_as_the_results_are(tmp_path: Path) -> None:
    path = vd(tmp_path, header(separator=";") + cells(ROWS, separator=";"))
    vd(tmp_path, '"Process";"R1";"ELE";"PLANT"\n', "case.vds")
    connection = read(path)
    assert connection.execute("FROM process_set").fetchall() == [("R1", "PLANT", "ELE")]


def test_dimensions_may_stand_in_any_order_and_in_other_case(tmp_path: Path) -> None:
    names = ("PV", "period", "ATTRIBUTE", "Process", "Region")
    text = header(dimensions=names)
    text += '7.5,"2030","VAR_Act","PLANT","R1"\n'
    assert rows(read(vd(tmp_path, text))) == [
        ("-", "VAR_Act", "-", "PLANT", "2030", "R1", "-", "-", "-", 7.5)
    ]


def test_the_value_may_have_another_name(tmp_path: Path) -> None:
    names = (*DIMENSIONS[:-1], "Amount")
    text = header(dimensions=names, value="Amount") + cells(ROWS)
    assert rows(read(vd(tmp_path, text)), "value") == [(100,), (100,), (40,)]


def test_a_dimension_that_is_not_known_is_kept_and_not_dropped(tmp_path: Path) -> None:
    names = (*DIMENSIONS[:-1], "Studyname", "PV")
    same = ("VAR_Act", "-", "PLANT", "2020", "R1", "-", "ANNUAL", "-")
    text = header(dimensions=names) + cells([(*same, "one", 1), (*same, "two", 1)])
    connection = read(vd(tmp_path, text), derive=True)
    # Rows that differ only in it are two rows, not a duplicate.
    assert connection.execute(
        "SELECT r.value, e.name, e.value FROM result AS r JOIN result_extra AS e USING (row)"
        " ORDER BY 3"
    ).fetchall() == [(1, "Studyname", "one"), (1, "Studyname", "two")]


def test_the_state_of_the_world_is_a_column_of_its_own(tmp_path: Path) -> None:
    names = ("Attribute", "Sow", *DIMENSIONS[1:])
    text = header(dimensions=names) + cells([("VAR_Act", "3", *ROWS[0][1:])])
    assert rows(read(vd(tmp_path, text)), "sow, commodity, value") == [("3", "COA", 100)]


@pytest.mark.parametrize(
    "names",
    [
        ("Commodity", "Process", "PV"),
        ("Attribute", "Process", "Process", "PV"),
        ("Attribute", "Process"),
    ],
    ids=["no attribute", "one twice", "no value"],
)
def test_dimensions_that_cannot_be_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    error = refused(vd(tmp_path, header(dimensions=names) + cells([names])))
    assert error.what == f"case.vd: the Dimensions- line reads {';'.join(names)}"
    assert "each dimension once, with Attribute and PV" in error.remedy


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    error = refused(vd(tmp_path, cells(ROWS)))
    assert "case.vd, line 1: there is no '* Dimensions-' line" in error.what
    assert "the header that GDX2VEDA writes" in error.remedy


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b"], ids=["empty", "a gzip of two bytes"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    error = refused(vd(tmp_path, content))
    assert error.file == "case.vd"
    assert "empty" in error.what or "cut off" in error.what


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    assert refused(vd(tmp_path, header())).what == "case.vd: there are no rows after the header"


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)) * 9000, ("x" * (2 << 20)).encode(), header().encode("utf-16")],
    ids=["binary", "one endless line", "UTF-16"],
)
def test_what_is_no_text_of_veda_is_refused(tmp_path: Path, content: bytes) -> None:
    error = refused(vd(tmp_path, content))
    assert error.what.startswith("case.vd")
    assert "VEDA" in error.remedy


def test_an_endless_row_is_refused_with_its_line(tmp_path: Path) -> None:
    text = header() + cells(ROWS[:1]) + '"VAR_Act","' + "x" * (2 << 20) + '"\n'
    error = refused(vd(tmp_path, text))
    assert error.line == 9
    assert "case.vd, line 9" in error.what


# ---------------------------------------------------------------------------- rows


@pytest.mark.parametrize(
    "bad",
    [
        '"VAR_Act","-","PLANT","2020"\n',
        '"VAR_Act";"-";"PLANT";"2020";"R1";"-";"ANNUAL";"-";1\n',
        '"VAR_Act","-","PLANT","2020","R1","-","ANNUAL","-",1,2\n',
        '"VAR_Act","-","PLANT","2020","R1","-","ANNUAL","-",many\n',
        '"VAR_Act","-","PLANT","2020","R1","-","ANNUAL","-","1,5"\n',
        '"VAR_Act","-","PLANT","20',
        '"VAR_Act","-","PLANT","2020","R1","-","ANNUAL"',
    ],
    ids=[
        "too few cells",
        "another separator",
        "too many cells",
        "no number",
        "a decimal comma",
        "cut within quotes",
        "cut between cells",
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line(tmp_path: Path, bad: str) -> None:
    error = refused(vd(tmp_path, header() + cells(ROWS) + bad))
    assert error.file == "case.vd"
    assert error.line == 7 + len(ROWS) + 1
    assert error.what == f"case.vd, line {error.line}: the row cannot be read"
    assert "9 cells (Attribute;Commodity;Process" in error.remedy
    assert "PV a number" in error.remedy
    assert error.details


def test_a_last_line_without_an_end_is_read_and_warned_of(tmp_path: Path) -> None:
    text = header() + cells(ROWS)
    connection = read(vd(tmp_path, text.removesuffix("\n")))
    assert len(rows(connection)) == len(ROWS)
    [(severity, message, file, line, _)] = notes(connection, "truncated")
    assert (severity, file, line) == ("warning", "case.vd", 7 + len(ROWS))
    assert "may have been cut off" in message


def test_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    text = (header() + cells(ROWS)).replace("\n", "\r\n")
    connection = read(vd(tmp_path, text))
    assert rows(connection, "attribute, value") == [(r[0], float(r[8])) for r in ROWS]
    assert notes(connection, "truncated") == []


def test_a_byte_order_mark_changes_nothing(tmp_path: Path) -> None:
    connection = read(vd(tmp_path, b"\xef\xbb\xbf" + (header() + cells(ROWS)).encode()))
    assert len(rows(connection)) == len(ROWS)


@pytest.mark.parametrize("nothing", ["-", "NONE", ""])
def test_no_value_has_one_spelling(tmp_path: Path, nothing: str) -> None:
    text = header() + cells([("ObjZ", *[nothing] * 7, 5)])
    assert rows(read(vd(tmp_path, text))) == [("-", "ObjZ", *["-"] * 7, 5)]


def test_letters_of_an_old_encoding_are_read_and_counted(tmp_path: Path) -> None:
    text = header() + cells([row("VAR_Cap", -3, process="Kraftwärme", vintage="¤")])
    connection = read(vd(tmp_path, text.encode("cp1252")))
    assert rows(connection, "process, vintage, value") == [("Kraftwärme", "¤", -3)]
    [(severity, _, file, _, count)] = notes(connection, "encoding")
    assert (severity, file, count) == ("info", "case.vd", 2)


def test_values_that_are_no_finite_numbers_are_kept_and_warned_of(tmp_path: Path) -> None:
    names = ("A", "B", "C", "D", "E")
    given = dict(zip(names, ("inf", "-inf", "nan", "", "-9e-7"), strict=True))
    text = header() + cells([row("VAR_Act", v, process=p) for p, v in given.items()])
    connection = read(vd(tmp_path, text))
    found = {p: str(v) for p, v in rows(connection, "process, value")}
    assert found == {"A": "inf", "B": "-inf", "C": "nan", "D": "None", "E": "-9e-07"}
    warned = {message: count for _, message, _, _, count in notes(connection, "values")}
    assert warned == {
        "rows without a value are kept as missing": 1,
        "values that are infinite or not a number; they are left out of flows and prices": 3,
    }


def test_a_flow_without_a_finite_value_does_not_swallow_the_others(tmp_path: Path) -> None:
    text = header() + cells(flows("A: -> ELC 40\nB: -> ELC nan\nC: -> ELC inf"))
    connection = read(vd(tmp_path, text), derive=True)
    assert connection.execute("SELECT process, value FROM flow_annual").fetchall() == [("A", 40)]


def test_a_year_that_is_none_is_kept_beside_the_row(tmp_path: Path) -> None:
    given = [row("VAR_Act", 1, process="P", year="2020"), row("VAR_Act", 2, process="P", year="BY")]
    connection = read(vd(tmp_path, header() + cells(given)), derive=True)
    assert connection.execute("SELECT year, value FROM result ORDER BY value").fetchall() == [
        (2020, 1),
        (None, 2),
    ]
    assert connection.execute("SELECT name, value FROM result_extra").fetchall() == [
        ("Period", "BY")
    ]
    [(severity, _, _, _, count)] = notes(connection, "years")
    assert (severity, count) == ("warning", 1)


def test_duplicate_rows_are_stored_once_and_counted(tmp_path: Path) -> None:
    text = header() + cells([ROWS[0], ROWS[0], ROWS[1], ROWS[0]])
    connection = read(vd(tmp_path, text), derive=True)
    assert connection.execute("SELECT process, value, row FROM result").fetchall() == [
        ("PLANT", 100, 2),
        ("MINCOA", 100, 0),
    ]
    [(severity, _, _, _, count)] = notes(connection, "duplicates")
    assert (severity, count) == ("info", 2)
    assert notes(connection, "conflicts") == []


def test_rows_that_contradict_each_other_are_kept_and_reported(tmp_path: Path) -> None:
    text = header() + cells([row("VAR_Act", 1, process="P"), row("VAR_Act", 2, process="P")])
    connection = read(vd(tmp_path, text), derive=True)
    assert connection.execute("SELECT value FROM result ORDER BY 1").fetchall() == [(1,), (2,)]
    [(severity, message, _, _, count)] = notes(connection, "conflicts")
    assert (severity, count) == ("warning", 1)
    assert "VAR_Act, P, 2020, R1, ANNUAL" in message


def test_all_contradictions_are_counted_however_many(tmp_path: Path) -> None:
    given = [row("VAR_Act", v, process=f"P{n}") for n in range(1500) for v in (1, 2)]
    connection = read(vd(tmp_path, header() + cells(given)), derive=True)
    [(*_, count)] = notes(connection, "conflicts")
    assert count == 1500


def test_attributes_take_the_spelling_of_the_field(tmp_path: Path) -> None:
    text = header() + cells([row("VAR_act", 1, process="P"), row("var_FIN", 2, process="P")])
    connection = read(vd(tmp_path, text), derive=True)
    found = connection.execute("SELECT attribute FROM result ORDER BY value").fetchall()
    assert found == [("VAR_Act",), ("VAR_FIn",)]


# ---------------------------------------------------------------------------- files beside it


def test_descriptions_sets_and_topology_are_read(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path,
        ROWS,
        process_sets={"ELE": "PLANT"},
        commodity_sets={"ELC": "ELC"},
        descriptions={"PLANT": "Kraftværk, stort"},
    )
    connection = read(folder / "Case.vd")
    assert connection.execute(
        "SELECT description FROM process WHERE process = 'PLANT'"
    ).fetchall() == [("Kraftværk, stort",)]
    assert connection.execute("FROM commodity_set").fetchall() == [("R1", "ELC", "ELC")]
    assert connection.execute("FROM topology ORDER BY ALL").fetchall() == [
        ("R1", "MINCOA", "COA", "OUT"),
        ("R1", "PLANT", "COA", "IN"),
        ("R1", "PLANT", "ELC", "OUT"),
    ]


def test_group_commodities_and_constraints_are_no_topology_and_are_counted(tmp_path: Path) -> None:
    path = vd(tmp_path, header() + cells(ROWS))
    vd(
        tmp_path,
        "*VFEPATH=\nScenDesc=A text, with a comma\nScenEDesc=x\n\n"
        '"R1","PLANT","COA","in"\n"R1","PLANT","NRGO","OUT"\n"R1","UC_x","-","UC"\n',
        "case.vdt",
    )
    connection = read(path)
    assert connection.execute("FROM topology").fetchall() == [("R1", "PLANT", "COA", "IN")]
    counts = {message: count for _, message, _, _, count in notes(connection, "left_out")}
    assert counts == {
        "topology rows of commodity groups (NRGI, NRGO ...) left out": 1,
        "topology rows that are no IN or OUT left out": 1,
    }


@pytest.mark.parametrize("star", ["", "*"])
def test_the_topology_file_describes_the_scenario(tmp_path: Path, star: str) -> None:
    path = vd(tmp_path, header() + cells(ROWS))
    vd(tmp_path, f'*VFEPATH=\n{star}ScenDesc=Low, then high\n"R1","P","COA","IN"\n', "case.vdt")
    connection = duckdb.connect()
    create_tables(connection)
    [files], _ = VedaReader().gather([path])
    assert VedaReader().read(files, connection).description == "Low, then high"


@pytest.mark.parametrize("suffix", ["vde", "vds", "vdt"])
def test_a_broken_line_beside_the_results_is_named(tmp_path: Path, suffix: str) -> None:
    path = vd(tmp_path, header() + cells(ROWS))
    vd(tmp_path, '"Process","R1","A","B"\n"Process","R1"\n', f"case.{suffix}")
    error = refused(path)
    assert error.what == f"case.{suffix}, line 2: the line has 2 cells"
    assert error.remedy.startswith("Expected 4 cells (")


@pytest.mark.parametrize("length", [200_000, 2 << 20], ids=["a long cell", "an endless line"])
@pytest.mark.parametrize("suffix", ["vde", "vds", "vdt"])
def test_a_huge_line_beside_the_results_is_refused(
    tmp_path: Path, suffix: str, length: int
) -> None:
    path = vd(tmp_path, header() + cells(ROWS))
    vd(tmp_path, f'"Process","R1","A","{"x" * length}', f"case.{suffix}")
    error = refused(path)
    assert (error.file, error.line) == (f"case.{suffix}", 1)


@pytest.mark.parametrize("suffix", ["vde", "vds", "vdt"])
def test_a_file_beside_no_results_is_refused(tmp_path: Path, suffix: str) -> None:
    path = vd(tmp_path, '"Process","R1","A","B"\n', f"case.{suffix}")
    error = refused(path)
    assert error.what.startswith(f"case.{suffix}: it describes results, but there is no .vd file")
    assert "case.vd in the same folder" in error.remedy


def test_naming_any_file_of_a_set_takes_the_whole_set(tmp_path: Path) -> None:
    folder = write_set(tmp_path, ROWS, process_sets={"ELE": "PLANT"})
    [by_results], _ = VedaReader().gather([folder / "Case.vd"])
    [by_sets], _ = VedaReader().gather([folder / "Case.vds"])
    assert by_results == by_sets
    assert {p.suffix for p in by_results.files} == {".vd", ".vde", ".vds", ".vdt"}


@pytest.mark.parametrize("suffix", ["vd", "vde", "vds", "vdt"])
def test_each_file_may_be_compressed(tmp_path: Path, suffix: str) -> None:
    folder = write_set(
        tmp_path,
        ROWS,
        process_sets={"ELE": "PLANT"},
        descriptions={"PLANT": "Kraftværk"},
    )
    asked = "SELECT region, process, description FROM process ORDER BY ALL"
    plain = read(folder / "Case.vd").execute(asked).fetchall()
    path = folder / f"Case.{suffix}"
    packed = folder / f"Case.{suffix}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    connection = read(packed)
    assert connection.execute(asked).fetchall() == plain
    assert len(rows(connection)) == len(ROWS)
    assert connection.execute("SELECT count(*) FROM topology").fetchall() == [(3,)]


@pytest.mark.parametrize("suffix", ["vd", "vde", "vds", "vdt"])
@pytest.mark.parametrize("left", [0.2, 0.95])
def test_a_compressed_file_cut_off_is_refused(tmp_path: Path, suffix: str, left: float) -> None:
    many = [row("VAR_Act", n / 7, process=f"P{n}") for n in range(300)]
    folder = write_set(
        tmp_path,
        [*ROWS, *many],
        process_sets={"ELE": " ".join(f"P{n}" for n in range(300))},
        descriptions={f"P{n}": f"Plant {n}" for n in range(300)},
        more_topology=[("R1", f"P{n}", f"C{n}", "IN") for n in range(300)],
    )
    path = folder / f"Case.{suffix}"
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    path = vd(folder, packed[: int(len(packed) * left)], f"Case.{suffix}.gz")
    error = refused(path)
    assert error.what == f"Case.{suffix}.gz: the compressed file is cut off or damaged"
    assert error.remedy == "Expected a whole gzip file."


# ---------------------------------------------------------------------------- tables beside it


def beside(tmp_path: Path, name: str, text: str) -> Path:
    path = write_vd(tmp_path / "Case.vd", [*ROWS, *flows("PLANT: -> ELC 7", region="R2")])
    vd(tmp_path, text, name)
    return path


def test_units_come_from_a_table_beside_the_files_per_region(tmp_path: Path) -> None:
    text = "Region,Commodity,Unit\n,COA,PJ\nR2,ELC,GWh\n,ELC,TWh\n"
    connection = read(beside(tmp_path, "commodity_units.csv", text))
    assert connection.execute(
        "SELECT region, commodity, unit FROM commodity ORDER BY ALL"
    ).fetchall() == [("R1", "COA", "PJ"), ("R1", "ELC", "TWh"), ("R2", "ELC", "GWh")]


def test_a_table_for_one_scenario_takes_the_place_of_the_folders(tmp_path: Path) -> None:
    path = beside(tmp_path, "commodity_units.csv", "commodity,unit\nCOA,PJ\n")
    vd(tmp_path, "commodity,unit\nCOA,ktoe\n", "case.commodity_units.csv")
    vd(tmp_path, "commodity,unit\nCOA,t\n", "Other.commodity_units.csv")
    [(unit,)] = read(path).execute("SELECT unit FROM commodity WHERE commodity = 'COA'").fetchall()
    assert unit == "ktoe"


def test_units_that_are_not_given_stay_unknown(tmp_path: Path) -> None:
    connection = read(beside(tmp_path, "commodity_units.csv", "commodity,unit\nCOA,PJ\n"))
    assert connection.execute(
        "SELECT DISTINCT unit FROM commodity WHERE commodity = 'ELC'"
    ).fetchall() == [(None,)]


def test_periods_regions_and_timeslices_come_from_tables(tmp_path: Path) -> None:
    path = beside(tmp_path, "periods.csv", "year,start,end\n2020,2018,2022\n")
    vd(tmp_path, "region,description,latitude,longitude\nR1,East,55.5,12\n", "regions.csv")
    vd(
        tmp_path,
        "timeslice,parent,level,year_fraction\nANNUAL,,ANNUAL,1\nD,ANNUAL,DAYNITE,0.4\n"
        "N,ANNUAL,DAYNITE,0.6\n",
        "timeslices.csv",
    )
    connection = read(path)
    assert connection.execute("FROM period").fetchall() == [(2020, 2018, 2022, 5.0)]
    assert connection.execute("FROM region ORDER BY region").fetchall() == [
        ("R1", "East", "internal", 55.5, 12.0),
        ("R2", None, "internal", None, None),
    ]
    assert connection.execute(
        "SELECT timeslice, parent, year_fraction FROM timeslice ORDER BY position"
    ).fetchall() == [("ANNUAL", None, 1.0), ("D", "ANNUAL", 0.4), ("N", "ANNUAL", 0.6)]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        (
            "commodity_units",
            "commodity;unit\nCOA;PJ\n",
            "line 1: the column 'commodity' is missing",
        ),
        ("commodity_units", "commodity\nCOA\n", "line 1: the column 'unit' is missing"),
        ("commodity_units", "", "line 1: the column 'commodity' is missing"),
        ("commodity_units", "commodity,unit\nCOA,PJ\nELC,\n", "line 3: unit is empty"),
        (
            "process_units",
            "process,capacity_to_activity\nPLANT,much\n",
            "line 2: capacity_to_activity is 'much'",
        ),
        ("timeslices", "timeslice,year_fraction\nD,half\n", "line 2: year_fraction is 'half'"),
        ("periods", "year,start,end\n2020,2018,\n", "line 2: end is empty"),
        ("periods", "year,start,end\n2020,2018,inf\n", "line 2: end is 'inf'"),
        ("periods", "year,start,end\n2020,2018,99999\n", " a number is too large"),
        ("regions", "region,description,latitude\nR1,East,nan\n", "line 2: latitude is 'nan'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, name: str, text: str, what: str
) -> None:
    path = beside(tmp_path, f"{name}.csv", text)
    error = refused(path)
    assert error.what in (f"{name}.csv, {what}", f"{name}.csv:{what}")
    assert error.remedy.startswith("Expected ")


def test_a_table_with_an_endless_cell_is_refused(tmp_path: Path) -> None:
    text = f"commodity,unit\nCOA,{'x' * 200_000}\n"
    error = refused(beside(tmp_path, "commodity_units.csv", text))
    assert (error.file, error.line) == ("commodity_units.csv", 2)


LONG = "x" * 10**7


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"commodity,unit\nCOA,PJ\nELC,{LONG}\n", 3),
        (f"commodity,unit,{LONG}\nCOA,PJ\n", 1),
        ("commodity,unit\nCOA," + "," * 10**7, 2),
        (f"commodity,unit,{'x' * 200_000}\nCOA,PJ\n", 1),
    ],
    ids=["cell", "head", "commas", "long name"],
)
def test_a_table_with_an_endless_line_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int
) -> None:
    error = refused(beside(tmp_path, "commodity_units.csv", text))
    assert (error.file, error.line) == ("commodity_units.csv", line)
    assert len(str(error)) + len(error.details) < 1000


@pytest.mark.parametrize(
    ("rows", "circle", "line"),
    [
        ("ANNUAL,1,,\nA,0.5,B,\nB,0.5,A,\n", "A in B in A", 3),
        ("A,1,A,\n", "A in A", 2),
        ("ANNUAL,1,A,\nA,1,ANNUAL,\n", "ANNUAL in A in ANNUAL", 2),
        ("A,1,B,\nB,1,ANNUAL,\nB,1,A,R1\n", "A in B in A", 2),
    ],
    ids=["two", "itself", "root", "in one region"],
)
def test_timeslices_in_a_circle_are_refused(
    tmp_path: Path, rows: str, circle: str, line: int
) -> None:
    text = "timeslice,year_fraction,parent,region\n" + rows
    error = refused(beside(tmp_path, "timeslices.csv", text))
    assert error.what == f"timeslices.csv, line {line}: timeslices are within each other: {circle}"


def test_timeslices_whose_parents_differ_by_region_are_no_circle(tmp_path: Path) -> None:
    text = "timeslice,year_fraction,parent,region\nA,1,B,R1\nB,1,A,R2\n"
    path = beside(tmp_path, "timeslices.csv", text)
    assert len(side_tables.read_rows(path.parent / "timeslices.csv")) == 2


def test_a_table_beside_no_results_is_refused(tmp_path: Path) -> None:
    error = refused(vd(tmp_path, "commodity,unit\nCOA,PJ\n", "commodity_units.csv"))
    assert "there is no .vd file or batch export beside it" in error.what


def test_results_are_known_by_their_beginning_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = write_vd(tmp_path / "results of may.txt", [row("Reg_obj", 5, region="R1")])
    scenarios, others = VedaReader().gather([path])
    assert [s.main for s in scenarios] == [path]
    assert others == []
