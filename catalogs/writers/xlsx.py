"""XLSX: one table on one or more sheets, and a sheet that says what it is.

Numbers are numbers and text is text: what looks like a formula is marked as text, so that no
spreadsheet runs it. openpyxl makes the workbook: its parts, styles, heads and the sheet "About".
The rows, of which there may be millions, are put between the head and the end of a sheet as they
come, every text as a cell that was made once: that takes a tenth of the time.

Source of the format: ECMA-376 part 1, 18.3.1.73 (row) and 18.3.1.4 (c); the places of rows and
cells are left out, as they may be where nothing is skipped.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

import pyarrow as pa

from catalogs.errors import TimesError
from catalogs.measures import measure
from catalogs.query import Query
from catalogs.source import Source
from catalogs.writers.base import Content, Writer, Written
from catalogs.writers.selection import Results, chosen_scenarios, flat_rows

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: Limits of the format.
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767

#: More sheets of results than this open in no spreadsheet.
LARGEST_SHEETS = 4

#: Rows that are put together before they are packed.
_ROWS_AT_ONCE = 2_000

#: Packing harder makes a file a quarter smaller and takes three times as long.
_PACKED = 3

#: Characters that XML cannot hold.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Text that a program may take for a formula or an error value, at once or once it is edited.
_NOT_TEXT = re.compile(r"[=#]|[+\-@\t\r].")

_END = b"</sheetData>"
#: How large a sheet is, which is not known when it begins.
_DIMENSION = re.compile(rb"<dimension [^>]*/>")


def write_xlsx(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write an export as a workbook; see ``flat_rows`` for its columns.

    Raises ``TimesError`` for more rows than fit, or a text longer than a cell holds.
    """
    with flat_rows(source, content) as rows:
        return _write(rows, about(source, content), stream)


def _write(rows: pa.RecordBatchReader, notes: Mapping[str, str], stream: BinaryIO) -> Written:
    names = rows.schema.names
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_PACKED) as packed:
        start, end, quoted = _around_rows(names, notes)
        found = _rows(rows, _Cells(quoted))
        first = next(found, None)
        sheets, count = 0, 0
        while sheets == 0 or first is not None:
            sheets += 1
            _refuse_more_sheets(sheets)
            kept = chain([first] if first is not None else [], islice(found, SHEET_ROWS - 2))
            with packed.open(_path_of(sheets), "w", force_zip64=True) as sheet:
                sheet.write(start)
                count += _write_rows(kept, sheet)
                sheet.write(end)
            first = next(found, None)
        with zipfile.ZipFile(_workbook(names, notes, sheets)[0]) as frame:
            own = {_path_of(number) for number in range(1, sheets + 1)}
            for name in frame.namelist():
                if name not in own:
                    packed.writestr(name, frame.read(name))
    return Written(count)


def _refuse_more_sheets(number: int) -> None:
    if number > LARGEST_SHEETS:
        raise TimesError(
            f"There are more than {LARGEST_SHEETS * (SHEET_ROWS - 1):,} rows: too many for a"
            " spreadsheet.",
            "Choose fewer scenarios, regions, years or attributes, or export as CSV or Parquet.",
        )


# ---------------------------------------------------------------------------- rows


class _Cells(dict[object, str]):
    """The cell of every value that has occurred: a number, nothing, or text that is only text.

    ``quoted`` is the number of the style that keeps text from being a formula.
    """

    def __init__(self, quoted: int) -> None:
        super().__init__()
        self._quoted = quoted

    def __missing__(self, value: object) -> str:
        cell = self._cell(value)
        if not isinstance(value, float):  # those hardly ever occur twice
            self[value] = cell
        return cell

    def _cell(self, value: object) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, (int, float)) and math.isfinite(value):
            return f"<c><v>{value!r}</v></c>"
        # The format has no infinity and no "not a number".
        text = str(value)
        if len(text) > CELL_CHARACTERS:
            raise TimesError(
                f"A text of {len(text):,} characters is longer than a spreadsheet's cell can hold"
                f" ({text[:40]}...).",
                "Export as CSV or Parquet.",
            )
        text = without_controls(text)
        style = "" if is_harmless(text) else f' s="{self._quoted}"'
        space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
        # A bare carriage return is a line feed to whoever reads XML.
        text = escape(text, {"\r": "&#13;"})
        return f'<c{style} t="inlineStr"><is><t{space}>{text}</t></is></c>'


