"""The parts around a Sankey: controls, the trail of what is opened, years, and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.sankey.graph import Node
from components.downloads import to_csv
from components.figures_table import figures_table
from components.names import readable
from components.notices import PlainText
from components.numbers import significant
from components.sankey import tables
from components.sankey.layout import Frame
from components.sankey.request import LaidOut
from components.widgets import offer

if TYPE_CHECKING:
    from components.sankey.explorer import SankeyExplorer

_ROWS_PER_PAGE = 12
#: Milliseconds that a year stays while the years play.
_PLAY = 1500
_NUMBERS = ("value", "base", "other", "difference", "in", "out", "of it lost", "taken", "given")


def frame_for(width: int) -> Frame:
    """Return the frame for a width in pixels: narrow ones scroll in their box."""
    room = 150 if width >= 900 else 96
    return Frame(width=max(width, 720), height=640, left=room, right=room)


class Controls:
    """The rail's widgets. They hold no state: each follows a param and sets it."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._following = False
        self._scenario = pmui.Select(label="Scenario", size="small")
        self._other = pmui.Select(label="Compare with", size="small")
        self._regions = pmui.MultiChoice(label="Regions", chip=True, placeholder="All regions")
        self._unit = pmui.Select(label="Unit", size="small")
        self._most = pmui.IntSlider(
            label="Groups before small ones are one", start=12, end=150, step=2
        )
        self._close = _button("Close all that is opened")
        self._svg, self._png = _button("Picture as SVG"), _button("Picture as PNG")
        widgets = [
            self._scenario, self._other, self._regions, self._unit, self._most, self._close,
            self._svg, self._png,
        ]  # fmt: skip
        for widget in widgets:
            widget.param.update(width=None, sizing_mode="stretch_width", margin=(6, 0))
            # A choice comes alone: Panel need not wait 50 ms for further changes.
            widget._debounce = 0
        self._most.margin = (14, 10)
        selection = sankey.selection
        self._watch(self._scenario, self._choose)
        self._watch(self._other, lambda value: sankey.param.update(other=value))
        self._watch(self._regions, lambda value: selection.param.update(regions=value))
        self._watch(self._unit, lambda value: selection.param.update(unit=value))
        self._most.param.watch(self._set_most, "value_throttled")
        self._close.on_click(lambda _event: sankey.param.update(opened=[], focus=""))
        self._svg.on_click(lambda _event: sankey.export("svg"))
        self._png.on_click(lambda _event: sankey.export("png"))
        self.view = pn.Column(*widgets, sizing_mode="stretch_width", margin=0)

    def _watch(self, widget: Any, take: Any) -> None:
        def taken(event: Any) -> None:
            if not self._following and event.new is not None:
                take(event.new)

        widget.param.watch(taken, "value")

    def _choose(self, scenario: str) -> None:
        """Show a scenario: make it the base, chosen if it was not."""
        selection = self._sankey.selection
        chosen = selection.scenarios
        if scenario not in chosen:
            chosen = [*chosen, scenario]
        selection.param.update(scenarios=chosen, base=scenario)

    def _set_most(self, event: Any) -> None:
        if not self._following:
            self._sankey.most_nodes = int(event.new)

    def follow(self) -> None:
        """Show in the widgets what the params say."""
        sankey, selection = self._sankey, self._sankey.selection
        names = {readable(name): name for name in sankey.source.scenario_names}
        labels = sankey.source.labels("region")
        self._following = True
        try:
            offer(self._scenario, names, sankey.scenario)
            others = {label: name for label, name in names.items() if name != sankey.scenario}
            other = sankey.other if sankey.other != sankey.scenario else ""
            offer(self._other, {"Nothing": "", **others}, other)
            regions = {f"{labels.get(r, r)}": r for r in sankey.source.regions}
            offer(self._regions, regions, selection.regions)
            offer(self._unit, {unit: unit for unit in sankey.unit_choices}, sankey.unit)
            if self._most.value != sankey.most_nodes:
                self._most.value = min(sankey.most_nodes, self._most.end)
            self._close.disabled = not (sankey.opened or sankey.focus)
        finally:
            self._following = False


