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
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import geoviews as gv
import pandas as pd
import panel as pn
import param
from panel.viewable import Viewable

from catalogs import units
from catalogs.errors import TimesError
from catalogs.flowmaps.amounts import ENERGY, POWERS
from catalogs.flowmaps.places import OUTSIDE, UNKNOWN, find_places, is_on_earth
from catalogs.flowmaps.trade_map import TOTALS, Frame, TradeMap, TradeRequest, trade_map
from catalogs.flowmaps.trades import (
    TradeQuery,
    has_trade,
    read_trades,
    timeslices_of,
    with_top_categories,
)
from components.flowmap import panels, tables, words
from components.flowmap.basemap import BaseMap, View
from components.flowmap.multiples import MOST_MAPS, Maps, MapsBeside, work_out
from components.flowmap.picture import (
    bounds_of_map,
    frame_of,
    picture_of,
    projection_for,
    scale_of,
)
from components.flowmap.projection import MapProjection
from components.flowmap.table_panel import TablePanel
from components.flowmap.view import FlowMapView
from components.notices import notice
from components.selection import first_scenarios
from components.tool import Tool, year_shown

ALL = "all"
_REGIONS = "SELECT region FROM region WHERE scenario = ? AND kind = 'internal'"


class FlowMap(Tool):
    """Trade between regions and with the world outside, for one scenario or two compared."""

    year = param.Integer(default=0, doc="Milestone year; 0 for the first from 2030 on")
    timeslice = param.String(default="", doc="Timeslice, with all within it; '' for the whole year")
    step = param.Selector(
        default="year",
        objects=["year", "timeslice"],
        doc="What plays, and over what widths keep their scale: years, or timeslices of a year",
    )
    measured_as = param.Selector(
        default="energy",
        objects=["energy", "power"],
        doc="Values as energy of the year or timeslice, or as average power over it",
    )
    carriers = param.List(
        default=[],
        item_type=str,
        doc="Groups of commodities (or commodities) shown; none for those that flow between known"
        " places, 'all' for all",
    )
    colour_by = param.Selector(
        default="fuel", objects=["fuel", "commodity"], doc="What colours stand for"
    )
    net = param.Boolean(
        default=True, doc="Show of two opposite flows only the difference, or both of them"
    )
    outside = param.Boolean(
        default=False, doc="Show trade with partners that have no spot, such as the world market"
    )
    other = param.String(
        default="", doc="Scenario of which the difference to the base is shown; '' for none"
    )
    maps = param.Selector(
        default="one", objects=["one", "each"], doc="One map, or one for each scenario chosen"
    )
    totals = param.Selector(
        default="production and use", objects=list(TOTALS), doc="What regions show"
    )
    regions_as = param.Selector(
        default="circles",
        objects=["circles", "areas"],
        doc="Show it as circles, or fill the regions whose outline is known",
    )
    placed = param.List(
        default=[],
        item_type=str,
        doc="Regions placed by hand, as region=latitude longitude in degrees",
    )
    tiles = param.Boolean(
        default=False, doc="Show a web map below, from OpenStreetMap; needs a network"
    )
    opened = param.String(
        default="", doc="What the details are of: a place, or origin>destination>carrier"
    )
    opened_in = param.String(
        default="", doc="Scenario that the details are of, where maps are several; '' for the base"
    )
    tab = param.Selector(default="map", objects=["map", "table", "query"], doc="Which tab is open")

    drawer_open = param.Boolean(default=False, doc="Whether details are shown")

    _REDRAWN_BY: ClassVar[tuple[str, ...]] = (
        "measured_as", "carriers", "colour_by", "net", "outside", "other", "maps", "totals",
        "regions_as", "placed", "tiles",
    )  # fmt: skip
    _REDRAWN_BY_SELECTION: ClassVar[tuple[str, ...]] = ("scenarios", "base", "regions", "unit")
    url_params: ClassVar[tuple[str, ...]] = (
        "year", "timeslice", "step", *_REDRAWN_BY, "opened", "opened_in", "tab",
    )  # fmt: skip
    help = (
        "Arrows show what flows from one region to another; the wider, the more, on the same scale"
        " in all years. Circles show what a region produces (left) and uses (right).\n\n"
        "Click a carrier in the legend to show or hide it, an arrow or a region for its years,"
        " timeslices, prices and processes. Drag to move, scroll to zoom; with the keyboard:"
        " arrows, + and −, 0 for everything.\n\n"
        "A region that nobody has told the place of is listed beside the map. Choose it there and"
        " click where it belongs."
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._map: TradeMap | None = None
        self._maps: Maps | None = None
        self._projection: MapProjection | None = None
        self._drawn_on: tuple[MapProjection, bool] | None = None
        self.param.watch(self._step, ["year", "timeslice", "step"])

    # ------------------------------------------------------------------ state

    def _adapt(self) -> None:
        names = self.source.scenario_names
        if self.other not in names:
            self.other = ""
        if self.selection.base or not self.selection.scenarios:
            return
        # A first screen is never empty where a scenario can be drawn: one of those chosen, or any
        # other as long as nobody has chosen.
        of_nobody = set(self.selection.scenarios) == set(first_scenarios(self.source))
        for can_be_drawn in (self._is_on_map, partial(has_trade, self.source)):
            if can_be_drawn(self.scenario):
                return
            if drawn := [name for name in self.selection.scenarios if can_be_drawn(name)]:
                self.selection.base = drawn[0]
                return
            if of_nobody and (drawn := [name for name in names if can_be_drawn(name)]):
                self.selection.scenarios = first_scenarios(self.source, drawn)
                return

    def _is_on_map(self, scenario: str) -> bool:
        """Whether a scenario trades, and one of its regions has a place."""
        regions = [name for (name,) in self.source.rows(_REGIONS, [scenario])]
        try:
            placed = any(place.is_known for place in find_places(self.source, regions))
        except TimesError:
            return True  # said where the map would be
        return placed and has_trade(self.source, scenario)

    @property
    def scenario(self) -> str:
        """The scenario shown."""
        return self.selection.base_scenario

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that have a map, the base first; a difference is one map."""
        if self.maps == "one" or self.other not in ("", self.scenario):
            return (self.scenario,)
        return self.selection.ordered_scenarios[:MOST_MAPS]

    @property
    def unit_choices(self) -> list[str]:
        """Units of energy, or of power where the map shows that."""
        return list(POWERS) if self.measured_as == "power" else units.compatible(ENERGY)

    @property
    def unit(self) -> str:
        """The unit in force: the one wanted where it is one of those to choose from."""
        wanted, choices = self.selection.unit, self.unit_choices
        return wanted if wanted in choices else choices[0]

    @property
    def years(self) -> tuple[int, ...]:
        """The years in which anything is traded."""
        try:
            frames = read_trades(self.source, TradeQuery(self.scenario, unit=self.unit)).frames
        except TimesError:
            return ()
        return tuple(int(year) for year in frames)

    @property
    def shown_year(self) -> int:
        """The year shown: the one chosen where there is trade in it, else one from 2030 on."""
        return year_shown(int(self.year), self.years)

    @property
    def timeslices(self) -> tuple[str, ...]:
        """The timeslices in which anything is traded; none where only years are told apart."""
        return timeslices_of(self.source, self.scenario)

    @property
    def shown_timeslice(self) -> str:
        """The timeslice shown; '' for the whole year."""
        known = self.timeslice in self.timeslices or self.timeslice in self.source.timeslice_order
        return self.timeslice if known else ""

    @property
    def frame(self) -> Frame:
        """What is shown of the frames: a year, or a timeslice of one."""
        return self.shown_timeslice if self._by_timeslice else self.shown_year

    @property
    def _by_timeslice(self) -> bool:
        return self.step == "timeslice" and self.shown_timeslice in self.timeslices

    @property
    def query(self) -> TradeQuery:
        """What is asked of the scenario's trade."""
        return TradeQuery(
            scenario=self.scenario,
            colour_by=self.colour_by,
            timeslice="" if self._by_timeslice else self.shown_timeslice,
            by_timeslice=self.shown_year if self._by_timeslice else 0,
            unit=self.unit,
        )

    @property
    def request(self) -> TradeRequest:
        """What is shown of it."""
        return self._request(self.query)

    def _request(self, query: TradeQuery) -> TradeRequest:
        kept, outside = self._kept_and_outside(query)
        return TradeRequest(
            query=query,
            kept=kept,
            regions=tuple(self.selection.regions),
            is_net=self.net,
            outside=outside,
            other=self.other if self.other != query.scenario else "",
            totals=self.totals,
            is_filled=self.regions_as == "areas",
            by_hand=self.by_hand,
        )

    def _kept_and_outside(self, query: TradeQuery) -> tuple[tuple[str, ...], bool]:
        """Return the carriers shown, and whether trade without a spot is: something always is."""
        categories: dict[str, None] = {}
        flowing: set[str] = set()
        for scenario in self.scenarios:
            with suppress(TimesError):
                asked = replace(query, scenario=scenario)
                trades = with_top_categories(read_trades(self.source, asked), 12)
                categories |= dict.fromkeys(trades.categories)
                flowing |= set(trades.table.loc[_has_spots(trades.table), "category"])
        outside = self.outside or not flowing
        if ALL in self.carriers:
            return (), outside
        if chosen := tuple(c for c in categories if c in self.carriers):
            return chosen, outside
        return () if outside else tuple(c for c in categories if c in flowing), outside

    @property
    def by_hand(self) -> tuple[tuple[str, float, float], ...]:
        """Regions that the reader placed: region, latitude, longitude."""
        found = []
        for entry in self.placed:
            name, _, where = entry.rpartition("=")
            numbers = panels.two_numbers(where)
            if name and numbers and is_on_earth(*numbers):
                found.append((name, *numbers))
        return tuple(found)

    @property
    def answer(self) -> TradeMap:
        """Work the map out; raises the errors of ``trade_map``."""
        return trade_map(self.source, self.request)

    def table(self) -> pd.DataFrame:
        """Return the flows of all maps shown, the largest first; see ``flows_table``."""
        return tables.flows_table(self._worked_out, self.frame, self.label)

    def regions_table(self) -> pd.DataFrame:
        """Return what regions show; see ``tables.regions_table``."""
        return tables.regions_table(self._worked_out, self.frame)

    @property
    def _worked_out(self) -> Maps:
        return self._maps if self._maps is not None else self._question()()

    def label(self, category: str) -> str:
        """Return what a carrier is called: the description of a commodity."""
        if self.colour_by == "commodity":
            return self.source.labels("commodity").get(category, category)
        return category

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
        projection = projection_for(shown.data, tiles=self.tiles)
        anew = (projection, self.tiles) != self._drawn_on
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
            tiles=self.tiles,
            labels={name: self.label(name) for name in shown.data.categories},
            among=maps.categories,
        )

    def _make_base(self, shown: TradeMap, projection: MapProjection) -> None:
        """Make the figure below anew: the projection is another one, or tiles are wanted."""
        self._projection, self._drawn_on = projection, (projection, self.tiles)
        bounds = bounds_of_map(shown, projection)
        self._view.figure, self._view.on_view = self._figure(bounds, projection)

    def _figure(
        self, bounds: list[float], projection: MapProjection
    ) -> tuple[Viewable, Callable[[View], None]]:
        """Make what is below a map; return it and what shows another part of the world in it."""
        tiles = gv.tile_sources.OSM() if self.tiles else None
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


def _has_spots(table: pd.DataFrame) -> pd.Series[bool]:
    edges = [OUTSIDE, UNKNOWN]
    return ~table["origin"].isin(edges) & ~table["destination"].isin(edges)
