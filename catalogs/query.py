"""Query: a small immutable description of what is asked for.

Pure: nothing here opens a database. ``catalogs.compiling`` makes SQL of it. What must not be added
up is refused in two places: by the tables of meanings when the SQL is made, and by counts that the
SQL brings along, for rules that depend on the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from catalogs.errors import Offer, UnknownNameError
from catalogs.measures import ATTRIBUTE_PREFIX, DIMENSIONS, FILTERS, Measure, measure, measures

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
        try:
            self._check(measure(self.measure))
        except UnknownNameError as error:
            error.instead = tuple(dict.fromkeys(_nearest(self)))
            raise

    def _check(self, known: Measure) -> None:
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


# ---------------------------------------------------------------------------- offered instead


def _nearest(asked: Query) -> Iterator[Offer]:
    """Yield what may have been meant by names that no query may have.

    Names that are nearly right, else without them. Whether data has anything for it is not known
    here.
    """
    for name in _measures_near(asked.measure):
        known = measure(name)
        groupable = (*known.groups, *_ALWAYS)
        filterable = (*FILTERS[known.source], *_ALWAYS)
        for nearest in (_near, _as_it_is):
            groups = dict.fromkeys(nearest(group, groupable) for group in asked.group_by)
            filters = {nearest(d, filterable): values for d, values in asked.filters}
            query = Query(
                name,
                asked.scenarios,
                asked.regions,
                asked.years,
                tuple(filter(None, groups)),
                tuple((d, values) for d, values in filters.items() if d),
                asked.unit if name == asked.measure else "",
            )
            yield Offer(_said(query, known), query)


def _measures_near(name: str) -> list[str]:
    if name in measures() or name.startswith(ATTRIBUTE_PREFIX):
        return [name]
    labels = {known.label.lower(): key for key, known in measures().items()}
    keys = {key.replace("_", " "): key for key in measures()}
    known = {**labels, **keys}
    near = get_close_matches(name.replace("_", " ").lower(), known, 3)
    return list(dict.fromkeys(known[text] for text in near))


def _near(dimension: str, known: tuple[str, ...]) -> str:
    return next(iter(get_close_matches(dimension, known, 1)), "")


def _as_it_is(dimension: str, known: tuple[str, ...]) -> str:
    return dimension if dimension in known else ""


def _said(query: Query, known: Measure) -> str:
    shown = [known.label]
    if query.group_by:
        shown.append(f"by {' and '.join(query.group_by)}")
    if query.filters:
        shown.append(f"filtered by {' and '.join(dimension for dimension, _ in query.filters)}")
    return ", ".join(shown)
