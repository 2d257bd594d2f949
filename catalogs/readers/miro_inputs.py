"""The inputs in a MIRO file: its parameter ``cubeinput`` and the descriptions, as two tables.

One row of ``cubeinput`` is one datum of the model's input: ``siname`` names the TIMES set or
parameter, ``dd`` the data file it came from, and the other dimensions hold its indices, each
where it belongs and ``-`` elsewhere; indices that belong nowhere (a unit, a second region, a set's
name) follow from left to right in ``uni``, ``*``, ``*``, here ``item``, ``item_2``, ``item_3``.

Two things are easy to miss. The file also holds data files that the scenario does *not* use:
``scenddmap`` numbers those used in the order in which they were loaded, and gives 0 to the others.
And several data files may give the same datum: in a parameter the one loaded last holds.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalogs.readers.base import account, report
from catalogs.readers.gdx import GdxContents, numbers

#: What else to read from the GDX; none of it is indispensable.
SYMBOLS = ("cubeinput", "scenddmap", "dd_prc_desc", "dd_com_desc", "timeslice", "milestonyr")

#: The TIMES symbols that are used, by what they say.
USED = (
    "ALL_REG",
    "B",
    "COM_AGG",
    "COM_DESC",
    "COM_IE",
    "COM_TMAP",
    "COM_UNIT",
    "CUR",
    "D",
    "E",
    "G_DRATE",
    "G_DYEAR",
    "G_YRFR",
    "NRG_TMAP",
    "PRC_ACTUNT",
    "PRC_CAPACT",
    "PRC_CAPUNT",
    "PRC_DESC",
    "PRC_MAP",
    "REG",
    "TOP",
    "TOP_IRE",
    "TS_GROUP",
    "TS_MAP",
)

_INPUT_ORDER = (
    "siname",
    "typ",
    "dd",
    "uc_n",
    "all_reg",
    "allyear",
    "prc",
    "com_grp",
    "all_ts",
    "lim",
    "cur",
    "uni",
    "item_2",
    "item_3",
)
_INPUT_COLUMNS = {
    "name": "siname",
    "region": "all_reg",
    "year": "allyear",
    "process": "prc",
    "commodity": "com_grp",
    "timeslice": "all_ts",
    "currency": "cur",
    "item": "uni",
    "item_2": "item_2",
}


def load(contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables ``miro_input`` and ``miro_description``.

    ``miro_input(name, region, year, process, commodity, timeslice, currency, item, item_2, value,
    place)`` has the rows of the symbols ``USED``; ``miro_description(dimension, region, element,
    description, place)`` has what ``dd_prc_desc`` and ``dd_com_desc`` say. Both have only data
    files that the scenario uses, and a higher ``place`` was loaded later.
    """
    order = _load_order(contents, file, connection)
    _make_inputs(contents, order, file, connection)
    _make_descriptions(contents, order, connection)


def _load_order(
    contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection
) -> NDArray[np.int32]:
    """Return for every label of the file when the data file of that name was loaded, 0 if not.

    Without ``scenddmap`` all data files count, in the order of the file.
    """
    keys = contents.keys.get("scenddmap", np.empty((0, 3), np.int32))
    order = np.zeros(len(contents.labels), np.int32)
    if keys.shape[1] >= 2:
        for number, name in keys[:, :2]:
            text = contents.labels[number]
            order[name] = int(text) if text.isdecimal() else 0
    if order.any():
        unused = [contents.labels[name] for name in keys[:, 1] if not order[name]]
        if unused:
            message = f"Data files that the scenario does not use: {', '.join(unused)}."
            report(connection, "info", "left_out", message, file=file, count=len(unused))
        return order
    return np.ones(len(contents.labels), np.int32)


def _make_inputs(
    contents: GdxContents,
    order: NDArray[np.int32],
    file: str,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Make ``miro_input`` and report how many rows were used and left out."""
    keys = contents.keys.get("cubeinput", np.empty((0, len(_INPUT_ORDER)), np.int32))
    values = contents.numbers.get("cubeinput", np.empty(0))
    symbol = contents.symbols.get("cubeinput")
    read = symbol.rows if symbol else 0  # of which only the parameters USED are here
    if keys.shape[1] != len(_INPUT_ORDER) or len(values) != len(keys):
        message = "cubeinput has other dimensions than expected and was not read."
        report(connection, "warning", "left_out", message, file=file, count=read)
        keys, values, read = np.empty((0, len(_INPUT_ORDER)), np.int32), np.empty(0), 0
    elif not read:
        message = "There are no inputs (cubeinput): units, sets and topology are unknown."
        report(connection, "warning", "read", message, file=file)
    loaded = order[keys[:, _INPUT_ORDER.index("dd")]]
    rows = np.flatnonzero(loaded > 0)
    rows = rows[np.argsort(loaded[rows], kind="stable")]
    used, found = keys[rows], numbers(values[rows])
    columns: dict[str, pa.Array] = {
        name: contents.column(used[:, _INPUT_ORDER.index(dimension)])
        for name, dimension in _INPUT_COLUMNS.items()
    }
    columns |= {"value": found.values, "place": pa.array(np.arange(len(rows)))}
    _make_table(connection, "miro_input", columns)
    connection.execute("UPDATE miro_input SET name = upper(name)")
    for message, count in (
        ("Input rows used.", len(rows)),
        (
            "Input rows left out: of data files that the scenario does not use.",
            len(keys) - len(rows),
        ),
        ("Input rows left out: of parameters that no analysis needs.", read - len(keys)),
    ):
        topic = "left_out" if "left out" in message else "read"
        report(connection, "info", topic, message, file=file, count=count)
    account(connection, file, "inputs", read=read, kept=len(rows), left_out=read - len(rows))
    for kind, count in found.special.items():
        message = f"Input rows whose value is {kind} in GAMS."
        report(connection, "warning", "special_value", message, file=file, count=count)


def _make_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, pa.Array]
) -> None:
    """Copy Arrow columns into a temporary table, dictionaries as plain text."""
    connection.register("miro_columns", pa.table(columns))
    text = [f"{c}::VARCHAR AS {c}" for c, a in columns.items() if pa.types.is_dictionary(a.type)]
    other = [c for c, a in columns.items() if not pa.types.is_dictionary(a.type)]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {', '.join(text + other)} FROM miro_columns"
    )
    connection.unregister("miro_columns")


def _make_descriptions(
    contents: GdxContents, order: NDArray[np.int32], connection: duckdb.DuckDBPyConnection
) -> None:
    """Make ``miro_description``."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE miro_description (dimension VARCHAR, region VARCHAR,"
        " element VARCHAR, description VARCHAR, place BIGINT)"
    )
    for symbol, dimension in (("dd_prc_desc", "Process"), ("dd_com_desc", "Commodity")):
        keys = contents.keys.get(symbol)
        texts = contents.texts.get(symbol)
        if keys is None or texts is None or keys.shape[1] != 3:
            continue
        loaded = order[keys[:, 0]]
        rows = np.flatnonzero(loaded > 0)
        rows = rows[np.argsort(loaded[rows], kind="stable")]
        columns = {
            "region": contents.column(keys[rows, 1]),
            "element": contents.column(keys[rows, 2]),
            "description": pa.array([texts[row] for row in rows], pa.string()),
            "place": pa.array(np.arange(len(rows))),
        }
        connection.register("miro_columns", pa.table(columns))
        connection.execute(
            "INSERT INTO miro_description SELECT ?, region, element,"
            " nullif(trim(description), ''), place FROM miro_columns",
            [dimension],
        )
        connection.unregister("miro_columns")
