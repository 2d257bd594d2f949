"""Working things out beside the page: on a server in a task or thread, elsewhere at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
from panel.io import hold


def is_on_page() -> bool:
    """Whether there is a served page, rather than a notebook or a test."""
    document = pn.state.curdoc
    return document is not None and document.session_context is not None


class Tasks:
    """Begins what takes a while, and shows what came of it."""

    def __init__(self) -> None:
        self._newest = 0
        self._begun: set[asyncio.Task[Any]] = set()

    def start(self, work: Callable[[], Any]) -> None:
        """Begin a coroutine; where nothing else runs, wait for its end."""
        if is_on_page():
            pn.state.execute(work)
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(work())
        else:
            task = loop.create_task(work())
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    def on_page(self, show: Callable[[], None]) -> None:
        """Change the page from a coroutine, all in one message."""
        if is_on_page():
            pn.state.execute(partial(_held, show), schedule=True)
        else:
            show()

    def work_out(
        self, work: Callable[[], Any], show: Callable[[Any], None], *, newest: bool = True
    ) -> None:
        """Work something out in a thread and show it; of several only the newest, if so wished."""
        if not is_on_page():
            show(work())
            return
        self._newest += newest
        number = self._newest

        async def wait() -> None:
            found = await asyncio.to_thread(work)
            if number == self._newest or not newest:
                self.on_page(partial(show, found))

        pn.state.execute(wait)


def _held(show: Callable[[], None]) -> None:
    with hold():
        show()
