"""The figures beside a Sankey as frames: flows, balances of nodes, and what was contracted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection

import pandas as pd

from catalogs.sankey.compare import Comparison
from catalogs.sankey.parts import Graph, Node
from components.numbers import significant

#: How a node is called.
Label = Callable[[Node], str]

#: Source and target of a link.
Ends = tuple[str, str]

#: What the parts of the system are called.
_PARTS = {"final": "final use", "gain": "surroundings", "loss": "losses"}


def flows_table(graph: Graph, label: Label) -> pd.DataFrame:
    """Return the links, the largest first: from, to, carrier, value."""
    names = {node.id: label(node) for node in graph.nodes}
    links = sorted(graph.links, key=lambda link: (-link.value, link.source, link.target))
    return pd.DataFrame(
        [(names[link.source], names[link.target], link.fuel, link.value) for link in links],
        columns=["from", "to", "carrier", "value"],
    )


def kinds_table(graph: Graph) -> pd.DataFrame:
    """Return what flows of each carrier between which parts of the system, the largest first.

    Rows are not to be added up: the same energy passes several of these cuts.
    """
    kinds = {node.id: node.kind for node in graph.nodes}
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for link in graph.links:
        sums[kinds[link.source], kinds[link.target], link.fuel] += link.value
    rows = sorted(sums.items(), key=lambda row: (-row[1], row[0]))
    return pd.DataFrame(
        [(_PARTS.get(a, a), _PARTS.get(b, b), fuel, value) for (a, b, fuel), value in rows],
        columns=["from part", "to part", "carrier", "value"],
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
        [
            (
                label(node),
                _PARTS.get(node.kind, node.kind),
                node.incoming,
                node.outgoing,
                node.lost,
                "; ".join(f"{significant(amount)} {unit}" for unit, amount in node.services),
            )
            for node in nodes
        ],
        columns=["node", "part", "in", "out", "of it lost", "gives besides"],
    )


def services_table(graph: Graph, label: Label) -> pd.DataFrame:
    """Return the demands that energy ends in: what, unit, amount, and who serves it.

    Rows of unlike units are not to be added up.
    """
    rows = [
        (label(service), _users(graph, service, label), amount, unit)
        for service in graph.services
        for unit, amount in service.services
    ]
    return pd.DataFrame(rows, columns=["demand", "served by", "amount", "unit"])


def service_changes_table(compared: Comparison, label: Label) -> pd.DataFrame:
    """Return the demands of two graphs: what, both amounts, their difference, and the unit."""
    amounts = [
        {(node.id, unit): amount for node in graph.services for unit, amount in node.services}
        for graph in (compared.base, compared.other)
    ]
    names = {service.id: label(service) for service in compared.services}
    rows = [
        (names[service], *both, both[1] - both[0], unit)
        for service, unit in {**amounts[0], **amounts[1]}
        for both in [[found.get((service, unit), 0.0) for found in amounts]]
    ]
    return pd.DataFrame(rows, columns=["demand", "base", "other", "difference", "unit"])


def _users(graph: Graph, service: Node, label: Label) -> str:
    users = {join.user for join in graph.joins if join.service == service.id}
    return ", ".join(label(node) for node in graph.nodes if node.id in users)


def contracted_table(graph: Graph, called: Callable[[str], str]) -> pd.DataFrame:
    """Return what passes through and is no node of the picture, the largest first."""
    return pd.DataFrame(
        [
            (called(p.process), p.process, p.region, p.fuel, p.taken, p.given)
            for p in graph.contracted
        ],
        columns=["passes through", "process", "region", "carrier", "taken", "given"],
    )


def edges(graph: Graph, label: Label, left_out: Collection[Ends] = ()) -> pd.DataFrame:
    """Return the links as ``hv.Sankey`` takes them: source, target, value.

    Nodes of one name are told apart by their parts, or they would be one to HoloViews, which draws
    no cycles either: ``left_out`` are the ends of links that close them.
    """
    shared = Counter(label(node) for node in graph.nodes)
    names = {
        node.id: name if shared[name] == 1 else f"{name} ({node.code or node.kind})"
        for node in graph.nodes
        for name in [label(node)]
    }
    sums: dict[Ends, float] = defaultdict(float)
    for link in sorted(graph.links, key=lambda link: (-link.value, link.source, link.target)):
        if (link.source, link.target) not in left_out:
            sums[names[link.source], names[link.target]] += link.value
    rows = [(source, target, value) for (source, target), value in sums.items()]
    return pd.DataFrame(rows, columns=["source", "target", "value"])
