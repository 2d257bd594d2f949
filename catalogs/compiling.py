"""From a query to SQL over the views of a ``Source``. Pure: values only ever as parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from catalogs import balance
from catalogs.measures import PROCESS_GROUPS, RESULT_DIMENSIONS, Measure, attributes, measure
from catalogs.query import Query
from catalogs.tables import AGGREGATE_PROCESS
from catalogs.units import UNKNOWN_UNIT, size_below

Parameters = dict[str, object]

#: Attributes in which the process ``-`` stands for an aggregate of other rows.
FLOW_ATTRIBUTES = ("VAR_FIn", "VAR_FOut")

#: Sources of units that each process has for itself.
PER_PROCESS = ("activity", "capacity", "by user constraint")

_PARAMETER = re.compile(r"\$(\w+)")

#: A sum this small beside its own summands is what rounding leaves of things that cancel.
_ROUNDING = 1e-9

#: The flow that a boundary counts, in the unit shown.
_COUNTED = "f.value * b.factor * u.factor"


@dataclass(frozen=True)
class Conversion:
    """How values become those shown.

    ``factors`` maps each unit that values may have to what it is multiplied by; rows of other
    units are left out. ``scale`` is that of a share (100 for per cent). ``expected`` weighs the
    states of the world by their probability, where not, those of ``several`` are counted;
    ``per_capita`` divides by the population.
    """

    factors: Mapping[str, float]
    scale: float = 1.0
    expected: bool = False
    several: bool = False
    per_capita: bool = False


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


def compile_query(query: Query, conversion: Conversion) -> CompiledQuery:
    """Turn a query into SQL over the views of a ``Source``.

    The result has the columns scenario, year, the groups, value and those of ``checks``.
    """
    asked = measure(query.measure)
    factors = conversion.factors
    parameters: Parameters = {"units": list(factors), "factors": list(factors.values())}
    make = {
        "attribute": _attribute,
        "price": _price,
        "figure": _figure,
        "balance": _figure,
        "share": _share,
        "power": _power,
        "cumulative": _cumulative,
        "flow": _flow,
    }[asked.source]
    compiled = make(query, asked, parameters, conversion)
    return _per_capita(query, compiled) if conversion.per_capita else compiled


# ---------------------------------------------------------------------------- common parts


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


def _parts(asked: Measure, parameters: Parameters, column: str) -> str:
    """Return the condition that keeps the parts that a measure counts, '' where all count."""
    if not asked.parts:
        return ""
    parameters["parts"] = list(asked.parts)
    return f"\n    AND {column} IN (SELECT unnest($parts))"


def _group_columns(query: Query, columns: Mapping[str, str]) -> str:
    return "".join(f", {columns.get(g, f'f.{g}')} AS {g}" for g in query.group_by)


def _units_table(parameters: Parameters, *, sizes: Sequence[float] = ()) -> str:
    size = ""
    if sizes:
        parameters["sizes"] = list(sizes)
        size = ", unnest($sizes) AS size"
    return f"(SELECT unnest($units) AS unit, unnest($factors) AS factor{size}) AS u"


def _states(conversion: Conversion) -> tuple[str, str]:
    """Return the join and the factor that weigh states of the world by their probability."""
    if not conversion.expected:
        return "", ""
    join = (
        "\nLEFT JOIN state AS w ON w.scenario = f.scenario AND w.sow = f.sow"
        " AND w.year IS NOT DISTINCT FROM f.year"
    )
    return join, " * coalesce(w.probability, 1)"


def _state_check(query: Query, conversion: Conversion) -> list[str]:
    """Return what to count so that states of the world are never added up."""
    return ["sow"] if conversion.several and "sow" not in query.group_by else []


def _counts(dimensions: Sequence[str]) -> str:
    return "".join(f",\n    count(DISTINCT f.{d}) AS distinct_{d}" for d in dimensions)


def _checks(dimensions: Sequence[str]) -> dict[str, str]:
    return {f"distinct_{d}": d for d in dimensions}


def _process_groups(query: Query) -> tuple[str, dict[str, str]]:
    """Return the join with the groups of processes, where they are asked for, and its columns."""
    if not query.asks_for.intersection(PROCESS_GROUPS):
        return "", {}
    join = (
        "\nLEFT JOIN process_group AS g ON g.scenario = f.scenario AND g.region = f.region"
        " AND g.process = f.process"
    )
    return join, {name: f"coalesce(g.{name}, '-')" for name in PROCESS_GROUPS}


# ---------------------------------------------------------------------------- flows


def _counted(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> tuple[str, dict[str, str], str]:
    """Return the tables that flows over a boundary come from, their columns, and the weight."""
    columns = {name: f"b.{name}" for name in (*PROCESS_GROUPS, "part", "partner")}
    table = "flow" if "timeslice" in query.asks_for else "flow_annual"
    parameters["boundary"] = asked.boundary
    join, weight = _states(conversion)
    tables = (
        f"FROM {table} AS f\n"
        "JOIN boundary AS b USING (scenario, region, process, commodity, direction)\n"
        f"JOIN {_units_table(parameters)} ON u.unit = b.unit{join}"
    )
    return tables, columns, weight


def _flow(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> CompiledQuery:
    """Flows that cross a boundary, each with its sign."""
    tables, columns, weight = _counted(query, asked, parameters, conversion)
    conditions = _conditions(query, parameters, columns) + _parts(asked, parameters, "b.part")
    checked = _state_check(query, conversion)
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    sum({_COUNTED}{weight}) AS value{_counts(checked)}
{tables}
WHERE b.boundary = $boundary{conditions}
GROUP BY ALL
HAVING abs(value) > {_ROUNDING} * sum(abs({_COUNTED}))
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, _checks(checked))


def _share(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> CompiledQuery:
    """A part of the flows that cross a boundary, over all of them."""
    tables, columns, weight = _counted(query, asked, parameters, conversion)
    if asked.numerator == "renewable":
        part = "coalesce(r.share, 0)"
        tables += (
            "\nLEFT JOIN renewable AS r ON r.scenario = f.scenario AND r.sow = f.sow"
            " AND r.year = f.year AND r.region = f.region AND r.process = f.process"
            " AND r.commodity = f.commodity AND r.direction = f.direction"
        )
    else:
        parameters["parts"] = list(asked.parts)
        part = "if(list_contains($parts, b.part), 1, 0)"
    base = f"sum({_COUNTED}{weight})"
    checked = _state_check(query, conversion)
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    {conversion.scale:g} * sum({_COUNTED}{weight} * {part}) / {base} AS value{_counts(checked)}
{tables}
WHERE b.boundary = $boundary{_conditions(query, parameters, columns)}
GROUP BY ALL
HAVING abs({base}) > {_ROUNDING} * sum(abs({_COUNTED}))
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, _checks(checked))


def _power(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> CompiledQuery:
    """Flows per hour of their timeslice; of the year where no timeslice is asked for."""
    tables, columns, weight = _counted(query, asked, parameters, conversion)
    hours, checked = "", _state_check(query, conversion)
    if "timeslice" in query.asks_for:
        tables += (
            "\nLEFT JOIN timeslice AS t ON t.scenario = f.scenario AND t.region = f.region"
            " AND t.timeslice = f.timeslice"
            "\nLEFT JOIN timeslice AS s ON s.scenario = f.scenario AND s.region = '-'"
            " AND s.timeslice = f.timeslice"
        )
        year = "if(f.timeslice = 'ANNUAL', 1, NULL)"
        hours = f" / coalesce(t.year_fraction, s.year_fraction, {year})"
        checked += [d for d in ("timeslice",) if d not in query.group_by]
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    sum({_COUNTED}{weight}{hours}) AS value{_counts(checked)}
{tables}
WHERE b.boundary = $boundary{_conditions(query, parameters, columns)}
GROUP BY ALL
HAVING value IS NOT NULL
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, _checks(checked))


def _cumulative(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> CompiledQuery:
    """Flows times the length of their periods, from the first period to the end of each."""
    tables, columns, weight = _counted(query, asked, parameters, conversion)
    conditions = _conditions(query, parameters, {**columns, "year": "t.year"})
    checked = _state_check(query, conversion)
    sql = f"""
