"""The example notebooks run from beginning to end, in silence and without the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.browser import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))

#: Runs in the notebook before its first cell: whoever asks another host fails.
NO_NETWORK = """
import socket as _socket

def _refuse(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise AssertionError(f"the notebook asked {address[0]}")
    return _connect(self, address)

_connect = _socket.socket.connect
_socket.socket.connect = _refuse
"""


def test_examples_are_found():
    assert [path.name for path in NOTEBOOKS] == ["explorer.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(path: Path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert str(Path.home()) not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_in_silence(path: Path, tmp_path: Path):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK))
    copy = tmp_path / path.name
    nbformat.write(notebook, copy)
    run(copy)
    outputs = [
        output
        for cell in nbformat.read(copy, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    said = [output.text for output in outputs if output.get("name") == "stderr"]
    assert said == []
    assert any("text/html" in output.get("data", {}) for output in outputs)
    # Panel's scripts come along in the notebook: a browser asks no other host for them.
    scripts = [output.get("data", {}).get("application/javascript", "") for output in outputs]
    assert any(scripts)
    assert not any("cdn.bokeh.org" in script for script in scripts)


def run(notebook: Path) -> None:
    """Run a notebook in place, by a process of its own that ends with all its sockets."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "default",
        "IPYTHONDIR": str(notebook.parent / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(notebook.parent / "runtime"),
    }
    command = "from nbclient.cli import NbClientApp; NbClientApp.launch_instance()"
    done = subprocess.run(
        [sys.executable, "-c", command, str(notebook), "--inplace", "--timeout=300"],
        cwd=notebook.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr
