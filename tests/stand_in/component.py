"""A component with a chart, a rail, state in the address, and ways to go wrong."""

from __future__ import annotations

from typing import Any, ClassVar

import panel as pn
import panel_material_ui as pmui
import param
from bokeh.plotting import figure

from components.notices import notice
from components.theme import style_figure

MARKUP = "<b>Low</b> <img src=x onerror=alert(1)>"


class StandInSelection(param.Parameterized):
    """The part of the state that all tools share."""

    scenarios = param.List(default=[], item_type=str, doc="Names of scenarios")
    years = param.Range(default=(2020, 2050), bounds=(2000, 2100), doc="First and last year")

    url_params: ClassVar[tuple[str, ...]] = ("scenarios", "years")


class StandIn(pn.viewable.Viewer):
    """Bars, one per scenario."""

    source = param.Parameter(doc="The opened dataset")
    selection = param.ClassSelector(class_=StandInSelection, doc="The shared selection")
    tools = param.Parameter(doc="The manifest, which the home page is given")
    service = param.Parameter(doc="What runs SQL, which the page Database is given")
    who = param.String(doc="The visitor, whom the page Database is told")
    address = param.String(doc="Where the visitor comes from, which it is told as well")
    tile_address = param.String(doc="Where a web map is, which the page Flow maps is told")
    measure = param.Selector(default="Final energy", objects=["Final energy", "Generation"])
    stacked = param.Boolean(default=True, doc="Whether bars are stacked")
    title = param.String(doc="A sentence made from the state")
    drawer_open = param.Boolean(default=False, doc="Whether details are shown")
    foot = param.String(default="Data version 1a2b3c. 12 of 310 flows, 97.4% of the energy.")
    help = "What is shown.\n\nHow to read it."

    url_params: ClassVar[tuple[str, ...]] = ("measure", "stacked")

    def __init__(self, **params: Any) -> None:
        params.setdefault("selection", StandInSelection(scenarios=["Base", "Low, CO2"]))
        super().__init__(**params)
        self._name()
        self.param.watch(self._name, ["measure", "stacked"])
        self.selection.param.watch(self._name, ["scenarios", "years"])
        if "explode" in pn.state.location.search:
            raise RuntimeError("told to, in /secret/path")
        self.drawer = pn.Column(
            notice("Nothing selected.", MARKUP, details=MARKUP), sizing_mode="stretch_width"
        )

    def _name(self, *_events: Any) -> None:
        years = "–".join(str(year) for year in self.selection.years)
        names = ", ".join(self.selection.scenarios)
        self.title = f"{self.measure} of {names}, {years}, PJ"

    @property
    def sidebar(self) -> list[Any]:
        """A select, a switch and buttons."""
        explode = pmui.Button(label="Fail")
        explode.on_click(self._fail)
        return [
            pmui.Select.from_param(self.param.measure, label="Measure"),
            pmui.Switch.from_param(self.param.stacked, label="Stacked"),
            pmui.Button(
                label="Details", on_click=lambda _event: setattr(self, "drawer_open", True)
            ),
            explode,
        ]

    def _fail(self, _event: Any) -> None:
        raise RuntimeError("the stand-in fails, in /secret/path")

    @param.depends("measure")
    def main(self) -> Any:
        """A bar chart."""
        names = ["2020", "2030", "2040", "2050"]
        plot = figure(height=420, sizing_mode="stretch_width", x_range=names)
        plot.vbar(x=names, top=[1, 3, 2, len(self.measure)], width=0.6, color="#3a7ca5")
        return style_figure(plot)
