"""Beside the map of flow records: its flows as a table and as files, and the query behind it."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from catalogs.errors import TimesError
from components.downloads import to_csv
from components.figures_table import figures_table
from components.notices import PlainText
from components.numbers import percentage, significant

if TYPE_CHECKING:
    from components.flowmap.records import RecordMap

_TABLE_ROWS = 500
_NUMBERS = ("value", "other way", "loading")


class TablePanel:
    """The flows of the map as a table, the largest first; files hold all of them."""

    def __init__(self, flow_map: RecordMap) -> None:
        self._map = flow_map
        self._place = pn.Column(sizing_mode="stretch_width")
        self._more = PlainText(look="muted", visible=False)
        self._filled: Any = None
        buttons = [self._button(label, name) for label, name in _FILES.items()]
        self.view = pn.Column(
            pn.FlexBox(*buttons, gap="8px", margin=(4, 0, 12, 0)),
            self._place,
            self._more,
            sizing_mode="stretch_width",
            min_height=300,
        )

    def _button(self, label: str, ending: str) -> Any:
        button = pmui.FileDownload(
            label=f"Download {label}",
            callback=partial(self.file, ending),
            filename=f"flows-{self._map.source.dataset}.{ending}",
            size="small",
            margin=0,
        )
        button.variant = "outlined"
        return button

    def file(self, ending: str) -> io.BytesIO:
        """Return all flows of the map as a file: csv or parquet."""
        table = self._map.table()
        if ending == "csv":
            return to_csv(table)
        stream = io.BytesIO()
        table.to_parquet(stream, index=False)
        stream.seek(0)
        return stream

    def fill(self) -> None:
        """Lay the table out, if it is seen and has changed."""
        drawn = self._map._drawn
        if self._map.tab != "table" or drawn is None or drawn is self._filled:
            return
        self._filled = drawn
        whole = self._map.table()
        table = whole.head(_TABLE_ROWS)
        for name in ("value", "other way"):
            table[name] = [significant(value) for value in table[name]]
        if "loading" in table:
            table["loading"] = [percentage(v) if np.isfinite(v) else "–" for v in table["loading"]]
        self._place.objects = [figures_table(table, _NUMBERS)]
        self._more.visible = len(whole) > len(table)
        self._more.text = f"The {len(table):,} largest of {len(whole):,}; files hold all of them."


_FILES = {"CSV": "csv", "Parquet": "parquet"}


class QueryPanel:
    """What is counted, in words and in SQL."""

    def __init__(self, flow_map: RecordMap) -> None:
        self._map = flow_map
        self._filled: Any = None
        self._words = PlainText(look="body", margin=(0, 0, 12, 0), max_width=760)
        self._sql = PlainText(tag="pre", look="code")
        self.view = pn.Column(
            PlainText(text="What is counted", tag="h2", look="heading", margin=(12, 0, 4, 0)),
            self._words,
            PlainText(text="The query behind the map", tag="h3", look="heading"),
            self._sql,
            PlainText(text=_HOW_TO_RUN, look="muted", margin=(8, 0), max_width=760),
            sizing_mode="stretch_width",
        )

    def fill(self) -> None:
        """Show the query of the map, if it is seen and has changed."""
        drawn = self._map._drawn
        if self._map.tab != "query" or drawn is self._filled:
            return
        self._filled = drawn
        if drawn is None:
            self._sql.text = "The question was refused, so nothing was run."
            return
        about = self._map.source.about
        whose = "the lines of a network" if about.by_line else "pairs of places"
        self._words.text = (
            f"Sums of the records of {whose}, over the time shown. A negative value is a flow from"
            " the destination to the origin. "
            + (_NET if drawn.view.is_net else "Each direction is counted by itself.")
        )
        try:
            self._sql.text = self._map.statement
        except TimesError as error:
            self._sql.text = error.what


_NET = 'Of two opposite flows the difference is shown; "other way" is what flows back.'
_HOW_TO_RUN = (
    "It runs on the tables of the dataset's own DuckDB file, in Python:"
    " open_flow_records(folder, name).sql(query)."
)
