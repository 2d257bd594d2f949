"""The figures beside a Sankey as frames: flows, balances of nodes, and what was contracted."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from catalogs.sankey.compare import Comparison
from catalogs.sankey.graph import Graph, Node

#: How a node is called.
Label = Callable[[Node], str]


def flows_table(graph: Graph, label: Label) -> pd.DataFrame:
    """Return the links, the largest first: from, to, carrier, value."""
    names = {node.id: label(node) for node in graph.nodes}
    links = sorted(graph.links, key=lambda link: (-link.value, link.source, link.target))
    return pd.DataFrame(
        [(names[link.source], names[link.target], link.fuel, link.value) for link in links],
        columns=["from", "to", "carrier", "value"],
    )


def changes_table(compared: Comparison, label: Label) -> pd.DataFrame:
    """Return the links of two graphs, the largest change first: from, to, carrier, both values."""
    names = {node.id: label(node) for node in compared.nodes}
    return pd.DataFrame(
        [
            (names[c.source], names[c.target], c.fuel, c.base, c.value, c.difference)
            for c in compared.changes
        ],
        columns=["from", "to", "carrier", "base", "other", "difference"],
    )


def balances_table(graph: Graph, label: Label) -> pd.DataFrame:
    """Return every node with what comes in, goes out, and is lost of it."""
    nodes = sorted(graph.nodes, key=lambda node: -max(node.incoming, node.outgoing))
    return pd.DataFrame(
        [(label(node), node.kind, node.incoming, node.outgoing, node.lost) for node in nodes],
        columns=["node", "part", "in", "out", "of it lost"],
    )


def contracted_table(graph: Graph, called: Callable[[str], str]) -> pd.DataFrame:
    """Return what passes through and is no node of the picture, the largest first."""
    return pd.DataFrame(
        [
            (called(p.process), p.process, p.region, p.fuel, p.taken, p.given)
            for p in graph.contracted
        ],
        columns=["passes through", "process", "region", "carrier", "taken", "given"],
    )


def edges(graph: Graph, label: Label) -> pd.DataFrame:
    """Return the links as ``hv.Sankey`` takes them: source, target, value.

    HoloViews draws no cycles: where the graph has one, leave a link out first.
    """
    table = flows_table(graph, label).rename(columns={"from": "source", "to": "target"})
    return table.groupby(["source", "target"], sort=False)[["value"]].sum().reset_index()
