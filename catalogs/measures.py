"""Measures and attributes: what may be asked for, and what each may be added up over.

Two tables hold this: ``semantics/measures.yaml`` and ``semantics/attributes.csv``. An attribute
can be asked for by itself as the measure ``attribute:NAME``. Users may put tables of their own
over both (see ``catalogs.semantics``); what the program's table forbids to add up stays forbidden.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from catalogs import semantics
from catalogs.errors import UnknownNameError, UnreadableFileError

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

#: What can be filtered by or grouped by, beside scenario and year.
DIMENSIONS = (*RESULT_DIMENSIONS, *PROCESS_GROUPS, "part", "partner")

#: What a measure can be filtered by, by what it is worked out from.
FILTERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "flow": (
            "region", "process", "commodity", "timeslice", *PROCESS_GROUPS, "part", "partner",
        ),
        "share": ("region", "process", "commodity", *PROCESS_GROUPS, "part"),
        "power": ("region", "process", "commodity", "timeslice", *PROCESS_GROUPS),
        "cumulative": ("region", "process", "commodity", *PROCESS_GROUPS, "part"),
        "figure": (
            "region", "process", "commodity", "user_constraint", *PROCESS_GROUPS, "part",
        ),
        "balance": ("region", "process", "commodity", "timeslice", *PROCESS_GROUPS, "part"),
        "attribute": RESULT_DIMENSIONS + PROCESS_GROUPS,
        "price": ("region", "commodity", "timeslice", "fuel"),
    }
)  # fmt: skip

#: Sources whose values are averages or shares: never a total of several, whatever the groups.
_RATIOS = frozenset({"share", "price"})

_NUMERATORS = frozenset({"renewable", "parts"})


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

    Parameters
    ----------
    source
        What it is worked out from: ``flow`` (flows that cross a boundary), ``share`` (a part of
        them over the whole), ``power`` (them per hour), ``cumulative`` (them times the years
        gone), ``attribute`` (result rows as they are), ``price``, ``figure`` (worked out at
        import, see ``catalogs.figures``), or ``balance`` (the same, by timeslice as well).
    groups
        What it may be grouped by, the default first.
    sum_over
        The dimensions that may be added up.
    units, dimension
        The preferred units; what its values must measure ('' for anything).
    parts
        The parts of the boundary or figure that count; of a ``share``, those above the line.
    numerator
        What of a ``share`` stands above the line: ``renewable`` or ``parts``.
    ratio
        Whether a figure is divided by its base: then values are never added up.
    section
        The heading under which it is listed.
    needs
        What must be given for it, said where it cannot be shown.
    """

    name: str
    label: str
    definition: str
    source: str
    groups: tuple[str, ...]
    sum_over: frozenset[str]
    boundary: str = ""
    attribute: str = ""
    figure: str = ""
    dimension: str = ""
    units: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    numerator: str = ""
    kind: str = ""
    chart: str = "bars"
    factor: float = 1.0
    ratio: bool = False
    start_with: str = ""
    section: str = "Other"
    needs: str = ""

    @property
    def default_group(self) -> str:
        """What it is grouped by unless said otherwise."""
        return self.groups[0]

    @property
    def label_within(self) -> str:
        """Its label within a sentence: formulas and names of attributes stay as they are."""
        first, _, rest = self.label.partition(" ")
        return f"{first.lower() if first[1:].islower() else first} {rest}".strip()

    @property
    def is_ratio(self) -> bool:
        """Whether its values are shares, averages or prices: shown side by side, never summed."""
        return self.ratio or self.source in _RATIOS

    def adds_up_over(self, dimension: str) -> bool:
        """Whether the values of all members of a dimension may be added to a total."""
        summed = "process" if dimension in PROCESS_GROUPS else dimension
        if dimension in ("part", "partner"):
            return not self.is_ratio
        return not self.is_ratio and summed in self.sum_over


@semantics.remembered
def attributes() -> Mapping[str, Attribute]:
    """Return the attribute table, by VEDA name."""
    return MappingProxyType(
        {
            row["attribute"]: Attribute(
                row["attribute"],
                row["label"],
                row["kind"],
                row["unit_source"],
                frozenset(row["sum_over"].split()),
                row["group_by"] or "process",
                row["definition"],
            )
            for row in semantics.rows("attributes")
        }
    )


