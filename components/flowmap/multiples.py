"""Maps of several scenarios beside each other: one scale, the same colours, the same view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
from panel.viewable import Viewable

from catalogs.errors import TimesError
from catalogs.flowmaps.trade_map import Frame, TradeMap, TradeRequest, trade_map
from catalogs.source import Source
from components.flowmap.picture import bounds_of_map, frame_of, widest
from components.flowmap.projection import MapProjection
from components.flowmap.view import FlowMapView, pack_frame
from components.names import readable
from components.notices import PlainText, notice

if TYPE_CHECKING:
    from components.flowmap.explorer import FlowMap

#: More maps than these are too small to be read.
MOST_MAPS = 6
#: Maps that show the same part of the world.
_GROUP = "scenarios"
_HEIGHT_OF_ONE = "clamp(380px, calc(100vh - 330px), 820px)"
_HEIGHT_OF_MANY = "clamp(270px, calc(50vh - 190px), 460px)"
#: Three beside each other at most; one where there is no room for two.
_COLUMNS = "repeat(auto-fit, minmax(min(100%, max(320px, 32%)), 1fr))"


@dataclass(frozen=True)
class Maps:
    """The map of the base scenario, and those of others, or why there is none."""

    base: TradeMap
    others: Mapping[str, TradeMap | TimesError]

    @property
    def drawn(self) -> tuple[TradeMap, ...]:
        """All maps there are."""
        return (self.base, *(m for m in self.others.values() if isinstance(m, TradeMap)))

    @property
    def categories(self) -> tuple[str, ...]:
        """What colours stand for in any of them."""
        return tuple(dict.fromkeys(name for m in self.drawn for name in m.data.categories))

    def of(self, scenario: str) -> TradeMap:
        """Return the map of a scenario; that of the base where it has none."""
        found = self.others.get(scenario)
        return found if isinstance(found, TradeMap) else self.base

    def bounds(self, projection: MapProjection) -> list[float]:
        """Return x0, x1, y0, y1 of what is to be seen in all of them."""
        each = np.array(
            [bounds_of_map(m, projection) for m in self.drawn if m.data.places.is_placed.any()]
            or [bounds_of_map(self.base, projection)]
        )
        low, high = each.min(axis=0), each.max(axis=0)
        return [float(low[0]), float(high[1]), float(low[2]), float(high[3])]


def work_out(source: Source, request: TradeRequest, others: Sequence[str]) -> Maps:
    """Work out the map of a request, and the same of other scenarios.

    Raises the errors of ``trade_map`` for the request's own scenario only.
    """
    base = trade_map(source, request)
    found: dict[str, TradeMap | TimesError] = {}
    for name in others:
        try:
            found[name] = trade_map(
                source, replace(request, query=replace(request.query, scenario=name))
            )
        except TimesError as error:
            found[name] = error
    return Maps(base, found)


def values_of(shown: TradeMap, frame: Frame) -> bytes:
    """Return the values of a frame; nothing flows in one that a scenario does not have."""
    if frame in shown.frames:
        return frame_of(shown, frame)
    arcs, places = len(shown.data.arcs), len(shown.data.places)
    return pack_frame(np.zeros(arcs), np.full(arcs, np.nan), np.full(2 * places, np.nan))


class MapsBeside:
    """The base scenario's map, and a smaller one of each other scenario beside it."""

    def __init__(self, flow_map: FlowMap, first: FlowMapView) -> None:
        self._map = flow_map
        self._first = _Cell(first)
        self._others: dict[str, _Cell] = {}
        self.view = pn.Column(
            self._first.view, sizing_mode="stretch_width", styles=_side_by_side(False)
        )

    @property
    def views(self) -> dict[str, FlowMapView]:
        """The further maps by scenario, of those that can be drawn."""
        return {name: cell.map for name, cell in self._others.items()}

    def show(self, maps: Maps, projection: MapProjection, *, anew: bool) -> None:
        """Lay out the maps of an answer; ``anew`` where the figures below are to be others."""
        if anew:
            self._others = {}
        drawn = {name: m for name, m in maps.others.items() if isinstance(m, TradeMap)}
        self._others = {name: self._others.get(name) or self._cell(name) for name in drawn}
        several = bool(maps.others)
        bounds = maps.bounds(projection)
        self._first.height(several)
        self._first.map.group = _GROUP if several else ""
        for name, cell in self._others.items():
            if cell.map.figure is None:
                cell.map.figure, see = self._map._figure(bounds, projection)
                cell.map.on_view = see
            cell.height(several)
            self._draw(cell.map, maps, drawn[name], projection)
            cell.map.picked = self._map._picked(drawn[name])
        self._draw(self._first.map, maps, maps.base, projection)
        self.show_frame(maps)
        cells = [
            self._others[name].view if name in self._others else _refused(name, answer)
            for name, answer in maps.others.items()
        ]
        self.view.styles = _side_by_side(several)
        self.view.objects = [self._first.view, *cells]

    def _draw(
        self, view: FlowMapView, maps: Maps, shown: TradeMap, projection: MapProjection
    ) -> None:
        params = self._map._picture_params(maps, shown, projection)
        params["picture"] |= {
            "bounds": maps.bounds(projection),
            "widest": widest(max(len(m.data.arcs) for m in maps.drawn)),
            # One scale is read once.
            "has_scale": shown is maps.base,
        }
        if maps.others:
            params["picture"]["fit"] += f" {','.join(maps.others)}"
        view.param.update(**params, frame=values_of(shown, self._map.frame), when=self._map._when())

    def show_frame(self, maps: Maps) -> None:
        """Show another year or timeslice in all further maps, and how much each shows."""
        frame, when = self._map.frame, self._map._when()
        for name, cell in self._others.items():
            shown = maps.of(name)
            cell.map.param.update(frame=values_of(shown, frame), when=when)
            cell.say(name, shown, frame)
        if maps.others:
            self._first.say(maps.base.request.query.scenario, maps.base, frame)
        else:
            self._first.say("", maps.base, frame)

    def _cell(self, name: str) -> _Cell:
        return _Cell(
            FlowMapView(
                sizing_mode="stretch_width",
                margin=0,
                group=_GROUP,
                on_arc=partial(self._map._open_arc, scenario=name),
                on_place=partial(self._map._open_place, scenario=name),
            )
        )