SELECT f.scenario, t.year{_group_columns(query, columns)},
    sum({_COUNTED}{weight} * p.length) AS value{_counts(checked)}
{tables}
JOIN period AS p ON p.scenario = f.scenario AND p.year = f.year
JOIN period AS t ON t.scenario = f.scenario AND t.year >= f.year
WHERE b.boundary = $boundary{conditions}
GROUP BY ALL
HAVING abs(value) > {_ROUNDING} * sum(abs({_COUNTED} * p.length))
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, _checks(checked))


# ---------------------------------------------------------------------------- figures


def _figure(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> CompiledQuery:
    """What was worked out at import; a ratio is the sum of values over that of their bases.

    A balance by timeslice is worked out now: it would be a row for every flow.
    """
    table, is_asked = "figure", "f.figure = $figure"
    if asked.source == "balance" and "timeslice" in query.asks_for:
        table, is_asked = _balance(query, parameters), "true"
    else:
        parameters["figure"] = asked.figure
    joins, columns = _process_groups(query)
    states, weight = _states(conversion)
    conditions = _conditions(query, parameters, columns) + _parts(asked, parameters, "f.part")
    known = ("region", "process", "commodity", "user_constraint")
    checked = [d for d in known if d not in asked.sum_over and d not in query.group_by]
    checked += _state_check(query, conversion)
    value = f"sum(f.value * u.factor{weight})"
    having = ""
    if asked.ratio:
        base = f"sum(f.base * u.factor{weight})"
        value = f"{conversion.scale:g} * {value} / {base}"
        having = f"\nHAVING {base} > 0"
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    {value} AS value{_counts(checked)}
FROM {table} AS f
JOIN {_units_table(parameters)} ON u.unit = coalesce(f.unit, 'unknown'){joins}{states}
WHERE {is_asked}{conditions}
GROUP BY ALL{having}
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, _checks(checked))


