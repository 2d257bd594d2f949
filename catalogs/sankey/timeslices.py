"""The tree of timeslices: what lies within one, and what it lies within."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalogs.sankey.remembered import once
from catalogs.source import Source

#: The level that is the whole year.
ANNUAL = "ANNUAL"


def within(source: Source, timeslice: str) -> tuple[str, ...]:
    """Return a timeslice and all that it is divided into."""
    parents = _parents(source)
    below = [name for name in parents if timeslice in _way_up(parents, name)]
    return (timeslice, *(name for name in below if name != timeslice))


def around(source: Source, timeslices: Iterable[str]) -> tuple[str, ...]:
    """Return the timeslices that some are parts of, the whole year among them."""
    parents = _parents(source)
    chosen = set(timeslices)
    found = {above for name in chosen for above in _way_up(parents, name)}
    return tuple(sorted((found | {ANNUAL}) - chosen))


def offered(source: Source, scenario: str) -> tuple[tuple[str, int], ...]:
    """Return a scenario's timeslices below the year and how deep each lies, in their order."""
    return tuple(once(source, _offered, scenario))


def _offered(source: Source, scenario: str) -> list[tuple[str, int]]:
    parents = _parents(source)
    rows = source.rows(
        "SELECT timeslice, min(position) AS place FROM timeslice WHERE scenario = ?"
        " GROUP BY ALL ORDER BY place, timeslice",
        [scenario],
    )
    return [(name, len(_way_up(parents, name)) - 1) for name, _ in rows if name != ANNUAL]


def _way_up(parents: Mapping[str, str], timeslice: str) -> list[str]:
    """A timeslice and those it lies within, the year left out."""
    found: list[str] = []
    while timeslice and timeslice != ANNUAL and timeslice not in found:
        found.append(timeslice)
        timeslice = parents.get(timeslice, "")
    return found


def _parents(source: Source) -> Mapping[str, str]:
    found: Mapping[str, str] = once(source, _read_parents)
    return found


def _read_parents(source: Source) -> dict[str, str]:
    rows = source.rows("SELECT DISTINCT timeslice, parent FROM timeslice ORDER BY ALL")
    return {name: parent or "" for name, parent in rows}
