"""From what is asked for to a laid-out Sankey: pure, and safe to run in a thread."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from catalogs.errors import NotAvailableError
from catalogs.sankey.compare import Comparison, compare
from catalogs.sankey.flows import SankeyQuery, energy_flows, flow_years
from catalogs.sankey.focus import around, between
from catalogs.sankey.graph import LOSS, build_graph, called
from catalogs.sankey.parts import Graph, Join
from catalogs.sankey.parts import Node as GraphNode
from catalogs.sankey.roles import EXPORT, FINAL, SUPPLY
from catalogs.source import Source
from components.sankey.layout import Frame, Layout, Link, Node, TwoScenarios, lay_out, lay_out_both
from components.sankey.parts import PlacedNode, Rank
from components.sankey.services import place_services, with_room
from components.sankey.words import label_width

#: Where the parts of the system stand: supply first; use, exports and losses last.
_RANKS: Mapping[str, Rank] = {SUPPLY: "first", FINAL: "last", EXPORT: "last", LOSS: "last"}
#: Share of what it takes that a user of energy may hand on and still stand last.
_HANDED_ON = 0.5


@dataclass(frozen=True)
class SankeyRequest:
    """A Sankey that is asked for.

    ``other`` is the scenario compared with, '' for none; ``focus`` a node whose up- and downstream
    alone is shown, ``steps`` far at most (0: all the way), or with ``towards`` the ways between
    the two. ``steady`` draws all years in one scale. With ``services`` demands in units of their
    own stand at the end. ``order`` is that of an earlier picture.
    """

    query: SankeyQuery
    other: str = ""
    focus: str = ""
    towards: str = ""
    steps: int = 0
    steady: bool = False
    services: bool = False
    frame: Frame = field(default_factory=Frame)
    order: Mapping[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class LaidOut:
    """A Sankey ready to be drawn: one scenario's, or two in one layout.

    ``services`` are the boxes of what ``joins`` lead to, beside the layout, if asked for.
    """

    request: SankeyRequest
    graph: Graph
    layout: Layout
    whole: Graph
    compared: Comparison | None = None
    both: TwoScenarios | None = None
    services: tuple[PlacedNode, ...] = ()
    joins: tuple[Join, ...] = ()


def link_key(source: str, target: str, fuel: str) -> str:
    """Return the id of a link in a layout; a carrier of several fuels has several."""
    return f"{source} → {target} · {fuel}"


def answer(source: Source, request: SankeyRequest) -> LaidOut:
    """Read, build and lay out.

    Raises the errors of ``energy_flows``, and ``NotAvailableError`` where no energy flows between
    the two nodes that are asked for.
    """
    frame = request.frame
    if request.steady:
        frame = replace(frame, most_scale=_steady_scale(source, request))
    return _laid_out(source, request, frame)


def _laid_out(source: Source, request: SankeyRequest, frame: Frame) -> LaidOut:
    flows = energy_flows(source, request.query)
    if not request.other:
        whole = build_graph(flows)
        graph = _focused(whole, request)
        _refuse_nothing([graph], request, whole.nodes)
        order = _with_members(request.order, graph.nodes)
        frame = _with_services(frame, graph, request)
        layout = lay_out(nodes_of([graph]), links_of(graph), frame, order, compact=True)
        placed = _services(layout, graph, request)
        return LaidOut(request, graph, layout, whole, services=placed, joins=graph.joins)
    both_whole = compare(
        flows, energy_flows(source, replace(request.query, scenario=request.other))
    )
    base, other = (_focused(graph, request) for graph in (both_whole.base, both_whole.other))
    _refuse_nothing([base, other], request, both_whole.nodes)
    compared = _part(both_whole, base, other)
    order = _with_members(request.order, compared.nodes)
    frame = _with_services(frame, compared, request)
    both = lay_out_both(
        nodes_of([base, other]), links_of(base), links_of(other), frame, order, compact=True
    )
    services = _services(both.layout, compared, request)
    return LaidOut(
        request, base, both.layout, both_whole.base, compared, both, services, compared.joins
    )


def _with_services(frame: Frame, shown: Graph | Comparison, request: SankeyRequest) -> Frame:
    """Return a frame that has room for services, where there are any and they are asked for."""
    if not request.services:
        return frame
    joined = {join.user for join in shown.joins}
    return with_room(frame, shown.services, [n.label for n in shown.nodes if n.id in joined])


def _services(
    layout: Layout, shown: Graph | Comparison, request: SankeyRequest
) -> tuple[PlacedNode, ...]:
    """The boxes of services, where they are asked for."""
    if not request.services:
        return ()
    names = {node.id: node.label for node in shown.nodes}
    return place_services(layout, shown.services, shown.joins, names)


#: The scale that all years of a picture have room in, by what the picture is of.
_scales: WeakKeyDictionary[Source, OrderedDict[SankeyRequest, float]] = WeakKeyDictionary()
_MOST_SCALES = 50


def _steady_scale(source: Source, request: SankeyRequest) -> float:
    """The largest scale at which every year has room."""
    of_all = replace(request, query=replace(request.query, year=0), order={})
    known = _scales.setdefault(source, OrderedDict())
    if of_all not in known:
        scales = []
        for year in flow_years(source, request.query.scenario):
            # A year may have nothing to show: it needs no room.
            with suppress(NotAvailableError):
                of_year = replace(request, query=replace(request.query, year=year))
                scales.append(_laid_out(source, of_year, request.frame).layout.scale)
        known[of_all] = min((scale for scale in scales if scale > 0), default=math.inf)
        while len(known) > _MOST_SCALES:
            known.popitem(last=False)
    return known[of_all]


def _focused(graph: Graph, request: SankeyRequest) -> Graph:
    if request.focus and request.towards:
        return between(graph, request.focus, request.towards)
    return around(graph, request.focus, request.steps or None) if request.focus else graph


def _refuse_nothing(
    graphs: Sequence[Graph], request: SankeyRequest, nodes: Iterable[GraphNode]
) -> None:
    if request.focus and request.towards and not any(graph.links for graph in graphs):
        labels = {node.id: node.label for node in nodes}
        ends = [labels.get(name, called(name)) for name in (request.focus, request.towards)]
        raise NotAvailableError(
            f"Nothing flows from {ends[0]} to {ends[1]} in {request.query.year}.",
            "Choose two other nodes, or show everything.",
        )


def _part(compared: Comparison, base: Graph, other: Graph) -> Comparison:
    """Return a comparison of parts of its graphs."""
    shown = {(link.source, link.target, link.fuel) for g in (base, other) for link in g.links}
    changes = tuple(c for c in compared.changes if (c.source, c.target, c.fuel) in shown)
    return Comparison(base, other, changes)


def _with_members(order: Mapping[str, float], nodes: Iterable[GraphNode]) -> Mapping[str, float]:
    """Return an order in which the members of a node stand where the node stood."""
    members = {n.id: order[n.parent] for n in nodes if n.parent in order and n.id not in order}
    return {**order, **members}


def nodes_of(graphs: Iterable[Graph]) -> list[Node]:
    """Return the nodes of graphs as a layout takes them, each once."""
    nodes = {node.id: node for graph in graphs for node in graph.nodes}
    return [
        Node(name, rank=_rank(node), label_width=label_width(node.label))
        for name, node in nodes.items()
    ]


def _rank(node: GraphNode) -> Rank:
    if node.kind == FINAL and node.outgoing > _HANDED_ON * node.incoming:
        return None  # who hands most of it on to other users stands before them
    return _RANKS.get(node.kind)


def links_of(graph: Graph) -> list[Link]:
    """Return the links of a graph as a layout takes them."""
    return [
        Link(link.source, link.target, link.value, link_key(link.source, link.target, link.fuel))
        for link in graph.links
    ]
