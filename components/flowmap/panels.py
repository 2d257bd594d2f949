"""The parts around a flow map: controls, time, legend and places, tables, query."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.flowmaps.places import OUTSIDE, UNKNOWN
from catalogs.flowmaps.totals import SINGLE, TOTALS
from catalogs.flowmaps.trade_map import Frame, TradeMap
from components.flowmap.details import Details
from components.flowmap.picture import colours_of
from components.legend import ChartKey
from components.names import readable
from components.notices import PlainText
from components.numbers import significant
from components.widgets import offer

if TYPE_CHECKING:
    from components.flowmap.explorer import FlowMap

__all__ = [
    "Beside", "Controls", "Details", "QueryPanel", "TimeBars", "two_numbers",
]  # fmt: skip

#: Scenarios with a map of their own where only one was chosen.
_MAPS_AT_FIRST = 4
#: Milliseconds that a frame stays while time plays: a year, a timeslice.
_STAY = {"year": 1200, "timeslice": 700}
_NUMBER = re.compile(r"[-+−]?\d+(?:\.\d+)?")


def two_numbers(text: str) -> tuple[float, float] | None:
    """Return the two numbers of a text such as "55.5, 12" or "55.5 12"; None if it has not two."""
    found = [float(number.replace("−", "-")) for number in _NUMBER.findall(text)]
    return (found[0], found[1]) if len(found) == 2 and all(map(math.isfinite, found)) else None


class Controls:
    """The rail's widgets. They hold no state: each follows a param and sets it."""

    def __init__(self, flow_map: FlowMap) -> None:
        self._map = flow_map
        self._following = False
        self._scenario = pmui.Select(label="Scenario", size="small")
        self._arrangement = pmui.Select(label="Scenarios", size="small")
        self._chosen = pmui.MultiChoice(label="Scenarios with a map", chip=True)
        self._other = pmui.Select(label="Difference of", size="small")
        self._regions = pmui.MultiChoice(label="Regions", chip=True, placeholder="All regions")
        self._measured_as = pmui.Select(label="Value", size="small")
        self._unit = pmui.Select(label="Unit", size="small")
        self._colour_by = pmui.Select(label="Colours stand for", size="small")
        self._totals = pmui.Select(label="Regions show", size="small")
        self._regions_as = pmui.Select(label="Shown as", size="small")
        self._net = pmui.Switch(label="Net of what flows back")
        self._outside = pmui.Switch(label="World market")
        self._tiles = pmui.Switch(label=_name_of_tiles(flow_map.tile_address))
        self._tiles.visible = bool(flow_map.tile_address)
        self._svg, self._png = _button("Map as SVG"), _button("Map as PNG")
        widgets = [
            self._scenario, self._arrangement, self._chosen, self._other, self._regions,
            self._measured_as, self._unit, self._colour_by, self._totals, self._regions_as,
            self._net, self._outside, self._tiles, self._svg, self._png,
        ]  # fmt: skip
        for widget in widgets:
            widget.param.update(width=None, sizing_mode="stretch_width", margin=(6, 0))
            # A choice comes alone: Panel need not wait 50 ms for further changes.
            widget._debounce = 0
        selection = flow_map.selection
        self._watch(self._scenario, self.choose)
        self._watch(self._arrangement, self._arrange)
        self._watch(self._chosen, self._choose_several)
        self._watch(self._other, lambda value: flow_map.param.update(other=value))
        self._watch(self._regions, lambda value: selection.param.update(regions=value))
        self._watch(self._unit, lambda value: selection.param.update(unit=value))
        for widget, name in (
            (self._measured_as, "measured_as"), (self._colour_by, "colour_by"),
            (self._totals, "totals"),
            (self._regions_as, "regions_as"), (self._net, "net"),
            (self._outside, "outside"), (self._tiles, "tiles"),
        ):  # fmt: skip
            self._watch(widget, partial(self._set, name))
        self._svg.on_click(lambda _event: flow_map.export("svg"))
        self._png.on_click(lambda _event: flow_map.export("png"))
        self.view = pn.Column(*widgets, sizing_mode="stretch_width", margin=0)

    def _set(self, name: str, value: Any) -> None:
        changes = {name: value}
        if name == "colour_by":
            changes["carriers"] = []
        self._map.param.update(**changes)

    def _watch(self, widget: Any, take: Any) -> None:
        def taken(event: Any) -> None:
            if not self._following and event.new is not None:
                take(event.new)

        widget.param.watch(taken, "value")

    def choose(self, scenario: str) -> None:
        """Show a scenario: make it the base, chosen if it was not."""
        selection = self._map.selection
        chosen = selection.scenarios
        if scenario not in chosen:
            chosen = [*chosen, scenario]
        selection.param.update(scenarios=chosen, base=scenario)

    def _arrange(self, maps: str) -> None:
        """Show one map, or one each; of several scenarios, where nobody has chosen so many."""
        flow_map, selection = self._map, self._map.selection
        if maps == "each" and len(selection.scenarios) < 2:
            names = flow_map.source.scenario_names
            selection.scenarios = list(dict.fromkeys([flow_map.scenario, *names]))[:_MAPS_AT_FIRST]
        flow_map.param.update(maps=maps, other="")

    def _choose_several(self, names: list[str]) -> None:
        selection = self._map.selection
        if names:
            base = selection.base if selection.base in names else ""
            selection.param.update(scenarios=list(names), base=base)
        else:
            self.follow()  # one stays

    def follow(self) -> None:
        """Show in the widgets what the params say."""
        flow_map, selection = self._map, self._map.selection
        names = {readable(name): name for name in flow_map.source.scenario_names}
        labels = flow_map.source.labels("region")
        self._following = True
        try:
            offer(self._scenario, names, flow_map.scenario)
            arrangements = {"One map": "one", "One map each": "each"}
            offer(self._arrangement, arrangements, flow_map.maps)
            offer(self._chosen, names, list(selection.scenarios))
            self._chosen.visible = flow_map.maps == "each"
            others = {label: name for label, name in names.items() if name != flow_map.scenario}
            other = flow_map.other if flow_map.other != flow_map.scenario else ""
            offer(self._other, {"No difference": "", **others}, other)
            regions = {f"{labels.get(r, r)}": r for r in flow_map.source.regions}
            offer(self._regions, regions, selection.regions)
            values = {"Energy": "energy", "Average power": "power"}
            offer(self._measured_as, values, flow_map.measured_as)
            offer(self._unit, {unit: unit for unit in flow_map.unit_choices}, flow_map.unit)
            kinds = {"Groups of commodities": "fuel", "Commodities": "commodity"}
            offer(self._colour_by, kinds, flow_map.colour_by)
            self._offer_totals()
            for widget, value in (
                (self._net, flow_map.net), (self._outside, flow_map.outside),
                (self._tiles, flow_map.tiles),
            ):  # fmt: skip
                if widget.value != value:
                    widget.value = value
        finally:
            self._following = False

    def _offer_totals(self) -> None:
        """Offer what regions can show: one value where they are filled or compared."""
        flow_map = self._map
        totals = flow_map.totals
        offered = list(TOTALS)
        if flow_map.regions_as == "areas" or flow_map.other not in ("", flow_map.scenario):
            totals = SINGLE.get(totals, totals)
            offered = [name for name in TOTALS if name not in SINGLE]
        offer(self._totals, {name.capitalize(): name for name in offered}, totals)
        looks = {"Circles": "circles", "Filled regions": "areas"}
        offer(self._regions_as, looks, flow_map.regions_as)


