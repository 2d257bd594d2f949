"""Imports that are killed or interrupted: what is served stays, and what they left goes away.

Each runs in a process of its own, which stops at a named moment, says so and waits; there it is
killed or interrupted. The moments are steps of the import, and calls of the system on the way
from a built file to the published manifest.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalogs import open_source
from catalogs.importing import import_files
from catalogs.store import MANIFEST, WORK_PREFIX, Store
from tests.browser import ROOT
from tests.times_files import flows, publish, row, write_set, write_vd

#: Imports a folder as the command line does, and stops at the moment that it is given.
IMPORT = """
import os, sys
from catalogs import __main__ as command_line, importing

moment, *arguments = sys.argv[1:]

def stop_at(name):
    if name == moment:
        print(name, flush=True)
        sys.stdin.read()

def before(module, name, reached):
    original = getattr(module, name)
    def call(*given, **options):
        stop_at(reached(given))
        return original(*given, **options)
    setattr(module, name, call)

def with_progress(*given, progress, **options):
    return original(*given, progress=lambda _: lambda _, doing: stop_at(doing), **options)

original = command_line.import_files
command_line.import_files = with_progress
before(os, "replace", lambda given: "moving the " + str(given[1]).rpartition(".")[2])
before(os, "fsync", lambda given: "writing the manifest")
sys.exit(command_line.main(["import", *arguments]))
"""
MOMENTS = [
    "reading results",
    "sorting results",
    "working out figures",
    "done",
    "moving the duckdb",
    "writing the manifest",
    "moving the json",
]


def write(folder: Path, electricity: float) -> Path:
    """Write two scenarios in which a plant generates so much."""
    for scenario in ("High", "Low"):
        write_set(
            folder,
            flows(f"PLANT: -> ELC {electricity}"),
            scenario=scenario,
            units={"PJ": "ELC"},
            process_sets={"ELE": "PLANT"},
            commodity_sets={"ELC": "ELC"},
        )
    return folder


def served(data: Path) -> set[float]:
    """What the dataset says that the plant generates."""
    return {value for (value,) in open_source(data, "case").rows("SELECT value FROM result")}


def left_over(folder: Path) -> list[str]:
    """What lies in a dataset's folder beside its manifest and the files that it names."""
    used = {s.file for s in Store(folder.parent).manifest(folder.name).scenarios}
    return sorted({path.name for path in folder.iterdir()} - used - {MANIFEST, ".lock"})


@contextlib.contextmanager
def stopped_import(moment: str, files: Path, data: Path) -> Iterator[subprocess.Popen[str]]:
    """Run an import until it has come to a moment."""
    command = [sys.executable, "-c", IMPORT, moment, str(files), "--name", "case"]
    with subprocess.Popen(
        [*command, "--data-directory", str(data)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            reached = process.stdout.readline()
            if reached != f"{moment}\n":
                raise AssertionError(f"{moment} was not reached: {process.communicate()}")
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset ``data/case`` and changed files for it; each test copies it."""
    folder = tmp_path_factory.mktemp("before")
    publish(write(folder / "files", 40), folder / "data")
    write(folder / "files", 55)
    return folder


@pytest.fixture
def place(before: Path, tmp_path: Path) -> Path:
    """A copy of ``before``."""
    return Path(shutil.copytree(before, tmp_path / "place"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_import_changes_nothing_and_the_next_removes_what_it_left(
    place: Path, moment: str
) -> None:
    data, manifest = place / "data", (place / "data/case/manifest.json").read_bytes()
    with stopped_import(moment, place / "files", data) as process:
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert (data / "case" / MANIFEST).read_bytes() == manifest
    assert served(data) == {40}
    assert left_over(data / "case")  # else this moment tests nothing
    publish(place / "files", data)
    assert served(data) == {55}
    # Files of the old version wait for those who read them; nothing else is there.
    assert all(name.endswith(".duckdb") for name in left_over(data / "case"))


@pytest.mark.parametrize("moment", MOMENTS[::2])
def test_an_interrupted_import_changes_nothing_and_clears_up_after_itself(
    place: Path, moment: str
) -> None:
    data, manifest = place / "data", (place / "data/case/manifest.json").read_bytes()
    with stopped_import(moment, place / "files", data) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "Interrupted" in said
    assert (data / "case" / MANIFEST).read_bytes() == manifest
    assert served(data) == {40}
    assert all(name.endswith(".duckdb") for name in left_over(data / "case"))
    publish(place / "files", data)
    assert served(data) == {55}


def test_a_large_file_may_be_interrupted_while_it_is_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    publish(write(tmp_path / "files", 40), data)
    rows = (
        row("VAR_FOut", number, commodity="ELC", process=f"P{number}", timeslice=f"T{number % 96}")
        for number in range(400_000)
    )
    large = write_vd(tmp_path / "Large.vd", rows, "Large")
    command = [sys.executable, "-m", "catalogs", "import", str(large), "--name", "case"]
    with subprocess.Popen(
        [*command, "--data-directory", str(data)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not list(data.glob(f"case/{WORK_PREFIX}*/*.duckdb")):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert served(data) == {40}
    assert left_over(data / "case") == []


def test_an_import_that_is_at_work_keeps_its_folder_while_another_publishes(place: Path) -> None:
    data = place / "data"
    with stopped_import("working out figures", place / "files", data) as process:
        [work] = (data / "case").glob(f"{WORK_PREFIX}*")
        held = sorted(path.name for path in work.iterdir())
        write_set(place / "more", flows("MINE: -> COA 7"), scenario="More")
        import_files(Store(data), "case", [place / "more"])
        assert sorted(path.name for path in work.iterdir()) == held
        process.communicate("")
    assert process.returncode == 0
    assert served(data) == {55, 7}
    assert not work.exists()
