"""Making the map of a view by places: from sums per pair to places, arcs and segments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalogs.flow_records.dimensions import LevelPlaces, add_up, as_numbers, as_positions, inside
from catalogs.flow_records.pyramid import cheapest, rows_of
from catalogs.flow_records.query import FlowView
from catalogs.flowmaps.picture import (
    Arcs,
    FlowMapData,
    Numbers,
    Places,
    Positions,
    Segments,
    Shown,
    unknown,
)

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords

#: Commodities with colours of their own; where there are more, the others become one.
_MOST_CATEGORIES = 12
OTHER = "other"
#: Segments of an image at the most: the largest, where there are more.
_MOST_SEGMENTS = 2_000_000
#: Places that are shown at once, where the level is not said.
_MOST_PLACES = 2500
#: Rows beyond which the largest arc is sought in some of the buckets only, and in how many.
_MANY_ROWS = 5_000_000
_SOME_BUCKETS = 50
#: Of a level whose arcs are so many times those that are shown, the largest still tell most of it.
_LEFT_OUT = 3
_POWER = ("W", "kW", "MW", "GW", "TW")
PLACE_TOTALS = (
    *("id", "name", "longitude", "latitude", "outgoing", "incoming", "within", "members"),
)


def view_of_places(records: FlowRecords, view: FlowView) -> FlowMapData:
    """Return the map of a view by places, whose times and names have been checked."""
    return _of_places(records, view, level_of(records, view))


def is_of_lines(records: FlowRecords, view: FlowView) -> bool:
    """Whether a view shows lines of a network, not flows between places."""
    return records.about.by_line and view.level in (-1, len(records.levels) - 1)


def level_of(records: FlowRecords, view: FlowView) -> int:
    """Return the level of places that a view shows."""
    if is_of_lines(records, view):
        return len(records.levels) - 1
    return view.level if view.level >= 0 else _level(records, view)


def unit_of_sums(records: FlowRecords, view: FlowView) -> str:
    """Return the unit of sums over a stretch of time: power in MW adds up to energy in MWh.

    Steps that are no hours are said to be so; the values are the plain sums of the records.
    """
    unit, hours = records.unit, records.about.step_hours
    if unit not in _POWER or view.first == view.last:
        return unit
    if np.isnan(hours):
        return f"{unit}, added up"
    return f"{unit}h" if hours == 1 else f"{unit} × {hours:g} h"


def largest_arc(records: FlowRecords, view: FlowView, kind: str, level: int) -> float:
    """Return the largest arc in any bucket of a kind; see ``FlowRecords.largest``."""
    lines = is_of_lines(records, view)
    source = cheapest(records.stored, level, kind)
    bound: dict[str, object] = {}
    conditions = []
    rows = rows_of(source, level, kind, lines=lines)
    if view.commodities:
        bound["commodities"] = [records.commodities.index(name) for name in view.commodities]
        chosen = "(SELECT unnest($commodities::INTEGER[]))"
        conditions.append(
            f"line IN (SELECT line FROM line WHERE commodity IN {chosen})"
            if lines
            else f"commodity IN {chosen}"
        )
    if source.rows > _MANY_ROWS:
        buckets = records.buckets.get(kind)
        count = len(buckets) if buckets else len(records.steps)
        bound["some"] = np.unique(np.linspace(0, count - 1, _SOME_BUCKETS).astype(int)).tolist()
        conditions.append("bucket IN (SELECT unnest($some::INTEGER[]))")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    forward, backward, keys = "forward", "backward", "line"
    if not lines:
        where += f"{' AND' if where else ' WHERE'} origin <> destination"
        forward = "CASE WHEN origin < destination THEN forward ELSE backward END"
        backward = "CASE WHEN origin < destination THEN backward ELSE forward END"
        keys = "least(origin, destination), greatest(origin, destination), commodity"
    size = f"abs(sum({forward}) - sum({backward}))"
    if not view.is_net:
        both = (f"sum({forward})", f"sum({backward})")
        size = " + ".join(both) if lines else f"greatest({', '.join(both)})"
    [(largest,)] = records.rows(
        f"SELECT max(size) FROM (SELECT {size} AS size FROM ({rows}){where}"
        f" GROUP BY {keys}, bucket)",
        bound,
    )
    return float(largest or 0.0)


def _level(records: FlowRecords, view: FlowView) -> int:
    """Return the finest level that gives no more arcs and places than can be seen."""
    most = min(view.most, _LEFT_OUT * view.largest or view.most)
    for level in range(len(records.levels) - 1, 0, -1):
        places = records.places[level]
        seen = inside(places.longitude, places.latitude, view.bounds)
        ends = int(places.arcs[seen].sum())
        # Of all places, every arc is counted at both of its ends.
        arcs = ends / 2 if view.bounds is None else ends
        if arcs <= most and int(seen.sum()) <= _MOST_PLACES:
            return level
    return 0


def categories_of(records: FlowRecords, view: FlowView) -> tuple[tuple[str, ...], Positions]:
    """Return what colours stand for, and the one of each commodity, by its number."""
    order = [name for name in records.commodity_totals if name in (view.commodities or {name})]
    shown = order if len(order) <= _MOST_CATEGORIES else order[: _MOST_CATEGORIES - 1]
    names = tuple(shown) if len(shown) == len(order) else (*shown, OTHER)
    place = {name: number for number, name in enumerate(shown)}
    found = [place.get(name, len(names) - 1) for name in records.commodities]
    return names, np.array(found, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums by pair, whose first place has the lower number: forward is from first to second."""

    first: Positions
    second: Positions
    category: Positions
    forward: Numbers
    backward: Numbers
    records: Positions

    def chosen(self, rows: Any) -> _Sums:
        """Return some of the rows."""
        return _Sums(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @property
    def size(self) -> Numbers:
        """What flows in both directions together."""
        return self.forward + self.backward


def _ask(
    records: FlowRecords, view: FlowView, level: int, category: Positions, seen: Positions | None
) -> _Sums:
    """Ask for the sums by pair and category of flows that begin or end at the places seen."""
    rows, bound = records.rows_in(level, view.first, view.last, view.commodities)
    where = ""
    if seen is not None:
        bound["seen"] = seen.tolist()
        where = (
            " WHERE origin IN (SELECT unnest($seen::INTEGER[]))"
            " OR destination IN (SELECT unnest($seen::INTEGER[]))"
        )
    bound["categories"] = category.tolist()
    bound["most"] = _MOST_SEGMENTS
    found = records.columns(
        "SELECT least(origin, destination) AS first, greatest(origin, destination) AS second,"
        " list_extract($categories::INTEGER[], commodity + 1) AS category,"
        " sum(CASE WHEN origin <= destination THEN forward ELSE backward END) AS onward,"
        " sum(CASE WHEN origin <= destination THEN backward ELSE forward END) AS back,"
        f" sum(records)::BIGINT AS number FROM ({rows}){where} GROUP BY ALL"
        " ORDER BY onward + back DESC, first, second, category LIMIT $most",
        bound,
    )
    return _Sums(
        as_positions(found["first"]),
        as_positions(found["second"]),
        as_positions(found["category"]),
        as_numbers(found["onward"]),
        as_numbers(found["back"]),
        as_positions(found["number"]),
    )


def _of_places(records: FlowRecords, view: FlowView, level: int) -> FlowMapData:
    names, category = categories_of(records, view)
    places = records.places[level]
    seen = inside(places.longitude, places.latitude, view.bounds)
    # Places without coordinates are never out of sight: they are listed beside the map.
    unplaced = ~(np.isfinite(places.longitude) & np.isfinite(places.latitude))
    asked = None if view.bounds is None else np.flatnonzero(seen | unplaced)
    sums = _ask(records, view, level, category, asked)
    is_pair = sums.first != sums.second
    is_drawn = is_pair & ~unplaced[sums.first] & ~unplaced[sums.second] & (sums.size > 0)
    drawn = sums.chosen(is_drawn)
    arcs, rows = _arcs(drawn, is_net=view.is_net)
    there = len(arcs)
    if 0 < view.largest < there:
        arcs, rows = _first(arcs, view.largest), rows[: view.largest]
    all_records, all_value = records.totals(view.first, view.last, view.commodities)
    segments = None
    if len(arcs) > view.most:
        segments = _segments(arcs, places)
    within = sums.chosen(~is_pair)
    remarks = _remarks(sums, sums.chosen(is_pair & ~is_drawn), all_value)
    inside_of = float(within.size.sum())
    if inside_of > 0:
        one = records.levels[level]
        remarks = (f"{_percent(inside_of, all_value)} flows within one {one}", *remarks)
    if len(arcs) < there:
        remarks = (f"the {len(arcs):,} largest of {there:,} arrows", *remarks)
    # Of a net arc, what flows back is shown too; of gross ones, each is what flows its way.
    shown = Shown(
        flows=int(drawn.records[np.unique(rows)].sum()),
        all_flows=all_records,
        value=float((drawn.size[np.unique(rows)] if view.is_net else arcs.value).sum()),
        all_value=all_value,
        within=inside_of,
    )
    # Of the places seen, those whose arcs are all left out would be dots without a meaning.
    is_listed = unplaced if len(arcs) < there else seen | unplaced
    listed, positions = _places(places, sums, arcs, seen | unplaced, is_listed)
    return FlowMapData(
        places=listed,
        arcs=replace(arcs, origin=positions[arcs.origin], destination=positions[arcs.destination]),
        categories=names,
        unit=unit_of_sums(records, view),
        level=records.levels[level],
        is_net=view.is_net,
        shown=shown,
        segments=segments,
        remarks=remarks,
    )


def _arcs(sums: _Sums, *, is_net: bool) -> tuple[Arcs, Positions]:
    """Return arcs between places by their numbers, the largest first, and the row of each."""
    if is_net:
        onward = sums.forward >= sums.backward
        rows = np.flatnonzero(sums.forward != sums.backward)
        value = np.abs(sums.forward - sums.backward)[rows]
        back = np.minimum(sums.forward, sums.backward)[rows]
        is_onward = onward[rows]
    else:
        forward, backward = np.flatnonzero(sums.forward > 0), np.flatnonzero(sums.backward > 0)
        rows = np.concatenate([forward, backward])
        value = np.concatenate([sums.forward[forward], sums.backward[backward]])
        back = np.concatenate([sums.backward[forward], sums.forward[backward]])
        is_onward = np.arange(len(rows)) < len(forward)
    order = np.lexsort((rows, -value))
    rows, is_onward = rows[order], is_onward[order]
    first, second = sums.first[rows], sums.second[rows]
    arcs = Arcs(
        origin=np.where(is_onward, first, second),
        destination=np.where(is_onward, second, first),
        category=sums.category[rows],
        value=value[order],
        back=back[order],
        capacity=unknown(len(rows)),
        id=np.full(len(rows), "", dtype=object),
    )
    return arcs, rows


def _first(arcs: Arcs, count: int) -> Arcs:
    """Return the first arcs, which are the largest."""
    return Arcs(**{name: column[:count] for name, column in arcs.__dict__.items()})


def _segments(arcs: Arcs, places: LevelPlaces) -> Segments:
    return Segments(
        places.longitude[arcs.origin],
        places.latitude[arcs.origin],
        places.longitude[arcs.destination],
        places.latitude[arcs.destination],
        np.arange(len(arcs)),
        arcs.category,
        arcs.value,
    )


def _places(
    places: LevelPlaces,
    sums: _Sums,
    arcs: Arcs,
    known: NDArray[np.bool_],
    is_listed: NDArray[np.bool_],
) -> tuple[Places, Positions]:
    """Return the places listed or at the end of an arc, and the position of each number.

    Of places out of sight not all flows were asked for: what they send and receive is not known.
    """
    count = len(places)
    is_pair = sums.first != sums.second
    outgoing = add_up(sums.first, np.where(is_pair, sums.forward, 0), count)
    outgoing += add_up(sums.second, np.where(is_pair, sums.backward, 0), count)
    incoming = add_up(sums.second, np.where(is_pair, sums.forward, 0), count)
    incoming += add_up(sums.first, np.where(is_pair, sums.backward, 0), count)
    within = add_up(sums.first, np.where(is_pair, 0, sums.size), count)
    is_used = (outgoing > 0) | (incoming > 0) | (within > 0)
    is_listed = is_listed & is_used
    is_listed[arcs.origin] = True
    is_listed[arcs.destination] = True
    listed = np.flatnonzero(is_listed)
    positions = np.full(count, -1, dtype=np.int64)
    positions[listed] = np.arange(len(listed))

    def told(column: Numbers) -> Numbers:
        return np.where(known, column, np.nan)[listed]

    return (
        Places(
            id=places.id[listed],
            name=places.name[listed],
            longitude=places.longitude[listed],
            latitude=places.latitude[listed],
            outgoing=told(outgoing),
            incoming=told(incoming),
            within=told(within),
            production=unknown(len(listed)),
            use=unknown(len(listed)),
            members=places.members[listed],
        ),
        positions,
    )


def _remarks(sums: _Sums, unplaced: _Sums, all_value: float) -> tuple[str, ...]:
    remarks: list[str] = []
    lost = float(unplaced.size.sum())
    if lost > 0:
        share = _percent(lost, all_value)
        remarks.append(
            f"{share} of the energy begins or ends at places without coordinates; they are listed"
            " beside the map."
        )
    if len(sums.first) == _MOST_SEGMENTS:
        remarks.append(f"Only the {_MOST_SEGMENTS:,} largest flows were asked for.")
    return tuple(remarks)


def _percent(part: float, whole: float) -> str:
    share = 100 * part / whole if whole else 0.0
    return "less than 0.1%" if share < 0.1 else f"{share:.1f}%"
