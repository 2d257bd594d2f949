"""CSV: one table, UTF-8 with a byte order mark (spreadsheets need it), numbers in full precision.

Text is quoted and numbers are not; a missing value is an empty cell. Text that a spreadsheet would
run as a formula gets an apostrophe in front.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.csv

from catalogs.query import Query
from catalogs.source import Source
from catalogs.tables import NO_VALUE
from catalogs.writers.base import Content, Writer, Written
from catalogs.writers.selection import Results, flat_rows

if TYPE_CHECKING:
    import pandas as pd

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

#: A cell that begins so is a formula to a spreadsheet.
_FORMULA = r"^[=+\-@\t\r]"


def write_csv(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write an export as CSV; see ``flat_rows`` for its columns."""
    with flat_rows(source, content) as rows:
        return Written(write_batches(rows.schema, rows, stream))


def to_csv(frame: pd.DataFrame) -> io.BytesIO:
    """Return a frame as a CSV file, as above; its index is left out."""
    stream = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    write_batches(table.schema, table.to_batches(), stream)
    stream.seek(0)
    return stream


def write_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch], stream: BinaryIO) -> int:
    """Write batches as CSV with a header, formulas made harmless; return the number of rows."""
    stream.write(_BYTE_ORDER_MARK)
    rows = 0
    with pa.csv.CSVWriter(_Kept(stream), schema) as writer:
        for batch in batches:
            writer.write_batch(_harmless(batch))
            rows += batch.num_rows
    return rows


class _Kept:
    """A stream that stays open when Arrow closes it."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write
        self.flush = stream.flush

    def close(self) -> None:
        """Leave the stream to whoever opened it."""


def _harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_harmless_text(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _harmless_text(column: pa.Array) -> pa.Array:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    import pyarrow.compute as pc  # slow to load, and an import of files comes by here as well

    # "-" alone is how TIMES writes "none".
    formulas = pc.and_(pc.match_substring_regex(column, _FORMULA), pc.not_equal(column, NO_VALUE))
    if not pc.any(formulas).as_py():
        return column
    quoted = pc.binary_join_element_wise(
        pa.scalar("'", column.type), column, pa.scalar("", column.type)
    )
    return pc.if_else(formulas, quoted, column)


WRITERS = (Writer("csv", "CSV", ".csv", "text/csv", (Results, Query), write_csv),)
