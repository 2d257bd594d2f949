"""What comes back of a query: rows in all types, limits that bite, plans, hints, exports, links."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from catalogs.sql.service import SqlPlan, SqlRefused
from catalogs.store import Store
from tests.sql_backend import Running, refused, running
from tests.times_files import flows, publish, write_set

DATASET = "case"


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running backend over one plant's results, with limits that are soon met."""
    scratch = tmp_path_factory.mktemp("results")
    rows = flows("PLANT: COA 100 -> ELC 40, CO2 9.4")
    write_set(scratch / "files", rows)
    publish(scratch / "files", scratch / "data", DATASET)
    limits = {"rows": 500, "cell": 1000, "result_bytes": 400_000, "columns": 600, "text": 60_000}
    rates = {"per_minute": 10_000, "per_minute_address": 5}
    with running(scratch / "data", DATASET, scratch, **rates, **limits) as backend:
        yield backend


# ---------------------------------------------------------------------- rows


def test_a_query_brings_its_rows_their_number_and_its_time(backend: Running) -> None:
    result = backend.run("SELECT commodity, value FROM flow_annual ORDER BY value")

    assert result.table.to_pydict()["commodity"] == ["CO2", "ELC", "COA"]
    assert result.table.to_pydict()["value"] == pytest.approx([9.4, 40, 100])
    assert result.types == ("VARCHAR", "DOUBLE")
    assert (result.rows, result.complete, result.limits) == (3, True, ())
    assert result.seconds > 0
    assert result.waited >= 0
    assert result.version == Store(backend.data_directory).manifest(DATASET).version


def test_more_rows_than_are_shown_are_counted_and_said(backend: Running) -> None:
    result = backend.run("SELECT * FROM range(1234567) AS r(n) ORDER BY n DESC")

    assert result.table.num_rows == 500
    assert result.table["n"][0].as_py() == 1234566
    assert (result.rows, result.complete) == (1234567, False)
    assert result.limits == ("Shown are the first 500 of 1,234,567 rows.",)


def test_fewer_rows_are_brought_back_when_fewer_are_wanted(backend: Running) -> None:
    result = backend.run("FROM range(100)", rows=7)

    assert (result.table.num_rows, result.rows, result.complete) == (7, 100, False)


def test_a_result_of_exactly_as_many_rows_as_are_shown_is_complete(backend: Running) -> None:
    result = backend.run("FROM range(500)")

    assert (result.rows, result.complete, result.limits) == (500, True, ())


def test_counting_ends_where_it_takes_too_long(backend: Running) -> None:
    result = backend.run(
        "SELECT a.range FROM range(3000000) AS a, range(3000000) AS b"
        " WHERE hash(a.range, b.range) % 3 = 0"
    )

    assert result.rows is None
    assert not result.complete
    assert "counting all took too long" in result.limits[0]


def test_huge_texts_are_cut_and_a_result_of_too_many_bytes_ends_early(backend: Running) -> None:
    result = backend.run("SELECT repeat('å', 5000) AS text, range AS n FROM range(400)")

    assert set(map(len, result.table["text"].to_pylist())) == {1000}
    assert 0 < result.table.num_rows < 400
    assert result.rows == 400
    assert any("cut after 1,000 characters" in limit for limit in result.limits)
    assert any("are not brought back" in limit for limit in result.limits)


def test_500_columns_are_brought_back_and_too_many_refused(backend: Running) -> None:
    wide = ", ".join(f"{n} AS c{n}" for n in range(500))

    assert backend.run(f"SELECT {wide}").table.num_columns == 500
    refusal = backend.refusal(f"SELECT {wide}, {wide}")
    assert refusal.kind == "size"
    assert "1,000 columns" in refusal.what


def test_columns_of_one_name_are_told_apart(backend: Running) -> None:
    result = backend.run("SELECT 1 AS a, 2 AS a, 3 AS A, 4 AS a_1")

    assert result.table.column_names == ["a", "a_2", "A_3", "a_1"]
    assert [column[0].as_py() for column in result.table.columns] == [1, 2, 3, 4]


def test_an_empty_result_has_its_columns(backend: Running) -> None:
    result = backend.run("SELECT process, value FROM flow WHERE false")

    assert result.table.schema.names == ["process", "value"]
    assert (result.rows, result.complete) == (0, True)


