"""The unit in which a measure is shown, and what its values are multiplied by for it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from catalogs import units
from catalogs.compiling import Conversion
from catalogs.errors import MixedUnitsError, NotAvailableError, TimesError
from catalogs.measures import ATTRIBUTE_PREFIX, Measure, attributes

#: Units of shares, by what they are multiplied with.
SHARES = {"%": 100.0, "share": 1.0}
_POWER = ("GW", "MW", "PJa")


def fits(asked: Measure, unit: str) -> bool:
    """Whether a unit measures what the measure wants (``currency`` stands for any currency)."""
    if not asked.dimension:
        return unit != units.UNKNOWN_UNIT or asked.name.startswith(ATTRIBUTE_PREFIX)
    parts = [
        "currency" if part.startswith("currency ") else part
        for part in units.dimension(unit).split("/")
    ]
    return "/".join(parts) == asked.dimension


def preference(asked: Measure, unit: str) -> int:
    """Rank a unit by the measure's list; ``/MWh`` there stands for any currency per MWh."""
    for rank, wanted in enumerate(asked.units):
        if unit == wanted or (wanted.startswith("/") and unit.endswith(wanted)):
            return rank
    return len(asked.units)


def choices(asked: Measure, own: Iterable[str], *, with_people: bool) -> list[str]:
    """Return the units in which values of some units can be shown, the one preferred first."""
    own = sorted(dict.fromkeys(own), key=lambda unit: preference(asked, unit))
    if not own:
        return []
    if asked.is_ratio and asked.source != "price":
        return list(SHARES)
    if asked.source == "power":
        return sorted(_POWER, key=lambda unit: preference(asked, unit))
    found = dict.fromkeys(choice for unit in own for choice in units.compatible(unit))
    listed = sorted(found, key=lambda unit: preference(asked, unit))
    if with_people and asked.source != "price":
        listed += dict.fromkeys(each for unit in own for each in units.per_capita(unit))
    return listed


def convert(
    asked: Measure, wanted: str, present: Collection[str], *, with_people: bool
) -> tuple[str, Conversion, list[str]]:
    """Return the unit shown, how values come to be in it, and the units left out.

    Raises
    ------
    MixedUnitsError
        Where the values that fit have units that do not convert into each other and none is
        chosen, or the one chosen fits none of them.
    """
    fitting = sorted(unit for unit in present if fits(asked, unit))
    if asked.is_ratio and asked.source != "price":
        return _share(asked, wanted, present, fitting)
    unit = wanted or _only(asked, fitting, with_people=with_people)
    per_capita = unit.endswith(units.PER_CAPITA) and with_people
    base = unit.removesuffix(units.PER_CAPITA) if per_capita else unit
    factors, others = {}, []
    for name in sorted(present):
        try:
            power = asked.source == "power"
            factors[name] = units.average_power(name, base) if power else units.factor(name, base)
        except MixedUnitsError:
            others.append(name)
    if not factors:
        raise MixedUnitsError(
            f"{asked.label} cannot be shown in {unit}.",
            f"It occurs in {', '.join(sorted(present))}.",
        )
    return unit, Conversion(factors, per_capita=per_capita), others


def _share(
    asked: Measure, wanted: str, present: Collection[str], fitting: list[str]
) -> tuple[str, Conversion, list[str]]:
    unit = wanted or next(iter(SHARES))
    if unit not in SHARES:
        raise MixedUnitsError(
            f"{asked.label} cannot be shown in {unit}.", f"It is shown in {' or '.join(SHARES)}."
        )
    factors = {name: units.factor(name, fitting[0]) for name in fitting}
    others = sorted(set(present) - set(fitting))
    return unit, Conversion(factors, scale=SHARES[unit]), others


def _only(asked: Measure, fitting: list[str], *, with_people: bool) -> str:
    if len({units.dimension(unit) for unit in fitting}) > 1:
        raise MixedUnitsError(
            f"{asked.label} occurs in units that cannot be added.",
            f"Choose one of {', '.join(fitting)}.",
        )
    return choices(asked, fitting, with_people=with_people)[0]


def nothing_to_show(asked: Measure, present: Collection[str]) -> TimesError:
    """Return the refusal of a measure of which there is nothing in a unit that fits."""
    if units.UNKNOWN_UNIT in present:
        return MixedUnitsError(
            f"The units of {asked.label_within} are unknown, so they cannot be added up.",
            "Put a table of units (commodity_units.csv, process_units.csv) beside the files and"
            " import them again, or choose an attribute.",
        )
    if asked.attribute and asked.attribute not in attributes():
        return NotAvailableError(f"The scenarios have no attribute {asked.attribute}.")
    return NotAvailableError(
        f"The scenarios chosen have nothing to show {asked.label_within} from.",
        f"It needs {asked.needs}."
        if asked.needs
        else "Choose another measure; VEDA files without units need a table of units beside them.",
    )
