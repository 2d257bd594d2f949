"""Query: a small immutable description of what is asked for.

Pure: nothing here opens a database. ``catalogs.compiling`` makes SQL of it. What must not be added
up is refused in two places: by the tables of meanings when the SQL is made, and by counts that the
SQL brings along, for rules that depend on the data.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalogs.errors import UnknownNameError
from catalogs.measures import DIMENSIONS, FILTERS, measure

#: States of the world can be told apart in every measure, where a run has several.
_ALWAYS = ("sow",)


@dataclass(frozen=True)
class Query:
    """What is asked for. Empty tuples mean all.

    Parameters
    ----------
    measure
        The name of a measure, or ``attribute:NAME``.
    group_by
        Dimensions kept apart beside scenario and year; empty for the total.
    filters
        Pairs of a dimension and the values kept of it.
    unit
        The unit to show values in; '' for the measure's own.
    """

    measure: str
    scenarios: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    group_by: tuple[str, ...] = ()
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unit: str = ""

    @property
    def asks_for(self) -> frozenset[str]:
        """The dimensions that it groups or filters by."""
        return frozenset((*self.group_by, *(name for name, _ in self.filters)))

    def kept(self, dimension: str) -> tuple[str, ...]:
        """Return the members that its filters keep of a dimension; empty for all."""
        return next((values for name, values in self.filters if name == dimension), ())

    def __post_init__(self) -> None:
        known = measure(self.measure)
        for dimension in (*self.group_by, *(name for name, _ in self.filters)):
            if dimension not in DIMENSIONS:
                raise UnknownNameError(
                    f"There is no dimension {dimension!r}.", f"Choose of {', '.join(DIMENSIONS)}."
                )
        for dimension, _ in self.filters:
            if dimension not in (*FILTERS[known.source], *_ALWAYS):
                raise UnknownNameError(
                    f"{known.label} cannot be filtered by {dimension}.",
                    f"Filter it by {', '.join(FILTERS[known.source])}.",
                )
        for dimension in self.group_by:
            if dimension not in (*known.groups, *_ALWAYS):
                raise UnknownNameError(
                    f"{known.label} cannot be grouped by {dimension}.",
                    f"Group it by {', '.join(known.groups)}.",
                )
