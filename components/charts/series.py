"""From a tidy answer to the series of a chart: which groups, in which order, in which colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

OTHER = "Other groups"

#: Stands for the year of values that belong to the whole horizon (objectives, lump sums).
WHOLE_HORIZON = 0


@dataclass(frozen=True)
class Member:
    """A group as it is shown: its code, label and colour."""

    code: str
    label: str
    colour: str


@dataclass(frozen=True)
class Series:
    """Values ready to be drawn.

    ``frame`` has the columns scenario, year, group (a member's code) and value, one row per
    combination that has a value; ``members`` are in the order of the stack, the largest first.
    """

    frame: pd.DataFrame
    members: tuple[Member, ...]
    scenarios: tuple[str, ...]
    years: tuple[int, ...]
    merged: int = 0

    def member(self, code: str) -> Member:
        """Return a member by its code."""
        return next(member for member in self.members if member.code == code)


def make_series(
    frame: pd.DataFrame,
    group: str,
    scenarios: Sequence[str],
    *,
    most: int,
    label: Callable[[str], str],
    colour: Callable[[str], str],
) -> Series:
    """Arrange an answer's frame (scenario, year, ``group``, value) for drawing.

    Groups beyond the ``most`` largest, by the sum of absolute values, are merged into one called
    ``OTHER``. Without a group (''), there is one member for all.
    """
    tidy = frame[["scenario", "year", "value"]].copy()
    tidy["year"] = tidy["year"].fillna(WHOLE_HORIZON).astype(int)
    tidy["group"] = frame[group].fillna("-").astype(str) if group else "Total"
    sizes = tidy["value"].abs().groupby(tidy["group"]).sum().sort_values(ascending=False)
    kept = list(sizes.index[:most]) if len(sizes) > most + 1 else list(sizes.index)
    merged = len(sizes) - len(kept)
    if merged:
        tidy.loc[~tidy["group"].isin(kept), "group"] = OTHER
        tidy = tidy.groupby(["scenario", "year", "group"])[["value"]].sum().reset_index()
        kept.append(OTHER)
    return Series(
        frame=tidy,
        members=tuple(_member(code, label, colour) for code in kept),
        scenarios=tuple(name for name in scenarios if name in set(tidy["scenario"])),
        years=tuple(sorted(int(year) for year in tidy["year"].unique())),
        merged=merged,
    )


def _member(code: str, label: Callable[[str], str], colour: Callable[[str], str]) -> Member:
    if code == OTHER:
        return Member(OTHER, OTHER, "#9aa0a6")
    return Member(code, label(code), colour(code))


def year_label(year: int) -> str:
    """Return how a year is written."""
    return "Whole horizon" if year == WHOLE_HORIZON else str(year)


def values_of(series: Series) -> dict[tuple[str, int, str], float]:
    """Return the values by scenario, year and code of the group; missing ones are left out."""
    frame = series.frame.dropna(subset=["value"])
    keys = zip(frame["scenario"], frame["year"], frame["group"], strict=True)
    return {
        (str(scenario), int(year), str(code)): float(value)
        for (scenario, year, code), value in zip(keys, frame["value"], strict=True)
    }


def totals(series: Series) -> dict[tuple[str, int], float]:
    """Return the sum over all groups for every scenario and year."""
    sums: dict[tuple[str, int], float] = {}
    for (scenario, year, _), value in values_of(series).items():
        sums[scenario, year] = sums.get((scenario, year), 0.0) + value
    return sums
