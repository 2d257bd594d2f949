"""The SQL service as pages see it: asks the backend over HTTP, on a socket or a port."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pyarrow as pa

from app.backend import wire
from catalogs.sql.service import (
    ExportFormat,
    SqlLimits,
    SqlPlan,
    SqlProgress,
    SqlQuestion,
    SqlRefused,
    SqlResult,
)

_UNIX = "unix:"
TOKEN_HEADER = "X-Times-Token"
ADDRESS_HEADER = "X-Times-Address"


@dataclass(frozen=True)
class Backend:
    """Where a backend is: ``unix:/path`` or ``http://host:port``, and the token that it asks."""

    address: str
    token: str = field(repr=False)

    def client(self, seconds: float | None) -> httpx.AsyncClient:
        """Return an HTTP client of it; ``seconds`` that an answer may take, None for any."""
        is_socket = self.address.startswith(_UNIX)
        # One without TLS: making its context would take longer than a query.
        transport = httpx.AsyncHTTPTransport(
            uds=self.address.removeprefix(_UNIX) if is_socket else None,
            verify=not is_socket and self.address.startswith("https"),
            trust_env=False,
        )
        return httpx.AsyncClient(
            transport=transport,
            base_url="http://backend" if is_socket else self.address,
            headers={TOKEN_HEADER: self.token},
            timeout=httpx.Timeout(10.0, read=seconds),
            trust_env=False,
        )


class RemoteSql:
    """An ``SqlService`` that asks a backend. It may be shared; every call has its connection."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def run(self, question: SqlQuestion) -> SqlResult:
        """Answer a question with its first rows."""
        response = await self._ask("POST", "run", wire.question_to_json(question))
        body = memoryview(response.content)
        of_text, of_payload = wire.HEAD.unpack(body[: wire.HEAD.size])
        end = wire.HEAD.size + of_text
        content = wire.parsed(bytes(body[wire.HEAD.size : end]))
        with pa.ipc.open_stream(pa.py_buffer(body[end : end + of_payload])) as reader:
            table = reader.read_all()
        return SqlResult(
            **{**content, "types": tuple(content["types"]), "limits": tuple(content["limits"])},
            table=table,
        )

    async def explain(self, question: SqlQuestion) -> SqlPlan:
        """Return how a question would be answered."""
        response = await self._ask("POST", "explain", wire.question_to_json(question))
        return wire.plan_from_json(response.json())

    async def cancel(self, query_id: str) -> bool:
        """Stop a question or an export; False where there is none."""
        response = await self._ask("POST", f"cancel/{query_id}", {}, seconds=10.0)
        return bool(response.json()["cancelled"])

    async def progress(self, query_id: str) -> SqlProgress | None:
        """Return how far a question or an export is."""
        response = await self._ask("GET", f"progress/{query_id}", seconds=10.0)
        content = response.json()
        return wire.progress_from_json(content) if content else None

    async def export_address(
        self, question: SqlQuestion, format: ExportFormat, name: str = ""
    ) -> str:
        """Return the address of an export."""
        content = {"question": wire.question_to_json(question), "format": format, "name": name}
        response = await self._ask("POST", "export", content)
        return str(response.json()["address"])

    async def limits(self) -> SqlLimits:
        """Return the limits in force."""
        return wire.limits_from_json((await self._ask("GET", "limits", seconds=10.0)).json())

    async def _ask(
        self, method: str, path: str, content: Any = None, seconds: float | None = None
    ) -> httpx.Response:
        try:
            async with self._backend.client(seconds) as client:
                response = await client.request(method, f"/internal/{path}", json=content)
        except httpx.HTTPError as error:
            raise SqlRefused(
                "unavailable",
                "The service that runs SQL does not answer.",
                "It is started again by itself: try again in a few seconds.",
                details=type(error).__name__,
            ) from error
        if response.is_success:
            return response
        try:
            raise _to_refusal(response.json())
        except (ValueError, KeyError) as error:
            raise SqlRefused(
                "unavailable", "The service that runs SQL failed.", "Try again."
            ) from error


def _to_refusal(content: dict[str, Any]) -> SqlRefused:
    """Return the refusal that a problem was made of."""
    return wire.refusal_from_json(
        {
            "kind": content.get("kind") or "unavailable",
            "what": content["title"],
            "hint": content.get("detail", ""),
            "line": content.get("line"),
            "column": content.get("column"),
            "details": content.get("more", ""),
        }
    )
