"""The flow map: where energy goes between regions and with the world outside, year by year.

from catalogs import open_source
from components.flowmap.explorer import FlowMap

flow_map = FlowMap(source=open_source(Path(".data")), year=2050)
flow_map.carriers = ["Electricity"]     # the same as choosing it in the legend
flow_map                                # in a notebook
flow_map.table()                        # the flows as a frame
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import geoviews as gv
import pandas as pd
import panel as pn
import param
from panel.viewable import Viewable

from catalogs.errors import TimesError
from catalogs.flowmaps.places import is_on_earth
from catalogs.flowmaps.trade_map import TradeMap
from catalogs.flowmaps.trades import has_trade
from components.flowmap import panels, tables, words
from components.flowmap.basemap import BaseMap, View
from components.flowmap.multiples import Maps, MapsBeside, work_out
from components.flowmap.picture import (
    bounds_of_map,
    frame_of,
    picture_of,
    projection_for,
    scale_of,
)
from components.flowmap.projection import MapProjection
from components.flowmap.state import ALL, FlowMapState
from components.flowmap.table_panel import TablePanel
from components.flowmap.view import FlowMapView
from components.notices import notice


class FlowMap(FlowMapState):
    """Trade between regions and with the world outside, for one scenario or two compared."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._map: TradeMap | None = None
        self._maps: Maps | None = None
        self._projection: MapProjection | None = None
        self._drawn_on: tuple[MapProjection, bool] | None = None
        self.param.watch(self._step, ["year", "timeslice", "step"])

    def table(self) -> pd.DataFrame:
        """Return the flows of all maps shown, the largest first; see ``flows_table``."""
        return tables.flows_table(self._worked_out, self.frame, self.label)

    def regions_table(self) -> pd.DataFrame:
        """Return what regions show; see ``tables.regions_table``."""
        return tables.regions_table(self._worked_out, self.frame)

    @property
    def _worked_out(self) -> Maps:
        return self._maps if self._maps is not None else self._question()()

    # ------------------------------------------------------------------ doing

    def toggle(self, category: str) -> None:
        """Show a carrier, or hide it; the last one hidden shows all."""
        if self._map is None:
            return
        offered = set(self._maps.categories) if self._maps else set(self._map.offered)
        shown = set(self._map.request.kept) or set(offered)
        shown ^= {category}
        everything = shown == offered
        self.carriers = [ALL] if everything or not shown else sorted(shown)

    def place(self, region: str, latitude: float, longitude: float) -> None:
        """Put a region where the reader says. Raises ValueError for no place on earth."""
        if not is_on_earth(latitude, longitude):
            raise ValueError(f"{latitude:g}, {longitude:g} is no latitude and longitude.")
        others = [entry for entry in self.placed if entry.rpartition("=")[0] != region]
        self.placed = [*others, f"{region}={latitude:.4f} {longitude:.4f}"]

    def export(self, kind: Literal["svg", "png"]) -> None:
        """Let the browser download the map as it is seen, each of several."""
        self._view.export(kind, f"flow-map-{self.shown_year}")
        for scenario, view in self._beside_it.views.items():
            view.export(kind, f"flow-map-{self.shown_year}-{scenario}")

    def _placed_on_map(self, x: float, y: float) -> None:
        region = self._view.placing
        if not region or self._projection is None:
            return
        longitude, latitude = self._projection.to_degrees(x, y)
        self._view.placing = ""
        self.place(region, latitude, longitude)

    def _open_arc(self, position: int, scenario: str = "") -> None:
        shown = self._maps.of(scenario) if self._maps else None
        if shown is not None and position < len(shown.data.arcs):
            arcs, places = shown.data.arcs, shown.data.places
            ends = (
                str(places.id[arcs.origin[position]]),
                str(places.id[arcs.destination[position]]),
                shown.data.categories[arcs.category[position]],
            )
            self.param.update(opened=">".join(ends), opened_in=scenario)

    def _open_place(self, position: int, scenario: str = "") -> None:
        shown = self._maps.of(scenario) if self._maps else None
        if shown is not None and position < len(shown.data.places):
            self.param.update(opened=str(shown.data.places.id[position]), opened_in=scenario)

    # ------------------------------------------------------------------ seeing

    def _build(self) -> dict[str, Viewable]:
        self._view = FlowMapView(
            sizing_mode="stretch_width",
            margin=0,
            on_arc=self._open_arc,
            on_place=self._open_place,
            on_placed=self._placed_on_map,
        )
        self._picture = pn.Column(sizing_mode="stretch_width", styles={"flex": "1 1 520px"})
        self._beside_it = MapsBeside(self, self._view)
        self._beside = panels.Beside(self)
        self._controls = panels.Controls(self)
        self._times = panels.TimeBars(self)
        self._table = TablePanel(self)
        self._query_panel = panels.QueryPanel(self)
        self._details = panels.Details(self)
        self.param.watch(self._show_details, ["opened", "opened_in"])
        self.param.watch(lambda _event: self._table.fill(), "tab")
        self.param.watch(self._closed, "drawer_open")
        return {
            "map": pn.FlexBox(self._picture, self._beside.view, gap="14px"),
            "table": self._table.view,
            "query": self._query_panel.view,
        }

    def _question(self) -> Callable[[], Maps]:
        return partial(work_out, self.source, self.request, self.scenarios[1:])

    def _step(self, *_events: Any) -> None:
        """Another year or timeslice: where it is one of the frames, only values change."""
        if not self._built:
            return
        shown = self._map
        if shown is not None and shown.request == self.request and self.frame in shown.frames:
            self._show_frame(shown)
            self._times.follow()
        else:
            self._redraw()

    def _show(self, maps: Maps) -> None:
        shown = maps.base
        self._map, self._maps = shown, maps
        projection = projection_for(shown.data, tiles=self.shows_tiles)
        anew = (projection, self.shows_tiles) != self._drawn_on
        if anew:
            self._make_base(shown, projection)
        self._view.picked = self._picked(shown)
        self._beside_it.show(maps, projection, anew=anew)
        if self._picture.objects != [self._beside_it.view]:
            self._picture.objects = [self._beside_it.view]
        self._query_panel.show(shown)
        self._show_frame(shown, with_map=False)
        if self.opened:
            self._show_details()

    def _picture_params(
        self, maps: Maps, shown: TradeMap, projection: MapProjection
    ) -> dict[str, Any]:
        scenario = shown.request.query.scenario
        return picture_of(
            shown,
            self.source,
            projection,
            scale_of(*maps.drawn),
            title=words.sentence(self, scenario),
            foot=shown.shown[shown.at(self.frame)].sentence(),
            tiles=self.shows_tiles,
            labels={name: self.label(name) for name in shown.data.categories},
            among=maps.categories,
        )

    def _make_base(self, shown: TradeMap, projection: MapProjection) -> None:
        """Make the figure below anew: the projection is another one, or tiles are wanted."""
        self._projection, self._drawn_on = projection, (projection, self.shows_tiles)
        bounds = bounds_of_map(shown, projection)
        self._view.figure, self._view.on_view = self._figure(bounds, projection)

    def _figure(
        self, bounds: list[float], projection: MapProjection
    ) -> tuple[Viewable, Callable[[View], None]]:
        """Make what is below a map; return it and what shows another part of the world in it."""
        tiles = gv.WMTS(self.tile_address) if self.shows_tiles else None
        x0, x1, y0, y1 = bounds
        base = BaseMap(projection, View(x0, x1, y0, y1), tiles=tiles)
        figure = pn.pane.HoloViews(
            base.picture, sizing_mode="stretch_both", margin=0, linked_axes=False
        )
        return figure, base.show

    def _when(self) -> list[str]:
        large = str(self.shown_year)
        timeslice = self.shown_timeslice
        label = self.source.labels("timeslice").get(timeslice, "")
        small = f"{timeslice} {label}".strip() if timeslice else ""
        return [large, small]

    def _show_frame(self, shown: TradeMap, *, with_map: bool = True) -> None:
        if with_map:
            self._view.param.update(frame=frame_of(shown, self.frame), when=self._when())
            if self._maps is not None:
                self._beside_it.show_frame(self._maps)
        self._beside.show(shown, self.frame)
        self._table.show(self._maps)
        self.param.update(title=words.sentence(self), foot=words.foot_line(self, shown))

    def _show_refusal(self, error: TimesError) -> None:
        self._map = self._maps = None
        self._picture.objects = [
            notice(error.what, error.remedy, kind="refusal", ways=self._ways_out())
        ]
        self._beside.clear()
        self._table.show(None)
        self._query_panel.show(None)
        self.param.update(title="Flow map", foot=words.version_line(self))

    def _ways_out(self) -> list[tuple[str, Callable[[], object]]]:
        ways: list[tuple[str, Callable[[], object]]] = []
        if self.timeslice:
            ways.append(("Show the whole year", partial(self.param.update, timeslice="")))
        if self.selection.regions:
            ways.append(("Show all regions", partial(self.selection.param.update, regions=[])))
        having = [s for s in self.source.scenario_names if has_trade(self.source, s)]
        for name in [s for s in having if s != self.scenario][:3]:
            ways.append((f"Show {words.readable(name)}", partial(self._controls.choose, name)))
        return ways

    def _follow(self) -> None:
        self._controls.follow()
        self._times.follow()

    # ------------------------------------------------------------------ details

    def _picked(self, shown: TradeMap) -> list[Any]:
        """Return what stands out on a map: what the details are of."""
        if not self.opened:
            return []
        ids = [str(name) for name in shown.data.places.id]
        ends = self.opened.split(">", 2)
        if len(ends) == 1:
            return ["place", ids.index(self.opened)] if self.opened in ids else []
        arcs = shown.data.arcs
        for i in range(len(arcs)):
            category = shown.data.categories[arcs.category[i]]
            if [ids[arcs.origin[i]], ids[arcs.destination[i]], category] == ends:
                return ["arc", i]
        return []

    def _show_details(self, *_events: Any) -> None:
        if self._maps is not None:
            self._view.picked = self._picked(self._maps.base)
            for name, view in self._beside_it.views.items():
                view.picked = self._picked(self._maps.of(name))
        if not self.opened or self._maps is None:
            self.drawer_open = False
            return
        self._details.show(self._maps.of(self.opened_in))
        self.drawer_open = True

    def _closed(self, event: param.parameterized.Event) -> None:
        if not event.new:
            self.opened = ""

    # ------------------------------------------------------------------ composing

    def _controls_view(self) -> Sequence[Viewable]:
        return [self._controls.view]

    def _above(self) -> Sequence[Viewable]:
        return [self._times.view]

    @property
    def drawer(self) -> Viewable:
        """Details of what was clicked."""
        self._ensure_built()
        return self._details.view
