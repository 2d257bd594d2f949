"""Write a scenario as VEDA text files: ``.vd`` results, ``.vde``, ``.vds`` and ``.vdt``.

The layout is that of TIMES's own GDX2VEDA utility: ``*`` lines that describe the rows, then
quoted dimensions and an unquoted value. Files are UTF-8, and every number is written with as many
digits as it takes to read the same number back. Each file appears under its name only when it is
complete.

The small files hold what VEDA has a place for. Units, periods, timeslices and COM_AGG have none.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.csv

from catalogs.errors import TimesError
from catalogs.source import Source
from catalogs.tables import NO_VALUE
from catalogs.writers.base import Content, Writer, Written, whole_file
from catalogs.writers.selection import Results, chosen_scenarios, filtered, is_one_of, result_rows

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

#: What a period that is no year is called in ``result_extra``.
_PERIOD = "Period"

#: What the name of a file is better without.
_UNSAFE = re.compile(r"[^\w .()+-]+")

#: Without line breaks: VEDA's small files have one row per line.
_ONE_LINE = "regexp_replace({}, '[\\r\\n]+', ' ', 'g')"


def write_vd(
    rows: duckdb.DuckDBPyConnection | duckdb.DuckDBPyRelation,
    path: Path | BinaryIO,
    *,
    scenario: str,
) -> int:
    """Write result rows as a ``.vd``; return how many were written.

    Parameters
    ----------
    rows
        A relation with the columns of ``raw_result`` or ``result`` for one scenario (a ``row``
        column gives the order), or a connection, of which the table ``result`` is written. A year
        or text that is NULL becomes ``-``; a value that is NULL becomes an empty cell.
    path
        The file to write (one of that name is replaced), or a binary stream.
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
    with whole_file(path) if isinstance(path, Path) else nullcontext(path) as file:
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
    with whole_file(path) as file:
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


# ---------------------------------------------------------------------------- exports


def write_results(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write the chosen result rows of one scenario as a ``.vd``.

    Raises ``TimesError`` when the selection has several scenarios.
    """
    assert isinstance(content, Results), "a .vd holds results"
    scenarios = chosen_scenarios(source, content)
    if len(scenarios) > 1:
        raise TimesError(
            f"A .vd holds one scenario, and {len(scenarios)} are chosen.",
            "Choose one of them, or export to a folder: each scenario gets its own files there.",
        )
    result_rows(source, content)
    rows, left_out = _rows_of(source, scenarios[0].key, content)
    return Written(write_vd(rows, stream, scenario=scenarios[0].scenario), left_out=left_out)


def write_sets(source: Source, content: Content, folder: Path) -> Written:
    """Write the four VEDA files of each chosen scenario into a folder.

    Descriptions, sets and topology are whole, whichever rows are chosen.
    """
    assert isinstance(content, Results), "VEDA files hold results"
    result_rows(source, content)
    files: list[str] = []
    left_out: list[str] = []
    rows = 0
    for scenario in chosen_scenarios(source, content):
        stem = _stem(scenario.key, {Path(name).stem.lower() for name in files})
        paths = [folder / f"{stem}.{suffix}" for suffix in ("vd", "vde", "vds", "vdt")]
        chosen, beyond = _rows_of(source, scenario.key, content)
        left_out += beyond
        rows += write_vd(chosen, paths[0], scenario=scenario.scenario)
        with source.tables_of(scenario.key) as connection:
            write_vde(connection, paths[1])
            write_vds(connection, paths[2])
            write_vdt(connection, paths[3], scenario=scenario.scenario)
        files += [path.name for path in paths]
    return Written(rows, tuple(files), tuple(left_out))


def _rows_of(
    source: Source, key: str, content: Results
) -> tuple[duckdb.DuckDBPyRelation, tuple[str, ...]]:
    """Return the chosen rows of a scenario, and what they have that a ``.vd`` has no place for.

    A period that is no year (it stands in ``result_extra``) is written as it was read.
    """
    results, extra = source.tables("result", "result_extra")
    rows = filtered(results, [key], content)
    extra = extra.filter(is_one_of("scenario", [key])).join(rows.project("row"), "row", "semi")
    counts = dict(extra.aggregate("name, count(*)", "name").order("name").fetchall())
    if counts.pop(_PERIOD, 0):
        periods = extra.filter(f"name = '{_PERIOD}'").project("row AS of_row, value AS period")
        rows = rows.join(periods, "row = of_row", how="left").project(
            "* EXCLUDE (of_row, period) REPLACE (coalesce(period, year::VARCHAR) AS year)"
        )
    return rows, tuple(f"{name} of rows of {key} ({count:,})" for name, count in counts.items())


def _stem(key: str, taken: set[str]) -> str:
    """Return a file name for a scenario that no other has (without case)."""
    stem = whole = _UNSAFE.sub("_", key)[:100].strip(". ") or "scenario"
    number = 2
    while stem.lower() in taken:
        stem, number = f"{whole}_{number}", number + 1
    return stem


WRITERS = (Writer("vd", "VEDA .vd", ".vd", "text/plain", (Results,), write_results, write_sets),)
