"""Units of the field: what dimension they have and how they convert.

The table ``semantics/units.csv`` names the units; ``pint`` does the arithmetic. A unit that is
not in the table converts only to itself: nothing is guessed. A currency carries its base year
(``MEUR20``); by itself only its magnitude converts (``MEUR20`` to ``EUR20``). Another year or
currency needs a rate that the user gives (``semantics/currency_rates.csv``).
"""

from __future__ import annotations

import math
import re
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from catalogs import semantics
from catalogs.errors import MixedUnitsError, UnreadableFileError

UNKNOWN_UNIT = "unknown"

#: Below the line of a value per head of the population.
PER_CAPITA = "/capita"

HOURS_PER_YEAR = 8760

_CURRENCY = re.compile(
    r"^(?P<size>[kMGB]?)(?P<name>(?:EUR|Euro|EURO|USD|Kr|DKK|SEK|NOK|GBP|CHF|PLN|€|\$|£)\d{2,4})$"
)
#: An amount in a year, as IAMC tables write it. TIMES results are all per year of their period.
_PER_YEAR = re.compile(r"^(?P<amount>.+?)\s*/\s*(?:yr|year|y|a|annum)$", re.IGNORECASE)
_AMOUNTS = ("energy", "mass", "passenger distance", "freight distance", "vehicle distance")
_SIZED = re.compile(r"^(?P<size>[kMGB])(?P<name>.+)$")
_SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
#: Sizes in which annual totals and prices of a currency are offered, and those per head.
_CURRENCY_SIZES = ("M", "G", "")
_CURRENCY_PER_CAPITA = ("", "k")

_loading = threading.Lock()

#: How far rates that lead from one currency to another on two ways may differ.
_SAME_RATE = 1e-6


@dataclass(frozen=True)
class Unit:
    """A unit of the table: its dimension and its size as an expression of ``pint``.

    ``shown`` says where it is offered: for values (``yes``), below the line of a price
    (``price``), above that of a value per head (``capita``), or nowhere.
    """

    name: str
    dimension: str
    expression: str
    shown: frozenset[str]


@semantics.remembered
def _table() -> Mapping[str, Unit]:
    found: dict[str, Unit] = {}
    for row in semantics.rows("units"):
        shown = frozenset(row["shown"].split())
        unit = Unit(row["unit"], row["dimension"], row["expression"], shown)
        found.setdefault(row["unit"].lower(), unit)
    return found


def load() -> None:
    """Load pint, which takes a while; what is asked later need not wait for it."""
    _registry()


def _registry() -> Any:
    with _loading:
        return _loaded_registry()


@cache
def _loaded_registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(cache_folder=None)
    for kind in ("passenger", "tonne", "vehicle"):
        registry.define(f"{kind}_kilometre = [{kind}_distance]")
    registry.define("person = [people]")
    return registry


@semantics.remembered
def _size(name: str) -> float:
    """Size of a unit of the table in the base units of its dimension."""
    quantity = _registry().Quantity(_table()[name].expression)
    return float(quantity.to_base_units().magnitude)


def check_table() -> None:
    """Work out the size of every unit. Raises ``UnreadableFileError`` for what pint cannot read."""
    import pint

    kinds: dict[str, tuple[str, Any]] = {}
    for key, unit in _table().items():
        try:
            measures = _registry().Quantity(unit.expression).dimensionality
            size = _size(key)
        except (pint.PintError, ValueError, TypeError, AssertionError, ZeroDivisionError) as error:
            raise UnreadableFileError(
                "units.csv",
                f"the size of {unit.name!r} is {unit.expression!r}",
                "an expression of units that pint knows, such as 1e3 kilogram",
                details=str(error),
            ) from error
        if not size > 0 or not math.isfinite(size):
            raise UnreadableFileError("units.csv", f"the size of {unit.name!r} is {size:g}")
        first, known = kinds.setdefault(unit.dimension, (unit.name, measures))
        if known != measures:
            raise UnreadableFileError(
                "units.csv",
                f"{unit.name} and {first} are both said to measure {unit.dimension!r}, but they"
                " do not convert into each other",
            )
    _rates()


