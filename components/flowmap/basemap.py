"""Land and borders below the flows, made by GeoViews at the resolution that a view can show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import geoviews as gv
import holoviews as hv
import numpy as np
import shapely
from bokeh.models import ColumnDataSource
from numpy.typing import NDArray

from catalogs.flowmaps.geography import world
from components.flowmap.projection import MERCATOR_LATITUDE, MapProjection

# In a notebook the scripts come from the installed packages, not from the network.
hv.extension("bokeh", logo=False, inline=True)

#: Metres on the ground per pixel above which a resolution is fine enough.
_COARSE_FROM = (("110m", 7000.0), ("50m", 700.0), ("10m", 0.0))
#: How much land there is around a view, as a share of it, so that panning shows some at once.
_AROUND = 0.6
_LINE, _POLYGON = 1, 3


@dataclass(frozen=True)
class View:
    """A part of the map, in metres of its plane, and how many pixels wide it is drawn."""

    x0: float
    x1: float
    y0: float
    y1: float
    width: int = 1000
    height: int = 700

    @property
    def metres_per_pixel(self) -> float:
        """Metres of the plane that a pixel stands for."""
        return (self.x1 - self.x0) / max(self.width, 1)

    def with_margin(self, share: float = _AROUND) -> View:
        """Return the view with more around it."""
        dx, dy = share * (self.x1 - self.x0), share * (self.y1 - self.y0)
        width = round(self.width * (1 + 2 * share))
        height = round(self.height * (1 + 2 * share))
        return View(self.x0 - dx, self.x1 + dx, self.y0 - dy, self.y1 + dy, width, height)

    def holds(self, other: View) -> bool:
        """Whether another view lies in this one and is drawn about as finely."""
        inside = (
            self.x0 <= other.x0
            and self.x1 >= other.x1
            and self.y0 <= other.y0
            and self.y1 >= other.y1
        )
        finer = self.metres_per_pixel / other.metres_per_pixel
        return inside and 0.6 < finer < 1.7


def resolution_of(projection: MapProjection, view: View) -> str:
    """Return the resolution of the world that a view needs."""
    shrink = 1.0
    if projection.kind == "mercator":
        _, latitude = projection.backward(
            np.array([0.0]), np.array([np.clip((view.y0 + view.y1) / 2, -1.5e7, 1.5e7)])
        )
        shrink = float(np.cos(np.radians(latitude[0])))
    ground = view.metres_per_pixel * shrink
    return next(name for name, least in _COARSE_FROM if ground >= least)


@lru_cache(maxsize=64)
def land_in(projection: MapProjection, view: View) -> tuple[Any, Any]:
    """Return land (polygons) and borders (lines) of a view on the map's plane."""
    there = world.read(resolution_of(projection, view))
    west, south, east, north = _degrees_of(projection, view)
    tolerance = view.metres_per_pixel / 2
    return (
        on_map(projection, there.land, (west, south, east, north), tolerance),
        on_map(projection, there.borders, (west, south, east, north), tolerance),
    )


def _degrees_of(projection: MapProjection, view: View) -> tuple[float, float, float, float]:
    """Return the degrees that a view covers: west and east of the map's middle, south, north."""
    if projection.kind == "equal_earth":
        return -180.0, -90.0, 180.0, 90.0
    edge = 20_037_508.0
    x = np.clip([view.x0, view.x1], -edge, edge)
    y = np.clip([view.y0, view.y1], -edge, edge)
    east, latitude = projection.backward(x, y)
    south = max(latitude[0], -MERCATOR_LATITUDE)
    # At the very edge +180 degrees reads as -180.
    right = 180.0 if x[1] >= edge - 1 else float(east[1])
    left = -180.0 if x[0] <= -edge + 1 else float(east[0])
    return left, south, right, min(latitude[1], MERCATOR_LATITUDE)


def on_map(
    projection: MapProjection,
    shapes: NDArray[Any],
    degrees: tuple[float, float, float, float],
    tolerance: float,
) -> Any:
    """Return shapes in degrees as polygons or lines on the map's plane, cut where the map is.

    ``degrees`` are west and east of the map's middle, south and north of what is kept; lines are
    simplified to ``tolerance`` metres.
    """
    west, south, east, north = degrees
    parts = []
    # Degrees east of the middle: the world is cut on its other side and put together anew.
    for turn in (-360.0, 0.0, 360.0):
        shift = projection.centre + turn
        left, right = max(-180.0, west + shift), min(180.0, east + shift)
        if right - left < 1e-9:
            continue
        near = shapely.box(left, south, right, north)
        touching = shapes[shapely.intersects(shapely.envelope(shapes), near)]
        cut = shapely.clip_by_rect(touching, left, south, right, north)
        parts.append(shapely.transform(cut, lambda p, by=shift: p - [by, 0.0]))
    found = np.concatenate(parts) if parts else np.empty(0, dtype=object)
    found = found[~shapely.is_empty(found)]
    placed = shapely.transform(
        found, lambda p: np.column_stack(projection.forward_around(p[:, 0], p[:, 1]))
    )
    simple = shapely.get_parts(shapely.simplify(placed, tolerance, preserve_topology=False))
    return simple[~shapely.is_empty(simple)]


