"""Boundaries: which flows and processes each measure counts (the sums that mean something).

The energy of one fuel passes from supply through conversion to use, so that a sum over all
processes counts it several times. A boundary lists, per region, the flows that cross one cut of
the system, each with its sign. It is worked out once, at import, from sets, topology and flows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from catalogs import carriers, emissions
from catalogs.groups import Classifier
from catalogs.network import DUMMY_IMPORTS, ELECTRICITY_SETS, IN, OUT, Network, Node, load_network
from catalogs.readers.base import report
from catalogs.rules import RuleBook

#: Trade whose other side is not told: it may be outside, or another region of the model.
UNKNOWN_PARTNER = "Unknown partner"

#: Boundaries whose flows count under the fuel of their process, not of what flows.
FUEL_OF_PROCESS = frozenset({"generation", "emissions"})

#: Boundaries of final use: whatever is lost there is some demand sector's.
IN_FINAL_USE = frozenset({"final", "savings"})

#: A process, a region, a commodity there, and which way it flows.
Side = tuple[str, str, str, str]


@dataclass(frozen=True)
class Counted:
    """A flow that a boundary counts ``factor`` times, as ``part`` of the measure."""

    boundary: str
    region: str
    process: str
    commodity: str
    direction: str
    factor: float
    part: str
    partner: str | None = None


def demand_side(network: Network) -> frozenset[Node]:
    """Return the processes of final use.

    The set DMD, and every other process (PRE) all of whose energy outputs are used only by
    processes already in, unless it merely passes energy on; repeated until nothing changes. So a
    household boiler belongs to final use even where it feeds a further device.
    """
    inside = {node for node in network.processes if "DMD" in network.process_sets.get(node, ())}
    candidates = [
        node
        for node in network.processes
        if node not in inside and _may_be_demand_side(network, node)
    ]
    changed = True
    while changed:
        joining = [node for node in candidates if _feeds_only(network, node, inside)]
        inside.update(joining)
        candidates = [node for node in candidates if node not in inside]
        changed = bool(joining)
    return frozenset(inside)


def _may_be_demand_side(network: Network, node: Node) -> bool:
    region, process = node
    sets = network.process_sets.get(node, frozenset())
    return (
        "PRE" in sets
        and not network.is_trade(region, process)
        and not network.passes_through(region, process)
        and bool(network.energy(region, process, OUT))
    )


def _feeds_only(network: Network, node: Node, inside: set[Node]) -> bool:
    region, process = node
    consumers = {
        (region, consumer)
        for commodity in network.energy(region, process, OUT)
        for consumer in network.consumers.get((region, commodity), [])
    }
    return bool(consumers) and consumers <= inside


def final_energy(network: Network, inside: frozenset[Node]) -> Iterator[Counted]:
    """Yield what final use takes, less what it hands on within itself.

    Processes of final use without any input are savings: what they give is taken off as well,
    and counted apart under ``savings``.
    """
    for region, process in sorted(inside):
        is_saving = not network.inputs.get((region, process))
        for commodity in network.energy(region, process, IN):
            yield Counted("final", region, process, commodity, IN, 1.0, "use")
        for commodity in network.energy(region, process, OUT):
            part = "savings" if is_saving else "use"
            yield Counted("final", region, process, commodity, OUT, -1.0, part)
            if is_saving:
                yield Counted("savings", region, process, commodity, OUT, 1.0, part)


def generation(network: Network) -> Iterator[Counted]:
    """Yield the electricity of processes that take none and neither store nor trade it."""
    for region, process in network.processes:
        takes = any(
            network.is_electricity(region, c) for c in network.inputs.get((region, process), [])
        )
        if takes or network.is_trade(region, process) or network.is_storage(region, process):
            continue
        for commodity in network.outputs.get((region, process), []):
            if network.is_electricity(region, commodity):
                yield Counted("generation", region, process, commodity, OUT, 1.0, "generation")


def primary_energy(
    network: Network, inside: frozenset[Node], classifier: Classifier
) -> Iterator[Counted]:
    """Yield extraction, imports and input-less production less exports.

    Direct equivalent where the model gives wind and sun one to one. Trade between the model's own
    regions is no primary energy; trade whose partner is not told is a part of its own.
    """
    for region, process in network.processes:
        trades = network.is_trade(region, process)
        is_source = not network.energy(region, process, IN) and (region, process) not in inside
        side = network.external_side.get(process, UNKNOWN_PARTNER) if trades else "MINRNW"
        if not side:
            continue
        if trades or (is_source and not network.is_storage(region, process)):
            for commodity in network.energy(region, process, OUT):
                fuel = classifier.standard_fuel(region, commodity)
                part = _origin(process, side, fuel, commodity)
                yield Counted("primary", region, process, commodity, OUT, 1.0, part)
        if trades:
            part = UNKNOWN_PARTNER if side == UNKNOWN_PARTNER else "Exports"
            for commodity in network.energy(region, process, IN):
                yield Counted("primary", region, process, commodity, IN, -1.0, part)


def _origin(process: str, side: str, fuel: str, commodity: str) -> str:
    if process in DUMMY_IMPORTS:
        return "Dummy imports"
    if _is_domestic(side, fuel, commodity):
        return "Domestic"
    return UNKNOWN_PARTNER if side == UNKNOWN_PARTNER else "Imports"


def _is_domestic(side: str, fuel: str, commodity: str) -> bool:
    """Whether a carrier is a country's own: extracted, or ambient by ``semantics/carriers.csv``."""
    return side == "MINRNW" or carriers.is_ambient(commodity, fuel)


