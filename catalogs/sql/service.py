"""The one interface through which SQL that a visitor wrote is asked.

Whoever asks (a page, the HTTP API, a notebook) makes an ``SqlQuestion``, hands it to an
``SqlService`` and gets an ``SqlResult``, or an ``SqlRefused`` that says why not. The service runs
the SQL in a process that can neither write nor reach anything else; the asker's own process never
executes it.

    service = ...                                    # app.backend.client has the one there is
    question = SqlQuestion("demo", "SELECT * FROM result WHERE year = $year", {"year": 2030})
    result = await service.run(question)
    result.table, result.rows, result.limits
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, Protocol, get_args
from uuid import uuid4

import pyarrow as pa

from catalogs.errors import TimesError

#: What may be bound to a parameter ``$name``. Bound by DuckDB, never pasted into the text.
Scalar = None | bool | int | float | Decimal | str | date | datetime | time

#: Formats a result can be exported in, by the ending of the file.
ExportFormat = Literal["csv", "xlsx", "parquet", "json", "ndjson"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)

#: Why a question was not answered.
#:
#: syntax        it is not SQL as DuckDB writes it, or names what there is not (line, column)
#: not_a_select  several statements, none, or one that is not a SELECT
#: forbidden     a function, table function or table that visitors may not use
#: parameter     a parameter is missing, not used, or of a type that does not fit
#: data          it ran, and met values that it cannot work with (a cast, an overflow)
#: time          it took longer than a query may take; it was stopped
#: memory        it needed more memory than a query may have; it was stopped
#: size          the text, or the result, is larger than is taken
#: cancelled     who asked has cancelled it
#: queue         too many queries are waiting
#: rate          this visitor or address has asked too much within the last minute
#: stale         the dataset has been published anew since the asker saw it
#: dataset       there is no such dataset
#: killed        the process that worked at it died, or had to be ended
#: unavailable   the service cannot be reached, or is just being started
RefusalKind = Literal[
    "syntax",
    "not_a_select",
    "forbidden",
    "parameter",
    "data",
    "time",
    "memory",
    "size",
    "cancelled",
    "queue",
    "rate",
    "stale",
    "dataset",
    "killed",
    "unavailable",
]
REFUSAL_KINDS: tuple[RefusalKind, ...] = get_args(RefusalKind)


def new_query_id() -> str:
    """Return an id for a question: 32 hexadecimal digits that nobody can guess."""
    return uuid4().hex


@dataclass(frozen=True)
class SqlQuestion:
    """One statement of a visitor's, and what is to be known to answer it.

    Parameters
    ----------
    dataset
        Name of a published dataset.
    sql
        One SELECT (or VALUES, FROM, TABLE, DESCRIBE, SUMMARIZE), without or with a semicolon at
        its end. Its tables are the views of ``catalogs.source.Source``.
    parameters
        Values of its named parameters: ``{"year": 2030}`` for ``$year``.
    version
        Data version that the asker saw; another one that is current by now is refused as
        ``stale``. Empty: whichever is current.
    rows
        Most rows to bring back with ``run``; the limits may allow fewer. Exports have all.
    query_id
        Made by the asker, and known to it alone: who knows it may cancel the query.
    who
        Opaque id of the visitor, for the fair queue, the rate limit and the log.
    address
        The visitor's network address, for the rate limit and the log.
    """

    dataset: str
    sql: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    version: str = ""
    rows: int = 10_000
    query_id: str = field(default_factory=new_query_id)
    who: str = ""
    address: str = ""


@dataclass(frozen=True)
class SqlResult:
    """The first rows of an answer, and how much more of it there is.

    Parameters
    ----------
    table
        The rows brought back. Names of its columns are unique: a second ``value`` is called
        ``value_1``. Types that Arrow lacks are text in it (``types`` has their own).
    types
        DuckDB's name of each column's type: ``VARCHAR``, ``DECIMAL(18,3)``, ``STRUCT(a INTEGER)``.
    rows
        All rows of the result; None where counting was stopped by a limit.
    complete
        Whether ``table`` has all of them.
    seconds
        Time the query took in its worker.
    waited
        Seconds it waited for a worker before.
    limits
        A sentence for each limit that bit: "Shown are the first 10,000 of 589,455 rows."
    version
        Data version that was read.
    query_id
        That of the question.
    """

    table: pa.Table
    types: tuple[str, ...]
    rows: int | None
    complete: bool
    seconds: float
    waited: float
    limits: tuple[str, ...]
    version: str
    query_id: str


@dataclass(frozen=True)
class Operator:
    """A step of a plan: rows come from its children, below.

    ``name`` is what it does in plain words ("Read a table", "Join"), ``operator`` DuckDB's own
    name ("SEQ_SCAN"), ``details`` pairs of what and how ("Filters", "year=2030"), ``rows`` how
    many rows DuckDB expects, None where it does not say.
    """

    name: str
    operator: str
    details: tuple[tuple[str, str], ...]
    rows: int | None
    children: tuple[Operator, ...] = ()


@dataclass(frozen=True)
class SqlPlan:
    """How DuckDB would answer a question; it has not been run. ``text`` is DuckDB's drawing."""

    root: Operator
    text: str
    seconds: float
    version: str
    query_id: str


