"""What a Sankey's marks say and which colour they have: from a laid-out graph to its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from catalogs import palette
from catalogs.sankey.compare import Change
from catalogs.sankey.graph import GAIN, LOSS
from catalogs.sankey.grouping import CARRIER
from catalogs.sankey.kinds import ENERGY, USEFUL_ENERGY
from catalogs.sankey.parts import Graph, Node
from catalogs.sankey.roles import CONVERSION, EXPORT, FINAL, SUPPLY
from catalogs.sankey.services import service_group
from components.numbers import percentage, significant
from components.sankey.request import LaidOut, SankeyRequest, link_key
from components.sankey.services import amounts_of, every_amount
from components.sankey.view import make_picture

Label = Callable[[Node], str]
Words = dict[str, dict[str, Any]]

#: Colours of a comparison: more than in the base, less, and as good as unchanged.
MORE = "#2a7fb8"
LESS = "#d1603d"
UNCHANGED = "#8d97a1"
_UNCHANGED_SHARE = 0.02

_PLAIN = {SUPPLY: "#6b7480", EXPORT: "#a9b1ba", LOSS: "#b4bac1", GAIN: "#c9b458"}


def picture_of(
    worked: LaidOut,
    label: Label,
    looks: palette.Looks | None = None,
    only: Literal["base", "other"] | None = None,
) -> dict[str, Any]:
    """Return what ``SankeyView`` draws.

    ``label`` says what a node is called, ``looks`` are the colours of the dataset's own rules.
    ``only`` is the one of two scenarios that is drawn, where they stand side by side.
    """
    unit = worked.request.query.unit
    graphs = [worked.graph]
    if worked.compared is not None:
        graphs = [worked.compared.base, worked.compared.other]
    found = [{node.id: node for node in graph.nodes} for graph in graphs]
    demands = [{service.id: service for service in graph.services} for graph in graphs]
    if only == "base":
        found.reverse()
        demands.reverse()
    everything = sum(n.outgoing for n in found[-1].values() if n.kind == SUPPLY) or 1.0
    names = {name: label(node) for nodes in found for name, node in nodes.items()}
    nodes: Words = {}
    for name, called in names.items():
        both = [nodes_of.get(name) for nodes_of in found]
        nodes[name] = _node_words(both, called, unit, everything, looks)
        node = both[-1] or both[0]
        if node is not None and node.kind == CARRIER:
            nodes[name]["colour"] = _carried(graphs[-1], node.fuel, looks)
    for service in worked.services:
        both = [nodes_of.get(service.id) for nodes_of in demands]
        users = [names[join.user] for join in worked.joins if join.service == service.id]
        nodes[service.id] = _service_words(both, users, label, looks)
    if worked.compared is None:
        links = _flows(worked.graph, found[0], unit, looks)
    elif only is None:
        links = _changes(worked.compared.changes, unit)
    else:
        graph = worked.compared.base if only == "base" else worked.compared.other
        links = _flows(graph, found[-1], unit, looks)
    drawn = {link.id for link in worked.layout.links}
    return make_picture(
        worked.both or worked.layout,
        nodes={node.id: nodes[node.id] for node in (*worked.layout.nodes, *worked.services)},
        links={key: words for key, words in links.items() if key in drawn},
        title=f"{title_of(worked.request)}, {worked.request.query.year}",
        only=only,
        services=[s for s in worked.services if only is None or s.id in demands[-1]],
        joins=[(join.user, join.service) for join in worked.joins],
    )


def title_of(request: SankeyRequest) -> str:
    """Return what a picture is of: energy flows, or those of something else."""
    what = request.query.flows_of
    return "Energy flows" if what == ENERGY else f"Flows of {what}"


def amount_of(node: Node) -> float:
    """The amount of a node: of final use what it keeps, of others what passes through."""
    if node.kind == FINAL:
        return node.incoming - node.outgoing
    return max(node.incoming, node.outgoing)


def _node_words(
    both: list[Node | None], label: str, unit: str, everything: float, looks: palette.Looks | None
) -> dict[str, Any]:
    node = both[-1] or next(n for n in both if n is not None)
    amount = amount_of(node) if both[-1] else 0.0
    lines = [
        f"{what}: {significant(value)} {unit}"
        for what, value in (("In", node.incoming), ("Out", node.outgoing), ("Lost", node.lost))
        if value
    ]
    if len(both) > 1:
        base = amount_of(both[0]) if both[0] else 0.0
        lines.append(f"In the other scenario: {significant(base)} {unit}")
        lines.append(f"Difference to it: {_signed(amount - base)} {unit}")
    lines += [f"Gives {amount}" for amount in every_amount(node)]
    opens = bool(node.members)
    return {
        "label": label,
        "amount": significant(amount),
        "share": f"{percentage(amount / everything)} of supply",
        "lines": lines + ([node.code] if node.code and node.code != label else []),
        "hint": "click to open" if opens else "",
        "colour": _colour(node, looks),
        "opens": opens,
        "parent": node.parent,
    }


def _service_words(
    both: list[Node | None], users: Sequence[str], label: Label, looks: palette.Looks | None
) -> dict[str, Any]:
    """What a service says: every amount in its own unit, and who gives it; never a share."""
    node = both[-1] or next(n for n in both if n is not None)
    now = dict(both[-1].services) if both[-1] else {}
    written = amounts_of(node) if both[-1] else ["0"]
    lines = every_amount(node) if len(now) > len(written) or len(now) > 1 else []
    if len(both) > 1:
        before = dict(both[0].services) if both[0] else {}
        for unit in {**now, **before}:
            was, now_is = before.get(unit, 0.0), now.get(unit, 0.0)
            lines.append(f"In the other scenario: {significant(was)} {unit}")
            lines.append(f"Difference to it: {_signed(now_is - was)} {unit}")
    lines.append(f"From {', '.join(dict.fromkeys(users))}")
    part, group, _ = service_group(node.id)
    dimension = "sector" if part == FINAL else "technology"
    return {
        "label": label(node),
        "amount": written[0],
        "second": "".join(written[1:]),
        "share": "No energy: counts in no balance",
        "lines": lines,
        "hint": "click to open" if node.members else "",
        "colour": palette.colour(dimension, group, looks=looks),
        "opens": bool(node.members),
        "parent": node.parent,
    }


def _colour(node: Node, looks: palette.Looks | None) -> str:
    # Of what is opened, members have the colour of the group that they come from.
    group = (node.parent or node.id).split("/")[1:2]
    if node.kind == CONVERSION:
        return palette.colour("technology", (group or [""])[0], looks=looks)
    if node.kind == FINAL:
        return palette.colour("sector", (group or [""])[0], looks=looks)
    return _PLAIN.get(node.kind, palette.OTHER_COLOUR)


def _flows(
    graph: Graph, nodes: Mapping[str, Node], unit: str, looks: palette.Looks | None
) -> Words:
    words: Words = {}
    for link in graph.links:
        given = nodes[link.source].outgoing or link.value
        words[link_key(link.source, link.target, link.fuel)] = {
            "amount": f"{significant(link.value)} {unit}",
            "share": f"{percentage(link.value / given)} of what it comes from",
            "lines": [link.fuel],
            "colour": _carried(graph, link.fuel, looks),
        }
    return words


def _carried(graph: Graph, fuel: str, looks: palette.Looks | None) -> str:
    """The colour of what a link carries; commodities other than energy have those of places."""
    if graph.query.flows_of in (ENERGY, USEFUL_ENERGY):
        return palette.colour("fuel", fuel, looks=looks)
    return palette.colour("commodity", fuel, sorted({link.fuel for link in graph.links}), looks)


def _changes(changes: tuple[Change, ...], unit: str) -> Words:
    words: Words = {}
    for change in changes:
        larger = max(change.base, change.value)
        unchanged = abs(change.difference) <= _UNCHANGED_SHARE * larger
        words[link_key(change.source, change.target, change.fuel)] = {
            "amount": f"{significant(change.value)} {unit}",
            "share": f"{_signed(change.difference)} {unit} to base",
            "lines": [change.fuel, f"Base: {significant(change.base)} {unit}"],
            "colour": UNCHANGED if unchanged else MORE if change.difference > 0 else LESS,
        }
    return words


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{significant(value)}"
