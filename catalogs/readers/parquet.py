"""Canonical Parquet: the tables that this program exports; see ``catalogs/canonical.py``.

Tables that follow from others are not read but worked out again, by the rules of today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalogs import codes
from catalogs.canonical import MANIFEST
from catalogs.errors import UnreadableFileError
from catalogs.readers.base import (
    RAW_RESULT_COLUMNS,
    UNIT_COLUMNS,
    Format,
    Progress,
    ScenarioFiles,
    ScenarioHeader,
    create_raw_result,
    no_progress,
    report,
)
from catalogs.readers.canonical_files import (
    Canonical,
    CanonicalScenario,
    TableFile,
    find,
    tables_on_disk,
)
from catalogs.tables import DERIVED_TABLES, NO_VALUE, TABLES, Table

_PARQUET_MAGIC = b"PAR1"
_BATCH_ROWS = 131_072

#: Rows that a byte of Parquet can rightly hold; beyond, a small file would fill the disk.
_ROWS_PER_BYTE = 100
_FEW_ROWS = 100_000

#: What a column may hold in Parquet, by its type in DuckDB.
_ARROW_TYPES = {
    "VARCHAR": ("string", "large_string", "string_view"),
    "UINTEGER": ("uint32",),
    "SMALLINT": ("int16",),
    "INTEGER": ("int32",),
    "BIGINT": ("int64",),
    "DOUBLE": ("double",),
    "BOOLEAN": ("bool",),
}

#: Tables that are filled as they are, beside ``result`` and what counts its rows.
_AS_THEY_ARE = tuple(
    name for name in TABLES if name not in DERIVED_TABLES and name not in ("result", "result_extra")
)


class ParquetReader:
    """Reads folders and zips of canonical tables, known by their manifest."""

    name = "parquet"
    format = Format(
        "Canonical Parquet",
        ".zip",
        "what this program exported as Parquet: a folder with its manifest.json, or a zip of it",
    )

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Claim manifests, zips with one, and Parquet files below them; see ``Reader.gather``."""
        scenarios: list[ScenarioFiles] = []
        roots: list[Path] = []
        tables: list[Path] = []
        others: list[Path] = []
        for path in paths:
            if path.suffix.lower() == ".miroscen":
                others.append(path)
            elif found := find(path):
                roots += [] if found.is_zip else [found.root.resolve()]
                scenarios += [self._files(found, s) for s in found.scenarios.values()]
            elif _is_parquet(path):
                tables.append(path)
            else:
                others.append(path)
        for path in tables:
            if not any(path.resolve().is_relative_to(root) for root in roots):
                raise UnreadableFileError(
                    path.name,
                    f"it is Parquet, but the {MANIFEST} that says what is in it is not among the"
                    " files",
                    f"the folder that was exported, or its {MANIFEST}",
                )
        return scenarios, others

    def _files(self, found: Canonical, scenario: CanonicalScenario) -> ScenarioFiles:
        beside: list[Path] = []
        if not found.is_zip:
            beside = [found.root / table.path for table in scenario.tables.values()]
        there = tuple(path for path in beside if path.is_file())
        return ScenarioFiles(self.name, found.path, there, part=(scenario.key,))

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Fill the canonical tables and ``raw_result``; see ``Reader.read``.

        ``restore`` then gives rows the numbers that they had.
        """
        found = find(files.main)
        if found is None or files.part[0] not in found.scenarios:
            raise UnreadableFileError(files.main.name, "the file has changed while it was read")
        scenario = found.scenarios[files.part[0]]
        _check_tables(found, scenario)
        with tables_on_disk(found, scenario) as paths:
            progress(0.05, "reading tables")
            for name in _AS_THEY_ARE:
                with _rows(found, scenario, name, paths[name]) as rows:
                    _insert(rows, connection, f"INSERT INTO {name} BY NAME FROM read_rows")
            connection.execute(
                "CREATE TEMP TABLE report_before AS SELECT count(*) AS lines FROM import_report"
            )
            progress(0.1, "reading results")
            count = _read_results(found, scenario, paths, connection)
        if scenario.part:
            message = f"the export holds only a part of the scenario's results: {scenario.part}"
            report(connection, "warning", "selection", message, file=found.path.name)
        return ScenarioHeader(
            scenario=scenario.scenario,
            model=scenario.model,
            description=scenario.description,
            source_format=_format(scenario.source_format),
            rows_read=count,
        )


def restore(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo what importing rows a second time does to them, once all is derived.

    Rows get back the numbers they had in the file that was first imported. Of lines that say the
    same in the import report, the one of this import stays. Nothing happens for other formats.
    """
    temporary = connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary")
    tables = {name for (name,) in temporary.fetchall()}
    if "row_before" in tables:
        for table in (codes.coded("result"), "result_extra"):
            connection.execute(
                f"UPDATE {table} SET row = b.row FROM row_before AS b WHERE {table}.row = b.number"
            )
        connection.execute("DROP TABLE row_before")
    if "report_before" in tables:
        connection.execute(
            "DELETE FROM import_report WHERE rowid < (SELECT lines FROM report_before)"
            " AND (severity, topic, message) IN (SELECT (severity, topic, message)"
            " FROM import_report WHERE rowid >= (SELECT lines FROM report_before))"
        )
        connection.execute("DROP TABLE report_before")


def _format(source_format: str) -> str:
    return source_format if source_format.startswith("Parquet") else f"Parquet ({source_format})"


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC


