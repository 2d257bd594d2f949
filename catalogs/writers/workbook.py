"""A workbook (Office Open XML) written as its rows come, to a stream that need not go back.

What is in memory is a batch of rows. openpyxl keeps each sheet in a file before it is packed, takes
ten times as long, and writes what looks like a formula as one; here numbers are numbers, dates are
dates, and text is text that no spreadsheet runs.

Source of the format: ECMA-376 part 1, 18.3.1.73 (row), 18.3.1.4 (c) and 18.8.45 (xf); the places of
rows and cells are left out, as they may be where nothing is skipped.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Self
from xml.sax.saxutils import escape

import pyarrow as pa

from catalogs.errors import TimesError

#: Limits of the format.
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
#: More sheets of rows than this open in no spreadsheet.
LARGEST_SHEETS = 4

#: Packing harder makes a file a quarter smaller and takes three times as long.
_PACKED = 3
#: Cells of a column that are kept to be written again.
_MOST_KEPT = 50_000

#: Characters that XML cannot hold.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Text that a program may take for a formula or an error value, at once or once it is edited.
_NOT_TEXT = re.compile(r"[=#]|[+\-@\t\r].")

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
_HEAD_STAYS = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2"'
    ' activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
)
_FIRST_IS_WIDE = '<cols><col min="1" max="1" width="20" customWidth="1"/></cols>'

#: The day that spreadsheets count from, the first that all agree on, and the last they know.
_DAY_ZERO = datetime(1899, 12, 30)
_FIRST_DAY, _LAST_DAY = date(1900, 3, 1), date(9999, 12, 31)
#: Whole numbers beyond this lose their last digits in a spreadsheet: they are text.
_EXACT = 2**53


class Workbook:
    """One table, continued on further sheets where one is full, and a sheet of notes about it.

    Parameters
    ----------
    stream
        Takes the bytes; need not be able to go back.
    names
        Heads of the columns.

    Used in a ``with`` statement: what is not finished is closed as it is.
    """

    def __init__(self, stream: Any, names: Sequence[str]) -> None:
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_PACKED)
        self._heads = "".join(_text(_shortened(name), _BOLD) for name in names)
        self._cells = [_Cells() for _ in names]
        self._titles: list[str] = []
        self._rows = 0
        self._sheet: IO[bytes] | None = None
        self._begin_rows()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._sheet is not None:
            self._sheet.close()
        self._archive.close()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch, with the columns of all batches in their order.

        Raises ``TimesError`` for more rows than fit, or a text longer than a cell holds.
        """
        at = 0
        while at < batch.num_rows:
            if self._rows == SHEET_ROWS - 1:
                self._begin_rows()
            part = batch.slice(at, SHEET_ROWS - 1 - self._rows)
            columns = [
                map(cells.of(column.type).__getitem__, column.to_pylist())
                for cells, column in zip(self._cells, part.columns, strict=True)
            ]
            self._put("".join([f"<row>{''.join(row)}</row>" for row in zip(*columns, strict=True)]))
            at += part.num_rows
            self._rows += part.num_rows

    def finish(self, notes: Mapping[str, str] | None = None) -> None:
        """End the table; ``notes``, if any, follow on a sheet "About"."""
        if notes:
            self._begin_sheet("About", _FIRST_IS_WIDE)
            for name, text in notes.items():
                cells = _text(name, _BOLD) + _text(_shortened(text), _AS_TEXT)
                self._put(f"<row>{cells}</row>")
        self._end_sheet()
        for name, text in (
            ("xl/styles.xml", _STYLES),
            ("xl/workbook.xml", _workbook(self._titles)),
            ("xl/_rels/workbook.xml.rels", _relations_of_workbook(self._titles)),
            ("_rels/.rels", _relations_of_package()),
            ("[Content_Types].xml", _content_types(self._titles)),
        ):
            self._archive.writestr(name, text)
        self._archive.close()

    def _begin_rows(self) -> None:
        number = len(self._titles) + 1
        if number > LARGEST_SHEETS:
            raise TimesError(
                f"There are more than {LARGEST_SHEETS * (SHEET_ROWS - 1):,} rows: too many for a"
                " spreadsheet.",
                "Choose fewer scenarios, regions, years or attributes, or export as CSV or"
                " Parquet.",
            )
        self._begin_sheet("Data" if number == 1 else f"Data {number}", _HEAD_STAYS)
        self._put(f"<row>{self._heads}</row>")
        self._rows = 0

    def _begin_sheet(self, title: str, before_rows: str) -> None:
        self._end_sheet()
        self._titles.append(title)
        path = f"xl/worksheets/sheet{len(self._titles)}.xml"
        self._sheet = self._archive.open(path, "w", force_zip64=True)
        self._put(f'{_HEAD}<worksheet xmlns="{_MAIN}">{before_rows}<sheetData>')

    def _end_sheet(self) -> None:
        if self._sheet is not None:
            self._put("</sheetData></worksheet>")
            self._sheet.close()
            self._sheet = None

    def _put(self, text: str) -> None:
        if self._sheet is not None:
            self._sheet.write(text.encode())