@semantics.remembered
def measures() -> Mapping[str, Measure]:
    """Return the table of measures, by name, in the order in which they are offered."""
    return MappingProxyType(
        {
            name: _measure(file, name, entry)
            for name, (file, entry) in semantics.measure_entries().items()
        }
    )


_FIELDS = {field.name: field for field in fields(Measure)}
#: Of each field: whether a value is right, what is expected, and how it is kept.
_Kind = tuple[Callable[[Any], bool], str, Callable[[Any], Any]]
_LIST: _Kind = (
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "a list of names",
    tuple,
)
_TEXT: _Kind = (lambda value: isinstance(value, str), "text", str)
_KINDS: Mapping[str, _Kind] = {
    **dict.fromkeys(("groups", "units", "parts", "sum_over"), _LIST),
    "ratio": (lambda value: isinstance(value, bool), "true or false", bool),
    "factor": (lambda value: type(value) in (int, float), "a number", float),
}
_SUMMED = frozenset(RESULT_DIMENSIONS) - {"sow"}


def _measure(file: str, name: str, entry: Mapping[str, Any]) -> Measure:
    """Read an entry of the table of measures. Raises ``UnreadableFileError``."""

    def wrong(problem: str, expected: str = "") -> UnreadableFileError:
        return UnreadableFileError(file, f"measure {name!r}: {problem}", expected)

    for needed in ("label", "definition", "source", "groups"):
        if not entry.get(needed):
            raise wrong(f"{needed} is missing")
    if unknown := sorted(set(entry) - (_FIELDS.keys() - {"name"})):
        raise wrong(f"there is no field {unknown[0]!r}", f"of {', '.join(_FIELDS)}")
    given = {}
    for key, value in entry.items():
        is_right, expected, kept = _KINDS.get(key, _TEXT)
        if not is_right(value):
            raise wrong(f"{key} is {value!r}", expected)
        given[key] = kept(value)
    given["sum_over"] = frozenset(given.get("sum_over", _SUMMED))
    found = Measure(name=name, **given)
    _check_meaning(found, wrong)
    return found


def _check_meaning(asked: Measure, wrong: Any) -> None:
    if asked.source not in FILTERS:
        raise wrong(f"source is {asked.source!r}", f"one of {', '.join(FILTERS)}")
    for dimension in asked.groups:
        if dimension not in FILTERS[asked.source]:
            raise wrong(
                f"it cannot be grouped by {dimension!r}", f"of {', '.join(FILTERS[asked.source])}"
            )
    needed = {"flow": "boundary", "share": "boundary", "power": "boundary",
              "cumulative": "boundary", "attribute": "attribute", "figure": "figure",
              "balance": "figure", "price": "kind"}[asked.source]  # fmt: skip
    if not getattr(asked, needed):
        raise wrong(f"{needed} is missing", f"a {needed} for the source {asked.source}")
    if asked.chart not in ("bars", "lines"):
        raise wrong(f"chart is {asked.chart!r}", "bars or lines")
    if asked.source == "share" and asked.numerator not in _NUMERATORS:
        raise wrong(f"numerator is {asked.numerator!r}", f"one of {', '.join(sorted(_NUMERATORS))}")
    if asked.attribute:
        known = attributes().get(asked.attribute)
        allowed = known.sum_over if known else frozenset()
        if more := sorted(asked.sum_over - allowed):
            raise wrong(
                f"{asked.attribute} must not be added up over {more[0]}",
                f"sum_over within: {', '.join(sorted(allowed)) or 'nothing'}",
            )


def check_tables() -> None:
    """Read measures and attributes. Raises ``UnreadableFileError`` for the first that is wrong.

    What the program's own table does not add up, a user's table cannot make additive.
    """
    text = files("catalogs.semantics").joinpath("attributes.csv").read_text(encoding="utf-8")
    shipped = {r["attribute"]: r["sum_over"].split() for r in csv.DictReader(text.splitlines())}
    for name, found in attributes().items():
        if unknown := sorted(found.sum_over - _SUMMED):
            raise UnreadableFileError(
                "attributes.csv",
                f"{name} cannot be added up over {unknown[0]!r}",
                f"of {', '.join(sorted(_SUMMED))}",
            )
        more = sorted(found.sum_over.difference(shipped[name])) if name in shipped else []
        if more:
            raise UnreadableFileError(
                "attributes.csv",
                f"{name} must never be added up over {more[0]}",
                f"sum_over within: {' '.join(shipped[name]) or 'nothing'}",
            )
    measures()


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
        section="Attributes",
    )
