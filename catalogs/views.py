"""The views of a dataset: its scenarios side by side, opened read-only in one connection.

Both those who ask on behalf of the program (``catalogs.source``) and those who run a visitor's SQL
(``app.backend``) open a dataset so, and see the same tables.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from catalogs import timesreport
from catalogs.errors import TimesError
from catalogs.holdings import load_people
from catalogs.store import SCENARIOS, WORDS, Manifest
from catalogs.tables import TABLES


def open_views(connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> None:
    """Attach the files of a version and create the views over them; then nothing else is opened.

    ``folder`` has the files that the manifest names. Raises ``TimesError`` where one is missing
    or was written by another version of this program, and for a dataset of another kind.
    """
    if manifest.kind != SCENARIOS:
        raise TimesError(
            f"The dataset {manifest.dataset!r} holds {WORDS[manifest.kind]}, no TIMES scenarios.",
            "Flow records are shown on the flow map, scenarios by all tools.",
        )
    for number, scenario in enumerate(manifest.scenarios):
        path = folder / scenario.file
        if not path.exists():
            raise TimesError(
                f"The file of the scenario {scenario.key!r} is missing.",
                "Import its files again.",
            )
        connection.execute(f"ATTACH {_quoted(str(path))} AS s{number} (READ_ONLY)")
    try:
        _create_canonical(connection, [scenario.key for scenario in manifest.scenarios])
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise TimesError(
            f"The dataset {manifest.dataset!r} was imported by another version of this program.",
            "Import its files again.",
            str(error),
        ) from error
    connection.execute(
        "CREATE VIEW storage AS SELECT DISTINCT scenario, region, process FROM process_set"
        " WHERE set_name IN ('STG', 'STS', 'NST')"
    )
    timesreport.create_views(connection, manifest.scenarios)
    load_people(connection)
    connection.execute("SET enable_external_access = false")


def _create_canonical(connection: duckdb.DuckDBPyConnection, keys: list[str]) -> None:
    for table in TABLES.values():
        parts = [
            f'SELECT {_quoted(key)} AS scenario, * FROM s{number}."{table.name}"'
            for number, key in enumerate(keys)
        ]
        columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in table.columns.items())
        empty = f"SELECT NULL::VARCHAR AS scenario, {columns} WHERE false"
        connection.execute(f'CREATE VIEW "{table.name}" AS ' + (" UNION ALL ".join(parts) or empty))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
