"""The drawer of a map of flow records: what flows on an arc or line over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
from panel.viewable import Viewable

from catalogs.errors import TimesError
from catalogs.flow_records.query import FlowView
from components.flowmap.details import SmallChart
from components.legend import ChartKey
from components.notices import PlainText

if TYPE_CHECKING:
    from components.flowmap.records import RecordMap

_COLOURS = ("#3d7ea6", "#e08a3c")


class Profile:
    """The drawer: what flows on an arc or line over time."""

    def __init__(self, flow_map: RecordMap) -> None:
        self._map = flow_map
        self.view = pn.Column(sizing_mode="stretch_width", margin=0)

    def show(self) -> None:
        """Show the profile of what the params name as opened."""
        flow_map = self._map
        source = flow_map.source
        ends = flow_map.opened.split(">", 2)
        if source.about.by_line:
            whose: dict[str, Any] = {"line": flow_map.opened}
        elif len(ends) == 3:
            known = ends[2] in source.commodity_totals
            # Levels of clusters have one name: the one that has this place is meant.
            levels = [i for i, places in enumerate(source.places) if ends[0] in places.id]
            whose = {
                "origin": ends[0], "destination": ends[1], "commodity": ends[2] if known else "",
                "level": levels[0] if levels else -1,
            }  # fmt: skip
        else:
            self.view.objects = [PlainText(text="There is no such flow.")]
            return
        try:
            self.view.objects = self._parts(whose)
        except TimesError as error:
            self.view.objects = [PlainText(text=error.what)]

    def _parts(self, whose: dict[str, Any]) -> list[Viewable]:
        flow_map = self._map
        source, bucket = flow_map.source, flow_map.bucket
        kinds = [kind for kind in source.about.kinds if kind != "all"]
        coarse = next((k for k in ("day", "week", "month") if k in kinds), kinds[-1])
        parts: list[Viewable] = [
            PlainText(text=self._heading(), tag="h2", look="heading"),
            ChartKey(
                groups=[
                    {"code": "there", "label": "there", "colour": _COLOURS[0]},
                    {"code": "back", "label": "back", "colour": _COLOURS[1]},
                ],
                sizing_mode="stretch_width",
            ),
        ]
        unit = source.unit if coarse == "step" else source.unit_of(FlowView())
        parts += _profile(source.profile(**whose, kind=coarse), f"By {coarse}, {unit}", unit)
        steps = bucket.last - bucket.first + 1
        if "step" in source.about.kinds and 1 < steps <= 1000:
            found = source.profile(**whose, kind="step", first=bucket.first, last=bucket.last)
            parts += _profile(found, f"Step by step, {bucket.label}", source.unit)
        return parts

    def _heading(self) -> str:
        drawn, opened = self._map._drawn, self._map.opened
        if self._map.source.about.by_line or drawn is None:
            return opened
        places = drawn.data.places
        names = {str(i): str(name) for i, name in zip(places.id, places.name, strict=True)}
        origin, destination, *_ = opened.split(">", 2)
        return f"{names.get(origin, origin)} → {names.get(destination, destination)}"


def _profile(found: Any, label: str, unit: str) -> list[Viewable]:
    if found.empty:
        return []
    series = [
        {"label": name, "colour": colour, "values": found[column].astype(float).tolist()}
        for name, column, colour in (("there", "value", _COLOURS[0]), ("back", "back", _COLOURS[1]))
    ]
    chart = SmallChart(
        kind="lines", labels=[str(text) for text in found["label"]], series=series, unit=unit,
        label=label, sizing_mode="stretch_width", margin=0,
    )  # fmt: skip
    return [PlainText(text=label, tag="h3", look="heading", margin=(14, 0, 2, 0)), chart]