@dataclass(frozen=True)
class SqlProgress:
    """How far a question or an export is.

    ``state`` is ``waiting`` (with ``place`` in the queue, 1 is next), ``running``, ``finished``,
    or ``failed`` (``message`` says why). ``rows`` have been written to an export so far;
    ``share`` (0 to 1) is DuckDB's guess of how far the query is, None where it has none;
    ``seconds`` since it was asked. Kept for some minutes after the end.
    """

    state: Literal["waiting", "running", "finished", "failed"]
    place: int = 0
    rows: int = 0
    share: float | None = None
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class SqlLimits:
    """What a query may take. All of it is configuration (README, "Limits of SQL").

    Parameters
    ----------
    seconds
        Longest time a query may run; exports may take ``export_seconds``.
    memory
        Bytes that its worker may use.
    threads
        Threads it is given.
    rows
        Most rows that ``run`` brings back.
    result_bytes
        Most bytes that ``run`` brings back; an export has no such limit.
    cell
        Longest text of one cell that ``run`` brings back, in characters.
    count_seconds
        Longest time spent on counting the rows of a result beyond those brought back.
    text
        Longest SQL text, in characters.
    parameters
        Most named parameters.
    columns
        Most columns of a result.
    running
        Queries that run at the same time, those of all visitors together.
    exporting
        Exports that are written at the same time, beside the queries.
    running_each
        Queries of one visitor that run at the same time.
    waiting
        Places in the queue.
    waiting_each
        Places in the queue that one visitor may hold.
    per_minute
        Queries that a visitor may ask within a minute.
    per_minute_address
        Queries that may come from one network address within a minute.
    export_link_seconds
        How long the address of an export can be used.
    """

    seconds: float = 30.0
    export_seconds: float = 600.0
    memory: int = 1024**3
    threads: int = 2
    rows: int = 10_000
    result_bytes: int = 32 * 1024**2
    cell: int = 10_000
    count_seconds: float = 2.0
    text: int = 100_000
    parameters: int = 100
    columns: int = 1_000
    running: int = 2
    exporting: int = 2
    running_each: int = 1
    waiting: int = 60
    waiting_each: int = 10
    per_minute: int = 60
    per_minute_address: int = 240
    export_link_seconds: int = 600


class SqlRefused(TimesError):
    """A question that was not answered.

    Parameters
    ----------
    kind
        Why, see ``RefusalKind``.
    what
        One sentence: what is wrong.
    hint
        One sentence: what to do instead. May be empty. It is the error's ``remedy`` as well.
    line, column
        Where in the question's text, both from 1; None where no place is to blame.
    details
        DuckDB's own words, shown folded away.
    """

    def __init__(
        self,
        kind: RefusalKind,
        what: str,
        hint: str = "",
        *,
        line: int | None = None,
        column: int | None = None,
        details: str = "",
    ) -> None:
        super().__init__(what, hint, details)
        self.kind = kind
        self.hint = hint
        self.line = line
        self.column = column


class SqlService(Protocol):
    """Where SQL is answered. All methods may raise ``SqlRefused``, and nothing else."""

    async def run(self, question: SqlQuestion) -> SqlResult:
        """Answer a question with its first rows."""
        ...

    async def explain(self, question: SqlQuestion) -> SqlPlan:
        """Return how a question would be answered, without answering it."""
        ...

    async def cancel(self, query_id: str) -> bool:
        """Stop a question or an export, waiting or running; False where there is none (any more).

        Who waits for its result gets ``SqlRefused`` with the kind ``cancelled``.
        """
        ...

    async def progress(self, query_id: str) -> SqlProgress | None:
        """Return how far a question or an export is; None for one that is not known."""
        ...

    async def export_address(
        self, question: SqlQuestion, format: ExportFormat, name: str = ""
    ) -> str:
        """Return where a browser can fetch the whole result, within ``export_link_seconds``.

        The address is signed, begins with ``/api/`` (put the server's prefix before it), and
        holds the question: the query runs when the address is opened, and ``progress`` and
        ``cancel`` go by the question's ``query_id``. The SQL is checked before: an address that
        is handed out is one that the gate lets through. ``name`` is the file's, without ending.
        """
        ...

    async def limits(self) -> SqlLimits:
        """Return the limits in force."""
        ...
