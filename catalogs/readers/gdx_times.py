"""The bare ``.gdx`` of a TIMES run: results and inputs under the symbol names of TIMES itself.

``semantics/gdx_symbols.csv`` says of each result symbol which attribute it is and what its
dimensions are, in order (source: ``times2veda.vdd`` of TIMES, the table by which GDX2VEDA writes
the ``.vd``). A stochastic run reports under the same names with an ``s`` before them and the state
of the world as first dimension (``times2veda_stc.vdd``). The inputs become the same two tables
that are made of a MIRO file (see ``miro_inputs``), so that all that follows is the same for both.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalogs.readers.base import RAW_RESULT_COLUMNS, create_raw_result, report
from catalogs.readers.gdx import GdxContents, numbers
from catalogs.tables import NO_VALUE

#: The result symbols of which a TIMES run has at least one.
_SIGNS = ("f_in", "f_out", "par_actl", "par_capl", "reg_obj", "objz")

#: How the names of symbols begin that TIMES makes for its reports.
_RESULT_PREFIXES = ("par_", "cst_", "spar_", "scst_", "reg_", "sreg_")

#: TIMES' input symbols, and where each of their dimensions goes in ``miro_input``.
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "all_reg": ("region",),
    "b": ("year",),
    "com_agg": ("region", "year", "commodity", "item"),
    "com_desc": ("region", "commodity"),
    "com_ie": ("region", "year", "commodity", "timeslice"),
    "com_tmap": ("region", "commodity", "item"),
    "com_unit": ("region", "commodity", "item"),
    "cur": ("currency",),
    "d": ("year",),
    "e": ("year",),
    "g_drate": ("region", "year", "currency"),
    "g_dyear": (),
    "g_yrfr": ("region", "timeslice"),
    "nrg_tmap": ("region", "item", "commodity"),
    "prc_actunt": ("region", "process", "commodity", "item"),
    "prc_capact": ("region", "process"),
    "prc_capunt": ("region", "process", "commodity", "item"),
    "prc_desc": ("region", "process"),
    "prc_map": ("region", "item", "process"),
    "reg": ("region",),
    "top": ("region", "process", "commodity", "item"),
    "top_ire": ("region", "commodity", "item", "item_2", "process"),
    "ts_group": ("region", "item", "timeslice"),
    "ts_map": ("region", "timeslice", "item"),
}
_INPUT_COLUMNS = (
    *("region", "year", "process", "commodity", "timeslice", "currency", "item", "item_2"),
)
_OTHERS = ("milestonyr", "timeslice", "all_ts")


@dataclass(frozen=True)
class ResultSymbol:
    """A result symbol: its attribute, the columns of its dimensions in order.

    It is left where the file has rows of one of the symbols ``unless``, which say the same.
    """

    name: str
    attribute: str
    columns: tuple[str, ...]
    unless: tuple[str, ...]


@cache
def result_symbols() -> tuple[ResultSymbol, ...]:
    """Return ``semantics/gdx_symbols.csv``, and the symbols of a stochastic run that follow."""
    text = package_files("catalogs.semantics").joinpath("gdx_symbols.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    given = {row["symbol"] for row in rows}
    found = []
    for row in rows:
        name, attribute, columns = row["symbol"], row["attribute"], row["dimensions"].split()
        others = row["unless"].split()
        stochastic = tuple(f"s{other}" for other in others)
        if "sow" in columns:
            found.append(ResultSymbol(name, attribute, tuple(columns), tuple(others)))
            continue
        found.append(ResultSymbol(name, attribute, tuple(columns), (f"s{name}", *others)))
        if f"s{name}" not in given:
            found.append(ResultSymbol(f"s{name}", attribute, ("sow", *columns), stochastic))
    return tuple(found)


def symbols() -> tuple[str, ...]:
    """Return the names of all symbols that are of use."""
    return (*(s.name for s in result_symbols()), *_INPUTS, *_OTHERS)


def is_times_run(contents: GdxContents) -> bool:
    """Whether a file has results of TIMES."""
    return any(name in contents.symbols or f"s{name}" in contents.symbols for name in _SIGNS)


# ---------------------------------------------------------------------------- results


def store_results(contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection) -> int:
    """Fill ``raw_result`` from every result symbol of the file; return the rows.

    A symbol whose dimensions are others than expected is left out, and reported.
    """
    create_raw_result(connection)
    rows = 0
    for symbol in result_symbols():
        keys = contents.keys.get(symbol.name)
        said = (contents.keys.get(other) for other in symbol.unless)
        if keys is None or not len(keys) or any(o is not None and len(o) for o in said):
            continue
        if keys.shape[1] != len(symbol.columns) or symbol.name not in contents.numbers:
            message = (
                f"{symbol.name} has {keys.shape[1]} dimensions instead of {len(symbol.columns)}"
                f" ({', '.join(symbol.columns)}) and was not read"
            )
            report(connection, "warning", "left_out", message, file=file, count=len(keys))
            continue
        rows += _append(contents, symbol, keys, file, connection)
    report(connection, "info", "read", "Result rows read.", file=file, count=rows)
    _report_unread(contents, file, connection)
    return rows


def _report_unread(contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Name the symbols that look like results and have no attribute."""
    unread = [
        s.name
        for name, s in contents.symbols.items()
        if name.startswith(_RESULT_PREFIXES) and s.rows and name not in symbols()
    ]
    if unread:
        message = f"Result symbols that no attribute is known for: {', '.join(unread[:12])}."
        report(connection, "info", "left_out", message, file=file, count=len(unread))


