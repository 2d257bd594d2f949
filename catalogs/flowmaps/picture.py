"""What a flow map draws, whatever it was worked out from: a scenario's trade or flow records.

All columns are numpy arrays, one item per place, arc or segment, and hold no pictures yet: no
colours, widths or pixels. Energy is in ``FlowMapData.unit``; longitude and latitude in degrees
(WGS 84). NaN stands for what is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
Positions: TypeAlias = NDArray[np.int64]
Texts: TypeAlias = NDArray[Any]  # of dtype object, items str


def no_numbers() -> Numbers:
    """Return a column without rows."""
    return np.empty(0, dtype=np.float64)


def no_positions() -> Positions:
    """Return a column without rows."""
    return np.empty(0, dtype=np.int64)


def no_texts() -> Texts:
    """Return a column without rows."""
    return np.empty(0, dtype=object)


def unknown(rows: int) -> Numbers:
    """Return a column in which nothing is known."""
    return np.full(rows, np.nan)


@dataclass(frozen=True, eq=False)
class Places:
    """Regions, buses, or clusters of them: where arcs begin and end.

    ``longitude`` and ``latitude`` are NaN for a place whose whereabouts are not known: it is
    listed beside the map. ``outgoing`` and ``incoming`` are what it sends to and receives from
    other places, ``within`` what flows between its own parts, where it is a cluster of several
    (``members``). ``production`` and ``use`` are known for the regions of a scenario only.
    """

    id: Texts = field(default_factory=no_texts)
    name: Texts = field(default_factory=no_texts)
    longitude: Numbers = field(default_factory=no_numbers)
    latitude: Numbers = field(default_factory=no_numbers)
    outgoing: Numbers = field(default_factory=no_numbers)
    incoming: Numbers = field(default_factory=no_numbers)
    within: Numbers = field(default_factory=no_numbers)
    production: Numbers = field(default_factory=no_numbers)
    use: Numbers = field(default_factory=no_numbers)
    members: Positions = field(default_factory=no_positions)

    def __len__(self) -> int:
        return len(self.id)

    @property
    def is_placed(self) -> NDArray[np.bool_]:
        """Which places have coordinates."""
        return np.isfinite(self.longitude) & np.isfinite(self.latitude)


@dataclass(frozen=True, eq=False)
class Paths:
    """Geometry of lines: the points of arc ``i`` are ``starts[i]`` to ``starts[i + 1]``.

    ``starts`` has one item more than there are arcs. A line in several pieces has a point of NaN
    between them.
    """

    starts: Positions
    longitude: Numbers
    latitude: Numbers

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, eq=False)
class Arcs:
    """Flows from one place to another, the largest first.

    ``origin`` and ``destination`` are positions in the places, ``category`` one in
    ``FlowMapData.categories``. ``value`` is what flows that way: net where the map is net, and
    then never negative. ``back`` is what flows the other way over the same time; NaN where that is
    not known. Where the map is net, ``value + back`` is what flows this way before the difference
    is taken. ``capacity`` is the most that could flow, in the same unit over the same time; NaN
    where that is not known. ``carried`` is all that flows along a line in either direction, which
    its loading is of; without rows where that is ``value``. ``id`` names the arc to whoever made
    it (a line, a process), for hover, click and profiles; '' where origin, destination and
    category do.
    """

    origin: Positions = field(default_factory=no_positions)
    destination: Positions = field(default_factory=no_positions)
    category: Positions = field(default_factory=no_positions)
    value: Numbers = field(default_factory=no_numbers)
    back: Numbers = field(default_factory=no_numbers)
    capacity: Numbers = field(default_factory=no_numbers)
    id: Texts = field(default_factory=no_texts)
    carried: Numbers = field(default_factory=no_numbers)

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def loading(self) -> Numbers:
        """The share of its capacity that each arc uses; NaN where there is none."""
        usable = np.where(self.capacity > 0, self.capacity, np.nan)
        carried = self.carried if len(self.carried) else np.abs(self.value)
        share: Numbers = carried / usable
        return share


@dataclass(frozen=True, eq=False)
class Segments:
    """The arcs of a view that has too many to be drawn as marks, as what an image is made of.

    Straight pieces: of an arc from its origin to its destination, or of a line's geometry. ``arc``
    is the position in ``FlowMapData.arcs`` that each piece belongs to; ``category`` and ``value``
    are those of that arc.
    """

    origin_longitude: Numbers
    origin_latitude: Numbers
    destination_longitude: Numbers
    destination_latitude: Numbers
    arc: Positions
    category: Positions
    value: Numbers

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class Shown:
    """How much of what was asked for is on the map.

    ``flows`` are the single flows (records, or rows of the trade table) that what is drawn was
    added up from, ``value`` their sum of magnitudes; ``all_flows`` and ``all_value`` are those of
    the whole dataset under the same filters of time and category, wherever they are. ``within``
    is the part of ``all_value`` that flows inside places and so has no arc.
    """

    flows: int = 0
    all_flows: int = 0
    value: float = 0.0
    all_value: float = 0.0
    within: float = 0.0

    @property
    def share(self) -> float:
        """The share of the energy that is shown, between 0 and 1; 1 where there is none at all."""
        return min(1.0, self.value / self.all_value) if self.all_value else 1.0

    def sentence(self, what: str = "energy") -> str:
        """Return it in words: "12,400 of 44.1 million flows, 97.4% of the energy"."""
        # Cut, not rounded: what is not all of it never reads as 100%.
        share = np.floor(1000 * self.share + 1e-9) / 10
        shown = f"{share:.0f}%" if share == int(share) else f"{share:.1f}%"
        counted = _count(self.all_flows)
        if self.flows != self.all_flows:
            some = _count(self.flows)
            is_told_apart = some != counted
            counted = f"{some} of {counted}"
            if not is_told_apart:
                counted = f"{self.flows:,} of {self.all_flows:,}"
        return f"{counted} {'flow' if self.all_flows == 1 else 'flows'}, {shown} of the {what}"


def _count(number: int) -> str:
    return f"{number / 1e6:.1f} million" if number >= 10_000_000 else f"{number:,}"


@dataclass(frozen=True, eq=False)
class FlowMapData:
    """One picture: what flows between which places, and how much of everything that is.

    ``categories`` are what colours stand for (by default commodities), in the order of their
    colours. ``is_net`` tells whether of the two directions between places only the difference is
    drawn. ``paths`` is the geometry of the arcs of a network, None where arcs are to be drawn from
    origin to destination. ``segments`` is not None where there are too many arcs to draw each
    as a mark: then they become an image, and ``arcs`` serve hover and click. ``level`` says what
    the places are (region, country, cluster, bus ...); ``remarks`` is what else must be said
    beside the map.
    """

    places: Places = field(default_factory=Places)
    arcs: Arcs = field(default_factory=Arcs)
    categories: tuple[str, ...] = ()
    unit: str = ""
    level: str = "region"
    is_net: bool = True
    shown: Shown = Shown()
    paths: Paths | None = None
    segments: Segments | None = None
    remarks: tuple[str, ...] = ()


def texts(items: Sequence[str]) -> Texts:
    """Return texts as a column."""
    column = np.empty(len(items), dtype=object)
    column[:] = list(items)
    return column
