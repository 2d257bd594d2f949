"""The parts around a Sankey: controls, the trail of what is opened, details, and years."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.sankey import timeslices
from catalogs.sankey.kinds import ENERGY, kind_of
from catalogs.sankey.parts import SERVICE, Node
from catalogs.sankey.roles import FINAL
from components.names import readable
from components.widgets import offer

if TYPE_CHECKING:
    from components.sankey.explorer import SankeyExplorer

#: Milliseconds that a year stays while the years play.
_PLAY = 1500
_STEPS = {"All the way": 0, "1 step": 1, "2 steps": 2, "3 steps": 3, "4 steps": 4}


class Controls:
    """The rail's widgets. They hold no state: each follows a param and sets it."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._following = False
        self._scenario = pmui.Select(label="Scenario", size="small")
        self._other = pmui.Select(label="Compare with", size="small")
        self._compare = pmui.RadioButtonGroup(
            label="Two scenarios",
            options={"In one picture": "overlaid", "Side by side": "beside"},
            size="small",
        )
        self._regions = pmui.MultiChoice(label="Regions", chip=True, placeholder="All regions")
        self._flows_of = pmui.Select(label="What flows", size="small")
        self._timeslice = pmui.Select(label="Timeslice", searchable=True, size="small")
        self._unit = pmui.Select(label="Unit", size="small")
        self._most = pmui.IntSlider(
            label="Groups before small ones are one", start=12, end=150, step=2
        )
        self._services = pmui.Switch(label="Demands in their own units", size="small")
        self._focus = pmui.Select(label="Only around", searchable=True, size="small")
        self._towards = pmui.Select(label="Only the ways to", searchable=True, size="small")
        self._steps = pmui.Select(label="Steps away", options=_STEPS, size="small")
        self._close = _button("Close all that is opened")
        self._svg, self._png = _button("Picture as SVG"), _button("Picture as PNG")
        selection = sankey.selection
        self._watch(self._scenario, self._choose)
        for widget, name in (
            (self._other, "other"),
            (self._compare, "compare"),
            (self._flows_of, "flows_of"),
            (self._services, "services"),
            (self._timeslice, "timeslice"),
            (self._focus, "focus"),
            (self._towards, "towards"),
            (self._steps, "steps"),
        ):
            self._watch(widget, partial(setattr, sankey, name))
        self._watch(self._regions, partial(setattr, selection, "regions"))
        self._watch(self._unit, partial(setattr, selection, "unit"))
        self._most.param.watch(self._set_most, "value_throttled")
        self._close.on_click(lambda _event: sankey.param.update(opened=[]))
        self._svg.on_click(lambda _event: sankey.export("svg"))
        self._png.on_click(lambda _event: sankey.export("png"))
        self.view = self._laid_out()

    def _laid_out(self) -> Viewable:
        first = [
            self._scenario, self._other, self._compare, self._regions, self._flows_of,
            self._timeslice, self._unit,
        ]  # fmt: skip
        parts = [self._focus, self._towards, self._steps]
        rest = [self._services, self._most, self._close, self._svg, self._png]
        for widget in (*first, *parts, *rest):
            widget.param.update(width=None, sizing_mode="stretch_width", margin=(6, 0))
            # A choice comes alone: Panel need not wait 50 ms for further changes.
            widget._debounce = 0
        self._most.margin = (14, 10)
        folded = pmui.Accordion(
            ("Part of the system", pn.Column(*parts, sizing_mode="stretch_width")),
            active=[],
            dynamic=True,  # what is folded costs the first picture nothing
            sizing_mode="stretch_width",
            margin=0,
        )
        return pn.Column(*first, folded, *rest, sizing_mode="stretch_width", margin=0)

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
            other = sankey.request.other
            offer(self._other, {"Nothing": "", **others}, other)
            self._compare.visible = bool(other)
            self._compare.value = sankey.compare
            regions = {labels.get(region, region): region for region in sankey.source.regions}
            offer(self._regions, regions, selection.regions)
            offer(self._flows_of, _kinds(sankey), sankey.flows_of)
            self._flows_of.visible = len(self._flows_of.options) > 1
            offer(self._timeslice, _timeslices(sankey), sankey.timeslice)
            self._timeslice.visible = len(self._timeslice.options) > 1
            offer(self._unit, {unit: unit for unit in sankey.unit_choices}, sankey.unit)
            self._services.value = sankey.services
            if self._most.value != sankey.most_nodes:
                self._most.value = min(sankey.most_nodes, self._most.end)
            self._close.disabled = not sankey.opened
            self._follow_part()
        finally:
            self._following = False

    def _follow_part(self) -> None:
        sankey = self._sankey
        nodes = sankey.node_names()
        for chosen in (sankey.focus, sankey.towards):
            if chosen and chosen not in nodes.values():
                nodes[sankey.called(chosen)] = chosen
        offer(self._focus, {"The whole system": "", **nodes}, sankey.focus)
        offer(self._towards, {"All": "", **nodes}, sankey.towards)
        self._towards.disabled = not sankey.focus
        self._steps.disabled = not sankey.focus or bool(sankey.towards)
        self._steps.value = sankey.steps if sankey.steps in _STEPS.values() else 0


