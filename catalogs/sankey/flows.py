"""What flows in one scenario and year, and the part that each process and commodity plays.

All of it comes from the derived tables ``flow_annual``, ``flow``, ``trade`` and ``boundary``: final
use and supply are those that the measures count, so that a Sankey agrees with the explorer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

from catalogs import units
from catalogs.compiling import CompiledQuery
from catalogs.errors import NotAvailableError, UnknownNameError
from catalogs.sankey import timeslices
from catalogs.sankey.kinds import ENERGY, USEFUL_ENERGY, kind_of
from catalogs.sankey.remembered import once
from catalogs.sankey.roles import Place, Role, roles_by_direction, roles_in_energy
from catalogs.source import Source

#: Flows below this share of the largest are the solver's rounding.
NOISE = 1e-9

#: Flows of the queries asked last, by Source: opening a node asks for the same flows again.
_kept: WeakKeyDictionary[Source, OrderedDict[SankeyQuery, EnergyFlows]] = WeakKeyDictionary()
_MOST_KEPT = 40
_lock = threading.Lock()


@dataclass(frozen=True)
class SankeyQuery:
    """What a Sankey is of.

    ``regions`` empty means all; ``timeslices`` empty the year, all levels added. ``flows_of`` is
    energy or another of ``kinds``, and ``unit`` one of its units. ``opened`` are ids of nodes that
    are shown as their members; ``most_nodes`` bounds the groups of a first picture.
    """

    scenario: str
    year: int
    regions: tuple[str, ...] = ()
    timeslices: tuple[str, ...] = ()
    unit: str = "PJ"
    opened: tuple[str, ...] = ()
    most_nodes: int = 60
    flows_of: str = ENERGY


@dataclass(frozen=True)
class Flow:
    """What a process takes (IN) or gives (OUT) of a commodity, in the unit asked for."""

    region: str
    process: str
    commodity: str
    direction: str
    value: float


@dataclass(frozen=True)
class EnergyFlows:
    """What flows in a query, energy as a rule, and what is known of those who take part.

    ``services`` is what processes give besides, by unit: no flow of this picture. ``demanded``
    are the sectors of commodities that are ends in themselves. ``left_out`` gives the amount of
    what is not energy by unit; ``turned`` lists flows that were negative and stand the other way
    round; ``noise`` counts those too small to mean anything. ``state`` is the state of the world
    shown of a scenario that has several; ``coarser`` the amount that is only known for longer
    than the timeslices asked for.
    """

    query: SankeyQuery
    flows: Sequence[Flow]
    roles: Mapping[Place, Role]
    fuels: Mapping[str, str]
    efficiency: Mapping[tuple[str, str], float]
    left_out: Mapping[str, float]
    turned: Sequence[Flow]
    noise: int
    state: str = ""
    services: Mapping[Place, Mapping[str, float]] = field(default_factory=dict)
    demanded: Mapping[str, str] = field(default_factory=dict)
    coarser: float = 0.0

    @cached_property
    def by_process(self) -> Mapping[Place, list[Flow]]:
        """The flows of each process in each region."""
        found: dict[Place, list[Flow]] = defaultdict(list)
        for flow in self.flows:
            found[flow.region, flow.process].append(flow)
        return dict(found)


def energy_flows(source: Source, query: SankeyQuery) -> EnergyFlows:
    """Read the flows of a query; those read last are kept, whatever is opened of them.

    Raises
    ------
    UnknownNameError
        The dataset has no such scenario, region or year.
    NotAvailableError
        Nothing that flows there is measured in a unit of energy.
    """
    _check(source, query)
    kept = _kept.setdefault(source, OrderedDict())
    key = replace(query, opened=(), most_nodes=0)
    with _lock:
        flows = kept.get(key)
        if flows is not None:
            kept.move_to_end(key)
    if flows is None:
        flows = _read(source, key)
        with _lock:
            kept[key] = flows
            while len(kept) > _MOST_KEPT:
                kept.popitem(last=False)
    return replace(flows, query=query)


def _read(source: Source, query: SankeyQuery) -> EnergyFlows:
    fuels: dict[str, str] = {}
    demanded: dict[str, str] = {}
    left_out: dict[str, float] = defaultdict(float)
    services: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    found: list[Flow] = []
    for row in _rows(source, query, query.timeslices):
        if kind_of(row.kind, row.unit) != query.flows_of:
            unit = row.unit or units.UNKNOWN_UNIT
            if row.direction == "OUT" and row.kind != ENERGY:
                services[row.region, row.process][unit] += row.value
            if row.kind != "demand":  # of a service the flow into its device is in the picture
                left_out[unit] += abs(row.value)
            continue
        fuels[row.commodity] = row.fuel
        if row.kind == "demand":
            demanded[row.commodity] = row.sector
        value = row.value * units.factor(row.unit, query.unit)
        found.append(Flow(row.region, row.process, row.commodity, row.direction, value))
    if not found:
        raise NotAvailableError(
            f"Nothing flows in {query.scenario} in {query.year} that is measured in"
            f" {query.flows_of}.",
            "Choose another year, region or timeslice, or give the commodities units."
            if query.flows_of == ENERGY
            else "Choose another year or region, or look at the flows of energy.",
        )
    least = NOISE * max(abs(flow.value) for flow in found)
    kept = [_forwards(flow) for flow in found if abs(flow.value) > least]
    if query.flows_of not in (ENERGY, USEFUL_ENERGY):
        labels = source.labels("commodity")
        fuels = {commodity: labels.get(commodity, commodity) for commodity in fuels}
    return EnergyFlows(
        query=query,
        flows=kept,
        roles=_roles(source, query, kept),
        fuels=fuels,
        efficiency=once(source, _efficiency, query.scenario, query.year),
        left_out=dict(left_out) if query.flows_of == ENERGY else {},
        turned=[flow for flow in found if flow.value < -least],
        noise=len(found) - len(kept),
        state=_state(source, query),
        services={place: dict(given) for place, given in services.items()},
        demanded=demanded,
        coarser=_coarser(source, query),
    )


def _roles(source: Source, query: SankeyQuery, flows: Sequence[Flow]) -> Mapping[Place, Role]:
    sides: dict[Place, set[str]] = defaultdict(set)
    for flow in flows:
        sides[flow.region, flow.process].add(flow.direction)
    where = (source, query.scenario, query.year, query.regions)
    if query.flows_of == ENERGY:
        return roles_in_energy(*where, sides)
    return roles_by_direction(*where, sides)


def _coarser(source: Source, query: SankeyQuery) -> float:
    """What flows of a picture of timeslices that is only known for longer than they are."""
    if not query.timeslices:
        return 0.0
    rows = _rows(source, query, timeslices.around(source, query.timeslices))
    return sum(
        abs(row.value) * units.factor(row.unit, query.unit)
        for row in rows
        if kind_of(row.kind, row.unit) == query.flows_of
    )


def flow_years(source: Source, scenario: str) -> tuple[int, ...]:
    """Return the years in which anything flows in a scenario; results may have others."""
    return tuple(once(source, _flow_years, scenario))


def _flow_years(source: Source, scenario: str) -> list[int]:
    rows = source.rows(
        "SELECT DISTINCT year FROM flow_annual WHERE scenario = ? ORDER BY year", [scenario]
    )
    return [year for (year,) in rows]


def _check(source: Source, query: SankeyQuery) -> None:
    for what, asked, known in (
        ("scenario", (query.scenario,), source.scenario_names),
        ("region", query.regions, source.regions),
        ("year", (query.year,), source.years),
    ):
        for value in asked:
            if value not in known:
                raise UnknownNameError(
                    f"This dataset has no {what} {value!r}.",
                    f"There are: {', '.join(map(str, known))}.",
                )


def _forwards(flow: Flow) -> Flow:
    """Turn a negative flow round: taking less than nothing is giving."""
    if flow.value >= 0:
        return flow
    other = "OUT" if flow.direction == "IN" else "IN"
    return Flow(flow.region, flow.process, flow.commodity, other, -flow.value)


class _Row(NamedTuple):
    region: str
    process: str
    commodity: str
    direction: str
    value: float
    unit: str
    kind: str
    fuel: str
    sector: str


def _rows(source: Source, query: SankeyQuery, chosen: Sequence[str]) -> list[_Row]:
    """What flows in a query's regions, added over timeslices: over all without any chosen."""
    asked = compiled(source, replace(query, timeslices=tuple(chosen)))
    return [_Row(*row) for row in source.rows(asked.sql, asked.parameters)]


