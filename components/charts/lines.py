"""Lines: a line per group and scenario over the years, at true distances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from components.charts.series import Series, values_of, year_label
from components.numbers import significant

#: Dashes tell scenarios apart; the base scenario is solid.
DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot")

#: Height of a label at a line's end, and the room above the highest value, in shares of the axis.
_LABEL_HEIGHT = 0.045
_ROOM_ABOVE = 0.04

SEGMENT_COLUMNS = ("x0", "y0", "x1", "y1", "colour", "dash")
POINT_COLUMNS = ("x", "y", "colour", "label", "scenario", "year", "shown", "difference", "code")


@dataclass(frozen=True)
class LineLayout:
    """Lines as marks.

    ``segments`` has a row per stretch between two years with ``SEGMENT_COLUMNS``; ``points`` a row
    per value with ``POINT_COLUMNS``; ``ends`` the columns x, y, text, colour for the labels at
    the lines' ends.
    """

    segments: pd.DataFrame
    points: pd.DataFrame
    ends: pd.DataFrame
    years: tuple[int, ...]
    low: float
    high: float


def lay_out_lines(series: Series, *, unit: str, base: str = "") -> LineLayout:
    """Lay the lines of a series out; labels at the ends are kept from overlapping."""
    segments: list[tuple[object, ...]] = []
    points, ends = [], []
    values = values_of(series)
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
            segments += [(*start, *end, member.colour, dash) for start, end in pairwise(line)]
            for year, value in line:
                before = values.get((base, year, member.code)) if base != scenario else None
                points.append(
                    (
                        year, value, member.colour, member.label, scenario, year_label(year),
                        f"{significant(value)} {unit}",
                        "" if before is None else f"{significant(value - before)} {unit} to base",
                        member.code,
                    )
                )  # fmt: skip
            if number == 0:
                ends.append((line[-1][0], line[-1][1], member.label, member.colour))
    frame = pd.DataFrame(points, columns=list(POINT_COLUMNS))
    low = min(0.0, float(frame["y"].min())) if len(frame) else 0.0
    high = max(0.0, float(frame["y"].max())) if len(frame) else 1.0
    return LineLayout(
        pd.DataFrame(segments, columns=list(SEGMENT_COLUMNS)),
        frame,
        _apart(ends, low, high),
        series.years,
        low,
        high,
    )


def _apart(ends: list[tuple[int, float, str, str]], low: float, high: float) -> pd.DataFrame:
    """Move labels apart where they would cover each other; leave out what finds no room.

    Each moves up to be clear of the one below, then all down to stay within the picture.
    """
    span = (high - low) or 1.0
    least, farthest = _LABEL_HEIGHT * span, 3 * _LABEL_HEIGHT * span
    rising: list[tuple[float, tuple[int, float, str, str]]] = []
    for end in sorted(ends, key=lambda end: end[1]):
        free = end[1] if not rising else max(end[1], rising[-1][0] + least)
        if free - end[1] <= farthest:
            rising.append((free, end))
    placed: list[tuple[int, float, str, str]] = []
    ceiling = high + _ROOM_ABOVE * span
    for free, (x, y, text, colour) in reversed(rising):
        place = min(free, ceiling)
        if y - place <= farthest:
            placed.append((x, place, text, colour))
            ceiling = place - least
    return pd.DataFrame(placed[::-1], columns=["x", "y", "text", "colour"])
