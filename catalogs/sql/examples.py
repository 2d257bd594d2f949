"""Queries that come with the program, for questions asked of TIMES results again and again.

    example = examples()["generation-mix"]
    example.sql, starting_values(source, example)      # {"scenario": "Reference"}

They are in ``examples.yaml``. Their text is ours, so a page may run them without being asked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from catalogs.source import Source
from catalogs.sql.dictionary import dictionary_of
from catalogs.sql.statements import Parameter, parameters

#: The year that queries begin with is the first one from here on.
_FIRST_YEAR = 2030

#: A value that a parameter is bound to.
Value = str | int | float | bool | None


@dataclass(frozen=True)
class ChartChoice:
    """How an answer is first shown: the kind, and the columns of its axes and colours."""

    kind: str = "table"
    x: str = ""
    y: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Example:
    """A query that comes with the program.

    ``answers`` says what it answers; ``needs`` what a dataset must have for rows to come, '' where
    all have it.
    """

    name: str
    section: str
    title: str
    answers: str
    sql: str
    chart: ChartChoice
    needs: str
    defaults: Mapping[str, str]
    values: Mapping[str, Value]


@cache
def examples() -> Mapping[str, Example]:
    """Return the queries by name, in the order in which they are shown."""
    text = files("catalogs.sql").joinpath("examples.yaml").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            entry["name"]: Example(
                name=entry["name"],
                section=section["section"],
                title=entry["title"],
                answers=entry["answers"],
                sql=entry["sql"],
                chart=ChartChoice(**entry.get("chart", {})),
                needs=entry.get("needs", ""),
                defaults=MappingProxyType(entry.get("defaults", {})),
                values=MappingProxyType(entry.get("values", {})),
            )
            for section in yaml.safe_load(text)
            for entry in section["queries"]
        }
    )


def starting_values(
    source: Source, example: Example, base: str = "", other: str = ""
) -> dict[str, Value]:
    """Return a value for each parameter of an example: its own default, else the dataset's.

    ``base`` and ``other`` are the scenarios that are compared; '' for the dataset's first ones.
    """
    found: dict[str, Value] = {}
    for parameter in parameters(example.sql):
        if parameter.name in example.values:
            found[parameter.name] = example.values[parameter.name]
        elif parameter.name in example.defaults:
            rows = source.rows(example.defaults[parameter.name])
            found[parameter.name] = rows[0][0] if rows else ""
        else:
            found[parameter.name] = starting_value(source, parameter, base, other)
    return found


def starting_value(source: Source, parameter: Parameter, base: str = "", other: str = "") -> Value:
    """Return a value that a parameter may begin with in a dataset."""
    if parameter.column == "scenario":
        names = source.scenario_names
        first = base or next(iter(names), "")
        if "other" not in parameter.name.lower():
            return first
        return other or next((name for name in names if name != first), first)
    if parameter.column == "year":
        years = source.years
        return next((year for year in years if year >= _FIRST_YEAR), (*years, _FIRST_YEAR)[-1])
    if parameter.column:
        members = dictionary_of(source).members(parameter.column)
        return members[0][0] if members else ""
    plain: Mapping[str, Any] = {"whole": 10, "number": 0.0, "flag": True, "date": None}
    value: Value = plain.get(parameter.kind, "")
    return value
