"""The flow map of flow records: what flowed between places, or on the lines of a network.

from catalogs import open_flow_records
from components.flowmap.records import RecordMap

flow_map = RecordMap(source=open_flow_records(Path(".data")))
flow_map.param.update(period="week", number=12)    # the same as the slider
flow_map                                           # in a notebook

Each view of space and time asks for a few thousand sums of the pyramid that the import made; up to
5,000 arcs are drawn as marks, more as an image, with the same hover and click.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import panel as pn
import param
from panel.viewable import Viewable

from catalogs import palette
from catalogs.errors import TimesError
from catalogs.flow_records.query import MOST_ARCS, Bounds, FlowView, TimeBucket
from catalogs.flow_records.records import FlowRecords
from catalogs.flowmaps.picture import Arcs, FlowMapData
from components.flowmap import record_panels as panels
from components.flowmap.basemap import BaseMap, View
from components.flowmap.frames import Gathered, keys_of
from components.flowmap.image import FlowImage
from components.flowmap.picture import (
    bounds_of,
    params_of,
    projection_for,
    routes_of,
    widest,
)
from components.flowmap.projection import MapProjection
from components.flowmap.routes import routes_of_paths
from components.flowmap.view import FlowMapView, pack_frame
from components.notices import notice
from components.numbers import percentage, significant
from components.tool import Tool

_HEIGHT = "clamp(380px, calc(100vh - 330px), 820px)"
#: Shares of its capacity at which a line's colour changes, and the colours (light to loaded).
LOADINGS = (0.0, 0.5, 0.8, 1.0)
_LOADING_NAMES = ("below 50%", "50 to 80%", "80 to 100%", "above 100%", "capacity unknown")
_LOADING_COLOURS = ("#4f9ac4", "#d9a520", "#e0703c", "#b3165c", "#8a939c")


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


class RecordMap(Tool):
    """Flows between places or on lines, for any stretch of time, in the part that is seen."""

    source: FlowRecords = param.ClassSelector(  # type: ignore[assignment]
        class_=FlowRecords, doc="The published dataset of flow records"
    )
    period = param.String(
        default="", doc="What a frame is: all, year, month, week, day or step; '' for the first"
    )
    number = param.Integer(default=0, bounds=(0, None), doc="Which of the periods, from 0")
    commodities = param.List(
        default=[], item_type=str, doc="Commodities shown; none means all of them"
    )
    net = param.Boolean(default=True, doc="Show of two opposite flows only the difference")
    loading = param.Boolean(
        default=False, doc="Colours stand for the share of its capacity that a line carries"
    )
    level = param.Integer(
        default=-1, bounds=(-1, None), doc="Level of places, 0 the coarsest; -1 as the view needs"
    )
    opened = param.String(default="", doc="Arc that details are of: origin>destination>commodity")
    tab = param.Selector(default="map", objects=["map", "table"], doc="Which tab is open")
    drawer_open = param.Boolean(default=False, doc="Whether details are shown")

    _REDRAWN_BY: ClassVar[tuple[str, ...]] = (
        "period", "number", "commodities", "net", "loading", "level",
    )  # fmt: skip
    _REDRAWN_BY_SELECTION: ClassVar[tuple[str, ...]] = ("dataset",)
    url_params: ClassVar[tuple[str, ...]] = (
        "period", "number", "commodities", "net", "loading", "level", "opened", "tab",
    )  # fmt: skip
    help = (
        "Arrows show what flowed from one place to another in the time on the slider; the wider,"
        " the more. Zoom in and clusters of places open; what there is too much of to be drawn as"
        " arrows becomes an image, with the same hover and click.\n\n"
        "Click an arrow or a line for its profile over time."
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._drawn: Drawn | None = None
        self._base: BaseMap | None = None
        self._projection: MapProjection | None = None
        self._seen_view: View | None = None
        self._gathered = Gathered()
        self._everything: list[float] = []
        self._stretch: Any = None

    @param.depends("source", watch=True)
    def _take_source(self) -> None:
        """Start anew with a dataset; a version published anew takes the place of the old one."""
        self.selection.dataset = self.source.dataset
        self._base = None
        self._stretch = None

    # ------------------------------------------------------------------ state

    @property
    def periods(self) -> tuple[str, ...]:
        """Kinds of stretches of time, from all of it to single steps."""
        return self.source.about.kinds

    @property
    def shown_period(self) -> str:
        """The kind of stretch in force."""
        return self.period if self.period in self.periods else self.periods[0]

    @property
    def buckets(self) -> Sequence[TimeBucket]:
        """The stretches of the kind in force; those of single steps are made here."""
        kind = self.shown_period
        if kind == "step":
            labels = self.source.steps["label"].tolist()
            return [TimeBucket("step", i, str(label), i, i) for i, label in enumerate(labels)]
        last = max(len(self.source.steps) - 1, 0)
        return self.source.buckets.get(kind) or (TimeBucket("all", 0, "All of it", 0, last),)

    @property
    def bucket(self) -> TimeBucket:
        """The stretch of time shown."""
        buckets = self.buckets
        return buckets[min(self.number, len(buckets) - 1)]

    @property
    def view(self) -> FlowView:
        """What is asked for: the time, and the part of the world that is seen."""
        bucket = self.bucket
        known = self.source.commodity_totals
        return FlowView(
            first=bucket.first,
            last=bucket.last,
            commodities=tuple(name for name in self.commodities if name in known),
            bounds=self._bounds(),
            level=min(self.level, len(self.source.levels) - 1),
            is_net=self.net,
        )

    def _bounds(self) -> Bounds | None:
        """Return the degrees that are seen, with some around; None before anything is."""
        view, projection = self._seen_view, self._projection
        if view is None or projection is None:
            return None
        seen = view.with_margin(0.15)
        edge = 20_037_508.0
        if projection.kind != "mercator" or seen.x1 - seen.x0 >= 2 * edge:
            return None
        x = np.clip([seen.x0, seen.x1], -edge + 1, edge - 1)
        east, latitude = projection.backward(x, np.array([seen.y0, seen.y1]))
        turned = (east + projection.centre + 180.0) % 360.0 - 180.0
        south, north = np.clip(latitude, -89.9, 89.9)
        return (float(turned[0]), float(south), float(turned[1]), float(north))

    @property
    def colours(self) -> list[str]:
        """The colour of each commodity (or loading) of the picture."""
        if self._by_loading:
            return list(_LOADING_COLOURS)
        return colours_for(self._drawn.data.categories if self._drawn else (), self.source)

    @property
    def _by_loading(self) -> bool:
        return self.loading and self.source.about.by_line

    # ------------------------------------------------------------------ asking

    def _question(self) -> Callable[[], Drawn]:
        return partial(
            _answer,
            self.source,
            self.view,
            self.shown_period,
            by_loading=self._by_loading,
            projection=self._projection,
            seen=self._seen_view,
        )

    def table(self) -> pd.DataFrame:
        """Return the flows shown, the largest first."""
        data = self._drawn.data if self._drawn else self._question()().data
        names, arcs = data.places.name, data.arcs
        return pd.DataFrame(
            {
                "line" if self.source.about.by_line else "id": [str(name) for name in arcs.id],
                "from": [str(names[i]) for i in arcs.origin],
                "to": [str(names[i]) for i in arcs.destination],
                "kind": [data.categories[i] for i in arcs.category],
                "value": arcs.value,
                "other way": arcs.back,
                "loading": arcs.loading,
                "unit": data.unit,
            }
        )

    # ------------------------------------------------------------------ seeing

    def _build(self) -> dict[str, Viewable]:
        self._view = FlowMapView(
            sizing_mode="stretch_width",
            styles={"height": _HEIGHT},
            margin=0,
            on_arc=self._open_arc,
            on_view=self._seen,
            on_image=self._pointed,
        )
        self._picture = pn.Column(sizing_mode="stretch_width", styles={"flex": "1 1 520px"})
        self._beside = panels.Beside(self)
        self._controls = panels.Controls(self)
        self._time = panels.TimeBar(self)
        self._table = panels.TablePanel(self)
        self._details = panels.Profile(self)
        self.param.watch(self._show_details, "opened")
        self.param.watch(lambda _event: self._table.fill(), "tab")
        self.param.watch(self._closed, "drawer_open")
        return {
            "map": pn.FlexBox(self._picture, self._beside.view, gap="14px"),
            "table": self._table.view,
        }

    def _seen(self, view: View) -> None:
        """Another part is seen: land follows at once, flows when they are asked for."""
        self._seen_view = view
        if self._base is not None:
            self._base.show(view)
        self._redraw()

    def _show(self, drawn: Drawn) -> None:
        self._drawn = drawn
        data = drawn.data
        if self._base is None or self._projection is None:
            self._make_base(data)
        assert self._base is not None
        assert self._projection is not None
        self._draw_arcs(drawn)
        if self._seen_view is not None:
            self._base.show_image(drawn.pixels, self._seen_view)
        if self._picture.objects != [self._view]:
            self._picture.objects = [self._view]
        self._beside.show(data)
        self._table.show()
        self.param.update(title=self._sentence(), foot=self._foot_line(data))
        if self.opened and not self.drawer_open:
            self._show_details()

    def _make_base(self, data: FlowMapData) -> None:
        self._projection = projection_for(data)
        x0, x1, y0, y1 = bounds_of(data, self._projection)
        self._base = BaseMap(self._projection, View(x0, x1, y0, y1))
        self._view.figure = pn.pane.HoloViews(
            self._base.picture, sizing_mode="stretch_both", margin=0, linked_axes=False
        )

    def _draw_arcs(self, drawn: Drawn) -> None:
        """Send another frame of the arcs there are, or, where some are new, all of them anew."""
        data = drawn.data
        if data.segments is not None:  # the image shows them
            self._gathered, self._stretch = Gathered(), None
            empty = replace(drawn, data=replace(data, arcs=Arcs(), paths=None))
            self._view.param.update(**self._params(empty))
            return
        stretch = (self._projection, replace(drawn.view, first=0, last=-1), self._by_loading)
        if stretch != self._stretch:
            self._gathered, self._stretch = Gathered(), stretch
        if self._gathered.take(data):
            whole = replace(drawn, data=self._gathered.picture(data))
            self._view.param.update(**self._params(whole))
            return
        totals = np.full((self._gathered.places, 2), np.nan)
        frame = pack_frame(*self._gathered.values(data), totals)
        self._view.param.update(frame=frame, when=self._when())

    def _params(self, drawn: Drawn) -> dict[str, Any]:
        assert self._projection is not None
        data = drawn.data
        routes = (
            routes_of_paths(self._projection, data.paths)
            if data.paths is not None
            else routes_of(data, self._projection)
        )
        words = {
            "fit": f"{self.source.dataset} {self._projection}",
            "title": self._sentence(),
            "foot": self._foot_line(data),
            "categories": [
                {"label": name, "colour": colour}
                for name, colour in zip(data.categories, self.colours, strict=False)
            ],
            "most": drawn.most,
            "widest": widest(len(data.arcs)) * (0.5 if data.paths is not None else 1),
            "discs": {"most": 0, "largest": 0, "labels": []},
            "is_image": drawn.data.segments is not None,
            "has_arcs": drawn.data.segments is None,
            "hint": "Click for its profile over time",
        }
        frame = pack_frame(
            data.arcs.value, data.arcs.loading, np.full((len(data.places), 2), np.nan)
        )
        params = params_of(data, self._projection, routes, words)
        params["picture"]["bounds"] = self._first_bounds(params["picture"]["bounds"])
        return {**params, "frame": frame, "when": self._when(), "duration": 250}

    def _first_bounds(self, bounds: list[float]) -> list[float]:
        """Return what "show everything" shows: all places, not those of the part that is seen."""
        if self._seen_view is None or not self._everything:
            self._everything = bounds
        return self._everything

    def _when(self) -> list[str]:
        bucket = self.bucket
        return ["" if bucket.kind == "all" else bucket.label, ""]

    def _sentence(self) -> str:
        about = self.source.about
        what = ", ".join(self.commodities[:3]) or "Flows"
        between = "on lines" if about.by_line else "between places"
        bucket = self.bucket
        when = "" if bucket.kind == "all" else f", {bucket.label}"
        unit = self.source.unit_of(self.view)
        return f"{what.capitalize()} {between}, {self.source.dataset}{when}, {unit}".rstrip(", ")

    def _foot_line(self, data: FlowMapData) -> str:
        return " · ".join(
            [
                data.shown.sentence(),
                f"by {data.level}",
                *data.remarks,
                f"{self.source.dataset}, version {self.source.version[:8]}",
            ]
        )

    def _show_refusal(self, error: TimesError) -> None:
        self._drawn = None
        self._picture.objects = [notice(error.what, error.remedy, kind="refusal")]
        self.param.update(title="Flow map", foot=self.source.dataset)

    def _follow(self) -> None:
        self._controls.follow()
        self._time.follow()

    # ------------------------------------------------------------------ details

    def _open_arc(self, position: int) -> None:
        if self._drawn is None:
            return
        data = self._drawn.data
        if data.segments is not None:
            one = Arcs(**{n: c[position : position + 1] for n, c in data.arcs.__dict__.items()})
            keys = keys_of(replace(data, arcs=one))
        else:
            keys = list(self._gathered.keys)[position : position + 1]
        for origin, destination, category, name in keys:
            self.opened = name or ">".join((origin, destination, data.categories[category]))

    def _pointed(self, x: float, y: float, per_pixel: float, is_click: bool) -> None:
        """Say what an image shows at a point, or open it."""
        drawn = self._drawn
        if drawn is None or drawn.image is None:
            return
        found = drawn.image.arc_at(x, y, 6 * per_pixel)
        data = drawn.data
        if found is None or found >= len(data.arcs):
            return
        if is_click:
            self._open_arc(found)
            return
        arcs, names = data.arcs, data.places.name
        lines = [str(arcs.id[found]), data.categories[arcs.category[found]]]
        if np.isfinite(arcs.loading[found]):
            lines.append(f"loading {percentage(float(arcs.loading[found]))} of capacity")
        self._view.tell(
            f"{names[arcs.origin[found]]} → {names[arcs.destination[found]]}",
            f"{significant(float(arcs.value[found]))} {data.unit}",
            [line for line in lines if line],
        )

    def _show_details(self, *_events: Any) -> None:
        if not self.opened:
            self.drawer_open = False
            return
        self._details.show()
        self.drawer_open = True

    def _closed(self, event: param.parameterized.Event) -> None:
        if not event.new:
            self.opened = ""

    def export(self, kind: Literal["svg", "png"]) -> None:
        """Let the browser download the map as it is seen."""
        self._view.export(kind, f"flow-map-{self.source.dataset}")

    # ------------------------------------------------------------------ composing

    def _controls_view(self) -> Sequence[Viewable]:
        return [self._controls.view]

    def _above(self) -> Sequence[Viewable]:
        return [self._time.view]

    @property
    def drawer(self) -> Viewable:
        """The profile of what was clicked."""
        self._ensure_built()
        return self._details.view


def colours_for(names: Sequence[str], source: FlowRecords) -> list[str]:
    """Return a colour for each commodity: that of the fuel of its name, else by its place."""
    members = sorted(source.commodities)
    found = []
    for name in names:
        known = palette.colour("fuel", name.capitalize())
        by_place = palette.colour("commodity", name, members)
        found.append(by_place if known == palette.OTHER_COLOUR else known)
    return found


def _answer(
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
    colours = _LOADING_COLOURS if by_loading else colours_for(data.categories, source)
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


__all__ = ["MOST_ARCS", "RecordMap", "colours_for"]
