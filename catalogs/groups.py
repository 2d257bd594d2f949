"""Sector, technology and fuel of every process and commodity, by rules that are data.

Tables that people write come first (``rules.py``). What they do not take is decided here: by the
tables ``semantics/fuels.csv`` and ``semantics/sectors.csv``, sets first, then what the network
tells, then descriptions. Each group carries the rule that chose it, so that a page can say why.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files

from catalogs import units
from catalogs.network import DUMMY_IMPORTS, IN, OUT, Network, Node
from catalogs.rules import Item, RuleBook, Verdict

OTHER_FUEL = "Other"
SHARED_SECTOR = "Shared"
SUPPLY_SECTOR = "Supply and conversion"
OTHER_END_USE = "Other end use"
#: Fuel sets too broad to say much: asked last.
_BROAD_FUELS = frozenset({"REN", "REN+", "FOS", "FOS+", "SYN", "SYN+"})

#: Where a choice comes from: a rule table, what the model itself tells, or nothing.
TABLE, DEFAULT, NOTHING = "table", "default", "nothing"

_NO_NAMES = frozenset({"", "-", OTHER_FUEL, SHARED_SECTOR})


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
    """The group chosen, the rule that chose it, and where that rule is from.

    ``rivals`` are rules of a table that are level with the one that chose, and disagree with it.
    """

    group: str
    rule: str
    origin: str = DEFAULT
    rivals: tuple[str, ...] = ()

    @property
    def is_named(self) -> bool:
        """Whether the group says something; what is only left over ("Other end use") does not."""
        if self.group in _NO_NAMES or self.origin == NOTHING:
            return False
        return self.origin == TABLE or not self.group.startswith("Other ")


def _chosen(verdict: Verdict) -> Choice:
    rivals = tuple(f"{rival.group} ({rival.shown})" for rival in verdict.rivals)
    return Choice(verdict.rule.group, verdict.rule.shown, TABLE, rivals)


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
    rules: RuleBook = field(default_factory=RuleBook)
    _fuels: dict[Node, Choice] = field(default_factory=dict)
    _process_choices: dict[tuple[str, str, str], Choice] = field(default_factory=dict)
    _items: dict[tuple[str, str, str], Item] = field(default_factory=dict)
    _demand_sectors: dict[Node, Choice] = field(default_factory=dict)
    _sectors_of: dict[tuple[str, frozenset[str]], frozenset[str]] = field(default_factory=dict)
    _ruled: dict[tuple[str, str, str, str], Choice | None] = field(default_factory=dict)

    def ruled(self, dimension: str, kind: str, region: str, code: str) -> Choice | None:
        """Return the group that a rule table gives a process or commodity, None where none does."""
        key = (dimension, kind, region, code)
        if key not in self._ruled:
            verdict = self.rules.find(dimension, self.item(kind, region, code))
            self._ruled[key] = _chosen(verdict) if verdict else None
        return self._ruled[key]

    def item(self, kind: str, region: str, code: str) -> Item:
        """Return a process or commodity as rules see it."""
        key = (kind, region, code)
        if key not in self._items:
            network, node = self.network, (region, code)
            if kind == "process":
                texts, sets = network.process_text, network.process_sets
            else:
                texts, sets = network.commodity_text, network.commodity_sets
            self._items[key] = Item(*key, texts.get(node, ""), sets.get(node, frozenset()))
        return self._items[key]

    def choice(self, dimension: str, region: str, process: str) -> Choice:
        """Return the group of a process in a dimension: sector, technology or fuel."""
        key = (dimension, region, process)
        if key not in self._process_choices:
            ask = {
                "sector": self._find_sector,
                "technology": self._find_technology,
                "fuel": self._find_process_fuel,
            }[dimension]
            self._process_choices[key] = self.ruled(dimension, "process", region, process) or ask(
                region, process
            )
        return self._process_choices[key]

    # ------------------------------------------------------------------ fuels

    def fuel(self, region: str, commodity: str) -> Choice:
        """Return the fuel of a commodity: by rule, set, its origin, description, code."""
        node = (region, commodity)
        if node not in self._fuels:
            self._fuels[node] = self._find_fuel(region, commodity)
        return self._fuels[node]

    def standard_fuel(self, region: str, commodity: str) -> str:
        """Return the fuel of a commodity as one of ``semantics/fuels.csv``.

        A rule may give it another name (a local word for wind); what is said of wind in general
        still holds for it.
        """
        shown = self.fuel(region, commodity).group
        if any(shown == group.name for group in groups("fuels")):
            return shown
        return self._default_fuel(region, commodity, ruled=False).group

    def _find_fuel(self, region: str, commodity: str) -> Choice:
        choice = self.ruled("fuel", "commodity", region, commodity)
        return choice or self._default_fuel(region, commodity)

    def _default_fuel(self, region: str, commodity: str, *, ruled: bool = True) -> Choice:
        sets = self.network.commodity_sets.get((region, commodity), frozenset())
        if choice := _match_sets("fuels", sets - _BROAD_FUELS):
            return choice
        origin = self._origin(region, commodity)
        via = f", through {origin}" if origin != commodity else ""
        if ruled and via and (choice := self.ruled("fuel", "commodity", region, origin)):
            return replace(choice, rule=choice.rule + via)
        origin_sets = self.network.commodity_sets.get((region, origin), frozenset())
        if choice := _match_sets("fuels", origin_sets - _BROAD_FUELS):
            return Choice(choice.group, choice.rule + via)
        text = self.network.commodity_text.get((region, origin), "")
        if text and text != origin and (name := match_description("fuels", text)):
            return Choice(name, f"description{via}")
        for group in groups("fuels"):
            if group.code and group.code.search(origin):
                return Choice(group.name, f"code{via}")
        return _match_sets("fuels", origin_sets) or Choice(OTHER_FUEL, "no rule", NOTHING)

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
        return self.choice("fuel", region, process)

    def _find_process_fuel(self, region: str, process: str) -> Choice:
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
        if named := self._text_fuel(region, process):
            return Choice(named, "description")
        return Choice(OTHER_FUEL, "no rule", NOTHING)

    def _text_fuel(self, region: str, process: str) -> str | None:
        return match_description("fuels", self.network.process_text.get((region, process), ""))

    # ------------------------------------------------------------------ sectors

    def demand_sector(self, region: str, commodity: str) -> Choice:
        """Return the sector of a demand commodity: by rule, by its unit, by its description."""
        node = (region, commodity)
        if node not in self._demand_sectors:
            self._demand_sectors[node] = self._find_demand_sector(region, commodity)
        return self._demand_sectors[node]

    def _find_demand_sector(self, region: str, commodity: str) -> Choice:
        if choice := self.ruled("sector", "commodity", region, commodity):
            return choice
        if units.is_distance(self.network.commodity_unit.get((region, commodity))):
            return Choice("Transport", "unit of the demand")
        text = self.network.commodity_text.get((region, commodity), "")
        name = match_description("sectors", text)
        if name:
            return Choice(name, "description of the demand")
        return Choice(OTHER_END_USE, "no rule", NOTHING)

    def _demand_sectors_of(self, region: str, demands: frozenset[str]) -> frozenset[str]:
        """Return the sectors of demand commodities; many processes lead to the same ones."""
        key = (region, demands)
        if key not in self._sectors_of:
            self._sectors_of[key] = frozenset(
                self.demand_sector(region, demand).group for demand in demands
            )
        return self._sectors_of[key]

    def sector(self, region: str, process: str) -> Choice:
        """Return the sector of a process: by rule, by set, else by the demands it leads to."""
        return self.choice("sector", region, process)

    def _find_sector(self, region: str, process: str) -> Choice:
        sets = self.network.process_sets.get((region, process), frozenset())
        if choice := _match_sets("sectors", sets):
            return choice
        sectors = self._demand_sectors_of(
            region, self.network.demands_downstream.get((region, process), frozenset())
        )
        if len(sectors) == 1:
            (sector,) = sectors
            origin = NOTHING if sector == OTHER_END_USE else DEFAULT
            return Choice(sector, "demand downstream", origin)
        if (region, process) in self.demand_processes:
            if sectors:
                return Choice(SHARED_SECTOR, "several demands downstream", NOTHING)
            return Choice(OTHER_END_USE, "no demand downstream", NOTHING)
        return Choice(SUPPLY_SECTOR, "no single demand sector downstream")

    def final_sector(self, region: str, process: str) -> str:
        """Return the sector that a process of final use counts under in final energy.

        Its own, as a rule. Distribution that serves several sectors may have been put on the side
        of supply; what it loses is final energy all the same, of the sector reached downstream: of
        several, that which takes most of what is handed on, over all years.
        """
        return self._final_sector((region, process), frozenset())

    def _final_sector(self, node: Node, above: frozenset[Node]) -> str:
        region, process = node
        own = self.sector(region, process).group
        if own != SUPPLY_SECTOR or node in above or not self._hands_on(region, process):
            return own
        taken: dict[str, tuple[float, int]] = {}
        for commodity in self.network.energy(region, process, OUT):
            for user in self.network.consumers.get((region, commodity), []):
                sector = self._final_sector((region, user), above | {node})
                amount, count = taken.get(sector, (0.0, 0))
                amount += self.network.amount[region, user, commodity, IN]
                taken[sector] = (amount, count + 1)
        taken.pop(SUPPLY_SECTOR, None)
        return max(taken, key=lambda sector: (taken[sector], sector), default=own)

    def _hands_on(self, region: str, process: str) -> bool:
        """Whether a process distributes one fuel, whatever it loses, and makes no other of it."""
        sides = [self.network.energy(region, process, side) for side in (IN, OUT)]
        fuels = {self.standard_fuel(region, commodity) for side in sides for commodity in side}
        return [len(side) for side in sides] == [1, 1] and len(fuels) == 1

    # ------------------------------------------------------------------ technologies

    def technology(self, region: str, process: str) -> Choice:
        """Return the technology of a process: by rule, its set, trade partner and main fuel."""
        return self.choice("technology", region, process)

    def _find_technology(self, region: str, process: str) -> Choice:
        sets = self.network.process_sets.get((region, process), frozenset())
        if process in DUMMY_IMPORTS:
            return Choice("Dummy import", "name")
        if self.network.is_trade(region, process):
            return Choice(self._trade(region, process), "trade partner")
        if self.network.is_storage(region, process):
            return Choice("Storage", "storage set")
        fuel = self._technology_fuel(region, process)
        heat_plant = f"{re.sub(' ?heat$', '', fuel, flags=re.IGNORECASE)} heat plant".strip()
        for name, label in (
            ("CHP", f"{fuel} CHP"),
            ("ELE", fuel),
            ("HPL", heat_plant[0].upper() + heat_plant[1:]),
        ):
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