# ---------------------------------------------------------------------------- money


def _money(unit: str) -> tuple[str, str] | None:
    """Return the size and the currency with its year of an amount of money, None for others."""
    if unit in _rates():
        return "", unit
    if found := _CURRENCY.match(unit):
        return found["size"], found["name"]
    sized = _SIZED.match(unit)
    return (sized["size"], sized["name"]) if sized and sized["name"] in _rates() else None


@semantics.remembered
def _rates() -> Mapping[str, tuple[str, float]]:
    """Return, of each currency that a rate names, the first of its kin and its worth in that one.

    Raises ``UnreadableFileError`` for rates that contradict each other.
    """
    worth: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in semantics.rows("currency_rates"):
        one, other, rate = row["currency_from"], row["currency_to"], float(row["rate"] or "nan")
        if not rate > 0:
            raise UnreadableFileError(
                "currency_rates.csv", f"the rate of {one} in {other} is {row['rate']!r}", "above 0"
            )
        worth[one].append((other, rate))
        worth[other].append((one, 1 / rate))
    found: dict[str, tuple[str, float]] = {}
    for root in sorted(worth):
        if root in found:
            continue
        found[root] = (root, 1.0)
        waiting = [root]
        while waiting:
            name = waiting.pop()
            for other, rate in worth[name]:
                in_root = found[name][1] / rate
                if other not in found:
                    found[other] = (root, in_root)
                    waiting.append(other)
                elif abs(found[other][1] / in_root - 1) > _SAME_RATE:
                    raise UnreadableFileError(
                        "currency_rates.csv",
                        f"the rates between {name} and {other} contradict each other",
                        "one way from each currency to another, or rates that agree",
                    )
    return found


# ---------------------------------------------------------------------------- dimensions


# A dimension stands in the table, while a size takes pint, which is slow to load: what only asks
# for dimensions does without.


def _dimension_of(unit: str) -> str:
    """Return the dimension of a unit without a slash."""
    unit = unit.strip()
    if found := _table().get(unit.lower()):
        return found.dimension
    if money := _money(unit):
        return f"currency {_kin(money[1])[0]}"
    return f"unit {unit}"


def _size_of(unit: str) -> float:
    """Return the size of a unit without a slash in its dimension."""
    unit = unit.strip()
    if unit.lower() in _table():
        return _size(unit.lower())
    if money := _money(unit):
        return _SIZES[money[0]] * _kin(money[1])[1]
    return 1.0


def _kin(currency: str) -> tuple[str, float]:
    """Return the first currency that a currency converts to, and its worth in that one."""
    return _rates().get(currency, (currency, 1.0))


def _parts(unit: str) -> list[str]:
    """Return what stands above and below the line; ``EJ/yr`` is the EJ of a year, without a line.

    What the table names is one unit whatever is in it: ``PJ/a`` there is a capacity.
    """
    if unit.lower() in _table():
        return [unit]
    if found := _PER_YEAR.match(unit):
        known = _table().get(found["amount"].lower())
        if known and known.dimension in _AMOUNTS:
            return [found["amount"]]
    return unit.split("/", 1)


@semantics.remembered
def dimension(unit: str) -> str:
    """Return what a unit measures: ``energy``, ``power``, ``mass``, ``currency MKr12/energy`` ...

    A unit outside the table has a dimension of its own; an unknown unit is ``unknown``. Currencies
    that convert by the user's rates have the same dimension.
    """
    if not unit or unit == UNKNOWN_UNIT:
        return UNKNOWN_UNIT
    return "/".join(_dimension_of(part) for part in _parts(unit))


@semantics.remembered
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
            _rate_needed(unit_from, unit_to) or "Choose one unit, or show the two apart.",
        )
    sizes_from = [_size_of(part) for part in _parts(unit_from)]
    sizes_to = [_size_of(part) for part in _parts(unit_to)]
    result = sizes_from[0] / sizes_to[0]
    if len(sizes_from) == 2:
        result *= sizes_to[1] / sizes_from[1]
    return result


