"""XLSX: one table on one or more sheets, and a sheet that says what it is."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from catalogs.measures import measure
from catalogs.query import Query
from catalogs.source import Source
from catalogs.writers.base import Content, Writer, Written
from catalogs.writers.selection import Results, chosen_scenarios, flat_rows
from catalogs.writers.workbook import Workbook

if TYPE_CHECKING:
    import pandas as pd

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def write_xlsx(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write an export as a workbook; see ``flat_rows`` for its columns.

    Raises ``TimesError`` for more rows than fit, or a text longer than a cell holds.
    """
    count = 0
    with flat_rows(source, content) as rows, Workbook(stream, rows.schema.names) as workbook:
        for batch in rows:
            workbook.write(batch)
            count += batch.num_rows
        workbook.finish(about(source, content))
    return Written(count)


def to_xlsx(frame: pd.DataFrame, notes: Mapping[str, str] | None = None) -> io.BytesIO:
    """Return a frame as a workbook, and notes about it on a second sheet; its index is left out.

    Raises ``TimesError`` for more rows than fit, or a text longer than a cell holds.
    """
    stream = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with Workbook(stream, table.schema.names) as workbook:
        for batch in table.to_batches():
            workbook.write(batch)
        workbook.finish(notes)
    stream.seek(0)
    return stream


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