def _name_of_tiles(address: str) -> str:
    host = urlsplit(address).hostname or ""
    return f"Web map below ({'OpenStreetMap' if host.endswith('openstreetmap.org') else host})"


def _button(label: str, **options: Any) -> Any:
    button = pmui.Button(label=label, size="small", margin=0, **options)
    button.variant = "outlined"
    return button


class TimeBars:
    """Years and timeslices as sliders, each with a button that plays it."""

    def __init__(self, flow_map: FlowMap) -> None:
        self._map = flow_map
        self._following = False
        self._playing = ""
        self._ticking: Any = None
        self._years, self._timeslices = self._slider("Year"), self._slider("Timeslice")
        self._buttons = {"year": self._button("year"), "timeslice": self._button("timeslice")}
        self._years.param.watch(self._take_year, "value")
        self._timeslices.param.watch(self._take_timeslice, "value")
        self._rows = {
            "year": self._row("year", self._years),
            "timeslice": self._row("timeslice", self._timeslices),
        }
        self.view = pn.FlexBox(*self._rows.values(), gap="4px 20px", margin=(0, 0, 4, 0))

    def _slider(self, label: str) -> Any:
        slider = pmui.DiscreteSlider(
            label=label, options=[0], width=None, sizing_mode="stretch_width", margin=(0, 12)
        )
        slider._debounce = 0  # type: ignore[misc]  # a class variable
        return slider

    def _button(self, step: str) -> Any:
        button = pmui.Toggle(
            label="Play", icon="play_arrow", size="small", width=92, height=34,
            margin=(10, 8, 0, 0), description=f"Play {step}s",
        )  # fmt: skip
        button.param.watch(partial(self._start_or_stop, step), "value")
        return button

    def _row(self, step: str, slider: Any) -> Viewable:
        return pn.Row(
            self._buttons[step], slider, sizing_mode="stretch_width", max_width=560, min_height=62,
            min_width=280, styles={"flex": "1 1 320px"},
        )  # fmt: skip

    def follow(self) -> None:
        """Show the year and timeslice that the params say."""
        flow_map = self._map
        timeslices = flow_map.timeslices
        self._following = True
        try:
            years = list(flow_map.years)
            self._rows["year"].visible = bool(years)
            offer(self._years, years or [0], flow_map.shown_year)
            self._rows["timeslice"].visible = bool(timeslices)
            labels = flow_map.source.labels("timeslice")
            options = {
                "Whole year": "",
                **{f"{t} {labels.get(t, '')}".strip(): t for t in timeslices},
            }
            shown = flow_map.shown_timeslice
            offer(self._timeslices, options, shown if shown in timeslices else "")
        finally:
            self._following = False

    def _take_year(self, event: Any) -> None:
        if not self._following and event.new:
            self._map.year = int(event.new)

    def _take_timeslice(self, event: Any) -> None:
        if not self._following and event.new is not None:
            self._map.param.update(timeslice=event.new, step="timeslice" if event.new else "year")

    # ------------------------------------------------------------------ playing

    def _start_or_stop(self, step: str, event: Any) -> None:
        if event.new:
            self._stop()
            self._playing = step
            for name, button in self._buttons.items():
                button.param.update(
                    value=name == step, icon="pause" if name == step else "play_arrow"
                )
            self._map.step = step
            self._next()
            self._ticking = pn.state.add_periodic_callback(self._next, period=_STAY[step])
        elif self._playing == step:
            self._stop()
            self._playing = ""
            self._buttons[step].icon = "play_arrow"

    def _stop(self) -> None:
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def _next(self) -> None:
        flow_map = self._map
        if self._playing == "timeslice":
            if timeslices := flow_map.timeslices:
                flow_map.timeslice = _after(timeslices, flow_map.shown_timeslice)
        elif years := flow_map.years:
            flow_map.year = _after(years, flow_map.shown_year)