def _side_by_side(several: bool) -> dict[str, str]:
    columns = _COLUMNS if several else "minmax(0, 1fr)"
    return {"display": "grid", "grid-template-columns": columns, "gap": "12px"}


class _Cell:
    """A map with the name of its scenario above it."""

    def __init__(self, view: FlowMapView) -> None:
        self.map = view
        self._name = PlainText(tag="h3", look="heading", margin=(4, 0, 0, 0), visible=False)
        self._said = PlainText(look="muted", margin=(0, 0, 4, 0), visible=False)
        self.view: Any = pn.Column(
            self._name, self._said, view, sizing_mode="stretch_width", margin=0,
            styles={"min-width": "0"},
        )  # fmt: skip

    def height(self, several: bool) -> None:
        """Fill the first screen, alone or with others."""
        self.map.styles = {"height": _HEIGHT_OF_MANY if several else _HEIGHT_OF_ONE}

    def say(self, name: str, shown: TradeMap, frame: Frame) -> None:
        """Say whose map it is and how much of it is shown; nothing where the page says it."""
        there = frame in shown.frames
        said = shown.shown[shown.at(frame)].sentence() if there else f"no trade in {frame}"
        self._name.param.update(text=readable(name), visible=bool(name))
        self._said.param.update(text=said, visible=bool(name))


def _refused(name: str, error: Any) -> Viewable:
    return pn.Column(
        PlainText(text=readable(name), tag="h3", look="heading", margin=(4, 0, 0, 0)),
        notice(error.what, error.remedy, kind="refusal"),
        sizing_mode="stretch_width",
    )
