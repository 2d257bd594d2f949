"""Parts of a Sankey: what a node's energy came through and goes to, and the ways between two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from catalogs.sankey.parts import Graph, Link


def around(graph: Graph, node: str, steps: int | None = None) -> Graph:
    """Return the part of a graph that lies up- and downstream of a node, at most ``steps`` away.

    Nodes keep the balance that they have in the whole graph. Around a service is what is upstream
    of those who give it, one step further than they. A node that is not there leaves the graph as
    it is: in another year it may have no flow.
    """
    users = _users(graph, node)
    if users:
        above = _reached(_turned(graph.links), users, None if steps is None else steps - 1)
        links = tuple(link for link in graph.links if {link.source, link.target} <= above)
        return _part(graph, links, users, {node})
    if node not in {known.id for known in graph.nodes}:
        return graph
    above = _reached(_turned(graph.links), {node}, steps)
    below = _reached(_forwards(graph.links), {node}, steps)
    links = tuple(
        link
        for link in graph.links
        if {link.source, link.target} <= above or {link.source, link.target} <= below
    )
    return _part(graph, links, {node}, {service.id for service in graph.services})


def between(graph: Graph, first: str, last: str) -> Graph:
    """Return the part of a graph that lies on the ways from one node to another or a service."""
    users = _users(graph, last)
    ends = users or {last}
    on_the_way = _reached(_forwards(graph.links), {first}) & _reached(_turned(graph.links), ends)
    links = tuple(link for link in graph.links if {link.source, link.target} <= on_the_way)
    return _part(graph, links, {first, last}, {last} if users else ())


def _users(graph: Graph, service: str) -> set[str]:
    return {join.user for join in graph.joins if join.service == service}


def _part(
    graph: Graph, links: Sequence[Link], kept: Iterable[str], services: Collection[str]
) -> Graph:
    there = {end for link in links for end in (link.source, link.target)} | set(kept)
    joins = tuple(join for join in graph.joins if join.user in there and join.service in services)
    joined = {join.service for join in joins}
    return replace(
        graph,
        nodes=tuple(node for node in graph.nodes if node.id in there),
        links=tuple(links),
        services=tuple(service for service in graph.services if service.id in joined),
        joins=joins,
    )


def _forwards(links: Iterable[Link]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for link in links:
        found[link.source].add(link.target)
    return found


def _turned(links: Iterable[Link]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for link in links:
        found[link.target].add(link.source)
    return found


def _reached(
    ways: Mapping[str, set[str]], starts: Collection[str], steps: int | None = None
) -> set[str]:
    """The nodes that ways lead to from some, they themselves included."""
    found, edge = set(starts), set(starts)
    while edge and (steps is None or steps > 0):
        edge = {to for node in edge for to in ways.get(node, ())} - found
        found |= edge
        steps = None if steps is None else steps - 1
    return found
