"""From a trade map to what the browser is sent: colours, widths, words, and ways on the plane."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from catalogs import palette
from catalogs.flowmaps.picture import FlowMapData
from catalogs.flowmaps.places import OUTSIDE, UNKNOWN
from catalogs.flowmaps.totals import SIGNED
from catalogs.flowmaps.trade_map import Frame, TradeMap
from catalogs.source import Source
from components.flowmap.areas import NO_AREAS, bounds_of_own, has_area, lay_areas
from components.flowmap.projection import MapProjection, choose_projection
from components.flowmap.routes import Routes, lay_routes
from components.flowmap.view import pack_ends, pack_frame, pack_routes
from components.names import readable

#: Arcs beyond which an image is drawn instead.
MOST_ARCS = 5000
#: Points of a way whose one end stands at the map's edge; the browser lays it.
_EDGE_POINTS = 24
#: Pixels of the widest arc: with many of them less.
_WIDEST, _NARROWEST = 16.0, 5.0
_LARGEST_DISC = 20.0
_EDGES = (OUTSIDE, UNKNOWN)
_serial = count(1)


@dataclass(frozen=True)
class Scale:
    """The values that are drawn widest and largest, shared by all frames and maps beside."""

    most: float
    most_total: float


def scale_of(*maps: TradeMap) -> Scale:
    """Return the one scale for all frames of all maps."""
    return Scale(
        most=max((float(np.abs(m.values).max(initial=0.0)) for m in maps), default=0.0),
        most_total=max(
            (float(np.abs(np.nan_to_num(m.totals)).max(initial=0.0)) for m in maps), default=0.0
        ),
    )


def widest(arcs: int) -> float:
    """Return how many pixels wide the largest of so many arcs is drawn."""
    return float(np.clip(_WIDEST - 2.2 * np.log10(max(arcs, 1) / 30), _NARROWEST, _WIDEST))


def projection_for(data: FlowMapData, *, tiles: bool = False) -> MapProjection:
    """Return the projection for a picture's places and arcs."""
    places, arcs = data.places, data.arcs
    return choose_projection(
        places.longitude, places.latitude, arcs.origin, arcs.destination, tiles=tiles
    )


def routes_of(data: FlowMapData, projection: MapProjection) -> Routes:
    """Return the ways of a picture's arcs; those to the map's edge have room for points."""
    places, arcs = data.places, data.arcs
    routes = lay_routes(
        projection, places.longitude, places.latitude, arcs.origin, arcs.destination
    )
    to_edge = np.isin(places.id, _EDGES)[arcs.origin] | np.isin(places.id, _EDGES)[arcs.destination]
    if not to_edge.any():
        return routes
    lengths = np.where(to_edge, _EDGE_POINTS, np.diff(routes.starts))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    x, y = np.zeros(starts[-1]), np.zeros(starts[-1])
    for arc in np.flatnonzero(~to_edge):
        here, there = slice(*starts[arc : arc + 2]), slice(*routes.starts[arc : arc + 2])
        x[here], y[here] = routes.x[there], routes.y[there]
    return replace(routes, starts=starts, x=x, y=y)


def bounds_of(data: FlowMapData, projection: MapProjection) -> list[float]:
    """Return x0, x1, y0, y1 of all places; the world where none is known."""
    known = data.places.is_placed
    if not known.any():
        return [-1.3e7, 1.5e7, -6.5e6, 1.1e7]
    x, y = projection.forward(data.places.longitude[known], data.places.latitude[known])
    # A single place is shown with the land around it.
    room = max(4e5 - (x.max() - x.min()), 4e5 - (y.max() - y.min()), 0.0) / 2
    return [
        float(x.min() - room), float(x.max() + room), float(y.min() - room), float(y.max() + room),
    ]  # fmt: skip


def bounds_of_map(shown: TradeMap, projection: MapProjection) -> list[float]:
    """Return x0, x1, y0, y1 of a trade map's places, and of its regions where they are filled."""
    bounds = bounds_of(shown.data, projection)
    if not shown.request.is_filled or not shown.total_names:
        return bounds
    return bounds_of_own(projection, shown.outlines, bounds)


