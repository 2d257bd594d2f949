"""Copy symbols of a GDX file into NumPy files: a program, run in a process of its own.

The GDX library is native code that can abort, fault or loop for ever on a damaged file (seen with
single changed bytes). In a process of its own that costs one import and not the server.

Called with one argument, JSON: ``{"gdx": file, "folder": where to write, "symbols": names,
"only": {symbol: labels}}``. Of a symbol in ``only`` just the rows whose first label is one of
those (in whatever case) are written.
Writes into the folder

- ``contents.json``: ``labels`` (all labels of the file; keys are positions in it), ``symbols``
  (name to ``{"dimension", "kind", "rows", "domain"}`` for every symbol of the file) and ``texts``
  (name to one explanatory text per row, for the sets asked for),
- ``NAME.keys.npy``: int32, rows x dimension, and ``NAME.values.npy``: float64, rows, for each
  symbol asked for that exists (its name in lower case).

Exit status: 0, or ``NO_LIBRARY`` / ``NO_GDX`` with one line that says why on standard error. This
file imports nothing of the project, so that it runs wherever it lies.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

NO_LIBRARY = 3
NO_GDX = 4

KINDS = ("set", "parameter", "variable", "equation", "alias")


def main(request: dict[str, Any]) -> int:
    """Do what the module's docstring says; return the exit status."""
    try:
        import gamspy_base
        from gams.core import gdx
        from gams.core.numpy import Gams2Numpy
    except ImportError as error:
        print(error, file=sys.stderr)
        return NO_LIBRARY

    library = gamspy_base.directory
    arrays = Gams2Numpy(system_directory=library)
    handle = gdx.new_gdxHandle_tp()
    created, message = gdx.gdxCreateD(handle, library, gdx.GMS_SSSIZE)
    if not created:
        print(message, file=sys.stderr)
        return NO_LIBRARY
    opened, error_number = gdx.gdxOpenRead(handle, request["gdx"])
    if not opened or error_number:
        _, message = gdx.gdxErrorStr(handle, error_number)
        print(message, file=sys.stderr)
        return NO_GDX

    folder = Path(request["folder"])
    labels = arrays.gdxGetUelList(handle)
    only = {name.lower(): _positions(labels, wanted) for name, wanted in request["only"].items()}
    symbols = _symbols(gdx, handle)
    texts: dict[str, list[str]] = {}
    for name in request["symbols"]:
        symbol = next((s for s in symbols if s.lower() == name.lower()), None)
        if symbol is None:
            continue
        keys, values = _records(arrays, handle, symbol, symbols[symbol])
        if name.lower() in only and keys.shape[1]:
            rows = np.flatnonzero(np.isin(keys[:, 0], only[name.lower()]))
            keys, values = keys[rows], values[rows]
        np.save(folder / f"{name.lower()}.keys.npy", keys)
        if symbols[symbol]["kind"] == "set":
            texts[name.lower()] = [str(value) for value in values]
        else:
            np.save(folder / f"{name.lower()}.values.npy", values.astype(np.float64))
    contents = {"labels": labels, "symbols": symbols, "texts": texts}
    (folder / "contents.json").write_text(json.dumps(contents), encoding="utf-8")
    gdx.gdxClose(handle)
    gdx.gdxFree(handle)
    return 0


def _positions(labels: list[str], wanted: list[str]) -> list[int]:
    names = {name.upper() for name in wanted}
    return [position for position, label in enumerate(labels) if label.upper() in names]


def _symbols(gdx: Any, handle: Any) -> dict[str, dict[str, Any]]:
    """Describe every symbol of the open file."""
    _, count, _ = gdx.gdxSystemInfo(handle)
    found = {}
    for number in range(1, count + 1):
        _, name, dimension, kind = gdx.gdxSymbolInfo(handle, number)
        _, rows, _, _ = gdx.gdxSymbolInfoX(handle, number)
        _, domain = gdx.gdxSymbolGetDomainX(handle, number)
        found[name] = {
            "dimension": dimension,
            "kind": KINDS[kind],
            "rows": rows,
            "domain": list(domain),
        }
    return found


def _records(
    arrays: Any, handle: Any, symbol: str, described: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return keys (rows x dimension) and the first value column (rows) of a symbol."""
    if not described["rows"]:
        return np.empty((0, described["dimension"]), np.int32), np.empty(0)
    keys, values = arrays.gdxReadSymbolRaw(handle, symbol)
    rows = len(values)
    if keys is None:
        keys = np.empty((rows, 0))
    return np.asarray(keys).reshape(rows, -1).astype(np.int32, copy=False), values[:, 0]


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
