"""From what is asked for to a laid-out Sankey: pure, and safe to run in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from catalogs.sankey.compare import Comparison, compare
from catalogs.sankey.flows import EXPORT, FINAL, SUPPLY, SankeyQuery, energy_flows
from catalogs.sankey.focus import around
from catalogs.sankey.graph import LOSS, Graph, build_graph
from catalogs.sankey.graph import Node as GraphNode
from catalogs.source import Source
from components.sankey.layout import Frame, Layout, Link, Node, TwoScenarios, lay_out, lay_out_both
from components.sankey.parts import Rank

#: Where the parts of the system stand: supply first; use, exports and losses last.
_RANKS: Mapping[str, Rank] = {SUPPLY: "first", FINAL: "last", EXPORT: "last", LOSS: "last"}


@dataclass(frozen=True)
class SankeyRequest:
    """A Sankey that is asked for.

    ``other`` is the scenario compared with, '' for none; ``focus`` a node whose up- and downstream
    alone is shown, ``steps`` far at most (0: all the way). ``order`` is that of an earlier picture.
    """

    query: SankeyQuery
    other: str = ""
    focus: str = ""
    steps: int = 0
    frame: Frame = field(default_factory=Frame)
    order: Mapping[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class LaidOut:
    """A Sankey ready to be drawn: one scenario's, or two in one layout."""

    request: SankeyRequest
    graph: Graph
    layout: Layout
    whole: Graph
    compared: Comparison | None = None
    both: TwoScenarios | None = None


def link_key(source: str, target: str, fuel: str) -> str:
    """Return the id of a link in a layout; a carrier of several fuels has several."""
    return f"{source} → {target} · {fuel}"


def answer(source: Source, request: SankeyRequest) -> LaidOut:
    """Read, build and lay out. Raises the errors of ``energy_flows``."""
    flows = energy_flows(source, request.query)
    if not request.other:
        whole = build_graph(flows)
        graph = _focused(whole, request)
        order = _with_members(request.order, graph.nodes)
        layout = lay_out(nodes_of(graph), links_of(graph), request.frame, order)
        return LaidOut(request, graph, layout, whole)
    others = energy_flows(source, replace(request.query, scenario=request.other))
    compared = compare(flows, others)
    base, other = _focused(compared.base, request), _focused(compared.other, request)
    compared = _part(compared, base, other)
    nodes = {node.id: node for graph in (base, other) for node in nodes_of(graph)}
    order = _with_members(request.order, compared.nodes)
    both = lay_out_both(nodes.values(), links_of(base), links_of(other), request.frame, order)
    return LaidOut(request, base, both.layout, compared.base, compared, both)


def _focused(graph: Graph, request: SankeyRequest) -> Graph:
    return around(graph, request.focus, request.steps or None) if request.focus else graph


def _part(compared: Comparison, base: Graph, other: Graph) -> Comparison:
    """Return a comparison of parts of its graphs."""
    shown = {(link.source, link.target, link.fuel) for g in (base, other) for link in g.links}
    changes = tuple(c for c in compared.changes if (c.source, c.target, c.fuel) in shown)
    return Comparison(base, other, changes)


def _with_members(order: Mapping[str, float], nodes: Iterable[GraphNode]) -> Mapping[str, float]:
    """Return an order in which the members of a node stand where the node stood."""
    members = {n.id: order[n.parent] for n in nodes if n.parent in order and n.id not in order}
    return {**order, **members}


def nodes_of(graph: Graph) -> list[Node]:
    """Return the nodes of a graph as a layout takes them."""
    return [Node(node.id, rank=_RANKS.get(node.kind)) for node in graph.nodes]


def links_of(graph: Graph) -> list[Link]:
    """Return the links of a graph as a layout takes them."""
    return [
        Link(link.source, link.target, link.value, link_key(link.source, link.target, link.fuel))
        for link in graph.links
    ]
