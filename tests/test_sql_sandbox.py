"""What visitors' SQL may not do, whoever the server runs as: tried against a running backend."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import catalogs
from catalogs.query import Query
from catalogs.source import Source
from tests.sql_backend import AS_USER, USER, Running, copied, digests, refused, running

DATASET = "demo"
SECONDS = 1

#: Small, so that whatever takes too much is told soon.
LIMITS = {
    "seconds": SECONDS,
    "export_seconds": 20,
    "memory": "256M",
    "running": 3,
    "per_minute": 100_000,
    "per_minute_address": 100_000,
    "waiting_each": 100,
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the demo."""
    directory = tmp_path_factory.mktemp("published")
    catalogs.ensure_demo(directory)
    return directory


@pytest.fixture(scope="module", params=["as root", "as another user"])
def backend(request: pytest.FixtureRequest, published: Path) -> Iterator[Running]:
    """A backend run by root, whose workers are another user; and one run by that user himself,
    who owns the files."""
    as_user = request.param != "as root"
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("These tests have to run as root, to try both users")
        if request.param == "as root":
            pytest.skip("Not root")
    with tempfile.TemporaryDirectory(prefix="times-test-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        is_root = os.geteuid() == 0
        data = copied(published, scratch / "data", owner=USER if is_root and as_user else None)
        with running(data, DATASET, scratch, as_user=is_root and as_user, **LIMITS) as backend:
            yield backend


@pytest.fixture(scope="module", autouse=True)
def _nothing_has_changed(backend: Running) -> Iterator[None]:
    """After all tests the published files are what they were, and the tools' source answers."""
    before = digests(backend.data_directory)
    yield
    assert digests(backend.data_directory) == before
    source = Source(backend.data_directory / DATASET / "manifest.json")
    assert len(source.ask(Query("electricity_generation", group_by=("fuel",))).frame) > 0
    assert backend.run("SELECT 1 AS one").table.to_pydict() == {"one": [1]}


#: Attempts to read, write, run or learn what is none of a visitor's business.
ATTEMPTS = {
    "read a CSV file": "SELECT * FROM read_csv('/etc/passwd')",
    "guess a CSV file": "SELECT * FROM read_csv_auto('/etc/passwd')",
    "read a text file": "SELECT * FROM read_text('/etc/passwd')",
    "read a blob": "SELECT * FROM read_blob('/etc/passwd')",
    "read JSON": "SELECT * FROM read_json('/etc/passwd')",
    "read JSON lines": "SELECT * FROM read_ndjson_objects('/proc/self/environ')",
    "read Parquet": "SELECT * FROM read_parquet('/tmp/*.parquet')",
    "read a database": "SELECT * FROM read_duckdb('{file}')",
    "list files": "SELECT * FROM glob('/*')",
    "quoted path": "SELECT * FROM '/etc/passwd'",
    "double-quoted path": 'SELECT * FROM "/etc/passwd"',
    "quoted path of a table file": "SELECT * FROM 'data.csv'",
    "quoted path in a subquery": "SELECT (SELECT count(*) FROM '../manifest.json')",
    "path above": "FROM '../../../../etc/passwd'",
    "path on the network": "FROM 'https://example.org/x.parquet'",
    "path in a bucket": "FROM 's3://bucket/x.parquet'",
    "Parquet's metadata": "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "Parquet's key values": "SELECT * FROM parquet_kv_metadata('/tmp/x.parquet')",
    "sniff a file": "SELECT * FROM sniff_csv('/etc/passwd')",
    "file in a function": "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "file by another name of the schema": "SELECT * FROM system.main.read_text('/etc/passwd')",
    "file by a quoted function": "SELECT * FROM \"READ_TEXT\"('/etc/passwd')",
    "file in a list": "SELECT list_transform([1], lambda x: (SELECT 1 FROM glob('/*')))",
    "copy out": "COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "copy a table out": "COPY result TO '/tmp/stolen.csv'",
    "copy over the database": "COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)",
    "copy over its log": "COPY (SELECT 1) TO '{file}.wal' (USE_TMP_FILE false)",
    "export": "EXPORT DATABASE '/tmp/stolen'",
    "attach": "ATTACH '{file}' AS other",
    "attach anew": "ATTACH ':memory:' AS other",
    "detach": "DETACH s0",
    "use": "USE s0",
    "create a table": "CREATE TABLE t AS SELECT 1",
    "create a view": "CREATE VIEW t AS SELECT 1",
    "create a macro": "CREATE MACRO m() AS 1",
    "insert": "INSERT INTO result VALUES (1)",
    "update": "UPDATE result SET value = 0",
    "delete": "DELETE FROM result",
    "drop": "DROP VIEW result",
    "truncate": "TRUNCATE result",
    "merge": "MERGE INTO result USING flow ON true WHEN MATCHED THEN DELETE",
    "alter": "ALTER VIEW result RENAME TO other",
    "write in a WITH": "WITH x AS (DELETE FROM scenario_name RETURNING *) SELECT * FROM x",
    "insert in a WITH": "WITH x AS (INSERT INTO people VALUES ('a', 1, 1) RETURNING *) FROM x",
    "update in a WITH": "WITH x AS (UPDATE people SET people = 1 RETURNING *) SELECT 1 FROM x",
    "copy in a WITH": "WITH x AS (SELECT 1) COPY (FROM x) TO '/tmp/stolen.csv'",
    "vacuum": "VACUUM",
    "checkpoint": "CHECKPOINT",
    "force a checkpoint": "SELECT * FROM force_checkpoint()",
    "begin": "BEGIN TRANSACTION",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "load a file": "LOAD '/tmp/x.duckdb_extension'",
    "set": "SET memory_limit = '100GB'",
    "set external access": "SET enable_external_access = true",
    "reset": "RESET lock_configuration",
    "pragma": "PRAGMA database_list",
    "pragma as a function": "SELECT * FROM pragma_database_size()",
    "pragma of storage": "SELECT * FROM pragma_storage_info('result')",
    "settings": "SELECT * FROM duckdb_settings()",
    "settings as a table": "SELECT * FROM duckdb_settings",
    "one setting": "SELECT current_setting('temp_directory')",
    "databases": "SELECT * FROM duckdb_databases()",
    "databases as a table": "SELECT path FROM duckdb_databases",
    "views": "SELECT sql FROM duckdb_views()",
    "views as a table": "SELECT * FROM duckdb_views",
    "views of sqlite": "SELECT * FROM sqlite_master",
    "information schema": "SELECT * FROM information_schema.tables",
    "catalog of PostgreSQL": "SELECT * FROM pg_catalog.pg_database",
    "hidden behind a WITH": "SELECT * FROM duckdb_databases, (WITH duckdb_databases AS (SELECT 1)"
    " FROM duckdb_databases) AS a",
    "open files": "SELECT * FROM duckdb_external_file_cache()",
    "logs": "SELECT * FROM duckdb_logs",
    "write a log": "SELECT write_log('x')",
    "another's schema": "SELECT * FROM s0.main.result",
    "table by text": "SELECT * FROM query_table('duckdb_databases')",
    "query by text": "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/stolen.csv''')",
    "histogram of a table by text": "SELECT * FROM histogram_values('duckdb_databases', path)",
    "make a secret": "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "secrets": "SELECT * FROM duckdb_secrets()",
    "which secret": "SELECT * FROM which_secret('s3://x', 's3')",
    "environment": "SELECT getenv('HOME')",
    "Python's variables": "SELECT * FROM passed",
    "Python's variables, of another module": "SELECT * FROM connection",
    "Python's scan": "SELECT * FROM pandas_scan(1)",
    "a variable": "SELECT getvariable('x')",
    "set a variable": "SET VARIABLE x = 1",
    "two statements": "SELECT 1; SELECT 2",
    "a write behind a SELECT": "SELECT 1; DROP VIEW result",
    "a write before a SELECT": "DROP VIEW result; SELECT 1",
    "a write behind a comment": "SELECT 1 /* ; */ ; -- x\n DROP VIEW result",
    "a comment that ends early": "/* /* */ SELECT 1 */ */ DELETE FROM result",
    "full-width letters": "ＤＥＬＥＴＥ FROM result",
    "a space that is none": "SELECT\u00a0*\u00a0FROM\u00a0read_text('/etc/passwd')",
    "letters without width": "SELECT * FROM read\u200b_text('/etc/passwd')",
    "text that runs backwards": "SELECT 1 \u202e; DELETE FROM result",
    "a semicolon of Greek": "SELECT 1 \u037e DELETE FROM result",
    "zero byte": "SELECT 1 \0; DELETE FROM result",
    "explain a write": "EXPLAIN DELETE FROM result",
    "explain and run a write": "EXPLAIN ANALYZE INSERT INTO people VALUES ('a', 1, 1)",
    "explain and run a copy": "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "explain with options": "EXPLAIN (ANALYZE) DELETE FROM people",
    "explain a file": "EXPLAIN SELECT * FROM read_text('/etc/passwd')",
    "prepare": "PREPARE p AS SELECT 1",
    "execute": "EXECUTE p",
    "call": "CALL pragma_version()",
    "run a plan": "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "run a plan by pragma": "PRAGMA json_execute_serialized_sql('{}')",
    "make a plan": "SELECT json_serialize_sql('SELECT 1')",
    "seed": "SELECT setseed(0.5)",
    "wait": "SELECT sleep_ms(100000)",
    "wait as in PostgreSQL": "SELECT pg_sleep(100)",
    "sequences": "SELECT nextval('s')",
    "everything shown": "SHOW ALL TABLES",
    "databases shown": "SHOW DATABASES",
    "describe a file": "DESCRIBE SELECT * FROM '/etc/passwd'",
    "summarize a file": "SUMMARIZE '/etc/passwd'",
    "import": "IMPORT DATABASE '/tmp/x'",
    "comment on": "COMMENT ON VIEW result IS 'x'",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_what_is_no_select_of_the_data_is_refused_with_a_clear_message(
    backend: Running, attempt: str
) -> None:
    folder = backend.data_directory / DATASET
    file = next(folder.glob("*.duckdb"))

    refusal = backend.refusal(ATTEMPTS[attempt].replace("{file}", str(file)))

    assert refusal.kind in {"syntax", "not_a_select", "forbidden"}
    assert refusal.what.endswith((".", "?", "!"))
    said = f"{refusal} {refusal.details}"
    assert "root:" not in said
    if "{file}" not in ATTEMPTS[attempt]:
        assert str(folder) not in said
    assert not Path("/tmp/stolen.csv").exists()
    assert not Path("/tmp/stolen").exists()


CROSS = "range(1000000)"
#: Queries that take too much of something.
EXPENSIVE = {
    "a cross join": f"SELECT sum(a.range * b.range) FROM {CROSS} AS a, {CROSS} AS b",
    "a long range": "SELECT count(*) FROM range(1000000000000)",
    "endless recursion": "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t)"
    " SELECT count(*) FROM t",
    "recursion that doubles": "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL"
    " (FROM t UNION ALL FROM t)) SELECT count(*) FROM t",
    "a big sort": "SELECT * FROM range(1000000000) ORDER BY hash(range)",
    "a big grouping": "SELECT range, count(*) FROM range(1000000000) GROUP BY range",
    "a list": "SELECT len(range(2000000000))",
    "a list worked on": "SELECT list_sum(list_transform(range(2000000), lambda x:"
    " list_sum(list_transform(range(1000000), lambda y: x + y))))",
    "a list of lists": "SELECT len(list_transform(range(1000000), lambda x: range(1000000)))",
    "a repeated text": "SELECT len(repeat('x', 2000000000))",
    "a repeated text, repeated": "SELECT len(repeat(repeat('x', 30000), 30000))",
    "padding": "SELECT len(lpad('x', 2000000000, 'y'))",
    "edit distance": "SELECT levenshtein(repeat('a', 2000000), repeat('b', 2000000))",
    "many queries in one": " UNION ALL ".join(["SELECT 1"] * 6000),
    "a text that grows": "SELECT max(len(s)) FROM (WITH RECURSIVE t(s) AS (SELECT 'x' UNION ALL"
    " SELECT s || s FROM t) FROM t)",
    "a wide cube": "SELECT count(*) FROM (SELECT 1 FROM (SELECT "
    + ", ".join(f"hash(range, {n}) AS c{n}" for n in range(14))
    + " FROM range(100000)) GROUP BY CUBE ("
    + ", ".join(f"c{n}" for n in range(14))
    + "))",
    "a wide pivot": "SELECT count(*) FROM (FROM range(3000000) PIVOT (sum(hash(range)) FOR range"
    " IN (" + ", ".join(map(str, range(5000))) + ")))",
    "regular expressions": "SELECT count(*) FROM range(100000000) WHERE regexp_matches("
    "repeat(range::VARCHAR, 1000), '(1*2*3*)*4{1,100}(5|6)*7$')",
    "strings put together": f"SELECT len(string_agg(a.range::VARCHAR)) FROM {CROSS} AS a, {CROSS}",
    "digits": "SELECT max(factorial(33::INTEGER)) FROM range(100000000000)",
}
#: Those that are refused before they are run.
TOO_MUCH_TO_READ = {
    "nested brackets": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "nested queries": "SELECT * FROM " + "(SELECT * FROM " * 1500 + "(SELECT 1)" + ")" * 1500,
    "nested calls": "SELECT " + "abs(" * 10000 + "1" + ")" * 10000,
    "a long sum": "SELECT " + "1+" * 40000 + "1",
    "many negations": "SELECT " + "NOT " * 20000 + "true",
    "20,000 queries in one": " UNION ALL ".join(["SELECT 1"] * 20_000),
    "5 MB of text": "SELECT '" + "x" * 5_000_000 + "'",
    "a cube of 30": "SELECT 1 FROM (SELECT "
    + ", ".join(f"1 AS c{n}" for n in range(30))
    + ") GROUP BY CUBE ("
    + ", ".join(f"c{n}" for n in range(30))
    + ")",
    "a repeated expression": "SELECT regexp_matches('a', '((a{100}){100}){100}')",
}


def test_what_takes_too_much_is_stopped_in_time_and_the_next_is_answered(backend: Running) -> None:
    async def ask_all() -> list:
        service = backend.own.service
        asked = [
            refused(service.run(backend.question(sql, who=f"attacker {number}")))
            for number, sql in enumerate(EXPENSIVE.values())
        ]
        return await asyncio.gather(*asked, return_exceptions=True)

    before = len(backend.log)
    refusals = dict(zip(EXPENSIVE, backend.wait(ask_all()), strict=True))

    answered = {name: r for name, r in refusals.items() if isinstance(r, BaseException)}
    assert not {n: r for n, r in refusals.items() if isinstance(r, AssertionError)}
    kinds = {name: refusal.kind for name, refusal in answered.items()}
    assert set(kinds.values()) <= {"time", "memory", "size", "killed"}, kinds
    assert all(refusal.what and refusal.hint for refusal in answered.values())
    slow = {e["sql"][:60]: e["seconds"] for e in backend.log[before:] if e["seconds"] > SECONDS + 2}
    assert not slow
    assert backend.run("SELECT 1 AS one").table.to_pydict() == {"one": [1]}


@pytest.mark.parametrize("text", TOO_MUCH_TO_READ)
def test_what_is_too_much_to_read_is_refused(backend: Running, text: str) -> None:
    refusal = backend.refusal(TOO_MUCH_TO_READ[text])

    assert refusal.kind in {"size", "syntax", "not_a_select", "time", "memory", "data"}
    assert len(refusal.what) < 400


def test_a_worker_that_dies_is_replaced_and_the_visitor_is_told_why(backend: Running) -> None:
    async def ask_and_kill() -> object:
        question = backend.question("SELECT count(*) FROM range(1000000000000)", who="unlucky")
        asked = asyncio.create_task(refused(backend.own.service.run(question)))
        while True:
            progress = await backend.own.service.progress(question.query_id)
            if progress is not None and progress.state == "running":
                break
            await asyncio.sleep(0.01)
        for number in busy_workers():
            os.kill(number, 9)
        return await asked

    refusal = backend.wait(ask_and_kill())

    assert refusal.kind == "killed"
    assert "another one has taken its place" in refusal.what.lower()
    assert backend.run("SELECT 2 AS two").table.to_pydict() == {"two": [2]}


def test_a_worker_that_dies_while_it_waits_costs_no_visitor_an_answer(backend: Running) -> None:
    workers = settled_workers(backend)
    for number in workers:
        os.kill(number, signal.SIGSTOP)
    question = backend.question("SELECT 3 AS three")

    async def ask_and_kill() -> object:
        asked = asyncio.create_task(backend.own.service.run(question))
        while True:
            progress = await backend.own.service.progress(question.query_id)
            if progress is not None and progress.state == "running":
                break
            await asyncio.sleep(0.01)
        for number in workers:
            os.kill(number, signal.SIGKILL)
        return await asked

    assert backend.wait(ask_and_kill()).table.to_pydict() == {"three": [3]}


def busy_workers() -> list[int]:
    """Numbers of the processes forked by the parent of this test's workers."""
    import psutil

    return [
        worker.pid
        for child in psutil.Process().children()
        if "app.backend" in " ".join(child.cmdline())
        for parent in child.children()
        for worker in parent.children()
    ]


def settled_workers(backend: Running) -> list[int]:
    """Numbers of the workers, when none is just being started or ended."""
    backend.run("SELECT 1")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            numbers = busy_workers()
            if numbers and all(status_of(n).get("NoNewPrivs") == "1" for n in numbers):
                return numbers
    raise AssertionError(f"Workers do not settle: {busy_workers()}")


def status_of(number: int) -> dict[str, str]:
    """What the kernel says of a process."""
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_workers_have_no_rights_no_environment_and_no_files_to_open(backend: Running) -> None:
    for number in settled_workers(backend):
        status = status_of(number)
        assert set(status["Uid"].split()) == {str(USER if os.geteuid() == 0 else os.geteuid())}
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        limits = Path(f"/proc/{number}/limits").read_text()
        assert "Max file size             0                    0" in limits
        assert "Max open files            3                    3" in limits
        environment = Path(f"/proc/{number}/environ").read_bytes()
        assert b"TIMES" not in environment
        assert b"KEY" not in environment


def test_workers_have_no_network(backend: Running) -> None:
    for number in settled_workers(backend):
        ours = os.readlink("/proc/self/ns/net")
        assert os.readlink(f"/proc/{number}/ns/net") != ours


def test_cancelling_answers_at_once_and_frees_the_place(backend: Running) -> None:
    async def ask_and_cancel() -> tuple[object, bool, float]:
        question = backend.question("SELECT count(*) FROM range(1000000000000)", who="impatient")
        asked = asyncio.create_task(refused(backend.own.service.run(question)))
        while True:
            progress = await backend.own.service.progress(question.query_id)
            if progress is not None and progress.state == "running":
                break
            await asyncio.sleep(0.01)
        began = time.monotonic()
        cancelled = await backend.own.service.cancel(question.query_id)
        refusal = await asked
        return refusal, cancelled, time.monotonic() - began

    refusal, cancelled, seconds = backend.wait(ask_and_cancel())

    assert cancelled
    assert refusal.kind == "cancelled"
    assert seconds < SECONDS
    assert not backend.wait(backend.own.service.cancel("nothing of that name"))
    assert backend.run("SELECT 1 AS one", who="impatient").rows == 1


def test_every_query_is_logged_with_who_when_what_rows_time_and_outcome(backend: Running) -> None:
    backend.run("SELECT 3 AS three", who="visitor 7", address="192.0.2.7")
    backend.refusal("SELECT getenv('HOME')", who="visitor 8", address="192.0.2.8")

    good, bad = backend.log[-2:]
    assert good["who"] == "visitor 7"
    assert good["address"] == "192.0.2.7"
    assert good["sql"] == "SELECT 3 AS three"
    assert good["dataset"] == DATASET
    assert good["version"]
    assert good["rows"] == 1
    assert good["outcome"] == "answered"
    assert 0 <= good["seconds"] < 30
    assert good["time"].startswith("20")
    assert bad["outcome"] == "syntax"
    assert bad["who"] == "visitor 8"


def test_a_service_that_was_started_with_little_priority_keeps_it() -> None:
    step = "import os; from app.backend.jail import step_back; step_back({}); print(os.nice(0))"
    of_user = AS_USER if os.getuid() == 0 else ()
    for wanted, kept in ((0, os.nice(0) + 7), (19, 19)):
        command = [*of_user, "nice", "-n", "7", sys.executable, "-c", step.format(wanted)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == str(kept)
