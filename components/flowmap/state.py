"""What a flow map is asked for: its options, and what they mean for a dataset."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar

import pandas as pd
import param

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
from components.flowmap import OPENSTREETMAP, panels
from components.flowmap.multiples import MOST_MAPS
from components.selection import first_scenarios
from components.tool import Tool, year_shown

ALL = "all"
_REGIONS = "SELECT region FROM region WHERE scenario = ? AND kind = 'internal'"


class FlowMapState(Tool):
    """The options of a flow map, and the request that they make; it draws nothing."""

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
    tiles = param.Boolean(default=False, doc="Show a web map below; needs a network")
    tile_address = param.String(
        default=OPENSTREETMAP,
        doc="Where browsers find the web map; '' offers none",
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
    def shows_tiles(self) -> bool:
        """Whether a web map is below: it is wanted, and one is offered."""
        return self.tiles and bool(self.tile_address)

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

    def label(self, category: str) -> str:
        """Return what a carrier is called: the description of a commodity."""
        if self.colour_by == "commodity":
            return self.source.labels("commodity").get(category, category)
        return category


def _has_spots(table: pd.DataFrame) -> pd.Series[bool]:
    edges = [OUTSIDE, UNKNOWN]
    return ~table["origin"].isin(edges) & ~table["destination"].isin(edges)
