"""How much memory the server takes per session, and whether it gives it back.

Sessions are opened by a client that does what a browser's page does with its websocket and nothing
else: it asks for the page, takes the token, connects, pulls the document, says that it is there,
and then makes changes as a reader would, through the address. (``bokeh.client.pull_session`` cannot
build this page's components.) All are open at once; then all are closed, and when the server
has let go of them its memory is read again. Rounds repeat: memory that grows from round to round
would be a leak, a plateau is what the allocator keeps.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from collections import deque
from contextlib import suppress
from typing import Any

import psutil
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bench.data import DATASET
from bench.explorer import DANISH
from bench.figures import heading, line
from bench.server import COUNTS
from tests.browser import Served

SESSIONS = 20
ROUNDS = 3
BAR = 8  # MB per open session
_PATIENCE = 120  # seconds for the server to show a view, or to let go of sessions

#: What every session looks at, one after the other: a part of the address, and of the title then.
VIEWS = (
    ("measure=electricity_generation", "Electricity generation by"),
    ("measure=emissions&group_by=fuel", "emissions by fuel"),
    ("measure=price", "Energy prices by"),
    ("measure=capacity&tab=table", "Generation capacity by"),
)


def session_url(served: Served) -> str:
    """The page that sessions are opened of."""
    return f"{served.url}/times?dataset={DATASET}&scenarios={DANISH}"


def counts(served: Served) -> dict[str, int]:
    """What the server says of its sessions, see bench.server."""
    found: dict[str, int] = json.loads((served.data_directory / COUNTS).read_text("utf-8"))
    return found


def resident(served: Served) -> float:
    """Memory of the server in MB."""
    return float(psutil.Process(counts(served)["pid"]).memory_info().rss) / 2**20


class Session:
    """A reader's page without a browser."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._number = 0
        self._history = ""
        self._changes: deque[Any] = deque()

    @classmethod
    async def open(cls, url: str) -> Session:
        """Ask for the page, connect, and pull its document."""
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
        token = re.search(r'"token":\s*"([^"]+)"', page)
        if token is None:
            raise RuntimeError(f"{url} has no token")
        address = re.sub("^http", "ws", url.partition("?")[0]) + "/ws"
        connection = await websocket_connect(
            HTTPRequest(address), subprotocols=["bokeh", token[1]], max_message_size=2**26
        )
        session = cls(connection)
        await session._answer("ACK")
        document = await session._ask("PULL-DOC-REQ", {}, "PULL-DOC-REPLY")
        session._history = _history(document)
        await session._event("document_ready", {})
        return session

    async def look_at(self, search: str, title: str) -> None:
        """Go to an address, as with the browser's back button, and wait for its title.

        The title is the last of a view that the server sends.
        """
        await self._event(
            "data_event", {"model": {"id": self._history}, "data": {"search": search}}
        )
        async with asyncio.timeout(_PATIENCE):
            while title not in json.dumps(await self._answer("PATCH-DOC"), ensure_ascii=False):
                pass

    def close(self) -> None:
        """Close the page."""
        self._connection.close()

    async def _event(self, name: str, values: dict[str, Any]) -> None:
        event = {"type": "event", "name": name, "values": {"type": "map", "entries": []}}
        event["values"]["entries"] = [[key, _map(value)] for key, value in values.items()]
        change = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}
        await self._ask("PATCH-DOC", {"events": [change]}, "OK")

    async def _ask(self, kind: str, content: dict[str, Any], answer: str) -> Any:
        self._number += 1
        header = {"msgid": str(self._number), "msgtype": kind}
        for part in (header, {}, content):
            await self._connection.write_message(json.dumps(part))
        return await self._answer(answer)

    async def _answer(self, kind: str) -> Any:
        """The content of the next message of a kind; changes that come before it are kept."""
        if kind == "PATCH-DOC" and self._changes:
            return self._changes.popleft()
        while True:
            header, _, content = [json.loads(await self._part()) for _ in range(3)]
            for _ in range(int(header.get("num_buffers", 0))):
                await self._part()
                await self._part()
            if header["msgtype"] == "ERROR":
                raise RuntimeError(content.get("text"))
            if header["msgtype"] == kind:
                return content
            if header["msgtype"] == "PATCH-DOC":
                self._changes.append(content)

    async def _part(self) -> str | bytes:
        part = await self._connection.read_message()
        if part is None:
            raise RuntimeError("The server closed the connection")
        return part


def _map(value: Any) -> Any:
    if isinstance(value, dict) and "id" not in value:
        return {"type": "map", "entries": [[key, _map(item)] for key, item in value.items()]}
    return value


def _history(content: Any) -> str:
    """The id of the model that takes the browser's history: the application's bar."""
    # The component's own model, not the one of its data: that is called AppBar and a number.
    found = re.search(r'"id": "(\w+)", "attributes": \{"name": "AppBar"', json.dumps(content))
    if found is None:
        raise RuntimeError("The page has no bar")
    return found[1]


async def _open_all(url: str) -> list[Session]:
    sessions = []
    for _ in range(SESSIONS):
        sessions.append(await Session.open(url))
        search = url.partition("?")[2]
        for view, title in VIEWS:
            await sessions[-1].look_at(f"?{search}&{view}", title)
    return sessions


async def _wait_until_gone(served: Served) -> float:
    start = time.monotonic()
    while time.monotonic() < start + _PATIENCE:
        with suppress(OSError, ValueError):
            if counts(served)["sessions"] == 0:
                break
        await asyncio.sleep(0.2)
    return time.monotonic() - start


async def measure(served: Served) -> None:
    """Open and close sessions, round by round, and print."""
    heading(f"Memory of the server, {SESSIONS} sessions at once, {len(VIEWS)} views in each")
    await _wait_until_gone(served)  # those that warmed the server
    url = session_url(served)
    first = before = resident(served)
    line("before", f"{first:6.0f} MB")
    for number in range(1, ROUNDS + 1):
        sessions = await _open_all(url)
        opened = resident(served)
        for session in sessions:
            session.close()
        taken = await _wait_until_gone(served)
        after, left = resident(served), counts(served)
        line(
            f"round {number}: open",
            f"{opened:6.0f} MB, {(opened - before) / SESSIONS:5.2f} MB more per session",
            f"{BAR} MB" if number == 1 else "",
        )
        line(
            f"round {number}: closed",
            f"{after:6.0f} MB; {left['sessions']} sessions and {left.get('explorers', '?')}"
            f" explorers left after {taken:.0f} s",
        )
        before = after
    line("after all rounds, since the start", f"{before - first:+6.0f} MB")


def report(served: Served) -> None:
    """Measure and print. ``served`` must be that of bench.server, which counts sessions."""
    asyncio.run(measure(served))
