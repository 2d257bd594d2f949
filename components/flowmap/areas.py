"""Outlines of regions on the plane of the map, to be filled by what a region produces or uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from catalogs.flowmaps.places import COUNTRY_PREFIX, Place
from components.flowmap.basemap import on_map
from components.flowmap.projection import MapProjection, Numbers

#: How often a reader may zoom in to twice the size before an outline looks coarse.
_DOUBLINGS = 3
_PIXELS = 1000
#: Around places there is room for labels, which their regions may take: a share of the map.
_ROOM = 0.11
_WORLD = (-180.0, -90.0, 180.0, 90.0)
_POLYGON = 3


@dataclass(frozen=True, eq=False)
class Areas:
    """Rings of outlines: ring ``i`` is of place ``place[i]``, with the points ``starts[i]`` to
    ``starts[i + 1]``; a place's rings are filled by the even-odd rule, so that holes are holes."""

    place: NDArray[np.int64]
    starts: NDArray[np.int64]
    x: Numbers
    y: Numbers

    def packed(self) -> dict[str, bytes]:
        """Return it as the view takes it."""
        points = np.column_stack([self.x, self.y]).astype("<f4")
        rings = np.column_stack([np.append(self.place, 0), self.starts]).astype("<u4")
        return {"outlines": points.tobytes(), "rings": rings.tobytes()}


NO_AREAS = Areas(np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0), np.empty(0))


def has_area(place: Place) -> bool:
    """Whether a place has an outline with an area, not a point or a line only."""
    return place.outline is not None and place.outline.area > 0


def lay_areas(projection: MapProjection, places: Sequence[Place], bounds: Sequence[float]) -> Areas:
    """Return the outlines of those places that have one.

    ``bounds`` are x0, x1, y0, y1 of what is to be seen at first: outlines are as fine as is seen
    there, and for some zooming in.
    """
    span = max(bounds[1] - bounds[0], bounds[3] - bounds[2])
    tolerance = span / _PIXELS / 2 / 2**_DOUBLINGS
    owners: list[int] = []
    rings: list[NDArray[np.float64]] = []
    for at, place in enumerate(places):
        if not has_area(place):
            continue
        for ring in _rings(_Shape(place.outline), projection, tolerance):
            owners.append(at)
            rings.append(ring)
    if not rings:
        return NO_AREAS
    points = np.concatenate(rings)
    starts = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])])
    return Areas(np.array(owners, np.int64), starts.astype(np.int64), points[:, 0], points[:, 1])


def bounds_of_own(
    projection: MapProjection, places: Sequence[Place], bounds: Sequence[float]
) -> list[float]:
    """Return bounds widened to show the model's own regions: the largest part of each."""
    x0, x1, y0, y1 = bounds
    for place in places:
        if not has_area(place) or place.id.startswith(COUNTRY_PREFIX):
            continue
        parts = shapely.get_parts(place.outline)
        largest = max(parts, key=lambda part: float(part.area))
        cut = on_map(projection, np.array([largest]), _WORLD, (x1 - x0) / _PIXELS)
        if len(cut):
            west, south, east, north = shapely.total_bounds(cut)
            dx, dy = _ROOM * (east - west), _ROOM * (north - south)
            west, east, south, north = west + dx, east - dx, south + dy, north - dy
            x0, x1, y0, y1 = min(x0, west), max(x1, east), min(y0, south), max(y1, north)
    return [float(x0), float(x1), float(y0), float(y1)]


class _Shape:
    """A shape as a key of a cache: shapes of thousands of points are compared by identity."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape

    def __hash__(self) -> int:
        return id(self.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shape) and other.shape is self.shape


@lru_cache(maxsize=512)
def _rings(
    shape: _Shape, projection: MapProjection, tolerance: float
) -> tuple[NDArray[np.float64], ...]:
    parts = shapely.get_parts(shapely.get_parts(shape.shape))
    laid = on_map(projection, np.asarray(parts), _WORLD, tolerance)
    laid = laid[shapely.get_type_id(laid) == _POLYGON]
    return tuple(
        shapely.get_coordinates(ring)
        for polygon in laid
        for ring in (polygon.exterior, *polygon.interiors)
    )
