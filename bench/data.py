"""The published data that the benchmarks read, and what publishing it takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bench.figures import heading, line
from bench.large import run
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
    command = ["-m", "catalogs", "import", str(path)]
    command += ["--name", DATASET, "--data-directory", str(directory)]
    took = run(command)
    return Import(path.name, took.seconds, took.peak)


#: What importing a file is to take: this one has 1.4 million inputs and 0.6 million results.
BARS = {"times_miro_DK_Regeringen.miroscen": "4 s"}


def report(imports: list[Import]) -> None:
    """Print what the imports took."""
    heading("Import, a process per file")
    for one in imports:
        took = f"{one.seconds:5.1f} s, peak memory {one.peak:5.0f} MB"
        line(one.file, took, BARS.get(one.file, ""))
