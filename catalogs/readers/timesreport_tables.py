"""What a ``timesreport`` file tells of processes, commodities, regions and timeslices.

It has no topology and no sets of TIMES. The flows themselves are the topology; topics say what a
commodity is; sector, subsector, service, techgroup and comgroup are sets of processes and of
commodities. What has to be inferred is reported as such.
"""

from __future__ import annotations

import re
from decimal import Decimal

import duckdb

from catalogs.network import ELECTRICITY_SETS
from catalogs.readers.aggregation import infer_aggregations
from catalogs.readers.base import ScenarioFiles, ScenarioHeader, report
from catalogs.readers.timesreport_file import FileTables
from catalogs.tables import EXTERNAL_REGIONS

#: Hours of the year over which ``all_ts_data`` spreads the timeslices, where it does not say.
HOURS = 8760.0

#: Sets by which TIMES tells processes apart; a techgroup of such a name is that set.
TIMES_PROCESS_SETS = frozenset(
    {
        *("DMD", "ELE", "CHP", "HPL", "IRE", "STG", "STS", "NST"),
        *("PRE", "PRW", "PRV", "REF", "DISTR", "RCAP", "XTRACT", "RENEW"),
    }
)

_KIND_OF_TOPIC = {"energy": "NRG", "emission": "ENV", "demand": "DEM", "material": "MAT"}
_ELECTRICITY = re.compile(r"\b(electricity|electric power)\b", re.IGNORECASE)

#: Kinds of annual cost in Reg_ACost, and the attributes that add up to each.
_COST_KINDS = {
    "INV": ("Cost_Inv",),
    "FIX": ("Cost_Fom",),
    "VAR": ("Cost_Act", "Cost_Flo"),
    "VARX": ("Cost_Flox",),
}


def fill(
    files: ScenarioFiles,
    beside: FileTables,
    connection: duckdb.DuckDBPyConnection,
    header: ScenarioHeader,
) -> None:
    """Fill the canonical tables beside ``raw_result`` from ``report_row`` and the file."""
    file = files.main.name
    _descriptions(files, beside, connection, header)
    _processes_and_commodities(file, connection)
    _sets(connection)
    _demand_devices(file, connection)
    _electricity(file, connection)
    infer_aggregations(file, connection)
    _trade(file, connection)
    _regions_and_periods(connection)
    _timeslices(files, beside, connection)
    _annual_costs(file, connection)


def _descriptions(
    files: ScenarioFiles,
    beside: FileTables,
    connection: duckdb.DuckDBPyConnection,
    header: ScenarioHeader,
) -> None:
    """Fill ``element`` from the ``*_desc`` tables: those of the scenario before those of all."""
    scenario = files.part[1]
    dimensions = {"prc": "Process", "com": "Commodity", "attr": "Attribute"}
    names = ("prc", "com", "attr", "sector", "subsector", "service", "techgroup", "comgroup")
    for name in (*names, "topic"):
        found: dict[str, str] = {}
        of_all: dict[str, str] = {}
        for code, text, scen in beside.rows[f"{name}_desc"]:
            if code is None or text is None:
                continue
            if scen == scenario:
                found[str(code)] = str(text)
            elif scen is None or str(scen).upper() in ("*", "NA", "-", "", "NONE"):
                of_all[str(code)] = str(text)
        texts = of_all | found
        if texts:
            connection.execute(
                "INSERT INTO element SELECT $dimension, '-', unnest($codes::VARCHAR[]),"
                " unnest($texts::VARCHAR[])",
                {
                    "dimension": dimensions.get(name, name.capitalize()),
                    "codes": list(texts),
                    "texts": list(texts.values()),
                },
            )
    for scen, text in beside.rows["scen_desc"]:
        if scen == scenario and text and text != scenario:
            header.description = str(text)
    names_of_files = {str(name) for (name,) in beside.rows["source_files"] if name}
    if names_of_files:
        header.notes["source_files"] = ", ".join(sorted(names_of_files))


