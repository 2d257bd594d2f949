"""The tab with tables: flows and regions of all maps shown, and both as files."""

from __future__ import annotations

from functools import partial
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.errors import TimesError
from catalogs.flowmaps.trade_map import Frame
from catalogs.writers.delimited import to_csv
from catalogs.writers.xlsx import to_xlsx
from components.figures_table import figures_table
from components.flowmap import words
from components.flowmap.multiples import Maps
from components.flowmap.tables import TEXTS
from components.names import readable
from components.notices import PlainText
from components.numbers import percentage, significant

if TYPE_CHECKING:
    from components.flowmap.explorer import FlowMap

_ROWS_PER_PAGE = 15
_SHARES = ("share", "loading")


class TablePanel:
    """Flows, the largest first, and regions; made while their tab is open."""

    def __init__(self, flow_map: FlowMap) -> None:
        self._map = flow_map
        self._shown: tuple[Maps, Frame] | None = None
        self._filled: tuple[Maps, Frame] | None = None
        self._flows = _Section("Flows", flow_map, flow_map.table)
        self._regions = _Section("Regions", flow_map, flow_map.regions_table)
        self.view = pn.Column(sizing_mode="stretch_width")

    def show(self, maps: Maps | None) -> None:
        """Take over other maps; None where there are none."""
        self._shown = (maps, self._map.frame) if maps is not None else None
        self.fill()

    def fill(self) -> None:
        """Lay the tables out, if they are seen and have changed."""
        if self._map.tab != "table" or self._shown == self._filled:
            return
        self._filled = self._shown
        parts: list[Viewable] = []
        if self._shown is not None:
            if missing := _missing(*self._shown):
                parts.append(PlainText(text=missing, look="muted", margin=(0, 0, 8, 0)))
            # All in one column: one within another would not grow with its table.
            parts += [*self._flows.parts(), *self._regions.parts()]
        self.view.objects = parts


def _missing(maps: Maps, frame: Frame) -> str:
    """Say which scenarios have no rows, and why."""
    said = []
    for name, answer in maps.others.items():
        if isinstance(answer, TimesError):
            said.append(answer.what)
        elif frame not in answer.frames:
            said.append(f"{readable(name)} has no trade in {frame}.")
    return " ".join(said)


class _Section:
    """A table with its heading and files."""

    def __init__(self, heading: str, flow_map: FlowMap, table: Any) -> None:
        self._map, self._table, self._heading = flow_map, table, heading
        files = [self._file(label, ending) for label, ending in (("CSV", "csv"), ("Excel", "xlsx"))]
        title = PlainText(text=heading, tag="h2", look="heading", margin=(4, 8, 4, 0))
        self._head = pn.FlexBox(title, *files, gap="8px", align_items="center")

    def _file(self, label: str, ending: str) -> Viewable:
        button = pmui.FileDownload(
            label=f"{self._heading} as {label}", callback=partial(self._made, ending),
            filename=f"{self._heading.lower()}.{ending}", size="small", margin=0,
        )  # fmt: skip
        button.variant = "outlined"
        return button

    def _made(self, ending: str) -> IO[bytes]:
        if ending == "csv":
            return to_csv(self._table())
        flow_map = self._map
        notes = {
            "Dataset": flow_map.source.dataset,
            "Data version": flow_map.source.version,
            "Content": f"{self._heading} of a flow map",
            "Title": words.sentence(flow_map),
            "Shown": flow_map.foot,
        }
        return to_xlsx(self._table(), notes)

    def parts(self) -> list[Viewable]:
        """Return heading and table of what there is now; nothing where there are no rows."""
        table = self._table()
        if table.empty:
            return []
        numbers = [name for name in table.columns if name not in TEXTS]
        shown = figures_table(_written(table), numbers, rows=_ROWS_PER_PAGE, margin=(0, 0, 18, 0))
        return [self._head, shown]


def _written(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its figures written out for reading."""
    written = table.copy()
    for name in written.columns:
        if name == "scenario":
            written[name] = [readable(value) for value in table[name]]
        elif name in _SHARES:
            written[name] = [percentage(v) if np.isfinite(v) else "–" for v in table[name]]
        elif name not in TEXTS:
            written[name] = [significant(value) for value in table[name]]
    return written
