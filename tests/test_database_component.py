"""The database explorer by itself: what it asks, shows, keeps and refuses."""

from __future__ import annotations

import asyncio
import datetime
import random
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import catalogs
from app.backend.child import OwnBackend
from catalogs.errors import TimesError
from catalogs.flowmaps.picture import FlowMapData
from catalogs.query import Query
from catalogs.source import Source
from catalogs.sql.dictionary import dictionary_of
from catalogs.sql.examples import ChartChoice, examples
from catalogs.sql.service import Operator, SqlRefused
from catalogs.sql.statements import parameters
from components.database import chart, flow_map, flows, profile
from components.database.cells import cell, whole
from components.database.explorer import DatabaseExplorer
from components.database.link import pack, unpack
from components.database.parameters import WrongValueError, typed
from components.database.plan import readable_plan
from components.database.results import summary
from components.database.rows_view import RowsView
from components.sankey.layout import Frame
from tests.loops import run_through
from tests.stand_in.sql import LIMITS, TrustedService

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    directory = tmp_path_factory.mktemp("database")
    catalogs.ensure_demo(directory)
    return catalogs.open_source(directory, "demo")


@pytest.fixture
def service(demo: Source) -> TrustedService:
    return TrustedService(demo)


@pytest.fixture
def database(demo: Source, service: TrustedService) -> DatabaseExplorer:
    """The component of the demo whose views have been made, and its first example answered."""
    made = DatabaseExplorer(source=demo, service=service, who="a visitor", address="192.0.2.1")
    assert made.main is not None
    return made


def run(database: DatabaseExplorer, text: str) -> Any:
    """Run a text; return what became of its last statement."""
    run_through(database.run(text))
    assert not database.working
    return database.sheet.outcome


# ---------------------------------------------------------------------- asking


def test_first_screen_is_an_example_already_answered(database: DatabaseExplorer, demo: Source):
    assert database.title == "Final energy by sector, demo"
    result = database.sheet.outcome.result  # type: ignore[union-attr]
    figures = result.table.to_pandas()
    asked = demo.ask(Query("final_energy", scenarios=("Reference",), unit="PJ")).frame
    of_2050 = figures[figures.year == 2050].value.sum()
    assert of_2050 == pytest.approx(float(asked[asked.year == 2050].value.iloc[0]))
    assert database.results._said.text.startswith("36 rows, 4 columns, ")
    assert "may run 30 s" in database.foot
    assert "version" in database.foot


def test_question_says_who_asks_what_of_which_version(
    database: DatabaseExplorer, service: TrustedService, demo: Source
):
    run(database, "FROM flow_annual WHERE year = $year LIMIT 3;")
    asked = service.asked[-1]
    assert (asked.who, asked.address) == ("a visitor", "192.0.2.1")
    assert (asked.dataset, asked.version) == ("demo", demo.version)
    assert asked.sql == "FROM flow_annual WHERE year = $year LIMIT 3"
    assert asked.parameters == {"year": 2030}


def test_all_statements_run_one_after_the_other(
    database: DatabaseExplorer, service: TrustedService
):
    outcome = run(database, "SELECT 1 AS a; SELECT 2 AS b;\n-- done")
    assert outcome.result.table.to_pydict() == {"b": [2]}
    assert len(database.sheet.outcomes) == 2
    database.show_statement(0)
    assert database.sheet.outcome.result.table.to_pydict() == {"a": [1]}  # type: ignore[union-attr]


def test_what_is_run_last_is_shown_and_what_ran_before_gives_way(
    database: DatabaseExplorer, service: TrustedService
):
    service.delay = 30

    async def ask_twice() -> None:
        first = asyncio.create_task(database.run("SELECT 1 AS a"))
        while not service.asked or service.asked[-1].sql != "SELECT 1 AS a":
            await asyncio.sleep(0.01)
        service.delay = 0
        await database.run("SELECT 2 AS b")
        await first

    run_through(ask_twice())
    assert service.cancelled == [service.asked[-2].query_id]
    assert database.sheet.outcome.result.table.to_pydict() == {"b": [2]}  # type: ignore[union-attr]
    assert not database.working


def test_statements_that_are_still_to_come_give_way_too(
    database: DatabaseExplorer, service: TrustedService
):
    service.delay = 0.2

    async def ask_twice() -> None:
        first = asyncio.create_task(database.run("SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c"))
        while not service.asked or service.asked[-1].sql != "SELECT 1 AS a":
            await asyncio.sleep(0.01)
        service.can_cancel = False  # as when it has just been answered
        await database.run("SELECT 4 AS d")
        await first

    run_through(ask_twice())
    assert [asked.sql for asked in service.asked[-2:]] == ["SELECT 1 AS a", "SELECT 4 AS d"]


