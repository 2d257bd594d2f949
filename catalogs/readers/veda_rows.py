"""The rows of a ``.vd``, into ``raw_result`` as codes.

Arrow reads the files in which nothing is odd: it makes the codes while it reads. Everything else
(compressed files, other encodings, cells that are no numbers, broken rows, files that would take
much memory) is DuckDB's, which can name the line that is wrong.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from catalogs import codes
from catalogs.errors import UnreadableFileError
from catalogs.readers.base import RAW_RESULT_COLUMNS, report, store_coded_results
from catalogs.readers.delimited import refuse_rejected, unreadable_row
from catalogs.readers.text_files import MAX_LINE, PlainText, as_plain_utf8, is_compressed
from catalogs.readers.veda_header import COLUMN_OF_DIMENSION, VedaHeader
from catalogs.tables import NO_VALUE

#: Bytes. Arrow keeps all rows in memory, about half as much as the file has.
LARGEST_IN_MEMORY = 2**30

#: Beside "-", the cells that say that there is no value in the dimension.
_NO_VALUES = frozenset({None, "NONE"})


def read_rows(path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> int:
    """Read the rows of a ``.vd`` into ``raw_result``, as codes; return their number.

    Raises ``UnreadableFileError``, with the line where one cannot be read.
    """
    rows = _read_with_arrow(path, header, connection)
    if rows is None:
        rows = _read_with_duckdb(path, header, connection)
    report(connection, "info", "read", "result rows read", file=path.name, count=rows)
    return rows


# ---------------------------------------------------------------------------- by Arrow


def _read_with_arrow(
    path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection
) -> int | None:
    """Fill ``raw_result``; return the rows, None where anything about the file is odd."""
    coded = _coded_columns(header)
    if len(header.quote) != 1 or _extra_columns(header) or not _is_ordinary(path):
        return None
    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(
                skip_rows=header.lines,
                column_names=[f"c{i}" for i in range(len(header.dimensions))],
                block_size=MAX_LINE,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=header.separator, quote_char=header.quote
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={
                    **{f"c{i}": pa.dictionary(pa.int32(), pa.string()) for i in coded.values()},
                    _value_column(header): pa.float64(),
                },
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None
    values = table.column(_value_column(header)).to_numpy()
    if not len(values) or table.column(_value_column(header)).null_count:
        return None
    columns: dict[str, tuple[NDArray[np.integer[Any]], list[str]]] = {}
    for name in RAW_RESULT_COLUMNS:
        found = _codes_of(table.column(f"c{coded[name]}")) if name in coded else None
        columns[name] = found or (np.zeros(len(values), np.int8), [NO_VALUE])
    del table
    pa.default_memory_pool().release_unused()
    texts = itertools.chain.from_iterable(found for _, found in columns.values())
    if not np.isfinite(values).all() or any(map(_is_odd, texts)):
        return None
    store_coded_results(columns, values, connection)
    return len(values)


def _is_odd(text: str) -> bool:
    return len(text) > MAX_LINE or "\n" in text or "\r" in text


def _is_ordinary(path: Path) -> bool:
    """Whether the file is not compressed, not huge, and its last line has an end."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size > LARGEST_IN_MEMORY or is_compressed(stream.read(2)):
            return False
        stream.seek(-1, 2)
        return stream.read(1) == b"\n"


