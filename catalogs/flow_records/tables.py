"""Tables in Parquet, text and DuckDB files as SQL, whatever file they are in.

Parquet and DuckDB are read where they lie; text is loaded as text first, and so are features of
GeoJSON and GeoParquet, their geometry as well-known text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
import shapely

from catalogs.errors import UnreadableFileError
from catalogs.flow_records.columns import FLOW_COLUMNS, match, unit_of
from catalogs.flow_records.recognition import TableFile, attach
from catalogs.flowmaps.features import read_features
from catalogs.readers.base import report
from catalogs.readers.delimited import check_numbers, load_table
from catalogs.readers.text_files import open_bytes

_NUMBER = re.compile(r"^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w+INT\w*|UINTEGER|DECIMAL.*)$")
_FLOAT = ("DOUBLE", "FLOAT")
#: What a flow of records without a column of commodities is called.
ENERGY = "energy"
_SAMPLE = 1 << 16
#: A quote after a separator, at the beginning of a cell.
_QUOTED = {quote: re.compile(rf"[,;\t]{quote}") for quote in ("'", '"')}


@dataclass(frozen=True)
class Relation:
    """SQL for a table and what is bound in it; ``columns`` are SQL for its columns, by name."""

    sql: str
    columns: Mapping[str, str]
    types: Mapping[str, str]
    parameters: Mapping[str, object] = field(default_factory=dict)


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def open_table(connection: duckdb.DuckDBPyConnection, table: TableFile, number: int) -> Relation:
    """Make a table readable by a connection; ``number`` tells it from others of the connection.

    Raises ``UnreadableFileError``.
    """
    if table.kind == "text":
        return _open_text(connection, table, f"text{number}")
    if table.kind == "features":
        return _open_features(connection, table, f"features{number}")
    if table.kind == "duckdb":
        attach(connection, table.path, f"file{number}")
        sql = f"file{number}.{quoted(table.schema)}.{quoted(table.table)}"
        parameters: dict[str, object] = {}
    else:
        sql = f"read_parquet($file{number})"
        parameters = {f"file{number}": str(table.path)}
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {sql}", parameters).fetchall()
    except duckdb.Error as error:
        raise UnreadableFileError(
            table.path.name, "the table cannot be read", details=str(error)
        ) from error
    return Relation(
        sql,
        {name: quoted(name) for name, *_ in described},
        {name: str(kind) for name, kind, *_ in described},
        parameters,
    )


def _open_text(connection: duckdb.DuckDBPyConnection, table: TableFile, name: str) -> Relation:
    head = table.head
    if head is None:
        raise UnreadableFileError(table.path.name, "its first line names no columns")
    repaired = load_table(table.path, head, name, connection, quote=_quote_in(table))
    if repaired:
        message = "bytes that are not UTF-8 and were read as Windows-1252"
        report(connection, "warning", "encoding", message, file=table.path.name, count=repaired)
    columns = {column: f"c{number}" for number, column in enumerate(head.names)}
    return Relation(name, columns, dict.fromkeys(columns, "VARCHAR"))


def _open_features(connection: duckdb.DuckDBPyConnection, table: TableFile, name: str) -> Relation:
    found = read_features(table.path)
    shapes = shapely.to_wkt(found.geometry, rounding_precision=-1)
    for row, unread in found.unread.items():
        shapes[row] = unread  # who reads geometries says that it is none
    cells = [[_text_of(value) for value in found.properties[c]] for c in table.columns[:-1]]
    written = pa.table(
        {f"c{i}": pa.array(column, pa.string()) for i, column in enumerate([*cells, list(shapes)])}
    )
    connection.register("features_read", written)
    connection.execute(f"CREATE TEMP TABLE {name} AS FROM features_read")
    connection.unregister("features_read")
    columns = {column: f"c{number}" for number, column in enumerate(table.columns)}
    return Relation(name, columns, dict.fromkeys(columns, "VARCHAR"))


def _text_of(value: Any) -> str | None:
    """Return a property as text: 7.0 is the identifier 7."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _quote_in(table: TableFile) -> str:
    """Return what stands around cells: a single quote where cells begin with that alone."""
    with open_bytes(table.path) as stream:
        sample = stream.read(_SAMPLE).decode("utf-8", "replace")
    counts = {quote: len(pattern.findall(sample)) for quote, pattern in _QUOTED.items()}
    return "'" if counts["'"] > 3 * counts['"'] else '"'


