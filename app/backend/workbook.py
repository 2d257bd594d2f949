"""A workbook (Office Open XML) written to a stream that cannot go back, a batch at a time.

openpyxl keeps each sheet in a file before it is packed; a worker may write no file. What is text is
marked as text, so that no spreadsheet runs it as a formula (see ``catalogs.writers.xlsx``).
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import IO, Any
from xml.sax.saxutils import escape

import pyarrow as pa

from catalogs.writers.xlsx import (
    CELL_CHARACTERS,
    LARGEST_SHEETS,
    SHEET_ROWS,
    is_harmless,
    without_controls,
)

#: Rows that fit, beside a header on each sheet; and characters of a text.
LARGEST = LARGEST_SHEETS * (SHEET_ROWS - 1)
TEXT = CELL_CHARACTERS

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

#: Styles by their place in the list below: text that is kept as text, bold, date, date and time.
_AS_TEXT, _BOLD, _DATE, _TIME = 1, 2, 3, 4
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy-mm-dd hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
#: The day that spreadsheets count from, the first that all agree on, and the last they know.
_DAY_ZERO = datetime(1899, 12, 30)
_FIRST_DAY, _LAST_DAY = date(1900, 3, 1), date(9999, 12, 31)
#: Whole numbers beyond this lose their last digits in a spreadsheet: they are text.
_EXACT = 2**53


class Workbook:
    """A workbook with one table, continued on further sheets where one is full."""

    def __init__(self, stream: Any, names: Sequence[str]) -> None:
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._header = "".join(_text(name, _BOLD) for name in names)
        self._sheets = 0
        self._rows = 0
        self._sheet: IO[bytes] | None = None
        self._next_sheet()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        at = 0
        while at < batch.num_rows:
            if self._rows == SHEET_ROWS - 1:
                self._next_sheet()
            part = batch.slice(at, SHEET_ROWS - 1 - self._rows)
            cells = [_cells(column) for column in part.columns]
            self._put("".join(f"<row>{''.join(row)}</row>" for row in zip(*cells, strict=True)))
            at += part.num_rows
            self._rows += part.num_rows

    def finish(self) -> None:
        """End the last sheet and write what names the sheets."""
        self._end_sheet()
        numbers = range(1, self._sheets + 1)
        for name, text in (
            ("xl/styles.xml", _STYLES),
            ("xl/workbook.xml", _workbook(numbers)),
            ("xl/_rels/workbook.xml.rels", _relations_of_workbook(numbers)),
            ("_rels/.rels", _relations_of_package()),
            ("[Content_Types].xml", _content_types(numbers)),
        ):
            self._archive.writestr(name, text)
        self._archive.close()

    def _next_sheet(self) -> None:
        self._end_sheet()
        self._sheets += 1
        self._rows = 0
        path = f"xl/worksheets/sheet{self._sheets}.xml"
        self._sheet = self._archive.open(path, "w", force_zip64=True)
        self._put(
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            f"</sheetView></sheetViews><sheetData><row>{self._header}</row>"
        )

    def _end_sheet(self) -> None:
        if self._sheet is not None:
            self._put("</sheetData></worksheet>")
            self._sheet.close()

    def _put(self, text: str) -> None:
        if self._sheet is not None:
            self._sheet.write(text.encode())


def _cells(column: pa.Array) -> list[str]:
    kind = column.type
    of_value: Callable[[Any], str] = _any
    if pa.types.is_string(kind):
        of_value = partial(_text, style=0)
    elif pa.types.is_boolean(kind):
        of_value = _flag
    elif pa.types.is_floating(kind):
        of_value = _real
    return ["<c/>" if value is None else of_value(value) for value in column.to_pylist()]


def _text(text: str, style: int) -> str:
    clean = without_controls(text)
    style = style if is_harmless(clean) else (style or _AS_TEXT)
    marked = f' s="{style}"' if style else ""
    return f'<c{marked} t="inlineStr"><is><t xml:space="preserve">{escape(clean)}</t></is></c>'


def _flag(value: bool) -> str:
    return f'<c t="b"><v>{int(value)}</v></c>'


def _real(value: float) -> str:
    return f"<c><v>{value!r}</v></c>" if math.isfinite(value) else _text(str(value), 0)


def _any(value: Any) -> str:
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, int | Decimal) and -_EXACT <= value <= _EXACT:
        return f"<c><v>{value}</v></c>"
    return _text(str(value), 0)


def _day(value: date) -> str:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    if not _FIRST_DAY <= moment.date() <= _LAST_DAY:
        return _text(str(value), 0)
    style = _TIME if isinstance(value, datetime) else _DATE
    days = (moment - _DAY_ZERO).total_seconds() / 86_400
    return f'<c s="{style}"><v>{days!r}</v></c>'


def _workbook(numbers: Sequence[int]) -> str:
    sheets = "".join(
        f'<sheet name="{"Data" if n == 1 else f"Data {n}"}" sheetId="{n}" r:id="sheet{n}"/>'
        for n in numbers
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
    )


def _relations_of_workbook(numbers: Sequence[int]) -> str:
    sheets = "".join(
        f'<Relationship Id="sheet{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    styles = f'<Relationship Id="styles" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    return f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{sheets}{styles}</Relationships>'


def _relations_of_package() -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_RELATIONS}"><Relationship Id="workbook"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    )


def _content_types(numbers: Sequence[int]) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml"'
        f' ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    return (
        f'{_HEAD}<Types xmlns="{_TYPES}"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/>'
        f"{sheets}</Types>"
    )