def test_examples_opened_one_after_the_other_end_with_the_last(
    database: DatabaseExplorer, service: TrustedService
):
    names = list(examples())[1:4]

    async def open_all() -> None:
        for name in names:
            database.open_example(name)
        while database.sheet.outcome is None or database.working:
            await asyncio.sleep(0.01)

    run_through(open_all())
    assert database.sheet.example == names[-1]
    assert database.sheet.outcome.statement.sql in examples()[names[-1]].sql  # type: ignore[union-attr]
    assert len(database.sheets.all) == 1


def test_statement_at_the_cursor_runs_alone(database: DatabaseExplorer, service: TrustedService):
    database.set_text(database.sheet.id, "SELECT 1 AS a;\nSELECT 2 AS b;\nSELECT 3 AS c")
    database.act("statement", 20)
    assert service.asked[-1].sql == "SELECT 2 AS b"


def test_what_follows_a_refused_statement_is_not_run(
    database: DatabaseExplorer, service: TrustedService
):
    before = len(service.asked)
    outcome = run(database, "SELECT 1; SELECT nothing FROM nowhere; SELECT 3")
    assert outcome.refusal is not None
    assert len(service.asked) == before + 2


@pytest.mark.parametrize("text", ["", "   \n ", "-- only a comment", ";;"])
def test_empty_text_is_told_and_not_asked(
    database: DatabaseExplorer, service: TrustedService, text: str
):
    before = len(service.asked)
    run(database, text)
    assert len(service.asked) == before
    assert "no query yet" in database.sheet.said


def test_long_text_is_refused_without_being_taken_apart(database: DatabaseExplorer):
    outcome = run(database, "SELECT 'x' " * 500_000)
    assert outcome.refusal.kind == "size"


def test_text_beyond_the_limit_stays_in_the_browser(database: DatabaseExplorer):
    editor = database.desk.editor
    before = database.sheet.text
    editor._handle_msg({"sheet": database.sheet.id, "text": "x" * (LIMITS.text + 1), "run": "all"})
    assert database.sheet.text == before


@pytest.mark.parametrize(
    "text", ["\x00\x01\x02\xff", "\u202e🦆 DROP", "Dear database, how are you?"]
)
def test_what_is_no_sql_is_refused_in_words(database: DatabaseExplorer, text: str):
    outcome = run(database, text)
    assert outcome.refusal is not None
    assert outcome.refusal.what


def test_error_is_marked_at_its_place_in_the_whole_text(database: DatabaseExplorer):
    run(database, "SELECT 1;\n\nSELECT process,\n    valu\nFROM flow_annual")
    [mark] = database.desk.editor.annotations
    assert (mark["row"], mark["column"], mark["type"]) == (3, 4, "error")
    run(database, "SELECT 1; SELECT valu FROM flow_annual")
    [mark] = database.desk.editor.annotations
    assert (mark["row"], mark["column"]) == (0, 17)
    run(database, "SELECT 1")
    assert database.desk.editor.annotations == []


def test_other_dialects_are_told_and_rewritten_in_place(database: DatabaseExplorer):
    run(database, "SELECT 1; SELECT TOP 3 [process] FROM flow_annual; SELECT 2")
    notice = database.results._body[0]
    texts = " ".join(getattr(part, "text", "") for part in notice)
    assert "looks like T-SQL" in texts
    assert "TOP 10 is LIMIT 10" in texts
    outcome = database.sheet.outcome
    assert outcome is not None
    database.rewrite(outcome, 'SELECT "process" FROM flow_annual LIMIT 3\n')
    assert database.sheet.text == ('SELECT 1; SELECT "process" FROM flow_annual LIMIT 3; SELECT 2')


def test_error_of_the_server_is_said_and_the_page_goes_on(
    database: DatabaseExplorer, service: TrustedService, monkeypatch: pytest.MonkeyPatch
):
    async def broken(_question: object) -> None:
        raise ConnectionError("/secret/socket")

    monkeypatch.setattr(service, "run", broken)
    outcome = run(database, "SELECT 1")
    assert "error id" in outcome.refusal.hint
    assert "secret" not in f"{outcome.refusal.what} {outcome.refusal.hint}"


def test_replaced_dataset_is_told_with_a_way_on(
    database: DatabaseExplorer, service: TrustedService
):
    service.refusal = SqlRefused("stale", "The dataset was published anew.", "Look again.")
    assert run(database, "SELECT 1").refusal.kind == "stale"
    database.run_on_new_version()
    assert service.asked[-1].version == ""
    assert database.sheet.outcome.result is not None  # type: ignore[union-attr]


def test_rows_of_an_earlier_version_are_marked(
    database: DatabaseExplorer, service: TrustedService, monkeypatch: pytest.MonkeyPatch
):
    answer = service._answer
    monkeypatch.setattr(service, "_answer", lambda q: replace(answer(q), version="older"))
    run(database, "SELECT 1")
    assert "earlier version" in database.results._limits.text


