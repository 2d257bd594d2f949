"""One colour per group for the whole application.

Fuels, sectors and cost kinds have their colours in the group tables, and rule tables may give a
group its own. Any other technology takes its fuel's colour, a shade apart for CHP, heat plants and
end use. Whatever has no table (regions, processes, commodities) takes a colour by its place among
all members of its dimension, so that it keeps it whatever is chosen.
"""

from __future__ import annotations

import colorsys
import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from catalogs.groups import groups
from catalogs.rule_tables import shipped_tables
from catalogs.rules import Look, looks_of

OTHER_COLOUR = "#9aa0a6"

#: The place of a group that no table puts in an order: after all others.
LAST = 1_000_000

#: How groups look by dimension and name; ``Source.group_looks`` has those of a dataset.
Looks = Mapping[tuple[str, str], Look]

#: Told apart by colour-blind readers and on light and dark grounds (after Okabe and Ito, and
#: Paul Tol's muted scheme); the second round is a shade apart.
CATEGORICAL = (
    "#3d7ea6",
    "#e08a3c",
    "#4f9d69",
    "#c8577a",
    "#8466ae",
    "#b3a13a",
    "#45b0c4",
    "#a65b3f",
    "#7d8794",
    "#d9a5c0",
    "#88b04b",
    "#5561a8",
)

_NAMED = {
    "Offshore wind": "#17655f",
    "Storage": "#b06fc4",
    "Distribution": "#8d99a6",
    "Trade between regions": "#7d8794",
    "Import": "#6b7480",
    "Export": "#a9b1ba",
    "Extraction": "#7a5c43",
    "Trade, partner unknown": "#c2a35a",
    "Heat plant": "#e07a7a",
    "Unknown partner": "#c2a35a",
    "Refining and conversion": "#6f6a8f",
    "Other conversion": "#8f8aa8",
    "Dummy import": "#e0004d",
    "Domestic": "#4f9d69",
    "Imports": "#c8577a",
    "Exports": "#8466ae",
    "Dummy imports": "#e0004d",
}

#: How a technology's shade differs from its fuel's: the change of lightness.
_SHADES = {" CHP": -0.13, " heat plant": 0.12, " end use": 0.06, " production": -0.06}


@cache
def _tables() -> Looks:
    """Return how the groups of the shipped tables look."""
    own = {("fuel", group.name): Look(group.order, group.colour) for group in groups("fuels")} | {
        ("sector", group.name): Look(group.order, group.colour) for group in groups("sectors")
    }
    costs = {
        ("user_constraint", code): Look(int(row["order"]), row["colour"])
        for code, row in cost_kinds().items()
    }
    rules = looks_of(rule for table in shipped_tables() for rule in table.rules)
    return rules | own | costs


@cache
def cost_kinds() -> dict[str, dict[str, str]]:
    """Return the kinds of cost (INV, FIX ...): label, order and colour of each."""
    text = files("catalogs.semantics").joinpath("costs.csv").read_text(encoding="utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}


def colour(
    dimension: str, member: str, members: Sequence[str] = (), looks: Looks | None = None
) -> str:
    """Return the colour (``#rrggbb``) of a member of a dimension.

    ``members`` are all members of the dimension in the dataset, in a fixed order; used where no
    table names the member. ``looks`` are those of the dataset's own rules, and come first.
    """
    for table in (looks or {}, _tables()):
        if (known := table.get((dimension, member))) and known.colour:
            return known.colour
    if member in _NAMED:
        return _NAMED[member]
    if dimension == "technology":
        return _technology(member)
    if member in members:
        return _by_place(members.index(member))
    return OTHER_COLOUR


def order(dimension: str, member: str, looks: Looks | None = None) -> int:
    """Return the place of a member in the order of its dimension, ``LAST`` where none is given.

    The order of fuels, sectors and kinds of cost is that of their tables; rule tables give that of
    technologies, and may give any other. ``looks`` as for ``colour``.
    """
    for table in (looks or {}, _tables()):
        if (known := table.get((dimension, member))) and known.order is not None:
            return known.order
    return LAST


@cache
def _technology(name: str) -> str:
    for ending, lightness in _SHADES.items():
        if name.endswith(ending):
            return _shade(_fuel(name.removesuffix(ending)), lightness)
    return _fuel(name)


def _fuel(name: str) -> str:
    known = _tables().get(("fuel", name)) or _tables().get(("fuel", f"{name} heat"))
    return known.colour if known else _NAMED.get(name, OTHER_COLOUR)


def _by_place(place: int) -> str:
    turn, index = divmod(place, len(CATEGORICAL))
    return _shade(CATEGORICAL[index], (0.0, -0.07, 0.09)[turn % 3])


def _shade(hexadecimal: str, lightness: float) -> str:
    red, green, blue = (int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    shaded = colorsys.hls_to_rgb(hue, min(0.86, max(0.18, light + lightness)), saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in shaded)