def _rate_needed(unit_from: str, unit_to: str) -> str:
    """Say that a rate is needed where two units differ in their currency alone."""
    one, other = (dimension(unit).split("/") for unit in (unit_from, unit_to))
    money = one[0].startswith("currency ") and other[0].startswith("currency ")
    if not money or one[1:] != other[1:]:
        return ""
    return (
        f"Give the worth of {one[0].removeprefix('currency ')} in"
        f" {other[0].removeprefix('currency ')} in semantics/currency_rates.csv, or choose one."
    )


def average_power(unit_energy: str, unit_power: str) -> float:
    """Return by what energy per year is multiplied to be the average power over its 8,760 hours.

    Over a timeslice it is that divided by the timeslice's share of the year. Raises
    ``MixedUnitsError`` where the two units are not those of energy and power.
    """
    if dimension(unit_energy) != "energy" or dimension(unit_power) != "power":
        raise MixedUnitsError(f"{unit_energy} per hour is no {unit_power}.", "Choose GW or MW.")
    seconds = HOURS_PER_YEAR * 3600
    return _size_of(_parts(unit_energy)[0]) / seconds / _size_of(unit_power)


def size_below(unit: str) -> float:
    """Return the size of the unit below the line of a price (1 where there is no line).

    Amounts to which prices of different units belong compare by it.
    """
    parts = _parts(unit)
    return _size_of(parts[1]) if len(parts) == 2 else 1.0


# ---------------------------------------------------------------------------- offered


def compatible(unit: str) -> list[str]:
    """Return the units that ``unit`` may be shown in, itself first."""
    if dimension(unit) == UNKNOWN_UNIT:
        return [UNKNOWN_UNIT]
    above, *below = _parts(unit)
    if not below:
        return list(dict.fromkeys([unit, *_alternatives(above)]))
    smallest = _in_money(above, ("",)) or _alternatives(above)
    prices = [
        f"{name}/{per.name}"
        for name in smallest
        for per in _table().values()
        if "price" in per.shown and per.dimension == _dimension_of(below[0])
    ]
    return list(dict.fromkeys([unit, *prices]))


def per_capita(unit: str) -> list[str]:
    """Return the units in which amounts of ``unit`` per head of the population are shown."""
    if "/" in unit and len(_parts(unit)) > 1:
        return []
    own = dimension(unit)
    names = _in_money(unit, _CURRENCY_PER_CAPITA) or [
        u.name for u in _table().values() if "capita" in u.shown and u.dimension == own
    ]
    return [name + PER_CAPITA for name in names]


def _in_money(part: str, sizes: tuple[str, ...]) -> list[str]:
    """Return the sizes of a currency and of those it converts to, its own first; [] for others."""
    money = _money(part.strip())
    if not money:
        return []
    kin = _kin(money[1])[0]
    others = sorted(name for name, (root, _) in _rates().items() if root == kin)
    names = dict.fromkeys([money[1], *others])
    return [f"{size}{name}" for name in names for size in sizes]


def _alternatives(part: str) -> list[str]:
    """Return the units offered in place of one without a slash."""
    own = _dimension_of(part)
    return _in_money(part, _CURRENCY_SIZES) or (
        [u.name for u in _table().values() if u.dimension == own and "yes" in u.shown] or [part]
    )


def is_energy(unit: str | None) -> bool:
    """Whether values of this unit are amounts of energy."""
    return bool(unit) and dimension(str(unit)) == "energy"


def is_mass(unit: str | None) -> bool:
    """Whether values of this unit are masses."""
    return bool(unit) and dimension(str(unit)) == "mass"


def is_distance(unit: str | None) -> bool:
    """Whether values of this unit are transport work (passenger, tonne or vehicle kilometres)."""
    return bool(unit) and dimension(str(unit)).endswith(" distance")
