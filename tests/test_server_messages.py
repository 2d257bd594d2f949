"""What is sent to a page while another message is being written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from panel.io import document
from panel.io.document import Document

from app.server import messages
from tests.loops import run_through


class Socket:
    """Takes messages as a browser's connection does; each is written when ``written`` says so."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.written: list[asyncio.Future[None]] = []

    def take(self, _connection: Any, msg: str) -> list[asyncio.Future[None]]:
        self.sent.append(msg)
        self.written.append(asyncio.get_running_loop().create_future())
        return [self.written[-1]]


class Connection:
    """A page's connection, whose messages are "first", "second" and so on."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._messages = iter(["first", "second", "third"])
        self.protocol = self

    def create(self, _kind: str, _events: list[Any]) -> str:
        return next(self._messages)


@pytest.fixture
def socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Socket]:
    found = Socket()
    monkeypatch.setitem(document.extra_socket_handlers, Socket, found.take)  # type: ignore[arg-type]
    monkeypatch.setattr(document, "_dispatch_msgs", messages.send_all)
    return found


def test_a_message_that_comes_while_another_is_written_is_sent(socket: Socket) -> None:
    page = Document()
    connection: Any = Connection(socket)

    async def change_while_writing() -> None:
        document.schedule_write_events(page, [connection], [])
        while len(socket.written) < 1:
            await asyncio.sleep(0)
        # The browser has taken the first; before anybody hears of it the page changes again.
        socket.written[0].set_result(None)
        document.schedule_write_events(page, [connection], [])
        for _ in range(50):
            await asyncio.sleep(0)
            for future in socket.written:
                if not future.done():
                    future.set_result(None)

    run_through(change_while_writing())
    assert socket.sent == ["first", "second"]
