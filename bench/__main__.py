"""Measure what was promised: python -m bench [PART ...], parts as in PARTS below.

    python -m bench                                   all of them; imports the real files first
    python -m bench filter --data-directory DIR       with data published by an earlier run

The real result files are those under TIMES_TEST_DATA. Every figure is printed with its unit and
the bar that it is to stay within; on a busy machine read the ratios. Nothing is judged here: the
exit code is 0 whatever the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from pathlib import Path

from bench import data, explorer, flow_map_play, flow_records, large, memory, pages, sankey, sql
from bench.figures import heading, line
from tests.browser import serving

PARTS = ("page", "filter", "memory", "sankey", "import", "flowmaps", "play", "sql")


def main() -> None:
    """Run the parts asked for."""
    given = _parse()
    parts = given.parts or list(PARTS)
    with contextlib.ExitStack() as stack:
        directory = given.data_directory or Path(
            stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        )
        heading(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        if "import" in parts:
            _measure_imports()
        if not set(parts) <= {"import", "flowmaps", "play"}:
            _publish(directory)
        if {"page", "filter"}.intersection(parts):
            with serving(directory) as served:
                if "page" in parts:
                    pages.report(served, given.runs)
                if "filter" in parts:
                    explorer.report(served, given.verbose)
        if "memory" in parts:
            with serving(directory, "bench.server") as served:
                memory.report(served)
        if "sankey" in parts:
            sankey.report(directory)
        _measure_maps(parts, directory, given)
        if "sql" in parts:
            sql.report(directory)
    line("load at the end", f"{os.getloadavg()[0]:.1f}")


def _measure_imports() -> None:
    with tempfile.TemporaryDirectory() as fresh:
        data.report(data.publish(Path(fresh)))
    large.report()


def _measure_maps(parts: list[str], directory: Path, given: argparse.Namespace) -> None:
    if "flowmaps" in parts:
        flow_records.report(directory, given.factor, given.only)
    if "play" in parts:
        flow_map_play.report()


def _publish(directory: Path) -> None:
    """Publish the real files where they are not yet."""
    if not (directory / data.DATASET / "manifest.json").exists():
        heading("Publishing the real files")
        data.publish(directory)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description="Measure speed and memory.")
    parser.add_argument("parts", nargs="*", choices=PARTS, default=[], help="default: all")
    parser.add_argument(
        "--data-directory", type=Path, help=f"has, or gets, the real files as {data.DATASET!r}"
    )
    parser.add_argument("--runs", type=int, default=9, help="visits of each page; default: 9")
    parser.add_argument(
        "--factor", type=float, default=1.0, help="size of the flow records; 1: up to 98 million"
    )
    parser.add_argument(
        "--only",
        nargs="*",
        choices=flow_records.DATASETS,
        default=flow_records.DATASETS,
        help="which of the datasets of flow records",
    )
    parser.add_argument("--verbose", action="store_true", help="print every change of a selection")
    return parser.parse_args()


if __name__ == "__main__":
    main()
