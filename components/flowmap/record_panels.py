"""The parts around a map of flow records: controls, time, legend."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from catalogs.flow_records.query import MOST_ARCS, READABLE_ARCS
from catalogs.flowmaps.picture import FlowMapData
from components.legend import ChartKey
from components.notices import PlainText
from components.numbers import significant
from components.widgets import offer

if TYPE_CHECKING:
    from components.flowmap.records import RecordMap

_STAY = 500
#: How many arrows are offered; the most that are drawn as marks comes last.
_ARROWS = (50, READABLE_ARCS, 500, 1000, MOST_ARCS)
_THIN = "\u2009"


class Controls:
    """The rail's widgets. They hold no state: each follows a param and sets it."""

    def __init__(self, flow_map: RecordMap) -> None:
        self._map = flow_map
        self._following = False
        self._period = pmui.Select(label="Time in steps of", size="small")
        self._commodities = pmui.MultiChoice(label="Commodities", chip=True, placeholder="All")
        self._level = pmui.Select(label="Places", size="small")
        self._arrows = pmui.Select(label="Arrows", size="small")
        self._net = pmui.Switch(label="Net of what flows back")
        self._loading = pmui.Switch(label="Colour by loading")
        self._svg, self._png = _button("Map as SVG"), _button("Map as PNG")
        widgets = [
            self._period, self._commodities, self._level, self._arrows, self._net, self._loading,
            self._svg, self._png,
        ]  # fmt: skip
        for widget in widgets:
            widget.param.update(width=None, sizing_mode="stretch_width", margin=(6, 0))
            widget._debounce = 0
        for widget, name in (
            (self._commodities, "commodities"), (self._level, "level"), (self._arrows, "arrows"),
            (self._net, "net"), (self._loading, "loading"),
        ):  # fmt: skip
            widget.param.watch(partial(self._take, name), "value")
        self._period.param.watch(partial(self._take, "period"), "value")
        self._svg.on_click(lambda _event: flow_map.export("svg"))
        self._png.on_click(lambda _event: flow_map.export("png"))
        self.view = pn.Column(*widgets, sizing_mode="stretch_width", margin=0)

    def _take(self, name: str, event: Any) -> None:
        if self._following or event.new is None:
            return
        changes = {name: event.new}
        if name == "period":
            changes["number"] = 0
        self._map.param.update(**changes)

    def follow(self) -> None:
        """Show in the widgets what the params say."""
        flow_map = self._map
        source = flow_map.source
        self._following = True
        try:
            kinds = {"All of it" if k == "all" else k.capitalize(): k for k in flow_map.periods}
            offer(self._period, kinds, flow_map.shown_period)
            offer(self._commodities, list(source.commodity_totals), flow_map.commodities)
            levels = {"As the view needs": -1}
            levels |= {
                f"{name.capitalize()} ({len(source.places[i]):,})".replace(",", _THIN): i
                for i, name in enumerate(source.levels)
            }
            offer(self._level, levels, flow_map.shown_level)
            self._level.visible = len(source.levels) > 1
            # Of a network, no line is left out.
            self._arrows.visible = not source.is_of_lines(flow_map.view)
            offer(self._arrows, _arrows(flow_map.arrows), flow_map.arrows)
            self._loading.visible = source.about.by_line
            for widget, value in ((self._net, flow_map.net), (self._loading, flow_map.loading)):
                if widget.value != value:
                    widget.value = value
        finally:
            self._following = False


def _arrows(chosen: int) -> dict[str, int]:
    """Return how many arrows may be chosen, by their words: what is in force among them."""
    counts = sorted({*_ARROWS, chosen} - {0})
    return {f"The {count:,} largest".replace(",", _THIN): count for count in counts} | {"All": 0}


def _button(label: str) -> Any:
    button = pmui.Button(label=label, size="small", margin=0)
    button.variant = "outlined"
    return button


class TimeBar:
    """The stretches of time as a slider, and a button that plays them."""

    def __init__(self, flow_map: RecordMap) -> None:
        self._map = flow_map
        self._following = False
        self._slider = pmui.IntSlider(
            label="Time",
            show_value=False,
            start=0,
            end=1,
            width=None,
            sizing_mode="stretch_width",
            margin=(0, 12),
        )
        self._slider._debounce = 0  # type: ignore[misc]  # a class variable
        self._play = pmui.Toggle(
            label="Play",
            icon="play_arrow",
            size="small",
            width=92,
            height=34,
            margin=(10, 8, 0, 0),
        )
        self._slider.param.watch(self._take, "value")
        self._play.param.watch(self._start_or_stop, "value")
        self._ticking: Any = None
        self.view = pn.Row(
            self._play, self._slider, sizing_mode="stretch_width", max_width=760, min_height=62
        )

    def follow(self) -> None:
        """Show the stretch that the params say."""
        count = len(self._map.buckets)
        self.view.visible = count > 1
        self._following = True
        try:
            label = self._map.bucket.label
            if (self._slider.end, self._slider.label) != (max(count - 1, 1), label):
                self._slider.param.update(end=max(count - 1, 1), label=label)
            if self._slider.value != self._map.number:
                self._slider.value = min(self._map.number, max(count - 1, 1))
        finally:
            self._following = False

    def _take(self, event: Any) -> None:
        if not self._following and event.new is not None:
            self._map.number = int(event.new)

    def _start_or_stop(self, event: Any) -> None:
        if event.new and self._ticking is None:
            self._play.icon = "pause"
            self._ticking = pn.state.add_periodic_callback(self._next, period=_STAY)
        elif not event.new and self._ticking is not None:
            self._play.icon = "play_arrow"
            self._ticking.stop()
            self._ticking = None

    def _next(self) -> None:
        # What is still being asked for is waited for: frames are not left out.
        if not self._map.working:
            self._map.number = (self._map.number + 1) % max(len(self._map.buckets), 1)


class Beside:
    """Beside the map: the legend, and places that nobody has told the whereabouts of."""

    def __init__(self, flow_map: RecordMap) -> None:
        self._map = flow_map
        self._legend = ChartKey(on_open=self._toggle, sizing_mode="stretch_width", min_width=200)
        self._unplaced = PlainText(look="muted", margin=(12, 6), visible=False)
        self.view = pn.Column(
            self._legend, self._unplaced,
            styles={"flex": "0 1 230px"}, min_width=200, margin=(8, 0, 0, 0),
        )  # fmt: skip

    def show(self, data: FlowMapData) -> None:
        """Show what colours stand for, and which places are not on the map."""
        value = np.nan_to_num(data.arcs.value)
        totals = np.bincount(data.arcs.category, weights=value, minlength=len(data.categories))
        self._legend.param.update(
            groups=[
                {"code": name, "label": name, "colour": colour, "amount": significant(float(total))}
                for name, colour, total in zip(
                    data.categories, self._map.colours, totals, strict=False
                )
            ],
            heading=f"drawn, {data.unit}",
            hint="" if self._map.loading else "click to show only this",
        )
        unknown = [str(n) for n in data.places.name[~data.places.is_placed]]
        self._unplaced.visible = bool(unknown)
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        self._unplaced.text = (
            f"Not on the map, since the table of locations has no coordinates of them:"
            f" {', '.join(unknown[:20])}{more}."
        )

    def _toggle(self, name: str) -> None:
        if name in self._map.source.commodity_totals:
            only = self._map.commodities == [name]
            self._map.commodities = [] if only else [name]