VALUES = {
    "NULL": None,
    "true": True,
    "42::TINYINT": 42,
    "9007199254740993": 9007199254740993,
    "170141183460469231731687303715884105727::HUGEINT": Decimal(
        "170141183460469231731687303715884105727"
    ),
    "1.5::DOUBLE": 1.5,
    "'infinity'::DOUBLE": float("inf"),
    "12.50::DECIMAL(10, 2)": Decimal("12.50"),
    "'å'": "å",
    "DATE '2030-01-02'": date(2030, 1, 2),
    "TIMESTAMP '2030-01-02 03:04:05'": datetime(2030, 1, 2, 3, 4, 5),
    "INTERVAL 3 DAY": "3 days",
    "[1, 2]": "[1, 2]",
    "{'a': 1, 'b': [2]}": "{'a': 1, 'b': [2]}",
    "MAP {'a': 1}": "{a=1}",
    "'a'::ENUM ('a', 'b')": "a",
    "'\\xAA'::BLOB": "\\xAA",
    "'101'::BIT": "101",
    "'{\"a\": 1}'::JSON": '{"a": 1}',
    "union_value(a := 1)": "1",
    "'00000000-0000-0000-0000-000000000001'::UUID": "00000000-0000-0000-0000-000000000001",
    "340282366920938463463374607431768211455::UHUGEINT": "340282366920938463463374607431768211455",
}


def test_values_of_every_type_come_back(backend: Running) -> None:
    columns = ", ".join(f"{value} AS c{n}" for n, value in enumerate(VALUES))

    table = backend.run(f"SELECT {columns}").table

    found = {value: column[0].as_py() for value, column in zip(VALUES, table.columns, strict=True)}
    assert found == VALUES


# ---------------------------------------------------------------------- what visitors may ask


@pytest.mark.parametrize(
    "sql",
    [
        "FROM result",
        "TABLE result",
        "VALUES (1), (2);",
        "SHOW TABLES",
        "DESCRIBE result",
        "DESCRIBE SELECT 1",
        "SUMMARIZE flow",
        "EXPLAIN SELECT * FROM result",
        " /* a /* nested */ comment */ EXPLAIN -- and another\n SELECT 1",
        "SELECT timesmodel, scen, sum(value) FROM timesreport WHERE topic = 'energy' GROUP BY ALL",
        "WITH a AS (FROM flow), b AS MATERIALIZED (FROM a) SELECT count(*) FROM b",
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 5) FROM t",
        "PIVOT flow_annual ON direction IN ('IN', 'OUT') USING sum(value) GROUP BY commodity",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "SELECT * FROM main.result",
        "SELECT process, row_number() OVER (ORDER BY value) AS n FROM flow QUALIFY n = 1",
        "SELECT commodity, value FROM flow AS f SEMI JOIN process USING (process)",
        "SELECT list_transform([1, 2], lambda x: x * 2), [x FOR x IN [1, 2] IF x > 1]",
        "SELECT COLUMNS('co.*') FROM result LIMIT 1",
        "SELECT * EXCLUDE (value) FROM flow USING SAMPLE 1",
        "SELECT sum(value) FILTER (year = 1), median(value) FROM flow GROUP BY ROLLUP (year)",
        "SELECT unnest([1, 2]), generate_series, 'a' SIMILAR TO 'a+' FROM generate_series(1, 2)",
        "SELECT TRY_CAST('x' AS INTEGER), coalesce(NULL, 1), CASE WHEN true THEN 1 END",
        "SELECT a.* FROM (VALUES (1, 2)) AS a(x, y) ASOF JOIN (VALUES (1)) AS b(x) ON a.x >= b.x",
    ],
)
def test_selects_of_every_shape_pass_the_gate(backend: Running, sql: str) -> None:
    assert backend.run(sql).rows is not None


def test_parameters_are_bound_and_never_part_of_the_text(backend: Running) -> None:
    given = {"name": "COA' OR true --", "least": 1.5, "day": date(2030, 1, 1), "n": Decimal("1.5")}

    result = backend.run(
        "SELECT $name AS name, $day AS day, $n AS n,"
        " (SELECT count(*) FROM flow WHERE commodity = $name AND value > $least) AS found",
        {**given, "of another statement": 3},
    )

    assert result.table.to_pylist() == [
        {"name": "COA' OR true --", "day": date(2030, 1, 1), "n": Decimal("1.5"), "found": 0}
    ]


