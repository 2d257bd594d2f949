"""A service for SQL that runs it at once, in this process, on a trusted source: for tests only."""

from __future__ import annotations

import asyncio
import re
import time
import warnings
from dataclasses import replace

import duckdb

from catalogs.source import Source
from catalogs.sql.service import (
    ExportFormat,
    Operator,
    SqlLimits,
    SqlPlan,
    SqlProgress,
    SqlQuestion,
    SqlRefused,
    SqlResult,
)

LIMITS = SqlLimits(rows=1000, text=50_000)
_PLACE = re.compile(r"LINE (\d+): ?(.*)\n( *)\^")


class TrustedService:
    """Answers as the real one does. What it was asked is in ``asked``, in that order.

    ``delay`` are seconds that each query takes longer; without ``can_cancel`` none is stopped;
    ``refusal`` is raised by the next query.
    """

    def __init__(self, source: Source, limits: SqlLimits = LIMITS) -> None:
        self.source = source
        self._limits = limits
        self.asked: list[SqlQuestion] = []
        self.cancelled: list[str] = []
        self.exported: list[tuple[SqlQuestion, ExportFormat, str]] = []
        self.delay = 0.0
        self.can_cancel = True
        self.refusal: SqlRefused | None = None
        self._looks = 0

    async def run(self, question: SqlQuestion) -> SqlResult:
        self.asked.append(question)
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            raise refusal
        end = time.monotonic() + self.delay
        while time.monotonic() < end:
            if question.query_id in self.cancelled:
                raise SqlRefused("cancelled", "The query was cancelled.")
            await asyncio.sleep(0.02)
        self._check(question)
        return await asyncio.to_thread(self._answer, question)

    def _check(self, question: SqlQuestion) -> None:
        if len(question.sql) > self._limits.text:
            raise SqlRefused("size", "The text is too long.", "Shorten it.")
        if question.version and question.version != self.source.version:
            raise SqlRefused("stale", "The dataset was published anew.", "Run it on that.")

    def _answer(self, question: SqlQuestion) -> SqlResult:
        begin = time.monotonic()
        with self.source._connection.cursor() as cursor:
            try:
                # A relation's errors do not say where they are.
                found = cursor.execute(question.sql, dict(question.parameters) or None)
                types = tuple(str(kind) for _, kind, *_ in found.description or ())
                with warnings.catch_warnings(action="ignore"):
                    table = found.to_arrow_table()
            except duckdb.Error as error:
                raise _refusal(error) from error
        rows = min(question.rows, self._limits.rows)
        shown = table.slice(0, rows)
        limits: tuple[str, ...] = ()
        if table.num_rows > rows:
            limits = (f"Shown are the first {rows:,} of {table.num_rows:,} rows.",)
        return SqlResult(
            table=shown,
            types=types,
            rows=table.num_rows,
            complete=table.num_rows <= rows,
            seconds=time.monotonic() - begin,
            waited=0.0,
            limits=limits,
            version=self.source.version,
            query_id=question.query_id,
        )

    async def explain(self, question: SqlQuestion) -> SqlPlan:
        self._check(question)
        try:
            text = self.source.rows(f"EXPLAIN {question.sql}", dict(question.parameters) or None)
        except duckdb.Error as error:
            raise _refusal(error) from error
        scan = Operator("Read a table", "SEQ_SCAN", (("Table", "flow_annual"),), 20_000)
        root = Operator("Add up in groups", "HASH_GROUP_BY", (), 12, (scan,))
        return SqlPlan(root, text[0][1], 0.001, self.source.version, question.query_id)

    async def cancel(self, query_id: str) -> bool:
        if self.can_cancel:
            self.cancelled.append(query_id)
        return self.can_cancel

    async def progress(self, query_id: str) -> SqlProgress | None:
        self._looks += 1
        first = SqlProgress("running", rows=1200, share=0.4)
        return first if self._looks == 1 else replace(first, state="finished", rows=3000)

    async def export_address(
        self, question: SqlQuestion, format: ExportFormat, name: str = ""
    ) -> str:
        self.exported.append((question, format, name))
        return f"/api/query/export/{question.query_id}.{format}"

    async def limits(self) -> SqlLimits:
        return self._limits


def _refusal(error: duckdb.Error) -> SqlRefused:
    text = str(error)
    place = _PLACE.search(text)
    what = text.partition("\n")[0]
    if place is None:
        return SqlRefused("syntax", what, details=text)
    # The mark stands below the quoted line, behind "LINE n: ".
    column = len(place[3]) - len(f"LINE {place[1]}: ") + 1
    return SqlRefused("syntax", what, line=int(place[1]), column=max(1, column), details=text)
