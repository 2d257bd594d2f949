"""IAMC tables, as integrated assessment models exchange them: wide or long, CSV or XLSX.

``Model, Scenario, Region, Variable, Unit`` and a column for each year, or ``Year`` and ``Value``;
``Subannual`` names a part of the year. Columns are found by name, without case. One file may hold
many models and scenarios, one scenario may be spread over several files.

**A variable is an attribute of its own** (``Primary Energy|Coal``), with the unit of its rows.
The ``|`` makes a tree in which a parent is mostly, but not always, the sum of its children, and
regions and subannual values have totals beside their parts as well. So nothing of it is ever
added up: one query shows one variable, and never sums over anything, as for every attribute that
is not in the table of attributes. The tree stays in the names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers.base import (
    Format,
    Progress,
    ScenarioFiles,
    ScenarioHeader,
    create_raw_result,
    no_progress,
    report,
)
from catalogs.readers.delimited import (
    TableHead,
    check_head,
    check_numbers,
    load_table,
    read_head,
    report_values,
)
from catalogs.readers.from_results import fill_from_results
from catalogs.readers.spreadsheets import Sheet, find_sheet, is_workbook, load_sheet

_REQUIRED = frozenset({"scenario", "region", "variable"})
_KNOWN = (*sorted(_REQUIRED), "model", "unit", "subannual", "year", "value", "time")
_YEAR = re.compile(r"^(\d{4})(\.0+)?$")
#: What stands for "no value" in tables that other programs wrote.
_MISSING = "('', 'NA', 'N/A', '#N/A', 'NULL', 'NONE', '-', '..')"


class IamcReader:
    """Reads IAMC tables, each model's scenario by itself."""

    name = "iamc"
    format = Format(
        "IAMC",
        ".csv, .xlsx",
        "Tables with Model, Scenario, Region, Variable and Unit, wide or long. Variables are shown"
        " one by one and never added up.",
    )

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Claim IAMC tables; one scenario for each model and scenario in them."""
        found: dict[tuple[str, str], list[Path]] = {}
        others = []
        for path in paths:
            if _find(path) is None:
                others.append(path)
                continue
            for part in _parts(path):
                found.setdefault(part, []).append(path)
        scenarios = [
            ScenarioFiles(self.name, files[0], tuple(files[1:]), part)
            for part, files in found.items()
        ]
        return scenarios, others

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Fill ``raw_result`` with a row per variable, region, year and part of the year."""
        model, scenario = files.part
        header = ScenarioHeader(scenario or files.main.stem, model, source_format="IAMC")
        create_raw_result(connection, with_units=True)
        for number, path in enumerate(files.files):
            progress(0.7 * number / len(files.files), f"reading {path.name}")
            header.rows_read += _append(path, files.part, connection)
        _refuse_repeated_years(files.main, connection)
        report_values(files.main, connection)
        fill_from_results(connection)
        _report_what_is_missing(files.main, connection)
        return header


# ---------------------------------------------------------------------------- which files


def _is_iamc(head: TableHead) -> bool:
    if not _REQUIRED.issubset(head.keys):
        return False
    long = {"year", "value"}.issubset(head.keys) or "time" in head.keys
    return long or any(_is_period(key) for key in head.keys)


def _is_period(key: str) -> bool:
    """Whether a column is of one year; a date counts, so that it can be refused by name."""
    return bool(_YEAR.match(key) or re.match(r"^\d{4}-\d{2}-\d{2}", key))


def _find(path: Path) -> TableHead | Sheet | None:
    """Return the head of the table in a file, None where it is no IAMC table."""
    if is_workbook(path):
        return find_sheet(path, _is_iamc)
    head = read_head(path)
    return head if head is not None and _is_iamc(head) else None


def _load(path: Path, connection: duckdb.DuckDBPyConnection) -> tuple[TableHead, tuple[str, ...]]:
    """Load a file into the temporary table ``iamc``; return its head and its other sheets.

    Raises ``UnreadableFileError`` for columns that occur twice or are no years.
    """
    found = _find(path)
    if found is None:
        raise UnreadableFileError(path.name, "the file has changed", "an IAMC table")
    head = found.head if isinstance(found, Sheet) else found
    _check_years(path, head)
    if isinstance(found, Sheet):
        load_sheet(path, found, "iamc", connection)
        return head, found.others
    load_table(path, head, "iamc", connection)
    return head, ()


def _check_years(path: Path, head: TableHead) -> None:
    years = [match[1] for key in head.keys if (match := _YEAR.match(key))]
    problem, expected = "", "each year once"
    if twice := sorted({year for year in years if years.count(year) > 1}):
        problem = f"the year {twice[0]} has two columns"
    elif dates := [key for key in head.keys if _is_period(key) and not _YEAR.match(key)]:
        problem, expected = f"the column {dates[0]!r} is a date", "a year such as 2030"
    elif "time" in head.keys:
        problem, expected = "values are given at points in time", "years (and Subannual)"
    elif years and "value" in head.keys:
        problem, expected = "there are both columns of years and a column Value", "one of them"
    if problem:
        raise UnreadableFileError(path.name, problem, expected, line=head.line)
    check_head(path, head)


def _parts(path: Path) -> list[tuple[str, str]]:
    with duckdb.connect(":memory:") as connection:
        head, _ = _load(path, connection)
        rows = connection.execute(
            f"SELECT {_text(head, 'model')}, {_text(head, 'scenario')} FROM iamc"
            f" WHERE {_text(head, 'variable')} <> '' GROUP BY ALL ORDER BY min(rowid)"
        ).fetchall()
    if not rows:
        raise UnreadableFileError(path.name, "there are no rows below the head", "an IAMC table")
    return [(str(model), str(scenario)) for model, scenario in rows]