def compiled(source: Source, query: SankeyQuery) -> CompiledQuery:
    """Return the SQL that a query's flows are read with: what each process takes and gives."""
    parameters: dict[str, object] = {"scenario": query.scenario, "year": query.year}
    conditions = ""
    if query.regions:
        parameters["regions"] = list(query.regions)
        conditions += " AND f.region IN (SELECT unnest($regions))"
    if state := _state(source, query):
        parameters["state"] = state
        conditions += " AND f.sow = $state"
    if query.timeslices:
        parameters["timeslices"] = list(query.timeslices)
        conditions += " AND f.timeslice IN (SELECT unnest($timeslices))"
    sql = f"""
SELECT f.region, f.process, f.commodity, f.direction, sum(f.value) AS value, f.unit,
    g.kind, g.fuel, coalesce(g.sector, '') AS sector
FROM {"flow" if query.timeslices else "flow_annual"} AS f
    JOIN commodity_group AS g USING (scenario, region, commodity)
WHERE f.scenario = $scenario AND f.year = $year AND g.kind <> 'emission'{conditions}
GROUP BY ALL
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters)


def _state(source: Source, query: SankeyQuery) -> str:
    """The state of the world that is shown: energy of several must not be added up."""
    return next(iter(source.states.get(query.scenario, ())), "")


def _efficiency(source: Source, scenario: str, year: int) -> Mapping[tuple[str, str], float]:
    """COM_IE by region and commodity: that of the latest year given until then, else the first."""
    rows = source.rows(
        "SELECT region, commodity, year, avg(value) FROM commodity_efficiency"
        " WHERE scenario = ? GROUP BY ALL ORDER BY year DESC",
        [scenario],
    )
    known: dict[tuple[str, str], float] = {}
    for region, commodity, since, value in rows:
        if since is None or since <= year:
            known.setdefault((region, commodity), value)
    for region, commodity, _, value in reversed(rows):
        known.setdefault((region, commodity), value)
    return known
