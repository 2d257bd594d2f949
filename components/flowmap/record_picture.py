"""The answer to what a map of flow records asks, made ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalogs import palette
from catalogs.flow_records.query import FlowView
from catalogs.flow_records.records import FlowRecords
from catalogs.flowmaps.picture import Arcs, FlowMapData
from components.flowmap.basemap import View
from components.flowmap.image import FlowImage
from components.flowmap.projection import MapProjection

#: Shares of its capacity at which a line's colour changes, and the colours (light to loaded).
LOADINGS = (0.0, 0.5, 0.8, 1.0)
LOADING_COLOURS = ("#4f9ac4", "#d9a520", "#e0703c", "#b3165c", "#8a939c")
_LOADING_NAMES = ("below 50%", "50 to 80%", "80 to 100%", "above 100%", "capacity unknown")
#: Pixels of the widest arrow where there are few, and where there are thousands of them.
_WIDEST, _NARROWEST = 12.0, 3.0


@dataclass(frozen=True, eq=False)
class Drawn:
    """An answer made ready to be drawn: data, and the image where it is too much for marks.

    ``most`` is the largest arc in any stretch of the same kind: one scale for all frames.
    """

    view: FlowView
    data: FlowMapData
    most: float
    pixels: Any | None = None
    image: FlowImage | None = None


def answer(
    source: FlowRecords,
    view: FlowView,
    period: str,
    *,
    by_loading: bool,
    projection: MapProjection | None,
    seen: View | None,
) -> Drawn:
    """Ask, and draw the image where there is one; safe in a thread."""
    data = source.view(view)
    # Where only some buckets were looked at for the largest, a frame may have a larger one.
    most = max(float(np.max(data.arcs.value, initial=0.0)), source.largest(view, period))
    if by_loading:
        data = _by_loading(data)
    if data.segments is None or projection is None or seen is None:
        return Drawn(view, data, most)
    segments = data.segments
    x0, y0 = projection.forward(segments.origin_longitude, segments.origin_latitude)
    x1, y1 = projection.forward(segments.destination_longitude, segments.destination_latitude)
    colours = LOADING_COLOURS if by_loading else colours_for(data.categories, source)
    category = data.arcs.category[segments.arc] if by_loading else segments.category
    image = FlowImage(
        (x0, y0, x1, y1), segments.value, category, segments.arc, colours,
        adds_up=data.paths is None,
    )  # fmt: skip
    pixels = image.draw((seen.x0, seen.x1), (seen.y0, seen.y1), seen.width, seen.height)
    return Drawn(view, data, most, pixels, image)


def _by_loading(data: FlowMapData) -> FlowMapData:
    """Return the picture with loadings for colours."""
    loading = data.arcs.loading
    unknown = len(_LOADING_NAMES) - 1
    bins = np.searchsorted(LOADINGS[1:], np.nan_to_num(loading), side="right")
    category = np.where(np.isfinite(loading), bins, unknown).astype(np.int64)
    arcs = Arcs(**{**data.arcs.__dict__, "category": category})
    return replace(data, arcs=arcs, categories=_LOADING_NAMES)


def colours_for(names: Sequence[str], source: FlowRecords) -> list[str]:
    """Return a colour for each commodity: that of the fuel of its name, else by its place."""
    members = sorted(source.commodities)
    found = []
    for name in names:
        known = palette.colour("fuel", name.capitalize())
        by_place = palette.colour("commodity", name, members)
        found.append(by_place if known == palette.OTHER_COLOUR else known)
    return found


def widest_of(arcs: int) -> float:
    """Return how many pixels wide the largest of so many arrows, or lines, is drawn.

    The more there are, the less of the map each may cover.
    """
    return float(np.clip(_WIDEST - 4.0 * np.log10(max(arcs, 1) / 30), _NARROWEST, _WIDEST))