def test_limits_that_bite_are_said(database: DatabaseExplorer):
    outcome = run(database, "FROM flow_annual")
    assert outcome.result.rows == 20_229
    said, limits = database.results._said.text, database.results._limits.text
    assert "20 229 rows" in said.replace("\u2009", " ")
    assert "first 1 000 are shown" in said.replace("\u2009", " ")
    assert limits.startswith("Shown are the first 1,000")


def test_cancel_ends_what_runs(database: DatabaseExplorer, service: TrustedService):
    service.delay = 30

    async def both() -> None:
        running = asyncio.create_task(database.run("SELECT 1"))
        while not database.runner._running:
            await asyncio.sleep(0)
        await database.runner.cancel()
        await running

    run_through(both())
    assert database.sheet.outcome.refusal.kind == "cancelled"  # type: ignore[union-attr]


def test_plan_is_asked_and_nothing_is_run(database: DatabaseExplorer, service: TrustedService):
    before = len(service.asked)
    database.set_text(database.sheet.id, "SELECT count(*) FROM flow_annual")
    database.explain()
    assert len(service.asked) == before
    assert database.results._plan.plan["name"] == "Add up in groups"
    assert database.results._plan.plan["children"][0]["rows"] == "about 20\u2009000 rows"
    run(database, "SELECT 1")
    assert database.sheet.view == "table"


def test_plan_without_a_guess_of_rows_says_none():
    plan = readable_plan(Operator("Sort", "ORDER_BY", (("Order", "a"),), None))
    assert plan == {
        "name": "Sort", "operator": "ORDER_BY", "rows": "", "details": [["Order", "a"]],
        "children": [],
    }  # fmt: skip


# ---------------------------------------------------------------------- parameters


def test_parameters_begin_with_values_of_the_dataset(database: DatabaseExplorer):
    database.set_text(database.sheet.id, "FROM flow WHERE year = $year AND scenario = $other")
    assert database.sheet.values == {
        "scenario": "Reference",
        "year": 2030,
        "other": "Climate target",
    }
    labels = [field.label for field in database.desk.form.view]
    assert labels == ["$year", "$other"]


def test_changed_parameter_answers_an_example_anew(
    database: DatabaseExplorer, service: TrustedService
):
    database.desk.form.view[0].value = "Climate target"
    assert service.asked[-1].parameters == {"scenario": "Climate target"}
    assert "values" in database.url_params
    assert database.values == ["scenario=Climate target"]


def test_parameter_of_text_is_not_bound_as_sql(database: DatabaseExplorer):
    database.set_text(database.sheet.id, "SELECT $text AS t")
    database.set_value("text", "'; DROP TABLE flow; --")
    outcome = run(database, "SELECT $text AS t")
    assert outcome.result.table.to_pydict() == {"t": ["'; DROP TABLE flow; --"]}


@pytest.mark.parametrize(
    ("sql", "text", "value"),
    [
        ("year = $year", "2030", 2030),
        ("value > $least", "-1.5e3", -1500.0),
        ("is_electricity = $flag", "true", True),
        ("commodity = $c", "O'Hare", "O'Hare"),
        ("start_date = $d", "2030-12-31", "2030-12-31"),
    ],
)
def test_values_are_read_as_their_parameter_takes_them(sql: str, text: str, value: object):
    [parameter] = parameters(sql)
    assert typed(parameter, text) == value


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("year = $year", "twenty"),
        ("year = $year", "2030.5"),
        ("value > $least", "nan"),
        ("is_electricity = $flag", "perhaps"),
        ("start_date = $d", "31 December"),
    ],
)
def test_values_of_the_wrong_type_are_refused(sql: str, text: str):
    [parameter] = parameters(sql)
    with pytest.raises(WrongValueError, match=r"\$.* takes"):
        typed(parameter, text)


# ---------------------------------------------------------------------- links


def test_link_of_an_example_runs_by_itself(demo: Source, service: TrustedService):
    database = DatabaseExplorer(
        source=demo, service=service, example="generation-mix", values=["scenario=Climate target"]
    )
    assert database.main is not None
    assert service.asked[-1].parameters == {"scenario": "Climate target"}
    assert database.title.startswith("Electricity generation by technology")


def test_link_with_sql_is_shown_and_waits(demo: Source, service: TrustedService):
    text = "SELECT * FROM flow WHERE year = $year -- what somebody wrote"
    database = DatabaseExplorer(
        source=demo, service=service, example="", sql=pack(text), values=["year=2050"]
    )
    assert database.main is not None
    assert service.asked == []
    assert database.sheet.text == text
    assert database.sheet.values == {"year": 2050}
    assert "came with the link" in database.sheet.said
    run_through(database.run())
    assert service.asked[-1].parameters == {"year": 2050}
    assert database.sheet.said == ""


def test_link_with_a_value_of_the_wrong_type_says_so(demo: Source, service: TrustedService):
    database = DatabaseExplorer(
        source=demo, service=service, example="storage", values=["year=soon", "other=1"]
    )
    assert database.main is not None
    assert service.asked == []
    assert "$year takes a whole number, not 'soon'" in database.sheet.said
    assert database.sheet.values["year"] == 2030


