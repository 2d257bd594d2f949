"""Two Sankeys in one: the same nodes, links with what they carry in each, and what changed most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from catalogs.sankey.flows import EnergyFlows
from catalogs.sankey.graph import build_graph
from catalogs.sankey.grouping import Grouping
from catalogs.sankey.parts import Graph, Join, Node


@dataclass(frozen=True)
class Change:
    """A link in two graphs: energy in the base and in the other."""

    source: str
    target: str
    fuel: str
    base: float
    value: float

    @property
    def difference(self) -> float:
        """The other less the base."""
        return self.value - self.base


@dataclass(frozen=True)
class Comparison:
    """Two graphs whose nodes mean the same; ``changes`` has every link, the largest first."""

    base: Graph
    other: Graph
    changes: tuple[Change, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes of both, with the members of both; else as the other graph has them."""
        return _of_both(self.base.nodes, self.other.nodes)

    @property
    def services(self) -> tuple[Node, ...]:
        """The services of both, with the members of both; else as the other graph has them."""
        return _of_both(self.base.services, self.other.services)

    @property
    def joins(self) -> tuple[Join, ...]:
        """Who is joined to which service in either graph."""
        return tuple(dict.fromkeys((*self.base.joins, *self.other.joins)))


def compare(base: EnergyFlows, other: EnergyFlows) -> Comparison:
    """Build the graphs of two scenarios (or years) over one grouping, and compare their links."""
    grouping = Grouping([base, other])
    first, second = build_graph(base, grouping), build_graph(other, grouping)
    before, after = _links(first), _links(second)
    changes = [
        Change(*ends, before.get(ends, 0.0), after.get(ends, 0.0)) for ends in {**before, **after}
    ]
    changes.sort(key=lambda c: (-abs(c.difference), c.source, c.target, c.fuel))
    return Comparison(first, second, tuple(changes))


def _links(graph: Graph) -> Mapping[tuple[str, str, str], float]:
    return {(link.source, link.target, link.fuel): link.value for link in graph.links}


def _of_both(base: Iterable[Node], other: Iterable[Node]) -> tuple[Node, ...]:
    nodes = {node.id: node for node in base}
    for node in other:
        members = {*node.members, *(nodes[node.id].members if node.id in nodes else ())}
        nodes[node.id] = replace(node, members=tuple(sorted(members)))
    return tuple(nodes.values())