def _after(items: Any, item: Any) -> Any:
    return items[(items.index(item) + 1) % len(items)] if item in items else items[0]


class Beside:
    """Beside the map: the legend, what the map cannot show, and how to place it."""

    def __init__(self, flow_map: FlowMap) -> None:
        self._map = flow_map
        self._legend = ChartKey(on_open=flow_map.toggle, sizing_mode="stretch_width", min_width=200)
        self._everything = _button("All carriers")
        self._everything.margin = (8, 6)
        self._everything.on_click(lambda _event: flow_map.param.update(carriers=["all"]))
        self._unplaced = pn.Column(sizing_mode="stretch_width", visible=False)
        self._unknown: tuple[str, ...] = ()
        self.view = pn.Column(
            self._legend, self._everything, self._unplaced,
            styles={"flex": "0 1 230px"}, min_width=200, margin=(8, 0, 0, 0),
        )  # fmt: skip

    def show(self, shown: TradeMap, frame: Frame) -> None:
        """Show the carriers of a map with what is traded of each in a frame."""
        row = shown.at(frame)
        maps = self._map._maps
        drawn = maps.drawn if maps is not None else (shown,)
        offered = list(dict.fromkeys(name for one in drawn for name in one.offered))
        kept = set(shown.request.kept) or set(offered)
        colours: dict[str, str] = {}
        amounts: dict[str, float] = {}
        for one in drawn:
            found = colours_of(one, self._map.source, offered)
            colours |= dict(zip(one.data.categories, found, strict=True))
            for at, name in enumerate(one.offered):
                most = float(one.amounts[:, at].max(initial=0.0))
                amounts[name] = max(most, amounts.get(name, 0.0))
        whose = f"{readable(self._map.scenario)}: " if len(drawn) > 1 else ""
        now = dict(zip(shown.offered, shown.amounts[row], strict=True))
        self._legend.param.update(
            groups=[
                {
                    "code": name,
                    "label": self._map.label(name),
                    "colour": colours[name],
                    "amount": significant(float(now.get(name, 0.0))),
                    "off": name not in kept,
                }
                for name in sorted(offered, key=lambda name: -amounts[name])
            ],
            heading=f"{whose}all trade, {frame}, {shown.data.unit}",
            hint="click to show or hide",
            line_keys=[],
        )
        self._everything.visible = kept != set(offered)
        self._list_unplaced(shown)

    def clear(self) -> None:
        """Show nothing: there is no map."""
        self._legend.param.update(groups=[], heading="")
        self._everything.visible = False
        self._unplaced.visible = False

    def _list_unplaced(self, shown: TradeMap) -> None:
        table = shown.trades.table
        ids = sorted({*table["origin"], *table["destination"]} - {OUTSIDE, UNKNOWN})
        known = {
            str(name)
            for name, placed in zip(shown.data.places.id, shown.data.places.is_placed, strict=True)
            if placed
        }
        absent = {str(name) for name in shown.data.places.id} - known
        unknown = tuple(name for name in ids if name in absent)
        if unknown == self._unknown:
            return
        self._unknown = unknown
        self._unplaced.visible = bool(unknown)
        self._unplaced.objects = (
            [
                PlainText(text="Not on the map", tag="h3", look="heading", margin=(18, 6, 2, 6)),
                PlainText(
                    text="Nobody has told where these are. Choose one and click on the map, or give"
                    " latitude and longitude.",
                    look="muted",
                    margin=(0, 6, 8, 6),
                ),
                *(self._placing(name) for name in unknown[:40]),
            ]
            if unknown
            else []
        )

    def _placing(self, name: str) -> Viewable:
        label = self._map.source.labels("region").get(name, name)
        button = _button(f"Place {label}")
        where = pmui.TextInput(
            label=f"Latitude, longitude of {label}", placeholder="55.5, 12.0", size="small",
            width=None, sizing_mode="stretch_width", margin=(4, 0, 10, 0),
        )  # fmt: skip
        button.on_click(lambda _event: self._map._view.param.update(placing=name))

        def take(event: Any) -> None:
            numbers = two_numbers(event.new)
            if numbers and abs(numbers[0]) <= 90 and abs(numbers[1]) <= 180:
                self._map.place(name, *numbers)
            elif event.new:
                where.error_state = True

        where.param.watch(take, "value")
        return pn.Column(button, where, sizing_mode="stretch_width", margin=(0, 6))


