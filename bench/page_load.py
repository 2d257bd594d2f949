"""How long a page takes from navigation to its first chart, beside a default Panel page.

    python -m bench.page_load [--route /times] [--runs 9] [--module app.server]

Both pages are opened in turns in the same Chromium, so that a busy machine slows both: read the
ratio before the milliseconds. Cold is a fresh profile; warm is a profile on disk that has the
page's files and their compiled code from earlier visits.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright, sync_playwright

from tests.browser import CHROMIUM, CHROMIUM_ARGUMENTS, DESKTOP, ROOT, free_port, launch, serving

REFERENCE = ROOT / "bench" / "reference_page.py"
WARM_UP_VISITS = 4  # Chromium keeps compiled code from the second or third visit on

# Runs in the page: the time, in ms since navigation started, when a chart's canvas first has ink.
FIRST_CHART = """
(() => {
  const canvases = (root, found = []) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.tagName === "CANVAS") { found.push(element) }
      if (element.shadowRoot) { canvases(element.shadowRoot, found) }
    }
    return found
  }
  const has_ink = (canvas) => {
    if (canvas.width < 50 || canvas.height < 50) { return false }
    const row = Math.floor(canvas.height * 0.8)
    const pixels = canvas.getContext("2d").getImageData(0, row, canvas.width, 1).data
    return pixels.some((value, index) => index % 4 === 3 && value > 0)
  }
  const look = () => {
    if (document.body && canvases(document).some(has_ink)) {
      window.first_chart = performance.now()
    } else {
      requestAnimationFrame(look)
    }
  }
  requestAnimationFrame(look)
})()
"""


@dataclass(frozen=True)
class Timing:
    """Milliseconds from navigation to the first chart, one number per visit."""

    cold: tuple[float, ...]
    warm: tuple[float, ...]

    def medians(self) -> tuple[float, float]:
        """Median of the cold and of the warm visits."""
        return statistics.median(self.cold), statistics.median(self.warm)


def visit(context: BrowserContext, url: str) -> float:
    """Open a page once; milliseconds until its first chart."""
    page = context.new_page()
    page.goto(url, wait_until="commit")
    page.wait_for_function("() => window.first_chart !== undefined", timeout=60_000)
    elapsed = float(page.evaluate("window.first_chart"))
    page.close()
    return elapsed


def measure(playwright: Playwright, urls: Sequence[str], runs: int) -> list[Timing]:
    """Visit the addresses in turns, `runs` times cold and `runs` times warm."""
    with contextlib.ExitStack() as stack:
        browser = launch(playwright)
        stack.callback(browser.close)
        kept = {url: _kept_profile(playwright, stack) for url in urls}

        def cold(url: str) -> float:
            with browser.new_context(viewport=DESKTOP) as context:
                context.add_init_script(FIRST_CHART)
                return visit(context, url)

        for url in urls:
            for _ in range(WARM_UP_VISITS):
                visit(kept[url], url)
        cold_times = in_turns(urls, runs, cold)
        warm_times = in_turns(urls, runs, lambda url: visit(kept[url], url))
    return [Timing(tuple(cold_times[url]), tuple(warm_times[url])) for url in urls]


def _kept_profile(playwright: Playwright, stack: contextlib.ExitStack) -> BrowserContext:
    """A browser of its own with a profile on disk: one in memory keeps no compiled code."""
    context = playwright.chromium.launch_persistent_context(
        stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)),
        executable_path=CHROMIUM,
        args=CHROMIUM_ARGUMENTS,
        viewport=DESKTOP,
    )
    stack.callback(context.close)
    context.add_init_script(FIRST_CHART)
    return context


def in_turns(
    urls: Sequence[str], runs: int, time: Callable[[str], float]
) -> dict[str, list[float]]:
    """Time every address once, then every one again, and so on."""
    times: dict[str, list[float]] = {url: [] for url in urls}
    for _ in range(runs):
        for url in urls:
            times[url].append(time(url))
    return times


@contextlib.contextmanager
def reference_served() -> Iterator[str]:
    """The reference page, served by plain `panel serve`."""
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", str(REFERENCE), "--port", str(port)]
    url = f"http://localhost:{port}/{REFERENCE.stem}"
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "BOKEH_RESOURCES": "server"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=30):
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def page_load(route: str = "/times", runs: int = 9, module: str = "app.server") -> list[Timing]:
    """Timings of a route of the application and of the reference page, in this order."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), module) as served,
        reference_served() as reference,
        sync_playwright() as playwright,
    ):
        return measure(playwright, [served.url + route, reference], runs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m bench.page_load")
    parser.add_argument("--route", default="/times")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--module", default="app.server", help="what serves the application")
    given = parser.parse_args()
    ours, reference = page_load(given.route, given.runs, given.module)
    for name, timing in ((given.route, ours), ("plain Panel", reference)):
        cold, warm = timing.medians()
        print(f"{name:12} first chart: cold {cold:5.0f} ms, warm {warm:5.0f} ms (median)")
    for kind in ("cold", "warm"):
        pairs = zip(getattr(ours, kind), getattr(reference, kind), strict=True)
        ratio = statistics.median(ours_took / took for ours_took, took in pairs)
        print(f"{kind}: {ratio:.2f} of plain Panel (median of the pairs)")


if __name__ == "__main__":
    main()