def as_id(relation: Relation, column: str) -> str:
    """Return SQL for a column of identifiers, as text: a pandas 7.0 is the identifier 7."""
    sql = relation.columns[column]
    if relation.types[column] in _FLOAT:
        whole = f"try_cast({sql} AS BIGINT)"
        return f"CASE WHEN {whole} = {sql} THEN {whole}::VARCHAR ELSE {sql}::VARCHAR END"
    if relation.types[column] == "VARCHAR":
        # An identifier in quotes or blanks is that identifier; one of blanks alone is none.
        return f"nullif(trim({sql}), '')"
    return f"{sql}::VARCHAR"


def as_number(relation: Relation, column: str) -> str:
    """Return SQL for a column of numbers; NULL for what is none, NaN and infinity kept."""
    sql = relation.columns[column]
    return f"try_cast({sql} AS DOUBLE)" if _is_text(relation, column) else f"{sql}::DOUBLE"


def commodity_of(table: RecordTable) -> str:
    """Return SQL for the commodity of a record."""
    if "commodity" not in table.found:
        return f"'{ENERGY}'"
    return f"coalesce({as_id(table.relation, table.found['commodity'])}, 'unknown')"


def is_number(relation: Relation, column: str) -> bool:
    """Whether a column holds numbers by its type."""
    kind = relation.types[column]
    return kind in _FLOAT or bool(_NUMBER.match(kind))


def _is_text(relation: Relation, column: str) -> bool:
    return not is_number(relation, column)


# ---------------------------------------------------------------------------- records


@dataclass(frozen=True)
class RecordTable:
    """One table of records as SQL: which of the columns wanted it has, and its unit.

    ``found`` maps time, year, timeslice, origin, destination, line, commodity, value and unit to
    the columns there are, by their names as written.
    """

    file: TableFile
    relation: Relation
    found: Mapping[str, str]
    unit: str


def open_records(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[TableFile]
) -> list[RecordTable]:
    """Make all tables of records readable. Raises ``UnreadableFileError``.

    All must tell the same: one with commodities and one without would be added up wrongly.
    """
    opened: list[RecordTable] = []
    for number, table in enumerate(tables):
        found = match(table.columns, FLOW_COLUMNS)
        relation = open_table(connection, table, number)
        value = found["value"]
        if relation.types[value] == "VARCHAR" and table.head is not None:
            check_numbers(
                table.path, table.head, relation.sql, [relation.columns[value]], connection
            )
        elif not is_number(relation, value):
            raise UnreadableFileError(
                table.path.name,
                f"the column {value!r} holds {relation.types[value]}",
                "numbers",
            )
        opened.append(RecordTable(table, relation, found, _unit(connection, relation, found)))
    first = opened[0]
    for other in opened[1:]:
        if other.found.keys() != first.found.keys():
            differing = sorted(other.found.keys() ^ first.found.keys())
            raise UnreadableFileError(
                other.file.shown,
                f"it and {first.file.shown} differ in the column {differing[0]!r}",
                "files of one dataset with the same columns",
            )
        if other.unit != first.unit:
            raise UnreadableFileError(
                other.file.shown,
                f"its values are in {other.unit or 'an unknown unit'}, those of"
                f" {first.file.shown} in {first.unit or 'an unknown unit'}",
                "one unit",
            )
    return opened


def _unit(
    connection: duckdb.DuckDBPyConnection, relation: Relation, found: Mapping[str, str]
) -> str:
    if "unit" not in found:
        return unit_of(found["value"])
    units = connection.execute(
        f"SELECT DISTINCT trim({relation.columns[found['unit']]}::VARCHAR) AS unit"
        f" FROM {relation.sql} WHERE unit <> '' ORDER BY 1 LIMIT 5",
        relation.parameters,
    ).fetchall()
    if len(units) > 1:
        raise UnreadableFileError(
            found["unit"],
            f"the records are in several units ({', '.join(unit for (unit,) in units)})",
            "one unit: convert the values first",
        )
    return str(units[0][0]) if units else unit_of(found["value"])
