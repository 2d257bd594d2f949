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
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import panel as pn
import param
from panel.viewable import Viewable

from catalogs.errors import TimesError
from catalogs.flow_records.query import MOST_ARCS, READABLE_ARCS, Bounds, FlowView, TimeBucket
from catalogs.flow_records.records import FlowRecords
from catalogs.flowmaps.picture import Arcs, FlowMapData
from components.flowmap import record_panels as panels
from components.flowmap.basemap import BaseMap, View
from components.flowmap.frames import Gathered, keys_of
from components.flowmap.picture import bounds_of, params_of, projection_for, routes_of
from components.flowmap.projection import MapProjection
from components.flowmap.record_details import Profile
from components.flowmap.record_picture import (
    LOADING_COLOURS,
    Drawn,
    answer,
    colours_for,
    widest_of,
)
from components.flowmap.record_tables import QueryPanel, TablePanel
from components.flowmap.record_words import at_pointer, flows_table, foot_line, sentence
from components.flowmap.routes import routes_of_paths
from components.flowmap.view import FlowMapView, pack_frame
from components.notices import notice
from components.tool import Tool

#: Buses of a network that are named: the lines are what is to be seen.
_MOST_LABELS = 25
_HEIGHT = "clamp(380px, calc(100vh - 330px), 820px)"


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
    arrows = param.Integer(
        default=READABLE_ARCS,
        bounds=(0, MOST_ARCS),
        doc="Arrows between places at the most, the largest of them; 0 for all, which beyond 5,000"
        " are an image",
    )
    opened = param.String(default="", doc="Arc that details are of: origin>destination>commodity")
    tab = param.Selector(default="map", objects=["map", "table", "query"], doc="Which tab is open")
    drawer_open = param.Boolean(default=False, doc="Whether details are shown")

    _REDRAWN_BY: ClassVar[tuple[str, ...]] = (
        "period", "number", "commodities", "net", "loading", "level", "arrows",
    )  # fmt: skip
    _REDRAWN_BY_SELECTION: ClassVar[tuple[str, ...]] = ("dataset",)
    url_params: ClassVar[tuple[str, ...]] = (
        "period", "number", "commodities", "net", "loading", "level", "arrows", "opened",
        "tab",
    )  # fmt: skip
    help = (
        "Arrows show what flowed from one place to another in the time on the slider; the wider,"
        " the more. At first the largest are shown; more of them on the left. Zoom in and clusters"
        " of places open; what there is too much of to be drawn as arrows becomes an image, with"
        " the same hover and click.\n\n"
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
    def shown_level(self) -> int:
        """The level in force: -1, as the view needs, where there is none of that number."""
        return self.level if self.level < len(self.source.levels) else -1

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
            level=self.shown_level,
            is_net=self.net,
            largest=self.arrows,
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
            return list(LOADING_COLOURS)
        return colours_for(self._drawn.data.categories if self._drawn else (), self.source)

    @property
    def _by_loading(self) -> bool:
        return self.loading and self.source.about.by_line

    # ------------------------------------------------------------------ asking

    def _question(self) -> Callable[[], Drawn]:
        return partial(
            answer,
            self.source,
            self.view,
            self.shown_period,
            by_loading=self._by_loading,
            projection=self._projection,
            seen=self._seen_view,
        )

    def table(self) -> pd.DataFrame:
        """Return the flows shown, the largest first; see ``flows_table``."""
        data = self._drawn.data if self._drawn else self._question()().data
        return flows_table(data)

    @property
    def statement(self) -> str:
        """The SQL behind the map, its values written out; ``source.sql`` runs it."""
        view = self._drawn.view if self._drawn else self.view
        return self.source.statement(view).shown()

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
        self._table = TablePanel(self)
        self._query = QueryPanel(self)
        self._details = Profile(self)
        self.param.watch(self._show_details, "opened")
        for panel in (self._table, self._query):
            self.param.watch(lambda _event, panel=panel: panel.fill(), "tab")
        self.param.watch(self._closed, "drawer_open")
        return {
            "map": pn.FlexBox(self._picture, self._beside.view, gap="14px"),
            "table": self._table.view,
            "query": self._query.view,
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
        self._table.fill()
        self._query.fill()
        self.param.update(title=sentence(self), foot=foot_line(self.source, data))
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
            "title": sentence(self),
            "foot": foot_line(self.source, data),
            "categories": [
                {"label": name, "colour": colour}
                for name, colour in zip(data.categories, self.colours, strict=False)
            ],
            "most": drawn.most,
            "widest": self._widest(data),
            "discs": {"most": 0, "largest": 0, "labels": []},
            "is_image": drawn.data.segments is not None,
            "has_arcs": drawn.data.segments is None,
            # An image tells how much by its strength, not by a width in pixels.
            "has_scale": drawn.data.segments is None,
            "is_bent": data.paths is None,
            "most_labels": _MOST_LABELS if self.source.is_of_lines(drawn.view) else None,
            "hint": "Click for its profile over time",
        }
        frame = pack_frame(
            data.arcs.value, data.arcs.loading, np.full((len(data.places), 2), np.nan)
        )
        params = params_of(data, self._projection, routes, words)
        params["picture"]["bounds"] = self._first_bounds(params["picture"]["bounds"])
        return {**params, "frame": frame, "when": self._when(), "duration": 250}

    def _widest(self, data: FlowMapData) -> float:
        """Return the pixels of the largest arrow: the same in all frames of a level."""
        if data.paths is not None:
            return widest_of(len(data.arcs)) / 2
        return widest_of(min(self.source.arcs_at(self.view), self.arrows or MOST_ARCS))

    def _first_bounds(self, bounds: list[float]) -> list[float]:
        """Return what "show everything" shows: all places, not those of the part that is seen."""
        if self._seen_view is None or not self._everything:
            self._everything = bounds
        return self._everything

    def _when(self) -> list[str]:
        bucket = self.bucket
        return ["" if bucket.kind == "all" else bucket.label, ""]

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
        self._view.tell(*at_pointer(data, found))

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
