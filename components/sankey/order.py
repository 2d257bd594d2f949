"""The order of nodes within layers: as little crossing as can be had quickly, the same each time.

Weighted barycentre sweeps with adjacent swaps, after K. Sugiyama, S. Tagawa and M. Toda, "Methods
for visual understanding of hierarchical system structures", IEEE Transactions on Systems, Man,
and Cybernetics 11 (1981), and E. R. Gansner et al., "A technique for drawing directed graphs",
IEEE Transactions on Software Engineering 19 (1993). A crossing costs the product of the widths.
"""

from __future__ import annotations

import numpy as np

from components.sankey.grid import Grid, Numbers, Places, rising

#: A picture of this many items is one that a person reads: it gets more patience.
_READABLE = 2500
_ROWS_AT_ONCE = 512


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
        # Nobody follows single links here, and counting all crossings would take most of the time.
        sweeper.begin("downstream")
        sweeper.sweep_only(sweeps=3)
        sweeper.swap(passes=1)
        return
    best: list[Places] = []
    least = np.inf
    for start in ("downstream",) if fixed else ("downstream", "upstream"):
        sweeper.begin(start)
        layers, crossing = sweeper.improve(sweeps=8)
        if crossing < least - 1e-12:
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
    return items[np.argsort(wish, kind="stable")]


class _Sweeper:
    """Moves items of one layer after the other to where their neighbours are."""

    def __init__(self, grid: Grid, weight: Numbers, fixed: dict[int, float]) -> None:
        self.grid = grid
        self.fixed = fixed
        self.given = list(grid.layers)
        self.place = np.zeros(grid.items)
        self.local = np.zeros(grid.items, dtype=np.int64)
        for items in grid.layers:
            self.local[items] = np.arange(len(items))
        self.sources = [grid.source[pieces] for pieces in grid.pieces]
        self.targets = [grid.target[pieces] for pieces in grid.pieces]
        self.weights = [weight[pieces] for pieces in grid.pieces]
        # Looked up by an item's place in the layer as it was given, whatever its order is now.
        self.into = [
            np.bincount(self.local[ends], weights, len(items))
            for ends, weights, items in zip(
                self.targets[:-1], self.weights[:-1], self.given[1:], strict=True
            )
        ]
        self.out_of = [
            np.bincount(self.local[ends], weights, len(items))
            for ends, weights, items in zip(
                self.sources[:-1], self.weights[:-1], self.given[:-1], strict=True
            )
        ]

    def show(self, layers: list[Places]) -> None:
        """Make these the layers of the grid."""
        for number, items in enumerate(layers):
            self._set(number, items)

    def _set(self, number: int, items: Places) -> None:
        self.grid.layers[number] = items
        self.place[items] = (np.arange(len(items)) + 0.5) / len(items)

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
            if crossing < least - 1e-12:
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
            near, far = self.targets[between], self.sources[between]
            if not downstream:
                near, far = far, near
            mass = (self.into if downstream else self.out_of)[between]
            items = self.given[number]
            pull = np.bincount(
                self.local[near], self.weights[between] * self.place[far], len(items)
            )
            wish = np.where(mass > 0, pull / np.maximum(mass, 1e-300), self.place[items])
            shown = self.grid.layers[number]
            self._set(number, _sorted_by(shown, wish[self.local[shown]], self.fixed))

    def crossing(self) -> float:
        """Sum over all crossings of the product of both weights."""
        return float(
            sum(
                _crossing(self.place[source], self.place[target], weight)
                for source, target, weight in zip(
                    self.sources, self.targets, self.weights, strict=True
                )
            )
        )

    def swap(self, passes: int) -> None:
        """Swap neighbours wherever that makes less crossing, until it no longer does."""
        before, after = self._neighbours()
        place = self.place.tolist()
        waiting = set(range(len(self.grid.layers)))
        for _ in range(passes):
            swapped: set[int] = set()
            for number in sorted(waiting):
                order = self.grid.layers[number].tolist()
                if self._swap_in(order, before, after, place):
                    swapped.add(number)
                    self._set(number, np.array(order, dtype=np.int64))
                    for rank, item in enumerate(order):
                        place[item] = (rank + 0.5) / len(order)
            # Only where something moved can there be something more to gain.
            waiting = {near for number in swapped for near in (number - 1, number, number + 1)}
            waiting &= set(range(len(self.grid.layers)))
            if not waiting:
                break

    def _swap_in(
        self,
        order: list[int],
        before: list[list[tuple[int, float]]],
        after: list[list[tuple[int, float]]],
        place: list[float],
    ) -> bool:
        swapped = False
        sides = [
            {item: sorted((place[end], weight) for end, weight in side[item]) for item in order}
            for side in (before, after)
        ]
        for left in range(len(order) - 1):
            upper, lower = order[left], order[left + 1]
            if self._is_settled(upper, lower):
                continue
            gain = sum(
                _cost(side[upper], side[lower]) - _cost(side[lower], side[upper]) for side in sides
            )
            if gain > 1e-12:
                order[left], order[left + 1] = lower, upper
                swapped = True
        return swapped

    def _is_settled(self, upper: int, lower: int) -> bool:
        """Whether an earlier picture says which of two items is above the other."""
        if upper not in self.fixed or lower not in self.fixed:
            return False
        return self.fixed[upper] != self.fixed[lower]

    def _neighbours(self) -> tuple[list[list[tuple[int, float]]], list[list[tuple[int, float]]]]:
        before: list[list[tuple[int, float]]] = [[] for _ in range(self.grid.items)]
        after: list[list[tuple[int, float]]] = [[] for _ in range(self.grid.items)]
        for sources, targets, weights in zip(self.sources, self.targets, self.weights, strict=True):
            for source, target, weight in zip(
                sources.tolist(), targets.tolist(), weights.tolist(), strict=True
            ):
                after[source].append((target, weight))
                before[target].append((source, weight))
        return before, after


def _crossing(source: Numbers, target: Numbers, weight: Numbers) -> float:
    total = 0.0
    for begin in range(0, len(source), _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        crossed = source[rows, None] < source[None, :]
        crossed &= target[rows, None] > target[None, :]
        total += float(weight[rows] @ (crossed @ weight))
    return total


def _cost(upper: list[tuple[float, float]], lower: list[tuple[float, float]]) -> float:
    """Crossing between the links of two neighbours; each list is sorted by the other end."""
    if not upper or not lower:
        return 0.0
    cost = passed = 0.0
    position = 0
    for place, weight in upper:
        while position < len(lower) and lower[position][0] < place:
            passed += lower[position][1]
            position += 1
        cost += weight * passed
    return cost
