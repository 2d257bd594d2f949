"""Whole results as files, written piece by piece: what is in memory is a batch of rows.

CSV        UTF-8 with a byte order mark; text that a spreadsheet would run gets an apostrophe
XLSX       all text marked as text; further sheets beyond a million rows
Parquet    nested types stay; what Parquet lacks is text
JSON       a list of objects; infinite and undefined numbers are null
NDJSON     an object a line
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from app.backend.gate import Passed
from app.backend.results import NOTHING, PLAIN, as_plain, identifier, shown
from catalogs.sql.service import SqlRefused
from catalogs.writers.delimited import write_batches
from catalogs.writers.workbook import CELL_CHARACTERS, LARGEST_SHEETS, SHEET_ROWS, Workbook

#: Rows of a batch, and bytes that are gathered before they are sent on.
_BATCH = 32_768
_PIECE = 1 << 20

_IN_CSV = PLAIN - {"decimal", "hugeint", "time"} | NOTHING
_IN_WORKBOOK = PLAIN - {"hugeint", "ubigint", "time", "timestamp_ns"} | NOTHING
_IN_PARQUET = (
    PLAIN | NOTHING | {"timestamp with time zone", "list", "struct", "map", "array", "blob"}
)
_REAL = frozenset({"double", "float"})


class Sink:
    """A stream that hands on what is written to it in pieces, with the rows written so far."""

    closed = False

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self.rows = 0
        self._send = send
        self._gathered: list[bytes] = []
        self._size = 0
        self._position = 0

    def write(self, data: Any) -> int:
        """Take bytes."""
        piece = bytes(data)
        self._gathered.append(piece)
        self._size += len(piece)
        self._position += len(piece)
        if self._size >= _PIECE:
            self.send()
        return len(piece)

    def send(self) -> None:
        """Hand on what has been gathered."""
        if self._size:
            self._send(self.rows, b"".join(self._gathered))
            self._gathered, self._size = [], 0

    def tell(self) -> int:
        """Return the bytes written."""
        return self._position

    def flush(self) -> None:
        """Do nothing: pieces are sent when they are large enough, and at the end."""

    def close(self) -> None:
        """Do nothing: whoever made the stream ends it."""

    def readable(self) -> bool:
        """It is written only."""
        return False

    def writable(self) -> bool:
        """It is written only."""
        return True

    def seekable(self) -> bool:
        """It cannot go back."""
        return False


Export = Callable[[duckdb.DuckDBPyConnection, Passed, Mapping[str, Any], Sink], int]


def _relation(
    cursor: duckdb.DuckDBPyConnection, passed: Passed, given: Mapping[str, Any]
) -> duckdb.DuckDBPyRelation:
    return cursor.sql(passed.to_run, params=dict(given))


def _counted(batches: pa.RecordBatchReader, sink: Sink) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        sink.rows += batch.num_rows


def _csv(
    cursor: duckdb.DuckDBPyConnection, passed: Passed, given: Mapping[str, Any], sink: Sink
) -> int:
    relation = as_plain(_relation(cursor, passed, given), _IN_CSV)
    with relation.to_arrow_reader(_BATCH) as reader:
        write_batches(reader.schema, _counted(reader, sink), sink)  # type: ignore[arg-type]
    sink.send()
    return sink.rows


def _parquet(
    cursor: duckdb.DuckDBPyConnection, passed: Passed, given: Mapping[str, Any], sink: Sink
) -> int:
    relation = as_plain(_relation(cursor, passed, given), _IN_PARQUET)
    with relation.to_arrow_reader(4 * _BATCH) as reader:
        stream = pa.PythonFile(sink, mode="w")
        with pq.ParquetWriter(stream, reader.schema, compression="snappy") as writer:
            for batch in _counted(reader, sink):
                writer.write_batch(batch)
    sink.send()
    return sink.rows


def _json_texts(
    cursor: duckdb.DuckDBPyConnection, passed: Passed, given: Mapping[str, Any]
) -> duckdb.DuckDBPyRelation:
    """Return a relation of one column: each row as the text of a JSON object."""
    relation = _relation(cursor, passed, given)
    kinds = [str(kind.id).lower() for kind in relation.types]
    names = shown(relation)
    parts = []
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True), start=1):
        value = f"#{number}"
        if kind in _REAL:
            value = f"CASE WHEN isfinite({value}) THEN {value} END"
        elif kind not in PLAIN | NOTHING:
            # Numbers that JSON lacks may stand deep inside: then the value is DuckDB's text.
            value = (
                f"CASE WHEN json_valid(to_json({value})) THEN to_json({value})"
                f" ELSE to_json(CAST({value} AS VARCHAR)) END"
            )
        parts.append(f"{value} AS {identifier(name)}")
    inner = relation.project(", ".join(parts))
    fields = ", ".join(f"{identifier(name)} := #{n}" for n, name in enumerate(names, start=1))
    return inner.project(f"CAST(to_json(struct_pack({fields})) AS VARCHAR) AS line")


def _json_of(opening: bytes, between: bytes, closing: bytes) -> Export:
    def export(
        cursor: duckdb.DuckDBPyConnection, passed: Passed, given: Mapping[str, Any], sink: Sink
    ) -> int:
        sink.write(opening)
        first = True
        with _json_texts(cursor, passed, given).to_arrow_reader(_BATCH) as reader:
            for batch in _counted(reader, sink):
                if not batch.num_rows:
                    continue
                lines = between.join(line.encode() for line in batch.column(0).to_pylist())
                sink.write(lines if first else between + lines)
                first = False
        sink.write(b"" if first and not opening else closing)
        sink.send()
        return sink.rows

    return export


def _xlsx(
    cursor: duckdb.DuckDBPyConnection, passed: Passed, given: Mapping[str, Any], sink: Sink
) -> int:
    relation = as_plain(_relation(cursor, passed, given), _IN_WORKBOOK)
    _refuse_too_large(relation)
    with (
        relation.to_arrow_reader(_BATCH // 8) as reader,
        Workbook(sink, relation.columns) as workbook,
    ):
        for batch in _counted(reader, sink):
            workbook.write(batch)
        workbook.finish()
    sink.send()
    return sink.rows


def _refuse_too_large(relation: duckdb.DuckDBPyRelation) -> None:
    """Refuse what a workbook cannot hold before its first byte has been sent."""
    texts = [
        f"coalesce(max(length({identifier(name)})), 0)"
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if str(kind.id).lower() == "varchar"
    ]
    found = relation.aggregate(", ".join(["count(*)", *texts])).fetchall()[0]
    rows, longest = found[0], max(found[1:], default=0)
    if rows > (most := LARGEST_SHEETS * (SHEET_ROWS - 1)):
        raise SqlRefused(
            "size",
            f"{rows:,} rows are too many for a spreadsheet, which holds {most:,}.",
            "Export as CSV or Parquet.",
        )
    if longest > CELL_CHARACTERS:
        raise SqlRefused(
            "size",
            f"A text of {longest:,} characters is longer than a spreadsheet's cell can hold.",
            "Export as CSV or Parquet.",
        )


EXPORTS: Mapping[str, Export] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "parquet": _parquet,
    "json": _json_of(b"[\n", b",\n", b"\n]\n"),
    "ndjson": _json_of(b"", b"\n", b"\n"),
}
MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
}
