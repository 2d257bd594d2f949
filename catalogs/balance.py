"""The balance of a commodity: where it comes from, where it goes, and what is left.

``FOut x COM_IE = FIn + what is left``; all parts together are zero. What is left is the demand
itself (DEM), the net emission (ENV), else a surplus, or, where more is taken than given, not
explained by the flows. SQL, for the annual figures of an import (one scenario, no column for it)
and for a query by timeslice (views over all scenarios).
"""

from __future__ import annotations

from collections.abc import Sequence

#: The share of a commodity's turnover that a balance may leave open before a part says so.
_OPEN = 1e-6

#: What is left of a timeslice where a commodity balances over a longer time than that, or where
#: processes report it at several levels of the timeslice tree: no surplus, nor unexplained.
BETWEEN_TIMESLICES = "Between timeslices"


def efficiencies(*, scenario: bool = False) -> str:
    """Return SQL for COM_IE in every milestone year: region, commodity, timeslice, year, value.

    As TIMES reads it: between the years given the value is interpolated, outside them the nearest
    holds.
    """
    own, same = ("e.scenario, ", "p.scenario = e.scenario") if scenario else ("", "true")
    years = f"SELECT DISTINCT {'scenario, ' if scenario else ''}year FROM flow_annual"
    return f"""
        SELECT {own}region, commodity, timeslice, year,
            CASE WHEN before IS NULL THEN value_after
                WHEN after IS NULL OR after = before THEN value_before
                ELSE value_before + (value_after - value_before) * (year - before)
                    / (after - before) END AS value
        FROM (
            SELECT {own}e.region, e.commodity, e.timeslice, p.year,
                max(e.year) FILTER (e.year <= p.year) AS before,
                min(e.year) FILTER (e.year >= p.year) AS after,
                arg_max(e.value, e.year) FILTER (e.year <= p.year) AS value_before,
                arg_min(e.value, e.year) FILTER (e.year >= p.year) AS value_after
            FROM commodity_efficiency AS e JOIN ({years}) AS p ON {same}
            WHERE e.year IS NOT NULL AND p.year IS NOT NULL AND e.value > 0 AND isfinite(e.value)
            GROUP BY ALL
        ) AS e"""


def losses(keys: Sequence[str], conditions: str = "") -> str:
    """Return SQL for what the grid takes of the production of each commodity, where COM_IE is.

    ``keys`` are the columns kept beside region and commodity, of scenario, sow, year and
    timeslice. A value of a timeslice goes before that of the year. Columns: the keys, region,
    commodity, unit, lost, produced.
    """
    kept = ", ".join(f"f.{key}" for key in keys)
    scenario = "scenario" in keys
    own, whole = (
        f"{name}.region = f.region AND {name}.commodity = f.commodity AND {name}.year = f.year"
        + (f" AND {name}.scenario = f.scenario" if scenario else "")
        for name in ("own", "whole")
    )
    return f"""
        WITH efficiency AS ({efficiencies(scenario=scenario)}
        )
        SELECT {kept}, f.region, f.commodity, any_value(f.unit) AS unit,
            sum(f.value * (1 - coalesce(own.value, whole.value, 1))) AS lost,
            sum(f.value) AS produced
        FROM flow AS f
        SEMI JOIN efficiency USING ({"scenario, " * scenario}region, commodity)
        LEFT JOIN efficiency AS own ON {own}
            AND own.timeslice = f.timeslice AND f.timeslice <> 'ANNUAL'
        LEFT JOIN efficiency AS whole ON {whole} AND whole.timeslice = 'ANNUAL'
        WHERE f.direction = 'OUT'{conditions} GROUP BY ALL"""


def parts(flow: str, lost: str, keys: Sequence[str], conditions: str = "") -> str:
    """Return SQL for the parts of the balance of every commodity.

    ``flow`` is the table of flows, ``lost`` a table or query as ``losses`` makes it, ``keys`` as
    there, ``conditions`` what flows ``f`` are kept ("AND ..."). Columns: the keys, region,
    process, commodity, part, unit, value.
    """
    key = ", ".join(keys)
    scenario = "scenario, " if "scenario" in keys else ""
    between, levels, mixed = "", "", ""
    if "timeslice" in keys:
        year = ", ".join(name for name in keys if name != "timeslice")
        levels = f""", level AS (
            SELECT {scenario}timeslice, any_value(level) AS level FROM timeslice GROUP BY ALL
        ), mixed AS (
            SELECT {year}, region, commodity, true AS mix
            FROM every LEFT JOIN level USING ({scenario}timeslice)
            GROUP BY ALL HAVING abs(sum(value)) <= {_OPEN} * sum(abs(value))
                OR count(DISTINCT coalesce(level, if(timeslice = 'ANNUAL', 'ANNUAL', '-'))) > 1
        )"""
        between = f"WHEN mix THEN '{BETWEEN_TIMESLICES}'"
        mixed = f"LEFT JOIN mixed USING ({year}, region, commodity)"
    return f"""
        WITH trading AS (
            SELECT DISTINCT {scenario}process, true AS trades FROM process_set
            WHERE set_name = 'IRE'
        ), storing AS (
            SELECT DISTINCT {scenario}region, process, true AS stores FROM process_set
            WHERE set_name IN ('STG', 'STS', 'NST')
        ), moved AS (
            SELECT {key}, region, process, commodity,
                CASE WHEN trades THEN if(f.direction = 'OUT', 'Imports', 'Exports')
                    WHEN stores THEN if(f.direction = 'OUT', 'From storage', 'Into storage')
                    ELSE if(f.direction = 'OUT', 'Production', 'Consumption') END AS part,
                f.unit, if(f.direction = 'OUT', f.value, -f.value) AS value
            FROM {flow} AS f LEFT JOIN trading USING ({scenario}process)
            LEFT JOIN storing USING ({scenario}region, process)
            WHERE true{conditions}
        ), every AS (
            FROM moved UNION ALL
            SELECT {key}, region, '-', commodity, 'Grid loss', unit, -lost FROM {lost} AS lost
            WHERE lost <> 0
        ), open AS (
            SELECT {key}, region, commodity, any_value(unit) AS unit, sum(value) AS value
            FROM every GROUP BY ALL HAVING abs(sum(value)) > {_OPEN} * sum(abs(value))
        ){levels}
        SELECT {key}, region, process, commodity, part, unit, value FROM every
        UNION ALL
        SELECT {key}, region, '-', commodity,
            CASE WHEN kind = 'demand' THEN 'Demand' WHEN kind = 'emission' THEN 'Net emission'
                {between} ELSE if(value > 0, 'Surplus', 'Not explained') END,
            unit, -value
        FROM open LEFT JOIN (SELECT {scenario}region, commodity, kind FROM commodity_group)
            USING ({scenario}region, commodity) {mixed}"""
