"""The drawer: what is behind the arrow or region that was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.viewable import Viewable

from catalogs.errors import TimesError
from catalogs.flowmaps.trade_details import TradeDetails, arc_details, place_details
from catalogs.flowmaps.trade_map import TradeMap
from components.assets import read_asset
from components.legend import ChartKey
from components.names import readable
from components.notices import PlainText
from components.numbers import percentage, significant

if TYPE_CHECKING:
    from components.flowmap.explorer import FlowMap

#: Colours of the two directions, told apart by colour-blind eyes on both themes.
_COLOURS = {"there": "#3d7ea6", "back": "#e08a3c", "exports": "#3d7ea6", "imports": "#e08a3c"}


#: Rows of a table that are shown at first.
_ROWS = 8
_LEAST_LOADING = 0.001


class Details:
    """Values both ways, over the years, per timeslice, by process, with prices and loading."""

    def __init__(self, flow_map: FlowMap) -> None:
        self._map = flow_map
        self._shown: tuple[Any, ...] = ()
        self.view = pn.Column(sizing_mode="stretch_width", margin=0)

    def show(self, shown: TradeMap) -> None:
        """Show what is behind what the params name as opened."""
        flow_map = self._map
        state = (flow_map.opened, shown.request, flow_map.shown_year, shown.trades)
        if state == self._shown:
            return
        self._shown = state
        try:
            self.view.objects = self._parts(shown)
        except TimesError as error:
            self.view.objects = [PlainText(text=error.what)]

    def _parts(self, shown: TradeMap) -> list[Viewable]:
        flow_map = self._map
        names = {
            str(i): str(n)
            for i, n in zip(shown.data.places.id, shown.data.places.name, strict=True)
        }
        ends = flow_map.opened.split(">", 2)
        query, year = shown.request.query, flow_map.shown_year
        if len(ends) == 3:
            origin, destination, category = ends
            here, there = names.get(origin, origin), names.get(destination, destination)
            found = arc_details(
                flow_map.source, query, year,
                origin=origin, destination=destination, category=category,
            )  # fmt: skip
            heading = f"{here} → {there}"
            words = {"there": f"to {there}", "back": f"to {here}"}
            what = flow_map.label(category)
        else:
            kept = shown.request.kept
            category = kept[0] if len(kept) == 1 else ""
            found = place_details(flow_map.source, query, year, ends[0], category)
            heading, words = (
                names.get(ends[0], ends[0]),
                {"imports": "imports", "exports": "exports"},
            )
            what = flow_map.label(category) if category else "All carriers"
        parts: list[Viewable] = [
            PlainText(text=heading, tag="h2", look="heading"),
            PlainText(text=f"{what}, {readable(query.scenario)}", look="muted"),
        ]
        if found.by_year.empty:
            return [*parts, PlainText(text="Nothing is traded there in any year.")]
        parts.append(PlainText(text=_both_ways(found, words, year)))
        parts.append(_key(words))
        for column, label in (
            ("year", f"Over the years, {found.unit}"),
            ("timeslice", f"Timeslices of {year}, {found.unit}"),
        ):
            if len(found.by_year if column == "year" else found.by_timeslice):
                parts += [_heading(label), _chart(found, words, column, label)]
        parts += self._tables(found, names)
        return [*parts, self._ways(ends)]

    def _tables(self, found: TradeDetails, names: dict[str, str]) -> list[Viewable]:
        parts: list[Viewable] = []
        labels = self._map.source.labels("process")
        if len(found.by_process):
            of = found.by_process
            what = [
                f"{labels.get(process, process)} · {commodity} to {names.get(to, to)}"
                for process, commodity, to in zip(
                    of["process"], of["commodity"], of["destination"], strict=True
                )
            ]
            sent = {f"Sent, {found.unit}": [significant(v) for v in of["sent"]]}
            parts += [_heading("By process and commodity"), _table({"Process": what} | sent)]
        if len(found.prices):
            of = found.prices
            units = of["unit"].fillna("").unique()
            same = f", {units[0]}" if len(units) == 1 and units[0] else ""
            prices = [
                f"{significant(value)}{'' if same else f' {unit}'}"
                for value, unit in zip(of["value"], of["unit"].fillna(""), strict=True)
            ]
            where = [
                f"{names.get(region, region)} · {commodity}"
                for region, commodity in zip(of["region"], of["commodity"], strict=True)
            ]
            table = {"Region": where, f"Price{same}": prices}
            parts += [_heading("Price on both sides, average of the year"), _table(table)]
        if len(found.capacity):
            of = found.capacity
            what = [
                f"{labels.get(process, process)} · {names.get(region, region)}"
                for process, region in zip(of["process"], of["region"], strict=True)
            ]
            table = {
                "Process": what,
                "Flow": [significant(v) for v in of["flow"]],
                "At most": [significant(v) for v in of["capacity"]],
                "Loading": [_loading(v) for v in of["loading"]],
            }
            parts += [_heading(f"Loading in the year, {found.unit}"), _table(table)]
        return parts

    def _ways(self, ends: Sequence[str]) -> Viewable:
        """Lead on: only the trade of the regions at the ends."""
        regions = [end for end in (ends[:2] if len(ends) == 3 else ends) if not end.startswith("@")]
        button = pmui.Button(
            label="Only the trade of these regions" if len(regions) > 1 else "Only its trade",
            size="small", margin=(12, 0),
        )  # fmt: skip
        button.variant = "outlined"
        known = [region for region in regions if region in self._map.source.regions]

        def narrow(_event: Any) -> None:
            self._map.selection.regions = known

        button.on_click(narrow)
        return button


def _heading(text: str) -> Viewable:
    return PlainText(text=text, tag="h3", look="heading", margin=(14, 0, 2, 0))


def _loading(share: float) -> str:
    return percentage(share) if share >= _LEAST_LOADING else f"< {percentage(_LEAST_LOADING)}"


def _table(columns: dict[str, list[str]]) -> Viewable:
    """A small table of texts that wrap, as the drawer is narrow; the first rows of a long one.

    The first column is names, the others are figures and stand to the right.
    """
    table = pd.DataFrame(columns)
    pane = pn.pane.DataFrame(
        table if len(table) <= _ROWS + 1 else table.head(_ROWS),
        index=False,
        escape=True,
        stylesheets=[read_asset("flowmap_details.css")],
        sizing_mode="stretch_width",
        margin=(0, 0, 6, 0),
    )
    if len(table) <= _ROWS + 1:
        return pane
    button = pmui.Button(label=f"Show all {len(table)}", size="small", margin=(0, 0, 6, 0))
    button.variant = "text"

    def show_all(_event: Any) -> None:
        pane.object = table
        button.visible = False

    button.on_click(show_all)
    return pn.Column(pane, button, sizing_mode="stretch_width", margin=0)


def _both_ways(found: TradeDetails, words: dict[str, str], year: int) -> str:
    now = found.by_year[found.by_year["year"] == year].set_index("direction")["value"]
    values = {name: float(now.get(name, 0.0)) for name in words}
    parts = [f"{word} {significant(values[name])} {found.unit}" for name, word in words.items()]
    first, second = values.values()
    return f"{year}: {', '.join(parts)}; net {significant(first - second)}."


class SmallChart(JSComponent):
    """Two series over years (lines) or timeslices (bars), for the drawer."""

    kind: Any = param.Selector(default="lines", objects=["lines", "bars"], doc="What is drawn")
    labels = param.List(default=[], item_type=str, doc="Years or timeslices")
    series = param.List(default=[], item_type=dict, doc="label, colour and values of each")
    unit = param.String(default="", doc="Unit of the values")
    label = param.String(default="", doc="What the chart shows, for screen readers")

    _esm = read_asset("flowmap_chart.js")
    _stylesheets = [read_asset("flowmap_chart.css")]


def _chart(found: TradeDetails, words: dict[str, str], column: str, label: str) -> Viewable:
    """Return both directions over years, or over timeslices: there up and back down."""
    frame = found.by_year if column == "year" else found.by_timeslice
    labels = list(dict.fromkeys(frame[column]))
    is_lines = column == "year"
    series = []
    for sign, (direction, word) in zip((1, 1 if is_lines else -1), words.items(), strict=True):
        own = frame[frame["direction"] == direction].set_index(column)["value"]
        values = [sign * float(own.get(name, 0.0)) for name in labels]
        series.append({"label": word, "colour": _COLOURS[direction], "values": values})
    return SmallChart(
        kind="lines" if is_lines else "bars",
        labels=[str(name) for name in labels],
        series=series,
        unit=found.unit,
        label=label,
        sizing_mode="stretch_width",
        margin=0,
    )


def _key(words: dict[str, str]) -> Viewable:
    """What the two colours of the charts stand for."""
    groups = [
        {"code": direction, "label": word, "colour": _COLOURS[direction]}
        for direction, word in words.items()
    ]
    return ChartKey(groups=groups, sizing_mode="stretch_width", margin=(6, 0, 0, 0))
