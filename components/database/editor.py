"""The SQL editor: Ace with completion of tables, columns, codes, functions and parameters.

Panel's own ``CodeEditor`` neither says where the cursor is nor lets a completer in. This uses the
same Ace that Panel ships: a page, or a notebook, asks for it with ``pn.extension("codeeditor")``.
Without it there is a plain text field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import param
from panel.custom import JSComponent

from components.assets import read_asset


class SqlEditor(JSComponent):
    """A text that is edited in the browser; Python is told of it when the writer pauses.

    ``on_text`` is called with the sheet and its text; ``on_act`` with what the writer wants (a
    word: "all", "statement", "format", "save", "explain", "new") and the place of the cursor,
    after ``on_text``; ``on_too_long`` with the length of a text that is not taken over;
    ``complete`` returns what may stand for a beginning: dictionaries with name, code, bare,
    where and description.
    """

    shown = param.Dict(
        default={"sheet": 0, "text": ""}, doc="Number of the sheet that is edited, and its text"
    )
    annotations = param.List(
        default=[], item_type=dict, doc="Marks in the text: row and column from 0, text, type"
    )
    words = param.Dict(
        default={"tables": [], "functions": [], "parameters": []},
        doc="What is completed: tables with columns, functions, parameters",
    )
    longest = param.Integer(default=100_000, doc="Longest text that is taken over, in characters")

    _esm = read_asset("database_editor.js")
    _stylesheets = [read_asset("database_editor.css")]
    _rename = {"on_text": None, "on_act": None, "on_too_long": None, "complete": None}

    on_text = param.Callable(default=None, allow_None=True, doc="Told of the text")
    on_act = param.Callable(default=None, allow_None=True, doc="Told what the writer wants")
    on_too_long = param.Callable(default=None, allow_None=True, doc="Told of a text not taken over")
    complete = param.Callable(default=None, allow_None=True, doc="Returns completions of codes")

    def __init__(
        self,
        *,
        on_text: Callable[[int, str], None] | None = None,
        on_act: Callable[[str, int], None] | None = None,
        on_too_long: Callable[[int], None] | None = None,
        complete: Callable[[str, str], Sequence[dict[str, str]]] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(
            on_text=on_text, on_act=on_act, on_too_long=on_too_long, complete=complete, **params
        )

    def insert(self, text: str) -> None:
        """Put text at the cursor, and the cursor behind it."""
        self._send_msg({"insert": text})

    def ask(self, act: str) -> None:
        """Have the browser send its text, then do what a button stands for, as ``on_act``."""
        key = "run" if act in ("all", "statement") else "act"
        self._send_msg({"tell": {key: act}})

    def show_place(self, row: int, column: int) -> None:
        """Put the cursor at a place, both from 0."""
        self._send_msg({"show": {"row": row, "column": column}})

    def _handle_msg(self, message: dict[str, Any]) -> None:
        if message.get("sheet") != self.shown["sheet"]:
            return  # written before another sheet was opened
        asked = message.get("complete")
        if isinstance(asked, dict):
            found = (
                self.complete(str(asked.get("text")), str(asked.get("before")))
                if (self.complete)
                else []
            )
            self._send_msg({"completions": {"id": asked.get("id"), "found": list(found)}})
        if isinstance(message.get("too_long"), int) and self.on_too_long is not None:
            self.on_too_long(message["too_long"])
        text = message.get("text")
        if not isinstance(text, str) or len(text) > self.longest:
            return
        if self.on_text is not None:
            self.on_text(message["sheet"], text)
        act = message.get("run") or message.get("act")
        place = message.get("place", 0)
        if self.on_act is not None and isinstance(act, str) and isinstance(place, int):
            self.on_act(act, place)
