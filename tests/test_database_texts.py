"""SQL as text: the dictionary, the statements in a text, and the queries that come along."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import catalogs
from catalogs.errors import TimesError, UnknownNameError
from catalogs.source import Source
from catalogs.sql.dictionary import Dictionary, dictionary_of, literal
from catalogs.sql.examples import examples, starting_values
from catalogs.sql.statements import (
    LONGEST_PARSED,
    dialect_of,
    format_sql,
    parameters,
    split,
    statement_at,
    tokens,
)
from tests.example_queries import check_figures, check_rows_and_chart
from tests.times_files import flows, publish, write_set


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    directory = tmp_path_factory.mktemp("database")
    catalogs.ensure_demo(directory)
    return catalogs.open_source(directory, "demo")


@pytest.fixture(scope="module")
def dictionary(demo: Source) -> Dictionary:
    return dictionary_of(demo)


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A mine, a plant and a heater, so that everything can be counted by hand."""
    files = write_set(
        tmp_path_factory.mktemp("files"),
        flows("MINE: -> COA 100\nPLANT: COA 100 -> ELC 40\nHEATER: ELC 40 -> HEAT 38"),
        units={"PJ": "COA ELC HEAT"},
        descriptions={"PLANT": "Coal-fired power plant", "COA": "<b>Coal</b>"},
    )
    return publish(files, tmp_path_factory.mktemp("data"), "village")


# ---------------------------------------------------------------------- dictionary


def test_every_table_and_column_is_described(dictionary: Dictionary):
    assert {"result", "flow", "trade", "process", "timesreport"} < set(dictionary.tables)
    for table in dictionary.tables.values():
        assert table.one_row
        assert [c.name for c in table.columns.values() if not c.description] == []


def test_every_view_for_readers_is_in_the_dictionary(demo: Source, dictionary: Dictionary):
    views = {
        name for (name,) in demo.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal")
    }
    assert views - set(dictionary.tables) <= {"report_commodity", "report_row"}


def test_statistics_of_a_table_are_right(village: Source):
    found = dictionary_of(village).statistics("flow_annual")
    assert found.rows == 5
    assert found.columns["process"].distinct == 3
    assert set(found.columns["process"].samples) == {"MINE", "PLANT", "HEATER"}
    assert found.columns["process"].filled == 1
    assert found.columns["sow"].filled == 0  # '-' is no value
    assert (found.columns["value"].lowest, found.columns["value"].highest) == ("38.0", "100.0")
    assert len(found.first_rows) == 5


def test_statistics_are_worked_out_once(village: Source):
    dictionary = dictionary_of(village)
    assert dictionary.statistics("topology") is dictionary.statistics("topology")
    assert dictionary_of(village) is dictionary


def test_no_table_of_that_name_is_said(dictionary: Dictionary):
    with pytest.raises(UnknownNameError, match="no table 'resullt'"):
        dictionary.statistics("resullt")


def test_search_finds_tables_columns_codes_and_descriptions(village: Source):
    dictionary = dictionary_of(village)
    assert {(f.kind, f.name) for f in dictionary.search("coal power")} == {("code", "PLANT")}
    assert dictionary.search("PLANT")[0].code == "'PLANT'"
    assert ("table", "trade") in {(f.kind, f.name) for f in dictionary.search("trade")}
    assert ("column", "year_fraction") in {(f.kind, f.name) for f in dictionary.search("fraction")}
    assert dictionary.search("   ") == []


def test_codes_are_quoted_for_sql():
    assert literal("process", "O'Hare") == "'O''Hare'"
    assert literal("year", "2030") == "2030"


def test_functions_that_read_files_are_not_offered(dictionary: Dictionary):
    assert {"sum", "date_trunc", "row_number"} <= set(dictionary.functions)
    assert not [name for name in dictionary.functions if "read_" in name or "getenv" in name]


def test_attributes_say_what_may_be_summed(dictionary: Dictionary):
    assert "region" in dictionary.attributes["VAR_FOut"].sum_over
    assert dictionary.attributes["EQ_CombalM"].sum_over == frozenset()


# ---------------------------------------------------------------------- statements


def test_semicolons_in_quotes_and_comments_end_nothing():
    text = "SELECT ';' -- ;\n, \"a;b\", $$;$$ /* ; /* ; */ ; */ FROM x;\n\nFROM y; -- the end"
    assert [s.sql.split()[0] for s in split(text)] == ["SELECT", "FROM"]
    assert [s.line for s in split(text)] == [0, 3]