def _append(
    contents: GdxContents,
    symbol: ResultSymbol,
    keys: NDArray[np.int32],
    file: str,
    connection: duckdb.DuckDBPyConnection,
) -> int:
    found = numbers(contents.numbers[symbol.name])
    columns: dict[str, pa.Array] = {
        name: contents.column(keys[:, place]) for place, name in enumerate(symbol.columns)
    }
    columns["value"] = found.values
    constant = {"attribute": symbol.attribute}
    cells = ", ".join(
        name if name in columns else f"'{constant.get(name, NO_VALUE)}'"
        for name in RAW_RESULT_COLUMNS
    )
    connection.register("gdx_rows", pa.table(columns))
    connection.execute(f"INSERT INTO raw_result SELECT {cells}, value FROM gdx_rows")
    connection.unregister("gdx_rows")
    for kind, count in found.special.items():
        kept = "kept" if kind.endswith("INF") else "kept without a value"
        message = f"Values of {symbol.name} that are {kind} in GAMS were {kept}."
        report(connection, "warning", "special_value", message, file=file, count=count)
    return len(keys)


# ---------------------------------------------------------------------------- inputs


def load_inputs(contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``miro_input`` and ``miro_description`` (see ``miro_inputs.load``)."""
    names = ", ".join(f"{name} VARCHAR" for name in _INPUT_COLUMNS)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE miro_input (name VARCHAR, {names}, value DOUBLE,"
        " place BIGINT)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE miro_description (dimension VARCHAR, region VARCHAR,"
        " element VARCHAR, description VARCHAR, place BIGINT)"
    )
    place = 0
    for symbol, dimensions in _INPUTS.items():
        keys = contents.keys.get(symbol)
        if keys is None or not len(keys):
            continue
        if keys.shape[1] != len(dimensions):
            message = f"{symbol} has {keys.shape[1]} dimensions, not {len(dimensions)}; not read"
            report(connection, "warning", "left_out", message, file=file, count=len(keys))
            continue
        _append_input(contents, symbol, dimensions, place, connection)
        place += len(keys)
    for symbol, dimension in (("prc_desc", "Process"), ("com_desc", "Commodity")):
        _append_descriptions(contents, symbol, dimension, connection)
    if not place:
        message = "There are no inputs: units, sets and topology are unknown."
        report(connection, "warning", "read", message, file=file)
    if "timeslice" not in contents.keys and "all_ts" in contents.keys:
        contents.keys["timeslice"] = contents.keys["all_ts"]
        contents.texts["timeslice"] = contents.texts["all_ts"]
    report(connection, "info", "read", "Input rows used.", file=file, count=place)


def _append_input(
    contents: GdxContents,
    symbol: str,
    dimensions: tuple[str, ...],
    place: int,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    keys = contents.keys[symbol]
    columns: dict[str, pa.Array] = {
        name: contents.column(keys[:, number]) for number, name in enumerate(dimensions)
    }
    given = contents.numbers.get(symbol)
    columns["value"] = numbers(given).values if given is not None else pa.array(np.ones(len(keys)))
    columns["place"] = pa.array(np.arange(place, place + len(keys)))
    cells = ", ".join(name if name in columns else f"'{NO_VALUE}'" for name in _INPUT_COLUMNS)
    connection.register("gdx_rows", pa.table(columns))
    connection.execute(
        f"INSERT INTO miro_input SELECT ?, {cells}, value, place FROM gdx_rows", [symbol.upper()]
    )
    connection.unregister("gdx_rows")


def _append_descriptions(
    contents: GdxContents, symbol: str, dimension: str, connection: duckdb.DuckDBPyConnection
) -> None:
    keys, texts = contents.keys.get(symbol), contents.texts.get(symbol)
    if keys is None or texts is None or keys.shape[1] != 2 or not len(keys):
        return
    columns = {
        "region": contents.column(keys[:, 0]),
        "element": contents.column(keys[:, 1]),
        "description": pa.array(texts, pa.string()),
        "place": pa.array(np.arange(len(keys))),
    }
    connection.register("gdx_rows", pa.table(columns))
    connection.execute(
        "INSERT INTO miro_description SELECT ?, region, element, nullif(trim(description), ''),"
        " place FROM gdx_rows",
        [dimension],
    )
    connection.unregister("gdx_rows")