class QueryPanel:
    """What is counted, in words and in SQL."""

    def __init__(self, flow_map: FlowMap) -> None:
        self._map = flow_map
        self._sql = PlainText(tag="pre", look="code")
        self._partners = PlainText(look="muted", max_width=760)
        self.view = pn.Column(
            PlainText(text="Trade", tag="h2", look="heading", margin=(12, 0, 4, 0)),
            PlainText(
                text="A flow is what its origin sends over a trading process (set IRE); where only"
                " what arrives is known, that. Extraction and ambient carriers are no trade, dummy"
                " imports neither. Regions: use is final energy, production primary energy won"
                " at home (for electricity its generation); imports and exports those of the"
                " carriers and regions shown, of a country outside of the model its trade with the"
                " model's regions. Average power is energy over the hours of the year (8,760) or"
                " timeslice.",
                max_width=760,
            ),
            self._partners,
            PlainText(text="The query behind the map", tag="h3", look="heading"),
            self._sql,
            sizing_mode="stretch_width",
        )

    def show(self, shown: TradeMap | None) -> None:
        """Show the SQL of a map; None where the question was refused."""
        self._sql.text = shown.trades.sql if shown else "The question was refused."
        said = [
            f"{name.removeprefix('@')}: {why}"
            for name, why in (shown.trades.partners.items() if shown else ())
        ]
        self._partners.text = f"Countries are known by: {'; '.join(said)}." if said else ""