def test_statement_at_the_cursor_is_the_one_around_it():
    text = "FROM a;\nFROM b;\n"
    assert statement_at(text, 2).sql == "FROM a"  # type: ignore[union-attr]
    assert statement_at(text, 9).sql == "FROM b"  # type: ignore[union-attr]
    assert statement_at(text, len(text)).sql == "FROM b"  # type: ignore[union-attr]
    assert statement_at("  -- nothing", 3) is None


@given(st.text(alphabet="ab;'\"$-/* \n\\eE1.", max_size=60))
def test_pieces_of_a_text_make_it_up(text: str):
    pieces = [text[t.start : t.end] for t in tokens(text)]
    assert "".join(pieces) == text
    for statement in split(text):
        assert text[statement.start : statement.end] == statement.sql


def test_parameters_are_found_with_what_they_take():
    text = """
        FROM flow WHERE year BETWEEN $first AND $last AND scenario IN ($a, $other_scenario)
        AND f.process LIKE $text AND value > $least AND region = '$no' -- $neither
        LIMIT $most
    """
    assert [(p.name, p.kind, p.column) for p in parameters(text)] == [
        ("first", "whole", "year"),
        ("last", "whole", "year"),
        ("a", "text", "scenario"),
        ("other_scenario", "text", "scenario"),
        ("text", "text", ""),
        ("least", "number", ""),
        ("most", "whole", ""),
    ]


def test_sql_is_laid_out_and_means_the_same(village: Source):
    text = (
        "select process,sum(value) as v from flow_annual where year=$year group by all order by v"
        " -- hi"
    )
    written = format_sql(text)
    assert written.count("\n") > 3
    assert "$year" in written
    assert "hi" in written
    assert village.rows(written, {"year": 2030}) == village.rows(text, {"year": 2030})


@pytest.mark.parametrize("text", ["no sql at all, this", "SELECT ((((", "SELECT " + "(" * 5000])
def test_what_is_no_sql_is_not_laid_out(text: str):
    with pytest.raises(TimesError, match="cannot be laid out"):
        format_sql(text)


def test_long_texts_are_not_parsed_in_the_page():
    with pytest.raises(TimesError, match="20,000 are laid out"):
        format_sql("SELECT 1 " * LONGEST_PARSED)
    assert dialect_of("SELECT TOP 10 * FROM x " + " " * LONGEST_PARSED) is None


@pytest.mark.parametrize(
    ("text", "name", "there", "rewritten"),
    [
        ("SELECT TOP 10 [process] FROM flow", "T-SQL", "TOP 10", "LIMIT 10"),
        ("SELECT ISNULL(value, 0) FROM flow", "T-SQL", "ISNULL(a, b)", "COALESCE(value, 0)"),
        ("SELECT `process` FROM flow LIMIT 5, 10", "MySQL", "`name`", "OFFSET 5"),
        ("SELECT NVL(value, 0) FROM flow WHERE ROWNUM <= 3", "Oracle", "ROWNUM <= 10", "COALESCE"),
        ("SELECT IIF(value > 0, 1, 0) FROM flow", "Access", "IIF(a, b, c)", "CASE WHEN"),
    ],
)
def test_other_dialects_are_told_and_rewritten(text: str, name: str, there: str, rewritten: str):
    found = dialect_of(text)
    assert found is not None
    assert found.name == name
    assert there in [difference for difference, _ in found.differences]
    assert rewritten in found.rewritten


def test_duckdb_is_no_other_dialect():
    for example in examples().values():
        assert dialect_of(example.sql) is None, example.name
    assert dialect_of("SELECT list[1], ['a', 'TOP 10 [x]'] FROM flow -- SELECT TOP 10") is None


# ---------------------------------------------------------------------- examples


def test_examples_say_what_they_answer():
    assert len(examples()) >= 15
    for example in examples().values():
        assert example.title
        assert example.answers.endswith(".")
        assert len(split(example.sql)) == 1


def test_examples_answer_on_the_demo(demo: Source):
    check_rows_and_chart(demo, "Reference", "Climate target", without=("dummy-imports",))


def test_examples_have_the_figures_of_the_explorer(demo: Source):
    check_figures(demo, "Reference")


def test_examples_start_with_values_of_the_dataset(demo: Source):
    values = starting_values(demo, examples()["most-changed"], "Reference", "Climate target")
    assert values == {"scenario": "Reference", "other_scenario": "Climate target", "year": 2030}
    assert starting_values(demo, examples()["prices-by-timeslice"])["commodity"] == "ELC"


def test_examples_run_where_little_is_known(village: Source, tmp_path: Path):
    for example in examples().values():
        values = starting_values(village, example)
        village.sql(example.sql, values or None)
