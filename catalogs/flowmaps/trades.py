"""Trade of a scenario between its regions and with the world outside, as a flow map draws it.

From the table ``trade``. What counts as trade is what the measure "trade" counts (the table
``boundary``): extraction and ambient carriers are no trade, dummy imports neither. A flow is what
its origin sends; where only what arrives is known, that. Partners outside of the model are
countries where the trading process names one, else the world market.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from catalogs import palette, units
from catalogs.errors import NotAvailableError, UnknownNameError
from catalogs.flowmaps.amounts import ENERGY, factor, is_power, shares_of_year
from catalogs.flowmaps.geography import countries
from catalogs.flowmaps.places import COUNTRY_PREFIX, OUTSIDE, UNKNOWN
from catalogs.source import Source
from catalogs.tables import EXTERNAL_REGIONS

#: Flows below this share of the largest are the solver's rounding.
NOISE = 1e-9
#: What a commodity without an own group is shown under, and what the small ones become together.
OTHER = "Other"

_KEPT = 40
_CODE = re.compile(r"[-_]([A-Z]{2,6})(?:[-_]?\d+)?$")


@dataclass(frozen=True)
class TradeQuery:
    """What a trade map is of.

    ``colour_by`` is what categories are: "fuel" (the group of a commodity) or "commodity".
    ``timeslice`` '' is the whole year, else that timeslice and all within it; ``by_timeslice`` is
    a year whose timeslices are told apart instead of years, 0 for none. ``unit`` is a unit of
    energy, or of power: then values are the average power over the year or timeslice.
    """

    scenario: str
    colour_by: str = "fuel"
    timeslice: str = ""
    by_timeslice: int = 0
    unit: str = ENERGY


@dataclass(frozen=True, eq=False)
class Trades:
    """All trade of a query, whatever is drawn of it.

    ``table`` has a row for each frame (year, or timeslice), origin, destination and category:
    ``sent`` and ``received`` in ``unit``, ``lost`` on the way (NaN where only one side is known)
    and ``flows``, the rows of the trade table in it. Values are positive. ``categories`` are the
    largest first; ``frames`` in order. ``partners`` says from what a country is known.
    """

    query: TradeQuery
    table: pd.DataFrame
    frames: tuple[int | str, ...]
    categories: tuple[str, ...]
    unit: str
    partners: Mapping[str, str]
    remarks: tuple[str, ...]
    sql: str


_known: WeakKeyDictionary[Source, OrderedDict[TradeQuery, Trades]] = WeakKeyDictionary()
_lock = threading.Lock()


def read_trades(source: Source, query: TradeQuery) -> Trades:
    """Read the trade of a query; those read last are kept.

    Raises
    ------
    UnknownNameError
        The dataset has no such scenario.
    NotAvailableError
        The scenario has no trade, or none of that timeslice.
    """
    if query.scenario not in source.scenario_names:
        raise UnknownNameError(
            f"This dataset has no scenario {query.scenario!r}.",
            f"It has {', '.join(source.scenario_names[:20])}.",
        )
    with _lock:
        kept = _known.setdefault(source, OrderedDict())
        if query in kept:
            kept.move_to_end(query)
            return kept[query]
    trades = _read(source, query)
    with _lock:
        kept[query] = trades
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    return trades


#: Which side of a trade is one of the model's own regions, and who is on the other.
TRADED = """
WITH partner AS (
    SELECT unnest($processes::VARCHAR[]) AS process, unnest($countries::VARCHAR[]) AS country
), own AS (
    SELECT region FROM region WHERE scenario = $scenario AND kind = 'internal'
), counted AS (
    SELECT DISTINCT region, process, commodity FROM boundary
    WHERE scenario = $scenario AND boundary = 'trade'
), sided AS (
    SELECT t.*, coalesce(t.region_from IN (FROM own), false) AS is_sent,
        coalesce(t.region_to IN (FROM own), false) AS is_received
    FROM trade AS t WHERE t.scenario = $scenario AND t.year IS NOT NULL
), traded AS (
    SELECT s.* EXCLUDE (is_sent, is_received),
        CASE WHEN is_sent THEN region_from WHEN country IS NOT NULL THEN country
            WHEN region_from IN (SELECT unnest($external::VARCHAR[])) THEN '@outside'
            ELSE '@unknown' END AS origin,
        CASE WHEN is_received THEN region_to WHEN country IS NOT NULL THEN country
            WHEN region_to IN (SELECT unnest($external::VARCHAR[])) THEN '@outside'
            ELSE '@unknown' END AS destination,
        if(is_sent, region_from, region_to) AS side,
        if(is_sent, commodity_from, commodity_to) AS commodity
    FROM sided AS s LEFT JOIN partner USING (process) WHERE is_sent OR is_received
), energy AS (
    SELECT t.*, g.fuel FROM traded AS t
    SEMI JOIN counted AS c ON c.region = t.side AND c.process = t.process
        AND c.commodity = t.commodity
    LEFT JOIN commodity_group AS g ON g.scenario = t.scenario AND g.region = t.side
        AND g.commodity = t.commodity
)"""


def _read(source: Source, query: TradeQuery) -> Trades:
    partners = partners_of(source, query.scenario)
    sql, parameters = statement(source, query, partners)
    frame = source.sql(sql, parameters)
    remarks: list[str] = []
    frame, unit = _in_unit(frame, query, remarks)
    if frame.empty:
        raise _nothing(source, query)
    frame = _within_year(frame, query, unit, remarks)
    if is_power(unit):
        frame = _per_hour(source, frame, query, remarks)
    frame = _without_oddities(frame, remarks)
    if frame.empty:
        raise _nothing(source, query)
    sums = frame.groupby("category")["sent"].sum().sort_values(ascending=False, kind="stable")
    frames = frame["frame"].unique().tolist()
    order = source.timeslice_order
    frames.sort(key=(lambda t: (order.get(t, 0), t)) if query.by_timeslice else None)
    used = {COUNTRY_PREFIX + p.iso2 for p, _ in partners.values()}
    said = {COUNTRY_PREFIX + p.iso2: why for p, why in partners.values()}
    there = {*frame["origin"], *frame["destination"]} & used
    remarks += _not_energy(source, query)
    return Trades(
        query, frame, tuple(frames), tuple(map(str, sums.index)), unit,
        {name: said[name] for name in sorted(there)}, tuple(remarks), sql.strip(),
    )  # fmt: skip


def statement(
    source: Source, query: TradeQuery, partners: Mapping[str, tuple[countries.Country, str]]
) -> tuple[str, dict[str, object]]:
    """Return the SQL of a query and its bound parameters."""
    parameters = parameters_of(query.scenario, partners)
    conditions = []
    if query.timeslice:
        parameters["timeslices"] = within(source, query.scenario, query.timeslice)
        conditions.append("timeslice IN (SELECT unnest($timeslices::VARCHAR[]))")
    if query.by_timeslice:
        parameters["year"] = query.by_timeslice
        conditions.append("year = $year")
    if state := state_of(source, query.scenario):
        parameters["state"] = state
        conditions.append("sow = $state")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    frame = "timeslice" if query.by_timeslice else "year"
    category = "commodity" if query.colour_by == "commodity" else f"coalesce(fuel, '{OTHER}')"
    sql = f"""{TRADED}
