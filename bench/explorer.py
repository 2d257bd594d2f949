"""How long the explorer takes to redraw after a change, in the browser and beneath it.

A person's changes are made in Chromium through the page's own controls. Time runs from the input
event that makes the change (``click``, by its own time stamp) to the start of the frame after the
chart's last painting: patched into the page are Bokeh's ``PlotView._actual_paint``, which draws a
chart's canvas, and the document's changes. A change counts as drawn when new data has come, the
chart has been painted after it, and for a third of a second nothing has come or been painted any
more. So a first picture that is mended by a second counts as drawn with the second.

Beneath: the same queries, asked of ``Source.ask`` in this process with nothing kept from before,
and their SQL alone in DuckDB.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import param
from playwright.sync_api import Page, TimeoutError, sync_playwright

from app.address import AddressSync
from bench.data import DATASET
from bench.figures import heading, line, percentile, spread
from catalogs import open_source
from catalogs.query import Query
from catalogs.source import Source
from components.explorer import ScenarioExplorer
from tests.browser import DESKTOP, Served, launch, open_page, query_of
from tests.times_page import chips, choose, legend, press, take_back, unfold

BAR = 300  # ms, at the 95th percentile
DANISH = "DK_Fossilfri_2050,DK_Frozen_policy_scenarie,DK_Regeringen"
START = f"/times?dataset={DATASET}&scenarios={DANISH}"

_WATCH = """
() => {
  const {PlotView} = Bokeh.require("models/plots/plot_canvas")
  const timing = window.timing = {input: 0, data: 0, painted: 0, activity: 0}
  document.addEventListener("click", (event) => { timing.input = event.timeStamp }, true)
  const paint = PlotView.prototype._actual_paint
  PlotView.prototype._actual_paint = function(...given) {
    const result = paint.apply(this, given)
    timing.activity = performance.now()
    requestAnimationFrame(() => { timing.painted = performance.now() })
    return result
  }
  Bokeh.documents[0].on_change((event) => {
    timing.activity = performance.now()
    // Other data in the chart, or another chart in its place.
    const [changed, attribute] = [event.model?.type, event.attr]
    if (["ColumnDataSource", "Figure"].includes(changed) || attribute === "children") {
      timing.data = timing.activity
    }
  })
}
"""
_DRAWN = """
() => {
  const {input, data, painted, activity} = window.timing
  return data > input && painted > data && performance.now() - activity > 333
}
"""

Step = tuple[str, Callable[[Page], None]]


def _choose(label: str, option: str) -> Step:
    return f"{label}: {option}", partial(choose, label=label, option=option)


def _take_back(label: str, option: str) -> Step:
    return f"{label} without {option}", partial(take_back, label=label, option=option)


def _press(group: str, option: str) -> Step:
    return f"{group}: {option}", partial(press, group=group, option=option)


LEGEND: Step = ("look into the largest group", lambda page: legend(page).first.click())
CHIP: Step = ("take the filter away", lambda page: chips(page).first.click())

#: Fifty changes one after the other, most of them to a picture that was not there before.
STEPS: tuple[Step, ...] = (
    _choose("Measure", "Electricity generation"),
    _choose("Colours by", "Fuel"),
    _choose("Colours by", "Region"),
    _choose("Unit", "PJ"),
    _choose("Colours by", "Process"),
    _choose("Regions", "DKE"),
    _choose("Colours by", "Sector"),
    _choose("Regions", "DKW"),
    _take_back("Regions", "DKE"),
    _choose("Measure", "CO₂ emissions"),
    _choose("Colours by", "Fuel"),
    _choose("Colours by", "Process"),
    _take_back("Regions", "DKW"),
    _take_back("Scenarios", "DK Fossilfri 2050"),
    _choose("Colours by", "Sector"),
    _choose("Scenarios", "DK Fossilfri 2050"),
    _press("Show", "Difference to base"),
    _choose("Base scenario", "DK Regeringen"),
    _press("Show", "Values"),
    _choose("Measure", "Final energy"),
    _press("Bars side by side", "Scenarios of a year"),
    _press("Bars side by side", "Years of a scenario"),
    _choose("Colours by", "Technology"),
    _choose("Colours by", "Process"),
    _choose("Colours by", "Sector"),
    LEGEND,
    _choose("Colours by", "Process"),
    CHIP,
    _choose("Colours by", "Fuel"),
    LEGEND,
    CHIP,
    _press("Chart", "Lines"),
    _choose("Colours by", "Fuel"),
    _press("Chart", "Automatic"),
    _choose("Unit", "TWh"),
    _choose("Measure", "Primary energy"),
    _choose("Years", "2020"),
    _choose("Years", "2030"),
    _choose("Colours by", "Commodity"),
    _choose("Years", "2050"),
    _choose("Colours by", "Region"),
    _take_back("Years", "2020"),
    _choose("Measure", "Generation capacity"),
    _choose("Colours by", "Process"),
    _choose("Colours by", "Vintage"),
    _choose("Measure", "Demand for services"),
    _choose("Colours by", "Region"),
    _choose("Measure", "System cost"),
    _choose("Colours by", "Kind"),
    _choose("Measure", "Energy prices"),
)


@dataclass(frozen=True)
class Change:
    """One change: what was done, how long until it was drawn, and the address then."""

    name: str
    milliseconds: float
    search: str


def changes(served: Served) -> Iterator[Change]:
    """Make the changes in a browser, one by one."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport=DESKTOP)
        page.set_default_timeout(20_000)
        open_page(page, served.url + START)
        unfold(page, "Picture")
        page.evaluate(_WATCH)
        for name, do in STEPS:
            try:
                do(page)
                page.wait_for_function(_DRAWN, timeout=15_000)
            except TimeoutError:
                line(name, "changed nothing in the picture: not counted")
                continue
            taken = float(page.evaluate("window.timing.painted - window.timing.input"))
            yield Change(name, taken, f"?{query_of(page)}")
        browser.close()


