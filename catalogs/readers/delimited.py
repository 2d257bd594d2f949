"""Tables in text files whose first line names the columns (CSV, also with ``;`` or tabs).

Columns are found by their names, without case. Cells are loaded as text; what is a number, a year
or a code is for the reader to say.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers.base import report
from catalogs.readers.text_files import MAX_LINE, as_plain_utf8, decode, open_bytes

_SEPARATORS = (",", ";", "\t")
_DATE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?$"
_DECIMAL_COMMA = re.compile(r"^[-+]?[\d.\s]*\d,\d+([eE][-+]?\d+)?$")


@dataclass(frozen=True)
class TableHead:
    """The first line of a table: its names as written, and how cells are cut.

    ``line`` is the 1-based line it stands in.
    """

    names: tuple[str, ...]
    separator: str
    line: int

    @property
    def keys(self) -> tuple[str, ...]:
        """The names in lower case and without blanks around them."""
        return tuple(name.strip().lower() for name in self.names)

    def place(self, *keys: str) -> int | None:
        """Return where the first of these columns stands that there is, None without any."""
        return next((self.keys.index(key) for key in keys if key in self.keys), None)


def read_head(path: Path) -> TableHead | None:
    """Read the first line that is not blank; None where that cannot be a table's head.

    Raises ``UnreadableFileError`` for a file that cannot be opened, or is cut off (gzip).
    """
    with open_bytes(path) as stream:
        for line in range(1, 21):
            raw = stream.readline(MAX_LINE + 1)
            if not raw or len(raw) > MAX_LINE or b"\0" in raw:
                return None
            if text := decode(raw).strip("\r\n\ufeff"):
                return _head_of(text, line)
    return None


def _head_of(text: str, line: int) -> TableHead | None:
    separator = max(_SEPARATORS, key=text.count)
    try:
        cells = next(csv.reader([text], delimiter=separator))
    except (csv.Error, StopIteration):
        return None
    return TableHead(tuple(cells), separator, line) if len(cells) > 1 else None


def check_head(path: Path, head: TableHead) -> None:
    """Raise ``UnreadableFileError`` where a column's name occurs twice."""
    twice = sorted({key for key in head.keys if key and head.keys.count(key) > 1})
    if twice:
        raise UnreadableFileError(
            path.name, f"the column {twice[0]!r} occurs twice", "each column once", line=head.line
        )


def load_table(
    path: Path,
    head: TableHead,
    table: str,
    connection: duckdb.DuckDBPyConnection,
    *,
    quote: str = '"',
) -> int:
    """Load the rows into the temporary table ``table`` as text, columns ``c0``, ``c1``, ...

    Empty cells are NULL; ``quote`` stands around cells and, doubled, within them. Returns the
    bytes that were not UTF-8 and were read as Windows-1252. Raises
    ``UnreadableFileError`` with the line of a row that cannot be read.
    """
    check_head(path, head)
    with as_plain_utf8(path) as text:
        try:
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM read_csv($path,"
                " auto_detect=false, header=false, skip=$skip, delim=$delim, quote=$quote,"
                " escape=$quote, columns=$columns, nullstr='', max_line_size=$longest,"
                " store_rejects=true, rejects_limit=10)",
                {
                    "path": str(text.path),
                    "skip": head.line,
                    "delim": head.separator,
                    "quote": quote,
                    "columns": {f"c{n}": "VARCHAR" for n in range(len(head.names))},
                    "longest": MAX_LINE,
                },
            )
        except duckdb.Error as error:
            raise unreadable_row(path, _expected(head), str(error)) from error
        refuse_rejected(path, _expected(head), connection)
        return text.repaired


def _expected(head: TableHead) -> str:
    return (
        f"{len(head.names)} cells ({', '.join(head.names[:20])}) separated by"
        f" {head.separator!r}, no line longer than a megabyte"
    )


def refuse_rejected(path: Path, expected: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Raise ``UnreadableFileError`` for the first row that ``read_csv`` put aside.

    ``read_csv`` must have been asked to keep them (``store_rejects``).
    """
    rejected = connection.execute(
        "SELECT line, csv_line, error_message FROM reject_errors ORDER BY line LIMIT 1"
    ).fetchone()
    if rejected:
        line, row, message = rejected
        raise unreadable_row(path, expected, f"{row!s:.200}\n{message}", line)


def unreadable_row(
    path: Path, expected: str, details: str, line: int | None = None
) -> UnreadableFileError:
    """Return the error for a row that DuckDB cannot read; its message may know the line."""
    if line is None and (found := re.search(r"Line: (\d+)", details)):
        line = int(found[1])
    return UnreadableFileError(
        path.name, "the row cannot be read", expected, line=line, details=details[:2000]
    )


def check_numbers(
    path: Path,
    head: TableHead,
    table: str,
    columns: Sequence[str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Raise ``UnreadableFileError`` for the first cell of ``columns`` that is no number.

    An empty cell is no value; ``inf`` and ``nan`` are numbers that the reader reports.
    """
    for column in columns:
        bad = connection.execute(
            f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"
            f" AND try_cast(trim({column}) AS DOUBLE) IS NULL ORDER BY rowid LIMIT 1"
        ).fetchone()
        if bad:
            row, text = bad
            raise not_a_number(path.name, str(text), line=head.line + 1 + int(row))


def not_a_number(file: str, text: str, *, line: int | None = None) -> UnreadableFileError:
    """Return the error for a value that is no number; one for decimal commas and for dates."""
    problem = f"the value {text[:60]!r} is not a number"
    if _DECIMAL_COMMA.match(text.strip()):
        problem = f"the value {text[:60]!r} has a decimal comma"
    elif re.match(_DATE, text.strip()):
        problem = f"the value {text[:60]!r} is a date; a spreadsheet program may have changed it"
    return UnreadableFileError(file, problem, "numbers such as 1234.5", line=line)


def check_years(
    path: Path,
    head: TableHead,
    table: str,
    columns: Mapping[str, str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Raise ``UnreadableFileError`` where a column of years (``{column: its name}``) has dates."""
    for column, name in columns.items():
        bad = connection.execute(
            f"SELECT rowid, {column} FROM {table} WHERE regexp_matches(trim({column}), ?)"
            " ORDER BY rowid LIMIT 1",
            [_DATE],
        ).fetchone()
        if bad:
            row, text = bad
            raise UnreadableFileError(
                path.name,
                f"{name} is the date {str(text)[:60]!r}; a spreadsheet program may have changed it",
                "a year such as 2030",
                line=head.line + 1 + int(row),
            )


def report_values(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Count in the import report the values of ``raw_result`` that are missing or not finite."""
    for condition, message in (
        ("value IS NULL", "rows without a value are kept as missing"),
        (
            "NOT isfinite(value)",
            "values that are infinite or not a number; they are left out of flows and prices",
        ),
    ):
        [(count,)] = connection.execute(
            f"SELECT count(*) FROM raw_result WHERE {condition}"
        ).fetchall()
        if count:
            report(connection, "warning", "values", message, file=path.name, count=count)