def _processes_and_commodities(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``process`` and ``commodity`` with descriptions and the units of their rows."""
    connection.execute(
        """
        INSERT INTO process (region, process, description, activity_unit, capacity_unit,
            capacity_unit_source)
        SELECT report_row.region, prc, any_value(description),
            mode(unit) FILTER (attribute = 'VAR_Act' AND unit <> '-'),
            mode(unit) FILTER (attribute IN ('VAR_Cap', 'VAR_Ncap') AND unit <> '-')
                AS capacity,
            if(capacity IS NULL, NULL, 'file')
        FROM report_row
        LEFT JOIN element ON dimension = 'Process' AND element = prc
        WHERE prc <> '-' AND report_row.region <> '-' GROUP BY report_row.region, prc ORDER BY ALL
        """
    )
    connection.execute(
        """
        INSERT INTO commodity (region, commodity, description, unit)
        SELECT report_row.region, com, any_value(description),
            mode(unit) FILTER (unit <> '-'
                AND attribute IN ('VAR_FIn', 'VAR_FOut', 'VAR_Comnet', 'VAR_Comprd'))
        FROM report_row
        LEFT JOIN element ON dimension = 'Commodity' AND element = com
        WHERE com <> '-' AND report_row.region <> '-' GROUP BY report_row.region, com ORDER BY ALL
        """
    )
    [(several,)] = connection.execute(
        "SELECT count(*) FROM (SELECT region, com FROM report_row WHERE unit <> '-' AND com <> '-'"
        " AND attribute IN ('VAR_FIn', 'VAR_FOut') GROUP BY ALL HAVING count(DISTINCT unit) > 1)"
    ).fetchall()
    if several:
        message = "commodities whose flows have several units; each row keeps its own"
        report(connection, "warning", "units", message, file=file, count=several)


def _sets(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill sets and topology; a group named as one of TIMES' sets is that set only as techgroup."""
    connection.execute(
        """
        INSERT INTO process_set
        SELECT DISTINCT region, prc, techgroup FROM report_row
        WHERE prc <> '-' AND region <> '-' AND techgroup <> '-'
        UNION
        SELECT DISTINCT region, prc, if(list_contains($times, name), kind || ':' || name, name)
        FROM (
            UNPIVOT (SELECT region, prc, sector, subsector, service FROM report_row)
            ON sector, subsector, service INTO NAME kind VALUE name
        ) WHERE prc <> '-' AND region <> '-' AND name <> '-'
        ORDER BY ALL
        """,
        {"times": sorted(TIMES_PROCESS_SETS)},
    )
    connection.execute(
        """
        INSERT INTO commodity_set
        SELECT DISTINCT region, com, k.name FROM report_row
        JOIN (SELECT unnest($topics) AS topic, unnest($names) AS name) AS k USING (topic)
        WHERE com <> '-' AND region <> '-'
        UNION
        SELECT DISTINCT region, com, comgroup FROM report_row
        WHERE com <> '-' AND region <> '-' AND comgroup NOT IN ('-', com)
        ORDER BY ALL
        """,
        {"topics": list(_KIND_OF_TOPIC), "names": list(_KIND_OF_TOPIC.values())},
    )
    connection.execute(
        """
        INSERT INTO topology
        SELECT DISTINCT region, prc, com, if(attribute = 'VAR_FIn', 'IN', 'OUT') FROM report_row
        WHERE attribute IN ('VAR_FIn', 'VAR_FOut') AND '-' NOT IN (region, prc, com) ORDER BY ALL
        """
    )


def _demand_devices(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Where no techgroup says which processes serve demands, take those that give one."""
    [(told,)] = connection.execute(
        "SELECT count(*) FROM process_set WHERE set_name = 'DMD'"
    ).fetchall()
    if told:
        return
    connection.execute(
        """
        INSERT INTO process_set
        SELECT DISTINCT region, process, 'DMD' FROM topology
        SEMI JOIN (FROM commodity_set WHERE set_name = 'DEM') USING (region, commodity)
        WHERE direction = 'OUT'
        """
    )
    connection.execute(
        """
        INSERT INTO process_set
        SELECT region, process, 'PRE' FROM process
        WHERE (region, process) NOT IN (SELECT (region, process) FROM process_set
            WHERE list_contains($times, set_name))
        """,
        {"times": sorted(TIMES_PROCESS_SETS)},
    )
    [(taken,)] = connection.execute(
        "SELECT count(*) FROM process_set WHERE set_name = 'DMD'"
    ).fetchall()
    if taken:
        message = "processes that give a demand were taken for devices of final use (set DMD)"
        report(connection, "info", "inferred", message, file=file, count=taken)


def _electricity(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Where no comgroup is electricity, take the energy that is described as such."""
    groups = connection.execute("SELECT DISTINCT set_name FROM commodity_set").fetchall()
    if ELECTRICITY_SETS & {str(name) for (name,) in groups}:
        return
    described = dict(
        connection.execute(
            "SELECT element, description FROM element WHERE dimension = 'Comgroup'"
        ).fetchall()
    )
    named = {
        str(name) for (name,) in groups if _ELECTRICITY.search(f"{name} {described.get(name, '')}")
    }
    rows = connection.execute(
        """
        SELECT c.region, c.commodity, c.description,
            bool_or(list_contains($named, s.set_name)) AS by_group
        FROM commodity AS c JOIN commodity_set AS s USING (region, commodity)
        WHERE (c.region, c.commodity) IN
            (SELECT (region, commodity) FROM commodity_set WHERE set_name = 'NRG')
        GROUP BY ALL ORDER BY ALL
        """,
        {"named": sorted(named)},
    ).fetchall()
    chosen = [
        (region, commodity)
        for region, commodity, text, by_group in rows
        if by_group or (not named and text and _ELECTRICITY.search(str(text)))
    ]
    if chosen:
        connection.executemany("INSERT INTO commodity_set VALUES (?, ?, 'ELC')", chosen)
        how = "comgroup" if named else "description"
        message = f"commodities were taken for electricity by their {how}"
        report(connection, "info", "inferred", message, file=file, count=len(chosen))


def _trade(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``trade_link`` from rows whose regions differ.

    A partner must be the world market, the extraction of resources, or a region with results of
    its own: a file may name regions for processes that only look like trade by their names.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE report_partner AS
        SELECT *, list_contains($external, partner) OR partner IN (
            SELECT region FROM report_row WHERE partner = '-' AND attribute LIKE 'VAR%'
        ) AS known
        FROM report_row WHERE partner <> '-' AND prc <> '-'
        """,
        {"external": list(EXTERNAL_REGIONS)},
    )
    connection.execute(
        """
        INSERT INTO trade_link
        SELECT DISTINCT prc, regfrom, com, regto, com, 'timesreport' FROM report_partner
        WHERE known AND attribute IN ('VAR_FIn', 'VAR_FOut') AND com <> '-'
            AND topic NOT IN ('emission', 'demand')
        UNION
        SELECT DISTINCT process, 'MINRNW', commodity, region, commodity, 'timesreport'
        FROM topology SEMI JOIN (FROM process_set WHERE set_name = 'IRE') USING (region, process)
        WHERE direction = 'OUT' AND process NOT IN (SELECT prc FROM report_partner)
        ORDER BY ALL
        """
    )
    [(count, example)] = connection.execute(
        "SELECT count(*), min(partner || ' (' || prc || ')') FROM report_partner WHERE NOT known"
    ).fetchall()
    if count:
        message = (
            "rows name as the other side of a trade a region that has no results of its own, such"
            f" as {example}; no trade was made of them"
        )
        report(connection, "warning", "trade", message, file=file, count=count)
    connection.execute("DROP TABLE report_partner")


def _regions_and_periods(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        INSERT INTO region (region, kind)
        SELECT region, if(list_contains($external, region), 'external', 'internal')
        FROM (
            SELECT region FROM raw_result UNION SELECT region_from FROM trade_link
            UNION SELECT region_to FROM trade_link
        ) WHERE region <> '-' ORDER BY ALL
        """,
        {"external": list(EXTERNAL_REGIONS)},
    )
    connection.execute(
        "INSERT INTO period (year) SELECT DISTINCT try_cast(year AS SMALLINT) AS year"
        " FROM report_row WHERE topic <> 'inputpar' AND try_cast(year AS SMALLINT) IS NOT NULL"
        " ORDER BY 1"
    )


def _timeslices(
    files: ScenarioFiles,
    beside: FileTables,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Fill ``timeslice`` with the year fractions of ``all_ts_data`` (hours), else of ``yrfr``."""
    model, scenario = files.part
    hours: dict[tuple[str, str], float] = {}
    for of_model, of_scenario, region, timeslice, value in beside.rows["all_ts_data"]:
        fits = of_model in (None, model) and of_scenario in (None, scenario)
        if fits and timeslice and isinstance(value, (int, float, Decimal)):
            name = "ANNUAL" if str(timeslice).upper() == "ANNUAL" else str(timeslice)
            hours[str(region or "-"), name] = float(value)
    fractions = {
        (region, name): value / (hours.get((region, "ANNUAL")) or HOURS)
        for (region, name), value in hours.items()
    }
    if not fractions:
        rows = connection.execute(
            "SELECT region, all_ts, any_value(value) FROM report_row WHERE attr = 'yrfr'"
            " AND value IS NOT NULL GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        fractions = {(str(region), str(name)): float(value) for region, name, value in rows}
    rows_of_results = connection.execute(
        "SELECT DISTINCT '-', timeslice FROM raw_result WHERE timeslice <> '-' ORDER BY ALL"
    ).fetchall()
    known = {name for _, name in fractions}
    tree: dict[tuple[str, str], float | None] = {("-", "ANNUAL"): 1.0}
    tree |= {key: value for key, value in fractions.items() if key[1] != "ANNUAL"}
    tree |= {("-", str(n)): None for _, n in rows_of_results if n not in {*known, "ANNUAL"}}
    connection.executemany(
        "INSERT INTO timeslice (region, timeslice, level, year_fraction, position)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (region, name, "ANNUAL" if name == "ANNUAL" else None, fraction, position)
            for position, ((region, name), fraction) in enumerate(tree.items())
        ],
    )
    unknown = sum(fraction is None for fraction in tree.values())
    if unknown:
        message = "timeslices whose share of the year is not told"
        report(connection, "warning", "timeslice", message, file=files.main.name, count=unknown)


def _annual_costs(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Add up the annual costs of processes to Reg_ACost by kind, where the file has none."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE report_cost AS
        SELECT sow, year, region, k.kind, unit, currency, sum(value) AS value
        FROM raw_result JOIN (
            SELECT unnest($attributes) AS attribute, unnest($kinds) AS kind
        ) AS k USING (attribute)
        WHERE isfinite(value) AND NOT EXISTS
            (FROM raw_result WHERE lower(attribute) IN ('reg_acost', 'regacost'))
        GROUP BY ALL ORDER BY ALL
        """,
        {
            "attributes": [a for attributes in _COST_KINDS.values() for a in attributes],
            "kinds": [kind for kind, attributes in _COST_KINDS.items() for _ in attributes],
        },
    )
    connection.execute(
        "INSERT INTO raw_result (sow, attribute, commodity, process, year, region, vintage,"
        " timeslice, user_constraint, value, unit, currency) SELECT sow, 'Reg_ACost', '-', '-',"
        " year, region, '-', '-', kind, value, unit, currency FROM report_cost"
    )
    [(rows,)] = connection.execute("SELECT count(*) FROM report_cost").fetchall()
    if rows:
        message = "rows of annual system cost (Reg_ACost) were added up from the costs of processes"
        report(connection, "info", "inferred", message, file=file, count=rows)
    connection.execute("DROP TABLE report_cost")
