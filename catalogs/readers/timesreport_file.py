"""Opening the DuckDB files that hold a ``timesreport`` table, and copying rows out of them.

The file is somebody else's and may be in use: it is opened for reading only, by a connection of
its own that may touch no other file, and its rows pass to the import as Arrow batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers.text_files import first_bytes

#: Stands at byte 8 of every DuckDB file.
MAGIC = b"DUCK"
#: The table of results, by what newer and older files call it.
TABLES = ("timesreport", "timesreport_facts")

_EXPECTED = "a DuckDB file with a table timesreport (or timesreport_facts)"
_BATCH = 100_000

#: What a column may be called, by our name for it; '' stands for "there may be none".
_NAMES: Mapping[str, tuple[str, ...]] = {
    "model": ("timesmodel", "model", ""),
    "scen": ("scen", "scenario"),
    "sow": ("sow", ""),
    "sector": ("sector", ""),
    "subsector": ("subsector", ""),
    "service": ("service", ""),
    "techgroup": ("techgroup", ""),
    "comgroup": ("comgroup", ""),
    "topic": ("topic", ""),
    "attr": ("attr",),
    "prc": ("prc",),
    "com": ("com",),
    "all_ts": ("all_ts", ""),
    "reg": ("reg", ""),
    "regfrom": ("regfrom", "reg"),
    "regto": ("regto", "reg", "regfrom"),
    "year": ("year",),
    "vntg": ("vntg", ""),
    "unit": ("unit", ""),
    "cur": ("cur", ""),
}
COLUMNS = tuple(_NAMES)

#: Tables beside the results that are read: their columns (``a|b``: either name; ``?``: optional).
_BESIDE: Mapping[str, tuple[str, ...]] = {
    **{
        f"{name}_desc": ("id", "description", "scen?")
        for name in (
            *("prc", "com", "attr", "topic"),
            *("sector", "subsector", "service", "techgroup", "comgroup"),
        )
    },
    "scen_desc": ("scen", "description"),
    "source_files": ("filename",),
    "all_ts_data": ("timesmodel|model?", "scen?", "all_reg|reg", "all_ts", "value"),
}


@dataclass(frozen=True)
class FileTables:
    """The rows of the small tables beside the results, by name, and the names of all tables."""

    rows: Mapping[str, list[tuple[object, ...]]]
    names: tuple[str, ...]


@dataclass(frozen=True)
class ReportTable:
    """The table of results in an open file: its name, and SQL for each of ``COLUMNS``.

    ``others`` are its columns that have no meaning here; ``value`` is SQL for the value.
    """

    name: str
    cells: Mapping[str, str]
    value: str
    others: tuple[str, ...]


def begins_as_duckdb(path: Path) -> bool:
    """Whether the first bytes are those of a DuckDB file."""
    return first_bytes(path)[8:12] == MAGIC


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file for reading only, without access to any other file.

    Raises ``UnreadableFileError``, also for what goes wrong while it is being read: damage in the
    middle of a file is only found there.
    """
    try:
        with duckdb.connect(
            str(path),
            read_only=True,
            config={
                "enable_external_access": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "lock_configuration": True,
                "memory_limit": "500MB",
                "threads": 2,
            },
        ) as connection:
            yield connection
    except duckdb.Error as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, text: str) -> UnreadableFileError:
    lower = text.lower()
    expected = _EXPECTED
    if "could not set lock" in lower or "different configuration" in lower:
        problem = "another program has the file open for writing"
        expected = "a file that nothing writes to; close it there, or import a copy"
    elif "version number" in lower or "newer version" in lower:
        problem = "it was written by a version of DuckDB that this one cannot read"
        expected = f"a file that DuckDB {duckdb.__version__} can read"
    elif "permission" in lower and "external" not in lower and "file system" not in lower:
        problem = "it cannot be opened"
    else:
        problem = "the DuckDB file cannot be read; it is cut off or damaged"
    return UnreadableFileError(path.name, problem, expected, details=text[:2000])


