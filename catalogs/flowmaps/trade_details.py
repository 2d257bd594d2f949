"""What is behind one arrow or one region of a trade map: years, timeslices, processes, prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from catalogs import units
from catalogs.flowmaps.amounts import factor, is_power, shares_of_year
from catalogs.flowmaps.trades import (
    OTHER,
    TRADED,
    TradeQuery,
    parameters_of,
    partners_of,
    state_of,
)
from catalogs.source import Source


@dataclass(frozen=True, eq=False)
class TradeDetails:
    """Frames behind an arrow or region, values in ``unit``: energy, or average power over the year
    or timeslice.

    ``by_year`` (year, direction, value) and ``by_timeslice`` (timeslice, direction, value; of one
    year): direction is "there" or "back" for an arrow, "imports" or "exports" for a region.
    ``by_process``: process, commodity, origin, destination, sent, received, from what the partner
    is known; of one year. ``prices``: region, commodity, value, unit; averages of the year,
    weighted as the prices are. ``capacity``: process, region, capacity and flow as energy of a
    year, both in ``unit``, and loading as a share.
    """

    unit: str
    by_year: pd.DataFrame
    by_timeslice: pd.DataFrame
    by_process: pd.DataFrame
    prices: pd.DataFrame
    capacity: pd.DataFrame


_ROWS = """
SELECT year, timeslice, process, origin, destination, commodity, unit, partner_source,
    coalesce(sent, received) AS sent, coalesce(received, sent) AS received
FROM energy WHERE {category} = $category AND {ends}{state}"""


def arc_details(
    source: Source, query: TradeQuery, year: int, *, origin: str, destination: str, category: str
) -> TradeDetails:
    """Return what flows from one place to another and back, of one category."""
    ends = "((origin = $a AND destination = $b) OR (origin = $b AND destination = $a))"
    rows = _rows(source, query, category, ends, {"a": origin, "b": destination})
    rows["direction"] = ["there" if o == origin else "back" for o in rows["origin"]]
    return _details(source, query, year, rows, {origin, destination})


def place_details(
    source: Source, query: TradeQuery, year: int, place: str, category: str
) -> TradeDetails:
    """Return what a place sends and receives of one category; '' for all of them."""
    rows = _rows(source, query, category, "(origin = $a OR destination = $a)", {"a": place})
    rows["direction"] = ["exports" if o == place else "imports" for o in rows["origin"]]
    return _details(source, query, year, rows, {place})


def _rows(
    source: Source, query: TradeQuery, category: str, ends: str, places: dict[str, str]
) -> pd.DataFrame:
    parameters = parameters_of(query.scenario, partners_of(source, query.scenario)) | places
    column = "commodity" if query.colour_by == "commodity" else f"coalesce(fuel, '{OTHER}')"
    parameters["category"] = category
    if not category:
        column = "''"
    state = ""
    if name := state_of(source, query.scenario):
        parameters["state"] = name
        state = " AND sow = $state"
    sql = TRADED + _ROWS.format(category=column, ends=ends, state=state)
    rows = source.sql(sql, parameters)
    known = [unit for unit in rows["unit"].dropna().unique() if units.is_energy(unit)]
    if known and (units.is_energy(query.unit) or is_power(query.unit)):
        rows = rows[rows["unit"].isin(known)].copy()
        factors = rows["unit"].map({unit: factor(unit, query.unit) for unit in known})
        rows["sent"] *= factors
        rows["received"] *= factors
    return rows


def _details(
    source: Source, query: TradeQuery, year: int, rows: pd.DataFrame, places: set[str]
) -> TradeDetails:
    this_year = rows[rows["year"] == year]
    by_year = _summed(rows, ["year", "direction"])
    of_timeslices = this_year[this_year["timeslice"] != "ANNUAL"].copy()
    if is_power(query.unit) and len(of_timeslices):
        columns = (of_timeslices[name] for name in ("origin", "destination", "timeslice"))
        of_timeslices["sent"] /= shares_of_year(source, query.scenario, *columns)
        of_timeslices = of_timeslices[of_timeslices["sent"].notna()]
    by_timeslice = _summed(of_timeslices, ["timeslice", "direction"])
    order = source.timeslice_order
    by_timeslice = by_timeslice.sort_values(
        "timeslice", key=lambda names: names.map(lambda t: (order.get(t, 0), t)), kind="stable"
    ).reset_index(drop=True)
    keys = ["process", "commodity", "origin", "destination", "partner_source"]
    by_process = (
        this_year.groupby(keys, sort=False, as_index=False)[["sent", "received"]]
        .sum()
        .sort_values("sent", ascending=False, kind="stable")
        .reset_index(drop=True)
    )
    return TradeDetails(
        unit=query.unit,
        by_year=by_year,
        by_timeslice=by_timeslice,
        by_process=by_process,
        prices=_prices(source, query, year, sorted(places), this_year),
        capacity=_capacity(source, query, year, by_process),
    )


def _summed(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    summed: Any = rows.groupby(keys, sort=True, as_index=False)["sent"].sum()
    return pd.DataFrame(summed).rename(columns={"sent": "value"})


def _prices(
    source: Source, query: TradeQuery, year: int, places: list[str], rows: pd.DataFrame
) -> pd.DataFrame:
    """Return the price of what is traded on each side, an average weighted as prices are."""
    return source.sql(
        "SELECT region, commodity, sum(value * weight) / nullif(sum(weight), 0) AS value, unit"
        " FROM price WHERE scenario = $scenario AND year = $year"
        " AND region IN (SELECT unnest($places::VARCHAR[]))"
        " AND commodity IN (SELECT unnest($commodities::VARCHAR[]))"
        " AND price_source = 'EQ_CombalM' GROUP BY region, commodity, unit ORDER BY ALL",
        {
            "scenario": query.scenario,
            "year": year,
            "places": places,
            "commodities": sorted(set(rows["commodity"])),
        },
    )


def _capacity(
    source: Source, query: TradeQuery, year: int, by_process: pd.DataFrame
) -> pd.DataFrame:
    """Return what the processes could carry in a year, and what they do."""
    found = source.sql(
        "SELECT r.process, r.region, sum(r.value) * coalesce(any_value(p.capacity_to_activity), 1)"
        " AS capacity, any_value(p.activity_unit) AS unit FROM result AS r JOIN process AS p"
        " ON p.scenario = r.scenario AND p.process = r.process AND p.region = r.region"
        " WHERE r.scenario = $scenario AND r.year = $year AND r.attribute = 'VAR_Cap'"
        " AND r.process IN (SELECT unnest($processes::VARCHAR[]))"
        " GROUP BY r.process, r.region ORDER BY ALL",
        {
            "scenario": query.scenario,
            "year": year,
            "processes": sorted(set(by_process["process"])),
        },
    )
    rows = []
    for process, region, capacity, unit in found.itertuples(index=False, name=None):
        if not (units.is_energy(unit) and (units.is_energy(query.unit) or is_power(query.unit))):
            continue
        most = float(capacity) * factor(unit, query.unit)
        own = by_process[by_process["process"] == process]
        through = float(own[own["destination"] == region]["received"].sum())
        through += float(own[own["origin"] == region]["sent"].sum())
        if most > 0 and through > 0:
            rows.append((process, region, most, through, through / most))
    return pd.DataFrame(rows, columns=["process", "region", "capacity", "flow", "loading"])
