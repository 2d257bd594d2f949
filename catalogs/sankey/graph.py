"""Nodes and links of a Sankey: who passes energy to whom, in groups that can be opened.

Commodities are carriers, grouped by fuel; processes stand under the part they play (supply,
conversion, storage, trade, final use, export) in groups of their own. Every node has a path from
its outermost group to itself; the first on the path that is not opened is the one shown.

What keeps a picture readable is never lost, it is listed:

- *contracted*: distribution passes through (see ``grouping``); what it loses is the loss of its
  carrier. So does trade between two regions that are both shown.
- *internal*: a commodity that only one shown node gives and takes.

Demands in units of their own (passenger kilometres) are no nodes among these: see ``services``.

So the sum of all links between processes and carriers is the sum of what all processes take and
give, less what is contracted and what is internal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from catalogs.sankey.flows import EnergyFlows, Flow
from catalogs.sankey.grouping import (
    CARRIER,
    Grouping,
    PassThrough,
    find_pass_throughs,
)
from catalogs.sankey.kinds import ENERGY
from catalogs.sankey.parts import SERVICE, Graph, Link, Node
from catalogs.sankey.roles import CONVERSION, EXPORT, FINAL, STORAGE, SUPPLY, TRADE, Place
from catalogs.sankey.services import Services, find_services, service_label

LOSS = "loss"
GAIN = "gain"
#: Where a demand ends that is measured in other than energy: by its sector, a user without flows.
DEMAND = "demand"

#: Ends that no process stands for. Losses of conversion, of grids (distribution and COM_IE), of
#: storage and of trade; what nobody takes; heat from the surroundings; what nobody gives. Within
#: a timeslice storage loses what it keeps for another.
CONVERSION_LOSS = "loss/Conversion losses"
GRID_LOSS = "loss/Grid losses"
STORAGE_LOSS = "loss/Storage losses"
TRADE_LOSS = "loss/Trade losses"
SURPLUS = "loss/Not used"
AMBIENT = "gain/Ambient heat"
UNEXPLAINED = "gain/Not accounted for"
INTO_STORAGE = "loss/Kept in storage"
OUT_OF_STORAGE = "gain/Out of storage"

#: Difference that rounding makes, as a share; and of all supply, what is not worth a node.
_ROUNDING = 1e-9
_ROUNDED_AWAY = 1e-4

#: What ends are called in a picture of timeslices: there not all that flows has been told apart.
_IN_TIMESLICES = {SURPLUS: "For other timeslices", UNEXPLAINED: "From other timeslices"}
#: The sector of what the supply side uses itself, as it is called among those who use energy.
_OWN_USE = {f"{FINAL}/Supply and conversion": "Own use of the energy sector"}

#: What the smaller groups of a part are called together.
_PLURALS = {
    CARRIER: "carriers",
    CONVERSION: "conversion",
    FINAL: "use",
    SUPPLY: "supply",
    EXPORT: "exports",
    STORAGE: "storage",
    TRADE: "trade",
}


def build_graph(flows: EnergyFlows, grouping: Grouping | None = None) -> Graph:
    """Return the Sankey of some flows; see the module for what it does with them.

    Graphs that are to be compared share a ``grouping``; by default the flows have their own.
    """
    return _Builder(flows, grouping or Grouping([flows])).build()


def _whole(amount: float) -> str:
    return f"{amount:,.0f}".replace(",", "\u2009")


def called(identity: str) -> str:
    """Return what the id of a node says it is, also where no picture has it."""
    if identity in _OWN_USE:
        return _OWN_USE[identity]
    kind, _, rest = identity.partition("/")
    if kind == "other":
        _, _, of = rest.rpartition("/")
        return f"Other {_PLURALS.get(rest, of.lower())}"
    if kind == CARRIER:
        return rest.rpartition("/")[0]
    if kind == SERVICE:
        return service_label(identity)
    return rest.rpartition("/")[2]


class _Builder:
    """Works a graph out of the flows of one query."""

    def __init__(self, flows: EnergyFlows, grouping: Grouping) -> None:
        self._flows = flows
        self._grouping = grouping
        self._at = flows.by_process
        self._contracted = find_pass_throughs(flows)
        self._contract_trade()
        self._held = self._find_held()
        self._is_energy = flows.query.flows_of == ENERGY
        self._links: dict[tuple[str, str, str], float] = defaultdict(float)
        self._internal: dict[str, float] = defaultdict(float)

    def _contract_trade(self) -> None:
        """Trade between regions that are both shown, of a commodity that is one node, passes."""
        carriers: dict[str, set[str]] = defaultdict(set)
        places: dict[str, list[Place]] = defaultdict(list)
        for place, flows in self._at.items():
            if self._flows.roles[place].part == TRADE:
                places[place[1]].append(place)
                carriers[place[1]].update(self._grouping.carrier(f.commodity) for f in flows)
        for process, nodes in carriers.items():
            for place in places[process] if len(nodes) == 1 else ():
                sides = {"IN": 0.0, "OUT": 0.0}
                for flow in self._at[place]:
                    sides[flow.direction] += flow.value
                fuel = self._flows.fuels[self._at[place][0].commodity]
                self._contracted[place] = PassThrough(*place, sides["IN"], sides["OUT"], fuel)

    # ------------------------------------------------------------------ nodes and links

    def build(self) -> Graph:
        """Return the graph."""
        self._link_processes()
        self._link_contracted()
        self._end_processes()
        self._end_commodities()
        remarks = [*self._drop_rounding(), *self._remarks()]
        services = find_services(self._flows, self._grouping.node)
        links = tuple(
            Link(source, target, value, fuel)
            for (source, target, fuel), value in sorted(self._links.items())
        )
        return Graph(
            query=self._flows.query,
            nodes=self._nodes(links, services),
            links=links,
            contracted=tuple(
                sorted(self._contracted.values(), key=lambda p: (-p.taken, p.region, p.process))
            ),
            internal=dict(self._internal),
            left_out=self._flows.left_out,
            remarks=tuple(remarks),
            services=services.nodes,
            joins=services.joins,
        )

    def _carrier_of(self, commodity: str) -> str:
        """The node that holds a commodity: its carrier, or the one node that it stays inside."""
        holder = self._held.get(self._grouping.joined.of(commodity))
        return holder or self._grouping.carrier(commodity)

    def _find_held(self) -> dict[str, str]:
        """Commodities that only one node both gives and takes, and that node."""
        around: dict[str, set[str]] = defaultdict(set)
        sides: dict[str, set[str]] = defaultdict(set)
        for place, flows in self._at.items():
            for flow in flows:
                group = self._grouping.joined.of(flow.commodity)
                if place not in self._contracted:
                    around[group].add(self._grouping.node(place))
                    sides[group].add(flow.direction)
        return {
            group: next(iter(nodes))
            for group, nodes in around.items()
            if len(nodes) == 1 and len(sides[group]) == 2
        }

    def _add(self, source: str, target: str, commodity: str, value: float) -> None:
        if source == target:
            self._internal[source] += value
        elif value:
            self._links[source, target, self._flows.fuels[commodity]] += value

    def _link_processes(self) -> None:
        for place, flows in self._at.items():
            if place in self._contracted:
                continue
            node = self._grouping.node(place)
            for flow in flows:
                carrier = self._carrier_of(flow.commodity)
                ends = (carrier, node) if flow.direction == "IN" else (node, carrier)
                self._add(*ends, flow.commodity, flow.value)

    def _link_contracted(self) -> None:
        """Between two nodes a contracted process is a link; within one only its loss is."""
        for place, passed in self._contracted.items():
            taken = [flow for flow in self._at[place] if flow.direction == "IN"]
            given = [flow for flow in self._at[place] if flow.direction == "OUT"]
            for flow in given:
                source = self._carrier_of((taken or given)[0].commodity)
                target = self._carrier_of(flow.commodity)
                if source != target:
                    self._add(source, target, flow.commodity, flow.value)
            if self._flows.roles[place].part == TRADE:
                continue  # what one region sends the other receives: its loss is below
            self._end(
                self._carrier_of(taken[0].commodity),
                taken[0].commodity,
                passed.taken - passed.given,
                GRID_LOSS,
                of=passed.taken,
            )

    def _end(
        self,
        node: str,
        commodity: str,
        lost: float,
        loss: str,
        gain: str = UNEXPLAINED,
        *,
        of: float,
    ) -> None:
        """Link what a node loses to an end, and what it gains from one.

        What is no more than the rounding of an amount ``of`` which it is the rest is neither.
        """
        if abs(lost) <= _ROUNDING * of:
            return
        if lost > 0:
            self._add(node, loss, commodity, lost)
        else:
            self._add(gain, node, commodity, -lost)

    def _end_processes(self) -> None:
        """Losses of conversion and storage, by process, and heat from the surroundings."""
        traded: dict[str, list[tuple[Place, Flow]]] = defaultdict(list)
        for place, flows in self._at.items():
            part = self._flows.roles[place].part
            if part == TRADE:
                traded[place[1]] += [(place, flow) for flow in flows]
            if part not in (CONVERSION, STORAGE) or place in self._contracted:
                continue
            lost = sum(flow.value if flow.direction == "IN" else -flow.value for flow in flows)
            main = max(flows, key=lambda flow: (flow.direction == "IN", flow.value, flow.commodity))
            gives = {self._flows.fuels[f.commodity] for f in flows if f.direction == "OUT"}
            pumps = gives == {"Heat"} and main.direction == "IN" and self._is_energy
            loss, gain = CONVERSION_LOSS, AMBIENT if pumps else UNEXPLAINED
            if part == STORAGE:
                loss = INTO_STORAGE if self._flows.query.timeslices else STORAGE_LOSS
                gain = OUT_OF_STORAGE
            size = sum(flow.value for flow in flows)
            self._end(self._grouping.node(place), main.commodity, lost, loss, gain, of=size)
        for sides in traded.values():
            lost = sum(f.value if f.direction == "IN" else -f.value for _, f in sides)
            place, main = max(
                sides, key=lambda side: (side[1].direction == "IN", side[1].value, side[0])
            )
            node = (
                self._carrier_of(main.commodity)
                if place in self._contracted
                else self._grouping.node(place)
            )
            self._end(node, main.commodity, lost, TRADE_LOSS, of=main.value)

    def _end_commodities(self) -> None:
        """What is given and not taken of a commodity in a region: lost on the way, or not used."""
        balance: dict[tuple[str, str], float] = defaultdict(float)
        given: dict[tuple[str, str], float] = defaultdict(float)
        for flow in self._flows.flows:
            key = (flow.region, flow.commodity)
            balance[key] += flow.value if flow.direction == "OUT" else -flow.value
            if flow.direction == "OUT":
                given[key] += flow.value
        for (region, commodity), left in balance.items():
            node = self._carrier_of(commodity)
            share = 1 - self._flows.efficiency.get((region, commodity), 1.0)
            on_the_way = min(max(left, 0.0), max(share, 0.0) * given[region, commodity])
            size = given[region, commodity] or abs(left)
            self._end(node, commodity, on_the_way, GRID_LOSS, of=size)
            sector = self._flows.demanded.get(commodity)
            used = SURPLUS if sector is None else f"{DEMAND}/{sector or 'Other end use'}"
            self._end(node, commodity, left - on_the_way, used, of=size)

    def _drop_rounding(self) -> Iterable[str]:
        """Leave out ends that are no more than the rounding of results, and say so."""
        supplied = sum(v for (source, _, _), v in self._links.items() if source.startswith(SUPPLY))
        for end in (SURPLUS, UNEXPLAINED):
            of_end = {key: v for key, v in self._links.items() if end in key[:2]}
            amount = sum(of_end.values())
            if of_end and amount < _ROUNDED_AWAY * supplied:
                for key in of_end:
                    del self._links[key]
                unit = self._flows.query.unit
                yield f"{end.partition('/')[2]}: {amount:.3g} {unit}, too little to be shown."

    def _remarks(self) -> Iterable[str]:
        flows = self._flows
        if flows.state:
            yield f"Shown is the state of the world {flows.state}."
        if flows.left_out:
            amounts = [f"{_whole(v)} {unit}" for unit, v in sorted(flows.left_out.items())]
            yield f"Not energy and so in pictures of their own: {', '.join(amounts)}."
        if flows.coarser:
            yield (
                "Known only for longer than the timeslice and so not in the picture:"
                f" {flows.coarser:.3g} {flows.query.unit}."
            )
        if flows.turned:
            names = ", ".join(sorted({flow.process for flow in flows.turned})[:5])
            yield f"{len(flows.turned)} negative flows stand the other way round ({names})."
        if flows.noise:
            yield f"{flows.noise} flows are too small to mean anything."

    # ------------------------------------------------------------------ what nodes are

    def _nodes(self, links: Sequence[Link], services: Services) -> tuple[Node, ...]:
        incoming: dict[str, float] = defaultdict(float)
        outgoing: dict[str, float] = defaultdict(float)
        lost: dict[str, float] = defaultdict(float)
        fuels: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for link in links:
            outgoing[link.source] += link.value
            incoming[link.target] += link.value
            for end in (link.source, link.target):
                fuels[end][link.fuel] += link.value
            if link.target.startswith(LOSS):
                lost[link.source] += link.value
        members, parents = self._grouping.family(self._at, self._flows.fuels)
        return tuple(
            Node(
                id=name,
                label=self._label(name),
                kind=self._kind(name, parents.get(name, "")),
                incoming=incoming[name],
                outgoing=outgoing[name],
                lost=lost[name],
                members=tuple(sorted(members.get(name, ()))),
                parent=parents.get(name, ""),
                code=name.partition("/")[2] if name.startswith(("process/", "commodity/")) else "",
                fuel=min(fuels[name], key=lambda fuel: (-fuels[name][fuel], fuel)),
                services=services.of_user.get(name, ()),
            )
            for name in sorted({*incoming, *outgoing})
        )

    def _label(self, name: str) -> str:
        if self._flows.query.timeslices and name in _IN_TIMESLICES:
            return _IN_TIMESLICES[name]
        kind, _, rest = name.partition("/")
        if kind == CARRIER:
            fuel, _, tier = rest.rpartition("/")
            return f"{fuel}, processed" if int(tier) > self._grouping.lowest[fuel] else fuel
        return called(name)

    def _kind(self, name: str, parent: str) -> str:
        kind = name.partition("/")[0]
        if kind == "commodity":
            return CARRIER
        if kind == DEMAND:
            return FINAL
        if kind == "other":
            return name.split("/")[1]
        if kind == "process":
            return self._kind(parent, "") if parent else CONVERSION
        return kind
