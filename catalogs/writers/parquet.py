"""Parquet: all canonical tables of scenarios, lossless, or the one table of an answer.

``catalogs/canonical.py`` describes the canonical tables; ``readers/parquet.py`` reads them back,
and a scenario so imported has the same tables. A selection that holds only some result rows of a
scenario comes without the tables that follow from them (``DERIVED_TABLES``).
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from urllib.parse import quote

import duckdb
import pyarrow.parquet as pq

from catalogs.canonical import FORMAT, FORMAT_VERSION, MANIFEST
from catalogs.measures import measure
from catalogs.query import Query
from catalogs.source import Answer, Source
from catalogs.store import PublishedScenario
from catalogs.tables import DERIVED_TABLES, TABLES
from catalogs.writers.base import Content, Writer, Written
from catalogs.writers.selection import (
    BATCH_ROWS,
    Results,
    answer_table,
    chosen_scenarios,
    filtered,
    is_one_of,
    result_rows,
)

_PACKAGE = "times-energy-analytics"
_COMPRESSION = "zstd"
#: Rows in a row group: what a reader must have in memory at once.
_GROUP_ROWS = 2 * BATCH_ROWS
#: Bytes of a folder's name on common file systems are 255 at most.
_LONGEST_NAME = 200
#: What cutting a name short may leave of an escaped byte.
_CUT_ESCAPE = re.compile(r"%.?$")
#: The oldest time that a zip can give a file: the same content gives the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def write_canonical_zip(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write the canonical tables of the chosen scenarios as a zip; see the module."""
    with TemporaryDirectory(prefix="times-export-") as folder:
        written = write_canonical_folder(source, content, Path(folder))
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name in written.files:
                entry = zipfile.ZipInfo(name, _NO_TIME)
                entry.external_attr = 0o644 << 16
                with (
                    (Path(folder) / name).open("rb") as file,
                    archive.open(entry, "w", force_zip64=True) as packed,
                ):
                    while chunk := file.read(1 << 20):
                        packed.write(chunk)
    return written


def write_canonical_folder(source: Source, content: Content, folder: Path) -> Written:
    """Write the canonical tables of the chosen scenarios into an empty folder; see the module.

    Raises ``UnknownNameError`` and ``NotAvailableError`` as ``result_rows`` does.
    """
    assert isinstance(content, Results), "canonical tables hold results"
    result_rows(source, content)
    scenarios = chosen_scenarios(source, content)
    folders = folder_names([scenario.key for scenario in scenarios])
    entries = []
    files = [MANIFEST]
    rows = 0
    for scenario, name in zip(scenarios, folders, strict=True):
        tables: dict[str, dict[str, Any]] = {}
        (folder / name).mkdir()
        for table in TABLES:
            if content.is_part and table in DERIVED_TABLES:
                continue
            file = f"{name}/{table}.parquet"
            relation = _table(source, content, scenario.key, table)
            tables[table] = {"file": file, "rows": write_table(relation, folder / file)}
            files.append(file)
        rows += tables["result"]["rows"]
        entries.append({**_provenance(scenario), "tables": tables})
    manifest = manifest_of(source, content, entries)
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
    return Written(rows, tuple(files))


def _table(source: Source, selection: Results, key: str, table: str) -> duckdb.DuckDBPyRelation:
    """Return the rows of a canonical table of one scenario that belong to a selection."""
    columns = ", ".join(f'"{name}"' for name in TABLES[table].columns)
    rows, results = source.tables(table, "result")
    rows = rows.filter(is_one_of("scenario", [key]))
    if table in ("result", "result_extra") and selection.is_part:
        chosen = filtered(results, [key], selection)
        rows = chosen if table == "result" else rows.join(chosen.project("row"), "row", "semi")
    return rows.project(columns)


def write_table(rows: duckdb.DuckDBPyRelation, path: Path) -> int:
    """Write a relation as one Parquet file, batch by batch; return the number of rows."""
    reader = rows.to_arrow_reader(_GROUP_ROWS)
    count = 0
    with pq.ParquetWriter(path, reader.schema, compression=_COMPRESSION) as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def manifest_of(source: Source, selection: Results, scenarios: Iterable[dict[str, Any]]) -> str:
    """Return the text of ``manifest.json``."""
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "written_by": f"{_PACKAGE} {_version()}",
        "dataset": source.dataset,
        "data_version": source.version,
        "selection": {
            "regions": list(selection.regions),
            "years": list(selection.years),
            "attributes": list(selection.attributes),
        },
        "scenarios": list(scenarios),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _provenance(scenario: PublishedScenario) -> dict[str, Any]:
    """Return what the manifest says of a scenario: all but where this dataset keeps it."""
    kept = asdict(scenario)
    del kept["file"], kept["rows"]
    return kept


def folder_names(keys: Iterable[str]) -> list[str]:
    """Return a folder for each scenario: ``scenario=NAME``, as Hive partitions are named.

    Escaped as Hive does, so that a reader of partitions sees the scenario's own name; where a
    name is too long for a folder, or differs from another by case alone, a number is added.
    """
    names: list[str] = []
    for key in keys:
        escaped = quote(key, safe=" ()+,;@!$&'~")
        name = whole = f"scenario={_CUT_ESCAPE.sub('', escaped[:_LONGEST_NAME])}"
        number = 2
        while name.lower() in (other.lower() for other in names):
            name, number = f"{whole} {number}", number + 1
        names.append(name)
    return names


def _version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:  # run from its folder, not installed
        return "of unknown version"


# ---------------------------------------------------------------------------- answers


def write_answer(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write an answer as one Parquet file; its metadata name the measure and the data version."""
    assert isinstance(content, Answer), "a measure gives an answer"
    table = answer_table(content)
    asked = measure(content.query.measure)
    described = {
        "measure": content.query.measure,
        "label": asked.label,
        "definition": asked.definition,
        "unit": content.unit,
        "left_out": "; ".join(content.left_out),
        "dataset": source.dataset,
        "data_version": source.version,
    }
    pq.write_table(table.replace_schema_metadata(described), stream, compression=_COMPRESSION)
    return Written(table.num_rows)


WRITERS = (
    Writer(
        "parquet",
        "Parquet, all tables",
        ".zip",
        "application/zip",
        (Results,),
        write_canonical_zip,
        write_canonical_folder,
    ),
    Writer(
        "parquet",
        "Parquet",
        ".parquet",
        "application/vnd.apache.parquet",
        (Query,),
        write_answer,
    ),
)