SELECT {frame} AS frame, origin, destination, {category} AS category, unit,
    sum(coalesce(sent, received)) AS sent, sum(coalesce(received, sent)) AS received,
    sum(sent - received) AS lost, count(*) AS flows
FROM energy {where} GROUP BY ALL ORDER BY ALL"""
    return sql, parameters


def parameters_of(
    scenario: str, partners: Mapping[str, tuple[countries.Country, str]]
) -> dict[str, object]:
    """Return the parameters that ``TRADED`` needs."""
    return {
        "scenario": scenario,
        "processes": list(partners),
        "countries": [COUNTRY_PREFIX + country.iso2 for country, _ in partners.values()],
        "external": list(EXTERNAL_REGIONS),
    }


def state_of(source: Source, scenario: str) -> str:
    """Return the state of the world that is shown: those of several must not be added up."""
    return next(iter(source.states.get(scenario, ())), "")


def within(source: Source, scenario: str, timeslice: str) -> list[str]:
    """Return a timeslice and all below it in the tree of a scenario."""
    rows = source.rows(
        "WITH RECURSIVE below(name) AS (SELECT $timeslice UNION SELECT t.timeslice"
        " FROM timeslice AS t JOIN below ON t.parent = below.name AND t.scenario = $scenario)"
        " FROM below ORDER BY ALL",
        {"timeslice": timeslice, "scenario": scenario},
    )
    return [name for (name,) in rows]


def timeslices_of(source: Source, scenario: str) -> tuple[str, ...]:
    """Return the timeslices in which anything is traded, in the order of their tree.

    Empty where trade is known by year only.
    """
    rows = source.rows(
        "SELECT DISTINCT timeslice FROM trade WHERE scenario = ? AND timeslice <> 'ANNUAL'"
        " AND coalesce(region_from, '') <> 'MINRNW'",
        [scenario],
    )
    order = source.timeslice_order
    return tuple(sorted((name for (name,) in rows), key=lambda t: (order.get(t, 0), t)))


# ---------------------------------------------------------------------- partners


def partners_of(source: Source, scenario: str) -> Mapping[str, tuple[countries.Country, str]]:
    """Return the country that a process trades with, and from what that is known.

    Only for processes whose other side is outside of the model. Its description names one country;
    or its name ends in the code of one with which there are imports as well as exports
    (``EXPELC-DKDE``, ``IMPELC-DE``): an ending alone could be anything.
    """
    rows = source.rows(
        "WITH own AS (SELECT region FROM region WHERE scenario = $scenario AND kind = 'internal')"
        " SELECT t.process, any_value(p.description) FROM trade AS t"
        " LEFT JOIN process AS p ON p.scenario = t.scenario AND p.process = t.process"
        " WHERE t.scenario = $scenario AND (coalesce(t.region_from, '') NOT IN (FROM own)"
        " OR coalesce(t.region_to, '') NOT IN (FROM own))"
        " AND coalesce(t.region_from, '') <> $mining"
        " GROUP BY t.process ORDER BY t.process",
        {"scenario": scenario, "mining": "MINRNW"},
    )
    found: dict[str, tuple[countries.Country, str]] = {}
    by_ending: dict[str, list[tuple[str, countries.Country]]] = defaultdict(list)
    for process, description in rows:
        if country := countries.named_in(description or ""):
            found[process] = (country, f"the description of {process}")
        elif ending := _country_at_end(process):
            by_ending[ending.iso2].append((process, ending))
    for ends in by_ending.values():
        kinds = {process[:3].upper() for process, _ in ends}
        if {"IMP", "EXP"} <= kinds:
            found |= {process: (c, f"the name of {process}") for process, c in ends}
    return found


def _country_at_end(process: str) -> countries.Country | None:
    """Read a country off an ending such as -DE, _DEU or -DKDE (from Denmark to Germany)."""
    match = _CODE.search(process)
    if not match:
        return None
    code = match[1]
    if len(code) in (4, 6):
        half = len(code) // 2
        return countries.by_code(code[half:]) if countries.by_code(code[:half]) else None
    return countries.by_code(code) if len(code) in (2, 3) else None


# ---------------------------------------------------------------------- cleaning


def _in_unit(
    frame: pd.DataFrame, query: TradeQuery, remarks: list[str]
) -> tuple[pd.DataFrame, str]:
    """Convert to the unit asked for; what is no energy is left out and said."""
    found = frame["unit"].fillna("").unique().tolist()
    fitting = [unit for unit in found if units.is_energy(unit)]
    if not fitting:
        # Units that nobody knows: shown as they are, each commodity by itself.
        unit = found[0] if len(found) == 1 and found[0] else units.UNKNOWN_UNIT
        if found:
            remarks.append(
                "the units of these flows are unknown: arcs of two colours do not compare"
            )
        return frame.drop(columns="unit"), unit
    others = sorted(set(found) - set(fitting))
    if others:
        named = ", ".join(unit or units.UNKNOWN_UNIT for unit in others)
        remarks.append(f"trade measured in {named} is not drawn")
    kept = frame[frame["unit"].isin(fitting)].copy()
    factors = kept["unit"].map({unit: factor(unit, query.unit) for unit in fitting})
    for column in ("sent", "received", "lost"):
        kept[column] *= factors
    keys = ["frame", "origin", "destination", "category"]
    summed = kept.groupby(keys, sort=False, as_index=False).agg(
        sent=("sent", "sum"), received=("received", "sum"),
        lost=("lost", lambda v: v.sum(min_count=1)), flows=("flows", "sum"),
    )  # fmt: skip
    return summed, query.unit


def _within_year(
    frame: pd.DataFrame, query: TradeQuery, unit: str, remarks: list[str]
) -> pd.DataFrame:
    """Leave out, and say, what is traded by year only where timeslices are told apart."""
    by_year = frame["frame"] == "ANNUAL"
    if not query.by_timeslice or not by_year.any():
        return frame
    amount = float(frame.loc[by_year, "sent"].sum())
    remarks.append(f"{amount:.3g} {unit} are traded by year only and in no timeslice")
    return frame[~by_year]


def _per_hour(
    source: Source, frame: pd.DataFrame, query: TradeQuery, remarks: list[str]
) -> pd.DataFrame:
    """Divide what flows in a timeslice by its share of the year; by a year it is what it is."""
    timeslices = frame["frame"] if query.by_timeslice else [query.timeslice or 0] * len(frame)
    shares = shares_of_year(
        source, query.scenario, frame["origin"], frame["destination"], timeslices
    )
    known = np.isfinite(shares)
    if number := int(frame.loc[~known, "flows"].sum()):
        remarks.append(
            f"{number} flows of timeslices whose share of the year is not known left out"
        )
    found = frame[known].copy()
    for column in ("sent", "received", "lost"):
        found[column] /= shares[known]
    return found


def _without_oddities(frame: pd.DataFrame, remarks: list[str]) -> pd.DataFrame:
    """Turn negative flows round, leave out self-flows and what is zero; each is counted."""
    broken = ~np.isfinite(frame["sent"])
    own = (frame["origin"] == frame["destination"]) & ~broken
    negative = (frame["sent"] < 0) & ~own & ~broken
    for wrong, what in (
        (broken, "without a value left out"),
        (own, "of a place to itself left out"),
        (negative, "negative, drawn the other way round"),
    ):
        if number := int(frame.loc[wrong, "flows"].sum()):
            remarks.append(f"{number} {'flow' if number == 1 else 'flows'} {what}")
    kept = frame[~broken & ~own].copy()
    turned = kept["sent"] < 0
    kept.loc[turned, ["origin", "destination"]] = kept.loc[
        turned, ["destination", "origin"]
    ].to_numpy()
    kept.loc[turned, ["sent", "received"]] = -kept.loc[turned, ["received", "sent"]].to_numpy()
    if turned.any():
        keys = ["frame", "origin", "destination", "category"]
        kept = kept.groupby(keys, sort=False, as_index=False).sum(min_count=1)
    least = NOISE * kept["sent"].max() if len(kept) else 0.0
    return kept[kept["sent"] > least].reset_index(drop=True)


def _not_energy(source: Source, query: TradeQuery) -> list[str]:
    """Say what is traded and is no energy."""
    rows = source.rows(
        "SELECT DISTINCT g.kind FROM trade AS t JOIN commodity_group AS g"
        " ON g.scenario = t.scenario AND g.commodity = coalesce(t.commodity_from, t.commodity_to)"
        " WHERE t.scenario = ? AND g.kind <> 'energy'"
        " AND coalesce(t.region_from, '') <> 'MINRNW' ORDER BY ALL",
        [query.scenario],
    )
    kinds = [kind for (kind,) in rows]
    return [f"traded commodities that are no energy ({', '.join(kinds)}) are not drawn"] * bool(
        kinds
    )


def _nothing(source: Source, query: TradeQuery) -> NotAvailableError:
    having = [name for name in source.scenario_names if has_trade(source, name)]
    if query.scenario in having:
        return NotAvailableError(
            f"Nothing is traded in {query.scenario} in the timeslice {query.timeslice}."
            if query.timeslice
            else f"Nothing is traded in {query.scenario} then.",
            "Choose the whole year, or another one.",
        )
    others = [name for name in having if name != query.scenario]
    return NotAvailableError(
        f"{query.scenario} has no trade: no energy goes from one region to another, or in or out"
        " of the model.",
        f"Scenarios with trade here: {', '.join(others[:8])}." if others else
        "Energy flows and Scenarios show what it has.",
    )  # fmt: skip


def has_trade(source: Source, scenario: str) -> bool:
    """Whether a scenario has any trade that a map can draw."""
    return bool(
        source.rows(
            "SELECT 1 FROM boundary SEMI JOIN trade USING (scenario, process)"
            " WHERE scenario = ? AND boundary = 'trade' LIMIT 1",
            [scenario],
        )
    )


# ---------------------------------------------------------------------- categories


def with_top_categories(trades: Trades, most: int) -> Trades:
    """Return trade in which all but the largest categories are one, ``OTHER``."""
    if len(trades.categories) <= most:
        return trades
    named = [name for name in trades.categories if name != OTHER][: most - 1]
    table = trades.table.copy()
    table["category"] = table["category"].where(table["category"].isin(named), OTHER)
    keys = ["frame", "origin", "destination", "category"]
    table = table.groupby(keys, sort=False, as_index=False).sum(min_count=1)
    small = len(trades.categories) - len(named)
    remark = f"the {small} smallest of {len(trades.categories)} {trades.query.colour_by}s are one"
    return replace(
        trades, table=table, categories=(*named, OTHER), remarks=(*trades.remarks, remark)
    )


def in_palette_order(categories: Sequence[str], looks: palette.Looks) -> tuple[str, ...]:
    """Return categories in the order of the group table, for a legend that does not move."""
    return tuple(sorted(categories, key=lambda c: (palette.order("fuel", c, looks), c)))


__all__ = ["OUTSIDE", "UNKNOWN", "TradeQuery", "Trades", "read_trades", "with_top_categories"]
