"""A worker: one version of a dataset, opened read-only, for one query at a time.

It is forked by ``zygote`` with one socket. It opens the dataset, gives up every right it has, and
then takes jobs from the socket: the gate checks the text, DuckDB runs it, frames of the answer go
back (``wire``). Who asks may say ``stop`` at any time, and may end the process at any time: it
holds nothing that matters.

It lives on after a query: a process forked for each would begin 8 ms later, read with one thread
only, and forget what it has read. Its bound on processor time is set anew for each query.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from app.backend import jail, wire
from app.backend.exports import EXPORTS, Sink
from app.backend.gate import Gate, Passed, moved
from app.backend.plans import plan_of
from app.backend.refusals import from_duckdb, other_dialect, out_of_memory
from app.backend.results import Counted, Most, bring_back, columns_for, shown
from catalogs import semantics
from catalogs.errors import TimesError
from catalogs.sql.service import SqlRefused
from catalogs.store import Manifest
from catalogs.views import open_views

#: Seconds between reports of how far a job is.
_REPORT_EVERY = 0.4

_CONFIG: dict[str, Any] = {
    "python_enable_replacements": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "temp_directory": "",
}


def main(connection: socket.socket, user: int, parent: int) -> None:
    """Open the dataset that the first frame names, then work until the other side goes."""
    received = wire.receive(connection)
    if received is None:
        return
    request, _ = received
    jail.limit_memory(request["memory"])
    try:
        dataset = Dataset(request)
        jail.step_back(request["nice"])
        jail.drop_rights(user)
        jail.die_with_parent(parent)
        jail.close_files()
    except (TimesError, duckdb.Error, OSError) as error:
        connection.sendall(wire.frame({"failed": _without_paths(error, request["folder"])}))
        return
    connection.sendall(wire.frame({"ready": True}))
    Worker(dataset, connection, request["threads"]).work()


def warm_up(connection: duckdb.DuckDBPyConnection) -> None:
    """Do once what a worker does, so that every module it needs has been imported."""
    gate = Gate(connection, {"t"})
    connection.execute("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b, 1.5::DECIMAL(3, 1) AS c")
    for sql in ("SELECT * FROM t WHERE a = $a", "EXPLAIN SELECT a FROM t"):
        with contextlib.suppress(SqlRefused):
            passed = gate.check(sql)
            given = dict.fromkeys(passed.parameters, 1)
            relation = connection.sql(passed.to_run, params=given)
            bring_back(relation, Most(10, 1 << 20, 100), lambda: None)
    for export in EXPORTS.values():
        export(connection, gate.check("SELECT * FROM t"), {}, Sink(lambda _rows, _data: None))
    with contextlib.suppress(SqlRefused):
        gate.check("SELECT nothing() FROM s")
    plan_of(connection, gate.check("SELECT a FROM t"), {})
    with duckdb.connect(config={"threads": 1}) as empty:
        open_views(empty, Path(), Manifest("", "", "", ()))


class Dataset:
    """A version of a dataset, opened for reading, and its gate."""

    def __init__(self, request: dict[str, Any]) -> None:
        folder = Path(request["folder"])
        semantics.use(Path(request["semantics"]))
        manifest = Manifest.from_json(request["manifest"])
        self.connection = duckdb.connect(
            ":memory:",
            config={
                **_CONFIG,
                "memory_limit": f"{request['memory'] // 2**20}MiB",
                "threads": request["threads"],
            },
        )
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        open_views(self.connection, folder, manifest)
        tables = {
            name.lower()
            for (name,) in self.connection.execute(
                "SELECT view_name FROM duckdb_views() WHERE NOT internal"
                " AND database_name = 'memory' UNION SELECT table_name FROM duckdb_tables()"
                " WHERE database_name = 'memory'"
            ).fetchall()
        }
        reserved = {
            name.lower()
            for (name,) in self.connection.execute(
                "SELECT view_name FROM duckdb_views() WHERE internal"
            ).fetchall()
        }
        known = {
            name.lower()
            for (name,) in self.connection.execute(
                "SELECT DISTINCT function_name FROM duckdb_functions()"
            ).fetchall()
        }
        self._touch(tables)
        self.connection.execute("SET GLOBAL errors_as_json = true")
        self.connection.execute("SET lock_configuration = true")
        self.gate = Gate(self.connection, tables, reserved - tables, known)
        self.folder = request["folder"]

    def _touch(self, tables: set[str]) -> None:
        """Read the beginning of every table: what DuckDB does at first use is done."""
        for name in sorted(tables):
            self.connection.execute(f'SELECT * FROM "{name}" LIMIT 0').fetchall()


class Worker:
    """Takes jobs from a socket, one at a time."""

    def __init__(self, dataset: Dataset, connection: socket.socket, threads: int) -> None:
        self._dataset = dataset
        self._connection = connection
        self._threads = threads
        self._jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._sending = threading.Lock()
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._stopped = False
        self._rows = 0

    def work(self) -> None:
        """Work until the other side goes."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            self._do(self._jobs.get())

    def _listen(self) -> None:
        while True:
            readable, _, _ = select.select([self._connection], [], [], _REPORT_EVERY)
            if not readable:
                self._report()
                continue
            received = wire.receive(self._connection)
            if received is None:
                os._exit(0)
            job, _ = received
            if job["do"] != "stop":
                self._send({"begun": True})
                self._jobs.put(job)
                continue
            self._stopped = True
            if (cursor := self._cursor) is not None:
                cursor.interrupt()

    def _report(self) -> None:
        """Say how far the job is, unless an answer is just being sent."""
        cursor = self._cursor
        if cursor is None or not self._sending.acquire(blocking=False):
            return
        try:
            share = cursor.query_progress()
            content = {"rows": self._rows, "share": share / 100 if share >= 0 else None}
            self._connection.sendall(wire.frame({"progress": content}))
        finally:
            self._sending.release()

    def _send(self, content: dict[str, Any], payload: bytes = b"") -> None:
        with self._sending:
            self._connection.sendall(wire.frame(content, payload))

    def _do(self, job: dict[str, Any]) -> None:
        began = time.perf_counter()
        jail.allow_seconds(job["seconds"] * self._threads + 1)
        self._stopped, self._rows = False, 0
        try:
            with self._dataset.connection.cursor() as cursor:
                self._cursor = cursor
                content, payload = getattr(self, f"_{job['do']}")(cursor, job)
        except (SqlRefused, MemoryError) as error:
            refusal = error if isinstance(error, SqlRefused) else out_of_memory()
            refusal = other_dialect(job["sql"], refusal)
            content, payload = {"refused": wire.refusal_to_json(refusal)}, b""
        finally:
            self._cursor = None
        self._send({"done": content, "seconds": time.perf_counter() - began}, payload)

    def _checked(self, job: dict[str, Any]) -> tuple[Passed, dict[str, Any]]:
        passed = self._dataset.gate.check(job["sql"])
        given = {name: wire.unpacked(value) for name, value in job["parameters"].items()}
        if missing := sorted(passed.parameters - given.keys()):
            raise SqlRefused("parameter", f"The parameter ${missing[0]} has no value.", "Give one.")
        return passed, {name: given[name] for name in passed.parameters}

    @contextlib.contextmanager
    def _errors_of(
        self, job: dict[str, Any], passed: Passed, given: dict[str, Any]
    ) -> Iterator[None]:
        """Turn what DuckDB and Arrow raise into refusals."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException, RuntimeError) as error:
            if self._stopped:
                raise SqlRefused("cancelled", "The query was stopped.") from error
            known = error if isinstance(error, duckdb.Error) else duckdb.Error(str(error))
            before = len(passed.to_run) - len(passed.sql)
            refusal = from_duckdb(known, passed.sql, before)
            if refusal.kind == "syntax" and refusal.line is None:
                refusal = self._with_place(refusal, passed.sql, given)
            raise moved(self._about_values(refusal, given), job["sql"], passed.start) from error

    def _with_place(self, refusal: SqlRefused, sql: str, given: dict[str, Any]) -> SqlRefused:
        """Ask for the plan: DuckDB refuses it for the same reason, and says where."""
        try:
            with self._dataset.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", given).fetchall()
        except duckdb.Error as error:
            return from_duckdb(error, sql, before=len("EXPLAIN "))
        return refusal

    def _about_values(self, refusal: SqlRefused, given: dict[str, Any]) -> SqlRefused:
        """Say which parameter has a value that does not fit; leave no path in the text."""
        for name, value in given.items():
            if refusal.kind == "data" and isinstance(value, str) and f"'{value}'" in refusal.what:
                return SqlRefused(
                    "parameter",
                    f"The value {value[:60]!r} of ${name} does not fit: {refusal.what}",
                    "Give a value of the type of the column.",
                )
        refusal.what = refusal.what.replace(self._dataset.folder, "")
        refusal.details = refusal.details.replace(self._dataset.folder, "")
        return refusal

    def _check(self, cursor: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> wire.Frame:
        passed, given = self._checked(job)
        with self._errors_of(job, passed, given):
            shown(cursor.sql(passed.to_run, params=given))
        return {}, b""

    def _run(self, cursor: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> wire.Frame:
        passed, given = self._checked(job)
        with self._errors_of(job, passed, given):
            relation = cursor.sql(passed.to_run, params=given)
            columns_for(relation, job["columns"])
            most = Most(job["rows"], job["bytes"], job["cell"])
            brought = bring_back(relation, most, self._not_stopped)
        rows = brought.rows
        if rows is None:
            with self._errors_of(job, passed, given):
                rows = Counted(cursor, passed, given).within(job["count_seconds"])
            self._not_stopped()
        content = {"types": brought.types, "rows": rows, "limits": brought.limits}
        return {**content, "complete": brought.complete}, brought.payload

    def _explain(self, cursor: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> wire.Frame:
        passed, given = self._checked(job)
        with self._errors_of(job, passed, given):
            root, text = plan_of(cursor, passed, given)
        return {"root": root, "text": text}, b""

    def _export(self, cursor: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> wire.Frame:
        passed, given = self._checked(job)

        def send(rows: int, data: bytes) -> None:
            self._not_stopped()
            self._rows = rows
            self._send({"rows": rows}, data)

        with self._errors_of(job, passed, given):
            columns_for(cursor.sql(passed.to_run, params=given), job["columns"])
            rows = EXPORTS[job["format"]](cursor, passed, given, Sink(send))
        return {"rows": rows}, b""

    def _not_stopped(self) -> None:
        if self._stopped:
            raise SqlRefused("cancelled", "The query was stopped.")


def _without_paths(error: Exception, folder: str) -> str:
    return str(error).replace(folder, "")
