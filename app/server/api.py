"""The addresses below /api/: handed on to the backend, and what it answers handed back.

Pages and API have one address and one sign-in. The backend is told from which network address a
request came; it believes that because of a token that only this process and it know.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from typing import Any

import httpx
from bokeh.server.views.auth_request_handler import AuthRequestHandler
from tornado.iostream import StreamClosedError

from app.backend.child import OwnBackend
from app.backend.client import ADDRESS_HEADER, Backend, RemoteSql
from app.server.settings import Settings

#: What is handed on of a request, and of a response.
_ASKED = ("Accept",)
_ANSWERED = ("Content-Type", "Content-Disposition", "Cache-Control", "Retry-After", "Allow")
#: Longest query that may be in an address.
_LONGEST = 60_000


class SqlBackend:
    """The backend that this process asks: the one named in the settings, or its own."""

    current: Backend | None = None

    @classmethod
    def get(cls) -> Backend:
        """Return it. Raises ``RuntimeError`` outside of the server where the settings name none."""
        if cls.current is None:
            cls.current = backend_in(Settings.from_environment())
        if cls.current is None:
            raise RuntimeError("No backend has been started, and TIMES_SQL_SERVICE names none.")
        return cls.current


def own_backend(settings: Settings) -> OwnBackend | None:
    """Make the backend that this process starts; None where the settings name one."""
    SqlBackend.current = backend_in(settings)
    if SqlBackend.current is not None:
        return None
    # One made of the key that replicas share: any of them serves the addresses of all.
    shared = os.environ.get("BOKEH_SECRET_KEY", "")
    key = hashlib.sha256(f"export of SQL {shared}".encode()).hexdigest() if shared else ""
    own = OwnBackend(settings.data_directory, key)
    SqlBackend.current = own.backend
    return own


def backend_in(settings: Settings) -> Backend | None:
    """Return the backend that the settings name, None where the server starts its own."""
    if not settings.sql_service:
        return None
    return Backend(settings.sql_service, settings.sql_token)


@cache
def sql_service() -> RemoteSql:
    """The ``SqlService`` of this process, for its pages."""
    return RemoteSql(SqlBackend.get())


class Api(AuthRequestHandler):
    """Hands a request on to the backend."""

    async def get(self, path: str) -> None:
        """Answer as the backend answers, piece by piece."""
        if not self.current_user:
            self._refuse(401, "Sign in first.")
            return
        if len(self.request.query) > _LONGEST:
            self._refuse(414, "The address is too long.")
            return
        try:
            await self._hand_on(path)
        except StreamClosedError:
            pass  # the reader has gone, and the query with it
        except httpx.HTTPError:
            if self._headers_written:
                self._break_off()
            else:
                self.set_header("Retry-After", "5")
                self._refuse(503, "The service that runs SQL does not answer. Try again shortly.")

    async def _hand_on(self, path: str) -> None:
        given = self.request.headers
        headers = {name: given[name] for name in _ASKED if name in given}
        headers[ADDRESS_HEADER] = self.request.remote_ip or ""
        target = f"/api/{path}" + (f"?{self.request.query}" if self.request.query else "")
        async with (
            SqlBackend.get().client(None) as client,
            client.stream(self.request.method or "GET", target, headers=headers) as response,
        ):
            self.set_status(response.status_code)
            for name in _ANSWERED:
                if name in response.headers:
                    self.set_header(name, response.headers[name])
            # Packing would take this process's time, which pages need.
            self.set_header("Content-Encoding", "identity")
            async for piece in response.aiter_raw():
                self.write(piece)
                await self.flush()

    def _refuse(self, status: int, title: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/problem+json")
        self.write(json.dumps({"title": title, "status": status, "detail": "", "kind": ""}))

    def _break_off(self) -> None:
        """Close the connection, so that nobody takes a part for the whole."""
        connection: Any = self.request.connection
        connection.stream.close()

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what is not asked in this way as the backend would."""
        if status_code == 405:
            self.set_header("Allow", "GET")
        self._refuse(status_code, self._reason)
        self.finish()
