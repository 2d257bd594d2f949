"""The explorer's page beside small ones: how long until the first chart is drawn.

Compared in the same run, in turns: the explorer with the real data, a page of the same shell with
one tiny chart (the stand-in of the tests), and a page as plain Panel serves it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from bench.explorer import START
from bench.figures import heading, line, spread
from bench.page_load import measure, reference_served
from tests.browser import Served, serving

BAR = 500  # ms more than the small page of the same shell


def report(served: Served, runs: int) -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), "tests.stand_in") as small,
        reference_served() as plain,
        sync_playwright() as playwright,
    ):
        urls = [served.url + START, f"{small.url}/times", plain]
        explorer, shell, panel = measure(playwright, urls, runs)
    heading(f"From navigation to the first chart, {runs} visits each")
    for kind in ("cold", "warm"):
        said = "fresh browser" if kind == "cold" else "cached scripts"
        for name, timing in (
            ("the explorer", explorer),
            ("same shell, tiny chart", shell),
            ("plain Panel, tiny chart", panel),
        ):
            line(f"{said}: {name}", spread(getattr(timing, kind)))
        _compare(said, "same shell", getattr(explorer, kind), getattr(shell, kind), f"+{BAR} ms")
        _compare(said, "plain Panel", getattr(explorer, kind), getattr(panel, kind))


def _compare(
    said: str, name: str, ours: Sequence[float], others: Sequence[float], bar: str = ""
) -> None:
    more = median(mine - other for mine, other in zip(ours, others, strict=True))
    ratio = median(mine / other for mine, other in zip(ours, others, strict=True))
    line(f"{said}: against {name}", f"{more:+6.0f} ms, ratio {ratio:.2f}, medians of pairs", bar)