def colours_of(shown: TradeMap, source: Source, among: Collection[str] = ()) -> list[str]:
    """Return the colour of each category; ``among`` are those of all maps beside each other."""
    dimension = shown.request.query.colour_by
    members = sorted(among or shown.data.categories)
    return [
        palette.colour(dimension, name, members, source.group_looks)
        for name in shown.data.categories
    ]


def picture_of(
    shown: TradeMap,
    source: Source,
    projection: MapProjection,
    scale: Scale,
    *,
    title: str,
    foot: str = "",
    tiles: bool = False,
    labels: dict[str, str] | None = None,
    among: Collection[str] = (),
) -> dict[str, Any]:
    """Return the params of a ``FlowMapView`` for a trade map, but for the frame."""
    data = shown.data
    kept = set(shown.request.kept) or set(data.categories)
    labels_of_totals = shown.total_names
    is_filled = shown.request.is_filled and bool(labels_of_totals)
    is_signed = bool(shown.request.other) or labels_of_totals in [(name,) for name in SIGNED]
    bounds = bounds_of_map(shown, projection)
    words = {
        "fit": f"{source.dataset} {','.join(sorted(data.places.id))} {projection}"
        f"{' filled' * is_filled}",
        "bounds": bounds,
        "title": title,
        "foot": foot,
        "categories": [
            {"label": (labels or {}).get(name, name), "colour": colour, "seen": name in kept}
            for name, colour in zip(data.categories, colours_of(shown, source, among), strict=True)
        ],
        "most": scale.most,
        "discs": _discs(scale.most_total, labels_of_totals) | {"is_signed": is_signed},
        "is_difference": bool(shown.request.other),
        "base": readable(shown.request.query.scenario),
        "has_tiles": tiles,
        "hint": "Click for years, timeslices, prices",
    }
    if is_filled:
        words["fills"] = {
            "most": scale.most_total, "label": labels_of_totals[0], "is_signed": is_signed,
            "has_discs": not all(map(has_area, shown.outlines)),
        }  # fmt: skip
    areas = lay_areas(projection, shown.outlines, bounds) if is_filled else NO_AREAS
    return params_of(data, projection, routes_of(data, projection), words) | areas.packed()


def _discs(most: float, labels: Sequence[str]) -> dict[str, Any]:
    return {"most": most if labels else 0, "largest": _LARGEST_DISC, "labels": list(labels)}


def params_of(
    data: FlowMapData, projection: MapProjection, routes: Routes, words: dict[str, Any]
) -> dict[str, Any]:
    """Return the params of a ``FlowMapView`` for any flow map, but for the frame.

    ``words`` are those of its picture that data do not tell: title, colours, scales.
    """
    places = data.places
    x, y = projection.forward(places.longitude, places.latitude)
    weight = np.nan_to_num(places.outgoing) + np.nan_to_num(places.incoming)
    placed = np.isfinite(x)
    picture = {
        "key": next(_serial),
        "unit": data.unit,
        "places": [
            {
                "name": str(places.name[i]),
                "description": str(places.id[i]).lstrip("@"),
                "x": float(x[i]) if placed[i] else None,
                "y": float(y[i]) if placed[i] else None,
                "edge": places.id[i] in _EDGES,
                "weight": float(weight[i]),
            }
            for i in range(len(places))
        ],
        "bounds": bounds_of(data, projection),
        "widest": widest(len(data.arcs)),
        "dot": 4 if len(places) < 150 else 2 if len(places) < 1200 else 1.2,
        "has_scale": True,
        "is_bent": True,
        **words,
    }
    return {
        "picture": picture,
        "ends": pack_ends(data.arcs.origin, data.arcs.destination, data.arcs.category),
        **pack_routes(routes),
    }


def frame_of(shown: TradeMap, frame: Frame) -> bytes:
    """Return the values of a year or timeslice as the browser takes them."""
    row = shown.at(frame)
    return pack_frame(shown.values[row], shown.loading[row], shown.totals[row])
