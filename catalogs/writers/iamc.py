"""IAMC: the table that integrated-assessment models exchange, wide (a column a year) or long.

Columns as the IAMC and pyam define them: Model, Scenario, Region, Variable, Unit, and the years;
long files have Year and Value in their place.

A variable is the measure's name and its groups, or the attribute and the dimensions it uses, set
apart by ``|``. All variables of a measure or attribute are equally long, so that no row is the
parent of another: adding them up counts nothing twice. Timeslices are part of the variable; in
TIMES results all of them add up, ANNUAL included, which ``subannual`` would not say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO

import duckdb

from catalogs.errors import NotAvailableError, TimesError
from catalogs.measures import measure
from catalogs.query import Query
from catalogs.source import Answer, Source
from catalogs.store import PublishedScenario
from catalogs.tables import NO_VALUE
from catalogs.units import UNKNOWN_UNIT
from catalogs.writers.base import Content, Writer, Written
from catalogs.writers.delimited import write_batches
from catalogs.writers.selection import (
    BATCH_ROWS,
    Results,
    answer_table,
    chosen_scenarios,
    is_one_of,
    result_rows,
)

SEPARATOR = "|"

_INDEX = ("Model", "Scenario", "Region", "Variable", "Unit")
_KEY = ", ".join(f'"{name}"' for name in _INDEX)

#: The dimensions of a result row that follow its attribute in the variable, in this order.
_IN_VARIABLE = ("commodity", "process", "timeslice", "vintage", "user_constraint", "sow")

#: What stands for all regions of a scenario that has more than a few.
_ALL_REGIONS = "All regions"
_MOST_NAMED = 4


def write_wide(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write an export as IAMC with a column for each year; see the module."""
    rows, left_out = _rows(source, content)
    years = [year for (year,) in rows.aggregate("Year").order("Year").fetchall()]
    columns = ", ".join(f'max("Value") FILTER ("Year" = {int(y)}) AS "{int(y)}"' for y in years)
    wide = rows.aggregate(f"{_KEY}, {columns}", _KEY).order(_KEY)
    return _write(wide, left_out, stream)


def write_long(source: Source, content: Content, stream: BinaryIO) -> Written:
    """Write an export as IAMC with a row for each value; see the module."""
    rows, left_out = _rows(source, content)
    return _write(rows, left_out, stream)


def _write(rows: duckdb.DuckDBPyRelation, left_out: tuple[str, ...], stream: BinaryIO) -> Written:
    reader = rows.to_arrow_reader(BATCH_ROWS)
    return Written(write_batches(reader.schema, reader, stream), left_out=left_out)


def _rows(source: Source, content: Content) -> tuple[duckdb.DuckDBPyRelation, tuple[str, ...]]:
    """Return the long table, one row for each value, and what is left out of it.

    Raises ``TimesError`` where two values would stand in one cell.
    """
    if isinstance(content, Results):
        rows = _of_results(source, content)
    else:
        rows = _of_answer(source, content)
    kept = rows.filter('"Year" IS NOT NULL AND isfinite("Value")')
    [(without_year, without_value, total)] = rows.aggregate(
        'count(*) FILTER ("Year" IS NULL), count(*) FILTER ("Year" IS NOT NULL'
        ' AND NOT coalesce(isfinite("Value"), false)), count(*)'
    ).fetchall()
    if total == without_year + without_value:
        raise NotAvailableError(
            "No value of the selection has a year, and IAMC has no place for one without.",
            "Choose other attributes, or export as CSV or Parquet.",
        )
    _refuse_repeated(kept)
    left_out = []
    if without_year:
        left_out.append(f"values without a year ({without_year:,})")
    if without_value:
        left_out.append(f"values that are missing or infinite ({without_value:,})")
    return kept, tuple(left_out)


def _refuse_repeated(rows: duckdb.DuckDBPyRelation) -> None:
    repeated = (
        rows.aggregate(f'{_KEY}, "Year", count(*) AS times', f'{_KEY}, "Year"')
        .filter("times > 1")
        .order(f'{_KEY}, "Year"')
        .limit(1)
        .fetchall()
    )
    for *names, year, times in repeated:
        raise TimesError(
            f"The selection has {times} values for {names[3]} in {names[2]}, {year}"
            f" ({names[1]}), and IAMC has room for one.",
            "Leave that attribute out, or export as CSV or Parquet.",
            "\n".join(f"{k}: {v}" for k, v in zip(_INDEX, names, strict=True)),
        )


# ---------------------------------------------------------------------------- the long table


