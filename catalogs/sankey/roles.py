"""The part that each process plays: supply, conversion, storage, trade, use or export.

For energy they are those that the measures count, from the derived tables ``boundary``,
``process_group``, ``storage`` and ``trade``. What else flows has no such boundaries: there the
part follows from what a process does with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from catalogs.sankey.remembered import once
from catalogs.source import Source

#: Parts that a process plays, in the order in which energy passes them.
SUPPLY = "supply"
CONVERSION = "conversion"
STORAGE = "storage"
TRADE = "trade"
FINAL = "final"
EXPORT = "export"

#: Names of supply and export by the part that the measure "primary energy" counts them under.
_PRIMARY = {
    "Domestic": (SUPPLY, "Domestic resources"),
    "Imports": (SUPPLY, "Imports"),
    "Dummy imports": (SUPPLY, "Dummy imports"),
    "Exports": (EXPORT, "Exports"),
}
_SAVINGS = (SUPPLY, "Energy savings")

#: A process in a region.
Place = tuple[str, str]


@dataclass(frozen=True)
class Role:
    """The part of a process: what it does, the group it is shown under, and its members' group."""

    part: str
    group: str
    inner: str


def roles_in_energy(
    source: Source, scenario: str, year: int, regions: Collection[str], places: Iterable[Place]
) -> Mapping[Place, Role]:
    """Return the parts of processes in a picture of some regions; none means all."""
    known = once(source, _known_roles, scenario)
    partners = _partners(source, scenario, year, regions)
    return {
        place: partners.get(place) or known.get(place, Role(CONVERSION, "Other conversion", ""))
        for place in places
    }


def roles_by_direction(
    source: Source,
    scenario: str,
    year: int,
    regions: Collection[str],
    sides: Mapping[Place, Collection[str]],
) -> Mapping[Place, Role]:
    """Return the parts of processes by their directions, IN and OUT, of what is no energy."""
    known = once(source, _technologies, scenario)
    partners = _partners(source, scenario, year, regions)
    roles = {}
    for place, directions in sides.items():
        part = CONVERSION if len(set(directions)) > 1 else SUPPLY if "OUT" in directions else FINAL
        roles[place] = partners.get(place) or Role(part, known.get(place) or "Other processes", "")
    return roles


def _technologies(source: Source, scenario: str) -> Mapping[Place, str]:
    rows = source.rows(
        "SELECT region, process, technology FROM process_group WHERE scenario = ?", [scenario]
    )
    return {(region, process): technology for region, process, technology in rows}


def _known_roles(source: Source, scenario: str) -> Mapping[Place, Role]:
    """The part of every process of a scenario, whatever the year."""
    roles: dict[Place, Role] = {}
    for region, process, technology, fuel in source.rows(
        "SELECT region, process, technology, fuel FROM process_group WHERE scenario = ?",
        [scenario],
    ):
        roles[region, process] = Role(CONVERSION, technology, fuel)
    for region, process, sector, technology, part in source.rows(
        # Their own technology: a boundary may count what a process hands on under its user's.
        "SELECT DISTINCT b.region, b.process, b.sector, g.technology, b.part FROM boundary AS b"
        " JOIN process_group AS g USING (scenario, region, process)"
        " WHERE scenario = ? AND boundary = 'final' ORDER BY ALL",
        [scenario],
    ):
        saved = part == "savings"
        roles[region, process] = (
            Role(*_SAVINGS, sector) if saved else Role(FINAL, sector, technology)
        )
    for region, process, fuel, part in source.rows(
        "SELECT region, process, any_value(fuel ORDER BY fuel), any_value(part ORDER BY part)"
        " FROM boundary WHERE scenario = ? AND boundary = 'primary' GROUP BY ALL",
        [scenario],
    ):
        does, group = _PRIMARY.get(part, (SUPPLY, part))
        roles[region, process] = Role(does, group, fuel)
    for region, process in source.rows(
        "SELECT region, process FROM storage WHERE scenario = ?", [scenario]
    ):
        technology = roles[region, process].group if (region, process) in roles else ""
        roles[region, process] = Role(STORAGE, "Storage", technology)
    return roles


def _partners(
    source: Source, scenario: str, year: int, regions: Collection[str]
) -> Mapping[Place, Role]:
    """The part of trade between regions: inside the picture, or with those who are not in it."""
    shown = set(regions or source.regions)
    roles: dict[Place, Role] = {}
    for process, region_from, region_to in once(source, _links, scenario, year):
        if region_from in shown and region_to in shown:
            roles[region_from, process] = roles[region_to, process] = Role(
                TRADE, "Trade between regions", ""
            )
        elif region_from in shown:
            roles[region_from, process] = Role(EXPORT, "Exports", f"To {region_to}")
        elif region_to in shown:
            roles[region_to, process] = Role(SUPPLY, "Imports", f"From {region_from}")
    return roles


def _links(source: Source, scenario: str, year: int) -> list[tuple[str, str, str]]:
    """Trade between two regions that have results: process, from and to."""
    return source.rows(
        "WITH own AS (SELECT region FROM region WHERE scenario = $scenario AND kind = 'internal')"
        " SELECT DISTINCT process, region_from, region_to FROM trade"
        " WHERE scenario = $scenario AND year = $year AND region_from IN (FROM own)"
        " AND region_to IN (FROM own) ORDER BY ALL",
        {"scenario": scenario, "year": year},
    )
