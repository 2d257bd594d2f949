"""Write a scenario as VEDA text files: ``.vd`` results, ``.vde``, ``.vds`` and ``.vdt``.

The layout is that of TIMES's own GDX2VEDA utility: ``*`` lines that describe the rows, then
quoted dimensions and an unquoted value. Files are UTF-8, and every number is written with as many
digits as it takes to read the same number back. Each file appears under its name only when it is
complete.

The small files hold what VEDA has a place for. Units, periods, timeslices and COM_AGG have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.csv

from catalogs.tables import NO_VALUE

#: VEDA's dimensions and the columns that hold them, in the order of a ``.vd``.
_DIMENSIONS = {
    "Attribute": "attribute",
    "Sow": "sow",
    "Commodity": "commodity",
    "Process": "process",
    "Period": "year",
    "Region": "region",
    "Vintage": "vintage",
    "TimeSlice": "timeslice",
    "UserConstraint": "user_constraint",
}

_VALUE = "PV"

#: What GDX2VEDA states as the version of its layout.
_LAYOUT = "2005-10-07"

#: Without line breaks: VEDA's small files have one row per line.
_ONE_LINE = "regexp_replace({}, '[\\r\\n]+', ' ', 'g')"


def write_vd(
    rows: duckdb.DuckDBPyConnection | duckdb.DuckDBPyRelation, path: Path, *, scenario: str
) -> int:
    """Write result rows as a ``.vd``; return how many were written.

    Parameters
    ----------
    rows
        A relation with the columns of ``raw_result`` or ``result`` for one scenario (a ``row``
        column gives the order), or a connection, of which the table ``result`` is written. A year
        or text that is NULL becomes ``-``; a value that is NULL becomes an empty cell.
    path
        The file to write. One of that name is replaced.
    scenario
        The name by which VEDA shows the scenario.

    A column ``Sow`` is written only for a stochastic run: if any row has a state of the world.
    """
    relation = rows if isinstance(rows, duckdb.DuckDBPyRelation) else rows.table("result")
    columns = relation.columns
    dimensions = dict(_DIMENSIONS)
    if "sow" not in columns or not relation.filter(f"sow <> '{NO_VALUE}'").limit(1).fetchall():
        del dimensions["Sow"]
    if "row" in columns:
        relation = relation.order('"row"')
    cells = [f"coalesce({c}::VARCHAR, '{NO_VALUE}') AS {c}" for c in dimensions.values()]
    chosen = relation.project(", ".join([*cells, "value::DOUBLE AS value"]))
    with _whole_file(path) as file:
        file.write(_header(scenario, list(dimensions)).encode())
        return _write_rows(chosen, file)


def write_vde(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write descriptions (dimension, region, element, text) as a ``.vde``; return the rows.

    Processes and commodities without a description are listed under their own name.
    """
    return _write_table(
        connection,
        path,
        """
        WITH listed AS (
            SELECT dimension, region, element, description FROM element
            UNION ALL
            SELECT 'Commodity', region, commodity, description FROM commodity
            UNION ALL
            SELECT 'Process', region, process, description FROM process
        )
        SELECT dimension, coalesce(region, '-'), element,
            coalesce(first(description) FILTER (description IS NOT NULL), element)
        FROM listed GROUP BY dimension, region, element ORDER BY ALL
        """,
    )


def write_vds(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write sets (dimension, region, set, item) as a ``.vds``; return the rows."""
    return _write_table(
        connection,
        path,
        """
        SELECT 'Commodity', region, set_name, commodity FROM commodity_set
        UNION SELECT 'Process', region, set_name, process FROM process_set
        ORDER BY ALL
        """,
    )


def write_vdt(connection: duckdb.DuckDBPyConnection, path: Path, *, scenario: str) -> int:
    """Write the topology (region, process, commodity, IN or OUT) as a ``.vdt``; return the rows.

    A trade link becomes two rows, as TIMES writes it: IN where it starts and OUT where it ends,
    the world market and resources (IMPEXP, MINRNW) included.
    """
    name = _one_line(scenario)
    return _write_table(
        connection,
        path,
        """
        SELECT region, process, commodity, direction FROM topology
        UNION SELECT region_from, process, commodity_from, 'IN' FROM trade_link
        UNION SELECT region_to, process, commodity_to, 'OUT' FROM trade_link
        ORDER BY ALL
        """,
        preamble=f"*VFEPATH=\nScenDesc={name}\nScenEDesc={name}\n",
    )


def write_veda(
    connection: duckdb.DuckDBPyConnection, folder: Path, *, stem: str, scenario: str
) -> list[Path]:
    """Write the four files of a scenario, ``stem`` with each suffix, from its canonical tables."""
    paths = [folder / f"{stem}.{suffix}" for suffix in ("vd", "vde", "vds", "vdt")]
    write_vd(connection, paths[0], scenario=scenario)
    write_vde(connection, paths[1])
    write_vds(connection, paths[2])
    write_vdt(connection, paths[3], scenario=scenario)
    return paths


def _header(scenario: str, dimensions: list[str]) -> str:
    """Return the ``*`` lines, each key up against its hyphen, and the blank line after them."""
    sizes = [f"{name}:31" for name in dimensions]
    entries = {
        "GDX2VEDAversion": _LAYOUT,
        "ImportID": f"Scenario:{_one_line(scenario)}",
        "VEDAFlavor": "TIMES",
        "Dimensions": ";".join([*dimensions, _VALUE]),
        "ParentDimensions": "Commodity: Region; Process: Region; UserConstraint: Region",
        "SetsAllowed": "Commodity;Process;UserConstraint",
        "FieldSize": ";".join([*sizes, f"{_VALUE}:20"]),
        "NotIndexed": _VALUE,
        "ValueDim": _VALUE,
        "DefaultValueDim": _VALUE,
        "FieldSeparator": ",",
        "TextDelim": '"',
    }
    lines = [f"*{key:>17}- {value}\n" for key, value in entries.items()]
    return "".join([*lines, "\n"])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _write_table(
    connection: duckdb.DuckDBPyConnection, path: Path, query: str, *, preamble: str = ""
) -> int:
    """Write a query's rows, all text, after ``preamble``; return how many."""
    relation = connection.sql(query)
    cells = [f'{_ONE_LINE.format(f"coalesce(#{n}, {NO_VALUE!r})")} AS "{n}"' for n in range(1, 5)]
    with _whole_file(path) as file:
        file.write(preamble.encode())
        return _write_rows(relation.project(", ".join(cells)), file)


def _write_rows(relation: duckdb.DuckDBPyRelation, file: BinaryIO) -> int:
    """Append a relation's rows as text, batch by batch: text quoted, numbers not."""
    reader = relation.to_arrow_reader(100_000)
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    rows = 0
    with pa.csv.CSVWriter(file, reader.schema, write_options=options) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` for writing, and give it that name if nothing goes wrong."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
