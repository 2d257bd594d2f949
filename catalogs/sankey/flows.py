"""What flows in one scenario and year, and the part that each process and commodity plays.

All of it comes from the derived tables ``flow_annual``, ``flow``, ``trade`` and ``boundary``: final
use and supply are those that the measures count, so that a Sankey agrees with the explorer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from catalogs import units
from catalogs.errors import NotAvailableError, UnknownNameError
from catalogs.source import Source

#: Flows below this share of the largest are the solver's rounding.
NOISE = 1e-9

#: Parts that a process plays, in the order in which energy passes them.
SUPPLY = "supply"
CONVERSION = "conversion"
STORAGE = "storage"
TRADE = "trade"
FINAL = "final"
EXPORT = "export"

#: Names of supply and export by the part that the measure "primary energy" counts them under.
_PRIMARY = {
    "Domestic": (SUPPLY, "Domestic resources"),
    "Imports": (SUPPLY, "Imports"),
    "Dummy imports": (SUPPLY, "Dummy imports"),
    "Exports": (EXPORT, "Exports"),
}
_SAVINGS = (SUPPLY, "Energy savings")

#: A process in a region.
Place = tuple[str, str]

#: What has been read of a Source and does not depend on a visitor; goes with it.
_known: WeakKeyDictionary[Source, dict[Hashable, Any]] = WeakKeyDictionary()
#: Flows of the queries asked last, by Source: opening a node asks for the same flows again.
_kept: WeakKeyDictionary[Source, OrderedDict[SankeyQuery, EnergyFlows]] = WeakKeyDictionary()
_MOST_KEPT = 40
_lock = threading.Lock()


@dataclass(frozen=True)
class SankeyQuery:
    """What a Sankey is of.

    ``regions`` and ``timeslices`` empty mean all. ``unit`` is a unit of energy. ``opened`` are ids
    of nodes that are shown as their members; ``most_nodes`` bounds the groups of a first picture.
    """

    scenario: str
    year: int
    regions: tuple[str, ...] = ()
    timeslices: tuple[str, ...] = ()
    unit: str = "PJ"
    opened: tuple[str, ...] = ()
    most_nodes: int = 60


@dataclass(frozen=True)
class Role:
    """The part of a process: what it does, the group it is shown under, and its members' group."""

    part: str
    group: str
    inner: str


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
    """The flows of energy of a query, and what is known of those who take part.

    ``left_out`` gives the amount of what is not energy by unit; ``turned`` lists flows that were
    negative and stand the other way round; ``noise`` counts those too small to mean anything.
    ``state`` is the state of the world shown of a scenario that has several.
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
    left_out: dict[str, float] = defaultdict(float)
    found: list[Flow] = []
    for region, process, commodity, direction, value, unit, kind, fuel in _rows(source, query):
        if kind != "energy" or not units.is_energy(unit):
            if kind != "demand":  # a service: the flow into its device is in the picture
                left_out[unit or units.UNKNOWN_UNIT] += abs(value)
            continue
        fuels[commodity] = fuel
        factor = units.factor(unit, query.unit)
        found.append(Flow(region, process, commodity, direction, value * factor))
    if not found:
        raise NotAvailableError(
            f"Nothing flows in {query.scenario} in {query.year} that is measured in energy.",
            "Choose another year or region, or give the commodities units of energy.",
        )
    least = NOISE * max(abs(flow.value) for flow in found)
    kept = [flow for flow in found if abs(flow.value) > least]
    turned = [flow for flow in kept if flow.value < 0]
    return EnergyFlows(
        query=query,
        flows=[_forwards(flow) for flow in kept],
        roles=_roles(source, query, {(flow.region, flow.process) for flow in kept}),
        fuels=fuels,
        efficiency=_once(source, _efficiency, query.scenario, query.year),
        left_out=dict(left_out),
        turned=turned,
        noise=len(found) - len(kept),
        state=_state(source, query),
    )


def flow_years(source: Source, scenario: str) -> tuple[int, ...]:
    """Return the years in which anything flows in a scenario; results may have others."""
    return tuple(_once(source, _flow_years, scenario))


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


def _rows(
    source: Source, query: SankeyQuery
) -> list[tuple[str, str, str, str, float, str, str, str]]:
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
    table = "flow" if query.timeslices else "flow_annual"
    return source.rows(
        f"""
        SELECT f.region, f.process, f.commodity, f.direction, sum(f.value), f.unit, g.kind, g.fuel
        FROM {table} AS f JOIN commodity_group AS g USING (scenario, region, commodity)
        WHERE f.scenario = $scenario AND f.year = $year AND g.kind <> 'emission'{conditions}
        GROUP BY ALL ORDER BY ALL""",
        parameters,
    )


def _state(source: Source, query: SankeyQuery) -> str:
    """The state of the world that is shown: energy of several must not be added up."""
    return next(iter(source.states.get(query.scenario, ())), "")


# ---------------------------------------------------------------------- parts


def _roles(source: Source, query: SankeyQuery, places: Iterable[Place]) -> Mapping[Place, Role]:
    known = _once(source, _known_roles, query.scenario)
    partners = _partners(source, query)
    return {
        place: partners.get(place) or known.get(place, Role(CONVERSION, "Other conversion", ""))
        for place in places
    }


def _once(source: Source, read: Callable[..., Any], *arguments: Hashable) -> Any:
    """Read something of a Source the first time that it is asked for."""
    kept = _known.setdefault(source, {})
    key = (read.__name__, *arguments)
    if key not in kept:
        kept[key] = read(source, *arguments)
    return kept[key]


def _known_roles(source: Source, scenario: str) -> Mapping[Place, Role]:
    """The part of every process of a scenario, whatever the year."""
    roles: dict[Place, Role] = {}
    for region, process, technology, fuel in source.rows(
        "SELECT region, process, technology, fuel FROM process_group WHERE scenario = ?",
        [scenario],
    ):
        roles[region, process] = Role(CONVERSION, technology, fuel)
    for region, process, sector, technology, part in source.rows(
        # Their own technology: a boundary may count what a process hands on under its user's.
        "SELECT DISTINCT b.region, b.process, b.sector, g.technology, b.part FROM boundary AS b"
        " JOIN process_group AS g USING (scenario, region, process)"
        " WHERE scenario = ? AND boundary = 'final' ORDER BY ALL",
        [scenario],
    ):
        saved = part == "savings"
        roles[region, process] = (
            Role(*_SAVINGS, sector) if saved else Role(FINAL, sector, technology)
        )
    for region, process, fuel, part in source.rows(
        "SELECT region, process, any_value(fuel ORDER BY fuel), any_value(part ORDER BY part)"
        " FROM boundary WHERE scenario = ? AND boundary = 'primary' GROUP BY ALL",
        [scenario],
    ):
        does, group = _PRIMARY.get(part, (SUPPLY, part))
        roles[region, process] = Role(does, group, fuel)
    for region, process in source.rows(
        "SELECT region, process FROM storage WHERE scenario = ?", [scenario]
    ):
        technology = roles[region, process].group if (region, process) in roles else ""
        roles[region, process] = Role(STORAGE, "Storage", technology)
    return roles


def _partners(source: Source, query: SankeyQuery) -> Mapping[Place, Role]:
    """The part of trade between regions: inside the picture, or with those who are not in it."""
    shown = set(query.regions or source.regions)
    roles: dict[Place, Role] = {}
    for process, region_from, region_to in _once(source, _links, query.scenario, query.year):
        if region_from in shown and region_to in shown:
            roles[region_from, process] = roles[region_to, process] = Role(
                TRADE, "Trade between regions", ""
            )
        elif region_from in shown:
            roles[region_from, process] = Role(EXPORT, "Exports", f"To {region_to}")
        elif region_to in shown:
            roles[region_to, process] = Role(SUPPLY, "Imports", f"From {region_from}")
    return roles


def _links(source: Source, scenario: str, year: int) -> list[tuple[str, str, str]]:
    """Trade between two regions that have results: process, from and to."""
    return source.rows(
        "WITH own AS (SELECT region FROM region WHERE scenario = $scenario AND kind = 'internal')"
        " SELECT DISTINCT process, region_from, region_to FROM trade"
        " WHERE scenario = $scenario AND year = $year AND region_from IN (FROM own)"
        " AND region_to IN (FROM own) ORDER BY ALL",
        {"scenario": scenario, "year": year},
    )


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