@pytest.mark.parametrize("sql", ["z.!!!", "z.eJw", "z." + "A" * 5000])
def test_broken_link_shows_the_first_example(demo: Source, service: TrustedService, sql: str):
    database = DatabaseExplorer(source=demo, service=service, sql=sql)
    assert database.main is not None
    assert database.sheet.example == "final-energy-by-sector"


def test_back_to_a_text_that_was_run_runs_it_again(
    database: DatabaseExplorer, service: TrustedService
):
    run(database, "SELECT 1 AS a")
    address = {name: getattr(database, name) for name in database.url_params}
    assert address["sql"] == "SELECT 1 AS a"
    assert address["example"] == ""
    run(database, "SELECT 2 AS b")
    database.param.update(**address)
    assert service.asked[-1].sql == "SELECT 1 AS a"


def test_text_too_long_for_a_link_says_so(database: DatabaseExplorer):
    # Nothing that could be packed.
    noise = random.Random(1).randbytes(9000).hex()
    run(database, f"SELECT '{noise}' AS x")
    assert database.sql == ""
    assert "too long for a link" in database.foot


@given(st.text(max_size=2000))
def test_links_carry_every_text(text: str):
    packed = pack(text)
    assert unpack(packed) == text or packed == ""


def test_packed_text_without_an_end_is_refused():
    bomb = pack("SELECT '" + "a" * 2_000_000 + "'")
    assert bomb.startswith("z.")
    with pytest.raises(ValueError, match="longer"):
        unpack(bomb)


# ---------------------------------------------------------------------- sheets


def test_sheets_keep_their_texts_values_and_rows(database: DatabaseExplorer):
    database.look_at("table")
    run(database, "SELECT 1 AS a")
    first = database.sheet
    database.add_sheet()
    run(database, "SELECT 2 AS b")
    database.rename_sheet(database.sheet.id, "Second")
    database.open_sheet(first.id)
    assert database.desk.editor.shown["text"] == "SELECT 1 AS a"
    assert database.results._rows.columns[0]["name"] == "a"
    assert [s["name"] for s in database.desk.sheets.sheets] == ["Final energy by sector", "Second"]
    database.close_sheet(first.id)
    assert database.desk.editor.shown["text"] == "SELECT 2 AS b"
    database.close_sheet(database.sheet.id)
    assert len(database.sheets.all) == 1


def test_example_takes_the_place_of_what_is_not_worked_at(database: DatabaseExplorer):
    database.open_example("emissions-by-sector")
    assert len(database.sheets.all) == 1
    database.set_text(database.sheet.id, database.sheet.text + " -- mine")
    database.open_example("generation-mix")
    assert [s.name for s in database.sheets.all] == [
        "Emissions by sector",
        "Electricity generation by technology",
    ]


def test_what_the_browser_kept_is_opened_and_not_run(
    database: DatabaseExplorer, service: TrustedService
):
    before = len(service.asked)
    kept = {"text": "SELECT $year AS y", "values": {"year": 2040}, "title": "Mine"}
    database.rail.saved._handle_msg({"open": kept})
    assert database.sheet.name == "Mine"
    assert database.sheet.values["year"] == 2040
    assert len(service.asked) == before
    database.rail.saved._handle_msg({"open": {"text": 5, "values": "x"}})
    assert database.sheet.name == "Mine"


def test_format_lays_the_sheet_out(database: DatabaseExplorer):
    database.set_text(database.sheet.id, "select year,sum(value) from flow group by all")
    database.format()
    assert database.sheet.text == "SELECT\n  year,\n  SUM(value)\nFROM flow\nGROUP BY ALL\n"


# ---------------------------------------------------------------------- cells and rows

ODD = pa.table(
    {
        "year": pa.array([2030, None], pa.int16()),
        "many": pa.array([1234567, -5], pa.int64()),
        "figure": pa.array([0.000123456789, float("nan")]),
        "money": pa.array([Decimal("-1234567.50"), None], pa.decimal128(12, 2)),
        "text": pa.array(["<b>bold</b>\nsecond line", "x" * 500_000]),
        "nested": pa.array([[{"a": 1, "b": [MARKUP]}], None]),
        "bytes": pa.array([b"\x00\xff", b""]),
        "day": pa.array([datetime.date(2030, 12, 31), None]),
        "at": pa.array([datetime.datetime(2030, 12, 31, 23, 59), None]),
        "long": pa.array([datetime.timedelta(days=1, hours=2), None]),
        "flag": pa.array([True, False]),
        "nothing": pa.array([None, None], pa.null()),
    }
)


