"""What stands in each column of a result: counts, bounds, averages, spread, frequent values.

Pure: from an Arrow table to plain lists that ``ColumnProfiles`` draws. It is of the rows that were
brought back, which a page says where they are not all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import param
import pyarrow as pa
import pyarrow.compute as pc
from panel.custom import JSComponent

from components.assets import read_asset
from components.database.cells import can_sort, cell, count_of, is_number, is_plain
from components.numbers import percentage, significant

_BINS = 14
_FREQUENT = 5
#: Columns that are profiled; beyond them nobody looks, and it would take seconds.
MOST_COLUMNS = 200


class ColumnProfiles(JSComponent):
    """A card for each column."""

    columns = param.List(default=[], item_type=dict, doc="What is shown, from ``profile``")

    _esm = read_asset("database_profile.js")
    _stylesheets = [read_asset("database_profile.css")]


def profile(table: pa.Table, kinds: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return what stands in the first ``MOST_COLUMNS`` columns of a table.

    Each has name, kind, facts (pairs of text), bins (counts of a histogram), low and high (its
    ends), and frequent (value, count and share of the most frequent values).
    """
    names = kinds or tuple(str(field.type) for field in table.schema)
    return [
        _column(field.name, names[place], table.column(place))
        for place, field in enumerate(table.schema)
        if place < MOST_COLUMNS
    ]


def _column(name: str, kind: str, column: pa.ChunkedArray) -> dict[str, Any]:
    rows, missing = len(column), column.null_count
    facts = [("Rows", count_of(rows))]
    if missing:
        facts.append(("NULL", f"{count_of(missing)} ({percentage(missing / rows)})"))
    found: dict[str, Any] = {
        "name": name, "kind": kind, "facts": facts,
        "bins": [], "low": "", "high": "", "frequent": [],
    }  # fmt: skip
    if not can_sort(column.type) or rows == missing:
        return found
    distinct = len(pc.unique(column.drop_null()))
    facts.append(("Distinct", count_of(distinct)))
    if is_number(column.type):
        _add_numbers(found, column, name)
    elif not (pa.types.is_boolean(column.type) or pa.types.is_duration(column.type)):
        low, high = (bound.as_py() for bound in pc.min_max(column).values())
        facts += [("First", cell(low, name) or ""), ("Last", cell(high, name) or "")]
    # Of values that do not repeat, none is frequent.
    if distinct < rows - missing and (distinct <= 40 or not is_number(column.type)):
        found["frequent"] = _frequent(column, name)
    return found


def _add_numbers(found: dict[str, Any], column: pa.ChunkedArray, name: str) -> None:
    values = pc.cast(column.drop_null(), pa.float64(), safe=False).to_numpy()
    values = values[np.isfinite(values)]
    if not len(values):
        return
    low, high = float(values.min()), float(values.max())
    whole = pa.types.is_integer(column.type)
    ends = [cell(int(v) if whole else v, name) or "" for v in (low, high)]
    found["facts"] += [
        ("Lowest", ends[0]),
        ("Highest", ends[1]),
    ]
    if not (whole and is_plain(name)):
        found["facts"] += _averages(values)
    if low < high:
        bins = min(_BINS, int(high - low) + 1) if whole else _BINS
        counts, _edges = np.histogram(values, bins=bins)
        found.update(bins=[int(n) for n in counts], low=ends[0], high=ends[1])


def _averages(values: np.ndarray) -> list[tuple[str, str]]:
    facts = [
        ("Mean", significant(float(values.mean()), 4)),
        ("Median", significant(float(np.median(values)), 4)),
    ]
    if len(values) > 1:
        facts.append(("Deviation", significant(float(values.std(ddof=1)), 4)))
    return facts


def _frequent(column: pa.ChunkedArray, name: str) -> list[list[Any]]:
    counted = pc.value_counts(column.drop_null()).to_pylist()
    counted.sort(key=lambda entry: -entry["counts"])
    rows = len(column)
    return [
        [cell(e["values"], name) or "(empty)", count_of(e["counts"]), e["counts"] / rows]
        for e in counted[:_FREQUENT]
    ]
