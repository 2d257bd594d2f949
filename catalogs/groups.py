"""Sector, technology and fuel of every process and commodity, by rules that are data.

The rules stand in ``semantics/fuels.csv`` and ``semantics/sectors.csv``: sets first, then what
the network tells, then descriptions. Each group carries the rule that chose it, so that a page
can say why.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from catalogs import units
from catalogs.network import DUMMY_IMPORTS, IN, OUT, Network, Node

OTHER_FUEL = "Other"
SHARED_SECTOR = "Shared"
SUPPLY_SECTOR = "Supply and conversion"
OTHER_END_USE = "Other end use"
_CONVERSION_SETS = frozenset({"ELE", "CHP", "HPL"})


@dataclass(frozen=True)
class Group:
    """A fuel or sector: its place in the order, its colour, and what makes a thing belong to it."""

    name: str
    order: int
    colour: str
    sets: frozenset[str]
    description: re.Pattern[str] | None
    code: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Choice:
    """The group chosen, and the rule that chose it."""

    group: str
    rule: str


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text, re.IGNORECASE) if text else None


@cache
def groups(kind: str) -> tuple[Group, ...]:
    """Return the groups of a kind (``fuels``, ``sectors``) in their order."""
    text = files("catalogs.semantics").joinpath(f"{kind}.csv").read_text(encoding="utf-8")
    name = kind.removesuffix("s")
    return tuple(
        Group(
            row[name],
            int(row["order"]),
            row["colour"],
            frozenset(row["sets"].split()),
            _pattern(row["description"]),
            _pattern(row.get("code")),
        )
        for row in csv.DictReader(text.splitlines())
    )


def match_description(kind: str, text: str) -> str | None:
    """Return the group whose word stands first in a description; the longer word wins a tie."""
    found = [
        (match.start(), -len(match.group()), group.name)
        for group in groups(kind)
        if group.description and (match := group.description.search(text))
    ]
    return min(found)[2] if found else None


def _match_sets(kind: str, sets: Iterable[str]) -> Choice | None:
    for group in groups(kind):
        for name in sorted(group.sets.intersection(sets)):
            return Choice(group.name, f"set {name}")
    return None


@dataclass
class Classifier:
    """Assigns groups in one network; asks each question once."""

    network: Network
    demand_processes: frozenset[Node] = frozenset()
    _fuels: dict[Node, Choice] = field(default_factory=dict)
    _downstream: dict[Node, frozenset[str]] = field(default_factory=dict)

    # ------------------------------------------------------------------ fuels

    def fuel(self, region: str, commodity: str) -> Choice:
        """Return the fuel of a commodity: by set, by its origin, by description, by code."""
        node = (region, commodity)
        if node not in self._fuels:
            self._fuels[node] = self._find_fuel(region, commodity)
        return self._fuels[node]

    def _find_fuel(self, region: str, commodity: str) -> Choice:
        sets = self.network.commodity_sets.get((region, commodity), frozenset())
        if choice := _match_sets("fuels", sets - {"REN", "REN+", "FOS", "FOS+", "SYN", "SYN+"}):
            return choice
        origin = self._origin(region, commodity)
        origin_sets = self.network.commodity_sets.get((region, origin), frozenset())
        via = f", through {origin}" if origin != commodity else ""
        broad = frozenset({"REN", "REN+", "FOS", "FOS+", "SYN", "SYN+"})
        if choice := _match_sets("fuels", origin_sets - broad):
            return Choice(choice.group, choice.rule + via)
        text = self.network.commodity_text.get((region, origin), "")
        if text and text != origin and (name := match_description("fuels", text)):
            return Choice(name, f"description{via}")
        for group in groups("fuels"):
            if group.code and group.code.search(origin):
                return Choice(group.name, f"code{via}")
        return _match_sets("fuels", origin_sets) or Choice(OTHER_FUEL, "no rule")

    def _origin(self, region: str, commodity: str) -> str:
        """Follow a commodity upstream through processes that only pass it on."""
        seen = {commodity}
        while True:
            producers = [
                p
                for p in self.network.producers.get((region, commodity), [])
                if p not in DUMMY_IMPORTS and (region, p) not in self.demand_processes
            ]
            passing = [p for p in producers if self.network.passes_through(region, p)]
            origins = {self.network.energy(region, p, IN)[0] for p in passing}
            if not producers or len(passing) < len(producers) or len(origins) != 1:
                return commodity
            (commodity,) = origins
            if commodity in seen:
                return commodity
            seen.add(commodity)

    def process_fuel(self, region: str, process: str) -> Choice:
        """Return the fuel a process mainly takes; of one without inputs, what it gives."""
        taken = self.network.energy(region, process, IN)
        side, commodities = (
            (IN, taken) if taken else (OUT, self.network.outputs.get((region, process), []))
        )
        if taken or not self._text_fuel(region, process):
            amounts: dict[str, float] = {}
            for commodity in commodities:
                name = self.fuel(region, commodity).group
                flow = abs(self.network.amount[region, process, commodity, side])
                amounts[name] = amounts.get(name, 0.0) + flow
            if amounts:
                return Choice(
                    max(amounts, key=lambda n: (amounts[n], n)),
                    "largest input" if taken else "output",
                )
        return Choice(self._text_fuel(region, process) or OTHER_FUEL, "description")

    def _text_fuel(self, region: str, process: str) -> str | None:
        return match_description("fuels", self.network.process_text.get((region, process), ""))

    # ------------------------------------------------------------------ sectors

    def demand_sector(self, region: str, commodity: str) -> Choice:
        """Return the sector of a demand commodity: by its unit, else by its description."""
        if units.is_distance(self.network.commodity_unit.get((region, commodity))):
            return Choice("Transport", "unit of the demand")
        text = self.network.commodity_text.get((region, commodity), "")
        name = match_description("sectors", text)
        return (
            Choice(name, "description of the demand")
            if name
            else (Choice(OTHER_END_USE, "no rule"))
        )

    def sector(self, region: str, process: str) -> Choice:
        """Return the sector of a process: by set, else by the demands it leads to."""
        sets = self.network.process_sets.get((region, process), frozenset())
        if choice := _match_sets("sectors", sets):
            return choice
        demands = self.demands_downstream(region, process)
        sectors = {self.demand_sector(region, d).group for d in demands}
        if len(sectors) == 1:
            return Choice(sectors.pop(), "demand downstream")
        if (region, process) in self.demand_processes:
            if sectors:
                return Choice(SHARED_SECTOR, "several demands downstream")
            return Choice(OTHER_END_USE, "no demand downstream")
        return Choice(SUPPLY_SECTOR, "no single demand sector downstream")

    def demands_downstream(self, region: str, process: str) -> frozenset[str]:
        """Return the demand commodities that a process leads to.

        The way down stops at power and heat plants and at trade, where everything mixes.
        """
        start = (region, process)
        if start not in self._downstream:
            self._downstream[start] = self._walk_down(region, process)
        return self._downstream[start]

    def _walk_down(self, region: str, process: str) -> frozenset[str]:
        found: set[str] = set()
        seen = {process}
        waiting = [process]
        while waiting:
            current = waiting.pop()
            for commodity in self.network.outputs.get((region, current), []):
                kind = self.network.kind(region, commodity)
                if kind == "demand":
                    found.add(commodity)
                elif kind != "emission":
                    for consumer in self.network.consumers.get((region, commodity), []):
                        if consumer not in seen:
                            seen.add(consumer)
                            if self._leads_on(region, consumer):
                                waiting.append(consumer)
        return frozenset(found)

    def _leads_on(self, region: str, process: str) -> bool:
        sets = self.network.process_sets.get((region, process), frozenset())
        return not (sets & _CONVERSION_SETS) and not self.network.is_trade(region, process)

    # ------------------------------------------------------------------ technologies

    def technology(self, region: str, process: str) -> Choice:
        """Return the technology of a process: by its set, trade partner and main fuel."""
        sets = self.network.process_sets.get((region, process), frozenset())
        if process in DUMMY_IMPORTS:
            return Choice("Dummy import", "name")
        if self.network.is_trade(region, process):
            return Choice(self._trade(region, process), "trade partner")
        if self.network.is_storage(region, process):
            return Choice("Storage", "storage set")
        fuel = self._technology_fuel(region, process)
        for name, label in (("CHP", f"{fuel} CHP"), ("ELE", fuel), ("HPL", f"{fuel} heat plant")):
            if name in sets:
                return Choice(label, f"set {name}, largest input")
        if (region, process) in self.demand_processes:
            return Choice(f"{fuel} end use", "demand device, largest input")
        if self.network.passes_through(region, process):
            return Choice("Distribution", "one energy in, as much out")
        return Choice(self._conversion(region, process, fuel), "outputs")

    def _technology_fuel(self, region: str, process: str) -> str:
        fuel = self.process_fuel(region, process).group
        text = self.network.process_text.get((region, process), "")
        if fuel == "Wind" and re.search(r"\boff-?shore\b", text, re.IGNORECASE):
            return "Offshore wind"
        return fuel

    def _trade(self, region: str, process: str) -> str:
        side = self.network.external_side.get(process)
        if side is None:
            return "Trade, partner unknown"
        if side == "MINRNW":
            return "Extraction"
        if side:
            return "Import" if self.network.outputs.get((region, process)) else "Export"
        return "Trade between regions"

    def _conversion(self, region: str, process: str, fuel: str) -> str:
        given = {self.fuel(region, c).group for c in self.network.energy(region, process, OUT)}
        if any(
            self.network.is_electricity(region, c)
            for c in (self.network.outputs.get((region, process), []))
        ):
            return fuel
        if len(given) == 1:
            return f"{given.pop()} production"
        return "Refining and conversion" if given else "Other conversion"
