"""Query: a small immutable description of what is asked for, and the SQL it becomes.

Nothing here opens a database. What must not be added up is refused in two places: by the tables
of meanings when the SQL is made, and by counts that the SQL brings along (``distinct_*``), for
rules that depend on the data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalogs.errors import UnknownNameError
from catalogs.measures import PROCESS_GROUPS, RESULT_DIMENSIONS, Measure, attributes, measure
from catalogs.tables import AGGREGATE_PROCESS
from catalogs.units import UNKNOWN_UNIT, size_below

Parameters = dict[str, object]

#: Attributes in which the process ``-`` stands for an aggregate of other rows.
FLOW_ATTRIBUTES = ("VAR_FIn", "VAR_FOut")

#: Sources of units that each process has for itself.
PER_PROCESS = ("activity", "capacity", "by user constraint")

#: What can be filtered by or grouped by, beside scenario and year.
DIMENSIONS = (*RESULT_DIMENSIONS, *PROCESS_GROUPS, "part")

#: What a measure can be filtered by, by the table it reads.
FILTERS: Mapping[str, tuple[str, ...]] = {
    "flow": ("region", "process", "commodity", "timeslice", *PROCESS_GROUPS, "part"),
    "attribute": (*RESULT_DIMENSIONS, *PROCESS_GROUPS),
    "price": ("region", "commodity", "timeslice", "fuel"),
}

_PARAMETER = re.compile(r"\$(\w+)")

#: A sum this small beside its own summands is what rounding leaves of things that cancel.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Query:
    """What is asked for. Empty tuples mean all.

    Parameters
    ----------
    measure
        The name of a measure, or ``attribute:NAME``.
    group_by
        Dimensions kept apart beside scenario and year; empty for the total.
    filters
        Pairs of a dimension and the values kept of it.
    unit
        The unit to show values in; '' for the measure's own.
    """

    measure: str
    scenarios: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    group_by: tuple[str, ...] = ()
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        known = measure(self.measure)
        for dimension in (*self.group_by, *(name for name, _ in self.filters)):
            if dimension not in DIMENSIONS:
                raise UnknownNameError(
                    f"There is no dimension {dimension!r}.", f"Choose of {', '.join(DIMENSIONS)}."
                )
        for dimension, _ in self.filters:
            if dimension not in FILTERS[known.source]:
                raise UnknownNameError(
                    f"{known.label} cannot be filtered by {dimension}.",
                    f"Filter it by {', '.join(FILTERS[known.source])}.",
                )
        for dimension in self.group_by:
            if dimension not in known.groups:
                raise UnknownNameError(
                    f"{known.label} cannot be grouped by {dimension}.",
                    f"Group it by {', '.join(known.groups)}.",
                )


@dataclass(frozen=True)
class CompiledQuery:
    """SQL with named parameters; values never stand in the text.

    ``checks`` maps a column of the result that counts distinct values within a sum to the
    dimension it counts.
    """

    sql: str
    parameters: Parameters
    checks: Mapping[str, str] = field(default_factory=dict)

    def shown(self) -> str:
        """Return the SQL with its parameters written out, for people to read and reuse."""
        return _PARAMETER.sub(lambda found: _literal(self.parameters[found[1]]), self.sql)


def _literal(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def compile_query(query: Query, units: Mapping[str, float]) -> CompiledQuery:
    """Turn a query into SQL over the views of a ``Source``.

    ``units`` maps each unit that values may have to the factor that brings it to the unit shown;
    rows of other units are left out. The result has the columns scenario, year, the groups, value
    and those of ``checks``.
    """
    asked = measure(query.measure)
    parameters: Parameters = {"units": list(units), "factors": list(units.values())}
    if asked.source == "attribute":
        return _attribute(query, asked, parameters, units)
    if asked.source == "price":
        return _price(query, asked, parameters, units)
    return _flow(query, asked, parameters)


def _conditions(query: Query, parameters: Parameters, columns: Mapping[str, str]) -> str:
    """Return the WHERE clause of the selection; ``columns`` gives where a dimension stands."""
    wanted: list[tuple[str, str, Sequence[object]]] = [
        (columns.get("scenario", "f.scenario"), "scenarios", query.scenarios),
        (columns.get("region", "f.region"), "regions", query.regions),
        (columns.get("year", "f.year"), "years", query.years),
    ]
    wanted += [
        (columns.get(name, f"f.{name}"), f"only_{name}", values) for name, values in query.filters
    ]
    parts = []
    for column, parameter, values in wanted:
        if values:
            parameters[parameter] = list(values)
            parts.append(f"{column} IN (SELECT unnest(${parameter}))")
    return "".join(f"\n    AND {part}" for part in parts)


def _group_columns(query: Query, columns: Mapping[str, str]) -> str:
    return "".join(f", {columns.get(g, f'f.{g}')} AS {g}" for g in query.group_by)


def _outer_columns(query: Query) -> str:
    return "".join(f", {group}" for group in query.group_by)


def _flow(query: Query, asked: Measure, parameters: Parameters) -> CompiledQuery:
    """Flows that cross a boundary, each with its sign."""
    columns = {name: f"b.{name}" for name in (*PROCESS_GROUPS, "part")}
    timeslices = "timeslice" in (*query.group_by, *(name for name, _ in query.filters))
    parameters["boundary"] = asked.boundary
    conditions = _conditions(query, parameters, columns)
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    sum(f.value * b.factor * u.factor) AS value
FROM {"flow" if timeslices else "flow_annual"} AS f
JOIN boundary AS b USING (scenario, region, process, commodity, direction)
JOIN (SELECT unnest($units) AS unit, unnest($factors) AS factor) AS u ON u.unit = b.unit
WHERE b.boundary = $boundary{conditions}
GROUP BY ALL
HAVING abs(value) > {_ROUNDING} * sum(abs(f.value * u.factor))
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters)


def _attribute(
    query: Query, asked: Measure, parameters: Parameters, units: Mapping[str, float]
) -> CompiledQuery:
    """Values of one attribute; counts what is added up over dimensions that must not be.

    Processes whose units are unknown may have different ones: then they are counted as well.
    """
    parameters["attribute"] = asked.attribute
    columns: dict[str, str] = {}
    joins = ""
    if asked.boundary:
        parameters["boundary"] = asked.boundary
        joins = (
            "\nJOIN boundary AS b ON b.scenario = f.scenario AND b.region = f.region"
            " AND b.process = f.process AND b.boundary = $boundary"
        )
        columns = {name: f"b.{name}" for name in PROCESS_GROUPS}
    elif _asks_for(query, PROCESS_GROUPS):
        joins = (
            "\nLEFT JOIN process_group AS g ON g.scenario = f.scenario AND g.region = f.region"
            " AND g.process = f.process"
        )
        columns = {name: f"coalesce(g.{name}, '-')" for name in PROCESS_GROUPS}
    if asked.attribute == "VAR_Act" and "timeslice" not in query.group_by:
        joins += (
            "\nANTI JOIN storage AS s ON s.scenario = f.scenario AND s.region = f.region"
            " AND s.process = f.process"
        )
    conditions = _conditions(query, parameters, columns)
    if asked.attribute in FLOW_ATTRIBUTES and not _asks_for(query, ("process",)):
        parameters["aggregate"] = AGGREGATE_PROCESS
        conditions += "\n    AND f.process <> $aggregate"
    checked = _checked(query, asked)
    known = attributes().get(asked.attribute)
    if known and known.unit_source in PER_PROCESS and UNKNOWN_UNIT in units:
        checked = list(dict.fromkeys([*checked, *({"process"} - {*query.group_by})]))
    counts = "".join(f",\n    count(DISTINCT f.{d}) AS distinct_{d}" for d in checked)
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    sum(f.value * u.factor) AS value{counts}
FROM result AS f
JOIN (SELECT unnest($units) AS unit, unnest($factors) AS factor) AS u
    ON u.unit = coalesce(f.unit, 'unknown'){joins}
WHERE f.attribute = $attribute{conditions}
GROUP BY ALL
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, {f"distinct_{d}": d for d in checked})


def _asks_for(query: Query, dimensions: Sequence[str]) -> bool:
    asked = (*query.group_by, *(name for name, _ in query.filters))
    return any(dimension in asked for dimension in dimensions)


def _checked(query: Query, asked: Measure) -> list[str]:
    """Return the dimensions that are neither kept apart nor may be added up over."""
    return [d for d in RESULT_DIMENSIONS if d not in asked.sum_over and d not in query.group_by]


def _price(
    query: Query, asked: Measure, parameters: Parameters, units: Mapping[str, float]
) -> CompiledQuery:
    """Shadow prices, averaged by flow; never over commodities.

    Flows weigh by their amount, whatever unit a region measures them in; beside them, a price
    without any flow, which is weighted by time, has no weight.
    """
    parameters["kind"] = asked.kind
    parameters["sizes"] = [size_below(name) for name in units]
    checked = [] if "commodity" in query.group_by else ["commodity"]
    counts = "".join(f",\n    count(DISTINCT f.{d}) AS distinct_{d}" for d in checked)
    columns = {"fuel": "g.fuel"}
    weight = "f.weight * if(f.weighted_by = 'time', 1.0, u.size)"
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    {asked.factor:g} * sum(f.value * u.factor * {weight}) / sum({weight}) AS value{counts}
FROM price AS f
JOIN commodity_group AS g USING (scenario, region, commodity)
JOIN (
    SELECT unnest($units) AS unit, unnest($factors) AS factor, unnest($sizes) AS size
) AS u ON u.unit = f.unit
WHERE g.kind = $kind AND f.weight > 0{_conditions(query, parameters, columns)}
GROUP BY ALL
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, {f"distinct_{d}": d for d in checked})
