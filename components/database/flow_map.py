"""A result as a flow map, where its columns say what flows from where to where, and that is known.

A place is a region of the dataset, a country by its code or name, or what the result itself gives
coordinates of (``COORDINATES``). What nobody knows the place of is not drawn, and that is said.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from catalogs import palette
from catalogs.errors import TimesError
from catalogs.flowmaps.picture import Arcs, FlowMapData, Places, Shown, texts, unknown
from catalogs.flowmaps.places import Place, find_places, is_on_earth
from catalogs.source import Source
from components.database import flows
from components.database.cells import count_of
from components.flowmap.basemap import BaseMap, View
from components.flowmap.picture import MOST_ARCS, bounds_of, params_of, projection_for, routes_of
from components.flowmap.view import pack_frame
from components.numbers import significant

#: Columns of latitude and longitude (degrees, WGS 84) of a flow's two ends.
COORDINATES = flows.COORDINATES
#: Places without a spot that are named; more are counted.
_MOST_NAMED = 6
_REMEDY = (
    "Name the regions of the dataset or countries (by code or name), or give the query the columns"
    f" {', '.join(COORDINATES[:3])} and {COORDINATES[3]} in degrees."
)


@dataclass(frozen=True, eq=False)
class ResultMap:
    """What is drawn: the params of a ``FlowMapView``, the map below it, the legend, what is said.

    ``legend`` are entries of a ``ChartKey``; none where only one kind of thing flows, unnamed.
    """

    data: FlowMapData
    params: dict[str, Any]
    base: BaseMap
    legend: list[dict[str, str]]


def draw_map(table: pa.Table, source: Source, before: BaseMap | None = None) -> ResultMap:
    """Return what is drawn of a result; the map below is the one of before where it fits.

    Raises ``TimesError`` where the columns do not fit, or no flow has two known ends.
    """
    data = flow_map_data(table, source)
    projection = projection_for(data)
    if before is not None and before.projection == projection:
        base = before
    else:
        x0, x1, y0, y1 = bounds_of(data, projection)
        base = BaseMap(projection, View(x0, x1, y0, y1))
    colours = _colours(data.categories, source.group_looks)
    words = {
        "fit": f"{source.dataset} {','.join(sorted(data.places.id))} {projection}",
        "title": "Flows of the result",
        "foot": data.shown.sentence("amount"),
        "categories": [
            {"label": name, "colour": colour} for name, colour in colours.items()
        ],
        "most": float(data.arcs.value.max()),
        "discs": {"most": 0, "largest": 0, "labels": []},
    }  # fmt: skip
    params = params_of(data, projection, routes_of(data, projection), words)
    nothing = unknown(2 * len(data.places))
    params["frame"] = pack_frame(data.arcs.value, data.arcs.loading, nothing)
    return ResultMap(data, params, base, _legend(data, colours))


def flow_map_data(table: pa.Table, source: Source) -> FlowMapData:
    """Return the flows of a result between places; ``remarks`` say what is not drawn.

    Raises ``TimesError`` as ``draw_map`` does.
    """
    ends = flows.needed_ends(table)
    remarks: list[str] = []
    sums, unit = flows.sums_of(table, ends, remarks)
    if not sums:
        raise TimesError("No flow is above zero.", "Change the query so that it returns some.")
    names = sorted({name for origin, destination, _ in sums for name in (origin, destination)})
    places = _places(table, ends, names, source)
    drawn = {
        (origin, destination, kind): value
        for (origin, destination, kind), value in sums.items()
        if origin != destination and {origin, destination} <= places.keys()
    }
    remarks += _not_drawn(sums, places, unit)
    if not drawn:
        raise TimesError(
            " ".join(["No flow of this result goes from one known place to another.", *remarks]),
            _REMEDY,
        )
    kept = flows.largest(drawn, MOST_ARCS, remarks)
    return _data(kept, sums, places, unit, remarks)


def _places(
    table: pa.Table, ends: tuple[str, str, str], names: Iterable[str], source: Source
) -> Mapping[str, Place]:
    """Return the places that are known; coordinates in the result come first."""
    told = _told(table, ends)
    found = [
        replace(place, latitude=told[place.id][0], longitude=told[place.id][1])
        if place.id in told
        else place
        for place in find_places(source, names)
    ]
    return {place.id: place for place in found if place.is_known}


def _told(table: pa.Table, ends: tuple[str, str, str]) -> dict[str, tuple[float, float]]:
    """Return the latitude and longitude that a result tells of its places: the first there are."""
    by_name = {name.lower(): name for name in table.column_names}
    found: dict[str, tuple[float, float]] = {}
    for end, columns in zip(ends[:2], (COORDINATES[:2], COORDINATES[2:]), strict=True):
        if not all(flows.has_number(table, by_name.get(column)) for column in columns):
            continue
        named = (end, *(by_name[column] for column in columns))
        rows = zip(*(table.column(name).to_pylist() for name in named), strict=True)
        for name, latitude, longitude in rows:
            if None not in (name, latitude, longitude) and is_on_earth(latitude, longitude):
                found.setdefault(str(name), (float(latitude), float(longitude)))
    return found


def _not_drawn(sums: flows.Links, places: Mapping[str, Place], unit: str) -> list[str]:
    """Say what has no spot on the map, and what stays in one place."""
    remarks = []
    amounts: defaultdict[str, float] = defaultdict(float)
    lost = 0.0
    for (origin, destination, _), value in sums.items():
        missing = {origin, destination} - places.keys()
        lost += value if missing else 0.0
        for name in missing:
            amounts[name] += value
    if amounts:
        named = sorted(amounts, key=lambda name: (-amounts[name], name))
        text = ", ".join(named[:_MOST_NAMED])
        if len(named) > _MOST_NAMED:
            text += f" and {count_of(len(named) - _MOST_NAMED)} more"
        amount = f"{significant(lost)} {unit}".strip()
        remarks.append(
            f"Not on the map, because nobody says where they are: {text}"
            f" ({amount} from or to there)."
        )
    within = math.fsum(v for (o, d, _), v in sums.items() if o == d and o in places)
    if within:
        amount = f"{significant(within)} {unit}".strip()
        remarks.append(f"Not drawn is what stays in its place: {amount}.")
    return remarks


def _data(
    kept: flows.Links,
    sums: flows.Links,
    places: Mapping[str, Place],
    unit: str,
    remarks: Iterable[str],
) -> FlowMapData:
    totals: defaultdict[str, float] = defaultdict(float)
    outgoing: defaultdict[str, float] = defaultdict(float)
    incoming: defaultdict[str, float] = defaultdict(float)
    for (origin, destination, kind), value in kept.items():
        totals[kind] += value
        outgoing[origin] += value
        incoming[destination] += value
    kinds = sorted(totals, key=lambda kind: (-totals[kind], kind))
    shown = [places[name] for name in sorted({*outgoing, *incoming})]
    at = {place.id: i for i, place in enumerate(shown)}
    rows = len(kept)
    return FlowMapData(
        places=Places(
            id=texts([place.id for place in shown]),
            name=texts([place.name for place in shown]),
            longitude=np.array([place.longitude for place in shown], float),
            latitude=np.array([place.latitude for place in shown], float),
            outgoing=np.array([outgoing[place.id] for place in shown], float),
            incoming=np.array([incoming[place.id] for place in shown], float),
            within=np.zeros(len(shown)),
            production=unknown(len(shown)),
            use=unknown(len(shown)),
            members=np.ones(len(shown), dtype=np.int64),
        ),
        arcs=Arcs(
            origin=np.array([at[origin] for origin, _, _ in kept], dtype=np.int64),
            destination=np.array([at[destination] for _, destination, _ in kept], dtype=np.int64),
            category=np.array([kinds.index(kind) for _, _, kind in kept], dtype=np.int64),
            value=np.array(list(kept.values()), float),
            back=unknown(rows),
            capacity=unknown(rows),
            id=texts([""] * rows),
        ),
        categories=tuple(kinds),
        unit=unit,
        is_net=False,
        shown=Shown(rows, len(sums), math.fsum(kept.values()), math.fsum(sums.values())),
        remarks=tuple(remarks),
    )


def _colours(kinds: Iterable[str], looks: palette.Looks | None) -> dict[str, str]:
    """Return the colour of each kind, as every tool has it."""
    members = sorted(kinds)
    return {
        kind: palette.colour("fuel", kind, members, looks) if kind else palette.CATEGORICAL[0]
        for kind in kinds
    }


def _legend(data: FlowMapData, colours: Mapping[str, str]) -> list[dict[str, str]]:
    amounts = np.bincount(data.arcs.category, data.arcs.value, len(data.categories))
    return [
        {"code": kind, "label": kind or "other", "colour": colour, "amount": significant(amount)}
        for (kind, colour), amount in zip(colours.items(), amounts.tolist(), strict=True)
        if len(colours) > 1 or kind
    ]
