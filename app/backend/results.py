"""Rows of a result as they are brought back: as many as are wanted, in types that a page shows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from app.backend.gate import Passed
from catalogs.sql.functions import words
from catalogs.sql.service import SqlRefused

#: DuckDB's types that Arrow and whoever reads it have as well. All others become text.
PLAIN = words(
    "boolean tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint float"
    " double decimal varchar date time timestamp timestamp_s timestamp_ms timestamp_ns"
)
WITH_ZONE = frozenset({"timestamp with time zone"})
NOTHING = frozenset({'"null"', "null", "sqlnull"})
_BATCH = 2048


@dataclass(frozen=True)
class Brought:
    """The first rows of a result as an Arrow stream; ``rows`` is None where there are more."""

    payload: bytes
    types: list[str]
    rows: int | None
    complete: bool
    limits: list[str]


@dataclass(frozen=True)
class Most:
    """What is brought back at most: rows, bytes of them, and characters of a text (cut there)."""

    rows: int
    size: int
    cell: int


def shown(relation: duckdb.DuckDBPyRelation) -> list[str]:
    """Return the names of a relation's columns, none of them twice (without regard to case)."""
    names: list[str] = []
    taken = {name.lower() for name in relation.columns}
    seen: set[str] = set()
    for name in relation.columns:
        unique, number = name, 0
        while unique.lower() in seen or (number and unique.lower() in taken):
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique.lower())
        names.append(unique)
    return names


def columns_for(relation: duckdb.DuckDBPyRelation, most: int) -> None:
    """Refuse a result of more columns than are taken."""
    if len(relation.columns) > most:
        raise SqlRefused(
            "size",
            f"The result has {len(relation.columns):,} columns; at most {most:,} are taken.",
            "Name the columns that you need.",
        )


def as_plain(
    relation: duckdb.DuckDBPyRelation, kept: frozenset[str] = PLAIN | WITH_ZONE | NOTHING
) -> duckdb.DuckDBPyRelation:
    """Return a relation with unique names whose types are in ``kept``; others become text."""
    names = shown(relation)
    kinds = [str(kind.id).lower() for kind in relation.types]
    if names == relation.columns and all(kind in kept for kind in kinds):
        return relation
    parts = []
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True), start=1):
        value = f"#{number}" if kind in kept else f"CAST(#{number} AS VARCHAR)"
        parts.append(f"{value} AS {identifier(name)}")
    return relation.project(", ".join(parts))


def identifier(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def bring_back(
    relation: duckdb.DuckDBPyRelation, most: Most, not_stopped: Callable[[], None]
) -> Brought:
    """Return the first rows of a result. ``not_stopped`` raises when that was asked for."""
    rows, size, cell = most.rows, most.size, most.cell
    types = [str(kind) for kind in relation.types]
    batches: list[pa.RecordBatch] = []
    taken, of_bytes, cut, more, limits = 0, 0, 0, False, []
    with as_plain(relation).to_arrow_reader(_BATCH) as reader:
        for batch in reader:
            not_stopped()
            kept, cut_here = _cut(batch.slice(0, rows - taken), cell)
            more = more or kept.num_rows < batch.num_rows
            if of_bytes + kept.nbytes > size:
                fitting = _fitting(kept, size - of_bytes)
                limits.append(f"Rows beyond {size / 2**20:,.0f} MB are not brought back.")
                kept, more = kept.slice(0, fitting), True
            taken, of_bytes, cut = taken + kept.num_rows, of_bytes + kept.nbytes, cut + cut_here
            batches.append(kept)
            if more:
                break
        schema = reader.schema
    if cut:
        limits.append(f"{cut:,} texts are cut after {cell:,} characters; an export has them whole.")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema if batches else schema) as writer:
        for kept in batches:
            writer.write_batch(kept)
    return Brought(sink.getvalue().to_pybytes(), types, None if more else taken, not more, limits)


def _fitting(batch: pa.RecordBatch, size: int) -> int:
    """Return how many first rows of a batch have at most ``size`` bytes."""
    fitting, step = 0, batch.num_rows
    while step:
        if fitting + step <= batch.num_rows and batch.slice(0, fitting + step).nbytes <= size:
            fitting += step
        step //= 2
    return fitting


def _cut(batch: pa.RecordBatch, cell: int) -> tuple[pa.RecordBatch, int]:
    """Cut texts of a batch that are too long; also return how many were."""
    columns, cut = [], 0
    for column in batch.columns:
        long = 0
        if pa.types.is_string(column.type) and column.nbytes > cell:
            long = pc.sum(pc.greater(pc.utf8_length(column), cell)).as_py() or 0
        columns.append(pc.utf8_slice_codeunits(column, 0, cell) if long else column)
        cut += long
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema), cut


@dataclass(frozen=True)
class Counted:
    """Counts all rows of a query whose first rows are known."""

    cursor: duckdb.DuckDBPyConnection
    passed: Passed
    given: Mapping[str, Any]

    def within(self, seconds: float) -> int | None:
        """Return the number of rows; None where that takes longer than some seconds."""
        timer = threading.Timer(seconds, self.cursor.interrupt)
        timer.daemon = True
        relation = self.cursor.sql(self.passed.to_run, params=dict(self.given))
        timer.start()
        try:
            (count,) = relation.aggregate("count(*)").fetchall()[0]
        except (duckdb.InterruptException, duckdb.OutOfMemoryException):
            return None
        finally:
            timer.cancel()
        return int(count)
