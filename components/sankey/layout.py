"""Lays a Sankey out: layers, order, heights and the way of back links. No Panel, no data model.

>>> from components.sankey.layout import Frame, Link, Node, lay_out
>>> layout = lay_out([Node("Coal"), Node("Plant")], [Link("Coal", "Plant", 100)], Frame())
>>> [(node.id, node.layer) for node in layout.nodes]
[('Coal', 0), ('Plant', 1)]

The same nodes and links give the same picture whatever their order. Nothing is dropped: what
closes a cycle is drawn as a back link, and a link of value 0 is a link of width 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from components.sankey.grid import Grid, make_grid
from components.sankey.layers import Edge, back_links, layers_of, without_detours
from components.sankey.order import order_layers
from components.sankey.parts import (
    Detour,
    Frame,
    Layout,
    Link,
    Node,
    PlacedLink,
    PlacedNode,
    TwoScenarios,
    check,
)
from components.sankey.place import Placement, Placer

__all__ = [
    "Detour",
    "Frame",
    "Layout",
    "Link",
    "Node",
    "PlacedLink",
    "PlacedNode",
    "TwoScenarios",
    "lay_out",
    "lay_out_both",
]

#: Where a back link's first leg stands beside its node, and what is between two legs.
_LEG_START = 8.0
_LEG_GAP = 4.0
_TURN = 7.0
#: Of an even step between two layers, the least that a layer keeps for the labels of others.
_LEAST_STEP = 0.5
#: Half the height of a line of text, in pixels.
_HALF_LINE = 9.0
#: Of the width between two layers, what the legs of one back link may take.
_MOST_LEG = 0.7
#: Of the whole width, what legs outside of the outer layers may take, at each side.
_MOST_OUTER = 0.25


def lay_out(
    nodes: Iterable[Node],
    links: Iterable[Link],
    frame: Frame | None = None,
    previous: Layout | Mapping[str, float] | None = None,
    *,
    compact: bool = False,
) -> Layout:
    """Lay out nodes and links within a frame.

    Args:
        nodes: all nodes, also those without a link.
        links: any links between them, also cycles, to itself, parallel ones with ids of their own.
        frame: size of the picture; the usual one if left out.
        previous: an earlier picture, or its `order`: nodes of one layer that it had keep their
            order among each other. A node's own `order` comes before it.
        compact: draw thin links backwards where that makes the picture shorter.

    Raises ValueError: ids that are not unique, links to nowhere, negative or infinite values, a
    frame without room.
    """
    frame = frame or Frame()
    sorted_nodes, sorted_links = check(nodes, links)
    if not sorted_nodes:
        return Layout(frame, 0.0, (), ())
    earlier = previous.order if isinstance(previous, Layout) else previous or {}
    number_of = {node.id: number for number, node in enumerate(sorted_nodes)}
    edges = [(number_of[link.source], number_of[link.target], link.value) for link in sorted_links]
    ranks = [node.rank for node in sorted_nodes]
    is_back = back_links(ranks, edges)
    if compact:
        is_back = without_detours(ranks, edges, is_back)
    grid = make_grid(layers_of(ranks, edges, is_back), edges, is_back)
    fixed = {
        number: order
        for number, node in enumerate(sorted_nodes)
        if (order := earlier.get(node.id) if node.order is None else node.order) is not None
    }
    values = np.array([edge[2] for edge in edges])
    most = values.max(initial=0.0) or 1.0
    # Thin links count a little too: a knot of them is as hard to follow as one of thick ones.
    order_layers(grid, values[grid.edge] / most + 0.01, fixed)
    placer = Placer(grid, edges, is_back, frame)
    most_back = _MOST_LEG * min(_step(frame, len(grid.layers)), _MOST_OUTER * frame.width)
    placement = placer.place(most_back)
    return _Drawing(
        frame=frame,
        nodes=sorted_nodes,
        links=sorted_links,
        edges=edges,
        grid=grid,
        placer=placer,
        placement=placement,
    ).layout()


def lay_out_both(
    nodes: Iterable[Node],
    base: Iterable[Link],
    other: Iterable[Link],
    frame: Frame | None = None,
    previous: Layout | Mapping[str, float] | None = None,
    *,
    compact: bool = False,
) -> TwoScenarios:
    """Lay two scenarios out as one picture, with room for the larger value of each link.

    Links are the same if their keys are: their ids or, without one, their source and target.
    Takes and raises what `lay_out` does.
    """
    base, other = list(base), list(other)
    larger: dict[str, Link] = {}
    for link in (*base, *other):
        known = larger.get(link.key)
        if known is not None and (known.source, known.target) != (link.source, link.target):
            raise ValueError(f"Link {link.key!r} has other ends in the other scenario")
        if known is None or link.value > known.value:
            larger[link.key] = link
    layout = lay_out(nodes, larger.values(), frame, previous, compact=compact)
    scale = layout.scale
    return TwoScenarios(
        layout,
        base_widths={link.key: link.value * scale for link in base},
        other_widths={link.key: link.value * scale for link in other},
        base_heights=_heights(base, scale),
        other_heights=_heights(other, scale),
    )


def _heights(links: Sequence[Link], scale: float) -> dict[str, float]:
    flow_in: dict[str, float] = defaultdict(float)
    flow_out: dict[str, float] = defaultdict(float)
    for link in links:
        flow_out[link.source] += link.value * scale
        flow_in[link.target] += link.value * scale
    return {name: max(flow_in[name], flow_out[name]) for name in sorted({*flow_in, *flow_out})}


def _step(frame: Frame, layers: int) -> float:
    """Width from one layer to the next, before back links have taken some."""
    return frame.inner_width / max(layers - 1, 1)


class _Drawing:
    """Puts the parts together: widths, and what back links take of them."""

    def __init__(
        self,
        *,
        frame: Frame,
        nodes: Sequence[Node],
        links: Sequence[Link],
        edges: Sequence[Edge],
        grid: Grid,
        placer: Placer,
        placement: Placement,
    ) -> None:
        self.frame, self.nodes, self.links, self.edges = frame, nodes, links, edges
        self.grid, self.placer, self.placement = grid, placer, placement
        self.layer = grid.layer.tolist()
        self.back = [*placement.above.row_of, *placement.below.row_of]
        self.widths = [edge[2] * placement.scale for edge in edges]
        self._set_columns()

    def _set_columns(self) -> None:
        """Outer layers stand further in where back links turn beside them."""
        frame, last = self.frame, len(self.grid.layers) - 1
        most = _MOST_OUTER * frame.width
        right = max(frame.right, min(self._legs(last, end=0), most))
        left = max(frame.left, min(self._legs(0, end=1), most))
        between = frame.width - left - right - frame.node_width
        if between <= 0:
            left, right = frame.left, frame.right
            between = frame.inner_width
        steps = self._steps(between / last) if last else []
        self.node_width = min([frame.node_width, *(step / 2 for step in steps)])
        self.columns = [left + sum(steps[:number]) for number in range(last + 1)]
        self.room = [step - self.node_width - 2 for step in steps] + [
            frame.width - self.columns[-1] - self.node_width - 2
        ]
        self.room_before = [left - 2, *self.room[:-1]]

    def _steps(self, even: float) -> list[float]:
        """From each layer to the next: more where labels would not fit, together as much."""
        count = len(self.grid.layers) - 1
        least = _LEAST_STEP * even
        wanted = [max(self._label_need(layer) - least, 0.0) for layer in range(count)]
        spare = (even - least) * count
        steps = [least] * count
        # The short wishes first: of a long name some may be cut, of a short one nothing.
        for place, layer in enumerate(sorted(range(count), key=lambda layer: wanted[layer])):
            given = min(wanted[layer], spare / (count - place))
            steps[layer] += given
            spare -= given
        return [step + spare / count for step in steps]

    def _label_need(self, layer: int) -> float:
        """The widest label of a layer that has a node of the next layer in its way."""
        top, count = self.placement.top, self.grid.nodes
        height = self.placer.node_value * self.placement.scale
        here, there = (items[items < count] for items in self.grid.layers[layer : layer + 2])
        middle = top[here] + height[here] / 2
        upper, lower = top[there] - _HALF_LINE, top[there] + height[there] + _HALF_LINE
        in_the_way = (middle[:, None] > upper) & (middle[:, None] < lower)
        widths = [self.nodes[item].label_width for item in here[in_the_way.any(axis=1)].tolist()]
        return max(widths, default=0.0) + self.frame.node_width

    def _legs(self, layer: int, end: int) -> float:
        """Width that back links take beside a layer: at its right (end 0) or its left (end 1)."""
        widest = 0.0
        for rows in (self.placement.above, self.placement.below):
            legs = [
                self.widths[number] + _LEG_GAP
                for number in rows.row_of
                if self.layer[self.edges[number][end]] == layer
            ]
            widest = max(widest, sum(legs))
        loops = [
            self.widths[number] + _LEG_GAP
            for number in self.placer.loops.tolist()
            if self.layer[self.edges[number][end]] == layer
        ]
        widest = max([widest, *loops])
        return widest + _LEG_START + 2 if widest else 0.0

    def layout(self) -> Layout:
        detours = {**self._detours(), **self._loop_detours()}
        return Layout(
            frame=self.frame,
            scale=self.placement.scale,
            nodes=tuple(self._node(number) for number in range(len(self.nodes))),
            links=tuple(
                self._link(number, detours.get(number)) for number in range(len(self.links))
            ),
        )

    def _node(self, number: int) -> PlacedNode:
        x0 = self.columns[self.layer[number]]
        y0 = float(self.placement.top[number])
        value = float(self.placer.node_value[number])
        return PlacedNode(
            id=self.nodes[number].id,
            layer=self.layer[number],
            x0=x0,
            y0=y0,
            x1=x0 + self.node_width,
            y1=y0 + value * self.placement.scale,
            value=value,
        )

    def _link(self, number: int, detour: Detour | None) -> PlacedLink:
        link, placement = self.links[number], self.placement
        source, target, _value = self.edges[number]
        y0, y1 = float(placement.at_source[number]), float(placement.at_target[number])
        passed = []
        for item in self.grid.chains.get(number, ())[1:-1]:
            x = self.columns[self.layer[item]] + self.node_width / 2
            passed.append((x, float(placement.top[item]) + self.widths[number] / 2))
        start = self.columns[self.layer[source]] + self.node_width
        return PlacedLink(
            id=link.key,
            source=link.source,
            target=link.target,
            value=link.value,
            width=self.widths[number],
            y0=y0,
            y1=y1,
            points=((start, y0), *passed, (self.columns[self.layer[target]], y1)),
            detour=detour,
        )

    # ------------------------------------------------------------------ back links

    def _detours(self) -> dict[int, Detour]:
        detours = {}
        placement = self.placement
        for rows, start, sign in (
            (placement.above, placement.area[0], -1),
            (placement.below, placement.area[1], 1),
        ):
            if not rows.row_of:
                continue
            inner, edge = [], start
            for value in rows.values:
                edge += sign * placement.row_gap
                inner.append(edge)
                edge += sign * value * placement.scale
            legs = self._leg_places(rows.row_of)
            for number, row in rows.row_of.items():
                y = inner[row] + sign * self.widths[number] / 2
                detours[number] = self._detour(number, y, *legs[number])
        return detours

    def _leg_places(self, row_of: Mapping[int, int]) -> dict[int, tuple[float, float]]:
        """How far from its source and from its target the nearer side of each leg is."""
        used_right: dict[int, float] = defaultdict(lambda: _LEG_START)
        used_left: dict[int, float] = defaultdict(lambda: _LEG_START)
        places = {}
        for number in sorted(row_of, key=lambda number: (row_of[number], number)):
            ends = []
            for end, used, rooms in (
                (0, used_right, self.room),
                (1, used_left, self.room_before),
            ):
                layer = self.layer[self.edges[number][end]]
                ends.append(max(min(used[layer], rooms[layer] - self.widths[number]), 0.0))
                used[layer] += self.widths[number] + _LEG_GAP
            places[number] = (ends[0], ends[1])
        return places

    def _detour(self, number: int, y: float, leg_out: float, leg_in: float) -> Detour:
        source, target, _value = self.edges[number]
        half = self.widths[number] / 2
        y0, y1 = self.placement.at_source[number], self.placement.at_target[number]
        radius = float(min(half + min(_TURN, leg_out, leg_in), abs(y - y0) / 2, abs(y - y1) / 2))
        start = self.columns[self.layer[source]] + self.node_width
        return Detour(
            x_out=start + leg_out + half - radius,
            x_in=self.columns[self.layer[target]] - leg_in - half + radius,
            y=float(y),
            radius=radius,
        )

    def _loop_detours(self) -> dict[int, Detour]:
        """Links to itself pass below their node, the last one innermost."""
        detours = {}
        below: dict[int, float] = {}
        for number in reversed(self.placer.loops.tolist()):
            node = self.edges[number][0]
            gap = float(self.placement.loop_gap[node])
            bottom = below.get(node) or self._node(node).y1
            width = self.widths[number]
            detours[number] = self._detour(
                number, bottom + gap + width / 2, *self._leg_places({number: 0})[number]
            )
            below[node] = bottom + gap + width
        return detours
