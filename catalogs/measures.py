"""Measures and attributes: what may be asked for, and what each may be added up over.

Two tables hold this: ``semantics/measures.yaml`` and ``semantics/attributes.csv``. An attribute
can be asked for by itself as the measure ``attribute:NAME``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from catalogs.errors import UnknownNameError

ATTRIBUTE_PREFIX = "attribute:"

#: The dimensions of a result, beside scenario and year, which are never added up.
RESULT_DIMENSIONS = (
    "region",
    "process",
    "commodity",
    "timeslice",
    "vintage",
    "user_constraint",
    "sow",
)
#: Groups that a process is in; grouping by one adds up over processes.
PROCESS_GROUPS = ("sector", "technology", "fuel")


@dataclass(frozen=True)
class Attribute:
    """A TIMES attribute: its meaning, where its unit comes from, what it may be summed over.

    ``group_by`` is the dimension that it is first shown by.
    """

    name: str
    label: str
    kind: str
    unit_source: str
    sum_over: frozenset[str]
    group_by: str
    definition: str


@dataclass(frozen=True)
class Measure:
    """Something that can be asked for.

    ``source`` is the derived table it reads (flow, attribute, price); ``groups`` what it may be
    grouped by, the default first; ``sum_over`` the dimensions that may be added up; ``units`` the
    preferred ones; ``dimension`` what its values must measure ('' for anything).
    """

    name: str
    label: str
    definition: str
    source: str
    groups: tuple[str, ...]
    sum_over: frozenset[str]
    boundary: str = ""
    attribute: str = ""
    dimension: str = ""
    units: tuple[str, ...] = ()
    kind: str = ""
    chart: str = "bars"
    factor: float = 1.0
    start_with: str = ""

    @property
    def default_group(self) -> str:
        """What it is grouped by unless said otherwise."""
        return self.groups[0]


@cache
def attributes() -> Mapping[str, Attribute]:
    """Return the attribute table, by VEDA name."""
    text = files("catalogs.semantics").joinpath("attributes.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row["attribute"]: Attribute(
                row["attribute"],
                row["label"],
                row["kind"],
                row["unit_source"],
                frozenset(row["sum_over"].split()),
                row["group_by"],
                row["definition"],
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


@cache
def measures() -> Mapping[str, Measure]:
    """Return the table of measures, by name, in the order in which they are offered."""
    text = files("catalogs.semantics").joinpath("measures.yaml").read_text(encoding="utf-8")
    return MappingProxyType(
        {name: _measure(name, entry) for name, entry in yaml.safe_load(text).items()}
    )


def _measure(name: str, entry: dict[str, Any]) -> Measure:
    sum_over = entry.pop("sum_over", RESULT_DIMENSIONS)
    return Measure(
        name=name,
        groups=tuple(entry.pop("groups")),
        units=tuple(entry.pop("units", ())),
        sum_over=frozenset(sum_over),
        **entry,
    )


def measure(name: str) -> Measure:
    """Return a measure of the table, or ``attribute:NAME`` as a measure of its own.

    An attribute that the table does not know may not be summed over anything.
    """
    if name.startswith(ATTRIBUTE_PREFIX):
        return _of_attribute(name, name.removeprefix(ATTRIBUTE_PREFIX))
    try:
        return measures()[name]
    except KeyError:
        known = ", ".join(measures())
        raise UnknownNameError(
            f"There is no measure {name!r}.", f"Choose one of {known}, or {ATTRIBUTE_PREFIX}NAME."
        ) from None


def _of_attribute(name: str, attribute_name: str) -> Measure:
    known = attributes().get(attribute_name)
    definition = (
        known.definition
        if known
        else (
            "This attribute is not in the table of attributes: its values are shown as they are and"
            " never added up."
        )
    )
    sum_over = known.sum_over if known else frozenset()
    first = known.group_by if known else "process"
    groups = dict.fromkeys((first, *RESULT_DIMENSIONS, *PROCESS_GROUPS))
    return Measure(
        name=name,
        label=f"{known.label} ({attribute_name})" if known else attribute_name,
        definition=definition,
        source="attribute",
        groups=tuple(groups),
        sum_over=sum_over,
        attribute=attribute_name,
        chart="lines" if known and known.kind == "price" else "bars",
    )