def test_parameters_that_do_not_fit_are_told_by_name(backend: Running) -> None:
    missing = backend.refusal("SELECT * FROM flow WHERE year = $year")
    wrong = backend.refusal("SELECT * FROM flow WHERE year = $year", {"year": "next"})
    unnamed = backend.refusal("SELECT * FROM flow WHERE year = ?")
    of_no_type = backend.refusal("SELECT $x", {"x": object()})

    assert {r.kind for r in (missing, wrong, unnamed, of_no_type)} == {"parameter"}
    assert "$year has no value" in missing.what
    assert "'next' of $year does not fit" in wrong.what
    assert "$year" in unnamed.hint


@pytest.mark.parametrize("sql", ["", "   ", "-- nothing", ";", "/* */"])
def test_empty_text_is_said_to_be_empty(backend: Running, sql: str) -> None:
    refusal = backend.refusal(sql)

    assert refusal.kind == "not_a_select"
    assert refusal.what == "There is no SQL to run."


@pytest.mark.parametrize(
    ("sql", "line", "column", "hint"),
    [
        ("SELEC 1", 1, 1, ""),
        ("SELECT 'å',\n  valu FROM flow", 2, 3, "value"),
        ("SELECT *\nFROM flows", 2, 6, "flow"),
        ("SELECT\n  frobnicate(1)", 2, 3, ""),
        ("SELECT coun(value) FROM flow", 1, 8, "count"),
        ("EXPLAIN\nSELECT\n x FROM flow", 3, 2, ""),
        ("SELECT TOP 5 * FROM flow", 1, 12, "LIMIT"),
        ("SELECT [process name] FROM flow", 1, 17, '"name"'),
        ("SELECT * FROM flow LIMIT 5, 10", 1, 27, "OFFSET"),
        ("SELECT * FROM flow WHERE year = :year", 1, 33, "$year"),
        ("SELECT nvl(value, 0) FROM flow", 1, 8, "coalesce"),
        ("SELECT 1 FROM dual", 1, 15, "DUAL"),
        ("hello there", 1, 1, ""),
        ("\x89PNG\r\n\x1a\n", 1, 1, ""),
        ('{"a": 1}', 1, 1, ""),
    ],
)
def test_errors_are_marked_at_their_place_with_a_hint(
    backend: Running, sql: str, line: int, column: int, hint: str
) -> None:
    refusal = backend.refusal(sql)

    assert refusal.kind == "syntax"
    assert (refusal.line, refusal.column) == (line, column)
    assert hint in refusal.hint
    assert not refusal.what.startswith(("Parser", "Binder", "Catalog"))


def test_values_that_cannot_be_worked_with_are_told(backend: Running) -> None:
    refusal = backend.refusal("SELECT commodity::INTEGER FROM flow")

    assert refusal.kind == "data"
    assert "TRY_CAST" in refusal.hint


def test_a_pivot_that_finds_its_columns_says_what_to_write(backend: Running) -> None:
    refusal = backend.refusal("PIVOT flow ON year USING sum(value)")

    assert refusal.kind == "not_a_select"
    assert "IN (2030, 2050)" in refusal.hint


def test_a_plan_is_a_tree_in_plain_words(backend: Running) -> None:
    question = backend.question(
        "SELECT process, sum(value) FROM flow WHERE value > $least GROUP BY ALL ORDER BY 2",
        {"least": 20.25},
    )

    plan = backend.wait(backend.own.service.explain(question))

    assert isinstance(plan, SqlPlan)
    names, node = [], plan.root
    while True:
        names.append(node.name)
        if not node.children:
            break
        node = node.children[0]
    assert "Group" in names
    assert names[-1] == "Read a table"
    assert node.rows is not None
    assert any("20.25" in text for _, text in node.details)


def test_a_dataset_that_has_been_replaced_is_said_to_be(backend: Running) -> None:
    stale = backend.refusal("SELECT 1", version="an older one")
    unknown = backend.refusal("SELECT 1", dataset="other")
    impossible = backend.refusal("SELECT 1", dataset="../other")

    assert stale.kind == "stale"
    assert "Run the query again" in stale.hint
    assert unknown.kind == impossible.kind == "dataset"
    assert DATASET in unknown.hint


def test_a_version_published_meanwhile_is_the_one_read(backend: Running, tmp_path: Path) -> None:
    for value, expected in ((1, 1.0), (2, 2.0)):
        files = tmp_path / str(value)
        write_set(files, flows(f"PLANT: COA {value} -> ELC 1"))
        publish(files, backend.data_directory, "changing")
        sql = "SELECT value FROM flow_annual WHERE commodity = 'COA'"
        result = backend.run(sql, dataset="changing")
        assert result.table.to_pydict() == {"value": [expected]}


