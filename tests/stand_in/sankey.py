"""Serve pages with a drawn Sankey: python -m tests.stand_in.sankey --port ...

`?system=` says which of SYSTEMS is drawn. Buttons change the picture; a line of text says what the
reader's last act told Python.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar

import panel as pn
import panel_material_ui as pmui
import param

from components.sankey.layout import Frame, Layout, Link, Node, lay_out, lay_out_both
from components.sankey.view import LEAST_WIDTH, SankeyView, make_picture

MARKUP = "<b>Gas</b> <img src=x onerror=alert(1)> &amp; a name that is far too long to be shown"
COLOURS = {
    "Coal": "#37302b",
    "Oil": "#8a5a2b",
    "Natural gas": "#e08a2e",
    "Wind": "#2a9d8f",
    "Solar": "#e9c53b",
    "Biomass": "#5b8c3a",
    "Electricity": "#f0b429",
    "District heat": "#c8463c",
    "Hydrogen": "#37b6c4",
    "Losses": "#8a939c",
}
VILLAGE = {
    ("Coal mine", "Coal"): 60,
    ("Imports", "Coal"): 20,
    ("Imports", "Oil"): 150,
    ("Imports", "Natural gas"): 110,
    ("Wind", "Wind farms"): 95,
    ("Solar", "Photovoltaics"): 38,
    ("Forests", "Biomass"): 70,
    ("Coal", "Coal plants"): 80,
    ("Natural gas", "Gas CHP"): 60,
    ("Biomass", "Biomass CHP"): 40,
    ("Oil", "Refinery"): 150,
    ("Refinery", "Oil products"): 142,
    ("Refinery", "Losses"): 14,
    ("Electricity", "Refinery"): 6,
    ("Coal plants", "Electricity"): 32,
    ("Coal plants", "Losses"): 48,
    ("Gas CHP", "Electricity"): 24,
    ("Gas CHP", "District heat"): 28,
    ("Gas CHP", "Losses"): 8,
    ("Biomass CHP", "Electricity"): 12,
    ("Biomass CHP", "District heat"): 22,
    ("Biomass CHP", "Losses"): 6,
    ("Wind farms", "Electricity"): 95,
    ("Photovoltaics", "Electricity"): 38,
    ("Electricity", "Batteries"): 14,
    ("Batteries", "Electricity"): 12,
    ("Batteries", "Losses"): 2,
    ("Electricity", "Electrolysers"): 24,
    ("Electrolysers", "Hydrogen"): 16,
    ("Electrolysers", "Losses"): 8,
    ("Hydrogen", "Industry"): 11,
    ("Hydrogen", "Fuel cells"): 5,
    ("Fuel cells", "Electricity"): 2.5,
    ("Fuel cells", "Losses"): 2.5,
    ("Coal plants", "Coal plants"): 4,
    ("Electricity", "Households"): 61,
    ("Electricity", "Services"): 48,
    ("Electricity", "Industry"): 42,
    ("Electricity", "Transport"): 12,
    ("Electricity", "Exports"): 8.5,
    ("District heat", "Households"): 32,
    ("District heat", "Services"): 12,
    ("District heat", "Losses"): 6,
    ("Natural gas", "Households"): 22,
    ("Natural gas", "Industry"): 28,
    ("Biomass", "Households"): 18,
    ("Biomass", "Industry"): 12,
    ("Oil products", "Transport"): 118,
    ("Oil products", "Agriculture"): 14,
    ("Oil products", "Industry"): 10,
}
FIRST = {"Coal mine", "Imports", "Wind", "Solar", "Forests"}
LAST = {"Households", "Services", "Industry", "Transport", "Agriculture", "Exports", "Losses"}


def village(factor: float = 1.0) -> tuple[list[Node], list[Link]]:
    """An energy system that a person can read, with storage and own use."""
    links = [
        Link(source, target, value * (factor if "Coal" in source + target else 1))
        for (source, target), value in VILLAGE.items()
    ]
    names = {name for ends in VILLAGE for name in ends}
    ranks: dict[str, Any] = dict.fromkeys(FIRST, "first") | dict.fromkeys(LAST, "last")
    return [Node(name, ranks.get(name)) for name in sorted(names)], links


def crowd(factor: float = 1.0) -> tuple[list[Node], list[Link]]:
    """60 nodes and 150 links over six layers."""
    chance = random.Random(7)
    links: dict[tuple[int, int], Link] = {}
    while len(links) < 150:
        source, target = chance.sample(range(60), 2)
        if target // 10 - source // 10 in ((1, 1, 1, 2, -1) if chance.random() < 0.05 else (1,)):
            value = chance.paretovariate(0.9) * factor
            links[source, target] = Link(f"Node {source}", f"Node {target}", value)
    return [Node(f"Node {number}") for number in range(60)], list(links.values())


def odd(_factor: float = 1.0) -> tuple[list[Node], list[Link]]:
    """Names with markup, a link without value, and a node alone."""
    return [Node(name) for name in (MARKUP, "<i>Plant</i>", "Alone")], [
        Link(MARKUP, "<i>Plant</i>", 3),
        Link("<i>Plant</i>", MARKUP, 1),
        Link(MARKUP, "Alone", 0),
    ]


def nothing(_factor: float = 1.0) -> tuple[list[Node], list[Link]]:
    """No node at all."""
    return [], []


SYSTEMS = {"village": village, "crowd": crowd, "odd": odd, "nothing": nothing}


class SankeyStandIn(pn.viewable.Viewer):
    """A drawn Sankey, and what it says."""

    source = param.Parameter(doc="The opened dataset, not looked at")
    selection = param.Parameter(doc="The shared selection, not looked at")
    tools = param.Parameter(doc="The manifest, not looked at")
    system = param.Selector(default="village", objects=list(SYSTEMS))
    title = param.String(default="A stand-in for flows, PJ")
    said = param.String(default="", doc="What the reader's last act told Python")

    url_params: ClassVar[tuple[str, ...]] = ("system",)
    help = None
    foot = param.String(default="")

    def __init__(self, **params: Any) -> None:
        params["selection"] = None
        super().__init__(**params)
        self._layout: Layout | None = None
        self._width = 0
        self._factor = 1.0
        self.view = SankeyView(
            sizing_mode="stretch_width",
            margin=0,
            on_open=lambda name: setattr(self, "said", f"open {name}"),
            on_focus=lambda name: setattr(self, "said", f"focus {name}"),
            on_link=lambda name: setattr(self, "said", f"link {name}"),
            on_width=self._resize,
        )
        self.param.watch(lambda _event: self.draw(), "system")
        self.draw()

    def _resize(self, width: int) -> None:
        self._width = width
        self.draw()

    def draw(self, factor: float | None = None, compare: bool = False) -> None:
        """Draw the system, with another factor if one is given, or compared with it."""
        frame = Frame(width=max(self._width or 1000, LEAST_WIDTH), height=620)
        nodes, links = SYSTEMS[self.system](self._factor)
        if compare:
            _nodes, other = SYSTEMS[self.system](factor or 1)
            chance = random.Random(3)
            other = [
                replace(link, value=link.value * chance.choice([0.4, 1, 1, 1.3, 1.8]))
                for link in other
            ]
            both = lay_out_both(nodes, links, other, frame, self._layout)
            self._layout, drawn = both.layout, both
        else:
            self._factor = factor or self._factor
            nodes, links = SYSTEMS[self.system](self._factor)
            self._layout = drawn = lay_out(nodes, links, frame, self._layout)
        self.view.picture = make_picture(
            drawn,
            nodes={
                node.id: {
                    "amount": f"{node.value:.1f}",
                    "share": "12% of the supply",
                    "lines": [f"In {node.value:.1f} PJ", "Out 0 PJ"],
                    "hint": "Click opens, right click shows only its paths",
                    "colour": COLOURS.get(node.id, "#5c7d99"),
                    "opens": node.id in COLOURS,
                }
                for node in self._layout.nodes
            },
            links={
                link.id: {
                    "amount": f"{link.value:.1f} PJ",
                    "colour": COLOURS.get(link.source, COLOURS.get(link.target, "#5c7d99")),
                }
                for link in self._layout.links
            },
            title="Flows of the stand-in",
        )

    @property
    def sidebar(self) -> list[Any]:
        """Buttons that change the picture, and the last message."""
        acts = {
            "Later": lambda _event: self.draw(factor=0.3),
            "Compare": lambda _event: self.draw(compare=True),
            "SVG": lambda _event: self.view.export("svg", "flows"),
            "PNG": lambda _event: self.view.export("png", "flows"),
        }
        return [
            *(pmui.Button(label=label, on_click=act) for label, act in acts.items()),
            pn.pane.Str(self.param.said, css_classes=["said"]),
        ]

    @property
    def main(self) -> Any:
        """The drawing alone."""
        return self.view


def serve() -> None:
    """Serve the application with the stand-in on its first pages."""
    for module, name in (("components.home", "Home"), ("components.explorer", "ScenarioExplorer")):
        stand_in = ModuleType(module)
        setattr(stand_in, name, SankeyStandIn)
        sys.modules[module] = stand_in

    from app.server.__main__ import main

    main()


if __name__ == "__main__":
    serve()
