"""Codes: the texts of a dimension, numbered in their order.

A scenario has millions of rows and a few thousand texts. As DuckDB's ENUM a column still reads as
text, and millions of rows are compared, sorted and added up as small numbers. Codes live only
while a scenario is imported: what is published holds plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

_PREFIX = "code_of_"


def type_of(dimension: str) -> str:
    """Return the SQL type of a dimension's codes."""
    return f'"{_PREFIX}{dimension}"'


def make(connection: duckdb.DuckDBPyConnection, texts: Mapping[str, Iterable[str]]) -> None:
    """Make the types of some dimensions from the texts that occur in them.

    Codes sort as their texts do. A type must not be there already: see ``drop``.
    """
    for dimension, found in texts.items():
        connection.execute(
            f"CREATE TEMP TYPE {type_of(dimension)} AS ENUM (SELECT unnest($texts::VARCHAR[]))",
            {"texts": sorted(set(found))},
        )


def dimensions(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the dimensions whose codes have been made."""
    rows = connection.execute(
        "SELECT type_name FROM duckdb_types() WHERE starts_with(type_name, ?)", [_PREFIX]
    ).fetchall()
    return {str(name).removeprefix(_PREFIX) for (name,) in rows}


def drop(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop all codes; no table may use them any more."""
    for dimension in sorted(dimensions(connection)):
        connection.execute(f"DROP TYPE {type_of(dimension)}")