def _of_results(source: Source, selection: Results) -> duckdb.DuckDBPyRelation:
    """Return the long table of result rows, values without a year or number among them."""
    rows = result_rows(source, selection)
    cells = _cells(source, selection, has_regions=True)
    cells["Variable"] = _variable_of_attribute(rows)
    cells["Unit"] = duckdb.SQLExpression(f"coalesce(unit, '{UNKNOWN_UNIT}')")
    return rows.select(*(cells[name].alias(name) for name in (*_INDEX, "Year", "Value")))


def _of_answer(source: Source, answer: Answer) -> duckdb.DuckDBPyRelation:
    """Return the long table of an answer."""
    query = answer.query
    rows = duckdb.connect().from_arrow(answer_table(answer))
    cells = _cells(source, answer, has_regions="region" in query.group_by)
    groups = [_part(group) for group in query.group_by if group != "region"]
    label = duckdb.ConstantExpression(_plain(measure(query.measure).label))
    cells["Variable"] = _joined([label, *map(duckdb.SQLExpression, groups)])
    cells["Unit"] = duckdb.ColumnExpression("unit")
    return rows.select(*(cells[name].alias(name) for name in (*_INDEX, "Year", "Value")))


def _cells(source: Source, content: Content, *, has_regions: bool) -> dict[str, duckdb.Expression]:
    """Return the columns that results and answers have in common."""
    scenarios = chosen_scenarios(source, content)
    chosen = (content if isinstance(content, Results) else content.query).regions
    regions = _looked_up("scenario", {s.key: _regions_of(source, s, chosen) for s in scenarios})
    if has_regions:
        region = duckdb.ColumnExpression("region")
        none = region == duckdb.ConstantExpression(NO_VALUE)
        regions = duckdb.CaseExpression(none, regions).otherwise(region)
    return {
        "Model": _looked_up("scenario", {s.key: s.model for s in scenarios}),
        "Scenario": _looked_up("scenario", {s.key: s.scenario for s in scenarios}),
        "Region": regions,
        "Year": duckdb.ColumnExpression("year"),
        "Value": duckdb.ColumnExpression("value"),
    }


def _regions_of(source: Source, scenario: PublishedScenario, chosen: Sequence[str]) -> str:
    """Name what a value over several regions is for: the regions, or all of them."""
    own = source.regions_of[scenario.key]
    named = sorted(own.intersection(chosen) if chosen else own)
    return "+".join(named) if 0 < len(named) <= _MOST_NAMED or chosen else _ALL_REGIONS


def _looked_up(column: str, values: Mapping[str, str]) -> duckdb.Expression:
    """Return what stands for each value of a column; all are bound as constants."""
    key = duckdb.ColumnExpression(column)
    (first, its_value), *others = values.items()
    found = duckdb.CaseExpression(
        key == duckdb.ConstantExpression(first), duckdb.ConstantExpression(its_value)
    )
    for name, value in others:
        found = found.when(key == duckdb.ConstantExpression(name), duckdb.ConstantExpression(value))
    return found


def _variable_of_attribute(rows: duckdb.DuckDBPyRelation) -> duckdb.Expression:
    """Return the variable of a result row: as many dimensions as any row of its attribute has."""
    deepest = " ".join(
        f"WHEN bool_or({name} <> '{NO_VALUE}') THEN {len(_IN_VARIABLE) - number}"
        for number, name in enumerate(reversed(_IN_VARIABLE))
    )
    attributes: dict[int, list[str]] = {}
    for attribute, depth in rows.aggregate(
        f"attribute, CASE {deepest} ELSE 0 END", "attribute"
    ).fetchall():
        attributes.setdefault(depth, []).append(attribute)
    parts = [duckdb.SQLExpression(_part(name)) for name in ("attribute", *_IN_VARIABLE)]
    found: duckdb.Expression | None = None
    for depth, names in attributes.items():
        condition, variable = is_one_of("attribute", names), _joined(parts[: depth + 1])
        if found is None:
            found = duckdb.CaseExpression(condition, variable)
        else:
            found = found.when(condition, variable)
    return parts[0] if found is None else found


def _part(column: str) -> str:
    """Return the SQL of a part of a variable: a code must not add a level of its own."""
    return f"replace(coalesce({column}::VARCHAR, '{NO_VALUE}'), '{SEPARATOR}', '/')"


def _plain(text: str) -> str:
    return text.replace(SEPARATOR, "/")


def _joined(parts: Sequence[duckdb.Expression]) -> duckdb.Expression:
    separator = duckdb.ConstantExpression(SEPARATOR)
    return duckdb.FunctionExpression("concat_ws", separator, *parts)


_TAKES = (Results, Query)
WRITERS = (
    Writer("iamc", "IAMC, a column a year", ".csv", "text/csv", _TAKES, write_wide),
    Writer("iamc-long", "IAMC, a row a value", ".csv", "text/csv", _TAKES, write_long),
)
