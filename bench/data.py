"""The published data that the benchmarks read, and what publishing it takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.figures import heading, line
from tests.browser import ROOT

DATASET = "real"


@dataclass(frozen=True)
class Import:
    """What importing one file took."""

    file: str
    seconds: float
    peak: float  # MB


def real_files() -> list[Path]:
    """The real result files: five scenarios with 1.9 million results."""
    folder = Path(os.environ.get("TIMES_TEST_DATA", ROOT.parent / "shared" / "data"))
    found = sorted((folder / "miro").glob("*.miroscen"))
    if not found:
        raise SystemExit(f"No real result files: set TIMES_TEST_DATA (looked in {folder})")
    return found


def publish(directory: Path) -> list[Import]:
    """Import the real files one by one, each in a process of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    return [_import(path, directory) for path in real_files()]


def _import(path: Path, directory: Path) -> Import:
    command = [sys.executable, "-m", "catalogs", "import", str(path)]
    command += ["--name", DATASET, "--data-directory", str(directory)]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"Importing {path.name} failed")
    return Import(path.name, seconds, usage.ru_maxrss / 1024)


def report(imports: list[Import]) -> None:
    """Print what the imports took."""
    heading("Import, a process per file (for information)")
    for one in imports:
        line(one.file, f"{one.seconds:5.1f} s, peak memory {one.peak:5.0f} MB")
