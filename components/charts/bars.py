"""Stacked bars: a bar per scenario and year, blocks of bars side by side on one axis.

The layout is pure: it turns a series into rectangles and ticks in units of one bar slot. Positive
values stack upwards from zero, negative ones downwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from components.charts.series import Series, year_label
from components.numbers import percentage, significant

#: Width of a bar and of the gap between blocks, in slots.
BAR_WIDTH = 0.78
BLOCK_GAP = 0.9

Arrangement = str  # "scenario": a block per scenario; "year": a block per year


class Bar(NamedTuple):
    """A rectangle of a stack: its edges, its colour and what the hover says of it."""

    left: float
    bottom: float
    right: float
    top: float
    colour: str
    label: str
    scenario: str
    year: str
    shown: str
    share: str
    difference: str
    code: str


class Sum(NamedTuple):
    """The total above a stack."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class BarLayout:
    """Stacked bars as marks; ``ticks`` and ``blocks`` are pairs of a position and a text."""

    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, str]]
    blocks: Sequence[tuple[float, str]]
    sums: Sequence[Sum]
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
    scenario_label: Mapping[str, str] | None = None,
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
    sums = _sums(series, slots, bars) if show_totals else []
    low = min((bar.bottom for bar in bars), default=0.0)
    high = max((bar.top for bar in bars), default=1.0)
    width = max(position - BLOCK_GAP, 1.0)
    return BarLayout(bars, ticks, blocks, sums, width, min(0.0, low), max(0.0, high))


def _slot_label(item: object, names: Mapping[str, str]) -> str:
    return year_label(item) if isinstance(item, int) else names.get(str(item), str(item))


def _rectangles(
    series: Series, slots: Mapping[tuple[str, int], float], unit: str, base: str
) -> list[Bar]:
    bars = []
    for (scenario, year), x in slots.items():
        up = down = 0.0
        for member in series.members:
            value = series.values.get((scenario, year, member.code), 0.0)
            if value == 0:
                continue
            bottom, top = (up, up + value) if value > 0 else (down + value, down)
            up, down = (top, down) if value > 0 else (up, bottom)
            total = series.totals[scenario, year]
            before = None
            if base and base != scenario:
                before = series.values.get((base, year, member.code), 0.0)
            bars.append(
                Bar(
                    left=x - BAR_WIDTH / 2,
                    bottom=bottom,
                    right=x + BAR_WIDTH / 2,
                    top=top,
                    colour=member.colour,
                    label=member.label,
                    scenario=scenario,
                    year=year_label(year),
                    shown=f"{significant(value)} {unit}",
                    share=percentage(value / total) if total > 0 and 0 <= value <= total else "",
                    difference=_difference(value, before, unit),
                    code=member.code,
                )
            )
    return bars


def _difference(value: float, before: float | None, unit: str) -> str:
    if before is None:
        return ""
    change = value - before
    return f"{'+' if change > 0 else ''}{significant(change)} {unit} to base"


def _sums(series: Series, slots: Mapping[tuple[str, int], float], bars: Sequence[Bar]) -> list[Sum]:
    tops: dict[tuple[str, str], float] = {}
    for bar in bars:
        stack = (bar.scenario, bar.year)
        tops[stack] = max(tops.get(stack, 0.0), bar.top)
    return [
        Sum(slots[stack], tops.get((stack[0], year_label(stack[1])), 0.0), significant(total))
        for stack, total in series.totals.items()
        if stack in slots
    ]
