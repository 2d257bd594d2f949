"""Draws a laid-out Sankey in the browser, as SVG made by a script of our own.

>>> from components.sankey.layout import Link, Node, lay_out
>>> from components.sankey.view import SankeyView, make_picture
>>> layout = lay_out([Node("Coal"), Node("Plant")], [Link("Coal", "Plant", 100)])
>>> picture = make_picture(layout, nodes={"Coal": {"colour": "#444", "amount": "100"}})
>>> view = SankeyView(picture=picture)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

import panel as pn
import param
from panel.custom import JSComponent

from components.assets import read_asset
from components.sankey.parts import Layout, PlacedLink, PlacedNode, TwoScenarios

#: Narrower than this nothing can be read: a picture is laid out so wide, and scrolls in its box.
LEAST_WIDTH = 640

_NODE_WORDS: dict[str, Any] = {
    "label": "",
    "amount": "",
    "second": "",
    "share": "",
    "lines": [],
    "hint": "",
    "colour": "#8a939c",
    "opens": False,
    "parent": "",
}
_LINK_WORDS: dict[str, Any] = {
    "label": "",
    "amount": "",
    "share": "",
    "lines": [],
    "hint": "",
    "colour": "#8a939c",
}


def make_picture(
    layout: Layout | TwoScenarios,
    *,
    nodes: Mapping[str, Mapping[str, Any]] | None = None,
    links: Mapping[str, Mapping[str, Any]] | None = None,
    title: str = "",
    only: Literal["base", "other"] | None = None,
    services: Sequence[PlacedNode] = (),
    joins: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """What `SankeyView` draws: a layout with words and colours, as plain lists.

    Args:
        layout: one scenario's, or that of two: base is then drawn as outline, other as fill.
        nodes: by id, any of: label (else the id), amount (text beside the label), second (text
            below that, of a service), share and lines (the balance) and hint for the
            tooltip, colour (of CSS), opens (whether a click leads to its members), parent (id of
            the node that it comes out of when that is opened).
        links: by id, any of: label (else "source → target"), amount, share, lines, hint, colour.
        title: names the picture for screen readers.
        only: which of two scenarios is drawn, alone but where both have their places.
        services: boxes beside the layout, of one size: amounts in units of their own, which have
            words as nodes have.
        joins: ids of a node and of the service that it is joined to, without a number. Those
            whose node or service is not drawn are left out.

    Raises ValueError for words that are not known, and those of nodes that are not there.
    """
    both = layout if isinstance(layout, TwoScenarios) else None
    laid_out = both.layout if both else layout
    assert isinstance(laid_out, Layout)
    nodes, links = nodes or {}, links or {}
    placed = [*laid_out.nodes, *services]
    _check_words("node", nodes, {node.id for node in placed}, _NODE_WORDS)
    _check_words("link", links, {link.id for link in laid_out.links}, _LINK_WORDS)
    labels = {node.id: nodes.get(node.id, {}).get("label") or node.id for node in placed}
    shown = [
        node for node in laid_out.nodes if only is None or _heights_of(both, only).get(node.id)
    ]
    drawn = {node.id for node in (*shown, *services)}
    return {
        "title": title,
        "width": laid_out.frame.width,
        "height": laid_out.frame.height,
        "nodes": [
            {
                **_NODE_WORDS,
                **nodes.get(node.id, {}),
                "label": labels[node.id],
                **shape,
            }
            for node, shape in (
                *((node, _node_shape(node, both, only)) for node in shown),
                *((service, _service_shape(service)) for service in services),
            )
        ],
        "joins": [
            {"id": f"{user} ⇢ {service}", "source": user, "target": service}
            for user, service in joins
            if {user, service} <= drawn
        ],
        # The widest first: thin ones are painted over them.
        "links": [
            {
                **_LINK_WORDS,
                "label": f"{labels[link.source]} → {labels[link.target]}",
                **links.get(link.id, {}),
                **_link_shape(link, both, only),
            }
            for link in sorted(laid_out.links, key=lambda link: (-link.width, link.id))
            if only is None or _widths_of(both, only).get(link.id)
        ],
    }


def _check_words(
    kind: str,
    given: Mapping[str, Mapping[str, Any]],
    known: set[str],
    words: Mapping[str, Any],
) -> None:
    for name, entry in given.items():
        if name not in known:
            raise ValueError(f"The layout has no {kind} {name!r}")
        if unknown := entry.keys() - words.keys():
            raise ValueError(f"A {kind} of a Sankey has no {', '.join(sorted(unknown))}")


def _heights_of(both: TwoScenarios | None, only: str) -> Mapping[str, float]:
    if both is None:
        return {}
    return both.base_heights if only == "base" else both.other_heights


def _widths_of(both: TwoScenarios | None, only: str) -> Mapping[str, float]:
    if both is None:
        return {}
    return both.base_widths if only == "base" else both.other_widths


def _node_shape(node: PlacedNode, both: TwoScenarios | None, only: str | None) -> dict[str, Any]:
    fill = _heights_of(both, only or "other").get(node.id, 0.0)
    return {
        "id": node.id,
        "layer": node.layer,
        "x0": node.x0,
        "y0": node.y0,
        "x1": node.x1,
        "y1": node.y1,
        "fill": fill if both else node.height,
        "base": both.base_heights.get(node.id, 0.0) if both and not only else None,
        "service": False,
    }


def _service_shape(service: PlacedNode) -> dict[str, Any]:
    return {**_node_shape(service, None, None), "service": True}


def _link_shape(link: PlacedLink, both: TwoScenarios | None, only: str | None) -> dict[str, Any]:
    fill = _widths_of(both, only or "other").get(link.id, 0.0)
    return {
        "id": link.id,
        "source": link.source,
        "target": link.target,
        "width": link.width,
        "fill": fill if both else link.width,
        "base": both.base_widths.get(link.id, 0.0) if both and not only else None,
        "points": [list(point) for point in link.points],
        "detour": asdict(link.detour) if link.detour else None,
    }


class SankeyView(JSComponent):
    """The drawing. It moves from one picture to the next, and says what the reader does with it.

    Hovering lights all that flows into a mark and on from it. Nodes are dragged up and down in the
    browser alone, a double click puts them back. Arrow keys move between nodes, with Shift into
    their links; Enter is a click, Shift+Enter a right click.
    """

    picture = param.Dict(default={}, doc="What is drawn, from `make_picture`")
    on_open = param.Callable(
        default=None, allow_None=True, doc="Called with the id of the node that was clicked"
    )
    on_focus = param.Callable(
        default=None, allow_None=True, doc="Called with the id of the node that was right-clicked"
    )
    on_link = param.Callable(
        default=None, allow_None=True, doc="Called with the id of the link that was clicked"
    )
    on_width = param.Callable(
        default=None,
        allow_None=True,
        doc="Called with the width there is, in pixels, at first and whenever it has changed",
    )

    _esm = "\n".join(
        read_asset(f"{name}.js")
        for name in ("sankey_shapes", "sankey_labels", "sankey_export", "sankey", "sankey_touch")
    )
    _stylesheets = [read_asset("sankey.css")]
    _rename = {"on_open": None, "on_focus": None, "on_link": None, "on_width": None}

    def __init__(
        self,
        *,
        on_open: Callable[[str], None] | None = None,
        on_focus: Callable[[str], None] | None = None,
        on_link: Callable[[str], None] | None = None,
        on_width: Callable[[int], None] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(
            on_open=on_open, on_focus=on_focus, on_link=on_link, on_width=on_width, **params
        )

    def export(self, kind: Literal["svg", "png"], name: str = "sankey") -> None:
        """Let the browser download the picture as it is shown, in the colours of its theme.

        Args:
            kind: "svg", or "png" with twice the pixels.
            name: of the file, without its ending.

        Raises ValueError for another kind of file.
        """
        if kind not in ("svg", "png"):
            raise ValueError(f"A Sankey is exported as svg or png, not as {kind!r}")
        self._send_msg({"export": kind, "name": name})

    def light(self, link: str) -> None:
        """Light a link's path, and its tooltip, until the reader points at something else."""
        self._send_msg({"light": link})

    def _handle_msg(self, message: dict[str, Any]) -> None:
        for kind, marks, callback in (
            ("open", "nodes", self.on_open),
            ("focus", "nodes", self.on_focus),
            ("link", "links", self.on_link),
        ):
            known = [mark["id"] for mark in (self.picture or {}).get(marks, [])]
            if callback is not None and message.get(kind) in known:
                callback(str(message[kind]))
        width = message.get("width")
        if self.on_width is not None and isinstance(width, int | float) and 0 < width < 20_000:
            # A picture that is set before the page is ready would not be sent.
            if pn.state.curdoc is None or pn.state.loaded:
                self.on_width(round(width))
            else:
                pn.state.onload(partial(self.on_width, round(width)))