def _rows(batches: Iterable[pa.RecordBatch], cells: _Cells) -> Iterator[str]:
    for batch in batches:
        columns = [map(cells.__getitem__, column.to_pylist()) for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield f"<row>{''.join(row)}</row>"


def _write_rows(rows: Iterator[str], sheet: Any) -> int:
    count = 0
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        sheet.write("".join(some).encode())
        count += len(some)
    return count


# ---------------------------------------------------------------------------- what is around them


def _around_rows(names: Iterable[str], notes: Mapping[str, str]) -> tuple[bytes, bytes, int]:
    """Return a sheet up to its rows and from there on, and the style of text that is quoted."""
    workbook, quoted = _workbook(names, notes, 1)
    with zipfile.ZipFile(workbook) as frame:
        start, _, rest = frame.read(_path_of(1)).partition(_END)
    return _DIMENSION.sub(b"", start), _END + rest, quoted


def _path_of(sheet: int) -> str:
    return f"xl/worksheets/sheet{sheet}.xml"


def _workbook(names: Iterable[str], notes: Mapping[str, str], sheets: int) -> tuple[BinaryIO, int]:
    """Return a workbook whose sheets of data have a head and no rows, and the quoted style."""
    from openpyxl import Workbook  # takes a fifth of a second
    from openpyxl.styles import Font

    workbook = Workbook()
    bold = Font(bold=True)
    sheet: Any = workbook.active
    for number in range(1, sheets + 1):
        if number > 1:
            sheet = workbook.create_sheet()
        sheet.title = "Data" if number == 1 else f"Data {number}"
        sheet.freeze_panes = "A2"
        for column, name in enumerate(names, start=1):
            sheet.cell(1, column, name).font = bold
    described: Any = workbook.create_sheet("About")
    for row, (name, text) in enumerate(notes.items(), start=1):
        described.cell(row, 1, name).font = bold
        cell = described.cell(row, 2)
        short = text if len(text) <= CELL_CHARACTERS else f"{text[: CELL_CHARACTERS - 1]}…"
        cell.value = without_controls(short)
        cell.data_type = "s"
        cell.quotePrefix = True
    described.column_dimensions["A"].width = 20
    quoted = described.cell(1, 2).style_id
    stream = io.BytesIO()
    workbook.save(stream)
    return stream, int(quoted)


def without_controls(text: str) -> str:
    """Return a text with a sign in place of each character that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)


def is_harmless(text: str) -> bool:
    """Whether no spreadsheet takes a text for a formula or an error value."""
    return not _NOT_TEXT.match(text)


def about(source: Source, content: Content) -> dict[str, str]:
    """Return what the sheet "About" says: where the figures come from and what they mean."""
    notes = {
        "Dataset": source.dataset,
        "Data version": source.version,
        "Scenarios": ", ".join(s.key for s in chosen_scenarios(source, content)),
    }
    if isinstance(content, Results):
        return {**notes, "Content": "Result rows as imported", "Selection": content.shown()}
    query = content.query
    asked = measure(query.measure)
    return {
        **notes,
        "Content": asked.label,
        "Definition": asked.definition,
        "Unit": content.unit,
        "Regions": ", ".join(query.regions) or "all",
        "Filters": "; ".join(f"{name}: {', '.join(v)}" for name, v in query.filters) or "none",
        "Left out": "; ".join(content.left_out) or "nothing",
    }


WRITERS = (Writer("xlsx", "Excel", ".xlsx", MEDIA_TYPE, (Results, Query), write_xlsx),)
