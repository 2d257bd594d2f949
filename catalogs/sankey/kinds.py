"""What flows: energy, and what else a model counts, each a Sankey of its own.

Amounts of unlike units must not stand in one picture: passenger kilometres, tonnes and hours have
their own. So has useful energy: a demand measured in a unit of energy is a service, which the
flow into its device already stands for.
"""

from __future__ import annotations

from catalogs import semantics, units
from catalogs.sankey.remembered import once
from catalogs.source import Source

ENERGY = "energy"
USEFUL_ENERGY = "useful energy"

#: How the dimension of a unit outside of the table of units begins.
_OWN_UNIT = "unit "


@semantics.remembered
def kind_of(commodity_kind: str, unit: str | None) -> str:
    """Return in which Sankey flows of a commodity belong: by what its unit measures."""
    if units.is_energy(unit):
        return ENERGY if commodity_kind == "energy" else USEFUL_ENERGY
    return units.dimension(unit or "").removeprefix(_OWN_UNIT)


def kinds(source: Source, scenario: str) -> dict[str, str]:
    """Return what flows in a scenario, energy first, and a unit that each is given in."""
    return dict(once(source, _kinds, scenario))


def _kinds(source: Source, scenario: str) -> dict[str, str]:
    rows = source.rows(
        "SELECT DISTINCT g.kind, f.unit FROM flow_annual AS f"
        " JOIN commodity_group AS g USING (scenario, region, commodity)"
        " WHERE scenario = ? AND g.kind <> 'emission' ORDER BY ALL",
        [scenario],
    )
    found: dict[str, str] = {}
    for kind, unit in rows:
        found.setdefault(kind_of(kind, unit), unit or units.UNKNOWN_UNIT)
    first = [name for name in (ENERGY, USEFUL_ENERGY) if name in found]
    return {name: found[name] for name in (*first, *sorted(found.keys() - set(first)))}
