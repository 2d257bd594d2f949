"""Carriers: which are renewable, and which are a country's own wherever a model takes them from.

The rules stand in ``semantics/carriers.csv``. A rule names a fuel group, a commodity (``*`` and
``?`` stand for any characters), or both; the first that fits decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from catalogs import semantics


@semantics.remembered
def _rule(commodity: str, fuels: tuple[str, ...]) -> Mapping[str, str]:
    named = {fuel.lower() for fuel in fuels}
    for row in semantics.rows("carriers"):
        fits = not row["fuel"] or row["fuel"].lower() in named
        if fits and row["commodity"]:
            fits = fnmatchcase(commodity.upper(), row["commodity"].upper())
        if fits:
            return row
    return {}


def is_ambient(commodity: str, *fuels: str) -> bool:
    """Whether a carrier is domestic wherever it comes from (wind, sun, ambient heat).

    ``fuels`` are the names of its fuel group: the one shown, and the standard one.
    """
    return _rule(commodity, fuels).get("ambient") == "yes"


def renewable_share(commodity: str, *fuels: str) -> float:
    """Return the share of a carrier's energy that is renewable, 0 where no rule says so."""
    return float(_rule(commodity, fuels).get("renewable") or 0)
