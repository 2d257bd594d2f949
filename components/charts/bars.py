"""Stacked bars: a bar per scenario and year, blocks of bars side by side on one axis.

The layout is pure: it turns a series into rectangles and ticks in units of one bar slot. Positive
values stack upwards from zero, negative ones downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from components.charts.series import Series, totals, values_of, year_label
from components.numbers import percentage, significant

#: Width of a bar and of the gap between blocks, in slots.
BAR_WIDTH = 0.78
BLOCK_GAP = 0.9

Arrangement = str  # "scenario": a block per scenario; "year": a block per year

COLUMNS = (
    "left", "bottom", "right", "top", "colour", "label", "scenario", "year", "shown", "share",
    "difference", "code",
)  # fmt: skip


@dataclass(frozen=True)
class BarLayout:
    """Stacked bars as marks.

    ``bars`` has a row per rectangle with ``COLUMNS``; ``ticks`` and ``blocks`` are pairs of a
    position and a text; ``sums`` has the columns x, y, text for the totals above the bars.
    """

    bars: pd.DataFrame
    ticks: list[tuple[float, str]]
    blocks: list[tuple[float, str]]
    sums: pd.DataFrame
    width: float
    low: float
    high: float


def lay_out_bars(
    series: Series,
    *,
    arrangement: Arrangement,
    unit: str,
    base: str = "",
    show_totals: bool = True,
    scenario_label: dict[str, str] | None = None,
) -> BarLayout:
    """Lay the bars of a series out.

    Parameters
    ----------
    arrangement
        ``scenario`` or ``year``: what a block of bars has in common.
    base
        The scenario that differences in the hover are against; '' for none.
    show_totals
        Whether the sum of a stack means something and is written above it.
    """
    names = scenario_label or {}
    if arrangement == "year":
        outer: Sequence[object] = series.years
        inner: Sequence[object] = series.scenarios
    else:
        outer, inner = series.scenarios, series.years
    slots: dict[tuple[str, int], float] = {}
    ticks, blocks = [], []
    position = 0.0
    for block in outer:
        start = position
        for item in inner:
            scenario, year = (item, block) if arrangement == "year" else (block, item)
            slots[str(scenario), int(str(year))] = position
            ticks.append((position, _slot_label(item, names)))
            position += 1
        blocks.append(((start + position - 1) / 2, _slot_label(block, names)))
        position += BLOCK_GAP
    bars = _rectangles(series, slots, unit, base)
    sums = _sums(series, slots, bars) if show_totals else pd.DataFrame(columns=["x", "y", "text"])
    low = min(0.0, float(bars["bottom"].min())) if len(bars) else 0.0
    high = max(0.0, float(bars["top"].max())) if len(bars) else 1.0
    return BarLayout(bars, ticks, blocks, sums, max(position - BLOCK_GAP, 1.0), low, high)


def _slot_label(item: object, names: dict[str, str]) -> str:
    return year_label(item) if isinstance(item, int) else names.get(str(item), str(item))


def _rectangles(
    series: Series, slots: dict[tuple[str, int], float], unit: str, base: str
) -> pd.DataFrame:
    values = values_of(series)
    sums = totals(series)
    rows = []
    for (scenario, year), x in slots.items():
        up = down = 0.0
        for member in series.members:
            value = values.get((scenario, year, member.code))
            if value is None or value == 0:
                continue
            bottom, top = (up, up + value) if value > 0 else (down + value, down)
            up, down = (top, down) if value > 0 else (up, bottom)
            total = sums[scenario, year]
            share = percentage(value / total) if total > 0 and 0 <= value <= total else ""
            before = (
                values.get((base, year, member.code), 0.0) if base and base != scenario else None
            )
            rows.append(
                (
                    x - BAR_WIDTH / 2, bottom, x + BAR_WIDTH / 2, top, member.colour, member.label,
                    scenario, year_label(year), f"{significant(value)} {unit}", share,
                    _difference(value, before, unit), member.code,
                )
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _difference(value: float, before: float | None, unit: str) -> str:
    if before is None:
        return ""
    change = value - before
    return f"{'+' if change > 0 else ''}{significant(change)} {unit} to base"


def _sums(series: Series, slots: dict[tuple[str, int], float], bars: pd.DataFrame) -> pd.DataFrame:
    tops: dict[tuple[str, str], float] = {}
    for scenario, year, top in zip(bars["scenario"], bars["year"], bars["top"], strict=True):
        tops[scenario, year] = max(tops.get((scenario, year), 0.0), top)
    rows = [
        (slots[scenario, year], tops.get((scenario, year_label(year)), 0.0), significant(total))
        for (scenario, year), total in totals(series).items()
        if (scenario, year) in slots
    ]
    return pd.DataFrame(rows, columns=["x", "y", "text"])
