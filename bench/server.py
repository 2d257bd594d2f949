"""The application as it is served, with sessions that end sooner and are counted.

    python -m bench.server --port 5006 --data-directory DIR

What the application keeps for a minute after a page is closed is kept here for seconds, so that a
benchmark need not wait. The number of sessions, and of explorers still in memory once there are
none, stands in ``sessions.json`` of the data directory.
"""

from __future__ import annotations

import gc
import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tornado.ioloop import PeriodicCallback

from app.server import serve as serving
from app.server.__main__ import main

LIFETIME = 4  # seconds
COUNTS = "sessions.json"


class Counting:
    """Writes the number of sessions to a file, whenever it has changed."""

    def __init__(self, server: Any, path: Path) -> None:
        self._server = server
        self._path = path
        self._written = -1

    def __call__(self) -> None:
        """Count and write."""
        sessions = sum(
            len(context.sessions) for context in self._server._tornado._applications.values()
        )
        if sessions == self._written:
            return
        counts = {"sessions": sessions, "pid": os.getpid()}
        if not sessions:
            counts["explorers"] = explorers()
        written = self._path.with_suffix(".part")
        written.write_text(json.dumps(counts), encoding="utf-8")
        written.replace(self._path)
        self._written = sessions


def explorers() -> int:
    """How many explorers are in memory; each belongs to a session."""
    gc.collect()
    kinds = [type(thing).__name__ for thing in gc.get_objects()]
    return kinds.count("ScenarioExplorer")


def start(words: list[str] | None = None) -> None:
    """Serve like ``python -m app.server`` does."""

    def customize(command: Any, server: Any, customized: Any) -> Any:
        directory = Path(os.environ["TIMES_DATA"])
        command.counting = PeriodicCallback(Counting(server, directory / COUNTS), 100)
        command.counting.start()
        return customized(command, server)

    customized = serving.ServeTools.customize_server
    serving.ServeTools.customize_server = lambda command, server: customize(  # type: ignore[method-assign]
        command, server, customized
    )
    serving.serve = partial(_serve_briefly, serving.serve)  # type: ignore[assignment]
    main(words)


def _serve_briefly(serve: Any, settings: Any) -> None:
    serve(replace(settings, unused_session_lifetime=LIFETIME))


if __name__ == "__main__":
    start()
