"""The Sankey: a whole energy system on one screen, opened step by step, compared with another.

from catalogs import open_source
from components.sankey.explorer import SankeyExplorer

sankey = SankeyExplorer(source=open_source(Path(".data")), year=2050)
sankey.opened = ["final/Transport"]     # the same as clicking on Transport
sankey                                  # in a notebook
sankey.edges(cycles=False)              # a frame for hv.Sankey
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import pandas as pd
import panel as pn
import param
from panel.viewable import Viewable

from catalogs import units
from catalogs.errors import TimesError
from catalogs.sankey import timeslices
from catalogs.sankey.flows import SankeyQuery, flow_years
from catalogs.sankey.focus import between
from catalogs.sankey.graph import called
from catalogs.sankey.kinds import ENERGY, USEFUL_ENERGY, kinds
from catalogs.sankey.parts import Node
from components.names import readable
from components.notices import notice
from components.sankey import panels, tables
from components.sankey.addresses import Shown, address_of_link, address_of_node
from components.sankey.layout import Frame
from components.sankey.picture import title_of
from components.sankey.picture_panel import PicturePanel, frame_for
from components.sankey.request import LaidOut, SankeyRequest, answer
from components.sankey.tables_panel import QueryPanel, TablesPanel
from components.tool import Tool, year_shown

_ENERGY = "PJ"


class SankeyExplorer(Tool):
    """Energy from supply to use, for one scenario and year or two scenarios compared."""

    flows_of = param.String(
        default=ENERGY, doc="What flows: energy, or another of the kinds a scenario has"
    )
    year = param.Integer(default=0, doc="Milestone year; 0 for the first from 2030 on")
    timeslice = param.String(
        default="", doc="Season or other timeslice shown, with all within it; '' for the year"
    )
    other = param.String(default="", doc="Scenario to compare with; '' for none")
    compare = param.Selector(
        default="overlaid",
        objects=["overlaid", "beside"],
        doc="Two scenarios as outline and fill of one picture, or as two of one scale",
    )
    opened = param.List(default=[], item_type=str, doc="Nodes that are shown as their members")
    focus = param.String(default="", doc="Node whose up- and downstream alone is shown")
    towards = param.String(
        default="", doc="Second node: only the ways from the first to it are shown"
    )
    steps = param.Integer(
        default=0, bounds=(0, 20), doc="Links away from the node in focus at most; 0 for all"
    )
    steady = param.Boolean(default=False, doc="Whether all years are drawn in one scale")
    services = param.Boolean(
        default=True, doc="Whether demands in units of their own stand at the end"
    )
    most_nodes = param.Integer(
        default=60, bounds=(12, 300), doc="Groups of a first picture before small ones are one"
    )
    tab = param.Selector(
        default="picture", objects=["picture", "tables", "query"], doc="Which tab is open"
    )

    _REDRAWN_BY: ClassVar[tuple[str, ...]] = (
        "flows_of",
        "year",
        "timeslice",
        "other",
        "compare",
        "opened",
        "focus",
        "towards",
        "steps",
        "steady",
        "services",
        "most_nodes",
    )
    _REDRAWN_BY_SELECTION: ClassVar[tuple[str, ...]] = ("scenarios", "base", "regions", "unit")
    url_params: ClassVar[tuple[str, ...]] = (*_REDRAWN_BY, "tab")
    help = (
        "Energy flows from left to right: supply, carriers, conversion, use. The height of a bar"
        " is its amount.\n\n"
        "Click a bar to open it into its members, and its name above the picture to close it"
        " again. Point at a bar or band to see where its energy comes from and goes to. A right"
        " click shows only what is up- and downstream of a bar; one on a second bar only the ways"
        " between the two.\n\n"
        "Distribution is not drawn: what passes through unchanged is listed in the tables, and"
        " what is lost on the way ends at Grid losses.\n\n"
        "At the end stand the demands that energy serves, in units of their own. What leads there"
        " is dashed: it has no number, and counts in no balance."
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
        if self.timeslice not in self.source.timeslice_order:
            self.timeslice = ""

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
        return year_shown(int(self.year), self.years)

    @property
    def kinds(self) -> dict[str, str]:
        """What flows in the scenario, and a unit of each."""
        return kinds(self.source, self.scenario)

    @property
    def unit_choices(self) -> list[str]:
        """Units of what flows, the usual one first."""
        if self.flows_of in (ENERGY, USEFUL_ENERGY):
            return units.compatible(_ENERGY)
        return units.compatible(self.kinds.get(self.flows_of, units.UNKNOWN_UNIT))

    @property
    def unit(self) -> str:
        """The unit in force: the one wanted where it fits, else the usual one."""
        wanted, choices = self.selection.unit, self.unit_choices
        return wanted if wanted in choices else choices[0]

    @property
    def request(self) -> SankeyRequest:
        """What is asked for."""
        query = SankeyQuery(
            scenario=self.scenario,
            year=self.shown_year,
            regions=tuple(self.selection.regions),
            timeslices=timeslices.within(self.source, self.timeslice) if self.timeslice else (),
            unit=self.unit,
            opened=tuple(self.opened),
            most_nodes=self.most_nodes,
            flows_of=self.flows_of,
        )
        return SankeyRequest(
            query,
            other=self.other if self.other != self.scenario else "",
            focus=self.focus,
            towards=self.towards if self.focus else "",
            steps=self.steps,
            steady=self.steady,
            services=self.services,
            frame=self._frame,
            order=self._order,
        )

    @property
    def answer(self) -> LaidOut:
        """Work the picture out; raises the errors of ``energy_flows``."""
        return answer(self.source, self.request)

    def edges(self, *, cycles: bool = True) -> pd.DataFrame:
        """Return the flows shown as ``hv.Sankey`` takes them: source, target, value.

        HoloViews draws no cycles: without ``cycles`` the links that are drawn backwards here are
        left out.
        """
        worked = self.answer
        back = {(link.source, link.target) for link in worked.layout.links if link.back}
        return tables.edges(worked.graph, self.label, () if cycles else back)

    def label(self, node: Node) -> str:
        """Return what a node is called: the description of a process or commodity."""
        kind = node.id.partition("/")[0]
        return self.source.labels(kind).get(node.code, node.label) if node.code else node.label

    def node_names(self) -> dict[str, str]:
        """Return the nodes of the whole picture by what they are called, in that order."""
        nodes = self._nodes().values()
        shared = Counter(self.label(node) for node in nodes)
        named = {}
        for node in nodes:
            label, part = self.label(node), node.code or node.kind
            named[label if shared[label] == 1 else f"{label} ({part})"] = node.id
        return dict(sorted(named.items()))

    def process_label(self, process: str) -> str:
        """Return what a process is called."""
        return self.source.labels("process").get(process, process)

    # ------------------------------------------------------------------ doing

    def open(self, identity: str) -> None:
        """Show a node as its members."""
        if self._shown is None or identity in self.opened:
            return
        node = self._nodes().get(identity)
        if node is not None and node.members:
            self.opened = [*self.opened, identity]
        elif node is not None and self._built:
            self._details.show(node)

    def look_around(self, identity: str) -> None:
        """Show only what is up- and downstream of a node; of the same one again, everything.

        Of a second node, show only the ways between the first and it.
        """
        if not self.focus:
            self.focus = identity
        elif identity in (self.focus, self.towards):
            self.param.update(focus="", towards="")
        else:
            self.look_between(self.focus, identity)

    def look_between(self, first: str, last: str) -> None:
        """Show only the ways from one node to another, in the direction that there are any."""
        if self._shown is not None:
            whole = self._shown.whole
            if not between(whole, first, last).links and between(whole, last, first).links:
                first, last = last, first
        self.param.update(focus=first, towards=last)

    def tell_of_link(self, key: str) -> None:
        """Say where a link comes from and goes to, below the picture."""
        if self._shown is None:
            return
        ends = [part for part in key.partition(" · ")[0].split(" → ") if part]
        nodes = self._nodes()
        found = [nodes[end] for end in ends if end in nodes]
        if len(found) == 2:
            self._details.show_link(*found)

    def _nodes(self) -> dict[str, Node]:
        """The nodes shown, and those of the whole picture where only a part of it is."""
        if self._shown is None:
            return {}
        whole, shown = self._shown.whole, self._shown.compared or self._shown.graph
        nodes = [*whole.nodes, *shown.nodes]
        if self.services:
            nodes += [*whole.services, *shown.services]
        return {node.id: node for node in nodes}

    def called(self, identity: str) -> str:
        """Return what a node is called, also one that the picture does not have."""
        node = self._nodes().get(identity)
        return self.label(node) if node is not None else called(identity)

    def address_of(self, *nodes: Node) -> str:
        """Where the scenario explorer shows what a node, or the link of two, is of; '' for none."""
        if self.flows_of != ENERGY or self.timeslice:
            return ""
        chosen = list(self.selection.scenarios)
        if self.request.other and self.other not in chosen:
            chosen.append(self.other)
        shown = Shown(
            dataset=self.source.dataset,
            scenarios=chosen,
            base=self.scenario,
            year=self.shown_year,
            regions=self.selection.regions,
            unit=self.unit,
        )
        if len(nodes) == 2:
            return address_of_link(*nodes, shown)
        return address_of_node(nodes[0], shown)

    def close(self, identity: str) -> None:
        """Show a node as one again, and with it all that was opened inside."""
        inside = f"{identity}/"
        self.opened = [n for n in self.opened if n != identity and not n.startswith(inside)]

    def export(self, kind: Literal["svg", "png"]) -> None:
        """Let the browser download the picture, or both of two."""
        self._picture.export(kind, f"{title_of(self.request)}-{self.shown_year}".replace(" ", "-"))

    # ------------------------------------------------------------------ seeing

    def _build(self) -> dict[str, Viewable]:
        self._picture = PicturePanel(self)
        self._details = panels.Details(self)
        self._place = pn.Column(sizing_mode="stretch_width")
        self._tables = TablesPanel(self)
        self._query_panel = QueryPanel(self)
        self._controls = panels.Controls(self)
        self._trail = panels.Trail(self)
        self._years = panels.YearBar(self)
        return {
            "picture": self._place,
            "tables": self._tables.view,
            "query": self._query_panel.view,
        }

    def fit(self, width: int) -> None:
        """Lay out anew for the width that the reader's screen has."""
        frame = frame_for(width, beside=self.compare == "beside" and bool(self.request.other))
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
        self._details.clear()
        self._picture.show(worked)
        self._place[:] = [self._picture.view, self._details.view]
        self._tables.show(worked)
        self._query_panel.show(worked.request)
        self.param.update(title=self._sentence(), foot=self._foot_line(worked))

    def _show_refusal(self, error: TimesError) -> None:
        self._shown = None
        ways: list[tuple[str, Callable[[], object]]] = []
        if self.focus:
            everything = partial(self.param.update, focus="", towards="", steps=0)
            ways.append(("Show the whole system", everything))
        if self.timeslice:
            ways.append(("Show the whole year", partial(self.param.update, timeslice="")))
        if self.flows_of != ENERGY:
            ways.append(("Show energy", partial(self.param.update, flows_of=ENERGY)))
        if self.selection.regions:
            ways.append(("Show all regions", partial(self.selection.param.update, regions=[])))
        self._place[:] = [notice(error.what, error.remedy, kind="refusal", ways=ways)]
        self._tables.show(None)
        self._query_panel.show(None)
        self.param.update(title=title_of(self.request), foot=self._version_line())

    def _sentence(self) -> str:
        parts = [f"{title_of(self.request)}, {readable(self.scenario)}, {self.shown_year}"]
        if self.request.other:
            parts[0] += f", compared with {readable(self.other)}"
        labels = self.source.labels("region")
        parts += [labels.get(region, region) for region in self.selection.regions[:3]]
        if self.timeslice:
            name = self.source.labels("timeslice").get(self.timeslice, self.timeslice)
            parts.append(f"timeslice {name}")
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
