"""Units of the field: what dimension they have and how they convert.

The table ``semantics/units.csv`` names the units; ``pint`` does the arithmetic. A unit that is
not in the table converts only to itself: nothing is guessed. A currency carries its base year
(``MEUR20``); only its magnitude converts (``MEUR20`` to ``EUR20``), never one year or currency
into another.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from catalogs.errors import MixedUnitsError

UNKNOWN_UNIT = "unknown"

_CURRENCY = re.compile(
    r"^(?P<size>[kMGB]?)(?P<name>EUR|Euro|EURO|USD|Kr|DKK|SEK|NOK|GBP|CHF|PLN|€|\$|£)"
    r"(?P<year>\d{2,4})$"
)
_SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
#: Sizes in which annual totals and prices of a currency are offered.
_CURRENCY_SIZES = ("M", "G", "")


@dataclass(frozen=True)
class Unit:
    """A unit of the table: its dimension and its size as an expression of ``pint``.

    ``shown`` says where it is offered: for values (``yes``), below the line of a price
    (``price``), or nowhere.
    """

    name: str
    dimension: str
    expression: str
    shown: str


@cache
def _table() -> dict[str, Unit]:
    text = files("catalogs.semantics").joinpath("units.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["unit"].lower(): Unit(row["unit"], row["dimension"], row["expression"], row["shown"])
        for row in rows
    }


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(cache_folder=None)
    for kind in ("passenger", "tonne", "vehicle"):
        registry.define(f"{kind}_kilometre = [{kind}_distance]")
    return registry


@cache
def _size(name: str) -> float:
    """Size of a unit of the table in the base units of its dimension."""
    quantity = _registry()(_table()[name].expression)
    return float(quantity.to_base_units().magnitude)


def _simple(unit: str) -> tuple[str, float]:
    """Return the dimension of a unit without a slash and its size in that dimension."""
    if found := _table().get(unit.strip().lower()):
        return found.dimension, _size(unit.strip().lower())
    if money := _CURRENCY.match(unit.strip()):
        return f"currency {money['name']}{money['year']}", _SIZES[money["size"]]
    return f"unit {unit.strip()}", 1.0


def _parts(unit: str) -> list[str]:
    if unit.lower() in _table():
        return [unit]
    return unit.split("/", 1)


@cache
def dimension(unit: str) -> str:
    """Return what a unit measures: ``energy``, ``power``, ``mass``, ``currency MKr12/energy`` ...

    A unit outside the table has a dimension of its own; an unknown unit is ``unknown``.
    """
    if not unit or unit == UNKNOWN_UNIT:
        return UNKNOWN_UNIT
    return "/".join(_simple(part)[0] for part in _parts(unit))


@cache
def factor(unit_from: str, unit_to: str) -> float:
    """Return by what a value in ``unit_from`` is multiplied to be in ``unit_to``.

    A price converts the other way round: 1 MKr12/TJ is 0.001 MKr12/GJ.

    Raises
    ------
    MixedUnitsError
        If the two do not measure the same thing.
    """
    if unit_from == unit_to:
        return 1.0
    if UNKNOWN_UNIT in (dimension(unit_from), dimension(unit_to)):
        raise MixedUnitsError(
            f"Values whose unit is unknown cannot be shown in {unit_to}.",
            "Put a table of units beside the files and import them again.",
        )
    if dimension(unit_from) != dimension(unit_to):
        raise MixedUnitsError(
            f"{unit_from} cannot be converted to {unit_to}.",
            "Choose one unit, or show the two apart.",
        )
    sizes_from = [_simple(part)[1] for part in _parts(unit_from)]
    sizes_to = [_simple(part)[1] for part in _parts(unit_to)]
    result = sizes_from[0] / sizes_to[0]
    if len(sizes_from) == 2:
        result *= sizes_to[1] / sizes_from[1]
    return result


def size_below(unit: str) -> float:
    """Return the size of the unit below the line of a price (1 where there is no line).

    Amounts to which prices of different units belong compare by it.
    """
    parts = _parts(unit)
    return _simple(parts[1])[1] if len(parts) == 2 else 1.0


def compatible(unit: str) -> list[str]:
    """Return the units that ``unit`` may be shown in, itself first."""
    if dimension(unit) == UNKNOWN_UNIT:
        return [UNKNOWN_UNIT]
    above, *below = _parts(unit)
    if not below:
        return list(dict.fromkeys([unit, *_alternatives(above)]))
    prices = [
        f"{name}/{per.name}"
        for name in _alternatives(above)[-1:]
        for per in _table().values()
        if per.shown == "price" and per.dimension == _simple(below[0])[0]
    ]
    return list(dict.fromkeys([unit, *prices]))


def _alternatives(part: str) -> list[str]:
    """Return the units offered in place of one without a slash; the smallest money comes last."""
    if money := _CURRENCY.match(part.strip()):
        return [f"{size}{money['name']}{money['year']}" for size in _CURRENCY_SIZES]
    own = _simple(part)[0]
    return [u.name for u in _table().values() if u.dimension == own and u.shown == "yes"] or [part]


def is_energy(unit: str | None) -> bool:
    """Whether values of this unit are amounts of energy."""
    return bool(unit) and dimension(str(unit)) == "energy"


def is_mass(unit: str | None) -> bool:
    """Whether values of this unit are masses."""
    return bool(unit) and dimension(str(unit)) == "mass"


def is_distance(unit: str | None) -> bool:
    """Whether values of this unit are transport work (passenger, tonne or vehicle kilometres)."""
    return bool(unit) and dimension(str(unit)).endswith(" distance")