def test_every_type_has_a_cell():
    view = RowsView()
    view.fill(ODD)
    first, second = view.first_cells["rows"]
    named = dict(zip(ODD.column_names, first, strict=True))
    thin, minus = "\u2009", "\u2212"
    assert named["year"] == "2030"
    assert named["many"] == f"1{thin}234{thin}567"
    assert named["figure"] == "0.000123457"
    assert named["money"] == f"{minus}1{thin}234{thin}567.50"
    assert named["text"] == "<b>bold</b> ⏎ second line"
    assert named["nested"] == '[{"a": 1, "b": ["<img src=x onerror=alert(1)>"]}]'
    assert named["bytes"] == "2 bytes: 00 ff"
    assert (named["day"], named["at"]) == ("2030-12-31", "2030-12-31 23:59:00")
    assert named["long"] == "1 day, 2:00:00"
    assert named["flag"] == "true"
    assert named["nothing"] is None
    assert second[0] is None
    assert second[2] == "NaN"
    assert len(second[4] or "") < 300


def test_cell_that_is_clicked_is_told_in_full():
    told: list[Any] = []
    view = RowsView(on_cell=lambda name, text: told.append((name, text)))
    view.fill(ODD)
    for column in (4, 5, 7):
        view._handle_msg({"whole": {"row": 1, "column": column}, "version": view.version})
    view._handle_msg({"whole": {"row": 9, "column": 4}, "version": view.version})
    assert told[0][0] == "text"
    assert told[0][1].endswith("(500,000 characters)")
    assert told[1:] == [("nested", None), ("day", None)]


def test_only_what_is_seen_of_500_columns_is_sent():
    wide = pa.table({f"column {i}": list(range(1000)) for i in range(500)})
    view = RowsView()
    view.fill(wide)
    assert len(view.columns) == 500
    assert len(view.first_cells["rows"]) == 40
    assert len(view.first_cells["rows"][0]) == 20
    sent: list[Any] = []
    view._send_msg = sent.append  # type: ignore[method-assign]
    want = {"first": 900, "last": 5000, "from": 480, "to": 600}
    view._handle_msg({"want": want, "version": view.version})
    [message] = sent
    rows = message["block"]["rows"]
    assert (len(rows), len(rows[0])) == (100, 20)
    assert rows[0][0] == "900"
    view._handle_msg({"want": want, "version": view.version - 1})
    assert len(sent) == 1


def test_rows_are_sorted_with_null_last_and_back():
    view = RowsView()
    view.fill(pa.table({"a": [2, None, 1], "b": ["x", "y", "z"], "c": [[1], [2], [3]]}))
    view.sort(0)
    assert [row[1] for row in view.first_cells["rows"]] == ["z", "x", "y"]
    view.sort(0)
    assert [row[1] for row in view.first_cells["rows"]] == ["x", "z", "y"]
    view.sort(0)
    assert [row[1] for row in view.first_cells["rows"]] == ["x", "y", "z"]
    before = view.version
    view.sort(2)  # nested values have no order
    view.sort(99)
    assert view.version == before


@given(
    st.one_of(
        st.none(), st.integers(), st.floats(), st.text(), st.binary(), st.booleans(),
        st.decimals(allow_nan=False, allow_infinity=False, places=3), st.dates(),
        st.lists(st.text()), st.timedeltas(),
    )
)  # fmt: skip
def test_cells_are_one_short_line_whatever_comes(value: Any):
    text = cell(value)
    assert (text is None) == (value is None)
    assert text is None or ("\n" not in text and len(text) < 400)
    assert (whole(value) is None) == (value is None)


# ---------------------------------------------------------------------- profile


def test_profile_says_what_stands_in_each_column():
    table = pa.table(
        {
            "value": pa.array([1.0, 2.0, 3.0, None, 10.0]),
            "fuel": ["Gas", "Gas", "Coal", "Gas", None],
            "odd": pa.array([[1], [2], None, [1], [1]]),
        }
    )
    value, fuel, odd = profile.profile(table)
    facts = dict(value["facts"])
    assert facts["NULL"] == "1 (20.0\u2009%)"
    assert (facts["Lowest"], facts["Highest"]) == ("1", "10")
    assert (facts["Mean"], facts["Median"]) == ("4.000", "2.500")
    assert sum(value["bins"]) == 4
    assert fuel["frequent"][0] == ["Gas", "3", 0.6]
    assert odd["bins"] == []


@pytest.mark.parametrize("table", [ODD, ODD.slice(0, 0), pa.table({"a": [None]})])
def test_profile_and_summary_take_every_type(table: pa.Table, service: TrustedService):
    assert len(profile.profile(table)) == table.num_columns
    result = run_through(service.run(_question(service, "SELECT 1 AS a")))
    assert summary(replace(result, rows=1)).startswith("1 row, 1 column, ")
    assert summary(replace(result, rows=None)).startswith("An unknown number of rows")


def _question(service: TrustedService, sql: str) -> Any:
    from catalogs.sql.service import SqlQuestion

    return SqlQuestion("demo", sql)


# ---------------------------------------------------------------------- charts and flows


