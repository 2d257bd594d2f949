"""How smoothly a flow map plays: frames a second in headless Chromium, software rendering.

    python -m bench.flow_map_play

A server of Panel's sends other values of the same arcs as often as it can; the browser moves from
frame to frame. Counted is how often the map was drawn, and how many bytes a frame has. Bars: 15 a
second with 1,000 arcs, 8 with 5,000, at most 200 kB a frame.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from typing import Any, NamedTuple

from bench.figures import heading, line

SECONDS = 8.0
_FIND = """() => {
  const found = []
  const look = (node) => {
    for (const child of node.querySelectorAll("*")) {
      if (child.classList.contains("flowmap")) { found.push(child) }
      if (child.shadowRoot) { look(child.shadowRoot) }
    }
  }
  look(document)
  return found[0]
}"""


def page(arcs: int) -> Any:
    """A page with so many arcs between 200 places in Europe, whose values change all the time."""
    import numpy as np
    import panel as pn

    from catalogs.flowmaps.picture import Arcs, FlowMapData, Places, texts, unknown
    from components.flowmap.basemap import BaseMap, View
    from components.flowmap.picture import bounds_of, params_of, routes_of
    from components.flowmap.projection import MapProjection
    from components.flowmap.view import FlowMapView, pack_frame

    pn.extension()
    rng = np.random.default_rng(7)
    places = 200
    data = FlowMapData(
        places=Places(
            id=texts([str(i) for i in range(places)]),
            name=texts([f"Place {i}" for i in range(places)]),
            longitude=rng.uniform(-8, 28, places),
            latitude=rng.uniform(37, 66, places),
            outgoing=rng.uniform(0, 1, places),
            incoming=rng.uniform(0, 1, places),
        ),
        arcs=Arcs(
            origin=rng.integers(0, places, arcs),
            destination=rng.integers(0, places, arcs),
            category=rng.integers(0, 6, arcs),
            value=rng.pareto(1.2, arcs),
            back=unknown(arcs),
            capacity=unknown(arcs),
            id=texts([""] * arcs),
        ),
        categories=tuple("ABCDEF"),
    )
    plane = MapProjection()
    x0, x1, y0, y1 = bounds_of(data, plane)
    base = BaseMap(plane, View(x0, x1, y0, y1))
    colours = ("#f0a500", "#8a5a2b", "#e08a2e", "#4cc3e6", "#5b8c3a", "#8a63c9")
    words = {
        "fit": "bench", "title": "", "most": float(np.quantile(data.arcs.value, 0.995)),
        "categories": [{"label": n, "colour": c} for n, c in zip("ABCDEF", colours, strict=True)],
    }  # fmt: skip
    view = FlowMapView(width=1100, height=700, duration=200, on_view=base.show)
    view.figure = pn.pane.HoloViews(base.picture, sizing_mode="stretch_both", margin=0)
    totals = np.full((places, 2), np.nan)
    phase = rng.uniform(0, 6, arcs)
    view.param.update(
        **params_of(data, plane, routes_of(data, plane), words),
        frame=pack_frame(data.arcs.value, unknown(arcs), totals),
    )
    step = iter(range(10**9))

    def play() -> None:
        values = data.arcs.value * (1 + 0.8 * np.sin(phase + 0.4 * next(step)))
        view.frame = pack_frame(values, unknown(arcs), totals)

    pn.state.onload(lambda: pn.state.add_periodic_callback(play, period=100))
    return view


def _serve(port: int, arcs: int) -> None:
    import panel as pn

    # Panel takes functions and no partials.
    pn.serve({"/": lambda: page(arcs)}, port=port, show=False)


class Measured(NamedTuple):
    """Frames drawn and received a second, bytes of a frame, processor milliseconds of a drawing.

    On a busy machine the last is what to look at: below 66 it can be drawn 15 times a second.
    """

    drawn: float
    received: float
    size: int
    milliseconds: float


def measure(arcs: int) -> Measured:
    """Play so many arcs."""
    from playwright.sync_api import sync_playwright

    from tests.browser import launch

    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = int(probe.getsockname()[1])
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(port, arcs))
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            tab = browser.new_page(viewport={"width": 1200, "height": 800})
            _open(tab, f"http://localhost:{port}/")
            tab.wait_for_function(f"() => ({_FIND})()?.flowmap.drawn > 3", timeout=60_000)
            count = f"""() => {{
              const map = ({_FIND})().flowmap
              map.received = 0
              const take = map.take_frame.bind(map)
              map.take_frame = (now) => {{ map.received += 1; take(now) }}
              return map.drawn
            }}"""
            tab.wait_for_timeout(3000)
            before, used = tab.evaluate(count), _processor_seconds()
            tab.wait_for_timeout(1000 * SECONDS)
            used = _processor_seconds() - used
            drawn, received, size = tab.evaluate(
                f"""() => {{
                  const map = ({_FIND})().flowmap
                  return [map.drawn, map.received, map.target.byteLength]
                }}"""
            )
            browser.close()
    finally:
        server.terminate()
        server.join()
    return Measured(
        (drawn - before) / SECONDS, received / SECONDS, size, 1000 * used / max(drawn - before, 1)
    )


def _processor_seconds() -> float:
    """Processor time that the browser has used so far."""
    import psutil

    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        if "chrom" in process.name():
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def _open(tab: Any, address: str) -> None:
    from playwright.sync_api import Error

    end = time.monotonic() + 120
    while True:
        try:
            tab.goto(address)
            return
        except Error:
            if time.monotonic() > end:
                raise
            tab.wait_for_timeout(500)


def report() -> None:
    """Print what is measured beside the bars."""
    heading("Flow maps that play")
    for arcs, bar in ((1000, 15), (5000, 8)):
        found = measure(arcs)
        line(
            f"{arcs} arcs",
            f"{found.drawn:.1f} drawings a second, {found.milliseconds:.0f} ms of processor each",
            str(bar),
        )
        line("", f"{found.received:.1f} frames a second of {found.size / 1000:.0f} kB", "200 kB")


if __name__ == "__main__":
    report()
