"""The browser's back and forward buttons, as an event in Python.

Panel writes to the browser's history but does not listen to it: without this component "back"
changes the address and nothing else.
"""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent

from components.assets import read_asset

# Defines report_history(model, view); components that report the history themselves begin with it.
REPORT_HISTORY = read_asset("browser_history.js")


class BrowserHistory(JSComponent):
    """Shows nothing; calls `on_move` with the query of the address moved to, "?a=1" or ""."""

    on_move = param.Callable(
        default=None, allow_None=True, doc="Called with the query of the new address"
    )

    on_load = param.Callable(
        default=None, allow_None=True, doc="Called once the page is in the browser"
    )

    _esm = (
        REPORT_HISTORY
        + """
export function render({model, view}) {
  report_history(model, view)
  const nothing = document.createElement("span")
  nothing.hidden = true
  return nothing
}"""
    )
    _rename = {"on_move": None, "on_load": None}

    def _handle_msg(self, message: dict[str, Any]) -> None:
        search = message.get("search")
        if self.on_move is not None and isinstance(search, str):
            self.on_move(search)
        if self.on_load is not None and message.get("loaded"):
            self.on_load()