def find_table(path: Path, source: duckdb.DuckDBPyConnection) -> ReportTable:
    """Return the table of results of an open file.

    Raises ``UnreadableFileError`` where there is none, or it lacks a column.
    """
    tables = table_names(source)
    named = {name.lower(): name for name in tables}
    table = next((named[name] for name in TABLES if name in named), None)
    if table is None:
        inside = f"it holds {', '.join(tables[:8])}" if tables else "it holds no tables"
        raise UnreadableFileError(path.name, f"there is no table timesreport; {inside}", _EXPECTED)
    columns = {
        str(name).lower(): str(name)
        for name, *_ in source.execute(f"DESCRIBE {quoted(table)}").fetchall()
    }
    cells = {}
    for name, candidates in _NAMES.items():
        found = next((c for c in candidates if c in columns or not c), None)
        if found is None:
            raise UnreadableFileError(
                path.name,
                f"the table {table} has no column {candidates[0]!r}; it has"
                f" {', '.join(columns.values())}",
                "the columns attr, prc, com, scen, regfrom, regto, year and value",
            )
        cells[name] = _cell(name, columns[found]) if found else "'-'"
    if "value" not in columns:
        raise UnreadableFileError(path.name, f"the table {table} has no column 'value'", _EXPECTED)
    known = {candidate for candidates in _NAMES.values() for candidate in candidates}
    others = tuple(columns[c] for c in columns if c not in {*known, "value", "file_id"})
    return ReportTable(table, cells, quoted(columns["value"]), others)


def _cell(name: str, column: str) -> str:
    """Return SQL for a cell as text; ``NA``, ``-``, ``NONE``, empty and NULL are ``'-'``."""
    text = f"trim({quoted(column)}::VARCHAR)"
    cell = f"if({text} IS NULL OR upper({text}) IN ('NA', '-', 'NONE', '', 'NAN'), '-', {text})"
    if name == "all_ts":
        return f"if(upper({text}) = 'ANNUAL', 'ANNUAL', {cell})"
    if name == "year":  # a file made with pandas may have 2030.0
        return f"regexp_replace({cell}, '\\.0+$', '')"
    return f"lower({cell})" if name in ("attr", "topic") else cell


def table_names(source: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables and views of an open file."""
    rows = source.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1"
    ).fetchall()
    return [str(name) for (name,) in rows]


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def copy_query(
    sql: str,
    parameters: Sequence[object],
    source: duckdb.DuckDBPyConnection,
    table: str,
    target: duckdb.DuckDBPyConnection,
) -> None:
    """Make the temporary table ``table`` in ``target`` out of a query's rows in ``source``."""
    batches = source.sql(sql, params=list(parameters)).to_arrow_reader(_BATCH)
    target.register("copied_rows", batches)
    try:
        target.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM copied_rows")
    finally:
        target.unregister("copied_rows")


def read_beside(source: duckdb.DuckDBPyConnection) -> FileTables:
    """Read the tables beside the results; one that is missing or lacks a column has no rows."""
    rows = {name: _optional_rows(name, columns, source) for name, columns in _BESIDE.items()}
    return FileTables(rows, tuple(table_names(source)))


def _optional_rows(
    name: str, columns: Sequence[str], source: duckdb.DuckDBPyConnection
) -> list[tuple[object, ...]]:
    present = {
        str(column).lower(): str(column)
        for (column,) in source.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'main'"
            " AND lower(table_name) = ?",
            [name],
        ).fetchall()
    }
    cells = []
    for column in columns:
        found = next((c for c in column.rstrip("?").split("|") if c in present), None)
        if found is None and not (column.endswith("?") and present):
            return []
        cells.append(quoted(present[found]) if found else "NULL")
    return source.execute(f"SELECT {', '.join(cells)} FROM {quoted(name)}").fetchall()
