"""DuckDB files with a ``timesreport`` table (older ones: ``timesreport_facts``).

One wide table of results of one or several models and scenarios, with tables of descriptions and
of the hours of each timeslice beside it; see DOMAIN section 1. ``semantics/timesreport.csv`` says
which TIMES attribute each of its attrs is; others keep their names.

**Totals.** The table holds values per timeslice and ``ANNUAL`` totals of the same. The totals are
left out, and counted, wherever their key has any value beside them; where it has none, the total
is the value. **Regions.** The direction is regfrom to regto: what a process takes (``f_in``) is
taken in regfrom, what it gives (``f_out``) is given in regto, and everything else stands at the
side that is a region of the model. Where the two differ the row tells of trade.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers import timesreport_tables
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
from catalogs.readers.delimited import report_values
from catalogs.readers.timesreport_file import (
    COLUMNS,
    TABLES,
    ReportTable,
    begins_as_duckdb,
    copy_query,
    find_table,
    opened,
    read_beside,
)
from catalogs.tables import EXTERNAL_REGIONS

_SUFFIXES = (".duckdb", ".ddb")

#: Totals may differ from the sum of their slices by what rounding to six decimals leaves.
_TOLERANCE = 1e-5


class TimesreportReader:
    """Reads the scenarios of a ``timesreport`` DuckDB file, each by itself."""

    name = "timesreport"
    format = Format(
        "timesreport",
        ".duckdb",
        "A DuckDB file with the table timesreport or timesreport_facts, of one or many models and"
        " scenarios. It may be in use; it is only read.",
    )

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Claim DuckDB files; one scenario for each model and scenario in them."""
        scenarios, others = [], []
        for path in paths:
            if begins_as_duckdb(path):
                scenarios += [ScenarioFiles(self.name, path, part=part) for part in _parts(path)]
            elif path.suffix.lower() in _SUFFIXES:
                problem = "the file does not begin as a DuckDB file does"
                raise UnreadableFileError(path.name, problem, "a whole DuckDB file")
            else:
                others.append(path)
        return scenarios, others

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Fill ``raw_result`` and the tables of descriptions, sets and timeslices."""
        model, scenario = files.part
        header = ScenarioHeader(
            scenario if scenario != "-" else files.main.stem,
            model if model != "-" else "",
            source_format="timesreport",
        )
        progress(0.0, "reading results")
        with opened(files.main) as source:
            table = find_table(files.main, source)
            _copy_rows(table, files, source, connection)
            beside = read_beside(source)
        header.rows_read = _name_rows(files.main, connection)
        progress(0.4, "telling totals from timeslices")
        _fill_raw_result(files.main, connection)
        progress(0.6, "naming processes and commodities")
        timesreport_tables.fill(files, beside, connection, header)
        _report_left_out(files.main, table, beside.names, connection)
        connection.execute("DROP TABLE report_row")
        return header


def _parts(path: Path) -> list[tuple[str, str]]:
    """Return the models and scenarios of a file, in their order."""
    with opened(path) as source:
        table = find_table(path, source)
        rows = source.execute(
            f"SELECT DISTINCT {table.cells['model']}, {table.cells['scen']}"
            f' FROM "{table.name}" ORDER BY ALL'
        ).fetchall()
    if not rows:
        raise UnreadableFileError(path.name, f"the table {table.name} is empty", "result rows")
    return [(str(model), str(scenario)) for model, scenario in rows]


def _copy_rows(
    table: ReportTable,
    files: ScenarioFiles,
    source: duckdb.DuckDBPyConnection,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Copy a scenario's rows into ``report_copy``: text, '-' for no value, and DOUBLE value."""
    cells = ", ".join(f"{table.cells[name]} AS {name}" for name in COLUMNS)
    sql = (
        f"SELECT {cells}, {table.value} AS given, try_cast({table.value} AS DOUBLE) AS value"
        f' FROM "{table.name}" WHERE {table.cells["model"]} = ? AND {table.cells["scen"]} = ?'
    )
    [bad] = source.execute(
        f"SELECT any_value(given::VARCHAR) FROM ({sql}) WHERE given IS NOT NULL AND value IS NULL",
        list(files.part),
    ).fetchall()
    if bad[0] is not None:
        raise UnreadableFileError(
            files.main.name, f"the value {bad[0][:60]!r} is not a number", "numbers such as 1234.5"
        )
    copy_query(
        f"SELECT * EXCLUDE (given) FROM ({sql})", files.part, source, "report_copy", connection
    )


