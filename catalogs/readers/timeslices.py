"""The tree of timeslices, put together from TIMES's own sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

ROOT = "ANNUAL"

#: How far the fractions of the lowest timeslices may sum beside 1.
_TOLERANCE = 1e-6


@dataclass
class TimesliceInputs:
    """What a model says of the timeslices of one region.

    ``level`` is TS_GROUP (SEASON, WEEKLY, DAYNITE), ``year_fraction`` G_YRFR, and ``ancestors``
    TS_MAP turned round: the timeslices that a timeslice is within, in TIMES usually all of them
    and not the next one only.
    """

    level: dict[str, str] = field(default_factory=dict)
    year_fraction: dict[str, float] = field(default_factory=dict)
    ancestors: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeslice:
    """A node of the tree; ``year_fraction`` is None where it is unknown."""

    name: str
    parent: str | None
    level: str | None
    year_fraction: float | None
    position: int


def timeslice_tree(
    given: TimesliceInputs, order: Sequence[str]
) -> tuple[list[Timeslice], list[str]]:
    """Return the timeslices of a region, and what is wrong with their tree and fractions.

    Every timeslice is followed by those within it, and those of one parent are in ``order``: the
    order of a file alone would mix the seasons. ANNUAL is the root, with fraction 1. A parent for
    which no fraction is given has the sum of its children's. The lowest should sum to 1.
    """
    names = _names(given, order)
    within = {name: _all_within(name, given.ancestors) for name in names}
    parents = {name: _parent(name, within) for name in names}
    children: dict[str, list[str]] = {name: [] for name in names}
    for name, parent in parents.items():
        if parent is not None:
            children[parent].append(name)
    down = _down_from_root(children)
    fractions: dict[str, float | None] = {}
    for name in reversed(down):
        fractions[name] = given.year_fraction.get(
            name, _sum([fractions[c] for c in children[name]])
        )
    fractions[ROOT] = 1.0
    nodes = [
        Timeslice(
            name,
            parents[name],
            ROOT if name == ROOT else given.level.get(name),
            fractions[name],
            position,
        )
        for position, name in enumerate(down)
    ]
    lowest = [name for name in down if not children[name] and name != ROOT]
    return nodes, [*_circles(within), *_problems(lowest, fractions)]


def _names(given: TimesliceInputs, order: Sequence[str]) -> list[str]:
    """Return all timeslices: those of ``order`` in that order, then the others by name."""
    within = {parent for parents in given.ancestors.values() for parent in parents}
    known = {ROOT, *given.level, *given.year_fraction, *given.ancestors, *within}
    listed = [name for name in dict.fromkeys(order) if name in known]
    return listed + sorted(known.difference(listed))


def _all_within(name: str, ancestors: dict[str, list[str]]) -> set[str]:
    """Return all that a timeslice is within, step by step; itself if that goes in a circle."""
    found: set[str] = set()
    waiting = list(ancestors.get(name, []))
    while waiting:
        ancestor = waiting.pop()
        if ancestor not in found:
            found.add(ancestor)
            waiting.extend(ancestors.get(ancestor, []))
    return found


def _circles(within: dict[str, set[str]]) -> list[str]:
    """Say which timeslices are within each other; one that is only within itself is no matter."""
    found = [
        name
        for name, ancestors in within.items()
        if name != ROOT and any(a not in (name, ROOT) and name in within[a] for a in ancestors)
    ]
    if not found:
        return []
    named = ", ".join(found[:5])
    return [f"timeslices are within each other, and what they are in is not told: {named}."]


def _parent(name: str, within: dict[str, set[str]]) -> str | None:
    """Return the closest of those that this one is within: the one that is within most others."""
    if name == ROOT:
        return None
    candidates = [a for a in within[name] if name not in within[a] and a != ROOT]
    return max(candidates, key=lambda a: (len(within[a]), a), default=ROOT)


def _down_from_root(children: dict[str, list[str]]) -> list[str]:
    """Return all timeslices, each followed by those within it."""
    found: list[str] = []
    waiting = [ROOT]
    while waiting:
        name = waiting.pop()
        found.append(name)
        waiting.extend(reversed(children[name]))
    return found


def _sum(fractions: list[float | None]) -> float | None:
    known = [fraction for fraction in fractions if fraction is not None]
    return sum(known) if known and len(known) == len(fractions) else None


def _problems(lowest: list[str], fractions: dict[str, float | None]) -> list[str]:
    unknown = [name for name in lowest if fractions[name] is None]
    if unknown:
        return [f"the share of the year is unknown for {', '.join(unknown[:5])}."]
    total = sum(fractions[name] or 0.0 for name in lowest)
    if lowest and abs(total - 1) > _TOLERANCE:
        return [f"the lowest timeslices make up {total:.6g} of a year instead of 1."]
    return []