def _codes_of(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    """Return a number for every cell, and the sorted texts that they are the positions of."""
    place: dict[str, int] = {}
    parts = []
    for chunk in column.chunks:
        texts = chunk.dictionary.to_pylist()
        places = [place.setdefault(_text_of(text), len(place)) for text in texts]
        nothing = place.setdefault(NO_VALUE, len(place)) if chunk.null_count else 0
        numbers = np.array([*places, nothing], np.int32)
        parts.append(numbers[chunk.indices.fill_null(len(texts)).to_numpy()])
    texts = sorted(place)
    rank = np.empty(len(texts), np.int32)
    rank[[place[text] for text in texts]] = np.arange(len(texts))
    smallest = np.min_scalar_type(-max(len(texts), 1))
    return rank.astype(smallest)[np.concatenate(parts)], texts


def _text_of(cell: str | None) -> str:
    return NO_VALUE if cell is None or cell in _NO_VALUES else cell


# ---------------------------------------------------------------------------- by DuckDB


def _read_with_duckdb(path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> int:
    """Fill ``raw_result`` and report what is odd; return the rows.

    The file is read twice, first for the texts that occur and then for the rows: that takes less
    time than keeping millions of rows of text, and hardly any memory.
    """
    with as_plain_utf8(path) as text:
        cells = _survey(path, text.path, header, connection)
        if cells.rows == 0:
            raise UnreadableFileError(
                path.name, "there are no rows after the header", "result rows"
            )
        _report_odd(path, header, text, cells, connection)
        _store_rows(text.path, header, cells, connection)
    _keep_extra_dimensions(header, connection)
    return cells.rows


@dataclass(frozen=True)
class _Cells:
    """What stands in the rows of a file: the texts of each canonical column, and odd values."""

    rows: int
    missing: int
    not_finite: int
    texts: dict[str, set[str | None]]


def _survey(
    path: Path, plain: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection
) -> _Cells:
    """Read the whole file for what occurs in it. Raises ``UnreadableFileError``."""
    coded = _coded_columns(header)
    # Every column is asked for: DuckDB does not look at cells that nobody wants.
    others = [f"count(c{i})" for i in range(len(header.dimensions)) if i not in coded.values()]
    value = _value_column(header)
    try:
        found = connection.execute(
            f"SELECT count(*), count(*) - count({value}), count(*) FILTER (NOT isfinite({value})),"
            f" [{', '.join(others)}],"
            f" [{', '.join(f'list(DISTINCT c{i})' for i in coded.values())}]"
            f" FROM {_CSV}, store_rejects=true, rejects_limit=10)",
            _csv_options(plain, header),
        ).fetchall()[0]
    except duckdb.Error as error:
        raise unreadable_row(path, _expected(header), str(error)) from error
    refuse_rejected(path, _expected(header), connection)
    rows, missing, not_finite, _, texts = found
    return _Cells(
        rows, missing, not_finite, {c: set(t or ()) for c, t in zip(coded, texts, strict=True)}
    )


_CSV = (
    "read_csv($path, auto_detect=false, header=false, skip=$skip, delim=$delim, quote=$quote,"
    " escape=$quote, columns=$columns, nullstr='', max_line_size=$longest"
)


def _csv_options(plain: Path, header: VedaHeader) -> dict[str, Any]:
    value = header.value_dimension.lower()
    return {
        "path": str(plain),
        "skip": header.lines,
        "delim": header.separator,
        "quote": header.quote,
        "columns": {
            f"c{i}": "DOUBLE" if d.lower() == value else "VARCHAR"
            for i, d in enumerate(header.dimensions)
        },
        "longest": MAX_LINE,
    }


def _value_column(header: VedaHeader) -> str:
    names = [d.lower() for d in header.dimensions]
    return f"c{names.index(header.value_dimension.lower())}"


def _coded_columns(header: VedaHeader) -> dict[str, int]:
    """Return the canonical columns that the file has, and where."""
    value = header.value_dimension.lower()
    return {
        COLUMN_OF_DIMENSION[d.lower()]: i
        for i, d in enumerate(header.dimensions)
        if d.lower() != value and d.lower() in COLUMN_OF_DIMENSION
    }


def _extra_columns(header: VedaHeader) -> dict[str, str]:
    """Return the dimensions that have no canonical column, by their name in the file."""
    known = {*_coded_columns(header).values(), int(_value_column(header)[1:])}
    return {f"c{i}": d for i, d in enumerate(header.dimensions) if i not in known}


def _store_rows(
    plain: Path, header: VedaHeader, cells: _Cells, connection: duckdb.DuckDBPyConnection
) -> None:
    codes.make(
        connection,
        {
            column: {
                t or NO_VALUE for t in (cells.texts.get(column, set()) | {NO_VALUE}) - _NO_VALUES
            }
            for column in RAW_RESULT_COLUMNS
        },
    )
    coded = _coded_columns(header)
    columns = []
    for column in RAW_RESULT_COLUMNS:
        cell = f"c{coded[column]}" if column in coded else f"'{NO_VALUE}'"
        if _NO_VALUES.intersection(cells.texts.get(column, ())):
            cell = f"CASE WHEN {cell} IS NULL OR {cell} = 'NONE' THEN '{NO_VALUE}' ELSE {cell} END"
        columns.append(f"({cell})::{codes.type_of(column)} AS {column}")
    columns += [f"{_value_column(header)} AS value", *_extra_columns(header)]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE raw_result AS SELECT {', '.join(columns)} FROM {_CSV})",
        _csv_options(plain, header),
    )


def _keep_extra_dimensions(header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the cells of dimensions that have no canonical column, by row number."""
    for column, name in _extra_columns(header).items():
        connection.execute(
            f"INSERT INTO result_extra SELECT rowid, ?, {column} FROM raw_result"
            f" WHERE {column} IS NOT NULL",
            [name],
        )
        connection.execute(f"ALTER TABLE raw_result DROP COLUMN {column}")


def _report_odd(
    path: Path,
    header: VedaHeader,
    text: PlainText,
    cells: _Cells,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    for severity, topic, message, line, count in (
        (
            "info",
            "encoding",
            "bytes that are not UTF-8 were read as Windows-1252",
            None,
            text.repaired,
        ),
        (
            "warning",
            "truncated",
            "the last line has no line end: the file may have been cut off",
            header.lines + cells.rows,
            None if text.ends_with_newline else 1,
        ),
        ("warning", "values", "rows without a value are kept as missing", None, cells.missing),
        (
            "warning",
            "values",
            "values that are infinite or not a number; they are left out of flows and prices",
            None,
            cells.not_finite,
        ),
    ):
        if count:
            report(connection, severity, topic, message, file=path.name, line=line, count=count)


def _expected(header: VedaHeader) -> str:
    return (
        f"{len(header.dimensions)} cells ({';'.join(header.dimensions)}) separated by"
        f" {header.separator!r}, the last ones quoted with {header.quote!r} and"
        f" {header.value_dimension} a number"
    )
