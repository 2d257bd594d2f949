"""Importing a large VEDA file, beside what DuckDB takes to read it into a table on disk.

The two take turns, each in a process of its own, so that a busy machine slows both: the ratio of
their medians is what counts.

    python -m bench.large FILE.vd DATABASE     reads the file into a table, as the yardstick
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import duckdb

from bench import rows
from bench.figures import heading, line
from tests.browser import ROOT

RATIO_BAR = 3.0
MEMORY_BAR = 1500  # MB
_RUNS = 3


@dataclass(frozen=True)
class Run:
    """What a process took: seconds, and MB at its peak."""

    seconds: float
    peak: float


def run(arguments: Sequence[str]) -> Run:
    """Run Python with arguments, from the project's folder. Exits where that fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed")
    return Run(time.perf_counter() - start, usage.ru_maxrss / 1024)


def report() -> None:
    """Measure and print; takes about two minutes."""
    heading(f"Import of a .vd of {rows.ROWS:,} rows, in turn with DuckDB's read_csv")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # In a process of its own: a process counts the memory of the one it came from as its own.
        run(["-m", "bench.rows", str(Path(folder, "files"))])
        path = Path(folder, "files", "Large.vd")
        plain, whole = [], []
        for number in range(_RUNS):
            database = Path(folder, f"plain{number}.duckdb")
            plain.append(run(["-m", "bench.large", str(path), str(database)]))
            data = Path(folder, f"data{number}")
            whole.append(
                run(["-m", "catalogs", "import", str(path), "--data-directory", str(data)])
            )
    for name, runs in (("read_csv into a table on disk", plain), ("import", whole)):
        seconds = ", ".join(f"{one.seconds:.1f}" for one in runs)
        peak = max(one.peak for one in runs)
        bar = f"{MEMORY_BAR} MB" if name == "import" else ""
        line(name, f"{seconds} s, peak memory {peak:.0f} MB", bar)
    ratio = median(r.seconds for r in whole) / median(r.seconds for r in plain)
    line("ratio of the medians", f"{ratio:.2f}", f"{RATIO_BAR:g}")
    line("load", f"{os.getloadavg()[0]:.1f}")


def _read_csv(path: str, database: str) -> None:
    """Read the rows of the file into a table on disk, and nothing else."""
    lines = rows.HEADER.count("\n")
    with duckdb.connect(database) as connection:
        connection.execute(
            "CREATE TABLE plain AS FROM read_csv(?, skip = ?, header = false)", [path, lines]
        )


if __name__ == "__main__":
    _read_csv(*sys.argv[1:])