class Trail:
    """What is opened and focused on, above the picture; a click on one takes it back."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._shown: tuple[str, ...] | None = None
        self.view = pn.FlexBox(gap="6px", margin=(0, 0, 8, 0), visible=False)

    def follow(self) -> None:
        """Show what is opened and focused on."""
        sankey = self._sankey
        state = (sankey.focus, *sankey.opened)
        if state == self._shown:
            return
        self._shown = state
        chips = [self._chip(f"Opened: {_name(i)}", self._closer(i)) for i in sankey.opened]
        if sankey.focus:
            chips.insert(0, self._chip(f"Only around {_name(sankey.focus)}", self._unfocus))
        self.view.objects = chips
        self.view.visible = bool(chips)

    def _chip(self, label: str, take_back: Any) -> Viewable:
        button = pmui.Button(
            label=f"{label}  ×", variant="outlined", size="small", margin=0, description="Take back"
        )
        button.on_click(take_back)
        return button

    def _closer(self, identity: str) -> Any:
        return lambda _event: self._sankey.close(identity)

    def _unfocus(self, _event: Any) -> None:
        self._sankey.focus = ""


def _name(identity: str) -> str:
    """Return what an id says of a node when the picture does not have it."""
    kind, _, rest = identity.partition("/")
    if kind == "carrier":
        return rest.rpartition("/")[0]
    if kind == "other":
        return "other groups"
    return rest.rpartition("/")[2]


class Details:
    """What was clicked, and the ways to the scenario explorer from there."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self.view = pn.FlexBox(gap="8px", margin=(4, 0), visible=False)

    def show(self, *nodes: Node) -> None:
        """Offer to show nodes in the explorer, and to show only what is around them."""
        parts: list[Viewable] = []
        for node in nodes:
            label = self._sankey.label(node)
            if address := self._sankey.address_of(node):
                parts.append(_button(f"{label} in Scenarios", href=address))
            around = _button(f"Only around {label}")
            around.on_click(self._looker(node.id))
            parts.append(around)
        self.view.objects = parts
        self.view.visible = bool(parts)

    def clear(self) -> None:
        """Offer nothing: another picture has come."""
        if self.view.visible:
            self.view.param.update(objects=[], visible=False)

    def _looker(self, identity: str) -> Any:
        return lambda _event: self._sankey.look_around(identity)


def _button(label: str, **options: Any) -> Any:
    button = pmui.Button(label=label, size="small", margin=0, **options)
    button.variant = "outlined"
    return button


class YearBar:
    """The years as a slider, and a button that plays them."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._following = False
        self._slider = pmui.DiscreteSlider(
            label="Year", options=[0], width=None, sizing_mode="stretch_width", margin=(0, 12)
        )
        self._slider._debounce = 0  # type: ignore[misc]  # a class variable
        self._play = pmui.Toggle(
            label="Play", icon="play_arrow", size="small", width=92, height=34, margin=(10, 8, 0, 0)
        )
        self._slider.param.watch(self._take, "value")
        self._play.param.watch(self._start_or_stop, "value")
        self._ticking: Any = None
        self.view = pn.Row(
            self._play, self._slider, sizing_mode="stretch_width", max_width=640, min_height=62
        )

    def follow(self) -> None:
        """Show the year that the params say."""
        self._following = True
        try:
            offer(self._slider, list(self._sankey.years), self._sankey.shown_year)
        finally:
            self._following = False

    def _take(self, event: Any) -> None:
        if not self._following and event.new:
            self._sankey.year = int(event.new)

    def _start_or_stop(self, event: Any) -> None:
        if event.new and self._ticking is None:
            self._ticking = pn.state.add_periodic_callback(self._next, period=_PLAY)
        elif not event.new and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def _next(self) -> None:
        years = list(self._sankey.years)
        if not years:
            return
        place = years.index(self._sankey.shown_year) + 1
        self._sankey.year = years[place % len(years)]


class TablesPanel:
    """Flows, balances and what was contracted, as tables; made while their tab is open."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._worked: LaidOut | None = None
        self._filled: LaidOut | None = None
        self.view = pn.Column(sizing_mode="stretch_width", min_height=300)
        sankey.param.watch(lambda _event: self._fill(), "tab")

    def show(self, worked: LaidOut | None) -> None:
        """Take over another picture's figures."""
        self._worked = worked
        self._fill()

    def _fill(self) -> None:
        """Lay the tables out, if they are seen and have changed."""
        worked = self._worked
        if self._sankey.tab != "tables" or worked is self._filled:
            return
        self._filled = worked
        if worked is None:
            self.view.clear()
            return
        parts: list[Viewable] = []
        for heading, table in self._tables(worked):
            parts += [PlainText(text=heading, tag="h2", look="heading"), _tabulator(table)]
        self.view[:] = [self._download(), *parts]

    def _tables(self, worked: LaidOut) -> list[tuple[str, pd.DataFrame]]:
        label = self._sankey.label
        unit = worked.request.query.unit
        shown = [
            (f"Balances, {unit}", tables.balances_table(worked.graph, label)),
            (
                f"Distribution that is not drawn, {unit}",
                tables.contracted_table(worked.whole, self._sankey.process_label),
            ),
        ]
        if worked.compared is not None:
            first = (f"Largest changes, {unit}", tables.changes_table(worked.compared, label))
        else:
            first = (f"Largest flows, {unit}", tables.flows_table(worked.graph, label))
        return [first, *shown]

    def _download(self) -> Viewable:
        button = pmui.FileDownload(
            label="Download flows",
            callback=self._csv,
            filename="energy-flows.csv",
            size="small",
            margin=(4, 0, 12, 0),
        )
        button.variant = "outlined"
        return button

    def _csv(self) -> Any:
        worked = self._sankey.answer
        if worked.compared is not None:
            table = tables.changes_table(worked.compared, self._sankey.label)
        else:
            table = tables.flows_table(worked.graph, self._sankey.label)
        return to_csv(table.assign(unit=worked.request.query.unit))


def _tabulator(table: pd.DataFrame) -> Viewable:
    written = table.copy()
    for name in set(_NUMBERS).intersection(written.columns):
        written[name] = [significant(value) for value in table[name]]
    return figures_table(written, _NUMBERS, rows=_ROWS_PER_PAGE, margin=(0, 0, 18, 0))