def demands(network: Network) -> Iterator[Counted]:
    """Yield what is produced of the demand commodities."""
    for region, process in network.processes:
        for commodity in network.outputs.get((region, process), []):
            if network.kind(region, commodity) == "demand":
                yield Counted("demand", region, process, commodity, OUT, 1.0, "demand")


def trade(
    network: Network, classifier: Classifier, partners: Mapping[Side, str]
) -> Iterator[Counted]:
    """Yield what regions receive less what they send, with the partner where it is told.

    Extraction and ambient carriers are no trade. Over all regions trade between them nets, but
    for what is lost on the way.
    """
    for region, process in network.processes:
        if not network.is_trade(region, process) or process in DUMMY_IMPORTS:
            continue
        side = network.external_side.get(process, UNKNOWN_PARTNER)
        for direction, part, factor in ((OUT, "Imports", 1.0), (IN, "Exports", -1.0)):
            for commodity in network.energy(region, process, direction):
                fuel = classifier.standard_fuel(region, commodity)
                if _is_domestic(side, fuel, commodity):
                    continue
                known = partners.get((process, region, commodity, direction))
                partner = "World market" if side == "IMPEXP" else known or UNKNOWN_PARTNER
                yield Counted("trade", region, process, commodity, direction, factor, part, partner)


def storage_losses(network: Network) -> Iterator[Counted]:
    """Yield what storages take less what they give: over a year, their losses."""
    for region, process in network.processes:
        if network.is_storage(region, process):
            for commodity in network.energy(region, process, IN):
                yield Counted("storage", region, process, commodity, IN, 1.0, "Charged")
            for commodity in network.energy(region, process, OUT):
                yield Counted("storage", region, process, commodity, OUT, -1.0, "Discharged")


def dummy_imports(network: Network) -> Iterator[Counted]:
    """Yield what dummy imports supply, where they supply anything: an infeasible model."""
    for (region, process, commodity, direction), value in network.amount.items():
        if process in DUMMY_IMPORTS and direction == OUT and value > 0:
            yield Counted("dummy", region, process, commodity, OUT, 1.0, "Dummy imports")


# ---------------------------------------------------------------------------- into the tables


def classify(connection: duckdb.DuckDBPyConnection, rules: RuleBook) -> Classifier:
    """Return what gives the processes and commodities of a scenario their groups."""
    network = load_network(connection)
    return Classifier(network, demand_side(network), rules)


def build_boundaries(connection: duckdb.DuckDBPyConnection, classifier: Classifier) -> None:
    """Fill ``process_group``, ``commodity_group`` and ``boundary``."""
    network, inside = classifier.network, classifier.demand_processes
    aggregation = connection.execute(
        "SELECT parent, child, max(coalesce(factor, 1)) FROM commodity_aggregation GROUP BY ALL"
        " ORDER BY ALL"
    ).fetchall()
    accounts = emissions.emission_accounts(network, aggregation)
    counted = [
        *final_energy(network, inside),
        *generation(network),
        *primary_energy(network, inside, classifier),
        *demands(network),
        *trade(network, classifier, _partners(connection)),
        *storage_losses(network),
        *dummy_imports(network),
        *(
            Counted(account.boundary, *flow)
            for account in accounts
            for flow in emissions.counted(network, account)
        ),
    ]
    _store_groups(connection, network, classifier)
    _store_boundaries(connection, network, counted, classifier)
    _store_capacity_boundary(connection)
    emissions.report_accounts(connection, accounts)
    _report_what_is_missing(connection, network)


def _store_groups(
    connection: duckdb.DuckDBPyConnection, network: Network, classifier: Classifier
) -> None:
    rows = []
    for region, process in network.processes:
        sector = classifier.sector(region, process)
        technology = classifier.technology(region, process)
        fuel = classifier.process_fuel(region, process)
        rows.append(
            (
                region,
                process,
                sector.group,
                sector.rule,
                technology.group,
                technology.rule,
                fuel.group,
                fuel.rule,
            )
        )
    _insert(connection, "process_group", rows)
    commodities = sorted(
        network.commodity_unit.keys() | network.producers.keys() | network.consumers.keys()
    )
    named = []
    for region, commodity in commodities:
        kind = network.kind(region, commodity)
        fuel = classifier.fuel(region, commodity)
        demand_sector = (
            classifier.demand_sector(region, commodity).group if kind == "demand" else None
        )
        named.append(
            (
                region,
                commodity,
                kind,
                network.is_electricity(region, commodity),
                fuel.group,
                fuel.rule,
                demand_sector,
            )
        )
    _insert(connection, "commodity_group", named)