def test_who_asks_too_often_is_told_when_to_come_again(backend: Running) -> None:
    for _ in range(5):
        backend.run("SELECT 1", address="192.0.2.9")

    refusal = backend.refusal("SELECT 1", address="192.0.2.9")
    assert refusal.kind == "rate"
    assert "network address" in refusal.what
    assert refusal.hint.startswith("Try again in")
    assert backend.run("SELECT 1", address="192.0.2.10").rows == 1


def test_a_visitor_with_many_queries_does_not_hold_up_another(backend: Running) -> None:
    sql = "SELECT sum(hash(range)) FROM range(3000000)"

    async def ask_both() -> list[str]:
        answered = []

        async def ask(who: str) -> None:
            await backend.own.service.run(backend.question(sql, who=who))
            answered.append(who)

        await asyncio.gather(*(ask("busy") for _ in range(8)), ask("quick"))
        return answered

    order = backend.wait(ask_both())

    assert order.index("quick") < 4


# ---------------------------------------------------------------------- exports

MIXED = """
SELECT range AS n, '=1+1' AS formula, 'a"b, c' AS text, range / 4 AS real, NULL AS nothing,
    [range, NULL] AS list, {'a': range} AS struct, INTERVAL 1 DAY AS time_span,
    DATE '2030-01-02' AS day, 1.50::DECIMAL(5, 2) AS money, 'infinity'::DOUBLE AS endless, 2 AS n
FROM range(3)
"""


def test_csv_has_all_rows_and_no_formula(backend: Running) -> None:
    response = backend.export(MIXED, "csv")

    assert response.status_code == 200
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert response.headers["content-disposition"].startswith("attachment")
    table = pa.csv.read_csv(io.BytesIO(response.content))
    first = table.to_pylist()[1]
    assert first["formula"] == "'=1+1"
    assert first["text"] == 'a"b, c'
    assert first["list"] == "[1, NULL]"
    assert first["n_1"] == 2
    assert str(first["day"]) == "2030-01-02"
    assert table.num_rows == 3


def test_xlsx_holds_text_as_text_and_dates_as_dates(backend: Running) -> None:
    response = backend.export(MIXED, "xlsx")

    workbook = openpyxl.load_workbook(io.BytesIO(response.content))
    header, first, *_ = workbook["Data"].values
    cells = dict(zip(header, first, strict=True))
    assert cells["n"] == 0
    assert cells["formula"] == "=1+1"
    assert workbook["Data"]["B2"].data_type != "f"
    assert workbook["Data"]["B2"].quotePrefix
    assert cells["day"] == datetime(2030, 1, 2)
    assert cells["money"] == 1.5
    assert cells["nothing"] is None
    assert cells["endless"] == "inf"
    assert zipfile.ZipFile(io.BytesIO(response.content)).testzip() is None


def test_parquet_keeps_types_that_it_knows(backend: Running) -> None:
    response = backend.export(MIXED, "parquet")

    table = pq.read_table(io.BytesIO(response.content))
    assert table.num_rows == 3
    assert table["list"][2].as_py() == [2, None]
    assert table["struct"][2].as_py() == {"a": 2}
    assert table["formula"][0].as_py() == "=1+1"
    assert table["money"][0].as_py() == Decimal("1.50")


