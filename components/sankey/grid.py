"""Nodes in layers, with links cut at each layer they cross, as arrays for the sweeps over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from components.sankey.layers import Edge

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass
class Grid:
    """Items (nodes, then one for each layer that a link crosses) and the pieces between them.

    Attributes:
        nodes: how many of the items are nodes.
        layer: layer of each item.
        source, target: items at the ends of each piece; the target is one layer further.
        edge: which of the edges each piece belongs to.
        chains: the items that each forward edge passes, its ends included.
        layers: items of each layer, in the order of the picture.
    """

    nodes: int
    layer: Places
    source: Places
    target: Places
    edge: Places
    chains: dict[int, list[int]]
    layers: list[Places]

    @cached_property
    def pieces(self) -> list[Places]:
        """Pieces between each layer and the next."""
        of_layer = self.layer[self.source]
        in_order = np.argsort(of_layer, kind="stable")
        bounds = np.searchsorted(of_layer[in_order], np.arange(len(self.layers) + 1))
        return [in_order[bounds[i] : bounds[i + 1]] for i in range(len(self.layers))]

    @property
    def items(self) -> int:
        """How many items there are."""
        return len(self.layer)


def make_grid(layer: Sequence[int], edges: Sequence[Edge], is_back: Sequence[bool]) -> Grid:
    """Cut forward edges at every layer they cross; layers are in the order of the nodes."""
    layer_of_item = list(layer)
    source, target, edge_of_piece = [], [], []
    chains: dict[int, list[int]] = {}
    for number, (first, last, _value) in enumerate(edges):
        if is_back[number]:
            continue
        chain = [first]
        for crossed in range(layer[first] + 1, layer[last]):
            chain.append(len(layer_of_item))
            layer_of_item.append(crossed)
        chain.append(last)
        chains[number] = chain
        source += chain[:-1]
        target += chain[1:]
        edge_of_piece += [number] * (len(chain) - 1)
    layers: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for item, number in enumerate(layer_of_item):
        layers[number].append(item)
    return Grid(
        nodes=len(layer),
        layer=np.array(layer_of_item, dtype=np.int64),
        source=np.array(source, dtype=np.int64),
        target=np.array(target, dtype=np.int64),
        edge=np.array(edge_of_piece, dtype=np.int64),
        chains=chains,
        layers=[np.array(items, dtype=np.int64) for items in layers],
    )


def rising(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The non-decreasing numbers closest to those wanted (weighted least squares).

    Isotonic regression by pooling adjacent violators.
    """
    means: list[float] = []
    masses: list[float] = []
    counts: list[int] = []
    for value, weight in zip(wanted, weights, strict=True):
        if not means or means[-1] <= value:
            means.append(value)
            masses.append(weight)
            counts.append(1)
            continue
        mean, mass, count = value, weight, 1
        while means and means[-1] > mean:
            other = masses.pop()
            mean = (means.pop() * other + mean * mass) / (other + mass)
            mass += other
            count += counts.pop()
        means.append(mean)
        masses.append(mass)
        counts.append(count)
    return [mean for mean, count in zip(means, counts, strict=True) for _ in range(count)]
