"""Which links are drawn backwards, and which layer each node is in."""

from __future__ import annotations

from collections.abc import Sequence

from components.sankey.parts import Rank

#: Share of the widest link, and of what passes either of its ends, below which a link is thin.
_THIN, _THIN_AT_ENDS = 0.005, 0.05

#: Source and target, as places in the list of nodes, and value.
Edge = tuple[int, int, float]


def back_links(ranks: Sequence[Rank], edges: Sequence[Edge]) -> list[bool]:
    """Which links to draw backwards so that all others lead from left to right.

    The largest links come first: a link is a back link only if links that are at least as large
    already lead from its target to its source, if it leads to its own source, into a first node
    or out of a last one. Those taken are kept in topological order as they come, after D. J.
    Pearce and P. H. J. Kelly, "A dynamic topological sort algorithm for directed acyclic graphs",
    ACM Journal of Experimental Algorithmics 11 (2007).
    """
    forward = _Forward(_rough_order(len(ranks), edges))
    is_back = [False] * len(edges)
    # Python sorts stably: links of one value stay in the order of their names.
    for number in sorted(range(len(edges)), key=lambda number: -edges[number][2]):
        source, target, _value = edges[number]
        against_rank = ranks[target] == "first" or ranks[source] == "last"
        is_back[number] = against_rank or not forward.take(source, target)
    return is_back


class _Forward:
    """Links that make no cycle, and an order of the nodes in which all lead forward."""

    def __init__(self, order: Sequence[int]) -> None:
        self.place = [0] * len(order)
        for place, node in enumerate(order):
            self.place[node] = place
        self.after: list[list[int]] = [[] for _ in order]
        self.before: list[list[int]] = [[] for _ in order]

    def take(self, source: int, target: int) -> bool:
        """Take a link, unless it would close a cycle; say which."""
        if source == target:
            return False
        place = self.place
        if place[source] > place[target]:
            reached = _reach(target, self.after, lambda node: place[node] <= place[source])
            if source in reached:
                return False
            reaching = _reach(source, self.before, lambda node: place[node] >= place[target])
            self._move_behind(reaching, reached)
        self.after[source].append(target)
        self.before[target].append(source)
        return True

    def _move_behind(self, former: set[int], latter: set[int]) -> None:
        place = self.place
        nodes = [*sorted(former, key=place.__getitem__), *sorted(latter, key=place.__getitem__)]
        for node, free in zip(nodes, sorted(place[node] for node in nodes), strict=True):
            place[node] = free


def _reach(start: int, neighbours, is_within) -> set[int]:  # type: ignore[no-untyped-def]
    reached = {start}
    waiting = [start]
    while waiting:
        for node in neighbours[waiting.pop()]:
            if node not in reached and is_within(node):
                reached.add(node)
                waiting.append(node)
    return reached


def _rough_order(count: int, edges: Sequence[Edge]) -> list[int]:
    """Topological but for cycles (depth first, backwards), so that little is moved later."""
    after: list[list[int]] = [[] for _ in range(count)]
    has_input = [False] * count
    for source, target, _value in edges:
        if source != target:
            after[source].append(target)
            has_input[target] = True
    seen = [False] * count
    finished: list[int] = []
    # What only gives comes first in the end: cycles are entered where energy enters them.
    for start in sorted(range(count), key=lambda node: (has_input[node], node)):
        if seen[start]:
            continue
        seen[start] = True
        path = [(start, iter(after[start]))]
        while path:
            node, following = path[-1]
            for found in following:
                if not seen[found]:
                    seen[found] = True
                    path.append((found, iter(after[found])))
                    break
            else:
                finished.append(node)
                path.pop()
    return finished[::-1]


def without_detours(
    ranks: Sequence[Rank], edges: Sequence[Edge], is_back: Sequence[bool]
) -> list[bool]:
    """Which links to draw backwards so that thin ones do not make the picture longer.

    A trickle of heat into a refinery would put all of the oil behind all of the heat. Where the
    picture has fewer layers without links that are thin, beside the widest as well as at both
    their ends, those that then lead back are drawn so.
    """
    passing = [0.0] * len(ranks)
    for source, target, value in edges:
        passing[source] += value
        passing[target] += value
    widest = max((value for _, _, value in edges), default=0.0)
    ignored = [
        back
        or (
            value < _THIN * widest and value < _THIN_AT_ENDS * min(passing[source], passing[target])
        )
        for (source, target, value), back in zip(edges, is_back, strict=True)
    ]
    layer = layers_of(ranks, edges, ignored)
    if max(layer, default=0) >= max(layers_of(ranks, edges, is_back), default=0):
        return list(is_back)
    return [
        back or (thin and layer[source] >= layer[target])
        for (source, target, _), back, thin in zip(edges, is_back, ignored, strict=True)
    ]


def layers_of(ranks: Sequence[Rank], edges: Sequence[Edge], is_back: Sequence[bool]) -> list[int]:
    """The layer of each node, from 0 without holes: the longest path, as far as ranks allow.

    A node without a rank of its own that gives more than it takes stands close before what it
    gives to: the wide side of its links is then the short one.
    """
    count = len(ranks)
    after: list[list[int]] = [[] for _ in range(count)]
    inputs = [0] * count
    surplus = [0.0] * count
    for (source, target, value), back in zip(edges, is_back, strict=True):
        if not back:
            after[source].append(target)
            inputs[target] += 1
            surplus[source] += value
            surplus[target] -= value
    lowest = min((rank for rank in ranks if isinstance(rank, int)), default=0)
    layer = [rank - lowest if isinstance(rank, int) else 0 for rank in ranks]
    order = [node for node in range(count) if not inputs[node]]
    for node in order:  # grows
        for target in after[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            inputs[target] -= 1
            if not inputs[target]:
                order.append(target)
    last = max(layer, default=0)
    for node in reversed(order):
        if ranks[node] == "last":
            layer[node] = last
        elif ranks[node] is None and after[node] and surplus[node] > 0:
            layer[node] = min(layer[target] for target in after[node]) - 1
    numbers = {number: place for place, number in enumerate(sorted(set(layer)))}
    return [numbers[number] for number in layer]