def _kinds(sankey: SankeyExplorer) -> dict[str, str]:
    kinds = dict.fromkeys([*sankey.kinds, sankey.flows_of])
    return {name.capitalize() if " " in name or name == ENERGY else name: name for name in kinds}


def _timeslices(sankey: SankeyExplorer) -> dict[str, str]:
    """Timeslices by what they are called, those within others further in."""
    labels = sankey.source.labels("timeslice")
    offered = timeslices.offered(sankey.source, sankey.scenario)
    names = {"Whole year": ""}
    for name, depth in offered:
        label = f"{labels[name]} ({name})" if labels.get(name, name) != name else name
        names["\u2003" * depth + label] = name
    return names


class Trail:
    """What is opened and focused on, above the picture; a click on one takes it back."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._shown: tuple[str, ...] | None = None
        self.view = pn.FlexBox(gap="6px", margin=(0, 0, 8, 0), visible=False)

    def follow(self) -> None:
        """Show what is opened and focused on."""
        sankey = self._sankey
        texts: list[tuple[str, Any]] = []
        if sankey.focus and sankey.towards:
            ends = f"{sankey.called(sankey.focus)} → {sankey.called(sankey.towards)}"
            texts.append((f"Only {ends}", self._setter(towards="")))
        elif sankey.focus:
            away = f", {sankey.steps} steps away at most" if sankey.steps else ""
            around = f"Only around {sankey.called(sankey.focus)}{away}"
            texts.append((around, self._setter(focus="", towards="")))
        texts += [(f"Opened: {sankey.called(i)}", self._closer(i)) for i in sankey.opened]
        state = tuple(text for text, _ in texts)
        if state == self._shown:
            return
        self._shown = state
        self.view.objects = [self._chip(*chip) for chip in texts]
        self.view.visible = bool(texts)

    def _chip(self, label: str, take_back: Any) -> Viewable:
        button = pmui.Button(
            label=f"{label}  ×", variant="outlined", size="small", margin=0, description="Take back"
        )
        button.on_click(take_back)
        return button

    def _closer(self, identity: str) -> Any:
        return lambda _event: self._sankey.close(identity)

    def _setter(self, **changes: str) -> Any:
        return lambda _event: self._sankey.param.update(**changes)


class Details:
    """What was clicked, and the ways to the scenario explorer from there."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self.view = pn.FlexBox(gap="8px", margin=(4, 0), visible=False)

    def show(self, node: Node) -> None:
        """Offer to show a node in the explorer, and to show only what is around it."""
        label = self._sankey.label(node)
        self._offer([*self._links(label, node), *self._parts(node)])

    def show_link(self, source: Node, target: Node) -> None:
        """Offer the same of a link and of the nodes at its ends."""
        label = self._sankey.label
        parts = self._links(f"{label(source)} → {label(target)}", source, target)
        for node in (source, target):
            parts += [*self._links(label(node), node), *self._parts(node)]
        self._offer(parts)

    def _offer(self, parts: list[Viewable]) -> None:
        self.view.objects = parts
        self.view.visible = bool(parts)

    def _links(self, label: str, *nodes: Node) -> list[Viewable]:
        address = self._sankey.address_of(*nodes)
        return [_button(f"{label} in Scenarios", href=address)] if address else []

    def _parts(self, node: Node) -> list[Viewable]:
        sankey, label = self._sankey, self._sankey.label(node)
        parts = []
        around = _button(f"Only around {label}")
        around.on_click(lambda _event: sankey.param.update(focus=node.id, towards=""))
        parts.append(around)
        if sankey.focus and node.id != sankey.focus:
            ways = _button(f"Only between {sankey.called(sankey.focus)} and {label}")
            ways.on_click(lambda _event: sankey.look_between(sankey.focus, node.id))
            parts.append(ways)
        if node.kind in (FINAL, SERVICE) and sankey.flows_of == ENERGY:
            for kind in dict.fromkeys(kind_of("demand", unit) for unit, _ in node.services):
                into = _button(f"Flows of {kind}")
                into.on_click(lambda _event, kind=kind: sankey.param.update(flows_of=kind))
                parts.append(into)
        return parts

    def clear(self) -> None:
        """Offer nothing: another picture has come."""
        if self.view.visible:
            self.view.param.update(objects=[], visible=False)


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
        self._steady = pmui.Switch(
            label="Same scale in all years",
            size="small",
            margin=(14, 0, 0, 12),
            # Outside of the rail the label has the browser's own colour, in the dark theme too.
            stylesheets=["label { color: var(--times-text) !important; }"],
        )
        self._steady._debounce = 0  # type: ignore[misc]  # a class variable
        self._steady.param.watch(self._hold, "value")
        self.view = pn.FlexBox(
            pn.Row(
                self._play,
                self._slider,
                sizing_mode="stretch_width",
                max_width=640,
                min_height=62,
                styles={"flex": "1 1 320px"},
            ),
            self._steady,
        )

    def follow(self) -> None:
        """Show the year that the params say."""
        self._following = True
        try:
            offer(self._slider, list(self._sankey.years), self._sankey.shown_year)
            self._steady.value = self._sankey.steady
        finally:
            self._following = False

    def _take(self, event: Any) -> None:
        if not self._following and event.new:
            self._sankey.year = int(event.new)

    def _hold(self, event: Any) -> None:
        if not self._following:
            self._sankey.steady = bool(event.new)

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
