"""Countries by code or name, without asking any network."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

#: ISO 3166 keeps these for the same countries; energy statistics use them.
_OTHER_CODES = {"UK": "GB", "EL": "GR"}
_WORDS = re.compile(r"[^\W\d_]+", re.UNICODE)


@dataclass(frozen=True)
class Country:
    """A country: ISO 3166-1 codes, name, and a point on its land in degrees."""

    number: str
    iso2: str
    iso3: str
    name: str
    latitude: float
    longitude: float


@cache
def _all() -> tuple[Mapping[str, Country], Mapping[tuple[str, ...], Country]]:
    """Return countries by code, and by the words of their names."""
    text = files(__package__).joinpath("countries.csv").read_text(encoding="utf-8")
    by_code: dict[str, Country] = {}
    by_name: dict[tuple[str, ...], Country] = {}
    for row in csv.DictReader(text.splitlines()):
        where = float(row["latitude"]), float(row["longitude"])
        country = Country(row["number"], row["iso2"], row["iso3"], row["name"], *where)
        by_code |= {country.iso2: country, country.iso3: country}
        names = (country.name, *row["also"].split("|"))
        for name in names:
            if len(name) > 3:  # "UK" and "USA" are codes, in capitals only
                by_name.setdefault(_words(name), country)
            elif name:
                by_code.setdefault(name, country)
    for code, iso2 in _OTHER_CODES.items():
        by_code[code] = by_code[iso2]
    return by_code, by_name


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in _WORDS.findall(text))


def by_code(code: str) -> Country | None:
    """Return the country of an ISO 3166-1 code of two or three capitals; UK and EL are known too.

    >>> by_code("UK").name
    'United Kingdom'
    """
    return _all()[0].get(code)


def by_name(name: str) -> Country | None:
    """Return the country of which a text is the name, whatever its capitals."""
    return _all()[1].get(_words(name))


def named_in(text: str) -> Country | None:
    """Return the one country that a text names; None where it names none or several.

    >>> named_in("Export of electricity to Germany").iso2
    'DE'
    """
    words = _words(text)
    names = _all()[1]
    found: dict[str, tuple[str, ...]] = {}
    for first in range(len(words)):
        for last in range(first + 1, min(len(words), first + 8) + 1):
            name = words[first:last]
            if country := names.get(name):
                found[country.iso2] = max(found.get(country.iso2, ()), name, key=len)
    # "Guinea" is part of "Papua New Guinea".
    longest = [
        iso2
        for iso2, name in found.items()
        if not any(_inside(name, other) for other in found.values())
    ]
    return by_code(longest[0]) if len(longest) == 1 else None


def _inside(name: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether a name is a part of a longer one."""
    if len(name) >= len(other):
        return False
    spans = range(len(other) - len(name) + 1)
    return any(other[start : start + len(name)] == name for start in spans)
