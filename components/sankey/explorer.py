"""The Sankey: a whole energy system on one screen, opened step by step, compared with another.

from catalogs import open_source
from components.sankey.explorer import SankeyExplorer

sankey = SankeyExplorer(source=open_source(Path(".data")), year=2050)
sankey.opened = ["final/Transport"]     # the same as clicking on Transport
sankey                                  # in a notebook
sankey.edges()                          # a frame for hv.Sankey
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import pandas as pd
import panel as pn
import param
from panel.viewable import Viewable

from catalogs import units
from catalogs.errors import TimesError
from catalogs.sankey.flows import SankeyQuery, flow_years
from catalogs.sankey.graph import Node
from components.names import readable
from components.notices import PlainText, notice
from components.sankey import panels, tables
from components.sankey.layout import Frame
from components.sankey.picture import explorer_address, picture_of
from components.sankey.request import LaidOut, SankeyRequest, answer
from components.sankey.view import SankeyView
from components.tool import Tool

_FIRST_YEAR = 2030
_ENERGY = "PJ"


class SankeyExplorer(Tool):
    """Energy from supply to use, for one scenario and year or two scenarios compared."""

    year = param.Integer(default=0, doc="Milestone year; 0 for the first from 2030 on")
    other = param.String(default="", doc="Scenario to compare with; '' for none")
    opened = param.List(default=[], item_type=str, doc="Nodes that are shown as their members")
    focus = param.String(default="", doc="Node whose up- and downstream alone is shown")
    most_nodes = param.Integer(
        default=60, bounds=(12, 300), doc="Groups of a first picture before small ones are one"
    )
    tab = param.Selector(default="picture", objects=["picture", "tables"], doc="Which tab is open")

    _REDRAWN_BY: ClassVar[tuple[str, ...]] = ("year", "other", "opened", "focus", "most_nodes")
    _REDRAWN_BY_SELECTION: ClassVar[tuple[str, ...]] = ("scenarios", "base", "regions", "unit")
    url_params: ClassVar[tuple[str, ...]] = (
        "year",
        "other",
        "opened",
        "focus",
        "most_nodes",
        "tab",
    )
    help = (
        "Energy flows from left to right: supply, carriers, conversion, use. The height of a bar"
        " is its amount.\n\n"
        "Click a bar to open it into its members, and its name above the picture to close it"
        " again. Point at a bar or band to see where its energy comes from and goes to.\n\n"
        "Distribution is not drawn: what passes through unchanged is listed in the tables, and"
        " what is lost on the way ends at Grid losses."
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._shown: LaidOut | None = None
        self._order: Mapping[str, float] = {}
        self._frame = Frame()

    # ------------------------------------------------------------------ state

    def _adapt(self) -> None:
        if self.other not in self.source.scenario_names:
            self.other = ""

    @property
    def scenario(self) -> str:
        """The scenario shown."""
        return self.selection.base_scenario

    @property
    def years(self) -> tuple[int, ...]:
        """The years in which anything flows."""
        return flow_years(self.source, self.scenario)

    @property
    def shown_year(self) -> int:
        """The year shown: the one chosen where there is one, else the first from 2030 on."""
        years = self.years
        if self.year in years:
            return int(self.year)
        return next((year for year in years if year >= _FIRST_YEAR), (*years, 0)[-1])

    @property
    def unit_choices(self) -> list[str]:
        """Units of energy."""
        return units.compatible(_ENERGY)

    @property
    def unit(self) -> str:
        """The unit in force: the one wanted where it is one of energy."""
        wanted = self.selection.unit
        return wanted if wanted in self.unit_choices else _ENERGY

    @property
    def request(self) -> SankeyRequest:
        """What is asked for."""
        query = SankeyQuery(
            scenario=self.scenario,
            year=self.shown_year,
            regions=tuple(self.selection.regions),
            unit=self.unit,
            opened=tuple(self.opened),
            most_nodes=self.most_nodes,
        )
        other = self.other if self.other != self.scenario else ""
        return SankeyRequest(query, other, self.focus, frame=self._frame, order=self._order)

    @property
    def answer(self) -> LaidOut:
        """Work the picture out; raises the errors of ``energy_flows``."""
        return answer(self.source, self.request)

    def edges(self) -> pd.DataFrame:
        """Return the flows shown as ``hv.Sankey`` takes them: source, target, value."""
        return tables.edges(self.answer.graph, self.label)

    def label(self, node: Node) -> str:
        """Return what a node is called: the description of a process or commodity."""
        kind = node.id.partition("/")[0]
        return self.source.labels(kind).get(node.code, node.label) if node.code else node.label

    def process_label(self, process: str) -> str:
        """Return what a process is called."""
        return self.source.labels("process").get(process, process)

    # ------------------------------------------------------------------ doing

    def open(self, identity: str) -> None:
        """Show a node as its members."""
        if self._shown is None or identity in self.opened:
            return
        nodes = self._shown.compared.nodes if self._shown.compared else self._shown.graph.nodes
        node = next((node for node in nodes if node.id == identity), None)
        if node is not None and node.members:
            self.opened = [*self.opened, identity]
        elif node is not None and self._built:
            self._details.show(node)

    def look_around(self, identity: str) -> None:
        """Show only what is up- and downstream of a node; of the same one again, everything."""
        self.focus = "" if identity == self.focus else identity

    def _tell_of_link(self, key: str) -> None:
        """Say where a link comes from and goes to, below the picture."""
        if self._shown is None:
            return
        ends = [part for part in key.partition(" · ")[0].split(" → ") if part]
        nodes = {node.id: node for node in self._shown.whole.nodes}
        self._details.show(*[nodes[end] for end in ends if end in nodes])

    def address_of(self, node: Node) -> str:
        """Where the scenario explorer shows what a node is of; '' where it cannot."""
        return explorer_address(node, self.source.dataset, self.selection.scenarios)

    def close(self, identity: str) -> None:
        """Show a node as one again, and with it all that was opened inside."""
        inside = f"{identity}/"
        self.opened = [n for n in self.opened if n != identity and not n.startswith(inside)]

    def export(self, kind: Literal["svg", "png"]) -> None:
        """Let the browser download the picture."""
        self._view.export(kind, f"energy-flows-{self.shown_year}")

    # ------------------------------------------------------------------ seeing

    def _build(self) -> dict[str, Viewable]:
        self._view = SankeyView(
            on_open=self.open,
            on_focus=self.look_around,
            on_link=self._tell_of_link,
            on_width=self._fit,
            sizing_mode="stretch_width",
        )
        self._details = panels.Details(self)
        self._key = PlainText(look="muted", visible=False, margin=(0, 0, 6, 0))
        self._place = pn.Column(sizing_mode="stretch_width")
        self._tables = panels.TablesPanel(self)
        self._controls = panels.Controls(self)
        self._trail = panels.Trail(self)
        self._years = panels.YearBar(self)
        return {"picture": self._place, "tables": self._tables.view}

    def _fit(self, width: int) -> None:
        """Lay out anew for the width that the reader's screen has."""
        frame = panels.frame_for(width)
        if frame != self._frame:
            self._frame = frame
            self._redraw()

    def _question(self) -> Callable[[], LaidOut]:
        return partial(answer, self.source, self.request)

    def _follow(self) -> None:
        self._controls.follow()
        self._trail.follow()
        self._years.follow()

    def _show(self, worked: LaidOut) -> None:
        self._shown = worked
        self._order = {**self._order, **worked.layout.order}
        self._view.picture = picture_of(worked, self.label, self.source.group_looks)
        self._details.clear()
        self._place[:] = [self._key, self._view, self._details.view]
        self._key.visible = worked.compared is not None
        if worked.compared is not None:
            self._key.text = (
                f"Filled: {readable(worked.request.other)}. Outlined: {readable(self.scenario)}."
                " Blue is more than in the outline, orange is less, grey as much."
            )
        self._tables.show(worked)
        self.param.update(title=self._sentence(), foot=self._foot_line(worked))

    def _show_refusal(self, error: TimesError) -> None:
        self._shown = None
        ways: list[tuple[str, Callable[[], object]]] = []
        if self.selection.regions:
            ways.append(("Show all regions", partial(self.selection.param.update, regions=[])))
        self._place[:] = [notice(error.what, error.remedy, kind="refusal", ways=ways)]
        self._tables.show(None)
        self.param.update(title="Energy flows", foot=self._version_line())

    def _sentence(self) -> str:
        parts = [f"Energy flows, {readable(self.scenario)}, {self.shown_year}"]
        if self.request.other:
            parts[0] += f", compared with {readable(self.other)}"
        labels = self.source.labels("region")
        parts += [labels.get(region, region) for region in self.selection.regions[:3]]
        return ", ".join([*parts, self.unit])

    def _foot_line(self, worked: LaidOut) -> str:
        said = list(worked.whole.remarks)
        if worked.whole.contracted:
            said.append(f"{len(worked.whole.contracted)} flows of distribution are contracted.")
        return " · ".join([self._version_line(), *said])

    def _version_line(self) -> str:
        return f"{self.source.dataset}, version {self.source.version[:8]}"

    def _controls_view(self) -> list[Viewable]:
        return [self._controls.view]

    def _above(self) -> list[Viewable]:
        return [self._trail.view, self._years.view]
