"""Land, borders and outlines of countries, read from the file of this folder.

Geometry is in degrees (WGS 84), longitudes from -180 to 180; land is cut at 180 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

FILE = "world.parquet"
#: The coarsest first: one in so many million.
RESOLUTIONS = ("110m", "50m", "10m")
#: What a row of the file is part of.
LAND, BORDER, COUNTRY = "land", "border", "country"
#: Coordinates are kept as whole numbers of this many degrees, about 100 m.
STEP = 0.001
_POLYGON = 3

#: An array of geometries.
Shapes = NDArray[Any]


@dataclass(frozen=True, eq=False)
class World:
    """One resolution of the world: polygons of land, and lines between countries (no coasts)."""

    land: Shapes
    borders: Shapes


@lru_cache(maxsize=len(RESOLUTIONS))
def read(resolution: str) -> World:
    """Return the world at a resolution, one of ``RESOLUTIONS``; read once per process."""
    return World(_shapes(resolution, LAND), _shapes(resolution, BORDER))


@lru_cache(maxsize=512)
def outline(number: str, resolution: str = "50m") -> Any | None:
    """Return the outline of a country by ISO 3166-1 number ("208"), in degrees.

    None for a country that is not drawn at this resolution; the finest has none.
    """
    shapes = _shapes(resolution, COUNTRY, number)
    return shapely.multipolygons(shapes) if len(shapes) else None


def _shapes(resolution: str, kind: str, country: str = "") -> Shapes:
    with as_file(files(__package__).joinpath(FILE)) as path:
        table = pq.read_table(
            path,
            filters=(pc.field("resolution") == resolution)
            & (pc.field("kind") == kind)
            & (pc.field("country") == country),
        ).combine_chunks()
    if table.num_rows == 0:
        return np.empty(0, dtype=object)
    x, starts = _points(table["x"])
    y, _ = _points(table["y"])
    points = np.column_stack([x, y]) * STEP
    rings = np.repeat(np.arange(table.num_rows), np.diff(starts))
    if kind == BORDER:
        return np.asarray(shapely.linestrings(points, indices=rings))
    made = shapely.linearrings(points, indices=rings)
    shapes = shapely.polygons(made, indices=_renumbered(table["polygon"].to_numpy()))
    # Valid on the file's grid, a few are not quite in binary fractions of degrees.
    wrong = ~shapely.is_valid(shapes)
    shapes[wrong] = shapely.make_valid(shapes[wrong])
    parts = shapely.get_parts(shapely.get_parts(shapes))
    return np.asarray(parts[shapely.get_type_id(parts) == _POLYGON])


def _points(column: pa.ChunkedArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return coordinates from steps, each ring begun anew, and where rings start."""
    lists = column.chunk(0)
    starts = lists.offsets.to_numpy().astype(np.int64)
    moves = lists.flatten().to_numpy().astype(np.int64)
    total = np.concatenate([[0], np.cumsum(moves)])
    before = np.repeat(total[starts[:-1]], np.diff(starts))
    return (total[1:] - before).astype(np.float64), starts


def _renumbered(numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """Count polygons from 0 without gaps: a hole has the number of the ring around it."""
    return np.concatenate([[0], np.cumsum(np.diff(numbers) != 0)]).astype(np.int64)
