"""Parts of a Sankey: what a node's energy came through and goes to, and the ways between two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from catalogs.sankey.graph import Graph, Link


def around(graph: Graph, node: str, steps: int | None = None) -> Graph:
    """Return the part of a graph that lies up- and downstream of a node, at most ``steps`` away.

    Nodes keep the balance that they have in the whole graph. A node that is not there leaves the
    graph as it is: in another year it may have no flow.
    """
    if node not in {known.id for known in graph.nodes}:
        return graph
    above = _reached(_turned(graph.links), node, steps)
    below = _reached(_forwards(graph.links), node, steps)
    links = tuple(
        link
        for link in graph.links
        if {link.source, link.target} <= above or {link.source, link.target} <= below
    )
    return _part(graph, links, {node})


def between(graph: Graph, first: str, last: str) -> Graph:
    """Return the part of a graph that lies on the ways from one node to another."""
    on_the_way = _reached(_forwards(graph.links), first) & _reached(_turned(graph.links), last)
    links = tuple(link for link in graph.links if {link.source, link.target} <= on_the_way)
    return _part(graph, links, {first, last})


def _part(graph: Graph, links: Sequence[Link], kept: Iterable[str]) -> Graph:
    there = {end for link in links for end in (link.source, link.target)} | set(kept)
    nodes = tuple(node for node in graph.nodes if node.id in there)
    return replace(graph, nodes=nodes, links=tuple(links))


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


def _reached(ways: Mapping[str, set[str]], start: str, steps: int | None = None) -> set[str]:
    """The nodes that ways lead to from a start, itself included."""
    found, edge = {start}, {start}
    while edge and (steps is None or steps > 0):
        edge = {to for node in edge for to in ways.get(node, ())} - found
        found |= edge
        steps = None if steps is None else steps - 1
    return found
