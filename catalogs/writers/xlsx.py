"""XLSX: one table on one or more sheets, and a sheet that says what it is.

Numbers are numbers and text is text: what looks like a formula is marked as text, so that no
spreadsheet runs it. Rows are written as they come, without holding the workbook in memory.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

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

#: Characters that XML cannot hold.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Text that openpyxl would take for a formula or an error value.
_NOT_TEXT = re.compile(r"[=#]")
#: Text that a spreadsheet takes for a formula once someone edits the cell.
_FORMULA = re.compile(r"[=+\-@\t\r].")


def write_xlsx(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write an export as a workbook; see ``flat_rows`` for its columns.

    Raises ``TimesError`` for more rows than fit, or a text longer than a cell holds.
    """
    with flat_rows(source, content) as rows:
        return _write(rows, about(source, content), stream)


def _write(rows: pa.RecordBatchReader, notes: Mapping[str, str], stream: BinaryIO) -> Written:
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet: Any = None
    count = 0
    try:
        for number, cells in enumerate(_rows(rows)):
            if number % (SHEET_ROWS - 1) == 0:
                sheet = _next_sheet(workbook, rows.schema.names)
            sheet.append([_cell(sheet, value) for value in cells])
            count = number + 1
        described = workbook.create_sheet("About")
        for name, text in notes.items():
            described.append([_bold(described, name), _cell(described, text)])
        described.column_dimensions["A"].width = 20
        workbook.save(stream)
    finally:
        _let_go(workbook)
    return Written(count)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[object, ...]]:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _next_sheet(workbook: Any, header: Iterable[str]) -> Any:
    number = len(workbook.worksheets) + 1
    if number > LARGEST_SHEETS:
        raise TimesError(
            f"There are more than {LARGEST_SHEETS * (SHEET_ROWS - 1):,} rows: too many for a"
            " spreadsheet.",
            "Choose fewer scenarios, regions, years or attributes, or export as CSV or Parquet.",
        )
    sheet = workbook.create_sheet("Data" if number == 1 else f"Data {number}")
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, name) for name in header])
    return sheet


def _bold(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: object) -> object:
    """Return what a cell holds: a number, None, or text that no spreadsheet takes for more."""
    if isinstance(value, float):
        # The format has no infinity and no "not a number".
        return value if math.isfinite(value) else str(value)
    if not isinstance(value, str):
        return value
    if len(value) > CELL_CHARACTERS:
        raise TimesError(
            f"A text of {len(value):,} characters is longer than a spreadsheet's cell can hold"
            f" ({value[:40]}...).",
            "Export as CSV or Parquet.",
        )
    text = without_controls(value)
    if is_harmless(text):
        return text
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def without_controls(text: str) -> str:
    """Return a text with a sign in place of each character that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)


def is_harmless(text: str) -> bool:
    """Whether no spreadsheet takes a text for a formula or an error value."""
    return not _NOT_TEXT.match(text) and not _FORMULA.match(text)


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


def _let_go(workbook: Any) -> None:
    """Remove what openpyxl keeps on disk of each sheet until the program ends."""
    for sheet in workbook.worksheets:
        writer = sheet._writer
        if writer and Path(writer.out).exists():
            if not sheet.closed:
                sheet.close()
            writer.cleanup()


WRITERS = (Writer("xlsx", "Excel", ".xlsx", MEDIA_TYPE, (Results, Query), write_xlsx),)