# ---------------------------------------------------------------------------- cells


class _Cells(dict[Any, str]):
    """The cells of one column, each made once for as long as values occur again."""

    _make: Callable[[Any], str]
    _occur_again = True

    def of(self, kind: pa.DataType) -> _Cells:
        """Take the values of a column to be of a kind."""
        self._occur_again = not pa.types.is_floating(kind)
        if pa.types.is_floating(kind):
            self._make = _real
        elif pa.types.is_boolean(kind):
            self._make = _flag
        else:
            self._make = _any
        return self

    def __missing__(self, value: Any) -> str:
        if value is None:
            return "<c/>"
        cell = self._make(value)
        if self._occur_again:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[value] = cell
        return cell


def _any(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, int | Decimal) and -_EXACT <= value <= _EXACT:
        return f"<c><v>{value}</v></c>"
    return _text(str(value))


def _text(text: str, style: int = 0) -> str:
    if len(text) > CELL_CHARACTERS:
        raise TimesError(
            f"A text of {len(text):,} characters is longer than a spreadsheet's cell can hold"
            f" ({text[:40]}...).",
            "Export as CSV or Parquet.",
        )
    text = _NO_XML.sub("\ufffd", text)
    if _NOT_TEXT.match(text):
        style = style or _AS_TEXT
    marked = f' s="{style}"' if style else ""
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    # A bare carriage return is a line feed to whoever reads XML.
    text = escape(text, {"\r": "&#13;"})
    return f'<c{marked} t="inlineStr"><is><t{space}>{text}</t></is></c>'


def _shortened(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else f"{text[: CELL_CHARACTERS - 1]}…"


def _flag(value: bool) -> str:
    return f'<c t="b"><v>{int(value)}</v></c>'


def _real(value: float) -> str:
    # The format has no infinity and no "not a number".
    return f"<c><v>{value!r}</v></c>" if math.isfinite(value) else _text(str(value))


def _day(value: date) -> str:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    if not _FIRST_DAY <= moment.date() <= _LAST_DAY:
        return _text(str(value))
    style = _TIME if isinstance(value, datetime) else _DATE
    days = (moment - _DAY_ZERO).total_seconds() / 86_400
    return f'<c s="{style}"><v>{days!r}</v></c>'


# ---------------------------------------------------------------------------- what names the sheets


def _workbook(titles: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name="{title}" sheetId="{n}" r:id="sheet{n}"/>'
        for n, title in enumerate(titles, start=1)
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
    )


def _relations_of_workbook(titles: Sequence[str]) -> str:
    sheets = "".join(
        f'<Relationship Id="sheet{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n, _ in enumerate(titles, start=1)
    )
    styles = f'<Relationship Id="styles" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    return f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{sheets}{styles}</Relationships>'


def _relations_of_package() -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_RELATIONS}"><Relationship Id="workbook"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    )


def _content_types(titles: Sequence[str]) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml"'
        f' ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
        for n, _ in enumerate(titles, start=1)
    )
    return (
        f'{_HEAD}<Types xmlns="{_TYPES}"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/>'
        f"{sheets}</Types>"
    )
