"""The order of nodes within layers: as little crossing as can be had quickly, the same each time.

Weighted barycentre sweeps with adjacent swaps, after K. Sugiyama, S. Tagawa and M. Toda, "Methods
for visual understanding of hierarchical system structures", IEEE Transactions on Systems, Man,
and Cybernetics 11 (1981), and E. R. Gansner et al., "A technique for drawing directed graphs",
IEEE Transactions on Software Engineering 19 (1993). A crossing costs the product of the widths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.sankey.grid import Grid, Numbers, Places, rising

#: A picture of this many items is one that a person reads: it gets more patience.
_READABLE = 2500
_ROWS_AT_ONCE = 512
#: Crossing, in squares of the widest link, below which two orders are equally good.
_WORTH_IT = 1e-12


def order_layers(grid: Grid, weight: Numbers, fixed: dict[int, float]) -> None:
    """Reorder the layers of the grid in place.

    Args:
        weight: of each piece, above 0.
        fixed: nodes with a place from an earlier picture: they keep their order among each other.
    """
    if len(grid.layers) < 2:
        for number, items in enumerate(grid.layers):
            grid.layers[number] = _as_before(items, fixed)
        return
    sweeper = _Sweeper(grid, weight, fixed)
    if grid.items > _READABLE:
        # Nobody follows single links here, and comparing pairs would take most of the time.
        sweeper.begin("downstream")
        sweeper.sweep_only(sweeps=5)
        return
    best: list[Places] = []
    least = np.inf
    for start in ("downstream",) if fixed else ("downstream", "upstream"):
        sweeper.begin(start)
        layers, crossing = sweeper.improve(sweeps=8)
        if crossing < least - _WORTH_IT:
            best, least = layers, crossing
    sweeper.show(best)
    sweeper.swap(passes=8)
    if sweeper.crossing() < least:
        best = list(grid.layers)
    sweeper.show(best)


def _as_before(items: Places, fixed: dict[int, float]) -> Places:
    """Items where an earlier picture had them; those it had not, by their names."""
    even = [(place + 0.5) / len(items) for place in range(len(items))]
    wish = [fixed.get(item, other) for item, other in zip(items.tolist(), even, strict=True)]
    return items[np.argsort(np.array(wish), kind="stable")]


def _sorted_by(items: Places, wish: Numbers, fixed: dict[int, float]) -> Places:
    """Items by their wishes, of which those with a fixed order are moved as little as needed."""
    if fixed:
        places = [place for place, item in enumerate(items.tolist()) if item in fixed]
        places.sort(key=lambda place: (fixed[int(items[place])], wish[place], place))
        wish = wish.copy()
        wish[places] = rising(wish[places].tolist(), [1.0] * len(places))
        rank = np.arange(len(items), dtype=float) + len(items)
        rank[places] = np.arange(len(places))
        return items[np.lexsort((rank, wish))]
    return items[wish.argsort(kind="stable")]


class _Sweeper:
    """Moves items of one layer after the other to where their neighbours are."""

    def __init__(self, grid: Grid, weight: Numbers, fixed: dict[int, float]) -> None:
        self.grid = grid
        self.fixed = fixed
        self.given = list(grid.layers)
        self.place = np.zeros(grid.items)
        self.local = np.zeros(grid.items, dtype=np.int64)
        for items in grid.layers:
            self.local[items] = ranks = np.arange(len(items))
            self.place[items] = (ranks + 0.5) / len(items)
        self.rank = self.local.copy()
        # Between each layer and the next, as far as it is known of their present order.
        self.crossings: list[float | None] = [None] * len(grid.layers)
        self.sources = [grid.source[pieces] for pieces in grid.pieces]
        self.targets = [grid.target[pieces] for pieces in grid.pieces]
        self.weights = [weight[pieces] for pieces in grid.pieces]
        # Looked up by an item's place in the layer as it was given, whatever its order is now:
        # the places of the nearer ends, what one wish weighs, and whether there is any.
        self.into = [
            _pulls(self.local[ends], weights, len(items))
            for ends, weights, items in zip(
                self.targets[:-1], self.weights[:-1], self.given[1:], strict=True
            )
        ]
        self.out_of = [
            _pulls(self.local[ends], weights, len(items))
            for ends, weights, items in zip(
                self.sources[:-1], self.weights[:-1], self.given[:-1], strict=True
            )
        ]

    def show(self, layers: list[Places]) -> None:
        """Make these the layers of the grid."""
        for number, items in enumerate(layers):
            self._set(number, items)

    def _set(self, number: int, items: Places) -> None:
        if (items == self.grid.layers[number]).all():
            return
        self.grid.layers[number] = items
        self.rank[items] = ranks = self.local[self.given[number]]
        self.place[items] = (ranks + 0.5) / len(items)
        self.crossings[number] = None
        if number:
            self.crossings[number - 1] = None

    def begin(self, start: str) -> None:
        """From the given order, sweep once in one direction."""
        for number, items in enumerate(self.given):
            self._set(number, _as_before(items, self.fixed))
        self._sweep(start == "downstream")

    def improve(self, sweeps: int) -> tuple[list[Places], float]:
        """Sweep to and fro; the layers with the least crossing, and how much that is."""
        best, least = list(self.grid.layers), self.crossing()
        idle = 0
        for sweep in range(sweeps):
            self._sweep(downstream=sweep % 2 == 1)
            crossing = self.crossing()
            idle += 1
            if crossing < least - _WORTH_IT:
                best, least, idle = list(self.grid.layers), crossing, 0
            if idle == 3 or least == 0:
                break
        return best, least

    def sweep_only(self, sweeps: int) -> None:
        """Sweep to and fro without looking back."""
        for sweep in range(sweeps):
            self._sweep(downstream=sweep % 2 == 1)

    def _sweep(self, downstream: bool) -> None:
        count = len(self.given)
        for number in range(1, count) if downstream else range(count - 2, -1, -1):
            between = number - 1 if downstream else number
            far = (self.sources if downstream else self.targets)[between]
            near, mass, is_pulled = (self.into if downstream else self.out_of)[between]
            items = self.given[number]
            pull = np.bincount(near, self.weights[between] * self.place[far], len(items))
            wish = np.where(is_pulled, pull / mass, self.place[items])
            shown = self.grid.layers[number]
            self._set(number, _sorted_by(shown, wish[self.local[shown]], self.fixed))

    def crossing(self) -> float:
        """Sum over all crossings of the product of both weights."""
        return sum(self._crossing_after(number) for number in range(len(self.crossings)))

    def _crossing_after(self, number: int) -> float:
        known = self.crossings[number]
        if known is None:
            source, target = self.place[self.sources[number]], self.place[self.targets[number]]
            known = self.crossings[number] = _crossing(source, target, self.weights[number])
        return known

    def swap(self, passes: int) -> None:
        """Swap neighbours wherever that makes less crossing, until it no longer does."""
        waiting = set(range(len(self.grid.layers)))
        for _ in range(passes):
            swapped = {number for number in sorted(waiting) if self._swap_in(number)}
            # Only where something moved can there be something more to gain.
            waiting = {near for number in swapped for near in (number - 1, number, number + 1)}
            waiting &= set(range(len(self.grid.layers)))
            if not waiting:
                break

    def _swap_in(self, number: int) -> bool:
        items = self.grid.layers[number]
        if len(items) < 2:
            return False
        gains = self._gains(number).tolist()
        order = self.local[items].tolist()
        swapped = False
        for left in range(len(order) - 1):
            upper, lower = order[left], order[left + 1]
            if gains[upper][lower] > _WORTH_IT:
                order[left], order[left + 1] = lower, upper
                swapped = True
        if swapped:
            self._set(number, self.given[number][order])
        return swapped

    def _gains(self, number: int) -> Numbers:
        """What less crossing there is if one item of a layer (row) is below another (column).

        Items are those of the layer as it was given.
        """
        count = len(self.given[number])
        crossing = np.zeros((count, count))
        for between, near, far, other in (
            (number - 1, self.targets, self.sources, number - 1),
            (number, self.sources, self.targets, number + 1),
        ):
            if not 0 <= other < len(self.given) or not len(self.weights[between]):
                continue
            wide = len(self.given[other])
            cells = self.local[near[between]] * wide + self.rank[far[between]]
            ends = np.bincount(cells, self.weights[between], count * wide).reshape(count, wide)
            above = ends.cumsum(axis=1) - ends
            crossing += ends @ above.T
        gains = crossing - crossing.T
        if self.fixed:
            gains[self._is_settled(number)] = 0.0
        return gains

    def _is_settled(self, number: int) -> NDArray[np.bool_]:
        """Whether an earlier picture says which of two items is above the other."""
        items = self.given[number].tolist()
        fixed = np.array([self.fixed.get(item, np.nan) for item in items])
        is_fixed = ~np.isnan(fixed)
        return is_fixed[:, None] & is_fixed & (fixed[:, None] != fixed)


def _pulls(near: Places, weights: Numbers, count: int) -> tuple[Places, Numbers, NDArray[np.bool_]]:
    mass = np.bincount(near, weights, count)
    return near, np.maximum(mass, 1e-300), mass > 0


def _crossing(source: Numbers, target: Numbers, weight: Numbers) -> float:
    total = 0.0
    for begin in range(0, len(source), _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        crossed = source[rows, None] < source[None, :]
        crossed &= target[rows, None] > target[None, :]
        total += float(weight[rows] @ (crossed @ weight))
    return total
