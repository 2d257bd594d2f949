"""What is worth knowing of the records of an import: counted, none of them left out."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from catalogs.flow_records import pyramid
from catalogs.flow_records.tables import RecordTable, as_number
from catalogs.readers.base import report

_NOTICED = (
    (
        "warning",
        "values",
        "records without a finite value (empty, NaN or infinite); they count as no flow, and"
        " profiles have a gap there",
    ),
    (
        "warning",
        "values",
        "negative values; they are flows from the destination to the origin",
    ),
    ("info", "values", "values that are 0"),
    (
        "info",
        "values",
        "records from a place to itself; they have no arc and count as within the place",
    ),
    (
        "warning",
        "duplicates",
        "records of the same time, places and commodity as another; they are added up",
    ),
)


def report_records(
    connection: duckdb.DuckDBPyConnection, *, by_line: bool, turned: Sequence[RecordTable]
) -> None:
    """Count what is odd in the table ``flow``, and report it.

    ``turned`` are the tables of records of pairs of places that are on lines now: those that run
    against their line have changed their sign.
    """
    loops = "(SELECT line FROM line WHERE origin = destination)"
    same = f"line IN {loops}" if by_line else "origin = destination"
    keys: tuple[str, ...] = ("line",) if by_line else pyramid.KEYS
    if turned:  # what flows back is a record of its own
        keys = (*keys, "(value < 0)")
    # The records lie sorted, so that equal ones follow each other.
    again = " AND ".join(f"{key} = lag({key}) OVER ()" for key in (*keys, "step"))
    [counts] = connection.execute(
        "SELECT count(*) FILTER (value IS NULL), count(*) FILTER (value < 0),"
        f" count(*) FILTER (value = 0), count(*) FILTER ({same}), count(*) FILTER (again)"
        f" FROM (SELECT *, {again} AS again FROM flow)"
    ).fetchall()
    missing, negative, *others = counts
    if turned:
        negative = sum(_negative(connection, table) for table in turned)
    for (severity, topic, message), count in zip(
        _NOTICED, (missing, negative, *others), strict=True
    ):
        if count:
            report(connection, severity, topic, message, count=count)


def _negative(connection: duckdb.DuckDBPyConnection, table: RecordTable) -> int:
    value = as_number(table.relation, table.found["value"])
    [(count,)] = connection.execute(
        f"SELECT count(*) FROM {table.relation.sql} WHERE isfinite({value}) AND {value} < 0",
        table.relation.parameters,
    ).fetchall()
    return int(count)
