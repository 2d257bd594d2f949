"""From degrees to the plane of the map and back.

Two projections: Mercator, as web maps have it (tiles fit), for a part of the world; Equal Earth
for the whole of it. The world is cut opposite of ``centre``, where the fewest flows cross.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import cartopy.crs as ccrs
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Mercator goes to infinity at the poles; web maps end here.
MERCATOR_LATITUDE = 85.0
#: Wider than this many degrees, places are shown on the whole world.
_WIDE = 110.0


@dataclass(frozen=True)
class MapProjection:
    """A projection of the world with a longitude in its middle."""

    kind: Literal["mercator", "equal_earth"] = "mercator"
    centre: float = 0.0

    @cached_property
    def crs(self) -> Any:
        """The projection as cartopy and GeoViews know it."""
        if self.kind == "equal_earth":
            return ccrs.EqualEarth(central_longitude=self.centre)
        # Tiles are cut for exactly this one.
        if self.centre == 0:
            return ccrs.GOOGLE_MERCATOR
        return ccrs.Mercator.GOOGLE.__class__(central_longitude=self.centre)

    @property
    def takes_tiles(self) -> bool:
        """Whether web tiles fit."""
        return self.kind == "mercator" and self.centre == 0

    def around(self, longitude: Numbers) -> Numbers:
        """Return longitudes as degrees east of the middle, from -180 to 180."""
        turned: Numbers = (np.asarray(longitude, float) - self.centre + 180.0) % 360.0 - 180.0
        return turned

    def forward(self, longitude: Numbers, latitude: Numbers) -> tuple[Numbers, Numbers]:
        """Return where places in degrees lie on the map, in metres; NaN for NaN."""
        return self.forward_around(self.around(longitude), latitude)

    def forward_around(self, east: Numbers, latitude: Numbers) -> tuple[Numbers, Numbers]:
        """Return where places lie whose longitude is given in degrees east of the middle."""
        bound = MERCATOR_LATITUDE if self.kind == "mercator" else 90.0
        latitude = np.clip(np.asarray(latitude, float), -bound, bound)
        plain = _plane(self.kind)
        points = plain.transform_points(ccrs.PlateCarree(), np.asarray(east, float), latitude)
        return points[..., 0], points[..., 1]

    def backward(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Return longitude (degrees east of the middle) and latitude of points of the map."""
        points = ccrs.PlateCarree().transform_points(
            _plane(self.kind), np.asarray(x, float), np.asarray(y, float)
        )
        return points[..., 0], points[..., 1]

    def to_degrees(self, x: float, y: float) -> tuple[float, float]:
        """Return longitude (-180 to 180) and latitude of a point of the map."""
        east, latitude = self.backward(np.array([x]), np.array([y]))
        longitude = (float(east[0]) + self.centre + 180.0) % 360.0 - 180.0
        return longitude, float(latitude[0])


_PLANES: dict[str, Any] = {}


def _plane(kind: str) -> Any:
    """The projection with longitude 0 in its middle: others only shift it."""
    if kind not in _PLANES:
        _PLANES[kind] = ccrs.GOOGLE_MERCATOR if kind == "mercator" else ccrs.EqualEarth()
    return _PLANES[kind]


def choose_projection(
    longitude: Numbers,
    latitude: Numbers,
    origin: NDArray[np.int64],
    destination: NDArray[np.int64],
    *,
    tiles: bool = False,
) -> MapProjection:
    """Return the projection for places and the arcs between them.

    The world is cut where no arc crosses, or the fewest; of equals, as near to 180 degrees as can
    be. With tiles it is always cut at 180 degrees, where they are.
    """
    known = np.isfinite(longitude) & np.isfinite(latitude)
    if tiles or not known.any():
        return MapProjection()
    cuts = np.arange(-180.0, 180.0, 10.0)
    ends = known[origin] & known[destination]
    start, end = longitude[origin[ends]], longitude[destination[ends]]
    # Going the short way from start, how far east (negative: west) is the cut, and the end?
    way = (end - start + 180.0) % 360.0 - 180.0
    crossings = [_crossings(start, way, cut) for cut in cuts]
    apart = [_distance_to(longitude[known], cut) for cut in cuts]
    from_date_line = np.abs((cuts + 180.0 + 180.0) % 360.0 - 180.0)
    best = min(
        range(len(cuts)), key=lambda i: (crossings[i], from_date_line[i] if apart[i] > 5 else 999)
    )
    centre = float((cuts[best] + 360.0) % 360.0 - 180.0)
    projection = MapProjection("mercator", centre)
    east = projection.around(longitude[known])
    wide = float(east.max() - east.min())
    if wide <= _WIDE:
        return projection
    middle = round((east.max() + east.min()) / 2 / 10) * 10 if wide < 300 else 0
    turned = MapProjection("equal_earth", (centre + middle + 180.0) % 360.0 - 180.0)
    # The middle of the places in the middle of the map, unless that cuts arcs.
    cut = (turned.centre + 360.0) % 360.0 - 180.0
    if _crossings(start, way, cut) <= crossings[best]:
        return turned
    return MapProjection("equal_earth", centre)


def _crossings(start: Numbers, way: Numbers, cut: float) -> int:
    to_cut = (cut - start) % 360.0
    east = (way > 0) & (to_cut < way)
    west = (way < 0) & (360.0 - to_cut < -way) & (to_cut > 0)
    return int((east | west).sum())


def _distance_to(longitude: Numbers, cut: float) -> float:
    return float(np.abs((longitude - cut + 180.0) % 360.0 - 180.0).min(initial=180.0))
