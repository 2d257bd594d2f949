"""From the trade of a scenario to arcs and places: net or gross, some categories, a difference.

All frames (years, or timeslices of a year) are worked out together, over the same arcs in the same
order, so that widths and colours mean the same in each and only values change between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalogs import units
from catalogs.errors import NotAvailableError
from catalogs.flowmaps.amounts import factor, is_power, shares_of_year
from catalogs.flowmaps.picture import Arcs, FlowMapData, Places, Shown, texts
from catalogs.flowmaps.places import COUNTRY_PREFIX, OUTSIDE, UNKNOWN, Place, find_places
from catalogs.flowmaps.totals import TOTALS, difference, totals_of, totals_shown
from catalogs.flowmaps.trades import (
    OTHER,
    TRADED,
    TradeQuery,
    Trades,
    parameters_of,
    partners_of,
    read_trades,
    with_top_categories,
)
from catalogs.source import Source

Numbers: TypeAlias = NDArray[np.float64]
Frame: TypeAlias = int | str
#: Colours that can be told apart on a map; the rest is "Other".
MOST_CATEGORIES = 12
_KEYS = ["origin", "destination", "category"]


@dataclass(frozen=True)
class TradeRequest:
    """What a trade map shows of a query.

    ``kept`` are categories, empty for all; ``regions`` those whose trade is shown, empty for all.
    ``outside`` tells whether trade with partners that have no spot (the world market) is drawn.
    ``other`` is a scenario compared with that of the query: values are then other minus query's.
    ``totals`` is what regions show, one of ``TOTALS``; ``is_filled`` tells that they are filled
    with its colour, so that it is one value. ``by_hand`` are places with the latitude and longitude
    that the reader gave them.
    """

    query: TradeQuery
    kept: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    is_net: bool = True
    outside: bool = False
    other: str = ""
    totals: str = "production and use"
    is_filled: bool = False
    most_categories: int = MOST_CATEGORIES
    by_hand: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Compared:
    """What a difference is of: values (frames x arcs) and totals (frames x places x 2), each of the
    base and of the other scenario."""

    values: tuple[Numbers, Numbers]
    totals: tuple[Numbers, Numbers]


@dataclass(frozen=True, eq=False)
class TradeMap:
    """The arcs and places of all frames.

    ``data`` is the picture of no frame in particular: its arcs have the largest magnitude of all
    frames as value. ``values`` and ``loading`` have a row for each frame and a column for each arc
    (NaN where a loading is not known); ``totals`` are frames x places x 2, what ``total_names``
    says (differences where two scenarios are compared); ``outlines`` are the places with their
    shapes; ``shown`` says how much of each frame is drawn. ``offered`` are the categories there
    are, with their amounts in each frame (``amounts``, frames x offered), before any was chosen;
    ``compared`` is what a difference is of, None where there is none.
    """

    request: TradeRequest
    data: FlowMapData
    frames: tuple[Frame, ...]
    values: Numbers
    loading: Numbers
    totals: Numbers
    shown: tuple[Shown, ...]
    offered: tuple[str, ...]
    amounts: Numbers
    outlines: tuple[Place, ...]
    trades: Trades
    lost: Numbers = field(default_factory=lambda: np.empty(0))
    compared: Compared | None = None

    @property
    def total_names(self) -> tuple[str, ...]:
        """What the totals of regions are: two halves, one value, or none."""
        return totals_shown(self.request)

    def at(self, frame: Frame) -> int:
        """Return the row of a frame; the first for one that is not there."""
        return self.frames.index(frame) if frame in self.frames else 0

    def picture(self, frame: Frame) -> FlowMapData:
        """Return one frame as the shape that all flow maps share, the largest arcs first."""
        row = self.at(frame)
        value = self.values[row]
        order = np.argsort(-np.abs(value), kind="stable")
        order = order[np.abs(value[order]) > 0]
        arcs = self.data.arcs
        there = {
            (int(o), int(d), int(c)): v
            for o, d, c, v in zip(arcs.origin, arcs.destination, arcs.category, value, strict=True)
        }
        back = [
            there.get(
                (int(arcs.destination[i]), int(arcs.origin[i]), int(arcs.category[i])), np.nan
            )
            for i in order
        ]
        loading = self.loading[row][order]
        picked = Arcs(
            arcs.origin[order], arcs.destination[order], arcs.category[order], value[order],
            np.array(back, float), np.abs(value[order]) / np.where(loading > 0, loading, np.nan),
            arcs.id[order],
        )  # fmt: skip
        return replace(self.data, arcs=picked, shown=self.shown[row])


def trade_map(source: Source, request: TradeRequest) -> TradeMap:
    """Work out a trade map. Raises the errors of ``read_trades``.

    ``NotAvailableError`` also where nothing is left of the categories or regions chosen.
    """
    trades = with_top_categories(read_trades(source, request.query), request.most_categories)
    base = trades.table
    other = None
    if request.other:
        others = read_trades(source, replace(request.query, scenario=request.other))
        if others.unit != trades.unit:
            raise NotAvailableError(
                f"{request.other} counts its trade in {others.unit}, not in {trades.unit}.",
                "Choose two scenarios of one model.",
            )
        table = others.table.copy()
        known = table["category"].isin(trades.categories)
        table["category"] = table["category"].where(known, trades.categories[-1])
        other = table
    whole = base if other is None else pd.concat([base, other])
    frames = _frames(source, trades, whole)
    ids = sorted({*whole["origin"], *whole["destination"]})
    by_hand = {name: (latitude, longitude) for name, latitude, longitude in request.by_hand}
    places = find_places(source, ids, by_hand)
    edges = {OUTSIDE, UNKNOWN}
    drawable = {place.id for place in places if place.is_known} | (
        edges if request.outside else set()
    )
    chosen = [
        part[_is_asked(part, request)] for part in (base, *([] if other is None else [other]))
    ]
    seen = [
        part[part["origin"].isin(drawable) & part["destination"].isin(drawable)] for part in chosen
    ]
    keys = pd.concat(seen)[_KEYS].drop_duplicates()
    if request.is_net:
        turned = keys.rename(columns={"origin": "destination", "destination": "origin"})
        keys = pd.concat([keys, turned])[_KEYS].drop_duplicates()
    keys = keys.sort_values(_KEYS).reset_index(drop=True)
    values = _matrix(seen[0], keys, frames, "sent", request.is_net)
    both = [values]
    if other is not None:
        both.append(_matrix(seen[1], keys, frames, "sent", request.is_net))
        values = both[1] - both[0]
    largest = np.abs(values).max(axis=0, initial=0.0)
    used = largest > 0
    order = np.argsort(-largest[used], kind="stable")
    keys = keys[used].iloc[order].reset_index(drop=True)
    values = values[:, used][:, order]
    both = [each[:, used][:, order] for each in both]
    shown_ids = _shown_ids(keys, places, ids, edges, request)
    position = {name: i for i, name in enumerate(shown_ids)}
    category = {name: i for i, name in enumerate(trades.categories)}
    kept_places = [place for place in places if place.id in position]
    kept_places.sort(key=lambda place: position[place.id])
    arcs = Arcs(
        origin=_positions(keys["origin"], position),
        destination=_positions(keys["destination"], position),
        category=_positions(keys["category"], category),
        value=np.abs(values).max(axis=0, initial=0.0),
        back=np.full(len(keys), np.nan),
        capacity=np.full(len(keys), np.nan),
        id=texts([""] * len(keys)),
    )
    compared = None
    totals = totals_of(source, request, frames, shown_ids, chosen[0])
    if other is not None:
        of_other = replace(request, query=replace(request.query, scenario=request.other))
        others_totals = totals_of(source, of_other, frames, shown_ids, chosen[1])
        compared = Compared((both[0], both[1]), (totals, others_totals))
        totals = difference(others_totals, totals)
    return TradeMap(
        request=request,
        data=FlowMapData(
            places=_places(kept_places, chosen[0], frames),
            arcs=arcs,
            categories=trades.categories,
            unit=trades.unit,
            is_net=request.is_net,
            remarks=trades.remarks,
        ),
        frames=frames,
        values=values,
        loading=_loading(source, request, trades, keys=keys, frames=frames, values=values),
        totals=totals,
        shown=tuple(_shown(base, seen[0], frame) for frame in frames),
        offered=trades.categories,
        amounts=_amounts(base, frames, trades.categories),
        outlines=tuple(kept_places),
        trades=trades,
        compared=compared,
        lost=np.array([seen[0].loc[seen[0]["frame"] == f, "lost"].sum() for f in frames]),
    )


def _frames(source: Source, trades: Trades, whole: pd.DataFrame) -> tuple[Frame, ...]:
    found = whole["frame"].unique().tolist()
    order = source.timeslice_order
    by_time = bool(trades.query.by_timeslice)
    return tuple(sorted(found, key=(lambda t: (order.get(t, 0), t)) if by_time else None))


def _is_asked(table: pd.DataFrame, request: TradeRequest) -> pd.Series[bool]:
    asked = pd.Series(True, index=table.index)
    if request.kept:
        asked &= table["category"].isin(request.kept)
    if request.regions:
        of_these = list(request.regions)
        asked &= table["origin"].isin(of_these) | table["destination"].isin(of_these)
    return asked


def _matrix(
    table: pd.DataFrame, keys: pd.DataFrame, frames: Sequence[Frame], column: str, is_net: bool
) -> Numbers:
    """Return values by frame and arc; net, only the larger way less the smaller one."""
    arc = pd.MultiIndex.from_frame(keys[_KEYS])
    row = {frame: i for i, frame in enumerate(frames)}
    found = arc.get_indexer(pd.MultiIndex.from_frame(table[_KEYS]))
    matrix = np.zeros((len(frames), len(keys)))
    kept = found >= 0
    rows = table["frame"].map(row).to_numpy()
    np.add.at(matrix, (rows[kept], found[kept]), table[column].to_numpy()[kept])
    if is_net:
        turned = pd.MultiIndex.from_arrays([keys["destination"], keys["origin"], keys["category"]])
        back = arc.get_indexer(turned)
        matrix = np.maximum(matrix - np.where(back >= 0, matrix[:, back], 0.0), 0.0)
    return matrix


def _shown_ids(
    keys: pd.DataFrame, places: Sequence[Place], ids: Sequence[str], edges: set[str],
    request: TradeRequest,
) -> list[str]:  # fmt: skip
    """Return the places of the map: the model's regions, and the partners that have arcs."""
    with_arcs = {*keys["origin"], *keys["destination"]}
    return [
        name
        for name in ids
        if name in with_arcs
        or (
            not name.startswith(COUNTRY_PREFIX) and (not request.regions or name in request.regions)
        )
    ]


