"""A small picture of a scenario's energy from supply to use, for the first page."""

from __future__ import annotations

import itertools
from typing import Any

from catalogs import palette
from catalogs.errors import TimesError
from catalogs.sankey.flows import SankeyQuery, flow_years
from catalogs.sankey.remembered import once
from catalogs.source import Source
from components.names import readable
from components.sankey.layout import Frame, PlacedLink
from components.sankey.picture import picture_of
from components.sankey.request import SankeyRequest, answer

#: Groups that can be told apart in so small a picture, and colours that are named beside it.
_GROUPS, _NAMED = 16, 6
_FRAME = Frame(width=420, height=150, left=2, right=2, top=2, bottom=2, node_width=6, gap=7)
_FROM_YEAR = 2030


def small_sankey(source: Source, scenario: str) -> dict[str, Any]:
    """Return a small Sankey of a scenario; empty where no energy flows.

    Rectangles and paths are in shares of the picture, from its top left corner. Links back are
    left out: nobody could follow them.
    """
    found: dict[str, Any] = once(source, _drawn, scenario)
    return found


def _drawn(source: Source, scenario: str) -> dict[str, Any]:
    years = flow_years(source, scenario) if scenario else ()
    if not years:
        return {}
    year = next((year for year in years if year >= _FROM_YEAR), years[-1])
    query = SankeyQuery(scenario, year, most_nodes=_GROUPS)
    try:
        worked = answer(source, SankeyRequest(query, frame=_FRAME))
    except TimesError:
        return {}
    picture = picture_of(worked, lambda node: node.label, source.group_looks)
    colours = {link["id"]: link["colour"] for link in picture["links"]}
    forwards = [link for link in worked.layout.links if not link.back and link.width > 0]
    largest = sorted(forwards, key=lambda link: -link.width)
    fuels = dict.fromkeys(link.id.rpartition(" · ")[2] for link in largest)
    return {
        "caption": f"Energy from supply to use, {readable(scenario)}, {year}",
        "years": [],
        "groups": [
            {"label": fuel, "colour": palette.colour("fuel", fuel, looks=source.group_looks)}
            for fuel in list(fuels)[:_NAMED]
        ],
        "marks": [
            *({"d": _band(link), "colour": colours[link.id], "opacity": 0.55} for link in largest),
            *(_box(node) for node in picture["nodes"]),
        ],
    }


def _box(node: dict[str, Any]) -> dict[str, Any]:
    return {
        "x": node["x0"] / _FRAME.width,
        "y": node["y0"] / _FRAME.height,
        "width": (node["x1"] - node["x0"]) / _FRAME.width,
        "height": (node["y1"] - node["y0"]) / _FRAME.height,
        "colour": node["colour"],
    }


def _band(link: PlacedLink) -> str:
    """The outline of a band: there along its upper edge, back along its lower one."""
    half = link.width / 2
    upper = [(x, y - half) for x, y in link.points]
    lower = [(x, y + half) for x, y in reversed(link.points)]
    return f"M{_at(upper[0])}{_curves(upper)}L{_at(lower[0])}{_curves(lower)}Z"


def _curves(points: list[tuple[float, float]]) -> str:
    parts = []
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (x0 + x1) / 2
        parts.append(f"C{_at((middle, y0))} {_at((middle, y1))} {_at((x1, y1))}")
    return "".join(parts)


def _at(point: tuple[float, float]) -> str:
    return f"{point[0] / _FRAME.width:.4f},{point[1] / _FRAME.height:.4f}"
