"""From a tidy answer to the series of a chart: which groups, in which order, in which colour.

Plain Python rather than pandas: a picture has some hundred values, and these steps stand between
a click and its picture (a tenth of the time that the same steps took on frames).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

OTHER = "Other groups"
_OTHER_COLOUR = "#9aa0a6"

#: Stands for the year of values that belong to the whole horizon (objectives, lump sums).
WHOLE_HORIZON = 0

#: A value's scenario, year and group.
Key = tuple[str, int, str]


@dataclass(frozen=True)
class Member:
    """A group as it is shown: its code, label and colour."""

    code: str
    label: str
    colour: str


@dataclass(frozen=True)
class Series:
    """Values ready to be drawn.

    ``values`` are by scenario, year and code of the group; missing ones are left out. ``members``
    are in the order of the stack.
    """

    values: Mapping[Key, float]
    members: tuple[Member, ...]
    scenarios: tuple[str, ...]
    years: tuple[int, ...]
    merged: int = 0

    def member(self, code: str) -> Member:
        """Return a member by its code."""
        return next(member for member in self.members if member.code == code)

    def largest(self, count: int) -> list[Member]:
        """Return the largest members, in the order of the stack."""
        sizes: dict[str, float] = {}
        for (_, _, code), value in self.values.items():
            sizes[code] = sizes.get(code, 0.0) + abs(value)
        chosen = sorted(self.members, key=lambda member: -sizes.get(member.code, 0.0))[:count]
        return [member for member in self.members if member in chosen]

    @cached_property
    def totals(self) -> Mapping[tuple[str, int], float]:
        """The sum over all groups for every scenario and year."""
        sums: dict[tuple[str, int], float] = {}
        for (scenario, year, _), value in self.values.items():
            sums[scenario, year] = sums.get((scenario, year), 0.0) + value
        return sums


def make_series(
    frame: pd.DataFrame,
    group: str,
    scenarios: Sequence[str],
    *,
    most: int,
    label: Callable[[str], str],
    colour: Callable[[str], str],
    order: Callable[[str], int] = lambda _code: 0,
) -> Series:
    """Arrange an answer's frame (scenario, year, ``group``, value) for drawing.

    Groups beyond the ``most`` largest, by the sum of absolute values, are merged into one called
    ``OTHER``. The others stand in ``order``, so that a group keeps its place whatever is chosen;
    those of the same order by size. Without a group (''), there is one member for all.
    """
    rows = list(_rows(frame, group))
    sizes: dict[str, float] = {}
    for (_, _, code), value in rows:
        sizes[code] = sizes.get(code, 0.0) + (0.0 if math.isnan(value) else abs(value))
    ordered = sorted(sizes, key=lambda code: -sizes[code])
    kept = ordered[:most] if len(ordered) > most + 1 else ordered
    named, merged = set(kept), len(ordered) - len(kept)
    kept = sorted(kept, key=order)  # stable: those of one order stay by size
    values: dict[Key, float] = {}
    for (scenario, year, code), value in rows:
        if not math.isnan(value):
            key = (scenario, year, code if code in named else OTHER)
            values[key] = values.get(key, 0.0) + value
    there = {scenario for (scenario, _, _), _ in rows}
    return Series(
        values=values,
        members=tuple(
            Member(code, label(code), colour(code)) for code in kept
        ) + ((Member(OTHER, OTHER, _OTHER_COLOUR),) if merged else ()),
        scenarios=tuple(name for name in scenarios if name in there),
        years=tuple(sorted({year for (_, year, _), _ in rows})),
        merged=merged,
    )  # fmt: skip


def _rows(frame: pd.DataFrame, group: str) -> list[tuple[Key, float]]:
    years = frame["year"].fillna(WHOLE_HORIZON).astype(int).tolist()
    codes = frame[group].fillna("-").astype(str).tolist() if group else ["Total"] * len(frame)
    keys = zip(frame["scenario"].tolist(), years, codes, strict=True)
    return list(zip(keys, frame["value"].astype(float).tolist(), strict=True))


def year_label(year: int) -> str:
    """Return how a year is written."""
    return "Whole horizon" if year == WHOLE_HORIZON else str(year)
