"""The format of canonical Parquet: what its writer and its reader agree on.

A folder, or a zip of it, partitioned by scenario as DuckDB, pandas, Polars and Spark read it:

    manifest.json                          what is in it and where it came from
    scenario=Base/result.parquet           one file for each table of ``catalogs/tables.py``
    scenario=Base/process.parquet ...

    SELECT * FROM read_parquet('export/*/result.parquet', hive_partitioning = true)

The manifest holds ``format`` and ``format_version`` as below, ``written_by``, the ``dataset`` and
its ``data_version``, the ``selection`` (regions, years, attributes; empty: all), and for each
scenario its names, description, source format, input files with their SHA-256, and its ``tables``:
the path of each below the manifest's folder, and how many rows it has.

The columns and types are those of ``catalogs/tables.py``; text is UTF-8. Tables that follow from
others (``DERIVED_TABLES``) are there for other programs; importing works them out again, so they
may be missing.
"""

from __future__ import annotations

MANIFEST = "manifest.json"

#: What a manifest says it is.
FORMAT = "TIMES Energy Analytics canonical tables"

#: Raise it when a table that is read back changes its columns.
FORMAT_VERSION = 1
