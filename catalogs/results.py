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
    number is that of its first occurrence in the file. Leaves the temporary table
    ``coded_result``, the same as ``result`` in codes, for all that is derived from it;
    ``drop_codes`` drops it.
    """
    _encode(connection)
    _merge_repeats(connection)
    _code_units(connection)
    currency = _currency(connection)
    own_unit, own_currency = ("r.unit", "r.currency") if _has_units(connection) else ("NULL",) * 2
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE coded_result AS
        SELECT r.rowid::UINTEGER AS row, r.sow, a.name AS attribute, r.commodity, r.process,
            y.number AS year, r.region, r.vintage, r.timeslice, r.user_constraint,
            coalesce({own_unit}, CASE a.unit_source
                WHEN 'commodity' THEN c.unit
                WHEN 'activity' THEN p.activity_unit
                WHEN 'capacity' THEN p.capacity_unit
                WHEN 'currency' THEN {currency}
                WHEN 'currency per commodity' THEN {currency} || '/' || c.unit
                WHEN 'currency per activity' THEN {currency} || '/' || p.activity_unit
                WHEN 'currency per capacity' THEN {currency} || '/' || p.capacity_unit
                WHEN 'by user constraint' THEN CASE
                    WHEN r.user_constraint = 'INSTCAP' THEN p.capacity_unit
                    ELSE {currency} END
                WHEN 'none' THEN '1'
            END)::VARCHAR AS unit,
            coalesce({own_currency},
                CASE WHEN a.unit_source LIKE 'currency%' THEN {currency} END)::VARCHAR AS currency,
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
    connection.execute("INSERT INTO result SELECT * FROM coded_result")
    _keep_odd_years(connection)
    for table in (
        "raw_result",
        "attribute_of",
        "year_of",
        "commodity_unit",
        "process_unit",
        "region_currency",
    ):
        connection.execute(f"DROP TABLE {table}")


def drop_codes(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop ``coded_result`` and the codes."""
    connection.execute("DROP TABLE IF EXISTS coded_result")
    codes.drop(connection)


def _has_units(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file names the unit of every row."""
    found = connection.execute(
        "SELECT 1 FROM duckdb_columns() WHERE table_name = 'raw_result' AND column_name = 'unit'"
    ).fetchone()
    return bool(found)


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

    Rows that a source tells apart by further dimensions are no duplicates of each other. Only
    rows whose hash occurs twice are looked at: mostly none, or a handful.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE suspect AS SELECT hash({_KEY}) AS key FROM raw_result"
        " GROUP BY 1 HAVING count(*) > 1"
    )
    own = "".join(f", {name}" for name in UNIT_COLUMNS) if _has_units(connection) else ""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE repeated AS
        WITH likely AS (
            SELECT rowid AS row, {_KEY}{own}, value FROM raw_result
            WHERE hash({_KEY}) IN (SELECT key FROM suspect)
        ), further AS (
            SELECT row, list((name, value) ORDER BY name, value) AS further FROM result_extra
            WHERE row IN (SELECT row FROM likely) GROUP BY row
        )
        SELECT row, {_KEY}{own}, further, value, min(row) OVER same AS first
        FROM likely LEFT JOIN further USING (row)
        WINDOW same AS (PARTITION BY {_KEY}{own}, further, value)
        """
    )
    connection.execute(
        "DELETE FROM raw_result WHERE rowid IN (SELECT row FROM repeated WHERE row <> first)"
    )
    connection.execute(
        "DELETE FROM result_extra WHERE row IN (SELECT row FROM repeated WHERE row <> first)"
    )
    _report_repeats(connection)
    connection.execute("DROP TABLE suspect; DROP TABLE repeated")


def _report_repeats(connection: duckdb.DuckDBPyConnection) -> None:
    merged = connection.execute("SELECT count(*) FROM repeated WHERE row <> first").fetchall()[0][0]
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


def _code_units(connection: duckdb.DuckDBPyConnection) -> None:
    """Make small tables, by codes, of what the rows are given: attribute, year and units."""
    names = connection.execute(
        "SELECT DISTINCT coalesce(a.attribute, r.attribute::VARCHAR)"
        " FROM (SELECT DISTINCT attribute FROM raw_result) AS r"
        " LEFT JOIN attribute AS a ON lower(a.attribute) = lower(r.attribute)"
    ).fetchall()
    codes.make(connection, {"name": [name for (name,) in names]})
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE attribute_of AS
        SELECT r.attribute, a.unit_source,
            coalesce(a.attribute, r.attribute::VARCHAR)::{codes.type_of("name")} AS name
        FROM (SELECT DISTINCT attribute FROM raw_result) AS r
        LEFT JOIN attribute AS a ON lower(a.attribute) = lower(r.attribute);

        CREATE OR REPLACE TEMP TABLE year_of AS
        SELECT DISTINCT year, try_cast(year::VARCHAR AS SMALLINT) AS number FROM raw_result;

        CREATE OR REPLACE TEMP TABLE commodity_unit AS
        SELECT try_cast(region AS {codes.type_of("region")}) AS region,
            try_cast(commodity AS {codes.type_of("commodity")}) AS commodity,
            any_value(unit) AS unit
        FROM commodity GROUP BY 1, 2;

        CREATE OR REPLACE TEMP TABLE process_unit AS
        SELECT try_cast(region AS {codes.type_of("region")}) AS region,
            try_cast(process AS {codes.type_of("process")}) AS process,
            any_value(activity_unit) AS activity_unit, any_value(capacity_unit) AS capacity_unit
        FROM process GROUP BY 1, 2;
        """
    )


def _currency(connection: duckdb.DuckDBPyConnection) -> str:
    """Make ``region_currency`` and return the SQL of a row's currency.

    The currency of a region stands in the Commodity column of its Reg_wobj rows. A model with
    one currency has it everywhere.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE region_currency AS SELECT region,"
        " CASE WHEN count(DISTINCT commodity) = 1 THEN any_value(commodity)::VARCHAR END"
        " AS currency"
        " FROM raw_result WHERE attribute IN (SELECT attribute FROM attribute_of"
        " WHERE lower(name) = 'reg_wobj') AND commodity <> '-' GROUP BY region"
    )
    currencies = connection.execute(
        "SELECT DISTINCT currency FROM region_currency WHERE currency IS NOT NULL"
    ).fetchall()
    if len(currencies) != 1:
        return "g.currency"
    quoted = str(currencies[0][0]).replace("'", "''")
    return f"'{quoted}'"


def _keep_odd_years(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep what stood in the year's place where it is no year."""
    odd = "year IN (SELECT year FROM year_of WHERE number IS NULL AND year <> '-')"
    count = connection.execute(f"SELECT count(*) FROM raw_result WHERE {odd}").fetchall()[0][0]
    if count:
        connection.execute(
            f"INSERT INTO result_extra SELECT rowid, 'Period', year FROM raw_result WHERE {odd}"
        )
        report(
            connection,
            "warning",
            "years",
            "rows whose period is not a year have none",
            count=count,
        )
