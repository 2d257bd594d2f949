"""A user's own shapes of regions: ``semantics/places.geojson`` or ``semantics/places.parquet``.

A feature's region is its property region, place, id or name, the first there is; several features
of one region are one shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import shapely

from catalogs import semantics
from catalogs.errors import UnreadableFileError
from catalogs.flowmaps.features import read_features

_KEYS = ("region", "place", "id", "name")
_EXPECTED = "features with the region's code in the property region, place, id or name"
_IN_DEGREES = "shapes in degrees (WGS 84), longitude first; geographic tools save them so"
_POLYGONS = ("Polygon", "MultiPolygon")


def own_shapes() -> Mapping[str, Any]:
    """Return the user's shapes by region, in degrees from -180 to 180; none where none are given.

    Broken ones (rings that cross themselves) are mended. Raises ``UnreadableFileError`` for a file
    that is not what it should be, and for coordinates that are no degrees.
    """
    path = semantics.own_shapes()
    return _shapes_of(path, path.stat().st_mtime_ns) if path is not None else {}


@lru_cache(maxsize=4)
def _shapes_of(path: Path, _changed: int) -> Mapping[str, Any]:
    found = read_features(path)
    columns = [found.properties[key] for key in _KEYS if key in found.properties]
    if not columns and len(found):
        raise UnreadableFileError(path.name, "no feature says which region it is of.", _EXPECTED)
    shapes: dict[str, Any] = {}
    for number, shape in enumerate(found.geometry):
        name = next((str(column[number]) for column in columns if column[number]), "")
        if name and number in found.unread:
            raise UnreadableFileError(
                path.name,
                f"the geometry of {name!r} cannot be read.",
                "a polygon, or several",
                details=found.unread[number][:500],
            )
        if not name or shape is None or shape.is_empty:
            continue
        _check_earth(path, name, shape)
        whole = _cut_at_180(_mended(shape))
        shapes[name] = shapely.union_all([shapes[name], whole]) if name in shapes else whole
    return shapes


def _check_earth(path: Path, name: str, shape: Any) -> None:
    west, south, east, north = shape.bounds
    if west >= -360 and east <= 360 and south >= -90 and north <= 90:
        return
    swapped = west >= -90 and east <= 90 and south >= -360 and north <= 360
    raise UnreadableFileError(
        path.name,
        f"the shape of {name!r} goes from {west:g} to {east:g} east and from {south:g} to {north:g}"
        f" north.{' Latitude and longitude may be swapped.' * swapped}",
        _IN_DEGREES,
    )


def _mended(shape: Any) -> Any:
    """Return a valid shape; of what a broken one falls into, the parts with an area."""
    if shape.is_valid:
        return shape
    made = shapely.make_valid(shape)
    parts = [p for p in shapely.get_parts(shapely.get_parts(made)) if p.geom_type in _POLYGONS]
    return shapely.union_all(parts) if parts else made


def _cut_at_180(shape: Any) -> Any:
    """Return a shape whose longitudes beyond 180 degrees are on the other side of the world."""
    west, _, east, _ = shape.bounds
    if west >= -180 and east <= 180:
        return shape
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        part = shapely.clip_by_rect(shape, -180.0 + turn, -90.0, 180.0 + turn, 90.0)
        parts.append(shapely.transform(part, lambda p, by=turn: p - [by, 0.0]))
    return shapely.union_all(parts)