def _name_rows(path: Path, connection: duckdb.DuckDBPyConnection) -> int:
    """Make ``report_row`` of ``report_copy``, with the attribute of each; return their number.

    Adds the columns ``attribute``, ``user_constraint``, ``region`` and ``partner`` ('-' for a row
    that is not of trade). An attr that means something in another topic only has its topic named.
    """
    _load_attributes(connection)
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE report_row AS
        SELECT r.*,
            CASE WHEN a.attribute IS NOT NULL THEN a.attribute
                WHEN t.attr IS NULL THEN r.attr
                ELSE r.attr || ' (' || r.topic || ')' END AS attribute,
            coalesce(a.user_constraint, '-') AS user_constraint,
            CASE WHEN reg <> '-' THEN reg
                WHEN regfrom = regto OR regto = '-' THEN regfrom
                WHEN regfrom = '-' OR list_contains($external, regfrom) THEN regto
                WHEN list_contains($external, regto) OR r.attr = 'f_in' THEN regfrom
                ELSE regto END AS region,
            CASE WHEN regfrom = regto OR '-' IN (regfrom, regto) THEN '-'
                WHEN region = regfrom THEN regto ELSE regfrom END AS partner
        FROM report_copy AS r
        LEFT JOIN report_attribute AS a ON a.attr = r.attr AND a.topic IN ('', r.topic)
        LEFT JOIN (SELECT DISTINCT attr FROM report_attribute) AS t
            ON t.attr = r.attr
        """,
        {"external": list(EXTERNAL_REGIONS)},
    )
    [(rows,)] = connection.execute("SELECT count(*) FROM report_row").fetchall()
    report(connection, "info", "read", "result rows read", file=path.name, count=rows)
    connection.execute("DROP TABLE report_copy")
    return int(rows)


@cache
def attribute_table() -> tuple[tuple[str, str, str, str], ...]:
    """Return ``semantics/timesreport.csv``: topic ('': any), attr, attribute, user constraint."""
    text = package_files("catalogs.semantics").joinpath("timesreport.csv").read_text("utf-8")
    return tuple(
        (row["topic"], row["attr"], row["attribute"], row["user_constraint"] or "-")
        for row in csv.DictReader(text.splitlines())
    )


def _load_attributes(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE report_attribute"
        " (topic VARCHAR, attr VARCHAR, attribute VARCHAR, user_constraint VARCHAR)"
    )
    connection.executemany("INSERT INTO report_attribute VALUES (?, ?, ?, ?)", attribute_table())


# ---------------------------------------------------------------------------- totals and slices

_KEY = "sow, attribute, com, prc, year, region, partner, vntg, user_constraint"


def _fill_raw_result(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``raw_result`` with every row but the ANNUAL totals of others; count those."""
    create_raw_result(connection, with_units=True)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE report_total AS
        SELECT {_KEY}, max(value) FILTER (all_ts = 'ANNUAL') AS total,
            count(*) FILTER (all_ts = 'ANNUAL') AS totals,
            sum(value) FILTER (all_ts <> 'ANNUAL') AS parts
        FROM (SELECT DISTINCT {_KEY}, all_ts, value FROM report_row)
        GROUP BY ALL HAVING bool_or(all_ts = 'ANNUAL') AND bool_or(all_ts <> 'ANNUAL')
        """
    )
    money = "a.unit_source = 'currency'"
    price = "a.unit_source LIKE 'currency per %'"
    # The partner is part of the key: without it, two flows of one process would look alike.
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE report_kept AS
        SELECT DISTINCT r.sow, r.attribute, com AS commodity, prc AS process, year, r.region,
            vntg AS vintage, all_ts AS timeslice, r.user_constraint,
            CASE WHEN {money} THEN coalesce(nullif(cur, '-'), nullif(unit, '-'))
                WHEN {price} AND contains(unit, '/') THEN unit
                WHEN {price} THEN nullif(cur, '-') || '/' || nullif(unit, '-')
                ELSE nullif(unit, '-') END AS unit,
            nullif(cur, '-') AS currency, value, partner
        FROM report_row AS r LEFT JOIN attribute AS a ON a.attribute = r.attribute
        ANTI JOIN report_total AS t ON r.all_ts = 'ANNUAL' AND t.sow = r.sow
            AND t.attribute = r.attribute AND t.com = r.com AND t.prc = r.prc AND t.year = r.year
            AND t.region = r.region AND t.partner = r.partner AND t.vntg = r.vntg
            AND t.user_constraint = r.user_constraint
        """
    )
    columns = ", ".join((*RAW_RESULT_COLUMNS, "value", *UNIT_COLUMNS))
    connection.execute(
        f"INSERT INTO raw_result ({columns}) SELECT {columns} FROM report_kept ORDER BY rowid"
    )
    _keep_partners(connection)
    _report_totals(path, connection)
    report_values(path, connection)
    connection.execute("DROP TABLE report_kept; DROP TABLE report_total")