def test_chart_has_the_explorers_colours_and_unit(demo: Source):
    from catalogs import palette

    table = pa.table(
        {
            "year": [2030, 2030, 2040, 2040],
            "fuel": ["Wind", "Natural gas", "Wind", "Natural gas"],
            "value": [1.0, 7.2, 3.0, 3.6],
            "unit": ["TWh", "PJ", "TWh", "PJ"],
        }
    )
    choice = ChartChoice("bars", "year", "value", "fuel")
    layout = chart.lay_out(table, choice, dictionary_of(demo), unit="PJ")
    assert layout.label == "value, PJ"
    wind = layout.frame[layout.frame.group == "Wind"].set_index("x")["y"]
    assert wind.to_dict() == pytest.approx({"2030": 3.6, "2040": 10.8})
    assert {g.name: g.colour for g in layout.groups} == {
        name: palette.colour("fuel", name) for name in ("Wind", "Natural gas")
    }


def test_chart_leaves_out_what_does_not_convert_and_says_so(demo: Source):
    table = pa.table({"year": [2030] * 3, "value": [1.0, 2.0, 3.0], "unit": ["PJ", "PJ", "kt"]})
    layout = chart.lay_out(table, ChartChoice("bars", "year", "value", ""), dictionary_of(demo))
    assert layout.frame["y"].sum() == 3
    assert "1 rows in kt do not convert into PJ" in " ".join(layout.remarks)
    assert "are added up" in " ".join(layout.remarks)


def test_small_groups_are_one_in_stacks_and_left_out_of_lines(demo: Source):
    table = pa.table(
        {
            "year": [2030] * 30,
            "process": [f"P{i}" for i in range(30)],
            "value": [float(i + 1) for i in range(30)],
        }
    )
    stack = chart.lay_out(
        table, ChartChoice("bars", "year", "value", "process"), dictionary_of(demo)
    )
    assert len(stack.groups) == 12
    assert stack.frame["y"].sum() == sum(range(1, 31))
    lines = chart.lay_out(
        table, ChartChoice("lines", "year", "value", "process"), dictionary_of(demo)
    )
    assert len(lines.groups) == 11
    assert "11 largest of 30" in " ".join(lines.remarks)


@pytest.mark.parametrize("kind", list(chart.KINDS))
def test_every_kind_of_chart_is_drawn(demo: Source, kind: str):
    import holoviews as hv

    table = pa.table(
        {
            "year": [2030, 2040, 2030, 2040],
            "sector": ["Industry", "Industry", MARKUP, MARKUP],
            "value": [1.0, -2.0, 3.0, 4.0],
        }
    )
    choice = ChartChoice(kind, "year", "value", "sector")
    plot = chart.draw(chart.lay_out(table, choice, dictionary_of(demo)))
    assert hv.render(plot) is not None


def test_chart_fits_itself_to_the_columns():
    names = pa.table({"year": [2030], "fuel": ["Gas"], "unit": ["PJ"], "value": [1.0]})
    assert chart.first_choice(names) == ChartChoice("bars", "year", "value", "fuel")
    assert chart.first_choice(pa.table({"a": ["x"]})) == ChartChoice("")
    gone = chart.checked(ChartChoice("bars", "gone", "value", "away"), names)
    assert gone == ChartChoice("bars", "year", "value", "fuel")


def test_chart_of_texts_is_refused_with_a_way_out(demo: Source):
    with pytest.raises(TimesError, match="make no chart"):
        chart.lay_out(pa.table({"a": ["x"]}), ChartChoice(""), dictionary_of(demo))
    empty = pa.table({"year": [2030], "value": pa.array([None], pa.float64())})
    with pytest.raises(TimesError, match="nothing to draw"):
        chart.lay_out(empty, ChartChoice("bars", "year", "value", ""), dictionary_of(demo))


def test_flows_are_drawn_when_the_columns_fit():
    table = pa.table(
        {
            "source": ["Coal", "Coal", "Plant", "Plant", None],
            "target": ["Plant", "Plant", "Grid", "Loss", "Grid"],
            "value": [60.0, 40.0, 40.0, -1.0, 3.0],
            "unit": ["PJ"] * 5,
        }
    )
    picture, remarks = flows.flows_picture(table, Frame(width=900, height=500))
    assert {node["id"]: node["amount"] for node in picture["nodes"]} == {
        "Coal": "100", "Plant": "100", "Grid": "40.0",
    }  # fmt: skip
    assert "2 rows without a flow above zero" in " ".join(remarks)


def test_flows_in_a_circle_and_names_with_markup_are_drawn():
    table = pa.table({"origin": [MARKUP, "B"], "destination": ["B", MARKUP], "value": [2, 1]})
    picture, _ = flows.flows_picture(table, Frame(width=900, height=500))
    assert {node["label"] for node in picture["nodes"]} == {MARKUP, "B"}


def test_other_columns_are_no_flows():
    with pytest.raises(TimesError, match="of no flow"):
        flows.flows_picture(pa.table({"a": [1]}), Frame())


