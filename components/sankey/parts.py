"""What a Sankey's layout is made of: what goes in, and what comes out. All lengths are pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Rank = int | Literal["first", "last"] | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node to be placed.

    Attributes:
        id: name, unique in the picture.
        rank: wish for a layer. A number is the least layer; a link that leads here from a layer
            further right moves the node on. "first" and "last" always hold: what flows into a
            first node or out of a last one is drawn as a back link.
        order: place from the top, 0 to 1, in an earlier picture (`Layout.order`). Of two nodes
            of one layer that both have one, the smaller stays above.
        label_width: what its label takes beside it, in pixels. Layers whose labels have other
            nodes in the way get more of the width.
    """

    id: str
    rank: Rank = None
    order: float | None = None
    label_width: float = 0.0


@dataclass(frozen=True, slots=True)
class Link:
    """A flow between two nodes; `id` tells parallel links apart and may be left out otherwise."""

    source: str
    target: str
    value: float
    id: str = ""

    @property
    def key(self) -> str:
        """What identifies the link in a picture."""
        return self.id or f"{self.source} → {self.target}"


@dataclass(frozen=True, slots=True)
class Frame:
    """Size of the picture and what is kept free, in pixels.

    `left` and `right` leave room for the labels of the outer layers. `gap` is kept between two
    nodes of a layer, and becomes smaller where a layer is too full for it. `most_scale` bounds the
    pixels per unit of value: pictures that share it can be compared by eye.
    """

    width: float = 1200
    height: float = 640
    left: float = 140
    right: float = 140
    top: float = 10
    bottom: float = 10
    node_width: float = 14
    gap: float = 16
    most_scale: float = math.inf

    def __post_init__(self) -> None:
        for name in ("width", "height", "node_width", "most_scale"):
            if not getattr(self, name) > 0:
                raise ValueError(f"A frame's {name} must be above 0, not {getattr(self, name)}")
        if self.inner_width <= 0 or self.inner_height <= 0:
            raise ValueError(f"A frame of {self.width} x {self.height} has no room in its margins")

    @property
    def inner_width(self) -> float:
        """From the left side of the first layer to the right side of the last."""
        return self.width - self.left - self.right - self.node_width

    @property
    def inner_height(self) -> float:
        """Height that layers share with back links."""
        return self.height - self.top - self.bottom


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node's box. `height` is proportional to the larger of what flows in and what flows out."""

    id: str
    layer: int
    x0: float
    y0: float
    x1: float
    y1: float
    value: float

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.y1 - self.y0


@dataclass(frozen=True, slots=True)
class Detour:
    """How a back link goes around: right of its source, along `y`, left of its target.

    `x_out` and `x_in` are where it begins and ends to turn, `radius` is that of its turns along
    the middle of the band. It passes below where `y` is below both ends, and above otherwise.
    """

    x_out: float
    x_in: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class PlacedLink:
    """A link's band: `width` high, its middle at `y0` at the source and `y1` at the target.

    `points` are what its middle passes, ends included; one lies in each layer that it crosses,
    where room was kept for it. A back link has a `detour` instead of points in between.
    """

    id: str
    source: str
    target: str
    value: float
    width: float
    y0: float
    y1: float
    points: tuple[tuple[float, float], ...]
    detour: Detour | None = None

    @property
    def back(self) -> bool:
        """Whether it is drawn around the outside, against the direction of the others."""
        return self.detour is not None


@dataclass(frozen=True)
class Layout:
    """A laid-out picture. `scale` is pixels per unit of value, the same everywhere."""

    frame: Frame
    scale: float
    nodes: tuple[PlacedNode, ...]
    links: tuple[PlacedLink, ...]

    @cached_property
    def order(self) -> dict[str, float]:
        """Each node's place from the top, 0 to 1: the `order` of the nodes of a later picture."""
        height = self.frame.height
        return {node.id: (node.y0 + node.y1) / 2 / height for node in self.nodes}

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return 1 + max((node.layer for node in self.nodes), default=-1)


@dataclass(frozen=True)
class TwoScenarios:
    """One layout for two scenarios: every band and box has room for the larger of both.

    The dictionaries hold pixels by link and by node; what is missing in a scenario is 0 there.
    """

    layout: Layout
    base_widths: Mapping[str, float] = field(default_factory=dict)
    other_widths: Mapping[str, float] = field(default_factory=dict)
    base_heights: Mapping[str, float] = field(default_factory=dict)
    other_heights: Mapping[str, float] = field(default_factory=dict)


def check(nodes: Iterable[Node], links: Iterable[Link]) -> tuple[list[Node], list[Link]]:
    """Nodes and links in an order that does not depend on how they came.

    Raises ValueError: a name twice, a link to a node that is not there, a value that is negative,
    not a number or infinite.
    """
    sorted_nodes = sorted(nodes, key=lambda node: node.id)
    sorted_links = sorted(links, key=lambda link: (link.source, link.target, link.key))
    names = {node.id for node in sorted_nodes}
    if len(names) < len(sorted_nodes):
        raise ValueError("Two nodes of a Sankey have the same id")
    if len({link.key for link in sorted_links}) < len(sorted_links):
        raise ValueError("Two links of a Sankey have the same id: name parallel links")
    for link in sorted_links:
        for end in (link.source, link.target):
            if end not in names:
                raise ValueError(f"Link {link.key!r} of a Sankey: there is no node {end!r}")
        if not (link.value >= 0 and math.isfinite(link.value)):
            raise ValueError(f"Link {link.key!r} of a Sankey has the value {link.value}")
    return sorted_nodes, sorted_links