def _keep_partners(connection: duckdb.DuckDBPyConnection) -> None:
    """Tell rows apart that only differ by the region they trade with (``result_extra``)."""
    keys = ", ".join(RAW_RESULT_COLUMNS)
    connection.execute(
        f"""
        INSERT INTO result_extra
        SELECT rowid, 'partner', partner FROM (
            SELECT rowid, partner, count(DISTINCT partner) OVER (PARTITION BY {keys}) AS partners
            FROM report_kept
        ) WHERE partners > 1 AND partner <> '-'
        """
    )


def _report_totals(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    [(left_out, differing, repeated)] = connection.execute(
        """
        SELECT (SELECT coalesce(sum(totals), 0) FROM report_total),
            (SELECT count(*) FROM report_total
                WHERE (attribute IN ('VAR_FIn', 'VAR_FOut') OR attribute LIKE 'Cost%')
                AND abs(total - parts) > $tolerance * (1 + abs(total))),
            (SELECT count(*) FROM report_row) - (SELECT count(*) FROM report_kept)
                - (SELECT coalesce(sum(totals), 0) FROM report_total)
        """,
        {"tolerance": _TOLERANCE},
    ).fetchall()
    for severity, topic, message, count in (
        ("info", "totals", "ANNUAL totals of values given per timeslice are left out", left_out),
        (
            "warning",
            "totals",
            "ANNUAL totals differ from the sum of their timeslices, whose values hold",
            differing,
        ),
        ("info", "duplicates", "rows that repeat another were merged with it", repeated),
    ):
        if count:
            report(connection, severity, topic, message, file=path.name, count=count)


def _report_left_out(
    path: Path,
    table: ReportTable,
    tables: Sequence[str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Report columns and tables of the file that were not read, and attrs without a meaning."""
    known = {*TABLES, "all_ts_data", "source_files", "scen_desc"}
    other = [
        name for name in tables if name.lower() not in known and not name.lower().endswith("_desc")
    ]
    both = [name for name in tables if name.lower() in TABLES and name != table.name]
    unknown = [
        str(name)
        for (name,) in connection.execute(
            "SELECT DISTINCT attribute FROM report_row"
            " WHERE attribute NOT IN (SELECT attribute FROM attribute) ORDER BY 1"
        ).fetchall()
    ]
    for severity, topic, message, names in (
        ("info", "left_out", "tables that hold no results of TIMES were not read", other),
        ("warning", "left_out", f"only {table.name} was read, not its other form", both),
        ("warning", "left_out", "columns that are not known were left out", table.others),
        ("info", "attributes", "attrs without a TIMES attribute keep their name", unknown),
    ):
        if names:
            shown = f"{message}: {', '.join(names[:8])}"
            report(connection, severity, topic, shown, file=path.name, count=len(names))
