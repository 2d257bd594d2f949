"""What the SQL service costs, and what it keeps from the rest: the bars of the SQL panel.

Queries are asked as pages ask them, through the client over a socket; beside it stands DuckDB in
this process. The explorer's queries are asked of ``Source.ask`` here, first with nothing else going
on, then while six visitors send what is never done in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import duckdb

from app.backend.child import OwnBackend
from bench.data import DATASET
from bench.figures import heading, line, percentile, spread
from catalogs import open_source
from catalogs.measures import measure
from catalogs.query import Query
from catalogs.source import Source
from catalogs.sql.service import ExportFormat, SqlQuestion, SqlRefused

ROWS = 1_000_000
SECONDS = 5
_ROWS = f"SELECT * FROM result LIMIT {ROWS}"

#: Each is stopped, in one way or another.
ATTACKS = (
    "SELECT sum(a.range * b.range) FROM range(1000000) AS a, range(1000000) AS b",
    "SELECT count(*) FROM range(1000000000000)",
    "SELECT * FROM range(1000000000) ORDER BY hash(range)",
    "SELECT levenshtein(repeat('a', 2000000), repeat('b', 2000000))",
    "SELECT len(repeat(repeat('x', 30000), 30000))",
    "SELECT count(*) FROM result AS a, result AS b, result AS c WHERE a.value < b.value + c.value",
)

#: What the explorer asks, each a picture of its own.
_EXPLORED = tuple(
    Query(name, group_by=group)
    for name in ("electricity_generation", "final_energy", "primary_energy", "emissions")
    for group in ((), *((each,) for each in measure(name).groups[:5]))
)


def report(data_directory: Path) -> None:
    """Measure and print."""
    asyncio.run(_report(data_directory))


async def _report(data_directory: Path) -> None:
    limits = {"SECONDS": SECONDS, "PER_MINUTE": 100_000, "PER_MINUTE_ADDRESS": 100_000}
    environment = {f"TIMES_SQL_{name}": str(value) for name, value in limits.items()}
    with tempfile.TemporaryDirectory() as scratch:
        environment["TIMES_SQL_LOG"] = f"{scratch}/sql.log"
        async with OwnBackend(data_directory, environment=environment) as own:
            source = open_source(data_directory, DATASET)
            await own.service.run(_question("SELECT 1"))
            await _trivial(own, source)
            await _exports(own, source, Path(scratch))
            await _attacks(own, source, Path(scratch) / "sql.log")


def _question(sql: str, who: str = "bench") -> SqlQuestion:
    return SqlQuestion(DATASET, sql, who=who)


async def _trivial(own: OwnBackend, source: Source) -> None:
    heading("A warm query that does nearly nothing, through the service and in DuckDB alone")
    for sql in ("SELECT 1 AS one", "SELECT count(*) FROM period"):
        asked = [await _timed(lambda sql=sql: own.service.run(_question(sql))) for _ in range(100)]
        alone = []
        for _ in range(100):
            began = time.perf_counter()
            source.rows(sql)
            alone.append(1000 * (time.perf_counter() - began))
        line(sql, spread(asked))
        line("  DuckDB alone", spread(alone))
        line("  more than that", f"median {median(asked) - median(alone):.1f} ms", "25 ms")


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await ask()
    return 1000 * (time.perf_counter() - began)


async def _exports(own: OwnBackend, source: Source, scratch: Path) -> None:
    heading(f"Exporting {ROWS:,} results, through the service and with DuckDB's COPY to a file")
    formats: tuple[tuple[ExportFormat, str], ...] = (
        ("csv", "(FORMAT csv, HEADER)"),
        ("parquet", "(FORMAT parquet)"),
    )
    with duckdb.connect(config={"threads": 2}) as connection:
        for number, scenario in enumerate(source.manifest.scenarios):
            path = str(source.manifest_path.parent / scenario.file)
            connection.execute(f"ATTACH '{path}' AS s{number} (READ_ONLY)")
        parts = " UNION ALL ".join(
            f"SELECT '{scenario.key}' AS scenario, * FROM s{number}.result"
            for number, scenario in enumerate(source.manifest.scenarios)
        )
        connection.execute(f"CREATE VIEW result AS {parts}")
        for format, options in formats:
            streamed, copied = [], []
            for _ in range(3):
                began = time.perf_counter()
                size = await _download(own, format)
                streamed.append(time.perf_counter() - began)
                began = time.perf_counter()
                connection.execute(f"COPY ({_ROWS}) TO '{scratch / f'copy.{format}'}' {options}")
                copied.append(time.perf_counter() - began)
            line(f"{format}, streamed ({size / 1e6:.0f} MB)", f"{min(streamed):5.2f} s")
            line(f"{format}, COPY", f"{min(copied):5.2f} s")
            line("  speed of COPY's", f"{min(copied) / min(streamed):.0%}", "50%")


async def _download(own: OwnBackend, format: ExportFormat) -> int:
    address = await own.service.export_address(_question(_ROWS), format)
    size = 0
    async with own.backend.client(None) as client, client.stream("GET", address) as response:
        response.raise_for_status()
        async for piece in response.aiter_raw():
            size += len(piece)
    return size


async def _attacks(own: OwnBackend, source: Source, log: Path) -> None:
    heading(f"Six visitors whose queries are stopped, limit {SECONDS} s; the explorer beside them")
    idle: list[float] = []
    attacked: list[float] = []
    going_on = asyncio.Event()

    async def attack(number: int, sql: str) -> None:
        while going_on.is_set():
            with contextlib.suppress(SqlRefused):
                await own.service.run(_question(sql, who=f"attacker {number}"))

    # In turn, so that whatever else the machine does falls on both.
    for _ in range(3):
        idle += await asyncio.to_thread(_explore, source, 3)
        going_on.set()
        attacking = [asyncio.create_task(attack(n, sql)) for n, sql in enumerate(ATTACKS)]
        await asyncio.sleep(1)
        attacked += await asyncio.to_thread(_explore, source, 3)
        going_on.clear()
        await asyncio.gather(*attacking)
    logged = [json.loads(text) for text in log.read_text().splitlines()]
    stopped = [entry for entry in logged if entry["who"].startswith("attacker")]
    kinds = ", ".join(sorted({entry["outcome"] for entry in stopped}))
    slowest = max(entry["seconds"] for entry in stopped)
    line("attacks", f"{len(stopped)}, answered with: {kinds}")
    line("longest from its turn to its answer", f"{slowest:.1f} s", f"{SECONDS + 2} s")
    line("Source.ask, nothing else going on", spread(idle))
    line("Source.ask, under attack", spread(attacked))
    ratio = percentile(attacked, 0.95) / percentile(idle, 0.95)
    line("  95th percentile, times the idle one", f"{ratio:.2f}", "2")


def _explore(source: Source, times: int) -> list[float]:
    """Milliseconds of each of the explorer's queries, nothing kept from before."""
    found = []
    for _ in range(times):
        fresh = Source(source.manifest_path)
        asked = [query for query in _EXPLORED if query.measure in fresh.measure_names]
        for query in asked:
            fresh.available(query.measure)
        for query in asked:
            began = time.perf_counter()
            fresh.ask(query)
            found.append(1000 * (time.perf_counter() - began))
        fresh.close()
    return found
