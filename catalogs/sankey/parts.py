"""What a Sankey is made of: nodes, links, and demands in units of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalogs.sankey.flows import SankeyQuery
from catalogs.sankey.grouping import PassThrough

#: The kind of a node that energy ends in: a demand, in a unit of its own.
SERVICE = "service"


@dataclass(frozen=True)
class Node:
    """A node and its balance.

    ``incoming`` and ``outgoing`` are the sums of its links. ``members`` are the ids it opens
    into, empty for a single process or commodity; ``parent`` is the node it was opened from.
    ``code`` is the process or commodity of a single one. ``services`` are the amounts that its
    processes give in other units than the picture's, by unit, that of most energy first.

    A node of the kind ``SERVICE`` stands for those amounts alone: nothing comes in or goes out.
    """

    id: str
    label: str
    kind: str
    incoming: float
    outgoing: float
    lost: float = 0.0
    members: tuple[str, ...] = ()
    parent: str = ""
    code: str = ""
    fuel: str = ""
    services: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Link:
    """Energy that passes from one node to another; ``fuel`` is the carrier's."""

    source: str
    target: str
    value: float
    fuel: str


@dataclass(frozen=True)
class Join:
    """That the energy of a node, ``user``, ends in a ``service``. There is no number to it.

    Its two sides have unlike units, so that it is no link and counts in no balance or total.
    """

    user: str
    service: str


@dataclass(frozen=True)
class Graph:
    """A Sankey's nodes and links, and what is not among them.

    ``services`` are the demands that ``joins`` lead to, apart from the nodes that balance.
    ``internal`` is, by node, the energy that stays inside it (given and taken, each counted).
    ``remarks`` say in words what a reader must know.
    """

    query: SankeyQuery
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    contracted: tuple[PassThrough, ...] = ()
    internal: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    services: tuple[Node, ...] = ()
    joins: tuple[Join, ...] = ()

    def node(self, identity: str) -> Node:
        """Return a node by its id."""
        return next(node for node in self.nodes if node.id == identity)
