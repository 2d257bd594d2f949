"""Lines: a line per group and scenario over the years, at true distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from components.charts.series import Series, year_label
from components.numbers import significant

#: Dashes tell scenarios apart; the base scenario is solid.
DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot")

#: Height of a label at a line's end, and the room above the highest value, in shares of the axis.
_LABEL_HEIGHT = 0.045
_ROOM_ABOVE = 0.04


class Segment(NamedTuple):
    """A stretch of a line between two years that have values."""

    x0: float
    y0: float
    x1: float
    y1: float
    colour: str
    dash: str


class Point(NamedTuple):
    """A value: its place, and what the hover says of it."""

    x: float
    y: float
    colour: str
    label: str
    scenario: str
    year: str
    shown: str
    difference: str
    code: str


class End(NamedTuple):
    """The name of a line, at its end."""

    x: float
    y: float
    text: str
    colour: str


@dataclass(frozen=True)
class LineLayout:
    """Lines as marks."""

    segments: Sequence[Segment]
    points: Sequence[Point]
    ends: Sequence[End]
    years: Sequence[int]
    low: float
    high: float


def lay_out_lines(series: Series, *, unit: str, base: str = "") -> LineLayout:
    """Lay the lines of a series out; labels at the ends are kept from overlapping."""
    segments: list[Segment] = []
    points: list[Point] = []
    ends: list[End] = []
    values = series.values
    for number, scenario in enumerate(series.scenarios):
        for member in series.members:
            line = [
                (year, values[scenario, year, member.code])
                for year in series.years
                if (scenario, year, member.code) in values
            ]
            if not line:
                continue
            dash = DASHES[number % len(DASHES)]
            segments += [
                Segment(*start, *end, member.colour, dash) for start, end in pairwise(line)
            ]
            for year, value in line:
                before = values.get((base, year, member.code)) if base != scenario else None
                points.append(
                    Point(
                        x=year,
                        y=value,
                        colour=member.colour,
                        label=member.label,
                        scenario=scenario,
                        year=year_label(year),
                        shown=f"{significant(value)} {unit}",
                        difference=""
                        if before is None
                        else f"{significant(value - before)} {unit} to base",
                        code=member.code,
                    )
                )
            if number == 0:
                ends.append(End(*line[-1], member.label, member.colour))
    low = min((point.y for point in points), default=0.0)
    high = max((point.y for point in points), default=1.0)
    low, high = min(0.0, low), max(0.0, high)
    return LineLayout(segments, points, _apart(ends, low, high), series.years, low, high)


def _apart(ends: Sequence[End], low: float, high: float) -> list[End]:
    """Move labels apart where they would cover each other; leave out what finds no room.

    Each moves up to be clear of the one below, then all down to stay within the picture.
    """
    span = (high - low) or 1.0
    least, farthest = _LABEL_HEIGHT * span, 3 * _LABEL_HEIGHT * span
    rising: list[tuple[float, End]] = []
    for end in sorted(ends, key=lambda end: end.y):
        free = end.y if not rising else max(end.y, rising[-1][0] + least)
        if free - end.y <= farthest:
            rising.append((free, end))
    placed: list[End] = []
    ceiling = high + _ROOM_ABOVE * span
    for free, end in reversed(rising):
        place = min(free, ceiling)
        if end.y - place <= farthest:
            placed.append(end._replace(y=place))
            ceiling = place - least
    return placed[::-1]