def _store_boundaries(
    connection: duckdb.DuckDBPyConnection,
    network: Network,
    counted: list[Counted],
    classifier: Classifier,
) -> None:
    rows = []
    for c in counted:
        fuel = classifier.fuel(c.region, c.commodity).group
        if c.boundary.split()[0] in FUEL_OF_PROCESS:
            fuel = classifier.process_fuel(c.region, c.process).group
        if c.boundary == "demand":
            sector = classifier.demand_sector(c.region, c.commodity).group
        elif c.boundary in IN_FINAL_USE:
            sector = classifier.final_sector(c.region, c.process)
        else:
            sector = classifier.sector(c.region, c.process).group
        technology = _technology(c, classifier)
        unit = network.commodity_unit.get((c.region, c.commodity))
        rows.append(
            (
                c.boundary,
                c.region,
                c.process,
                c.commodity,
                c.direction,
                c.factor,
                unit,
                c.part,
                sector,
                fuel,
                technology,
                c.partner,
            )
        )
    _insert(connection, "boundary", rows)


def _technology(counted: Counted, classifier: Classifier) -> str:
    """Return the technology that a flow counts under.

    A boiler hands its heat to a building within final use: taken off the boiler, it would leave a
    small or negative rest there, and all the energy with the building. It is taken off the
    building's own heat instead, where all its users are of one technology and of the boiler's
    sector (what serves several sectors is a pipe). The sum over technologies is the same.
    """
    region, process = counted.region, counted.process
    own = classifier.technology(region, process).group
    is_handed_on = (counted.boundary, counted.direction) == ("final", OUT)
    if not is_handed_on or classifier.standard_fuel(region, counted.commodity) != "Heat":
        return own
    users = {(region, p) for p in classifier.network.consumers.get((region, counted.commodity), [])}
    technologies = {classifier.technology(*user).group for user in users}
    sectors = {classifier.sector(*user).group for user in users}
    if len(technologies) != 1 or not users <= classifier.demand_processes:
        return own
    return technologies.pop() if sectors == {classifier.sector(region, process).group} else own


def _partners(connection: duckdb.DuckDBPyConnection) -> dict[Side, str]:
    """Return the partner of each side of a trade that has one alone."""
    rows = connection.execute(
        """
        SELECT process, region_to, commodity_to, 'OUT', any_value(region_from) FROM trade_link
        GROUP BY ALL HAVING count(DISTINCT region_from) = 1
        UNION ALL
        SELECT process, region_from, commodity_from, 'IN', any_value(region_to) FROM trade_link
        GROUP BY ALL HAVING count(DISTINCT region_to) = 1
        """
    ).fetchall()
    return {(process, region, c, side): partner for process, region, c, side, partner in rows}


def _store_capacity_boundary(connection: duckdb.DuckDBPyConnection) -> None:
    """Count the capacity of every process that may generate electricity, once."""
    connection.execute(
        """
        INSERT INTO boundary
        SELECT DISTINCT 'generation capacity', b.region, b.process, '-', '-', 1.0,
            p.capacity_unit, 'capacity', b.sector, b.fuel, b.technology, NULL
        FROM boundary AS b JOIN process AS p USING (region, process)
        WHERE b.boundary = 'generation' ORDER BY ALL
        """
    )


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert rows column by column (``executemany`` is a hundred times slower)."""
    if not rows:
        return
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    columns = {
        name: list(cells)
        for (name, *_), cells in zip(described, zip(*rows, strict=True), strict=True)
    }
    connection.register("new_rows", pa.table(columns))
    connection.execute(f"INSERT INTO {table} BY NAME FROM new_rows")
    connection.unregister("new_rows")


def _report_what_is_missing(connection: duckdb.DuckDBPyConnection, network: Network) -> None:
    unknown = sum(unit is None for unit in network.commodity_unit.values())
    if unknown:
        report(
            connection,
            "warning",
            "units",
            "commodities have no unit: totals that need it are refused until a unit table beside"
            " the files names it",
            count=unknown,
        )
    electricity = any(ELECTRICITY_SETS & sets for sets in network.commodity_sets.values())
    if not electricity and network.commodity_unit:
        report(
            connection,
            "warning",
            "sets",
            "no commodity is in the set ELC (NRG_TMAP) or ELC+: generation cannot be told",
        )
    dummies = [
        (region, process, value)
        for (region, process, _, direction), value in network.amount.items()
        if process in DUMMY_IMPORTS and direction == OUT and value > 0
    ]
    for region, process, value in dummies:
        report(
            connection,
            "warning",
            "dummy import",
            f"{process} supplies {value:.4g} in {region}: a sign of an infeasible model",
        )
