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

#: Shares of the flows, by number, up to which they are one and two pixels wide; others are three.
_NARROW, _MEDIUM = 0.80, 0.97
#: Beyond so many segments all are one pixel wide: more would hide each other.
_MANY = 300_000
#: Opacity of the smallest and of the largest flow.
_FAINT, _STRONG = 70, 255
#: Flows between places from which on they are a thicket, and pixels of the image that it is
#: measured by.
_CROWD = 2000
_SMALL = (200, 150)


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
        size = np.abs(value[known])
        self._adds_up = adds_up
        # The larger is drawn over the smaller: a pixel gets the highest rank of what is there,
        # which says what it is.
        by_size = np.argsort(size, kind="stable")
        rank = np.empty(len(size), dtype=np.int32)
        rank[by_size] = np.arange(len(size), dtype=np.int32)
        self._segments = pd.DataFrame(
            {"x0": x0, "x1": x1, "y0": y0, "y1": y1, "value": size, "rank": rank}
        )
        self._arc = arc[known]
        flowing = size[size > 0]
        self._smallest = float(np.quantile(flowing, 0.02)) if len(flowing) else 1.0
        self._largest = max(float(size.max(initial=0.0)), self._smallest)
        if adds_up and len(size) > _CROWD:
            self._scale_sums()
        codes = np.array([_rgb(colour) for colour in colours], dtype=np.uint32)
        self._values = size[by_size]
        self._colours = codes[category[known][by_size]]
        limits = [_NARROW, _MEDIUM] if len(size) <= _MANY else [1.0, 1.0]
        self._medium, self._wide = (int(np.ceil(share * len(size))) for share in limits)

    def __len__(self) -> int:
        return len(self._segments)

    # ------------------------------------------------------------------ drawing

    def draw(
        self, x_range: tuple[float, float], y_range: tuple[float, float], width: int, height: int
    ) -> NDArray[np.uint32]:
        """Return the image of a part of the plane, as Bokeh takes it.

        Shape (height, width), the lowest row first; a pixel is 0xAABBGGRR, 0 where nothing flows.
        """
        if not len(self):
            return np.zeros((height, width), dtype=np.uint32)
        canvas = datashader.Canvas(width, height, x_range=x_range, y_range=y_range)
        highest = self._lines(canvas, datashader.max("rank"))
        rank = self._widened(np.where(np.isnan(highest), -1, highest).astype(np.int32))
        drawn = np.flatnonzero(rank >= 0)
        ranks = rank.ravel()[drawn]
        value = self._values[ranks]
        if self._adds_up:
            total = self._lines(canvas, datashader.sum("value")).ravel()[drawn]
            value = np.fmax(value, total)
        image = np.zeros(height * width, dtype=np.uint32)
        image[drawn] = self._colours[ranks] | (self._opacity(value) << 24)
        return image.reshape(height, width)

    def _scale_sums(self) -> None:
        """Take for faint and strong what flows over the pixels of a small image of all of it.

        Else a thicket were as strong everywhere: in each of its pixels more flows than in the
        largest arc. The scale is the same in every part of the map.
        """
        s = self._segments
        x, y = (np.concatenate([s[f"{axis}0"], s[f"{axis}1"]]) for axis in "xy")
        canvas = datashader.Canvas(
            *_SMALL, x_range=(x.min(), x.max() + 1.0), y_range=(y.min(), y.max() + 1.0)
        )
        sums = self._lines(canvas, datashader.sum("value"))
        sums = sums[sums > 0]  # those without a flow are NaN
        if len(sums):
            self._smallest, self._largest = np.quantile(sums, [0.05, 0.995]).tolist()

    def _lines(self, canvas: Any, reduction: Any) -> NDArray[np.float64]:
        ends = {"x": ["x0", "x1"], "y": ["y0", "y1"], "axis": 1}
        found: NDArray[np.float64] = canvas.line(self._segments, agg=reduction, **ends).to_numpy()
        return found

    def _widened(self, rank: NDArray[np.int32]) -> NDArray[np.int32]:
        """Make larger flows two or three pixels wide."""
        found = rank.copy()
        for least, shift in ((self._medium, 1), (self._wide, -1)):
            if least >= len(self):
                continue
            thick = np.where(rank >= least, rank, -1)
            if shift > 0:
                np.maximum(found[:, 1:], thick[:, :-1], out=found[:, 1:])
                np.maximum(found[1:], thick[:-1], out=found[1:])
            else:
                np.maximum(found[:, :-1], thick[:, 1:], out=found[:, :-1])
                np.maximum(found[:-1], thick[1:], out=found[:-1])
        return found

    def _opacity(self, value: Numbers) -> NDArray[np.uint32]:
        """Return the opacity of flows: the more, the stronger.

        It follows a logarithmic scale from the smallest to the largest flow of the map, so that the
        same flow looks the same in every part of it.
        """
        low, high = np.log(self._smallest), np.log(self._largest)
        share = (np.log(np.maximum(value, self._smallest)) - low) / max(float(high - low), 1e-9)
        return (_FAINT + (_STRONG - _FAINT) * np.clip(share, 0, 1)).astype(np.uint32)

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


def warm_up() -> None:
    """Have Datashader compile what it draws with, once per process: it takes some seconds."""
    end = np.arange(4.0)
    nothing = np.zeros(4, dtype=np.int64)
    for adds_up in (True, False):
        image = FlowImage(
            (end, end, end + 1, end), end, nothing, nothing, ["#000000"], adds_up=adds_up
        )
        image.draw((0.0, 4.0), (0.0, 4.0), 16, 16)


def _rgb(colour: str) -> int:
    """Return ``#rrggbb`` as 0xBBGGRR."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return (blue << 16) | (green << 8) | red
