"""What follows from the results as read: units, flows, trade and prices.

All of it is SQL inside the scenario's own DuckDB file, so that millions of rows never pass
through Python.
"""

from __future__ import annotations

import re
from collections import defaultdict

import duckdb

from catalogs import codes, semantics
from catalogs.readers.base import report
from catalogs.tables import EXTERNAL_REGIONS

#: Activity units whose capacity unit follows from PRC_CAPACT: activity of one unit of capacity
#: running all year (8,760 h).
_CAPACITY_UNITS = {
    ("pj", 31.536): "GW",
    ("pj", 0.031536): "MW",
    ("pj", 1.0): "PJa",
    ("tj", 31.536): "MW",
    ("twh", 8.76): "GW",
    ("gwh", 8.76): "MW",
    ("gwh", 8760.0): "GW",
    ("mwh", 8760.0): "MW",
}

_TRADE_NAME = re.compile(r"^T(?P<kind>[BU])_(?P<rest>.+?)(?:_\d+)?$")


#: Process, region and commodity it comes from, region and commodity it goes to, who says so.
Link = tuple[str, str, str, str, str, str]


def infer_capacity_units(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill capacity units that PRC_CAPACT and the activity unit leave no doubt about."""
    for (activity_unit, factor), unit in _CAPACITY_UNITS.items():
        connection.execute(
            "UPDATE process SET capacity_unit = $unit, capacity_unit_source = 'inferred'"
            " WHERE capacity_unit IS NULL AND lower(activity_unit) = $activity_unit"
            " AND abs(capacity_to_activity / $factor - 1) < 1e-6",
            {"unit": unit, "activity_unit": activity_unit, "factor": factor},
        )


def build_flows(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``flow`` and ``flow_annual``; processes ``-`` are aggregates and left out."""
    states = _states_of_the_world(connection)
    if len(states) > 1:
        report(
            connection,
            "warning",
            "stochastic",
            "a stochastic run: states of the world are shown apart, or weighted by the"
            f" probabilities given for them (states: {', '.join(states[:6])})",
            count=len(states),
        )
    codes.make(connection, {"direction": ("IN", "OUT")})
    direction = codes.type_of("direction")
    connection.execute(
        f"""
        CREATE TABLE coded_flow AS
        SELECT sow, year, timeslice, region, process, commodity,
            if(attribute = 'VAR_FIn', 'IN', 'OUT')::{direction} AS direction,
            sum(value) AS value, any_value(unit) AS unit
        FROM coded_result
        WHERE attribute IN ('VAR_FIn', 'VAR_FOut') AND process <> '-' AND year IS NOT NULL
            AND isfinite(value)
        GROUP BY ALL
        ORDER BY commodity, process, direction, region, year, timeslice, sow;

        CREATE TABLE coded_flow_annual AS
        SELECT sow, year, region, process, commodity, direction, sum(value) AS value,
            any_value(unit) AS unit
        FROM coded_flow GROUP BY ALL ORDER BY commodity, process, direction, region, year, sow
        """
    )
    for table in ("flow", "flow_annual"):
        codes.show_as_text(connection, table)


def _states_of_the_world(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the states of the world that have flows."""
    rows = connection.execute(
        "SELECT DISTINCT sow FROM coded_result WHERE attribute IN ('VAR_FIn', 'VAR_FOut')"
        " ORDER BY sow"
    ).fetchall()
    return [str(sow) for (sow,) in rows]


# ---------------------------------------------------------------------------- trade


def complete_trade_links(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to ``trade_link`` what the topology, else the process's name, tells of partners.

    Links that a file names (TOP_IRE) win; then the two sides of a process in the topology; then
    the pseudo-region whose set it is in (the world market, resources); then a name such as
    ``TB_ELC_DKE_DKW_01``.
    """
    rows = connection.execute("SELECT DISTINCT process FROM trade_link").fetchall()
    known = {process for (process,) in rows}
    internal = [
        region
        for (region,) in connection.execute(
            "SELECT region FROM region WHERE kind = 'internal'"
        ).fetchall()
    ]
    trading = [
        process
        for (process,) in connection.execute(
            "SELECT DISTINCT process FROM process_set WHERE set_name = 'IRE'"
        ).fetchall()
        if process not in known
    ]
    sides: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for process, region, commodity, direction in connection.execute(
        "SELECT process, region, commodity, direction FROM topology WHERE process IN ?", [trading]
    ).fetchall():
        sides[process].append((region, commodity, direction))
    external: dict[str, set[str]] = defaultdict(set)
    for process, region in connection.execute(
        "SELECT process, region FROM process_set WHERE set_name = 'IRE' AND region IN ?",
        [list(EXTERNAL_REGIONS)],
    ).fetchall():
        external[process].add(region)
    links: list[Link] = []
    for process in trading:
        links += (
            _links_of_topology(process, sides[process])
            or _links_of_external(process, sides[process], external[process])
            or _links_of_name(process, sides[process], internal)
        )
    if links:
        connection.executemany("INSERT INTO trade_link VALUES (?, ?, ?, ?, ?, ?)", links)


def _links_of_topology(process: str, sides: list[tuple[str, str, str]]) -> list[Link]:
    """Pair the regions where a process takes a commodity with those where it gives one.

    A pair counts where one of its ends has no other possible partner.
    """
    taking = [(region, commodity) for region, commodity, direction in sides if direction == "IN"]
    giving = [(region, commodity) for region, commodity, direction in sides if direction == "OUT"]
    pairs = [(a, b) for a in taking for b in giving if a[0] != b[0] and _same_good(a, b, taking)]
    return [
        (process, a[0], a[1], b[0], b[1], "topology")
        for a, b in pairs
        if sum(x == a for x, _ in pairs) == 1 or sum(y == b for _, y in pairs) == 1
    ]


def _links_of_external(
    process: str, sides: list[tuple[str, str, str]], external: set[str]
) -> list[Link]:
    """Pair a process's regions with the one pseudo-region that has it in its sets."""
    if len(external) != 1:
        return []
    (outside,) = external
    return [
        (process, outside, commodity, region, commodity, "process set")
        if direction == "OUT"
        else (process, region, commodity, outside, commodity, "process set")
        for region, commodity, direction in sides
    ]


def _same_good(a: tuple[str, str], b: tuple[str, str], taking: list[tuple[str, str]]) -> bool:
    """Whether the commodity given may be the one taken: the same, or nothing else is on offer."""
    return a[1] == b[1] or all(commodity != b[1] for _, commodity in taking)


def _links_of_name(
    process: str, sides: list[tuple[str, str, str]], internal: list[str]
) -> list[Link]:
    """Read the partners off a name ``TB_<commodity>_<region>_<region>_<nn>`` (TU: one way)."""
    match = _TRADE_NAME.match(process)
    if not match:
        return []
    for region_from in internal:
        for region_to in internal:
            ending = f"_{region_from}_{region_to}"
            if region_from == region_to or not match["rest"].endswith(ending):
                continue
            good = match["rest"].removesuffix(ending)
            commodity = _commodity_of(good, sides)
            one_way = (process, region_from, commodity, region_to, commodity, "process name")
            other = (process, region_to, commodity, region_from, commodity, "process name")
            return [one_way] if match["kind"] == "U" else [one_way, other]
    return []


def _commodity_of(good: str, sides: list[tuple[str, str, str]]) -> str:
    commodities = {commodity for _, commodity, _ in sides}
    return commodities.pop() if len(commodities) == 1 else good


def build_trade(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``trade``: what is sent and received over each link, with where its partner is from.

    The exporter has the flow IN and the importer the flow OUT of the same process. A side whose
    partner is not told for certain stays with an unknown (NULL) partner.
    """
    complete_trade_links(connection)
    connection.execute(
        """
        INSERT INTO trade
        WITH trading AS (
            SELECT process FROM process_set WHERE set_name = 'IRE'
            UNION SELECT process FROM trade_link
        ), link_from AS (
            SELECT process, region_from, commodity_from, any_value(region_to) AS region_to,
                any_value(commodity_to) AS commodity_to, any_value(link_source) AS link_source
            FROM trade_link GROUP BY ALL HAVING count(DISTINCT region_to) = 1
        ), link_to AS (
            SELECT process, region_to, commodity_to, any_value(region_from) AS region_from,
                any_value(commodity_from) AS commodity_from, any_value(link_source) AS link_source
            FROM trade_link GROUP BY ALL HAVING count(DISTINCT region_from) = 1
        ), sent AS (
            SELECT f.sow, f.year, f.timeslice, f.process, f.region AS region_from, l.region_to,
                f.commodity AS commodity_from,
                coalesce(l.commodity_to, f.commodity) AS commodity_to, f.value, f.unit,
                coalesce(l.link_source, 'unknown') AS link_source
            FROM flow AS f SEMI JOIN trading USING (process)
            LEFT JOIN link_from AS l ON l.process = f.process AND l.region_from = f.region
                AND l.commodity_from = f.commodity
            WHERE f.direction = 'IN'
        ), received AS (
            SELECT f.sow, f.year, f.timeslice, f.process, l.region_from, f.region AS region_to,
                coalesce(l.commodity_from, f.commodity) AS commodity_from,
                f.commodity AS commodity_to, f.value, f.unit,
                coalesce(l.link_source, 'unknown') AS link_source
            FROM flow AS f SEMI JOIN trading USING (process)
            LEFT JOIN link_to AS l ON l.process = f.process AND l.region_to = f.region
                AND l.commodity_to = f.commodity
            WHERE f.direction = 'OUT'
        )
        SELECT coalesce(s.sow, r.sow), coalesce(s.year, r.year), coalesce(s.timeslice, r.timeslice),
            coalesce(s.process, r.process), coalesce(s.region_from, r.region_from),
            coalesce(s.region_to, r.region_to), coalesce(s.commodity_from, r.commodity_from),
            coalesce(s.commodity_to, r.commodity_to), s.value, r.value,
            coalesce(s.unit, r.unit), coalesce(s.link_source, r.link_source)
        FROM sent AS s FULL OUTER JOIN received AS r ON s.sow = r.sow AND s.year = r.year
            AND s.timeslice = r.timeslice AND s.process = r.process
            AND s.region_from = r.region_from AND s.region_to = r.region_to
            AND s.commodity_from = r.commodity_from AND s.commodity_to = r.commodity_to
        ORDER BY ALL
        """
    )
    unknown = connection.execute(
        "SELECT count(DISTINCT process) FROM trade WHERE partner_source = 'unknown'"
    ).fetchone()
    if unknown and unknown[0]:
        report(
            connection,
            "warning",
            "trade",
            "trading processes whose partner is not told",
            count=unknown[0],
        )


# ---------------------------------------------------------------------------- prices


def build_prices(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``price``: shadow prices (EQ_CombalM) with the flow to average them by.

    Weighted by the commodity's production in the same timeslice; where it has none all year by
    its consumption, else by the timeslice's share of the year (NULL when that is unknown too).
    """
    connection.execute(
        """
        INSERT INTO price
        WITH flows AS (
            SELECT sow, year, timeslice, region, commodity,
                sum(value) FILTER (direction = 'OUT') AS produced,
                sum(value) FILTER (direction = 'IN') AS consumed
            FROM flow GROUP BY ALL
        ), fractions AS (
            SELECT region, timeslice, year_fraction FROM timeslice
        ), joined AS (
            SELECT m.sow, m.year, m.timeslice, m.region, m.commodity, m.value, m.unit,
                coalesce(f.produced, 0) AS produced, coalesce(f.consumed, 0) AS consumed,
                coalesce(own.year_fraction, shared.year_fraction) AS fraction
            FROM coded_result AS m
            LEFT JOIN flows AS f ON f.sow = m.sow AND f.year = m.year AND f.timeslice = m.timeslice
                AND f.region = m.region AND f.commodity = m.commodity
            LEFT JOIN fractions AS own ON own.region = m.region AND own.timeslice = m.timeslice
            LEFT JOIN fractions AS shared ON shared.region = '-'
                AND shared.timeslice = m.timeslice
            WHERE m.attribute = 'EQ_CombalM' AND m.year IS NOT NULL AND isfinite(m.value)
        )
        SELECT sow, year, timeslice, region, commodity, value, unit,
            CASE WHEN sum(produced) OVER same > 0 THEN produced
                WHEN sum(consumed) OVER same > 0 THEN consumed ELSE fraction END,
            CASE WHEN sum(produced) OVER same > 0 THEN 'production'
                WHEN sum(consumed) OVER same > 0 THEN 'consumption' ELSE 'time' END,
            'EQ_CombalM'
        FROM joined
        WINDOW same AS (PARTITION BY sow, region, commodity, year)
        ORDER BY commodity, region, year, timeslice, sow
        """
    )
    _add_emission_prices(connection)


def _add_emission_prices(connection: duckdb.DuckDBPyConnection) -> None:
    """Add prices of emissions whose balance has no marginal.

    The marginal of their net production (VAR_ComnetM), as far as it is a cap's, or that of the user
    constraint that caps their account (User_conFXM, where ``emission_accounts.csv`` names it; a
    row's factor says how often its commodity counts there), and the taxes on them (Cost_Comx) per
    unit of it; all with the sign of a shadow price. EQ_CombalM holds taxes on net production
    already. Weighted by the net production.
    """
    _make_constraint_duals(connection)
    connection.execute(
        """
        INSERT INTO price
        WITH emission AS (
            SELECT DISTINCT region, commodity FROM commodity_set WHERE set_name = 'ENV'
        ), priced AS (
            SELECT DISTINCT sow, year, region, commodity FROM price WHERE value <> 0
        ), found AS (
            SELECT sow, year, timeslice, region, commodity,
                sum(value) FILTER (attribute = 'VAR_ComnetM') AS cap,
                any_value(unit) FILTER (attribute = 'VAR_ComnetM') AS unit,
                sum(value) FILTER (attribute = 'Cost_Comx') AS tax,
                any_value(currency) FILTER (attribute = 'Cost_Comx') AS currency,
                sum(value) FILTER (attribute = 'VAR_Comnet') AS net
            FROM coded_result SEMI JOIN emission USING (region, commodity)
            WHERE attribute IN ('VAR_ComnetM', 'Cost_Comx', 'VAR_Comnet') AND year IS NOT NULL
                AND isfinite(value)
            GROUP BY ALL
        ), known AS (
            FROM found UNION ALL BY NAME
            SELECT sow, year, 'ANNUAL' AS timeslice, region, commodity
            FROM constraint_dual ANTI JOIN found USING (sow, year, region, commodity)
        )
        SELECT sow, year, timeslice, region, commodity,
            coalesce(nullif(cap, 0), d.value, cap, 0) - coalesce(tax / net, 0),
            coalesce(k.unit, coalesce(k.currency, d.currency) || '/' || c.unit),
            coalesce(nullif(abs(net), 0), 1), if(net <> 0, 'net production', 'time'),
            concat_ws(' + ', CASE WHEN cap <> 0 THEN 'VAR_ComnetM' WHEN d.value IS NOT NULL
                THEN 'User_conFXM' WHEN cap = 0 THEN 'VAR_ComnetM' END,
                if(tax IS NOT NULL, 'Cost_Comx', NULL))
        FROM known AS k LEFT JOIN commodity AS c USING (region, commodity)
        LEFT JOIN constraint_dual AS d USING (sow, year, region, commodity)
        ANTI JOIN priced USING (sow, year, region, commodity)
        WHERE cap IS NOT NULL OR d.value IS NOT NULL OR (tax <> 0 AND net <> 0)
        ORDER BY commodity, region, year, timeslice, sow;

        DROP TABLE constraint_dual
        """
    )
    # A balance whose marginal is zero says nothing where the cap or a tax has a price.
    connection.execute(
        """
        DELETE FROM price WHERE price_source = 'EQ_CombalM' AND value = 0
            AND (sow, year, region, commodity) IN (
                SELECT (sow, year, region, commodity) FROM price WHERE price_source <> 'EQ_CombalM')
        """
    )


def _make_constraint_duals(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``constraint_dual``: the dual of the user constraint on each commodity's account.

    A region's own constraint goes before one over all regions (``-``).
    """
    rows = [row for row in semantics.rows("emission_accounts") if row["user_constraint"]]
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE constraint_dual AS
        WITH declared AS (
            SELECT DISTINCT unnest($commodities::VARCHAR[]) AS commodity,
                unnest($constraints::VARCHAR[]) AS user_constraint,
                unnest($factors::DOUBLE[]) AS factor
        ), dual AS (
            SELECT sow, year, region, user_constraint, sum(value) AS value FROM coded_result
            WHERE attribute = 'User_conFXM' AND year IS NOT NULL AND isfinite(value)
                AND user_constraint IN (SELECT user_constraint FROM declared)
            GROUP BY ALL
        ), money AS (
            SELECT region, any_value(currency) AS currency FROM coded_result
            WHERE starts_with(attribute, 'Reg_') OR starts_with(attribute, 'Cost_') GROUP BY region
        )
        SELECT d.sow, d.year, c.region, c.commodity,
            arg_max(d.value * a.factor, d.region <> '-') AS value,
            any_value(m.currency) AS currency
        FROM declared AS a
        JOIN dual AS d ON d.user_constraint = a.user_constraint
        JOIN commodity AS c ON c.commodity = a.commodity AND d.region IN ('-', c.region)
        LEFT JOIN money AS m ON m.region = c.region
        GROUP BY ALL
        """,
        {
            "commodities": [row["commodity"] for row in rows],
            "constraints": [row["user_constraint"] for row in rows],
            "factors": [float(row["factor"] or 1) for row in rows],
        },
    )