@pytest.mark.parametrize("format", ["json", "ndjson"])
def test_json_is_valid_whatever_is_in_it(backend: Running, format: str) -> None:
    text = backend.export(f"{MIXED} ORDER BY n", format).text

    rows = json.loads(text) if format == "json" else [json.loads(x) for x in text.splitlines()]
    assert [row["n"] for row in rows] == [0, 1, 2]
    assert rows[1]["struct"] == {"a": 1}
    assert rows[1]["endless"] is None
    assert rows[1]["n_1"] == 2


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet", "json", "ndjson"])
def test_an_export_has_all_rows_in_their_order(backend: Running, format: str) -> None:
    sql = "SELECT range AS n, [range] AS list FROM range(40000) ORDER BY hash(range)"
    content = backend.export(sql, format).content

    if format == "csv":
        found = pa.csv.read_csv(io.BytesIO(content))["n"].to_pylist()
    elif format == "parquet":
        found = pq.read_table(io.BytesIO(content))["n"].to_pylist()
    elif format == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True)["Data"]
        found = [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)]
    else:
        text = content.decode()
        rows = json.loads(text) if format == "json" else map(json.loads, text.splitlines())
        found = [row["n"] for row in rows]
    assert len(found) == 40_000
    assert sorted(found) == list(range(40_000))
    ordered = backend.run(sql, rows=500).table["n"].to_pylist()
    assert found[:500] == ordered


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet", "json", "ndjson"])
def test_an_export_of_nothing_is_a_file_that_can_be_read(backend: Running, format: str) -> None:
    content = backend.export("SELECT 1 AS a WHERE false", format).content

    if format == "csv":
        assert pa.csv.read_csv(io.BytesIO(content)).column_names == ["a"]
    elif format == "parquet":
        assert pq.read_table(io.BytesIO(content)).column_names == ["a"]
    elif format == "xlsx":
        assert list(openpyxl.load_workbook(io.BytesIO(content))["Data"].values) == [("a",)]
    elif format == "json":
        assert json.loads(content) == []
    else:
        assert content == b""


def test_what_a_spreadsheet_cannot_hold_is_refused_before_anything_is_sent(
    backend: Running,
) -> None:
    too_many = backend.export("FROM range(5000000)", "xlsx")
    too_long = backend.export("SELECT repeat('x', 40000)", "xlsx")

    for response in (too_many, too_long):
        assert response.status_code == 413
        assert response.json()["kind"] == "size"
        assert "CSV or Parquet" in response.json()["detail"]


def test_no_address_is_made_for_what_the_gate_refuses(backend: Running) -> None:
    for sql in ("SELECT * FROM read_csv('/etc/passwd')", "SELECT nope FROM flow", "DROP VIEW flow"):
        work = backend.own.service.export_address(backend.question(sql), "csv")
        assert backend.wait(refused(work)).kind in {"forbidden", "syntax", "not_a_select"}


def test_an_address_that_was_changed_or_is_old_exports_nothing(backend: Running) -> None:
    service = backend.own.service
    address = backend.wait(service.export_address(backend.question("SELECT 1"), "csv"))

    changed = backend.get(address[:-3] + ("abc" if address[-3:] != "abc" else "xyz"))
    assert changed.status_code == 403
    assert "was not made here" in changed.json()["title"]
    assert backend.get("/api/export/x").status_code == 403


def test_progress_of_an_export_counts_its_rows(backend: Running) -> None:
    question = backend.question("FROM range(200000)")
    address = backend.wait(backend.own.service.export_address(question, "csv"))
    assert backend.wait(backend.own.service.progress(question.query_id)) is None

    backend.get(address)

    progress = backend.wait(backend.own.service.progress(question.query_id))
    assert progress is not None
    assert (progress.state, progress.rows) == ("finished", 200_000)


def test_an_export_can_be_cancelled_and_breaks_off(backend: Running) -> None:
    question = backend.question("SELECT range, hash(range) FROM range(100000000000)")

    async def export_and_cancel() -> tuple[bool, SqlRefused | Exception | None]:
        service = backend.own.service
        address = await service.export_address(question, "csv")
        async with (
            backend.own.backend.client(60) as client,
            client.stream("GET", address) as answer,
        ):
            pieces = answer.aiter_raw()
            await anext(pieces)
            cancelled = await service.cancel(question.query_id)
            try:
                async for _ in pieces:
                    pass
            except Exception as error:
                return cancelled, error
        return cancelled, None

    cancelled, error = backend.wait(export_and_cancel())

    assert cancelled
    assert type(error).__name__ == "RemoteProtocolError"
    progress = backend.wait(backend.own.service.progress(question.query_id))
    assert progress is not None
    assert (progress.state, progress.rows > 0) == ("failed", True)


def test_a_reader_who_leaves_ends_the_export(backend: Running) -> None:
    question = backend.question("SELECT range, hash(range) FROM range(100000000000)")

    async def leave_and_wait() -> str:
        service = backend.own.service
        address = await service.export_address(question, "csv")
        async with (
            backend.own.backend.client(60) as client,
            client.stream("GET", address) as answer,
        ):
            await anext(answer.aiter_raw())
        while True:
            progress = await service.progress(question.query_id)
            if progress is not None and progress.state != "running":
                return progress.state
            await asyncio.sleep(0.02)

    assert backend.wait(leave_and_wait(), 30) == "failed"
