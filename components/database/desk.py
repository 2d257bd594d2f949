"""The upper half of the page: sheets, editor, buttons and the fields of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.sql.examples import examples
from components.database.editor import SqlEditor
from components.database.lists import SheetBar
from components.database.parameters import ParameterForm
from components.database.rail import tables_of
from components.database.sheets import Outcome
from components.notices import PlainText, announce

if TYPE_CHECKING:
    from components.database.explorer import DatabaseExplorer

#: Characters of a function's description that completion shows.
_SHORT = 160
_MOST_COMPLETED = 100


class Desk:
    """Holds no state of its own: ``follow`` shows the open sheet."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self.sheets = SheetBar(
            on_open=explorer.open_sheet,
            on_close=explorer.close_sheet,
            on_rename=explorer.rename_sheet,
            on_add=explorer.add_sheet,
            sizing_mode="stretch_width",
            margin=(0, 0, 8, 0),
        )
        self.form = ParameterForm(on_change=explorer.set_value)
        self.editor = SqlEditor(
            on_text=explorer.set_text,
            on_act=explorer.act,
            on_too_long=self._too_long,
            complete=self._complete,
            words=self._words(),
            sizing_mode="stretch_width",
            margin=0,
        )
        self._run = self._button("Run", "all", "contained", "everything, Ctrl+Enter")
        self._one = self._button(
            "Run statement", "statement", "outlined", "at the cursor, Ctrl+Shift+Enter"
        )
        self._cancel = pmui.Button(label="Cancel", size="small", color="error", margin=0)
        self._cancel.on_click(lambda _event: explorer.cancel())
        self._cancel.visible = False
        self._buttons = pn.FlexBox(
            self.form.view,
            self._run,
            self._one,
            self._cancel,
            self._button("Plan", "explain", "text", "how it would be worked out, Ctrl+Shift+E"),
            self._button("Format", "format", "text", "lay the text out anew, Ctrl+Shift+F"),
            self._button("Save", "save", "text", "keep it in this browser, Ctrl+S"),
            gap="8px",
            margin=(8, 0, 4, 0),
            align_items="center",
        )
        self._answers = PlainText(look="muted", margin=(0, 0, 6, 0), visible=False)
        self._said = PlainText(look="body", role="status", margin=(4, 0), visible=False)
        explorer.param.watch(self._follow_working, "working")
        self._parameters: tuple[Any, ...] = ()
        self.parts: list[Viewable] = [
            self.sheets, self._answers, self.editor, self._buttons, self._said,
        ]  # fmt: skip

    def _button(self, label: str, act: str, variant: Any, hint: str) -> Any:
        # The hint is what a screen reader reads: it begins with the label.
        hint = f"{label}: {hint}"
        button = pmui.Button(label=label, size="small", margin=0, description=hint)
        button.variant = variant
        # The browser sends its text first: what is run is what is seen.
        button.on_click(lambda _event: self.editor.ask(act))
        return button

    # ------------------------------------------------------------------ following

    def follow(self) -> None:
        """Show the open sheet."""
        explorer = self._explorer
        sheet = explorer.sheet
        named = [{"id": s.id, "name": s.name} for s in explorer.sheets.all]
        self.sheets.param.update(sheets=named, active=sheet.id)
        document = {"sheet": sheet.id, "text": sheet.text}
        if self.editor.shown != document:
            self.editor.shown = document
        answers = examples()[sheet.example].answers if sheet.is_example else ""
        self._answers.param.update(text=answers, visible=bool(answers))
        self._said.param.update(text=sheet.said, visible=bool(sheet.said))
        outcome = sheet.outcome
        refused = outcome is not None and outcome.refusal is not None
        self.editor.annotations = self.marks(outcome) if refused and outcome else []
        self.follow_text()

    def follow_text(self) -> None:
        """Show the fields of the parameters that the text has now."""
        explorer = self._explorer
        sheet = explorer.sheet
        # What the browser has written is not sent back, but is what a later change is against.
        parameters = explorer.parameters_of(sheet.text)
        names = [parameter.name for parameter in parameters]
        if tuple(names) != self._parameters:
            self._parameters = tuple(names)
            self.editor.words = {**self.editor.words, "parameters": names}
        self.form.follow(parameters, sheet.values, explorer.dictionary)

    def marks(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Return where a refused statement goes wrong, as the editor marks it."""
        refusal = outcome.refusal
        if refusal is None or refusal.line is None:
            return []
        part = outcome.statement
        row = part.line + refusal.line - 1
        column = (refusal.column or 1) - 1
        if refusal.line == 1:
            before = self._explorer.sheet.text[: part.start]
            column += len(before) - (before.rfind("\n") + 1)
        text = f"{refusal.what} {refusal.hint}".strip()
        return [{"row": row, "column": column, "text": text, "type": "error"}]

    def take_source(self) -> None:
        """Offer what another version has."""
        self.form.forget()
        self.editor.words = self._words()
        self._parameters = ()

    def _follow_working(self, event: Any) -> None:
        self._cancel.visible = event.new
        self._run.disabled = self._one.disabled = event.new

    # ------------------------------------------------------------------ completion

    def _words(self) -> dict[str, Any]:
        dictionary = self._explorer.dictionary
        return {
            "tables": tables_of(self._explorer),
            "functions": [
                [name, call, what[:_SHORT]] for name, (call, what) in dictionary.functions.items()
            ],
            "parameters": [],
        }

    def _complete(self, text: str, _before: str) -> list[dict[str, str]]:
        found = self._explorer.dictionary.search_codes([text], _MOST_COMPLETED)
        return [
            {
                "name": f.name,
                "code": f.code,
                "bare": f.name.replace("'", "''"),
                "where": f.where,
                "description": f.description,
            }
            for f in found
        ]

    def _too_long(self, length: int) -> None:
        longest = self._explorer.limits.text
        announce(
            f"The text has {length:,} characters; a query may have {longest:,}. It stays in the"
            " editor, but it is not run: shorten it.",
            kind="warning",
        )
