"""Export of a whole result: links that the browser fetches over HTTP, with progress."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from catalogs.sql.service import ExportFormat, SqlProgress, SqlQuestion, SqlRefused, new_query_id
from components.database.cells import count_of
from components.database.lists import FileFetcher
from components.notices import PlainText, announce
from components.numbers import percentage

if TYPE_CHECKING:
    from components.database.explorer import DatabaseExplorer

_FORMATS: tuple[tuple[ExportFormat, str], ...] = (
    ("csv", "CSV"),
    ("xlsx", "Excel"),
    ("parquet", "Parquet"),
    ("json", "JSON"),
)
#: Seconds between looks at how far an export is, and looks without a sign of it.
_LOOK = 0.5
_PATIENCE = 20


class Exports:
    """Buttons below the result. The rows go from the worker to the browser, not through here."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self._fetcher = FileFetcher(width=0, height=0, margin=0)
        self._buttons = [self._button(name, label) for name, label in _FORMATS]
        self._state = PlainText(look="muted", role="status", margin=0)
        self._cancel = pmui.Button(label="Stop the export", size="small", margin=0, visible=False)
        self._cancel.variant = "text"
        self._cancel.on_click(lambda _event: self._stop())
        self._running = ""
        self.view = pn.FlexBox(
            PlainText(text="Export all rows:", look="muted", margin=(4, 0, 0, 0)),
            *self._buttons,
            self._state,
            self._cancel,
            self._fetcher,
            gap="8px",
            margin=(14, 0, 0, 0),
            visible=False,
        )

    def _button(self, name: ExportFormat, label: str) -> Any:
        button = pmui.Button(label=label, size="small", margin=0, description=f"Export as {label}")
        button.variant = "outlined"
        button.on_click(
            lambda _event: self._explorer.tasks.start(partial(self.export, name, label))
        )
        return button

    def follow(self) -> None:
        """Offer exports where there is a result."""
        outcome = self._explorer.sheet.outcome
        self.view.visible = outcome is not None and outcome.result is not None

    async def export(self, name: ExportFormat, label: str) -> None:
        """Have the browser fetch the whole result, and say how far it is."""
        outcome = self._explorer.sheet.outcome
        if outcome is None or outcome.result is None or self._running:
            return
        asked = outcome.question
        question = SqlQuestion(
            dataset=asked.dataset,
            sql=asked.sql,
            parameters=asked.parameters,
            version=outcome.result.version,
            query_id=new_query_id(),
            who=asked.who,
            address=asked.address,
        )
        self._running = question.query_id
        service = self._explorer.service
        try:
            file = _file_name(self._explorer.sheet.name)
            address = await service.export_address(question, name, file)
            self._explorer.tasks.on_page(partial(self._begin, address, label))
            await self._watch(question.query_id, label)
        except SqlRefused as error:
            said = f"{error.what} {error.hint}".strip()
            self._explorer.tasks.on_page(partial(announce, said, kind="warning"))
            self._explorer.tasks.on_page(partial(self._say, ""))
        finally:
            self._running = ""

    def _begin(self, address: str, label: str) -> None:
        self._fetcher.fetch(address)
        self._say(f"{label}: waiting for the first rows …", running=True)

    async def _watch(self, query_id: str, label: str) -> None:
        """Say how far an export is until it has ended."""
        unseen = 0
        while unseen < _PATIENCE:
            await asyncio.sleep(_LOOK)
            progress = await self._explorer.service.progress(query_id)
            unseen = unseen + 1 if progress is None else 0
            if progress is None:
                continue
            running = progress.state in ("waiting", "running")
            text = f"{label}: {_in_words(progress)}"
            self._explorer.tasks.on_page(partial(self._say, text, running=running))
            if not running:
                return
        self._explorer.tasks.on_page(partial(self._say, f"{label}: the download has not begun."))

    def _say(self, text: str, *, running: bool = False) -> None:
        self._state.text = text
        self._cancel.visible = running

    def _stop(self) -> None:
        if self._running:
            self._explorer.tasks.start(partial(self._explorer.service.cancel, self._running))


def _in_words(progress: SqlProgress) -> str:
    if progress.state == "waiting":
        return f"place {progress.place} in the queue"
    if progress.state == "failed":
        return progress.message or "the export failed"
    rows = f"{count_of(progress.rows)} rows"
    if progress.state == "finished":
        return f"{rows} in {progress.seconds:.1f} s"
    share = f", {percentage(progress.share)}" if progress.share is not None else ""
    return f"{rows} so far{share}"


def _file_name(name: str) -> str:
    """Return a name for a file that every system takes."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in name).split()
    return "-".join(words).lower()[:60] or "query"
