"""Codes: the texts of a dimension, numbered in their order.

A scenario has millions of rows and a few thousand texts. As DuckDB's ENUM a column still reads as
text, and millions of rows are compared, sorted, added up and written as small numbers. The large
tables of a published scenario are kept so, as ``coded_result`` and the like; ``result`` itself is
a view that gives plain text, because every scenario has codes of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from catalogs.tables import TABLES

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
            f"CREATE TYPE {type_of(dimension)} AS ENUM (SELECT unnest($texts::VARCHAR[]))",
            {"texts": sorted(set(found))},
        )


def dimensions(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the dimensions whose codes have been made."""
    rows = connection.execute(
        "SELECT type_name FROM duckdb_types() WHERE starts_with(type_name, ?)", [_PREFIX]
    ).fetchall()
    return {str(name).removeprefix(_PREFIX) for (name,) in rows}


def drop(connection: duckdb.DuckDBPyConnection, *unused: str) -> None:
    """Drop the codes of some dimensions, by default of all; no table may use them any more."""
    for dimension in unused or sorted(dimensions(connection)):
        connection.execute(f"DROP TYPE {type_of(dimension)}")


def coded(table: str) -> str:
    """Return the name of the table that holds a canonical table in codes."""
    return f"coded_{table}"


def show_as_text(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Put a view of plain text over ``coded(table)`` in the place of the empty canonical table."""
    columns = ", ".join(f"{name}::{kind} AS {name}" for name, kind in TABLES[table].columns.items())
    connection.execute(f'DROP TABLE "{table}"')
    connection.execute(f'CREATE VIEW "{table}" AS SELECT {columns} FROM {coded(table)}')