def _balance(query: Query, parameters: Parameters) -> str:
    """Return the parts of the balances of the commodities asked for, by timeslice."""
    whole = ("region", "commodity")  # a balance of some processes, or timeslices, does not close
    kept = tuple((name, values) for name, values in query.filters if name in whole)
    conditions = _conditions(replace(query, filters=kept), parameters, {})
    keys = ("scenario", "sow", "year", "timeslice")
    lost = f"({balance.losses(keys, conditions)})"
    return f"({balance.parts('flow', lost, keys, conditions)})"


# ---------------------------------------------------------------------------- attributes


def _attribute(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> CompiledQuery:
    """Values of one attribute; counts what is added up over dimensions that must not be.

    Processes whose units are unknown may have different ones: then they are counted as well.
    """
    parameters["attribute"] = asked.attribute
    if asked.boundary:
        parameters["boundary"] = asked.boundary
        joins = (
            "\nJOIN boundary AS b ON b.scenario = f.scenario AND b.region = f.region"
            " AND b.process = f.process AND b.boundary = $boundary"
        )
        columns = {name: f"b.{name}" for name in PROCESS_GROUPS}
    else:
        joins, columns = _process_groups(query)
    if adds_up_levels(query, asked):
        joins += (
            "\nANTI JOIN storage AS s ON s.scenario = f.scenario AND s.region = f.region"
            " AND s.process = f.process"
        )
    states, weight = _states(conversion)
    conditions = _conditions(query, parameters, columns)
    if asked.attribute in FLOW_ATTRIBUTES and "process" not in query.asks_for:
        parameters["aggregate"] = AGGREGATE_PROCESS
        conditions += "\n    AND f.process <> $aggregate"
    checked = _checked(query, asked, conversion)
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, columns)},
    sum(f.value * u.factor{weight}) AS value{_counts(checked)}