class Address(param.Parameterized):
    """Stands in for the browser's address."""

    search = param.String(default="", doc="The query, '?a=1'")


def queries(data_directory: Path, searches: list[str]) -> list[Query]:
    """The queries behind views, from their addresses."""
    explorer = ScenarioExplorer(source=open_source(data_directory, DATASET))
    address = Address()
    parts = [
        (explorer.selection, explorer.selection.url_params),
        (explorer, explorer.url_params),
    ]
    sync = AddressSync(address, parts, on_error=lambda names: None)
    found = []
    for search in searches:
        sync.follow(search)
        found.append(explorer.query)
    return found


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - start)


def beneath(data_directory: Path, asked: list[Query]) -> tuple[list[float], list[float]]:
    """Milliseconds of each query in ``Source.ask`` and of its SQL alone, the median of three."""
    asks: list[list[float]] = []
    for _ in range(3):
        source = Source(open_source(data_directory, DATASET).manifest_path)  # has no answers yet
        for query in asked:
            source.available(query.measure)  # what every session asks first, and is kept
        asks.append([_timed(partial(source.ask, query)) for query in asked])
    texts = [source.ask(query).sql for query in asked]
    alone = [median(_timed(partial(source.rows, text)) for _ in range(3)) for text in texts]
    return [median(times) for times in zip(*asks, strict=True)], alone


def report(served: Served, verbose: bool = False) -> None:
    """Measure and print."""
    heading(f"From a change of the selection until it is drawn, {len(STEPS)} changes, 1.7M results")
    made = []
    for change in changes(served):
        made.append(change)
        if verbose:
            line(change.name, f"{change.milliseconds:6.0f} ms")
    drawn = [change.milliseconds for change in made]
    asked = queries(served.data_directory, [change.search for change in made])
    different = list(dict.fromkeys(asked))
    asks, alone = beneath(served.data_directory, different)
    line("in the browser", spread(drawn), f"{BAR} ms at the 95th percentile")
    line(f"Source.ask, {len(different)} different queries", spread(asks))
    line("DuckDB alone, the same queries", spread(alone))
    for name, times in (("Source.ask", asks), ("DuckDB alone", alone)):
        ratios = (median(drawn) / median(times), percentile(drawn, 0.95) / percentile(times, 0.95))
        line(f"browser / {name}", f"median {ratios[0]:.1f}, 95th percentile {ratios[1]:.1f}")
    slowest = sorted(made, key=lambda change: -change.milliseconds)[:3]
    line("slowest", "; ".join(f"{c.name} {c.milliseconds:.0f} ms" for c in slowest))