def _positions(column: pd.Series[str], position: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([position[name] for name in column], dtype=np.int64)


def _places(places: Sequence[Place], asked: pd.DataFrame, frames: Sequence[Frame]) -> Places:
    """Return places with what they send and receive, in the frame of most."""
    out = asked.groupby(["origin", "frame"])["sent"].sum().groupby("origin").max()
    into = asked.groupby(["destination", "frame"])["received"].sum().groupby("destination").max()
    unknown = np.full(len(places), np.nan)
    return Places(
        id=texts([place.id for place in places]),
        name=texts([place.name for place in places]),
        longitude=np.array([place.longitude for place in places], float),
        latitude=np.array([place.latitude for place in places], float),
        outgoing=np.array([out.get(place.id, 0.0) for place in places], float),
        incoming=np.array([into.get(place.id, 0.0) for place in places], float),
        within=np.zeros(len(places)),
        production=unknown,
        use=unknown,
        members=np.ones(len(places), dtype=np.int64),
    )


def _shown(table: pd.DataFrame, seen: pd.DataFrame, frame: Frame) -> Shown:
    everything, drawn = table[table["frame"] == frame], seen[seen["frame"] == frame]
    return Shown(
        flows=int(drawn["flows"].sum()),
        all_flows=int(everything["flows"].sum()),
        value=float(drawn["sent"].sum()),
        all_value=float(everything["sent"].sum()),
    )


def _amounts(table: pd.DataFrame, frames: Sequence[Frame], categories: Sequence[str]) -> Numbers:
    summed = table.groupby(["frame", "category"])["sent"].sum()
    return np.array([[summed.get((f, c), 0.0) for c in categories] for f in frames], float)


# ---------------------------------------------------------------------- loading

_CAPACITY = """
SELECT t.year, t.origin, t.destination, t.category, sum(t.capacity) AS capacity, t.unit FROM (
    SELECT DISTINCT e.year, e.process, e.origin, e.destination, {category} AS category,
        c.capacity * coalesce(p.capacity_to_activity, 1) AS capacity, p.activity_unit AS unit
    FROM energy AS e
    JOIN (SELECT process, region, year, sum(value) AS capacity FROM result
        WHERE scenario = $scenario AND attribute = 'VAR_Cap' GROUP BY ALL) AS c
        ON c.process = e.process AND c.year = e.year
        AND c.region = if(e.destination IN (FROM own), e.destination, e.origin)
    JOIN process AS p ON p.scenario = $scenario AND p.process = c.process AND p.region = c.region
) AS t GROUP BY ALL"""


def _loading(
    source: Source,
    request: TradeRequest,
    trades: Trades,
    *,
    keys: pd.DataFrame,
    frames: Sequence[Frame],
    values: Numbers,
) -> Numbers:
    """Return flows as shares of what their processes could carry in the year or timeslice.

    The capacity is that of the receiving region, else of the sending one; VAR_Cap times
    PRC_CAPACT (1 where it is not given, as in TIMES) in the unit of the process's activity.
    """
    loading = np.full(values.shape, np.nan)
    query = request.query
    if request.other or not len(keys):
        return loading
    years = [query.by_timeslice] * len(frames) if query.by_timeslice else list(frames)
    arc = {key: i for i, key in enumerate(keys[_KEYS].itertuples(index=False, name=None))}
    for year, origin, destination, category, most in _capacities(source, trades):
        at = arc.get((origin, destination, category))
        if at is not None and most > 0:
            rows = [row for row, of in enumerate(years) if of == year]
            loading[rows, at] = values[rows, at] / most
    if not is_power(trades.unit):
        # In a part of the year only that part of it can be carried.
        of_frames = frames if query.by_timeslice else [query.timeslice or 0] * len(frames)
        origins, destinations = (np.tile(keys[end].to_numpy(), len(frames)) for end in _KEYS[:2])
        when = np.repeat(np.array(of_frames, dtype=object), len(keys))
        shares = shares_of_year(source, query.scenario, origins, destinations, when)
        loading /= shares.reshape(loading.shape)
    return loading


def _capacities(source: Source, trades: Trades) -> list[tuple[int, str, str, str, float]]:
    query = trades.query
    category = "e.commodity" if query.colour_by == "commodity" else f"coalesce(e.fuel, '{OTHER}')"
    rows = source.rows(
        TRADED + _CAPACITY.format(category=category),
        parameters_of(query.scenario, partners_of(source, query.scenario)),
    )
    return [
        (year, origin, destination, category, capacity * factor(unit, trades.unit))
        for year, origin, destination, category, capacity, unit in rows
        if units.is_energy(unit) and (units.is_energy(trades.unit) or is_power(trades.unit))
    ]


__all__ = ["TOTALS", "Frame", "TradeMap", "TradeRequest", "trade_map"]
