"""Draws a flow map in the browser: a figure with land, and arcs and places on a canvas above it.

What is sent is split by how often it changes: words, colours and places (``picture``) and the ways
of arcs (``points``, ``starts``, ``ends``) once for a question; values (``frame``) whenever another
year or timeslice is shown: 4 bytes for each arc's value and loading, 40 kB for 5,000 arcs.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Literal

import numpy as np
import panel as pn
import param
from panel.custom import Child, JSComponent
from panel.io import hold

from components.assets import read_asset
from components.flowmap.basemap import View
from components.flowmap.routes import Routes


class FlowMapView(JSComponent):
    """The drawing; it says what a reader does with it.

    ``picture`` has

    - ``key``: tells what is clicked from what was shown before; ``fit``: another one shows all;
    - ``categories``: label, colour, seen (in the legend of a file) of each;
    - ``places``: name, description, x and y on the map's plane (None for a place of the world
      outside, with ``edge``), weight (who is labelled first), colour (of CSS, may be missing);
    - ``bounds``: x0, x1, y0, y1 of what is to be seen at first;
    - ``most`` and ``widest``: the value that is drawn so many pixels wide, the scale of all frames;
    - ``discs``: most, largest (radius in pixels) and labels of the two halves of a place's circle,
      or one of all of it; ``is_signed`` where values may be below zero;
    - ``fills``: most and label of what regions with an outline are filled by, ``is_signed``; not
      there where they are not;
    - ``unit``, ``title``, ``foot``, ``hint``, ``total`` (what shares are of), ``is_difference`` (to
      ``base``), ``has_arcs``, ``is_image``, ``has_tiles``, ``has_scale``, ``is_bent`` (ways are
      curves, not the geometry of lines), ``most_labels`` (places that are named at the most).
    """

    figure = Child(doc="The figure below: land, borders, perhaps tiles and an image")
    picture = param.Dict(default={}, doc="Words, colours, places and scales")
    points = param.Bytes(default=b"", doc="Points of the arcs' ways, Float32 x and y")
    starts = param.Bytes(default=b"", doc="Where each arc's points begin, Uint32, one more at last")
    outlines = param.Bytes(default=b"", doc="Points of regions' outlines, Float32 x and y")
    rings = param.Bytes(
        default=b"", doc="Uint32: the place of each ring and its first point; (0, points) at last"
    )
    ends = param.Bytes(default=b"", doc="Int32: origin, destination and category of each arc")
    frame = param.Bytes(
        default=b"",
        doc="Float32: a value for each arc, a loading for each, two totals for each place",
    )
    when = param.List(default=[], item_type=str, doc="What time is shown, in large and in small")
    duration = param.Integer(default=350, doc="Milliseconds in which values move to the next frame")
    picked = param.List(default=[], doc="What stands out: 'arc' or 'place' and its position")
    placing = param.String(default="", doc="The place that a click puts on the map; '' for none")
    group = param.String(default="", doc="Maps of one group show the same part of the world")

    on_arc = param.Callable(default=None, allow_None=True, doc="Called with an arc's position")
    on_place = param.Callable(default=None, allow_None=True, doc="Called with a place's position")
    on_placed = param.Callable(default=None, allow_None=True, doc="Called with x and y")
    on_view = param.Callable(default=None, allow_None=True, doc="Called with the View seen")
    on_image = param.Callable(
        default=None, allow_None=True, doc="Called with x, y, metres per pixel, and whether clicked"
    )

    _esm = "\n".join(
        read_asset(f"flowmap{name}.js")
        for name in ("_shapes", "_labels", "_export", "", "_areas", "_scale", "_paint", "_touch")
    )
    _stylesheets = [read_asset("flowmap.css")]
    _rename = dict.fromkeys(("on_arc", "on_place", "on_placed", "on_view", "on_image"))

    def export(self, kind: Literal["svg", "png"], name: str = "flow-map") -> None:
        """Let the browser download what is seen, with title, legend and foot line.

        Raises ValueError for another kind of file than "svg" and "png".
        """
        if kind not in ("svg", "png"):
            raise ValueError(f"A flow map is exported as svg or png, not as {kind!r}")
        self._send_msg({"export": kind, "name": name})

    def fit(self) -> None:
        """Show everything."""
        self._send_msg({"fit": True})

    def tell(self, head: str, amount: str, lines: list[str]) -> None:
        """Say something at the pointer: what an image shows there."""
        self._send_msg({"told": {"head": head, "amount": amount, "lines": lines}})

    def _handle_msg(self, message: dict[str, Any]) -> None:
        of_this = message.get("key") == (self.picture or {}).get("key")
        for name, callback in (("arc", self.on_arc), ("place", self.on_place)):
            position = message.get(name)
            if callback is not None and of_this and isinstance(position, int) and position >= 0:
                callback(position)
        if self.on_placed is not None and (point := _numbers(message.get("placed"), 2)):
            self.on_placed(*point)
        for name, is_click in (("image_hover", False), ("image_click", True)):
            if self.on_image is not None and (point := _numbers(message.get(name), 3)):
                self.on_image(*point, is_click)
        if self.on_view is not None and (seen := _numbers(message.get("view"), 4)):
            size = _numbers(message.get("size"), 2)
            if size and seen[1] > seen[0] and seen[3] > seen[2] and 0 < size[0] < 20_000:
                x0, x1, y0, y1 = seen
                view = View(x0, x1, y0, y1, max(1, round(size[0])), max(1, round(size[1])))
                # What is set before the page is ready would not be sent.
                if pn.state.curdoc is None or pn.state.loaded:
                    self._tell(view)
                else:
                    pn.state.onload(partial(self._tell, view))

    def _tell(self, view: View) -> None:
        # A browser's message comes without the document's lock: what is drawn is held and sent.
        with hold():
            if self.on_view is not None:
                self.on_view(view)


def _numbers(value: object, count: int) -> list[float] | None:
    """Return what a browser sent if it is so many finite numbers."""
    if not isinstance(value, list) or len(value) != count:
        return None
    fine = all(isinstance(v, int | float) and math.isfinite(v) for v in value)
    return [float(v) for v in value] if fine else None


def pack_routes(routes: Routes) -> dict[str, bytes]:
    """Return ways as the view takes them."""
    points = np.column_stack([routes.x, routes.y]).astype("<f4")
    return {"points": points.tobytes(), "starts": routes.starts.astype("<u4").tobytes()}


def pack_ends(origin: Any, destination: Any, category: Any) -> bytes:
    """Return the ends of arcs as the view takes them."""
    ends: bytes = np.column_stack([origin, destination, category]).astype("<i4").tobytes()
    return ends


def pack_frame(values: Any, loading: Any, totals: Any) -> bytes:
    """Return a frame: values and loadings of arcs, and two totals for each place."""
    parts = [np.asarray(part, dtype="<f4").ravel() for part in (values, loading, totals)]
    frame: bytes = np.concatenate(parts).tobytes()
    return frame