def mapped(data: FlowMapData) -> dict[tuple[str, str, str], float]:
    """The arrows of a map: from, to, kind and value."""
    ids, arcs = data.places.id, data.arcs
    return {
        (ids[o], ids[d], data.categories[c]): value
        for o, d, c, value in zip(
            arcs.origin, arcs.destination, arcs.category, arcs.value, strict=True
        )
    }


def test_map_draws_flows_between_regions_and_countries_and_says_what_it_cannot(demo: Source):
    table = pa.table(
        {
            "origin": ["DKE", "DKE", "Germany", "DKW", "DKW", "IMPEXP", None],
            "destination": ["DKW", "DKW", "DKE", "DKW", "SE", "DKE", "DKE"],
            "fuel": ["Electricity", "Electricity", "Gas", "Gas", "Gas", "Coal", "Coal"],
            "value": [1.0, 2.0, 4.0, 0.5, -1.0, 8.0, 16.0],
            "unit": ["PJ"] * 7,
        }
    )
    data = flow_map.flow_map_data(table, demo)
    assert mapped(data) == {("DKE", "DKW", "Electricity"): 3.0, ("Germany", "DKE", "Gas"): 4.0}
    assert data.places.is_placed.all()
    assert data.unit == "PJ"
    said = " ".join(data.remarks)
    assert "nobody says where they are: IMPEXP (8.00 PJ from or to there)" in said
    assert "stays in its place: 0.500 PJ" in said
    assert "2 rows without a flow above zero are left out" in said


def test_map_takes_coordinates_from_the_result(demo: Source):
    table = pa.table(
        {
            "from": ["Hub", "DKE", "Lost"],
            "to": ["DKE", "Hub", "DKE"],
            "origin_latitude": [56.5, None, 95.0],
            "origin_longitude": [6.0, None, 6.0],
            "destination_latitude": [55.0, 1.0, None],
            "destination_longitude": [12.0, 1.0, None],
            "sold": [Decimal("2.5"), Decimal("1.5"), Decimal(7)],
        }
    )
    data = flow_map.flow_map_data(table, demo)
    places = data.places
    where = {
        name: (latitude, longitude)
        for name, latitude, longitude in zip(
            places.id, places.latitude, places.longitude, strict=True
        )
    }
    assert where == {"Hub": (56.5, 6.0), "DKE": (55.0, 12.0)}
    assert mapped(data) == {("Hub", "DKE", ""): 2.5, ("DKE", "Hub", ""): 1.5}
    assert "Lost" in " ".join(data.remarks)


def test_map_without_a_known_place_is_refused_with_a_way_out(demo: Source):
    table = pa.table({"origin": [MARKUP, "B"], "destination": ["B", "DKE"], "value": [2, 1]})
    with pytest.raises(TimesError, match="nobody says where they are") as refused:
        flow_map.flow_map_data(table, demo)
    assert "origin_latitude" in refused.value.remedy
    with pytest.raises(TimesError, match="of no flow"):
        flow_map.flow_map_data(pa.table({"a": [1]}), demo)


def test_example_on_a_map_is_one_click_away(database: DatabaseExplorer):
    database.open_example("electricity-map")
    panel = database.results._map
    assert database.sheet.view == "map"
    assert panel._picture[:] == [panel._map]
    rows = database.sheet.outcome.result.table.to_pandas()  # type: ignore[union-attr]
    sent = rows[(rows.origin == "SEN") & (rows.destination == "SES")].value.sum()
    names = [place["name"] for place in panel._map.picture["places"]]
    ends = np.frombuffer(panel._map.ends, "<i4").reshape(-1, 3)
    values = np.frombuffer(panel._map.frame, "<f4")[: len(ends)]
    drawn = {(names[o], names[d]): v for (o, d, _), v in zip(ends, values, strict=True)}
    assert drawn["Sweden North", "Sweden South"] == pytest.approx(sent)
    assert len(drawn) == len(rows)
    assert panel._remarks.text == f"{len(rows)} flows, 100% of the amount."
    assert [entry["label"] for entry in panel._legend.groups] == ["Electricity"]
    assert not panel._legend.can_open

    run(database, "SELECT 'A' AS origin, 'B' AS destination, 1.5 AS value")
    database.look_at("map")
    assert "nobody says where they are: A, B" in panel._picture[0][0].text
    assert not panel._beside.visible


# ---------------------------------------------------------------------- views of examples


def test_every_example_opens_and_shows_its_picture(database: DatabaseExplorer):
    for name, example in examples().items():
        database.open_example(name)
        outcome = database.sheet.outcome
        assert outcome is not None
        assert outcome.refusal is None, name
        expected = {"table": "table", "sankey": "flows", "map": "map"}.get(
            example.chart.kind, "chart"
        )
        assert database.sheet.view == expected
        assert len(database.results._body) > 0
        for view in ("table", "columns"):
            database.look_at(view)