class BaseMap:
    """The figure below the flows. It follows the view, and the browser gives it its colours.

    GeoViews makes the figure, its tiles and the image; land and borders are glyphs of it whose
    data are replaced: as elements of GeoViews 400 islands take 1.2 s to draw anew, so 10 ms.

    Above them is room for an image of what is too much for marks.
    """

    def __init__(
        self,
        projection: MapProjection,
        view: View,
        *,
        tiles: Any | None = None,
    ) -> None:
        self.projection = projection
        self._has: View | None = None
        self._land = ColumnDataSource({"xs": [], "ys": []})
        self._borders = ColumnDataSource({"xs": [], "ys": []})
        self._image = ColumnDataSource(_no_image())
        common = {"projection": projection.crs, "apply_ranges": False, "backend": "bokeh"}
        nothing = gv.Points([], crs=projection.crs).opts(size=0.1, **common)
        picture = nothing if tiles is None else tiles.opts(backend="bokeh") * nothing
        self.picture = picture.opts(
            projection=projection.crs,
            xlim=(view.x0, view.x1),
            ylim=(view.y0, view.y1),
            responsive=True,
            xaxis=None,
            yaxis=None,
            toolbar=None,
            show_grid=False,
            default_tools=["pan", "wheel_zoom"],
            active_tools=["pan", "wheel_zoom"],
            framewise=False,
            hooks=[self._finish],
            backend="bokeh",
        )
        self.show(view)

    def show(self, view: View) -> None:
        """Draw what a view needs: new land only where what there is does not reach or suffice."""
        if self._has is None or not self._has.holds(view):
            self._has = view.with_margin()
            land, borders = land_in(self.projection, self._has)
            self._land.data = _polygons(land)
            self._borders.data = _lines(borders)

    def show_image(self, pixels: NDArray[np.uint32] | None, view: View) -> None:
        """Put an image (height x width, 0xAABBGGRR, the lowest row first) where a view is."""
        if pixels is None:
            self._image.data = _no_image()
            return
        self._image.data = {
            "image": [pixels], "x": [view.x0], "y": [view.y0],
            "dw": [view.x1 - view.x0], "dh": [view.y1 - view.y0],
        }  # fmt: skip

    def _finish(self, plot: Any, _element: Any) -> None:
        """Put land and borders in; nothing but the map: no frame, margin or ground of its own."""
        figure = plot.state
        if figure.name == "flowmap":
            return
        figure.name = "flowmap"
        figure.multi_polygons(
            "xs", "ys", source=self._land, fill_color="#8a939c", line_color="#8a939c",
            line_width=0.75, level="underlay", name="flowmap-land",
        )  # fmt: skip
        figure.multi_line(
            "xs", "ys", source=self._borders, line_color="#8a939c", line_width=0.75,
            level="underlay", name="flowmap-borders",
        )  # fmt: skip
        # Not at the level "image", which is below land.
        figure.image_rgba(source=self._image, level="glyph", name="flowmap-image")
        figure.outline_line_color = None
        for side in ("left", "right", "top", "bottom"):
            setattr(figure, f"min_border_{side}", 0)
        figure.background_fill_alpha = 0
        figure.border_fill_alpha = 0
        figure.sizing_mode = "stretch_both"
        figure.toolbar.logo = None
        # The browser keeps the ranges in proportion, also when the width changes.
        figure.match_aspect = False
        figure.aspect_ratio = None


def _no_image() -> dict[str, Any]:
    return {"image": [], "x": [], "y": [], "dw": [], "dh": []}


def _polygons(shapes: Any) -> dict[str, Any]:
    """All land as one mark: a list of polygons, each its outer ring and its holes."""
    filled = shapes[shapely.get_type_id(shapes) == _POLYGON]
    rings = [
        [shapely.get_coordinates(ring).astype(np.float32) for ring in (p.exterior, *p.interiors)]
        for p in filled
    ]
    return {
        axis: [[[ring[:, place] for ring in polygon] for polygon in rings]] if rings else []
        for place, axis in enumerate(("xs", "ys"))
    }


def _lines(shapes: Any) -> dict[str, Any]:
    drawn = shapes[shapely.get_type_id(shapes) == _LINE]
    points = [shapely.get_coordinates(line).astype(np.float32) for line in drawn]
    return {"xs": [p[:, 0] for p in points], "ys": [p[:, 1] for p in points]}
