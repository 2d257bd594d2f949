"""The image of flows that are too many to be drawn as marks, and who is under a pointer.

Datashader draws it. Coordinates are those of the map's plane (metres). An image is made anew for
each part of the map that is seen, from columns that were put on the plane once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datashader
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalogs.flowmaps.picture import Numbers, Positions

#: Widths in pixels of small to large flows: a width needs a pass of Datashader's of its own.
_WIDTHS = (0.8, 1.6, 2.6)
#: Shares of the flows, by number, up to which they have the first and the second width.
_NARROW, _MEDIUM = 0.80, 0.97
#: Beyond so many segments all have one width, and no soft edge, which costs three times as much.
_MANY = 300_000
#: Opacity of the smallest and of the largest flow; where lines meet, more.
_FAINT, _STRONG = 70, 255


class FlowImage:
    """Segments on the plane of a map, ready to be drawn for any part of it.

    Parameters
    ----------
    x0, y0, x1, y1
        Where segments begin and end on the plane; those with a NaN are not drawn.
    value
        What flows, for the opacity; 0 is drawn as the faintest.
    category
        Position of each segment's colour.
    arc
        The arc that a segment is a piece of, as ``arc_at`` names it.
    colours
        A colour ``#rrggbb`` for each category.
    adds_up
        Whether flows that cross a pixel are added up there (arcs between places), or the largest
        of them counts (pieces of lines, which meet their neighbours).
    """

    def __init__(
        self,
        ends: tuple[Numbers, Numbers, Numbers, Numbers],
        value: Numbers,
        category: Positions,
        arc: Positions,
        colours: Sequence[str],
        *,
        adds_up: bool,
    ) -> None:
        known = np.isfinite(np.stack(ends)).all(axis=0)
        x0, y0, x1, y1 = (column[known] for column in ends)
        self._arc = arc[known]
        self._colours = np.array([_rgb(colour) for colour in colours], dtype=np.uint32)
        self._adds_up = adds_up
        self._segments = pd.DataFrame({"x0": x0, "x1": x1, "y0": y0, "y1": y1})
        size = np.abs(value[known])
        self._segments["value"] = size
        codes = pd.Categorical.from_codes(category[known], categories=pd.Index(range(len(colours))))
        self._segments["category"] = codes
        largest = float(size.max(initial=0.0))
        self._largest = largest if largest > 0 else 1.0
        flowing = size[size > 0]
        self._smallest = float(np.quantile(flowing, 0.02)) if len(flowing) else self._largest
        self._layers = self._by_width(size)

    def __len__(self) -> int:
        return len(self._segments)

    def _by_width(self, size: Numbers) -> list[tuple[float, pd.DataFrame]]:
        if len(size) > _MANY or len(size) < 3:
            return [(0.0 if len(size) > _MANY else _WIDTHS[0], self._segments)]
        limits = [-np.inf, *np.quantile(size, [_NARROW, _MEDIUM]), np.inf]
        layers = []
        for width, low, high in zip(_WIDTHS, limits[:-1], limits[1:], strict=True):
            chosen = (size > low) & (size <= high)
            if chosen.any():
                layers.append((width, self._segments[chosen]))
        return layers

    # ------------------------------------------------------------------ drawing

    def draw(
        self, x_range: tuple[float, float], y_range: tuple[float, float], width: int, height: int
    ) -> NDArray[np.uint32]:
        """Return the image of a part of the plane, as Bokeh takes it.

        Shape (height, width), the lowest row first; a pixel is 0xAABBGGRR, 0 where nothing flows.
        """
        canvas = datashader.Canvas(width, height, x_range=x_range, y_range=y_range)
        sums: Any = None
        for line_width, segments in self._layers:
            layer = self._layer(canvas, line_width, segments)
            if sums is None:
                sums = layer
            elif self._adds_up:
                sums += layer
            else:
                np.maximum(sums, layer, out=sums)
        if sums is None:
            return np.zeros((height, width), dtype=np.uint32)
        return self._coloured(sums)

    def _layer(self, canvas: Any, line_width: float, segments: pd.DataFrame) -> NDArray[np.float32]:
        """Return, per pixel and category, what flows there; -1 where nothing does."""
        reduce = datashader.sum if self._adds_up else datashader.max
        found = canvas.line(
            segments,
            x=["x0", "x1"],
            y=["y0", "y1"],
            axis=1,
            agg=datashader.by("category", reduce("value")),
            line_width=line_width,
        )
        values = found.to_numpy().astype(np.float32)
        return np.where(np.isnan(values), np.float32(0 if self._adds_up else -1), values)

    def _coloured(self, sums: NDArray[np.float32]) -> NDArray[np.uint32]:
        """Colour each pixel by the category that flows most there; the more, the stronger."""
        most = sums.argmax(axis=2)
        value = np.take_along_axis(sums, most[..., None], axis=2)[..., 0]
        empty = value <= 0 if self._adds_up else value < 0
        # On a logarithmic scale from the smallest to the largest of the whole dataset: the same
        # flow looks the same wherever the map is.
        low = np.log(self._smallest)
        span = max(float(np.log(self._largest)) - low, 1e-9)
        share = (np.log(np.maximum(value, self._smallest)) - low) / span
        alpha = (_FAINT + (_STRONG - _FAINT) * np.clip(share, 0, 1)).astype(np.uint32)
        image: NDArray[np.uint32] = np.where(empty, 0, self._colours[most] | (alpha << 24))
        return image.astype(np.uint32)

    # ------------------------------------------------------------------ pointing

    def arc_at(self, x: float, y: float, reach: float) -> int | None:
        """Return the arc of the nearest segment within ``reach`` metres of a point, None if none.

        Of several that are as near as half of the reach, the largest counts: it is drawn on top.
        """
        s = self._segments
        x0, y0, x1, y1 = (s[name].to_numpy() for name in ("x0", "y0", "x1", "y1"))
        near = np.flatnonzero(
            (np.minimum(x0, x1) <= x + reach)
            & (np.maximum(x0, x1) >= x - reach)
            & (np.minimum(y0, y1) <= y + reach)
            & (np.maximum(y0, y1) >= y - reach)
        )
        if not len(near):
            return None
        along_x, along_y = x1[near] - x0[near], y1[near] - y0[near]
        length = np.maximum(along_x**2 + along_y**2, 1e-12)
        share = ((x - x0[near]) * along_x + (y - y0[near]) * along_y) / length
        share = np.clip(share, 0.0, 1.0)
        distance = np.hypot(x0[near] + share * along_x - x, y0[near] + share * along_y - y)
        within = np.flatnonzero(distance <= reach)
        if not len(within):
            return None
        close = within[distance[within] <= max(reach / 2, distance[within].min())]
        values = s["value"].to_numpy()[near[close]]
        return int(self._arc[near[close[int(values.argmax())]]])


def _rgb(colour: str) -> int:
    """Return ``#rrggbb`` as 0xBBGGRR."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return (blue << 16) | (green << 8) | red