FROM result AS f
JOIN {_units_table(parameters)}
    ON u.unit = coalesce(f.unit, 'unknown'){joins}{states}
WHERE f.attribute = $attribute{conditions}
GROUP BY ALL
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, _checks(checked))


def adds_up_levels(query: Query, asked: Measure) -> bool:
    """Whether levels of storages would be added up over timeslices: then they are left out."""
    one = len(query.kept("timeslice")) == 1
    return asked.attribute == "VAR_Act" and "timeslice" not in query.group_by and not one


def _checked(query: Query, asked: Measure, conversion: Conversion) -> list[str]:
    """Return the dimensions that are neither kept apart nor may be added up over."""
    found = [d for d in RESULT_DIMENSIONS if d not in asked.sum_over and d not in query.group_by]
    if conversion.expected:
        found.remove("sow")
    known = attributes().get(asked.attribute)
    if known and known.unit_source in PER_PROCESS and UNKNOWN_UNIT in conversion.factors:
        found += [d for d in ("process",) if d not in (*query.group_by, *found)]
    return found


# ---------------------------------------------------------------------------- prices


def _price(
    query: Query, asked: Measure, parameters: Parameters, conversion: Conversion
) -> CompiledQuery:
    """Shadow prices, averaged by flow; never over commodities.

    Flows weigh by their amount, whatever unit a region measures them in; beside them, a price
    without any flow, which is weighted by time, has no weight.
    """
    parameters["kind"] = asked.kind
    units = _units_table(parameters, sizes=[size_below(name) for name in conversion.factors])
    checked = [] if "commodity" in query.group_by else ["commodity"]
    checked += _state_check(query, conversion)
    states, probability = _states(conversion)
    weight = f"f.weight * if(f.weighted_by = 'time', 1.0, u.size){probability}"
    sql = f"""
SELECT f.scenario, f.year{_group_columns(query, {"fuel": "g.fuel"})},
    {asked.factor:g} * sum(f.value * u.factor * {weight}) / sum({weight}) AS value\
{_counts(checked)}
FROM price AS f
JOIN commodity_group AS g USING (scenario, region, commodity)
JOIN {units} ON u.unit = f.unit{states}
WHERE g.kind = $kind AND f.weight > 0{_conditions(query, parameters, {"fuel": "g.fuel"})}
GROUP BY ALL
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), parameters, _checks(checked))


# ---------------------------------------------------------------------------- per capita


def _per_capita(query: Query, compiled: CompiledQuery) -> CompiledQuery:
    """Divide by the people of the regions asked for, where all of them are known."""
    by_region = "region" in query.group_by
    conditions = ""
    for values, name in ((query.regions, "regions"), (query.kept("region"), "only_region")):
        if values:
            conditions += f" AND region IN (SELECT unnest(${name}))"
    keys = "scenario, region" if by_region else "scenario"
    groups = "".join(f", v.{group}" for group in query.group_by)
    checks = "".join(f", v.{column}" for column in compiled.checks)
    sql = f"""
SELECT v.scenario, v.year{groups}, v.value / p.people AS value{checks}
FROM (
{compiled.sql}
) AS v
JOIN (
    SELECT {keys}, year, sum(people) AS people, count(*) AS regions
    FROM population WHERE true{conditions} GROUP BY ALL
) AS p USING ({keys}, year)
JOIN (
    SELECT {keys}, count(*) AS regions
    FROM region WHERE kind = 'internal'{conditions} GROUP BY ALL
) AS n USING ({keys}, regions)
ORDER BY ALL"""
    return CompiledQuery(sql.strip(), compiled.parameters, compiled.checks)
