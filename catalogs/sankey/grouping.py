"""Under which node a process or commodity stands: groups, drill-down, and what passes through.

Pictures that are compared, or follow one another, share a ``Grouping``, so that a node means the
same in all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalogs.sankey.flows import EnergyFlows, Flow
from catalogs.sankey.roles import CONVERSION, EXPORT, FINAL, STORAGE, SUPPLY, TRADE, Place, Role

CARRIER = "carrier"

#: Share of its input that a process may lose and still count as distribution; more is conversion.
_MOST_LOST = 0.35
#: How the nodes of a first picture are shared among carriers, conversion and final use.
_SHARES = {CARRIER: 0.27, CONVERSION: 0.4, FINAL: 0.17}
#: Share of all that passes its part below which a group is one of the small ones.
_THIN = 0.001
#: Members of an opened node that are shown one by one; the rest stands together.
_MOST_MEMBERS = 14
#: Difference that rounding makes, as a share.
_ROUNDING = 1e-9

#: From the outermost group to the process or commodity itself.
Path = tuple[str, ...]


@dataclass(frozen=True)
class PassThrough:
    """A process that was contracted: what it took and gave, of which fuel."""

    region: str
    process: str
    taken: float
    given: float
    fuel: str


def find_pass_throughs(flows: EnergyFlows) -> dict[Place, PassThrough]:
    """Return distribution: one energy in, one energy out of the same fuel, little lost between."""
    found = {}
    for place, sides in flows.by_process.items():
        if flows.roles[place].part != CONVERSION or len(sides) != 2:
            continue
        taken, given = sorted(sides, key=lambda flow: flow.direction)
        fuels = {flows.fuels[flow.commodity] for flow in sides}
        if (taken.direction, given.direction) != ("IN", "OUT") or len(fuels) > 1:
            continue
        lost = 1 - given.value / taken.value
        if taken.commodity != given.commodity and -_ROUNDING <= lost <= _MOST_LOST:
            found[place] = PassThrough(*place, taken.value, given.value, fuels.pop())
    return found


class Grouping:
    """The nodes of one picture, or of several that are seen together.

    ``joined`` tells which commodities are one because distribution joins them; ``lowest`` the
    least number of times that a fuel's commodities were converted into themselves.
    """

    def __init__(self, pictures: Sequence[EnergyFlows]) -> None:
        query = pictures[0].query
        self._opened = set(query.opened)
        self.joined = Joined()
        self._fuels: dict[str, str] = {}
        self._paths: dict[Place, Path] = {}
        for flows in pictures:
            self._fuels |= flows.fuels
            for place in find_pass_throughs(flows):
                self.joined.join(*(f.commodity for f in flows.by_process[place]))
            for place, role in flows.roles.items():
                self._paths.setdefault(place, _path(place, role))
        self._tiers = self._find_tiers(pictures)
        self.lowest: dict[str, int] = {}
        for commodity, tier in self._tiers.items():
            fuel = plain(self._fuels[commodity])
            self.lowest[fuel] = min(tier, self.lowest.get(fuel, tier))
        self._carriers: dict[str, Path] = {
            c: (f"{CARRIER}/{plain(fuel)}/{self._tiers[c]}", f"commodity/{c}")
            for c, fuel in self._fuels.items()
        }
        self._merge_small(pictures, query.most_nodes)

    def node(self, place: Place) -> str:
        """Return the node that a process in a region stands under."""
        path = self._paths[place]
        return path[self._shown(path)]

    def carrier(self, commodity: str) -> str:
        """Return the node that a commodity stands under."""
        path = self._carriers[commodity]
        return path[self._shown(path)]

    def family(
        self, places: Iterable[Place], commodities: Iterable[str]
    ) -> tuple[Mapping[str, set[str]], Mapping[str, str]]:
        """Return, by node, the ids that it opens into and the node that it was opened from."""
        members: dict[str, set[str]] = defaultdict(set)
        parents: dict[str, str] = {}
        paths = [self._paths[place] for place in places]
        paths += [self._carriers[commodity] for commodity in commodities]
        for path in paths:
            place = self._shown(path)
            members[path[place]].update(path[place + 1 : place + 2])
            if place:
                parents[path[place]] = path[place - 1]
        return members, parents

    def _shown(self, path: Path) -> int:
        """The place on a path of the node that is shown: the first that is not opened."""
        return next((i for i, name in enumerate(path) if name not in self._opened), len(path) - 1)

    def _find_tiers(self, pictures: Sequence[EnergyFlows]) -> dict[str, int]:
        """How often a fuel was converted into itself before a commodity: 0 for crude, 1 for petrol.

        Commodities that a contracted process joins are one. Without this a fuel's node would feed
        the refinery and be fed by it.
        """
        joined, fuels = self.joined, self._fuels
        given: dict[str, float] = defaultdict(float)
        converted: dict[str, float] = defaultdict(float)
        feeds: dict[str, set[str]] = defaultdict(set)
        for flows in _conversions(pictures):
            for flow in (f for f in flows if f.direction == "OUT"):
                to = joined.of(flow.commodity)
                same = {
                    joined.of(f.commodity)
                    for f in flows
                    if f.direction == "IN" and fuels[f.commodity] == fuels[flow.commodity]
                } - {to}
                given[to] += flow.value
                if same:
                    converted[to] += flow.value
                    feeds[to] |= same
        tiers: dict[str, int] = {}

        def tier(group: str, above: frozenset[str]) -> int:
            if group not in tiers:
                if group in above or converted[group] <= 0.5 * given[group]:
                    return 0
                below = (tier(other, above | {group}) for other in feeds[group])
                tiers[group] = min(2, 1 + max(below, default=0))
            return tiers[group]

        return {c: tier(joined.of(c), frozenset()) for c in sorted(fuels)}

    def _merge_small(self, pictures: Sequence[EnergyFlows], most: int) -> None:
        """Put what is small into one group per part, and per node that is opened."""
        sizes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for flow in (flow for flows in pictures for flow in flows.flows):
            for path in (self._paths[flow.region, flow.process], self._carriers[flow.commodity]):
                for outer, inner in zip(("", *path), path, strict=False):
                    parent = outer or inner.partition("/")[0]
                    sizes[parent][inner] += flow.value
        small: dict[str, str] = {}
        for parent, members in sizes.items():
            # Ids of groups have a slash; a part's name has none.
            room = _MOST_MEMBERS if "/" in parent else int(_SHARES.get(parent, 1) * most)
            if "/" in parent and parent not in self._opened:
                continue
            ordered = sorted(members, key=lambda name: (-members[name], name))
            thin = _THIN * sum(members.values())
            kept = [name for name in ordered[:room] if members[name] >= thin]
            # One alone would only lose its name.
            if len(ordered) > len(kept) + 1:
                small.update(
                    {f"{parent}>{name}": f"other/{parent}" for name in ordered[len(kept) :]}
                )
        if small:
            self._paths = {p: _insert(path, small) for p, path in self._paths.items()}
            self._carriers = {c: _insert(path, small) for c, path in self._carriers.items()}


def _path(place: Place, role: Role) -> Path:
    outer = f"{role.part}/{plain(role.group)}"
    process = f"process/{place[1]}"
    if role.part in (FINAL, SUPPLY, EXPORT) and role.inner:
        return (outer, f"{outer}/{plain(role.inner)}", process)
    return (outer, process)


def plain(name: str) -> str:
    """Return a name as part of an id, where a slash has its own meaning."""
    return name.replace("/", "\u2215")


def unplain(part: str) -> str:
    """Return the name that a part of an id stands for."""
    return part.replace("\u2215", "/")


def _conversions(pictures: Sequence[EnergyFlows]) -> Iterable[list[Flow]]:
    """The flows of each process that turns something into something else."""
    for picture in pictures:
        contracted = find_pass_throughs(picture)
        for place, flows in picture.by_process.items():
            if place not in contracted and picture.roles[place].part not in (TRADE, STORAGE):
                yield flows


class Joined:
    """Commodities that are one, because what joins them passes through (union-find)."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def of(self, commodity: str) -> str:
        """Return the name that all commodities joined to this one share."""
        while (above := self._above.get(commodity, commodity)) != commodity:
            commodity = above
        return commodity

    def join(self, first: str, second: str) -> None:
        """Make two commodities one, under the name that sorts first."""
        names = sorted((self.of(first), self.of(second)))
        self._above[names[1]] = names[0]


def _insert(path: Path, small: Mapping[str, str]) -> Path:
    """Put the group of the small ones into a path, above each member that belongs to it."""
    made: list[str] = []
    outer = path[0].partition("/")[0]
    for name in path:
        if other := small.get(f"{outer}>{name}"):
            made.append(other)
        made.append(name)
        outer = name
    return tuple(made)
