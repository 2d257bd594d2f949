"""The ways of arcs over the map: great circles, bent to one side so that both ways can be seen.

Great circles by spherical interpolation (slerp); the short way round by their nature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalogs.flowmaps.picture import Paths
from components.flowmap.projection import MapProjection, Numbers

#: Points of a way: at least, at most, and degrees between two of them.
_FEWEST, _MOST, _SPACING = 12, 48, 2.0
#: How far an arc swings out to its right side, as a share of its length.
BEND = 0.14


@dataclass(frozen=True, eq=False)
class Routes:
    """Ways on the map's plane in metres: way ``i`` has the points ``starts[i]`` to
    ``starts[i + 1]``. A way over the edge of the map has a point of NaN where it leaves it."""

    starts: NDArray[np.int64]
    x: Numbers
    y: Numbers


def great_circle(
    origin: tuple[float, float], destination: tuple[float, float], points: int
) -> tuple[Numbers, Numbers]:
    """Return longitudes (-180 to 180) and latitudes on the shortest way between two places.

    Both are given as longitude and latitude.
    """
    start, end = _unit(*origin), _unit(*destination)
    angle = float(np.arctan2(np.linalg.norm(np.cross(start, end)), start @ end))
    share = np.linspace(0.0, 1.0, points)[:, None]
    if angle < 1e-9:
        way = np.repeat(start[None, :], points, axis=0)
    elif np.pi - angle < 1e-6:  # opposite ends of the earth: any way is as short, over the pole
        turned = start * np.cos(share * np.pi) + np.array([0, 0, 1.0]) * np.sin(share * np.pi)
        way = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    else:
        way = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
    latitude = np.degrees(np.arcsin(np.clip(way[:, 2], -1, 1)))
    return np.degrees(np.arctan2(way[:, 1], way[:, 0])), latitude


def _unit(longitude: float, latitude: float) -> Numbers:
    east, north = np.radians(longitude), np.radians(latitude)
    return np.array([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])


def angle_between(
    longitude_from: Numbers, latitude_from: Numbers, longitude_to: Numbers, latitude_to: Numbers
) -> Numbers:
    """Return how far places are apart in degrees (haversine)."""
    a, b = np.radians(latitude_from), np.radians(latitude_to)
    east = np.radians(longitude_to - longitude_from)
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(east / 2) ** 2
    degrees: Numbers = np.degrees(2 * np.arcsin(np.sqrt(np.clip(h, 0, 1))))
    return degrees


def lay_routes(
    projection: MapProjection,
    longitude: Numbers,
    latitude: Numbers,
    origin: NDArray[np.int64],
    destination: NDArray[np.int64],
) -> Routes:
    """Return the way of each arc between places; one without coordinates has no points.

    Seen from its origin an arc swings to its right, so that what flows there and back are two.
    """
    ends = (longitude[origin], latitude[origin], longitude[destination], latitude[destination])
    known = np.asarray(np.isfinite(ends).all(axis=0))
    apart = np.where(known, angle_between(*ends), 0.0)
    counts = np.clip(np.ceil(np.nan_to_num(apart) / _SPACING) + 1, _FEWEST, _MOST).astype(int)
    counts = np.where(known, counts, 0)
    starts = np.concatenate([[0], np.cumsum(counts)])
    arc = np.repeat(np.arange(len(origin)), counts)
    share = (np.arange(starts[-1]) - starts[arc]) / (counts[arc] - 1)
    longitudes, latitudes = _great_circles(
        (ends[0][arc], ends[1][arc]), (ends[2][arc], ends[3][arc]), share
    )
    east = projection.around(longitudes)
    over_the_edge = (np.abs(np.diff(east, prepend=np.nan)) > 180.0) & (share > 0)
    x, y = projection.forward_around(east, latitudes)
    # Those over the edge of the map, and to the other end of the earth, are laid one by one.
    single = np.unique(np.concatenate([arc[over_the_edge], np.flatnonzero(apart > 179.9)]))
    first, last = starts[arc], starts[arc + 1] - 1
    swing = BEND * 4 * share * (1 - share)
    x, y = x + swing * (y[last] - y[first]), y - swing * (x[last] - x[first])
    if not len(single):
        return Routes(starts, x, y)
    xs = np.split(x, starts[1:-1])
    ys = np.split(y, starts[1:-1])
    for place in single:
        ends_of = tuple(float(end[place]) for end in ends)
        xs[place], ys[place] = _way(projection, ends_of, int(counts[place]))
    lengths = [len(way) for way in xs]
    return Routes(np.concatenate([[0], np.cumsum(lengths)]), np.concatenate(xs), np.concatenate(ys))


def _great_circles(
    origin: tuple[Numbers, Numbers], destination: tuple[Numbers, Numbers], share: Numbers
) -> tuple[Numbers, Numbers]:
    """Return the point at a share of the way of each pair of places; see ``great_circle``."""
    start, end = _units(*origin), _units(*destination)
    angle = np.arctan2(np.linalg.norm(np.cross(start, end), axis=1), (start * end).sum(axis=1))
    far = np.where(angle > 1e-9, angle, 1.0)
    weight_from = np.where(angle > 1e-9, np.sin((1 - share) * far) / np.sin(far), 1 - share)
    weight_to = np.where(angle > 1e-9, np.sin(share * far) / np.sin(far), share)
    way = weight_from[:, None] * start + weight_to[:, None] * end
    latitude = np.degrees(np.arcsin(np.clip(way[:, 2], -1, 1)))
    return np.degrees(np.arctan2(way[:, 1], way[:, 0])), latitude


def _units(longitude: Numbers, latitude: Numbers) -> Numbers:
    east, north = np.radians(longitude), np.radians(latitude)
    return np.column_stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
    )


def _way(projection: MapProjection, ends: Any, points: int) -> tuple[Numbers, Numbers]:
    longitude, latitude = great_circle(ends[:2], ends[2:], points)
    east = projection.around(longitude)
    jumps = np.flatnonzero(np.abs(np.diff(east)) > 180.0)
    if not len(jumps):
        return _bent(*projection.forward_around(east, latitude))
    # Over the edge: out on one side, in again on the other. No bend, which would part the ends.
    for jump in jumps[::-1]:
        side = 180.0 * np.sign(east[jump])
        rest = side - east[jump]
        total = (east[jump + 1] + 2 * side) - east[jump]
        share = rest / total if total else 0.5
        crossing = latitude[jump] + share * (latitude[jump + 1] - latitude[jump])
        east = np.insert(east, jump + 1, [side, np.nan, -side])
        latitude = np.insert(latitude, jump + 1, [crossing, np.nan, crossing])
    return projection.forward_around(east, latitude)


def _bent(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Push the middle of a way to its right, by a share of the distance of its ends."""
    along_x, along_y = x[-1] - x[0], y[-1] - y[0]
    share = np.linspace(0.0, 1.0, len(x))
    swing = BEND * 4 * share * (1 - share)
    return x + swing * along_y, y - swing * along_x


def routes_of_paths(projection: MapProjection, paths: Paths) -> Routes:
    """Return the ways of lines that have a geometry of their own.

    A line over the edge of the map begins anew on its other side.
    """
    east = projection.around(paths.longitude)
    x, y = projection.forward_around(east, paths.latitude)
    far = np.flatnonzero(np.abs(np.diff(east)) > 180.0) + 1
    x[far], y[far] = np.nan, np.nan
    return Routes(np.asarray(paths.starts), x, y)
