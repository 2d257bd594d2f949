"""The data dictionary of a table: what its columns mean and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
import pyarrow as pa

from catalogs.sql.dictionary import TableEntry, TableStatistics
from components.database.cells import count_of
from components.database.profile import ColumnProfiles
from components.database.rows_view import RowsView
from components.notices import PlainText
from components.numbers import percentage

if TYPE_CHECKING:
    from components.database.explorer import DatabaseExplorer


class DictionaryPanel:
    """The page's drawer: a table's meaning at once, its statistics when they are worked out."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self._name = ""
        self._title = PlainText(tag="h2", look="heading")
        self._row = PlainText(look="body")
        self._count = PlainText(look="muted", role="status")
        self._work_out = pmui.Button(
            label="Count its rows", size="small", visible=False, margin=(4, 0)
        )
        self._work_out.variant = "outlined"
        self._work_out.on_click(lambda _event: self._ask())
        self._columns = ColumnProfiles(sizing_mode="stretch_width", margin=(8, 0))
        self._samples = RowsView(sizing_mode="stretch_width", most_high=220, visible=False)
        self._meanings = ColumnProfiles(sizing_mode="stretch_width", margin=(8, 0))
        self._about = PlainText(
            tag="h3",
            look="heading",
            text="What each attribute means, and what may be summed",
            visible=False,
        )
        self.view = pn.Column(
            self._title, self._row, self._count, self._work_out, self._samples, self._columns,
            self._about, self._meanings,
            sizing_mode="stretch_width",
        )  # fmt: skip

    def show(self, name: str) -> None:
        """Explain a table."""
        explorer = self._explorer
        entry = explorer.dictionary.table(name)
        self._name = name
        known = explorer.dictionary.known_statistics(name)
        self._title.text = name
        self._row.text = f"One row: {entry.one_row}."
        has_attributes = "attribute" in entry.columns
        self._about.visible = has_attributes
        self._meanings.columns = _meanings(explorer) if has_attributes else []
        self._fill(entry, known)
        ask_first = entry.is_slow and known is None
        self._work_out.visible = ask_first
        if ask_first:
            self._count.text = (
                "This view is worked out anew for every query: counting takes a while."
            )
        elif known is None:
            self._ask()

    def _ask(self) -> None:
        name = self._name
        dictionary = self._explorer.dictionary
        self._work_out.visible = False
        self._count.text = "Counting …"

        def fill(found: TableStatistics) -> None:
            if name == self._name:
                self._fill(dictionary.table(name), found)

        self._explorer.tasks.work_out(lambda: dictionary.statistics(name), fill, newest=False)

    def _fill(self, entry: TableEntry, found: TableStatistics | None) -> None:
        self._columns.columns = [_card(entry, name, found) for name in entry.columns]
        self._samples.visible = bool(found and found.rows)
        if found is None:
            return
        self._count.text = f"{count_of(found.rows)} rows"
        self._samples.fill(
            pa.table(
                {name: [row[i] for row in found.first_rows] for i, name in enumerate(entry.columns)}
            ),
            tuple(column.kind for column in entry.columns.values()),
        )


def _card(entry: TableEntry, name: str, found: TableStatistics | None) -> dict[str, Any]:
    column = entry.columns[name]
    card: dict[str, Any] = {
        "name": name, "kind": column.kind, "text": column.description, "facts": [], "bins": [],
        "low": "", "high": "", "frequent": [],
    }  # fmt: skip
    known = found.columns[name] if found else None
    if known is None or found is None or not found.rows:
        return card
    facts = [
        ("Distinct, about", count_of(known.distinct)),
        ("With a value", percentage(known.filled)),
    ]
    if known.lowest or known.highest:
        facts += [("First", known.lowest), ("Last", known.highest)]
    if known.samples:
        facts.append(("Often", ", ".join(known.samples)))
    return {**card, "facts": facts}


def _meanings(explorer: DatabaseExplorer) -> list[dict[str, Any]]:
    """Return a card for each attribute that this dataset has."""
    cards = []
    for name in explorer.source.attribute_names:
        known = explorer.dictionary.attributes.get(name)
        over = ", ".join(sorted(known.sum_over)) if known else ""
        facts = [("May be summed over", over or "nothing: never sum it")]
        if known:
            facts.append(("Unit", known.unit_source))
        cards.append(
            {
                "name": name, "kind": known.kind if known else "unknown", "facts": facts,
                "text": known.definition if known else "No table says what this attribute is.",
                "bins": [], "low": "", "high": "", "frequent": [],
            }
        )  # fmt: skip
    return cards
