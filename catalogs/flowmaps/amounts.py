"""Energy as it flows in a year or timeslice, or the average power over that time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from catalogs import units
from catalogs.flowmaps.places import COUNTRY_PREFIX
from catalogs.source import Source

ENERGY = "PJ"
#: Units of average power that a map can be in.
POWERS = ("GW", "MW")
_ANNUAL = "ANNUAL"


def is_power(unit: str) -> bool:
    """Whether a map in this unit shows average power."""
    return units.dimension(unit) == "power"


def factor(unit_from: str, unit_to: str) -> float:
    """Return by what energy per year is multiplied, to a unit of energy or of average power.

    Raises ``MixedUnitsError`` where a unit is neither.
    """
    if is_power(unit_to):
        return units.average_power(unit_from, unit_to)
    return units.factor(unit_from, unit_to)


def shares_of_year(
    source: Source,
    scenario: str,
    origins: Iterable[str],
    destinations: Iterable[str],
    timeslices: Iterable[object],
) -> NDArray[np.float64]:
    """Return which share of the year the timeslice of each flow is; NaN where nobody tells.

    A timeslice may differ by region: that of the flow's origin counts, or of its destination where
    the origin is outside of the model. ANNUAL, and any that is not a text (a year), is all of it.
    """
    rows = source.rows(
        "SELECT region, timeslice, year_fraction FROM timeslice"
        " WHERE scenario = ? AND year_fraction > 0",
        [scenario],
    )
    told = {(region, name): float(share) for region, name, share in rows}
    found = []
    for origin, destination, name in zip(origins, destinations, timeslices, strict=True):
        side = destination if origin.startswith(COUNTRY_PREFIX) else origin
        whole = np.nan if isinstance(name, str) and name != _ANNUAL else 1.0
        found.append(told.get((side, str(name)), told.get(("-", str(name)), whole)))
    return np.array(found, dtype=float)
