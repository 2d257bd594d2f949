"""The view of a result that is a map: a flow map with its legend, and what is not on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn

from catalogs.errors import TimesError
from catalogs.sql.service import SqlResult
from components.database.flow_map import ResultMap, draw_map
from components.flowmap.basemap import BaseMap, View
from components.flowmap.view import FlowMapView
from components.legend import ChartKey
from components.notices import PlainText, notice

if TYPE_CHECKING:
    from components.database.explorer import DatabaseExplorer

_HEIGHT = "clamp(360px, 60vh, 640px)"


class MapPanel:
    """The map of the result that is shown; worked out in a thread."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self._base: BaseMap | None = None
        self._map = FlowMapView(
            sizing_mode="stretch_width", styles={"height": _HEIGHT}, margin=0, on_view=self._seen
        )
        self._picture = pn.Column(sizing_mode="stretch_width", styles={"flex": "1 1 480px"})
        self._legend = ChartKey(min_width=180, sizing_mode="stretch_width")
        self._remarks = PlainText(look="muted", margin=(4, 6))
        self._beside = pn.Column(
            self._legend, self._remarks, styles={"flex": "0 1 240px"}, min_width=180
        )
        self.view = pn.FlexBox(self._picture, self._beside, gap="14px")

    def show(self, result: SqlResult) -> None:
        """Draw a result, or say why it is no map."""
        source, before = self._explorer.source, self._base

        def work() -> ResultMap | TimesError:
            try:
                return draw_map(result.table, source, before)
            except TimesError as error:
                return error

        self._explorer.tasks.work_out(work, self._draw)

    def _draw(self, found: ResultMap | TimesError) -> None:
        if isinstance(found, TimesError):
            self._picture[:] = [notice(found.what, found.remedy, kind="refusal")]
            self._beside.visible = False
            return
        if found.base is not self._base:
            self._base = found.base
            self._map.figure = pn.pane.HoloViews(
                found.base.picture, sizing_mode="stretch_both", margin=0, linked_axes=False
            )
        self._map.param.update(**found.params)
        if self._picture.objects != [self._map]:
            self._picture[:] = [self._map]
        self._legend.param.update(
            heading=found.data.unit, groups=found.legend, visible=bool(found.legend)
        )
        how_much = found.data.shown.sentence("amount")
        self._remarks.text = " ".join([f"{how_much}.", *found.data.remarks])
        self._beside.visible = True

    def _seen(self, view: View) -> None:
        if self._base is not None:
            self._base.show(view)
