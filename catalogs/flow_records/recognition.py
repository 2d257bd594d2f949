"""Which of the files given hold flow records, locations and lines: by their columns' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catalogs.errors import TimesError, UnreadableFileError
from catalogs.flow_records.columns import FLOW_COLUMNS, LINE_COLUMNS, LOCATION_COLUMNS, match
from catalogs.readers.base import Format
from catalogs.readers.delimited import TableHead, read_head
from catalogs.readers.text_files import first_bytes
from catalogs.readers.timesreport_file import MAGIC as DUCKDB_MAGIC

_PARQUET_MAGIC = b"PAR1"
_GEOJSON_SUFFIXES = (".geojson", ".json")
_TEXT_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
#: What an export of this program lays beside its Parquet files.
_CANONICAL_MANIFEST = "manifest.json"

EXPECTED = (
    "columns such as time, origin, destination, commodity and value, or time, line and value;"
    " and a table of locations with id, longitude and latitude, or GeoJSON with ids"
)


FLOW_FORMAT = Format(
    "Flow records",
    ".parquet",
    "hourly flows between places or on lines, as Parquet, CSV or DuckDB, with a table of locations"
    " (GeoJSON and GeoParquet too)",
)


@dataclass(frozen=True)
class TableFile:
    """A table in a file: ``kind`` is parquet, text, duckdb or features (GeoJSON, GeoParquet).

    ``table`` is its name in DuckDB.
    """

    path: Path
    kind: str
    columns: tuple[str, ...]
    table: str = ""
    schema: str = ""
    head: TableHead | None = None

    @property
    def shown(self) -> str:
        """What to call it to a person."""
        return f"{self.path.name}, table {self.table}" if self.table else self.path.name


@dataclass(frozen=True)
class FlowFiles:
    """The tables that make up a dataset of flow records."""

    records: tuple[TableFile, ...]
    locations: tuple[TableFile, ...]
    lines: tuple[TableFile, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, each once."""
        tables = (*self.records, *self.locations, *self.lines)
        return tuple(dict.fromkeys(table.path for table in tables))


def pick(paths: Sequence[Path]) -> tuple[FlowFiles | None, list[Path]]:
    """Part the files of a dataset of flow records from others; None where there are none.

    A table of locations alone makes no such dataset: it may belong to something else. Raises
    ``UnreadableFileError`` for a damaged file among those of such a dataset.
    """
    records: list[TableFile] = []
    locations: list[TableFile] = []
    lines: list[TableFile] = []
    damaged: list[UnreadableFileError] = []
    for path in paths:
        for table in _tables_in(path, damaged):
            if is_records(table.columns):
                records.append(table)
            elif is_lines(table.columns):
                lines.append(table)
            elif is_locations(table.columns):
                locations.append(table)
    if not records and not lines:
        return None, list(paths)
    if damaged:
        raise damaged[0]
    found = FlowFiles(tuple(records), tuple(locations), tuple(lines))
    return found, [path for path in paths if path not in found.paths]


def is_records(columns: Sequence[str]) -> bool:
    """Whether a table with these columns holds flow records."""
    found = match(columns, FLOW_COLUMNS)
    ends = "origin" in found and "destination" in found
    is_dated = bool({"time", "year", "timeslice"} & found.keys())
    return "value" in found and (ends or ("line" in found and is_dated)) and not is_lines(columns)


def is_lines(columns: Sequence[str]) -> bool:
    """Whether a table with these columns holds lines of a network."""
    found = match(columns, LINE_COLUMNS)
    has_ends = "origin" in found and "destination" in found
    is_dated = bool({"time", "year", "timeslice"} & match(columns, FLOW_COLUMNS).keys())
    is_drawn = "geometry" in found or ("capacity" in found and not _has_value(columns))
    return has_ends and "line" in found and is_drawn and not is_dated


def _has_value(columns: Sequence[str]) -> bool:
    return "value" in match(columns, FLOW_COLUMNS)


def is_locations(columns: Sequence[str]) -> bool:
    """Whether a table with these columns holds locations."""
    found = match(columns, LOCATION_COLUMNS).keys()
    return "id" in found and ({"longitude", "latitude"} <= found or "geometry" in found)


def _tables_in(path: Path, damaged: list[UnreadableFileError]) -> list[TableFile]:
    beginning = first_bytes(path, 16)
    if beginning.startswith(_PARQUET_MAGIC):
        return _parquet(path)
    if beginning[8:].startswith(DUCKDB_MAGIC):
        return _duckdb(path)
    if path.name.lower().endswith(_TEXT_SUFFIXES):
        try:
            head = read_head(path)
        except UnreadableFileError:
            return []  # whoever reads it will say so
        return [TableFile(path, "text", head.names, head=head)] if head else []
    if path.suffix.lower() in _GEOJSON_SUFFIXES and _is_geojson(path):
        try:
            return [_features(path)]
        except UnreadableFileError as error:
            damaged.append(error)  # of no matter where there are no flow records
    return []


def _is_geojson(path: Path) -> bool:
    from catalogs.flowmaps.features import is_geojson  # loads shapely

    return is_geojson(path)


def _features(path: Path) -> TableFile:
    from catalogs.flowmaps.features import GEOMETRY, read_features

    return TableFile(path, "features", (*read_features(path).properties, GEOMETRY))


def _parquet(path: Path) -> list[TableFile]:
    if (path.parent / _CANONICAL_MANIFEST).exists():
        return []
    with duckdb.connect() as connection:
        try:
            found = connection.execute(
                "SELECT column_name FROM (DESCRIBE FROM read_parquet($path))", {"path": str(path)}
            ).fetchall()
        except duckdb.Error as error:
            raise UnreadableFileError(
                path.name, "the Parquet file is cut off or damaged", details=str(error)
            ) from error
    columns = tuple(name for (name,) in found)
    # Records may be far too many to be read as features; their geometry is not asked for.
    if not is_records(columns) and _is_geoparquet(path):
        return [_features(path)]
    return [TableFile(path, "parquet", columns)]


def _is_geoparquet(path: Path) -> bool:
    import pyarrow.parquet as pq

    return b"geo" in (pq.read_schema(path).metadata or {})


def _duckdb(path: Path) -> list[TableFile]:
    with duckdb.connect() as connection:
        try:
            attach(connection, path, "looked_into")
        except TimesError:
            return []  # the readers of such files say what is wrong with it
        found = connection.execute(
            # Tables only: a view of somebody else's may read whatever it likes.
            "SELECT c.schema_name, c.table_name, list(column_name ORDER BY column_index)"
            " FROM duckdb_columns() AS c JOIN duckdb_tables() AS t USING (database_oid, table_oid)"
            " WHERE c.database_name = 'looked_into' AND NOT c.internal"
            " GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    return [
        TableFile(path, "duckdb", tuple(columns), table=table, schema=schema)
        for schema, table, columns in found
    ]


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Open a DuckDB file for reading under a name. Raises ``UnreadableFileError``."""
    where = str(path).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{where}' AS {name} (READ_ONLY)")
    except duckdb.Error as error:
        raise UnreadableFileError(
            path.name, "the DuckDB file cannot be opened", details=str(error)
        ) from error
