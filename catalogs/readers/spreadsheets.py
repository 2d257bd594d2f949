"""XLSX files: the sheet that has the columns a reader looks for, as a table of text.

Read by openpyxl, row by row. Formulas count with the value that was last worked out; a cell that
is a date comes as one (``2020-01-31``), so that a reader can say what the spreadsheet made of it.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalogs.errors import UnreadableFileError
from catalogs.readers.archives import is_zip, open_zip
from catalogs.readers.delimited import TableHead

#: Bytes. Texts of a workbook are kept in memory while it is read.
LARGEST = 2**29
_EXPECTED = "a workbook as spreadsheet programs save it (.xlsx)"
_BATCH = 50_000
#: Rows among which the head of a table is looked for.
_HEAD_WITHIN = 20


@dataclass(frozen=True)
class Sheet:
    """A sheet with the columns looked for; ``others`` are the names of the other sheets."""

    name: str
    head: TableHead
    others: tuple[str, ...]


def is_workbook(path: Path) -> bool:
    """Whether a file is a zip with a workbook in it. Never raises for a damaged one."""
    if not is_zip(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, OSError):
        return False


def find_sheet(path: Path, wanted: Callable[[TableHead], bool]) -> Sheet | None:
    """Return the first sheet with a head that is wanted, None without any.

    Raises ``UnreadableFileError`` for a workbook that cannot be read or is not safe to.
    """
    _check(path)
    with _Workbook(path) as book:
        for name in book.names:
            for line, row in enumerate(islice(book.rows(name), _HEAD_WITHIN), start=1):
                while row and row[-1] is None:
                    row.pop()
                head = TableHead(tuple(cell or "" for cell in row), "", line)
                if wanted(head):
                    return Sheet(name, head, tuple(n for n in book.names if n != name))
    return None


def load_sheet(path: Path, sheet: Sheet, table: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Load the rows below the head into the temporary table ``table``: text, ``c0``, ``c1``..."""
    stat = path.stat()
    rows = _read(path, sheet, stat.st_mtime_ns, stat.st_size)
    connection.register("sheet_rows", rows)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM sheet_rows")
    finally:
        connection.unregister("sheet_rows")


@lru_cache(maxsize=1)  # one workbook may hold many scenarios, each read by itself
def _read(path: Path, sheet: Sheet, modified: int, size: int) -> pa.Table:
    """Return the rows below the head; the last two arguments say which state of the file."""
    del modified, size
    width = len(sheet.head.names)
    schema = pa.schema([(f"c{n}", pa.string()) for n in range(width)])
    batches = []
    with _Workbook(path) as book:
        rows = islice(book.rows(sheet.name), sheet.head.line, None)
        while block := list(islice(rows, _BATCH)):
            columns = [[row[n] if n < len(row) else None for row in block] for n in range(width)]
            batches.append(pa.record_batch(columns, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def _check(path: Path) -> None:
    """Refuse zip bombs and XML that defines entities of its own (no spreadsheet program does)."""
    with open_zip(path, largest=LARGEST, expected=_EXPECTED) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith((".xml", ".rels")):
                continue
            try:
                with archive.open(entry) as part:
                    beginning = part.read(4096)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
                raise _unreadable(path, error) from error
            if b"<!DOCTYPE" in beginning or b"<!ENTITY" in beginning:
                problem = f"{entry.filename} defines XML entities"
                raise UnreadableFileError(path.name, problem, _EXPECTED)


class _Workbook:
    """An open workbook; whatever goes wrong in it is an ``UnreadableFileError``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> _Workbook:
        import openpyxl

        # Given a path, openpyxl would go by how the file is called.
        self.stream = self.path.open("rb")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # styles and validations that openpyxl leaves out
                self.book = openpyxl.load_workbook(self.stream, read_only=True, data_only=True)
        except Exception as error:  # a damaged workbook makes openpyxl raise anything
            self.stream.close()
            raise _unreadable(self.path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()
        self.stream.close()

    @property
    def names(self) -> list[str]:
        return [sheet.title for sheet in self.book.worksheets]

    def rows(self, name: str) -> Iterator[list[str | None]]:
        """Yield the rows of a sheet as text; an empty cell is None."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sheet = self.book[name]
                sheet.reset_dimensions()  # what some programs write there is wrong
                for row in sheet.iter_rows(values_only=True):
                    yield _texts(row)
        except Exception as error:
            raise _unreadable(self.path, error) from error


def _unreadable(path: Path, error: Exception) -> UnreadableFileError:
    return UnreadableFileError(
        path.name,
        "the workbook cannot be read; it is cut off or damaged",
        _EXPECTED,
        details=f"{type(error).__name__}: {error!s:.500}",
    )


def _texts(row: Sequence[Any]) -> list[str | None]:
    return [_text(cell) for cell in row]


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip() or None