def test_export_asks_for_the_whole_result(database: DatabaseExplorer, service: TrustedService):
    run(database, "FROM flow_annual WHERE year = $year")
    fetched: list[str] = []
    database.exports._fetcher.fetch = fetched.append  # type: ignore[method-assign]
    run_through(database.exports.export("csv", "CSV"))
    [(question, ending, name)] = service.exported
    assert (question.sql, ending) == ("FROM flow_annual WHERE year = $year", "csv")
    assert question.parameters == {"year": 2030}
    assert name == "final-energy-by-sector"
    assert fetched == [f"/api/query/export/{question.query_id}.csv"]
    assert database.exports._state.text == "CSV: 3\u2009000 rows in 0.0 s"


def test_statistics_of_a_table_are_shown_with_its_meaning(database: DatabaseExplorer):
    database.explain_table("flow_annual")
    assert database.drawer_open
    panel = database.dictionary_panel
    assert panel._count.text == "20\u2009229 rows"
    assert [card["name"] for card in panel._columns.columns][:3] == ["scenario", "sow", "year"]
    database.explain_table("result")
    meanings = {card["name"]: dict(card["facts"]) for card in panel._meanings.columns}
    assert meanings["EQ_CombalM"]["May be summed over"] == "nothing: never sum it"
    assert "region" in meanings["VAR_FOut"]["May be summed over"]


def test_slow_view_is_counted_only_when_asked(database: DatabaseExplorer):
    database.explain_table("timesreport")
    assert database.dictionary_panel._work_out.visible
    assert database.dictionary.known_statistics("timesreport") is None


def test_newly_published_version_takes_the_place_of_the_old_one(
    database: DatabaseExplorer, tmp_path: Path
):
    shutil.copytree(database.source.manifest_path.parents[1], tmp_path / "newer")
    newer = catalogs.open_source(tmp_path / "newer", "demo")
    rows = database.sheet.outcome
    database.source = newer
    assert database.dictionary is dictionary_of(newer)
    assert database.sheet.outcome is rows


def test_completion_knows_codes_and_descriptions(database: DatabaseExplorer):
    found = database.desk._complete("wind", "")
    assert any(entry["where"] == "process" and entry["code"].startswith("'") for entry in found)
    words = database.desk.editor.words
    assert "flow_annual" in {table["name"] for table in words["tables"]}
    assert "sum" in {function[0] for function in words["functions"]}


# ---------------------------------------------------------------------- the service that is served

ODD_QUERIES = {
    "500 columns": f"SELECT {', '.join(f'{n} AS column_{n}' for n in range(500))}",
    "nested": "SELECT {'a': [1, 2], 'b': {'c': NULL}} AS s, MAP {'k': [1]} AS m, [[NULL]] AS l",
    "intervals": "SELECT INTERVAL 14 MONTH AS i, TIME '12:00' AS t, now() AS z, uuid() AS u",
    "numbers": "SELECT 1.10::DECIMAL(38, 10) AS d, 2::HUGEINT ** 100 AS h, 'nan'::DOUBLE AS n",
    "huge strings": "SELECT repeat('x', 1000000) AS long, '' AS empty, NULL AS nothing",
    "bytes": "SELECT '\\xAA\\x00'::BLOB AS b, '101'::BIT AS bits",
    "names": 'SELECT 1 AS "a b", 2 AS "a b", 3 AS "<b>", 4 AS "ü"',
    "no rows": "SELECT process, value FROM flow_annual WHERE year = 1",
}


def test_results_of_every_kind_are_shown_as_the_service_gives_them(demo: Source):
    async def ask() -> None:
        async with OwnBackend(demo.manifest_path.parents[1]) as backend:
            database = DatabaseExplorer(source=demo, service=backend.service)
            for name, text in ODD_QUERIES.items():
                await database.run(text)
                outcome = database.sheet.outcome
                assert outcome is not None
                assert outcome.refusal is None, (name, outcome.refusal)
                assert outcome.result is not None
                for view in ("table", "columns", "chart", "flows", "map"):
                    database.look_at(view)
                    assert len(database.results._body) > 0
                columns = outcome.result.table.num_columns
                assert len(database.results._rows.columns) == columns
                assert (columns == 500) == (name == "500 columns")

    run_through(ask())


def test_attacks_on_the_page_are_answered_in_words(demo: Source):
    async def ask() -> None:
        async with OwnBackend(demo.manifest_path.parents[1]) as backend:
            database = DatabaseExplorer(source=demo, service=backend.service)
            for text in (
                "SELECT * FROM read_text('/etc/passwd')",
                "COPY (SELECT 1) TO '/tmp/x'",
                "SELECT current_setting('home_directory')",
                "INSERT INTO flow SELECT * FROM flow",
            ):
                database.sheet.values = {}
                await database.run(text)
                outcome = database.sheet.outcome
                assert outcome is not None
                assert outcome.refusal is not None, text
                assert outcome.refusal.what
                assert len(database.results._body) == 1

    run_through(ask())
