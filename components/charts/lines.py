"""Lines: a line per group and scenario over the years, at true distances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from components.charts.series import Series
from components.numbers import significant

#: Dashes tell scenarios apart; the base scenario is solid.
DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot")

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
    values = {
        (row.scenario, row.group, int(row.year)): float(row.value)
        for row in series.frame.itertuples()
        if row.value == row.value
    }
    for number, scenario in enumerate(series.scenarios):
        for member in series.members:
            line = [
                (year, values[scenario, member.code, year])
                for year in series.years
                if (scenario, member.code, year) in values
            ]
            if not line:
                continue
            dash = DASHES[number % len(DASHES)]
            segments += [(*start, *end, member.colour, dash) for start, end in pairwise(line)]
            for year, value in line:
                before = values.get((base, member.code, year)) if base != scenario else None
                points.append(
                    (
                        year, value, member.colour, member.label, scenario, str(year),
                        f"{significant(value)} {unit}",
                        "" if before is None else f"{significant(value - before)} {unit}",
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
        _apart(ends, high - low),
        series.years,
        low,
        high,
    )


def _apart(ends: list[tuple[int, float, str, str]], span: float) -> pd.DataFrame:
    """Move labels up where they would cover the one below; leave out what finds no room."""
    least = span * 0.045
    placed: list[tuple[int, float, str, str]] = []
    for x, y, text, colour in sorted(ends, key=lambda end: end[1]):
        free = y if not placed else max(y, placed[-1][1] + least)
        if free - y <= 3 * least:
            placed.append((x, free, text, colour))
    return pd.DataFrame(placed, columns=["x", "y", "text", "colour"])
