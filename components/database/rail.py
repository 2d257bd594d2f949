"""The page's rail: tables, the queries that come along, and those that this browser keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn

from catalogs.sql.examples import examples
from components.database.lists import QueryEntries, SchemaTree
from components.tab_bar import TabBar

if TYPE_CHECKING:
    from components.database.explorer import DatabaseExplorer

_LABELS = ("Tables", "Examples", "History", "Saved")


class Rail:
    """Four lists, one of which is open."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self.schema = SchemaTree(
            on_insert=explorer.insert,
            on_about=explorer.explain_table,
            on_search=self._search,
            sizing_mode="stretch_width",
            margin=0,
        )
        self.examples = QueryEntries(
            kind="examples",
            placeholder="Search examples",
            entries=[
                {
                    "name": example.name,
                    "title": example.title,
                    "sub": example.answers,
                    "section": example.section,
                }
                for example in examples().values()
            ],
            on_name=explorer.open_example,
            sizing_mode="stretch_width",
            margin=0,
        )
        self.history = self._kept(
            "history", "Queries that you run are listed here, in this browser."
        )
        self.saved = self._kept(
            "saved", "Nothing is saved yet: Save keeps a query in this browser."
        )
        self._panels = (self.schema, self.examples, self.history, self.saved)
        self._tabs = TabBar(
            labels=list(_LABELS),
            active=1,
            purpose="What is beside the editor",
            sizing_mode="stretch_width",
            margin=(0, 0, 8, 0),
            stylesheets=["button { padding: 8px 7px !important; font-size: 13px !important; }"],
        )
        # All four stay: what the browser keeps is heard by its list only while that is there.
        for place, panel in enumerate(self._panels):
            panel.visible = place == self._tabs.active
        self._tabs.param.watch(self._open, "active")
        self.view = pn.Column(self._tabs, *self._panels, sizing_mode="stretch_width", margin=0)
        self.take_source()

    def _kept(self, kind: str, empty: str) -> QueryEntries:
        return QueryEntries(
            kind=kind,
            placeholder=f"Search {kind}",
            empty=empty,
            on_open=self._explorer.open_kept,
            sizing_mode="stretch_width",
            margin=0,
        )

    def _open(self, event: Any) -> None:
        for place, panel in enumerate(self._panels):
            panel.visible = place == event.new

    def _search(self, text: str) -> None:
        found = self._explorer.dictionary.search_codes(text.split())
        self.schema.found = [
            {"name": f.name, "where": f.where, "description": f.description, "code": f.code}
            for f in found
        ]

    def take_source(self) -> None:
        """Show the tables of another version."""
        self.schema.tables = tables_of(self._explorer)

    def follow(self) -> None:
        """Mark the example that is open."""
        self.examples.current = self._explorer.sheet.example


def tables_of(explorer: DatabaseExplorer) -> list[dict[str, Any]]:
    """Return the tables as the browser's lists and completion take them."""
    return [
        {
            "name": table.name,
            "section": table.section,
            "one_row": table.one_row,
            "columns": [
                {"name": c.name, "kind": c.kind, "description": c.description}
                for c in table.columns.values()
            ],
        }
        for table in explorer.dictionary.tables.values()
    ]
