"""What is asked of flow records: small, immutable descriptions, usable as cache keys."""

from __future__ import annotations

from dataclasses import dataclass

#: West, south, east and north in degrees; west beyond east is across the antimeridian.
Bounds = tuple[float, float, float, float]

#: Arcs that a browser draws as marks; more become an image.
MOST_ARCS = 5000
#: Arcs between places that can be read on a screen.
READABLE_ARCS = 200


@dataclass(frozen=True)
class FlowView:
    """A map of flow records.

    Parameters
    ----------
    first, last
        The steps of time that are added up, both included; -1 as the last is the end.
    commodities
        Those shown, by name; none means all.
    bounds
        The part of the world that is seen: flows that begin or end in it are asked for.
    level
        Level of the places, 0 the coarsest; -1 for the finest that gives no more than ``most``.
    zoom
        Zoom of the map (tiles of 256 pixels), for the geometry of lines; -1: as the bounds say.
    most
        Arcs that are drawn as marks; where there are more, they become an image.
    largest
        Arcs between places that are shown at the most, the largest of them, so that a map can be
        read; 0 for all. Lines of a network are not left out.
    is_net
        Whether the difference of both directions is drawn, or each of them.
    """

    first: int = 0
    last: int = -1
    commodities: tuple[str, ...] = ()
    bounds: Bounds | None = None
    level: int = -1
    zoom: float = -1.0
    most: int = MOST_ARCS
    is_net: bool = True
    largest: int = 0


@dataclass(frozen=True)
class Part:
    """A part of the time asked for: buckets of a kind, which are the steps first to last."""

    kind: str
    first: int
    last: int


@dataclass(frozen=True)
class TimeBucket:
    """A bucket of time to choose: its kind, number, name, and first and last step."""

    kind: str
    number: int
    label: str
    first: int
    last: int
