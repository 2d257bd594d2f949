"""The import report: what an import noticed, by topic, and what became of every row it read.

Two tables are kept with each scenario. ``import_report`` has a line for everything noticed:
``severity`` (info or warning), ``topic`` (one of ``TOPICS``), ``file`` and ``line`` where there
are such, a ``message`` to read and a ``count``. ``import_account`` has a row per file and what it
holds, where ``read = kept + merged + conflicting + left_out``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import duckdb

from catalogs.readers.base import ScenarioHeader, account, report

#: What the lines of a topic are about.
TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "aggregation": "commodities that are sums of others",
        "ambient imports": "carriers that count as domestic though they are imported",
        "commodities": "commodities of flow records",
        "conflicts": "rows of the same dimensions with different values; all are kept",
        "description": "descriptions of a code that differ from each other",
        "descriptions": "descriptions that stand where codes belong",
        "dimensions": "dimensions that a file lacks, or has beside the usual ones",
        "dummy import": "dummy imports that supply something: a sign of an infeasible model",
        "duplicates": "rows that say what another says already, and were merged with it",
        "emission account": "the commodities whose emissions are added up",
        "encoding": "bytes that are not UTF-8 and were read as Windows-1252",
        "files": "files that were named with the others and are of no known format",
        "geometry": "how lines of a network run",
        "groups": "processes and commodities that no rule names, or several do",
        "inferred": "what no file says and was worked out, and from what",
        "left_out": "what was read and is not needed, or cannot be used",
        "name": "scenarios named after their file because nothing in it names them",
        "period": "milestone years whose first and last year are not told",
        "places": "where flows begin and end",
        "read": "what was read",
        "selection": "what an export leaves out because it is of a selection",
        "sets": "sets that measures need and no file gives",
        "special_value": "GAMS's special values (EPS, INF, NA, UNDEF) and what became of them",
        "stochastic": "states of the world",
        "timeslice": "timeslices whose share of the year is unknown, or makes no year",
        "timeslices": "whether results tell timeslices apart",
        "totals": "totals that stand beside their parts",
        "trade": "trading processes whose partner is not told",
        "truncated": "files that may have been cut off",
        "units": "units that are unknown, inferred, or differ from each other",
        "values": "values that are missing, infinite or not a number",
        "variables": "IAMC variables and what they were taken for",
        "years": "periods that are no years",
    }
)


def account_results(
    connection: duckdb.DuckDBPyConnection, file: str, header: ScenarioHeader, handed_on: int
) -> None:
    """Keep the account of the result rows of a scenario.

    ``header.rows_read`` counts them in the file, ``handed_on`` those that the reader put into
    ``raw_result``; merged and conflicting ones were counted in ``row_fate`` while they were
    sorted. What was exported and comes back keeps the account of its own files.
    """
    [(kept,)] = connection.execute("SELECT count(*) FROM result").fetchall()
    [(merged, conflicting)] = connection.execute("FROM row_fate").fetchall()
    connection.execute("DROP TABLE row_fate")
    if connection.execute("FROM import_account WHERE content = 'results'").fetchone():
        return
    read = max(header.rows_read, handed_on)
    account(
        connection,
        file,
        "results",
        read=read,
        kept=kept - conflicting,
        merged=merged,
        conflicting=conflicting,
        left_out=read - handed_on,
    )


def report_timeslices(connection: duckdb.DuckDBPyConnection) -> None:
    """Say whether flows tell timeslices apart: without that there are no profiles."""
    names = connection.execute(
        "SELECT DISTINCT timeslice FROM flow WHERE upper(timeslice) NOT IN ('ANNUAL', '-')"
    ).fetchall()
    if names:
        message = "timeslices that flows tell apart"
    else:
        message = "flows are annual figures only: there is no timeslice detail"
    report(connection, "info", "timeslices", message, count=len(names))


def report_units(connection: duckdb.DuckDBPyConnection) -> None:
    """Say which units were inferred, and how many processes have none for their activity."""
    [(inferred, unknown)] = connection.execute(
        "SELECT count(*) FILTER (capacity_unit_source = 'inferred'),"
        " count(*) FILTER (activity_unit IS NULL) FROM process"
    ).fetchall()
    if inferred:
        message = "processes whose capacity unit follows from PRC_CAPACT and the activity unit"
        report(connection, "info", "units", message, count=inferred)
    if unknown:
        message = "processes whose activity unit is not told"
        report(connection, "info", "units", message, count=unknown)
