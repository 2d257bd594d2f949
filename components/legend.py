"""The legend beside a chart: groups in the order of the stack, each a button that opens it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from components.assets import read_asset


class ChartKey(JSComponent):
    """The legend: swatches with labels; a click (or Enter) on one calls ``on_open`` with its code.

    Without ``on_open`` entries are plain text, nothing to click or to reach with the keyboard.

    ``groups`` are dictionaries with the keys code, label, colour and amount (text, shown at the
    right); ``line_keys`` explain line styles: dictionaries with label and dash.

    Not called Legend: panel-material-ui styles every model whose name ends so as Bokeh's legend,
    and fails on one that is not.
    """

    groups = param.List(default=[], item_type=dict, doc="What each colour stands for")
    line_keys = param.List(default=[], item_type=dict, doc="What each line style stands for")
    heading = param.String(default="", doc="What the amounts are of: scenario, year and unit")
    hint = param.String(default="", doc="What a click does, for the tooltip of each entry")
    can_open = param.Boolean(default=False, doc="Whether entries are buttons; follows on_open")
    on_open = param.Callable(
        default=None, allow_None=True, doc="Called with the code of the entry that was clicked"
    )

    _esm = read_asset("legend.js")
    _stylesheets = [read_asset("legend.css")]
    _rename = {"on_open": None}

    def __init__(self, on_open: Callable[[str], None] | None = None, **params: Any) -> None:
        super().__init__(on_open=on_open, can_open=on_open is not None, **params)

    def _handle_msg(self, message: dict[str, Any]) -> None:
        code = message.get("open")
        if self.on_open is not None and code in [entry["code"] for entry in self.groups]:
            self.on_open(str(code))
