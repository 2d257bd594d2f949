"""The lists beside the editor: schema, queries that come along, history and saved queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import param
from panel.custom import JSComponent

from catalogs.sql.dictionary import MOST_FOUND
from components.assets import read_asset

#: Longest query that is taken from the browser's storage, in characters.
_LONGEST = 100_000


class SchemaTree(JSComponent):
    """Tables and columns with a search; a click inserts.

    ``on_insert`` is called with the text, ``on_about`` with the name of a table, ``on_search``
    with what is looked for.
    """

    tables = param.List(default=[], item_type=dict, doc="Tables: name, section, one_row, columns")
    found = param.List(default=[], item_type=dict, doc="Codes that fit what is looked for")
    most = param.Integer(default=MOST_FOUND, doc="Codes that are shown at most")

    on_insert = param.Callable(default=None, allow_None=True, doc="Told what to insert")
    on_about = param.Callable(default=None, allow_None=True, doc="Told of a table to explain")
    on_search = param.Callable(default=None, allow_None=True, doc="Told what is looked for")

    _esm = read_asset("database_schema.js")
    _stylesheets = [read_asset("database_lists.css")]
    _rename = {"on_insert": None, "on_about": None, "on_search": None}

    def _handle_msg(self, message: dict[str, Any]) -> None:
        for name, callback in (
            ("insert", self.on_insert),
            ("about", self.on_about),
            ("search", self.on_search),
        ):
            if callback is not None and isinstance(message.get(name), str):
                callback(message[name][:1000])


class QueryEntries(JSComponent):
    """A list of queries. Those of the kinds history and saved are kept by the browser itself.

    ``on_name`` is called with the name of a query that comes along, ``on_open`` with text, values
    and title of one that the browser kept.
    """

    kind: Any = param.Selector(
        default="examples", objects=["examples", "history", "saved"], doc="Whose queries"
    )
    entries = param.List(
        default=[], item_type=dict, doc="Queries that come along: name, title, sub, section"
    )
    current = param.String(default="", doc="Name of the query that is open")
    placeholder = param.String(default="Search", doc="What the search is for")
    empty = param.String(default="", doc="What is said where there is none")

    on_name = param.Callable(default=None, allow_None=True, doc="Told of a query that comes along")
    on_open = param.Callable(default=None, allow_None=True, doc="Told of a query that was kept")

    _esm = read_asset("database_entries.js")
    _stylesheets = [read_asset("database_lists.css")]
    _rename = {"on_name": None, "on_open": None}

    def keep(self, text: str, values: Mapping[str, Any], title: str, said: str) -> None:
        """Have the browser keep a query; one of the same text (saved: title) is replaced."""
        self._send_msg(
            {"keep": {"text": text, "values": dict(values), "title": title, "said": said}}
        )

    def _handle_msg(self, message: dict[str, Any]) -> None:
        name, kept = message.get("name"), message.get("open")
        if self.on_name is not None and name in [entry["name"] for entry in self.entries]:
            self.on_name(name)
        if self.on_open is not None and isinstance(kept, dict):
            text, values, title = (kept.get(key) for key in ("text", "values", "title"))
            if isinstance(text, str) and len(text) <= _LONGEST:
                self.on_open(text, values if isinstance(values, dict) else {}, str(title or ""))


class SheetBar(JSComponent):
    """The sheets of the editor as tabs.

    ``on_open``, ``on_close`` are called with a sheet's number, ``on_rename`` with number and name,
    ``on_add`` with nothing.
    """

    sheets = param.List(default=[], item_type=dict, doc="Sheets: id and name")
    active = param.Integer(default=0, doc="Number of the sheet that is open")

    on_open = param.Callable(default=None, allow_None=True, doc="Told of a sheet to open")
    on_close = param.Callable(default=None, allow_None=True, doc="Told of a sheet to close")
    on_rename = param.Callable(default=None, allow_None=True, doc="Told of a sheet's new name")
    on_add = param.Callable(default=None, allow_None=True, doc="Called for a new sheet")

    _esm = read_asset("database_sheets.js")
    _stylesheets = [read_asset("database_sheets.css")]
    _rename = {"on_open": None, "on_close": None, "on_rename": None, "on_add": None}

    def _handle_msg(self, message: dict[str, Any]) -> None:
        known = {sheet["id"] for sheet in self.sheets}
        callbacks: dict[str, Callable[..., None] | None] = {
            "open": self.on_open,
            "close": self.on_close,
        }
        for name, callback in callbacks.items():
            if callback is not None and message.get(name) in known:
                callback(message[name])
        renamed = message.get("rename")
        if isinstance(renamed, dict) and renamed.get("sheet") in known and self.on_rename:
            self.on_rename(renamed["sheet"], str(renamed.get("name"))[:60])
        if message.get("add") and self.on_add is not None:
            self.on_add()


class FileFetcher(JSComponent):
    """Shows nothing; has the browser fetch a file."""

    _esm = read_asset("database_fetch.js")

    def fetch(self, address: str) -> None:
        """Fetch a file from an address of this server that begins with ``/api/``."""
        self._send_msg({"fetch": address})