# ---------------------------------------------------------------------------- one table


def _check_tables(found: Canonical, scenario: CanonicalScenario) -> None:
    """Refuse tables that are missing, and such as this program does not know."""
    needed = TABLES.keys() - DERIVED_TABLES
    for problem, names in (
        ("it has no table", needed - scenario.tables.keys()),
        ("it has the unknown table", scenario.tables.keys() - TABLES.keys()),
    ):
        if names:
            raise UnreadableFileError(
                found.path.name,
                f"{problem} {sorted(names)[0]!r} of the scenario {scenario.key!r}",
                f"the tables {', '.join(name for name in TABLES if name in needed)}",
            )


@contextmanager
def _rows(
    found: Canonical,
    scenario: CanonicalScenario,
    name: str,
    path: Path,
    columns: Sequence[str] = (),
) -> Iterator[pa.RecordBatchReader]:
    """Give the rows of a table, checked against the manifest and the table's columns."""
    file = scenario.tables[name]
    shown = found.name_of(file)
    wanted = list(columns or TABLES[name].columns)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as opened:
            _check_columns(shown, TABLES[name], opened.schema_arrow)
            _check_rows(shown, file, opened.metadata.num_rows, path.stat().st_size)
            schema = pa.schema([opened.schema_arrow.field(column) for column in wanted])
            batches = opened.iter_batches(_BATCH_ROWS, columns=wanted)
            yield pa.RecordBatchReader.from_batches(
                schema, (batch.select(wanted) for batch in batches)
            )
    except (pa.ArrowException, OSError, duckdb.Error) as error:
        raise UnreadableFileError(
            shown,
            "the Parquet file is cut off or damaged",
            "the file that was exported",
            details=str(error),
        ) from error


def _check_columns(shown: str, table: Table, schema: pa.Schema) -> None:
    expected = "the columns " + ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
    for problem, names in (
        ("the column {} is missing", table.columns.keys() - set(schema.names)),
        ("the column {} is not known", set(schema.names) - table.columns.keys()),
        ("there are two columns {}", {n for n in schema.names if schema.names.count(n) > 1}),
    ):
        if names:
            raise UnreadableFileError(shown, problem.format(repr(sorted(names)[0])), expected)
    for name, kind in table.columns.items():
        found, possible = str(schema.field(name).type), _ARROW_TYPES[kind]
        if found not in possible:
            raise UnreadableFileError(
                shown, f"the column {name!r} has the type {found}", f"{kind} ({possible[0]})"
            )


def _check_rows(shown: str, file: TableFile, rows: int, size: int) -> None:
    if rows != file.rows:
        raise UnreadableFileError(
            shown, f"it has {rows:,} rows", f"{file.rows:,} rows, as the manifest says"
        )
    if rows > _FEW_ROWS + _ROWS_PER_BYTE * size:
        raise UnreadableFileError(
            shown,
            f"it would unpack from {size:,} bytes to {rows:,} rows",
            f"at most {_ROWS_PER_BYTE} rows a byte, as no real export has more",
        )


def _insert(rows: pa.RecordBatchReader, connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Run an INSERT that reads the table ``read_rows``."""
    connection.register("read_rows", rows)
    try:
        connection.execute(sql)
    finally:
        connection.unregister("read_rows")


# ---------------------------------------------------------------------------- result rows


def _read_results(
    found: Canonical,
    scenario: CanonicalScenario,
    paths: Mapping[str, Path],
    connection: duckdb.DuckDBPyConnection,
) -> int:
    """Fill ``raw_result`` and ``result_extra``; return the number of result rows.

    Rows come in the order of their numbers. Those have gaps where duplicates were merged or only a
    part was exported: ``row_before`` keeps them for ``restore``.
    """
    with _rows(found, scenario, "result", paths["result"], ["row"]) as rows:
        _insert(
            rows,
            connection,
            "CREATE TEMP TABLE row_before AS SELECT row,"
            " (row_number() OVER (ORDER BY row) - 1)::UINTEGER AS number FROM read_rows",
        )
    [(count, numbered)] = connection.execute(
        "SELECT count(*), count(DISTINCT row) FROM row_before"
    ).fetchall()
    if count != numbered:
        raise UnreadableFileError(
            found.name_of(scenario.tables["result"]),
            "two rows have the same number, or one has none",
            "a number of its own in the column 'row' for each",
        )
    create_raw_result(connection, with_units=True)
    cells = [f"coalesce({name}::VARCHAR, '{NO_VALUE}')" for name in RAW_RESULT_COLUMNS]
    with _rows(found, scenario, "result", paths["result"]) as rows:
        _insert(
            rows,
            connection,
            f"INSERT INTO raw_result SELECT {', '.join([*cells, *UNIT_COLUMNS])}, value"
            " FROM read_rows ORDER BY row",
        )
    with _rows(found, scenario, "result_extra", paths["result_extra"]) as rows:
        _insert(
            rows,
            connection,
            "INSERT INTO result_extra SELECT number, name, value"
            " FROM read_rows LEFT JOIN row_before USING (row)",
        )
    if connection.execute("SELECT 1 FROM result_extra WHERE row IS NULL").fetchone():
        raise UnreadableFileError(
            found.name_of(scenario.tables["result_extra"]),
            "it has rows that belong to no result row",
            "numbers that are in the column 'row' of the results",
        )
    connection.execute("DELETE FROM row_before WHERE number = row")
    return int(count)
