"""The network of processes and commodities of one scenario, small enough for plain Python.

A few thousand processes at most, whatever the number of result rows. Topology and flows
together: what may flow, and how much did over all years.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

import duckdb

from catalogs import units
from catalogs.tables import EXTERNAL_REGIONS

#: A process or commodity in a region.
Node = tuple[str, str]

IN, OUT = "IN", "OUT"

#: How near to one the ratio of output to input is for a process that only passes energy on.
PASS_THROUGH_TOLERANCE = 1e-3

#: Imports that a solver uses where a model has no other way out (DOMAIN: infeasible models).
DUMMY_IMPORTS = frozenset({"IMPNRGZ", "IMPMATZ", "IMPDEMZ", "DMZ"})

STORAGE_SETS = frozenset({"STG", "STS", "NST"})
DISTRIBUTION_SETS = frozenset({"DISTR"})
POWER_PLANT_SETS = frozenset({"ELE", "CHP"})
#: Plants turn one carrier into another even where a model has wind come out as much as it goes in.
PLANT_SETS = POWER_PLANT_SETS | {"HPL"}
ELECTRICITY_SETS = frozenset({"ELC", "ELC+"})


@dataclass
class Network:
    """Processes, commodities and what connects them, per region.

    ``amount`` is keyed by (region, process, commodity, direction) and holds the flow summed over
    all years, 0.0 where the topology allows a flow that never happens.
    """

    amount: dict[tuple[str, str, str, str], float]
    process_sets: dict[Node, frozenset[str]]
    commodity_sets: dict[Node, frozenset[str]]
    commodity_unit: dict[Node, str | None]
    process_text: dict[Node, str]
    commodity_text: dict[Node, str]
    external_side: dict[str, str] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> dict[Node, list[str]]:
        """Commodities that a process takes."""
        return self._sides(IN)

    @cached_property
    def outputs(self) -> dict[Node, list[str]]:
        """Commodities that a process gives."""
        return self._sides(OUT)

    def _sides(self, wanted: str) -> dict[Node, list[str]]:
        found: dict[Node, list[str]] = defaultdict(list)
        for region, process, commodity, direction in self.amount:
            if direction == wanted:
                found[region, process].append(commodity)
        return dict(found)

    @cached_property
    def consumers(self) -> dict[Node, list[str]]:
        """Processes that take a commodity."""
        return self._ends(IN)

    @cached_property
    def producers(self) -> dict[Node, list[str]]:
        """Processes that give a commodity."""
        return self._ends(OUT)

    def _ends(self, wanted: str) -> dict[Node, list[str]]:
        found: dict[Node, list[str]] = defaultdict(list)
        for region, process, commodity, direction in self.amount:
            if direction == wanted:
                found[region, commodity].append(process)
        return dict(found)

    @cached_property
    def processes(self) -> list[Node]:
        """All processes that may have flows, in a stable order."""
        return sorted({(region, process) for region, process, _, _ in self.amount})

    def is_trade(self, region: str, process: str) -> bool:
        """Whether a process moves commodities between regions or from and to the outside."""
        return "IRE" in self.process_sets.get((region, process), ()) or (
            process in self.external_side
        )

    def is_storage(self, region: str, process: str) -> bool:
        """Whether a process is a storage of any kind."""
        return bool(STORAGE_SETS & self.process_sets.get((region, process), frozenset()))

    def kind(self, region: str, commodity: str) -> str:
        """Return what a commodity is: demand, emission, energy, material or other.

        Energy is what has an energy unit and is no demand; the set NRG alone is not enough (it
        may hold passenger-kilometres).
        """
        node = region, commodity
        if node not in self._kinds:  # asked again and again, for the same few commodities
            self._kinds[node] = self._kind(node)
        return self._kinds[node]

    @cached_property
    def _kinds(self) -> dict[Node, str]:
        return {}

    def _kind(self, node: Node) -> str:
        sets = self.commodity_sets.get(node, frozenset())
        for name, kind in (("DEM", "demand"), ("ENV", "emission"), ("MAT", "material")):
            if name in sets:
                return kind
        return "energy" if units.is_energy(self.commodity_unit.get(node)) else "other"

    def is_electricity(self, region: str, commodity: str) -> bool:
        """Whether a commodity is electricity: in the set ELC (NRG_TMAP) or ELC+, or just before.

        A commodity that is only ever handed on, unchanged, as electricity is electricity as well:
        models name what an industry generates for itself apart, and type only the result.
        """
        return (region, commodity) in self._electricity

    @cached_property
    def _electricity(self) -> frozenset[Node]:
        found = {node for node, sets in self.commodity_sets.items() if ELECTRICITY_SETS & sets}
        growing = bool(found)
        while growing:
            before = {
                (region, commodity)
                for region, commodity in self.consumers.keys() - found
                if self._comes_from_power_plants(region, commodity)
                and all(
                    self.passes_through(region, p)
                    and (region, self.energy(region, p, OUT)[0]) in found
                    for p in self.consumers[region, commodity]
                )
            }
            found |= before
            growing = bool(before)
        return frozenset(found)

    def _comes_from_power_plants(self, region: str, commodity: str) -> bool:
        return self.kind(region, commodity) == "energy" and any(
            POWER_PLANT_SETS & self.process_sets.get((region, process), frozenset())
            for process in self.producers.get((region, commodity), [])
        )

    def energy(self, region: str, process: str, direction: str) -> list[str]:
        """Return the energy commodities that a process takes or gives."""
        return self._energy[direction].get((region, process), [])

    @cached_property
    def _energy(self) -> dict[str, dict[Node, list[str]]]:
        return {
            direction: {
                (region, process): [c for c in commodities if self.kind(region, c) == "energy"]
                for (region, process), commodities in side.items()
            }
            for direction, side in ((IN, self.inputs), (OUT, self.outputs))
        }

    @cached_property
    def demands_downstream(self) -> dict[Node, frozenset[str]]:
        """The demand commodities that each process leads to.

        The way down stops at power and heat plants and at trade, where everything mixes.
        """
        # Sets as the bits of a number, handed up from consumers to producers until none grows.
        number: dict[str, int] = {}
        reached: dict[Node, int] = dict.fromkeys(self.processes, 0)
        feeders: dict[Node, list[Node]] = {}
        for (region, process), commodities in self.outputs.items():
            node = (region, process)
            for commodity in commodities:
                kind = self.kind(region, commodity)
                if kind == "demand":
                    reached[node] |= 1 << number.setdefault(commodity, len(number))
                elif kind != "emission":
                    for consumer in self.consumers.get((region, commodity), []):
                        feeders.setdefault((region, consumer), []).append(node)
        leading = {node for node in reached if self._leads_on(node)}
        waiting = [node for node, bits in reached.items() if bits]
        while waiting:
            node = waiting.pop()
            if node not in leading:
                continue
            bits = reached[node]
            for feeder in feeders.get(node, []):
                if bits & ~reached[feeder]:
                    reached[feeder] |= bits
                    waiting.append(feeder)
        names = list(number)
        sets = {bits: _chosen_by(bits, names) for bits in set(reached.values())}
        return {node: sets[bits] for node, bits in reached.items()}

    def _leads_on(self, node: Node) -> bool:
        sets = self.process_sets.get(node, frozenset())
        return not (sets & PLANT_SETS) and not self.is_trade(*node)

    def passes_through(self, region: str, process: str) -> bool:
        """Whether a process only hands energy on: one in, one out, and as much out as in.

        A process in the set DISTR does so whatever it loses on the way.
        """
        taken, given = (self.energy(region, process, side) for side in (IN, OUT))
        sets = self.process_sets.get((region, process), frozenset())
        if len(taken) != 1 or len(given) != 1 or sets & (STORAGE_SETS | PLANT_SETS):
            return False
        if DISTRIBUTION_SETS & sets:
            return True
        amount_in = self.amount[region, process, taken[0], IN]
        amount_out = self.amount[region, process, given[0], OUT]
        return amount_in > 0 and abs(amount_out / amount_in - 1) < PASS_THROUGH_TOLERANCE


def _chosen_by(bits: int, names: list[str]) -> frozenset[str]:
    return frozenset(name for place, name in enumerate(names) if bits >> place & 1)


def load_network(connection: duckdb.DuckDBPyConnection) -> Network:
    """Read the network of a scenario from its canonical tables."""
    amount: dict[tuple[str, str, str, str], float] = {}
    rows = connection.execute(
        "SELECT region, process, commodity, direction, 0.0 FROM topology"
        " WHERE list_contains(?, region) = false"
        " UNION ALL SELECT region, process, commodity, direction, sum(value) FROM flow_annual"
        " GROUP BY ALL ORDER BY ALL",
        [list(EXTERNAL_REGIONS)],
    ).fetchall()
    for region, process, commodity, direction, value in rows:
        key = (region, process, commodity, direction)
        amount[key] = amount.get(key, 0.0) + value
    return Network(
        amount=amount,
        process_sets=_sets(connection, "process"),
        commodity_sets=_sets(connection, "commodity"),
        commodity_unit=_texts(connection, "commodity", "unit"),
        process_text={k: v or "" for k, v in _texts(connection, "process", "description").items()},
        commodity_text={
            k: v or "" for k, v in _texts(connection, "commodity", "description").items()
        },
        external_side=_external_sides(connection),
    )


def _sets(connection: duckdb.DuckDBPyConnection, dimension: str) -> dict[Node, frozenset[str]]:
    found: dict[Node, set[str]] = defaultdict(set)
    for region, item, name in connection.execute(
        f"SELECT region, {dimension}, set_name FROM {dimension}_set"
    ).fetchall():
        found[region, item].add(name)
    return {node: frozenset(names) for node, names in found.items()}


def _texts(
    connection: duckdb.DuckDBPyConnection, table: str, column: str
) -> dict[Node, str | None]:
    rows = connection.execute(f"SELECT region, {table}, {column} FROM {table}").fetchall()
    return {(region, item): text for region, item, text in rows}


def _external_sides(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the pseudo-region that a process trades with; '' for trade between regions."""
    rows = connection.execute(
        "SELECT process, max(CASE WHEN list_contains($external, region_from) THEN region_from"
        " WHEN list_contains($external, region_to) THEN region_to ELSE '' END)"
        " FROM trade_link GROUP BY process",
        {"external": list(EXTERNAL_REGIONS)},
    ).fetchall()
    return dict(rows)
