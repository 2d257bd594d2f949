"""What the result rows themselves tell of processes, commodities, regions and timeslices.

For formats that list none of these apart, or not all of them.
"""

from __future__ import annotations

import duckdb

from catalogs.tables import EXTERNAL_REGIONS


def fill_from_results(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the tables of processes, commodities, regions, periods from all that was read.

    A description is taken from the element table, per region; the process or commodity exists
    wherever a result, a set or the topology names it.
    """
    # Millions of rows come down to few pairs of codes before anything else is done with them.
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE used_attribute AS
        SELECT attribute, lower(attribute) AS name FROM (SELECT DISTINCT attribute FROM raw_result)
        """
    )
    for dimension in ("process", "commodity"):
        connection.execute(
            f"""
            INSERT INTO {dimension} (region, {dimension}, description)
            WITH used AS (
                SELECT DISTINCT region, {dimension} FROM raw_result
                    -- its Commodity column holds a currency
                    WHERE attribute NOT IN (
                        SELECT attribute FROM used_attribute WHERE name = 'reg_wobj')
            ), named AS (
                SELECT region::VARCHAR AS region, {dimension}::VARCHAR AS {dimension} FROM used
                UNION SELECT region, {dimension} FROM {dimension}_set
                UNION SELECT region, {dimension} FROM topology
                UNION SELECT region, element FROM element
                    WHERE lower(dimension) = '{dimension}' AND region NOT IN ('-', 'NONE')
            ), described AS (
                SELECT region, element, any_value(description) AS description FROM element
                WHERE lower(dimension) = '{dimension}' GROUP BY ALL
            )
            SELECT named.region, named.{dimension}, description
            FROM named LEFT JOIN described
                ON described.region = named.region AND described.element = named.{dimension}
            WHERE named.{dimension} <> '-' AND named.region <> '-'
            """
        )
    connection.execute(
        # A cumulative bound stands at its last year, which is no milestone year.
        "INSERT INTO period (year) SELECT DISTINCT try_cast(year AS SMALLINT) FROM ("
        "SELECT DISTINCT year FROM raw_result WHERE attribute NOT IN ("
        "SELECT attribute FROM used_attribute WHERE name LIKE 'eq_cumflo%'))"
        " WHERE try_cast(year AS SMALLINT) IS NOT NULL"
    )
    connection.execute(
        "INSERT INTO region (region, kind) SELECT region, CASE WHEN region IN ? THEN 'external'"
        " ELSE 'internal' END FROM ("
        "SELECT region::VARCHAR AS region FROM (SELECT DISTINCT region FROM raw_result)"
        " UNION SELECT region FROM topology"
        " UNION SELECT region FROM process_set) WHERE region <> '-'",
        [list(EXTERNAL_REGIONS)],
    )
    connection.execute(
        """
        INSERT INTO timeslice (region, timeslice, level, year_fraction, description)
        SELECT '-', timeslice, CASE WHEN timeslice = 'ANNUAL' THEN 'ANNUAL' END,
            CASE WHEN timeslice = 'ANNUAL' THEN 1.0 END, any_value(description)
        FROM (SELECT DISTINCT timeslice FROM raw_result WHERE timeslice <> '-') AS used
        LEFT JOIN element ON lower(dimension) = 'timeslice' AND element = timeslice
        GROUP BY timeslice
        """
    )
    connection.execute("DROP TABLE used_attribute")
