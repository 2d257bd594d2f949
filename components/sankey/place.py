"""Heights: one scale for all, where each box and band stands, and the rows of back links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from components.sankey.grid import Grid, Numbers, Places, rising
from components.sankey.layers import Edge
from components.sankey.parts import Frame

#: Free height between rows of back links, and between a node and a link to itself.
ROW_GAP = 8.0
LOOP_GAP = 7.0
#: What is kept between items, in gaps between nodes: bands that pass stand closer.
_BESIDE_BAND = 0.5
_BETWEEN_BANDS = 0.15
#: Most of the height that gaps may take; the least that is left white in the fullest layer.
_MOST_GAPS = 0.5
_LEAST_WHITE = 0.25
#: Straight long bands are worth more than straight short ones.
_BAND_PULL = 3.0
#: Pixels that nothing moves by any more: the picture has come to rest.
_AT_REST = 0.25
#: A picture of this many items is one that a person reads: it gets more patience.
_READABLE = 2500


@dataclass
class Rows:
    """Back links above or below all nodes, each with its row; row 0 is the innermost."""

    row_of: dict[int, int] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)


@dataclass
class Placement:
    """Where everything is, vertically: tops of items, and middles of bands at both ends."""

    scale: float
    top: Numbers
    at_source: Numbers
    at_target: Numbers
    area: tuple[float, float]
    above: Rows
    below: Rows
    row_gap: float
    loop_gap: Numbers


class _Layer:
    """What pulls at the items of a layer: their neighbours, the heavier the wider their bands."""

    def __init__(self, grid: Grid, number: int, mass: Numbers) -> None:
        self.number = number
        self.items = grid.layers[number]
        place = np.zeros(grid.items, dtype=np.int64)
        place[self.items] = np.arange(len(self.items))
        into = grid.pieces[number - 1] if number else np.zeros(0, dtype=np.int64)
        out_of = grid.pieces[number]
        self.sides = [
            (pieces, far[pieces], place[near[pieces]], mass[pieces], sign)
            for pieces, far, near, sign in (
                (into, grid.source, grid.target, 1.0),
                (out_of, grid.target, grid.source, -1.0),
            )
        ]
        self.weights = [
            np.bincount(near, masses, len(self.items)) for _, _, near, masses, _ in self.sides
        ]
        self.known: dict[tuple[bool, bool], tuple[Numbers, NDArray[np.bool_], list[float]]] = {}

    def wish(
        self, top: Numbers, shift: Numbers, before: bool, after: bool
    ) -> tuple[Numbers, list[float]]:
        """Where the items would run straight, and how much they wish it."""
        pull = np.zeros(len(self.items))
        for side, asked in zip(self.sides, (before, after), strict=True):
            if asked:
                pieces, far, near, masses, sign = side
                towards = masses * (top[far] + sign * shift[pieces])
                pull += np.bincount(near, towards, len(self.items))
        if (before, after) not in self.known:
            weight = before * self.weights[0] + after * self.weights[1]
            at_least = np.maximum(weight, 1e-3).tolist()
            self.known[before, after] = np.maximum(weight, 1e-300), weight > 0, at_least
        divisor, is_pulled, at_least = self.known[before, after]
        return np.where(is_pulled, pull / divisor, top[self.items]), at_least


class Placer:
    """Finds heights for an ordered grid."""

    def __init__(
        self, grid: Grid, edges: Sequence[Edge], is_back: Sequence[bool], frame: Frame
    ) -> None:
        self.grid = grid
        self.frame = frame
        self.edge_source = np.array([edge[0] for edge in edges], dtype=np.int64)
        self.edge_target = np.array([edge[1] for edge in edges], dtype=np.int64)
        self.edge_value = np.array([edge[2] for edge in edges], dtype=float)
        self.is_loop = self.edge_source == self.edge_target
        self.around = [
            number for number, back in enumerate(is_back) if back and not self.is_loop[number]
        ]
        count = grid.nodes
        flow_in = np.bincount(self.edge_target, self.edge_value, count)
        flow_out = np.bincount(self.edge_source, self.edge_value, count)
        self.node_value = np.maximum(flow_in, flow_out)
        self.loops = np.flatnonzero(self.is_loop)
        loop_nodes = self.edge_source[self.loops]
        self.loop_count = np.bincount(loop_nodes, minlength=count)
        # A box with what its links to itself take below it.
        self.item_value = np.zeros(grid.items)
        self.item_value[:count] = self.node_value + np.bincount(
            loop_nodes, self.edge_value[self.loops], count
        )
        for number, chain in grid.chains.items():
            for item in chain[1:-1]:
                self.item_value[item] = self.edge_value[number]
        self.forward = np.array(list(grid.chains), dtype=np.int64)
        ends = np.cumsum([len(chain) - 1 for chain in grid.chains.values()], dtype=np.int64)
        self.last_piece = ends - 1
        self.first_piece = np.concatenate([ends[:0], [0], ends[:-1]])[: len(ends)].astype(np.int64)

    # ------------------------------------------------------------------ scale

    def place(self, most_back_width: float) -> Placement:
        """Place everything.

        Back links first go below; where their ends are then says on which side each is shorter.

        Args:
            most_back_width: widest that a back link may be, so that it can turn beside a layer.
        """
        first, later = (1, 2) if self.grid.items > _READABLE else (1, 3)
        placement = self._placed(Rows(), self._rows(self.around), most_back_width, first)
        if not self.around:
            return self._relaxed(placement, later)
        middle = sum(placement.area) / 2
        ends = placement.at_source + placement.at_target
        above = [number for number in self.around if ends[number] / 2 < middle]
        below = [number for number in self.around if ends[number] / 2 >= middle]
        return self._placed(self._rows(above), self._rows(below), most_back_width, later)

    def _rows(self, numbers: Iterable[int]) -> Rows:
        """Short links in the inner rows; links that pass different layers share one."""
        layer = self.grid.layer
        spans = {
            number: (int(layer[self.edge_target[number]]), int(layer[self.edge_source[number]]))
            for number in numbers
        }
        rows = Rows()
        taken: list[list[tuple[int, int]]] = []
        for number in sorted(spans, key=lambda n: (spans[n][1] - spans[n][0], spans[n], n)):
            first, last = spans[number]
            free = (
                row
                for row, others in enumerate(taken)
                if all(last < other[0] or other[1] < first for other in others)
            )
            row = next(free, len(taken))
            if row == len(taken):
                taken.append([])
                rows.values.append(0.0)
            taken[row].append((first, last))
            rows.row_of[number] = row
            rows.values[row] = max(rows.values[row], float(self.edge_value[number]))
        return rows

    def _placed(self, above: Rows, below: Rows, most_back_width: float, sweeps: int) -> Placement:
        height = self.frame.inner_height
        count = len(above.values) + len(below.values)
        row_gap = min(ROW_GAP, 0.2 * height / max(count, 1))
        row_value = sum(above.values) + sum(below.values)
        free = height - row_gap * count
        scale = np.inf
        loop_gap = np.zeros(self.grid.nodes)
        self.apart = []
        for items in self.grid.layers:
            gaps, loops = self._gaps(items, free)
            self.apart.append(gaps)
            nodes = items[items < self.grid.nodes]
            loop_gap[nodes] = loops
            value = float(self.item_value[items].sum()) + row_value
            if value > 0:
                kept = float(gaps.sum() + loops * self.loop_count[nodes].sum())
                scale = min(scale, min(free - kept, (1 - _LEAST_WHITE) * height) / value)
        widest = self.edge_value[[*self.around, *self.loops]].max(initial=0)
        if widest > 0:
            scale = min(scale, most_back_width / widest)
        scale = min(float(scale), self.frame.most_scale) if np.isfinite(scale) else 0.0
        area_top = self.frame.top + scale * sum(above.values) + row_gap * len(above.values)
        area = (area_top, area_top + free - scale * row_value)
        empty = np.zeros(0)
        placement = Placement(scale, empty, empty, empty, area, above, below, row_gap, loop_gap)
        self._stack(placement)
        return self._relaxed(placement, sweeps)

    def _gaps(self, items: Places, height: float) -> tuple[Numbers, float]:
        """What is kept after each item but the last, and below a node for each link to itself."""
        is_node = items < self.grid.nodes
        nodes_beside = is_node[:-1].astype(int) + is_node[1:]
        kinds = np.array([_BETWEEN_BANDS, _BESIDE_BAND, 1.0]) * self.frame.gap
        gaps = kinds[nodes_beside]
        loops = LOOP_GAP * self.loop_count[items[is_node]].sum()
        taken = float(gaps.sum() + loops)
        squeeze = min(1.0, _MOST_GAPS * height / taken) if taken else 1.0
        return gaps * squeeze, LOOP_GAP * squeeze

    # ------------------------------------------------------------------ places

    def _stack(self, placement: Placement) -> None:
        """Put each layer together in the middle, in its order."""
        size = self.item_value * placement.scale
        size[: self.grid.nodes] += placement.loop_gap * self.loop_count
        placement.top = np.zeros(self.grid.items)
        self.steps: list[Numbers] = []
        self.rooms: list[float] = []
        low, high = placement.area
        for items, gaps in zip(self.grid.layers, self.apart, strict=True):
            sizes = size[items]
            steps = np.concatenate([[0.0], np.cumsum(sizes[:-1] + gaps)])
            room = max(high - low - float(steps[-1] + sizes[-1]), 0.0)
            placement.top[items] = low + room / 2 + steps
            self.steps.append(steps)
            self.rooms.append(room)

    def _relaxed(self, placement: Placement, sweeps: int) -> Placement:
        """Move items to where their bands run straight, as far as their layer has room."""
        grid = self.grid
        width = self.edge_value[grid.edge] * placement.scale
        from_band = (grid.source >= grid.nodes).astype(float)
        to_band = (grid.target >= grid.nodes).astype(float)
        mass = (width + 0.05) * (1 + _BAND_PULL * from_band) * (1 + _BAND_PULL * to_band)
        layers = [_Layer(grid, number, mass) for number in range(len(grid.layers))]
        offsets = width / 2, width / 2
        if placement.at_source.size == 0:
            offsets = self._ports(placement, *offsets)
        for sweep in range(sweeps):
            both = sweep >= sweeps // 2
            before = placement.top.copy()
            for downstream in (True, False):
                offsets = self._ports(placement, *offsets)
                self._sweep(placement, layers, offsets, downstream, both)
            if both and np.abs(placement.top - before).max(initial=0) < _AT_REST:
                break
        self._ports(placement, *self._ports(placement, *offsets))
        return placement

    def _sweep(
        self,
        placement: Placement,
        layers: Sequence[_Layer],
        offsets: tuple[Numbers, Numbers],
        downstream: bool,
        both: bool,
    ) -> None:
        top, low = placement.top, placement.area[0]
        shift = offsets[0] - offsets[1]
        for layer in layers if downstream else reversed(layers):
            upstream = layer.number > 0 and (both or downstream)
            wish, weight = layer.wish(top, shift, upstream, both or not downstream)
            steps = self.steps[layer.number]
            found = rising((wish - steps).tolist(), weight)
            room = self.rooms[layer.number]
            top[layer.items] = np.clip(found, low, low + room) + steps

    def _ports(
        self, placement: Placement, at_source: Numbers, at_target: Numbers
    ) -> tuple[Numbers, Numbers]:
        """Order bands at nodes by where their other ends are.

        Returns the middles of bands below the tops of their items, for both ends of each piece;
        the placement is told the same for each edge, from the top of the picture.
        """
        grid, top = self.grid, placement.top
        width = self.edge_value * placement.scale
        before = {"source": np.zeros(grid.nodes), "target": np.zeros(grid.nodes)}
        for number in placement.above.row_of:
            before["source"][self.edge_source[number]] += width[number]
            before["target"][self.edge_target[number]] += width[number]
        out_of, into = self.first_piece, self.last_piece
        leaving = top[grid.target[out_of]] + at_target[out_of]
        arriving = top[grid.source[into]] + at_source[into]
        at_source, at_target = at_source.copy(), at_target.copy()
        filled = {}
        for end, node, pieces, other, offsets in (
            ("source", self.edge_source[self.forward], out_of, leaving, at_source),
            ("target", self.edge_target[self.forward], into, arriving, at_target),
        ):
            bands = width[self.forward]
            order = np.lexsort((self.forward, other, node))
            below = np.cumsum(bands[order])
            totals = np.bincount(node, bands, grid.nodes)
            starts = np.cumsum(totals) - totals
            nodes = node[order]
            offsets[pieces[order]] = before[end][nodes] + below - starts[nodes] - bands[order] / 2
            filled[end] = before[end] + totals
        placement.at_source = np.zeros(len(self.edge_value))
        placement.at_target = np.zeros(len(self.edge_value))
        placement.at_source[self.forward] = top[grid.source[out_of]] + at_source[out_of]
        placement.at_target[self.forward] = top[grid.target[into]] + at_target[into]
        self._back_ports(placement, width, filled)
        return at_source, at_target

    def _back_ports(self, placement: Placement, width: Numbers, filled: dict[str, Numbers]) -> None:
        """Outer rows further from the edge of the node, so that turns lie in one another."""
        above = sorted(placement.above.row_of, key=lambda n: (placement.above.row_of[n], n))
        below = sorted(placement.below.row_of, key=lambda n: (-placement.below.row_of[n], n))
        for nodes, places, taken in (
            (self.edge_source, placement.at_source, filled["source"]),
            (self.edge_target, placement.at_target, filled["target"]),
        ):
            upper: dict[int, float] = defaultdict(float)
            for numbers, used in ((above, upper), ([*below, *self.loops.tolist()], taken)):
                for number in numbers:
                    node = int(nodes[number])
                    places[number] = placement.top[node] + used[node] + width[number] / 2
                    used[node] += width[number]