def _text(head: TableHead, key: str) -> str:
    """Return SQL for a cell as text, '' where it is empty or there is no such column."""
    place = head.place(key)
    return "''" if place is None else f"coalesce(trim(c{place}), '')"


# ---------------------------------------------------------------------------- rows


def _append(path: Path, part: Sequence[str], connection: duckdb.DuckDBPyConnection) -> int:
    """Append a scenario's values in one file to ``raw_result``; return their number."""
    head, sheets = _load(path, connection)
    values = _value_columns(head)
    for column in values:
        connection.execute(
            f"UPDATE iamc SET {column} = NULL WHERE upper(trim({column})) IN {_MISSING}"
        )
    check_numbers(path, head, "iamc", list(values), connection)
    subannual = _text(head, "subannual")
    columns = {
        "attribute": _text(head, "variable"),
        "region": f"coalesce(nullif({_text(head, 'region')}, ''), '-')",
        "timeslice": f"CASE WHEN {subannual} = '' THEN '-' WHEN lower({subannual}) IN"
        f" ('year', 'annual') THEN 'ANNUAL' ELSE {subannual} END",
        "unit": f"nullif({_text(head, 'unit')}, '')",
    }
    cells = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    kept = ", ".join(f"{column} AS y{year}" for column, year in values.items())
    where = f"{_text(head, 'model')} = ? AND {_text(head, 'scenario')} = ?"
    where += f" AND {_text(head, 'variable')} <> ''"
    if head.place("value") is None:
        source = f"UNPIVOT (SELECT {cells}, {kept} FROM iamc WHERE {where})"
        source += f" ON {', '.join(f'y{year}' for year in values.values())} INTO NAME y VALUE v"
        source = f"SELECT attribute, region, timeslice, unit, y[2:] AS year, v FROM ({source})"
    else:
        [value] = values
        _check_long_years(path, head, connection)
        year = f"regexp_replace({_text(head, 'year')}, '\\.0+$', '')"
        source = f"SELECT {cells}, {year} AS year, {value} AS v FROM iamc WHERE {where}"
    [(before,)] = connection.execute("SELECT count(*) FROM raw_result").fetchall()
    connection.execute(
        "INSERT INTO raw_result (sow, attribute, commodity, process, year, region, vintage,"
        " timeslice, user_constraint, value, unit) SELECT '-', attribute, '-', '-', year, region,"
        f" '-', timeslice, '-', try_cast(trim(v) AS DOUBLE), unit FROM ({source})",
        list(part),
    )
    [(rows,)] = connection.execute("SELECT count(*) - ? FROM raw_result", [before]).fetchall()
    report(connection, "info", "read", "values read", file=path.name, count=rows)
    _report_left_out(path, head, sheets, connection)
    connection.execute("DROP TABLE iamc")
    return int(rows)


def _value_columns(head: TableHead) -> dict[str, str]:
    """Return the columns of values, with the year of each ('' where a column gives the year)."""
    place = head.place("value")
    if place is not None:
        return {f"c{place}": ""}
    return {
        f"c{place}": match[1] for place, key in enumerate(head.keys) if (match := _YEAR.match(key))
    }


def _check_long_years(path: Path, head: TableHead, connection: duckdb.DuckDBPyConnection) -> None:
    bad = connection.execute(
        f"SELECT rowid, {_text(head, 'year')} AS year FROM iamc"
        f" WHERE {_text(head, 'variable')} <> '' AND NOT regexp_full_match(year, ?)"
        " ORDER BY rowid LIMIT 1",
        [r"\d{4}(\.0+)?"],
    ).fetchone()
    if bad:
        row, text = bad
        raise UnreadableFileError(
            path.name,
            f"{str(text)[:60]!r} is not a year",
            "a year such as 2030",
            line=head.line + 1 + int(row),
        )


def _refuse_repeated_years(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse two values for the same variable, region, unit and year."""
    repeated = connection.execute(
        "SELECT attribute, region, year, list(DISTINCT value) FROM raw_result"
        " WHERE value IS NOT NULL GROUP BY attribute, region, year, timeslice, unit"
        " HAVING count(DISTINCT value) > 1 ORDER BY ALL LIMIT 1"
    ).fetchone()
    if repeated:
        variable, region, year, values = repeated
        raise UnreadableFileError(
            path.name,
            f"the year {year} is given twice for {variable} in {region}, with the values"
            f" {', '.join(f'{value:g}' for value in sorted(values)[:4])}",
            "one value for each model, scenario, region, variable, unit and year",
        )


def _report_left_out(
    path: Path, head: TableHead, sheets: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> None:
    columns = [
        name
        for name, key in zip(head.names, head.keys, strict=True)
        if key and key not in _KNOWN and not _YEAR.match(key)
    ]
    [(empty,)] = connection.execute(
        f"SELECT count(*) FROM iamc WHERE {_text(head, 'variable')} = ''"
    ).fetchall()
    for message, names, count in (
        ("columns that are not known were left out", columns, len(columns)),
        ("other sheets of the workbook were not read", sheets, len(sheets)),
        ("rows without a variable were left out", [], empty),
    ):
        if count:
            shown = f"{message}: {', '.join(names[:8])}" if names else message
            report(connection, "info", "left_out", shown, file=path.name, count=count)


def _report_what_is_missing(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    [(variables,)] = connection.execute(
        "SELECT count(DISTINCT attribute) FROM raw_result WHERE unit IS NULL"
    ).fetchall()
    if variables:
        message = "variables have no unit"
        report(connection, "warning", "units", message, file=path.name, count=variables)
    message = "variables are shown one by one: parents and parts are never added up"
    [(count,)] = connection.execute("SELECT count(DISTINCT attribute) FROM raw_result").fetchall()
    report(connection, "info", "variables", message, file=path.name, count=count)
