"""From the rows that a reader read to the table ``result``: merged, with units, in order.

Every step is SQL over codes (see ``catalogs.codes``), so that it does not matter whether there are
thousands of rows or millions.
"""

from __future__ import annotations

import duckdb

from catalogs import codes
from catalogs.readers.base import RAW_RESULT_COLUMNS, UNIT_COLUMNS, report
from catalogs.tables import NO_VALUE

_KEY = ", ".join(RAW_RESULT_COLUMNS)


def build_result(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``result`` from ``raw_result``: duplicates merged and counted, units joined, sorted.

    Expects a table ``attribute`` (attribute, unit_source) beside the canonical ones. A row's
    number is that of its first occurrence in the file. ``coded_result`` is the same as ``result``
    in codes, for all that is derived from it. Leaves the temporary table ``row_fate``: how many
    rows were merged, how many conflict.
    """
    _encode(connection)
    _code_attributes(connection)
    _code_units(connection)
    own_unit, own_currency = ("r.unit", "r.currency") if _has_units(connection) else ("NULL",) * 2
    unit = codes.type_of("unit")
    connection.execute(
        f"""
        CREATE TABLE coded_result AS
        SELECT r.rowid::UINTEGER AS row, r.sow, a.name AS attribute, r.commodity, r.process,
            y.number AS year, r.region, r.vintage, r.timeslice, r.user_constraint,
            coalesce({own_unit}::{unit}, CASE a.unit_source
                WHEN 'commodity' THEN c.unit
                WHEN 'activity' THEN p.activity_unit
                WHEN 'capacity' THEN p.capacity_unit
                WHEN 'currency' THEN g.currency
                WHEN 'currency per commodity' THEN c.price_unit
                WHEN 'currency per activity' THEN p.activity_price_unit
                WHEN 'currency per capacity' THEN p.capacity_price_unit
                WHEN 'by user constraint' THEN
                    if(r.user_constraint = 'INSTCAP', p.capacity_unit, g.currency)
                WHEN 'none' THEN '1'::{unit}
            END) AS unit,
            coalesce({own_currency}::{unit}, if(a.is_money, g.currency, NULL)) AS currency,
            r.value
        FROM raw_result AS r
        JOIN attribute_of AS a ON a.attribute = r.attribute
        JOIN year_of AS y ON y.year = r.year
        LEFT JOIN commodity_unit AS c ON c.region = r.region AND c.commodity = r.commodity
        LEFT JOIN process_unit AS p ON p.region = r.region AND p.process = r.process
        LEFT JOIN region_currency AS g ON g.region = r.region
        ORDER BY a.name, r.region, r.process, r.commodity, r.year, r.vintage, r.timeslice,
            r.user_constraint, r.sow, r.rowid
        """
    )
    _keep_odd_years(connection)  # first: they tell rows apart that have no year
    _merge_repeats(connection)
    codes.show_as_text(connection, "result")
    for table in (
        "raw_result",
        "attribute_of",
        "year_of",
        "commodity_unit",
        "process_unit",
        "region_currency",
    ):
        connection.execute(f"DROP TABLE {table}")
    codes.drop(connection, "attribute", "year")


def _has_units(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file names the unit of every row."""
    columns = connection.execute("FROM raw_result LIMIT 0").description or []
    return any(name == "unit" for name, *_ in columns)


def _encode(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the text of ``raw_result`` into codes, unless the reader did."""
    if set(RAW_RESULT_COLUMNS) <= codes.dimensions(connection):
        return
    lists = ", ".join(f"list(DISTINCT {name})" for name in RAW_RESULT_COLUMNS)
    found = connection.execute(f"SELECT {lists} FROM raw_result").fetchall()[0]
    codes.make(
        connection,
        {
            name: {text for text in texts or () if text is not None}
            for name, texts in zip(RAW_RESULT_COLUMNS, found, strict=True)
        },
    )
    columns = ", ".join(f"{name}::{codes.type_of(name)} AS {name}" for name in RAW_RESULT_COLUMNS)
    own = "".join(f", {name}" for name in UNIT_COLUMNS) if _has_units(connection) else ""
    connection.execute(
        f"CREATE TEMP TABLE in_codes AS SELECT {columns}{own}, value FROM raw_result"
    )
    connection.execute("DROP TABLE raw_result")
    connection.execute("ALTER TABLE in_codes RENAME TO raw_result")


# ---------------------------------------------------------------------------- repeated rows


def _merge_repeats(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete rows that repeat an earlier one, and report them and those that contradict another.

    Rows that a source tells apart by further dimensions are no duplicates of each other. As the
    rows are sorted, one that has the dimensions of another follows it: only such rows are looked
    at, mostly none or a handful.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE suspect AS
        SELECT key FROM (
            SELECT hash({_KEY}) AS key, lag(hash({_KEY})) OVER () AS before FROM coded_result
        ) WHERE key = before
        """
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE repeated AS
        WITH likely AS (
            SELECT row, {_KEY}, unit, currency, value FROM coded_result
            WHERE hash({_KEY}) IN (SELECT key FROM suspect)
        ), further AS (
            SELECT row, list((name, value) ORDER BY name, value) AS further FROM result_extra
            WHERE row IN (SELECT row FROM likely) GROUP BY row
        )
        SELECT row, {_KEY}, further, value, min(row) OVER same AS first
        FROM likely LEFT JOIN further USING (row)
        WINDOW same AS (PARTITION BY {_KEY}, unit, currency, further, value)
        """
    )
    [(merged,)] = connection.execute("SELECT count(*) FROM repeated WHERE row <> first").fetchall()
    if merged:
        gone = "row IN (SELECT row FROM repeated WHERE row <> first)"
        connection.execute(f"DELETE FROM coded_result WHERE {gone}")
        connection.execute(f"DELETE FROM result_extra WHERE {gone}")
    _report_repeats(merged, connection)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE row_fate AS SELECT {merged} AS merged, (SELECT"
        " coalesce(sum(times), 0)::BIGINT FROM (SELECT count(*) AS times FROM repeated"
        f" WHERE row = first GROUP BY {_KEY}, further HAVING count(*) > 1)) AS conflicting"
    )
    connection.execute("DROP TABLE suspect; DROP TABLE repeated")


def _report_repeats(merged: int, connection: duckdb.DuckDBPyConnection) -> None:
    if merged:
        report(
            connection,
            "info",
            "duplicates",
            "rows that repeat another were merged with it",
            count=merged,
        )
    first = connection.execute(
        f"SELECT {_KEY}, count(*) OVER () FROM repeated WHERE row = first"
        f" GROUP BY {_KEY}, further HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
    ).fetchone()
    if first:
        *cells, conflicts = first
        example = ", ".join(str(cell) for cell in cells if cell != NO_VALUE)
        report(
            connection,
            "warning",
            "conflicts",
            f"rows have the same dimensions and different values; all are kept (first: {example})",
            count=conflicts,
        )


# ---------------------------------------------------------------------------- units and years


def _code_attributes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``attribute_of``, by code: the name in the field's spelling, and the unit's source."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE spelled AS
        SELECT r.attribute, coalesce(a.attribute, r.attribute::VARCHAR) AS name, a.unit_source
        FROM (SELECT DISTINCT attribute FROM raw_result) AS r
        LEFT JOIN attribute AS a ON lower(a.attribute) = lower(r.attribute)
        """
    )
    names = connection.execute("SELECT DISTINCT name FROM spelled").fetchall()
    codes.make(connection, {"name": [name for (name,) in names]})
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE attribute_of AS
        SELECT attribute, name::{codes.type_of("name")} AS name, unit_source,
            unit_source LIKE 'currency%' AS is_money
        FROM spelled;
        DROP TABLE spelled;
        CREATE OR REPLACE TEMP TABLE year_of AS
        SELECT year, try_cast(year::VARCHAR AS SMALLINT) AS number
        FROM (SELECT DISTINCT year FROM raw_result)
        """
    )


def _code_units(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``region_currency``, ``commodity_unit`` and ``process_unit``: units, by codes.

    The currency of a region stands in the Commodity column of its Reg_wobj rows. A model with
    one currency has it everywhere.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE region_currency AS
        WITH named AS (
            SELECT region, if(count(DISTINCT commodity) = 1, any_value(commodity)::VARCHAR, NULL)
                AS currency
            FROM raw_result SEMI JOIN (FROM attribute_of WHERE lower(name) = 'reg_wobj')
                USING (attribute)
            WHERE commodity <> '-' GROUP BY region
        ), sole AS (
            SELECT any_value(currency) AS currency FROM named HAVING count(DISTINCT currency) = 1
        )
        SELECT region, coalesce(sole.currency, named.currency) AS currency
        FROM (SELECT DISTINCT region FROM raw_result) LEFT JOIN named USING (region)
        LEFT JOIN sole ON true
        """
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE commodity_unit AS
        SELECT g.region, try_cast(commodity AS {codes.type_of("commodity")}) AS commodity,
            any_value(unit) AS unit, any_value(currency || '/' || unit) AS price_unit
        FROM commodity AS c JOIN region_currency AS g ON g.region = c.region
        GROUP BY ALL HAVING commodity IS NOT NULL;

        CREATE OR REPLACE TEMP TABLE process_unit AS
        SELECT g.region, try_cast(process AS {codes.type_of("process")}) AS process,
            any_value(activity_unit) AS activity_unit, any_value(capacity_unit) AS capacity_unit,
            any_value(currency || '/' || activity_unit) AS activity_price_unit,
            any_value(currency || '/' || capacity_unit) AS capacity_price_unit
        FROM process AS p JOIN region_currency AS g ON g.region = p.region
        GROUP BY ALL HAVING process IS NOT NULL
        """
    )
    tables = {
        "region_currency": ("currency",),
        "commodity_unit": ("unit", "price_unit"),
        "process_unit": (
            "activity_unit",
            "capacity_unit",
            "activity_price_unit",
            "capacity_price_unit",
        ),
    }
    if _has_units(connection):
        tables["raw_result"] = UNIT_COLUMNS
    texts = {"1"}
    for table, columns in tables.items():
        lists = ", ".join(f"list(DISTINCT {column})" for column in columns)
        [found] = connection.execute(f"SELECT {lists} FROM {table}").fetchall()
        texts.update(text for some in found for text in some or () if text is not None)
    codes.make(connection, {"unit": texts})
    unit = codes.type_of("unit")
    for table, columns in tables.items():
        coded = ", ".join(f"{column}::{unit} AS {column}" for column in columns)
        connection.execute(
            f"CREATE TEMP TABLE in_codes AS SELECT * REPLACE ({coded}) FROM {table};"
            f"DROP TABLE {table}; ALTER TABLE in_codes RENAME TO {table}"
        )


def _keep_odd_years(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep what stood in the year's place where it is no year."""
    [(odd,)] = connection.execute(
        "SELECT count(*) FROM year_of WHERE number IS NULL AND year <> '-'"
    ).fetchall()
    if not odd:
        return
    [(count,)] = connection.execute(
        "INSERT INTO result_extra SELECT row, 'Period', raw_result.year::VARCHAR FROM coded_result"
        " JOIN raw_result ON raw_result.rowid = row"
        " WHERE coded_result.year IS NULL AND raw_result.year <> '-'"
    ).fetchall()
    if count:
        message = "rows whose period is not a year have none"
        report(connection, "warning", "years", message, count=count)
