"""Where energy ends in other than energy: demands in units of their own.

A car takes energy and gives passenger kilometres. What it gives stands at the end of the picture,
joined to those who give it without a number: one node for each sector (or group of other
processes), which opens into one for each unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catalogs import units
from catalogs.sankey.flows import EnergyFlows
from catalogs.sankey.grouping import plain, unplain
from catalogs.sankey.kinds import kind_of
from catalogs.sankey.parts import SERVICE, Join, Node
from catalogs.sankey.roles import FINAL, Place

#: Amounts by unit.
Amounts = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Services:
    """Demands, what each shown node gives of them by unit, and who is joined to which."""

    nodes: tuple[Node, ...]
    joins: tuple[Join, ...]
    of_user: Mapping[str, Amounts]


class _Given:
    """What some processes give by unit, and the energy that they take for it."""

    def __init__(self) -> None:
        self._amounts: dict[str, float] = defaultdict(float)
        self._energy: dict[str, float] = defaultdict(float)

    def add(self, unit: str, amount: float, energy: float) -> None:
        self._amounts[unit] += amount
        self._energy[unit] += energy

    @property
    def units(self) -> list[str]:
        """That of most energy first: amounts of unlike units have no order of their own."""
        return sorted(self._amounts, key=lambda unit: (-self._energy[unit], unit))

    @property
    def amounts(self) -> Amounts:
        return tuple((unit, self._amounts[unit]) for unit in self.units)


def find_services(flows: EnergyFlows, node_of: Callable[[Place], str]) -> Services:
    """Return the demands of a picture; ``node_of`` tells the node that a process stands under."""
    opened = set(flows.query.opened)
    of_user: dict[str, _Given] = defaultdict(_Given)
    of_service: dict[str, _Given] = defaultdict(_Given)
    of_group: dict[str, _Given] = defaultdict(_Given)
    joins: set[tuple[str, str]] = set()
    for place, given in flows.services.items():
        if place not in flows.by_process:
            continue
        taken = sum(flow.value for flow in flows.by_process[place] if flow.direction == "IN")
        role, user = flows.roles[place], node_of(place)
        group = f"{SERVICE}/{role.part}/{plain(role.group)}"
        for unit, amount in given.items():
            if not amount:
                continue
            service = f"{group}/{plain(unit)}" if group in opened else group
            joins.add((user, service))
            for found in (of_user[user], of_service[service], of_group[group]):
                found.add(unit, amount, taken)
    nodes = []
    for group, all_given in of_group.items():
        inner = [f"{group}/{plain(unit)}" for unit in all_given.units]
        for name in inner if group in opened else [group]:
            nodes.append(
                Node(
                    id=name,
                    label=service_label(name),
                    kind=SERVICE,
                    incoming=0.0,
                    outgoing=0.0,
                    members=tuple(inner) if name == group and len(inner) > 1 else (),
                    parent="" if name == group else group,
                    services=of_service[name].amounts,
                )
            )
    return Services(
        nodes=tuple(nodes),
        joins=tuple(Join(*ends) for ends in sorted(joins)),
        of_user={user: given.amounts for user, given in of_user.items()},
    )


def service_group(identity: str) -> tuple[str, str, str]:
    """Return what the id of a service says: part of its users, their group, unit or ''."""
    _, part, group, unit = [*identity.split("/"), ""][:4]
    return part, unplain(group), unplain(unit)


def service_label(identity: str) -> str:
    """Return what a service is called: by its sector, or by what its unit measures."""
    part, group, unit = service_group(identity)
    if not unit:
        return f"{group} demand" if part == FINAL else f"{group}, other output"
    kind = kind_of("demand", unit)
    # What an unknown unit measures has no name but its own.
    return unit if "unit " in units.dimension(unit) else kind[:1].upper() + kind[1:]
