"""The FastAPI application: what the public may ask under /api, what pages ask under /internal.

Every request has to carry the token that only the server beside it knows; so the visitor's address
that comes with it can be believed.
"""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app.backend import problems, wire
from app.backend.client import ADDRESS_HEADER, TOKEN_HEADER
from app.backend.exports import MEDIA_TYPES
from app.backend.sandbox import Sandbox
from app.backend.settings import BackendSettings
from catalogs.errors import TimesError
from catalogs.sql.service import EXPORT_FORMATS, ExportFormat, Scalar, SqlQuestion, SqlRefused
from catalogs.store import SCENARIOS

#: Longest address of an export: servers and browsers take no longer ones.
_LONGEST_LINK = 30_000
_PARAMETER = "p."

_T = TypeVar("_T")


class Pieces(Response):
    """A response in pieces that ends early, and visibly so, when the query does.

    Whoever reads sees a connection that is closed before the end. When the reader leaves, the query
    is ended.
    """

    def __init__(
        self, pieces: AsyncGenerator[bytes], media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(media_type=media_type, headers=headers)
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes as it comes."""
        leaving = asyncio.create_task(_left(receive))
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            while True:
                coming = asyncio.ensure_future(anext(self._pieces, None))
                await asyncio.wait({coming, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
                    return
                piece = coming.result()
                await send(
                    {
                        "type": "http.response.body",
                        "body": piece or b"",
                        "more_body": piece is not None,
                    }
                )
                if piece is None:
                    return
        except SqlRefused:
            return  # without an end: uvicorn closes the connection
        finally:
            leaving.cancel()
            await self._pieces.aclose()


async def _left(receive: Receive) -> None:
    """Wait until who asked has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Health(BaseModel):
    """Whether queries are answered."""

    status: Literal["ok"] = "ok"


class Scenario(BaseModel):
    """A scenario of a dataset."""

    name: str = Field(description="What the column `scenario` of each table says.")
    model: str
    description: str


class DatasetOf(BaseModel):
    """A published dataset."""

    name: str
    version: str = Field(description="Changes when its data do.")
    published_at: str
    scenarios: list[Scenario]


DESCRIPTION = """
Ask the published results of TIMES models in SQL, as DuckDB writes it.

One SELECT is answered at a time, from one dataset, within limits of time and memory. Its tables are
those that the page /database describes. Parameters are written `$year` in the SQL and given as
`p.year=2030`; what looks like a number is one, and `'2030'` in quotes is text.

Rows are sent while they are found. A response that breaks off is not whole: its connection is
closed before its end.
"""


def create_app(settings: BackendSettings, token: str, key: str) -> FastAPI:
    """Return the application. ``token`` is asked of every request, ``key`` signs addresses."""
    sandbox = Sandbox(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with suppress(SqlRefused):  # tried again with the first question
            await sandbox.start()
        yield
        await sandbox.close()

    app = FastAPI(
        title="TIMES Energy Analytics",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.sandbox = sandbox
    app.state.links = URLSafeTimedSerializer(key, salt="export of SQL")
    app.include_router(_public)
    app.include_router(_internal, include_in_schema=False)
    app.add_exception_handler(SqlRefused, problems.of_refusal)
    app.add_exception_handler(RequestValidationError, problems.of_request)
    app.add_exception_handler(HTTPException, problems.of_http)

    app.add_middleware(Admission, token=token)
    return app


class Admission:
    """Lets in who knows the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse."""
        if scope["type"] == "http":
            given = Headers(scope=scope).get(TOKEN_HEADER, "").encode()
            if not secrets.compare_digest(given, self._token):
                problem = problems.Problem(title="Ask the server, not its backend.", status=401)
                await problems.response(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


_public = APIRouter(prefix="/api")
_internal = APIRouter(prefix="/internal")


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


# ---------------------------------------------------------------------- what the public may ask


@_public.get("/health")
async def health() -> Health:
    """Say that queries are answered."""
    return Health()


@_public.get("/datasets")
async def datasets(request: Request) -> list[DatasetOf]:
    """List the published datasets of scenarios, the one published last first."""
    return await asyncio.to_thread(_datasets, _sandbox(request))


def _datasets(sandbox: Sandbox) -> list[DatasetOf]:
    found = []
    for name in sandbox.store.datasets(SCENARIOS):
        with suppress(TimesError):
            manifest = sandbox.store.manifest(name)
            scenarios = [
                Scenario(name=s.key, model=s.model, description=s.description)
                for s in manifest.scenarios
            ]
            found.append(
                DatasetOf(
                    name=name,
                    version=manifest.version,
                    published_at=manifest.published_at,
                    scenarios=scenarios,
                )
            )
    return found


@_public.get(
    "/query",
    responses={
        200: {
            "description": "All rows of the result.",
            "content": {
                MEDIA_TYPES["json"]: {
                    "schema": {"type": "array", "items": {"type": "object"}},
                },
                MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
                MEDIA_TYPES["parquet"]: {"schema": {"type": "string", "format": "binary"}},
                MEDIA_TYPES["xlsx"]: {"schema": {"type": "string", "format": "binary"}},
                MEDIA_TYPES["ndjson"]: {"schema": {"type": "string"}},
            },
        },
        **problems.RESPONSES,
    },
    response_class=Response,
)
async def query(
    request: Request,
    sql: Annotated[
        str,
        Query(
            description="One SELECT.",
            examples=["SELECT scenario, count(*) AS results FROM result GROUP BY ALL"],
        ),
    ],
    dataset: Annotated[
        str, Query(description="A dataset's name; by default the one published last.")
    ] = "",
    format: Annotated[ExportFormat, Query(description="What the rows are written as.")] = "json",
    version: Annotated[
        str, Query(description="Refuse to answer from any other version of the data.")
    ] = "",
) -> Response:
    """Run a query and send all rows of its result.

    Parameters of the SQL are given as `p.NAME=VALUE`.
    """
    sandbox = _sandbox(request)
    address = request.headers.get(ADDRESS_HEADER, "")
    question = SqlQuestion(
        dataset=dataset or next(iter(sandbox.store.datasets(SCENARIOS)), ""),
        sql=sql,
        parameters=_parameters(request),
        version=version,
        who=f"api {address}",
        address=address,
    )
    return await _stream(request, question, format, "")


def _parameters(request: Request) -> dict[str, Scalar]:
    return {
        name.removeprefix(_PARAMETER): value_of(text)
        for name, text in request.query_params.items()
        if name.startswith(_PARAMETER)
    }


def value_of(text: str) -> Scalar:
    """Return the value that a parameter in an address means: what looks like a number is one."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        with suppress(ValueError):
            if text.isascii() and not any(c in text for c in "_ ") and text[-1:].isdigit():
                return kind(text)
    return text


async def _stream(
    request: Request, question: SqlQuestion, format: ExportFormat, name: str
) -> Response:
    pieces = await _unless_gone(
        request, question.query_id, _sandbox(request).export(question, format)
    )
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if name or format not in ("json", "ndjson"):
        file = f"{name or 'query'}.{format}"
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file)}"
    return Pieces(pieces, media_type=MEDIA_TYPES[format], headers=headers)


@_public.get("/export/{link}", responses=problems.RESPONSES, response_class=Response)
async def export(request: Request, link: str) -> Response:
    """Send the result that a signed address stands for. Pages hand such addresses out."""
    sandbox = _sandbox(request)
    try:
        content = request.app.state.links.loads(link, max_age=sandbox.limits.export_link_seconds)
    except SignatureExpired as error:
        raise SqlRefused(
            "forbidden", "This address has expired.", "Ask for the export again on the page."
        ) from error
    except BadData as error:
        raise SqlRefused(
            "forbidden", "This address was not made here.", "Ask for the export on the page."
        ) from error
    question = replace(
        wire.question_from_json(content["question"]),
        address=request.headers.get(ADDRESS_HEADER, ""),
    )
    return await _stream(request, question, content["format"], content["name"])


@_public.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Show the description of the API as a page that loads nothing."""
    return HTMLResponse(_page(request.app.openapi()))


# ---------------------------------------------------------------------- what pages ask


@_internal.post("/run")
async def run(request: Request) -> Response:
    """Answer a question with its first rows."""
    question = wire.question_from_json(await request.json())
    content, payload = await _unless_gone(
        request, question.query_id, _sandbox(request).run(question)
    )
    return Response(wire.frame(content, payload), media_type="application/octet-stream")


@_internal.post("/explain")
async def explain(request: Request) -> dict[str, Any]:
    """Answer with the plan of a question."""
    question = wire.question_from_json(await request.json())
    return await _unless_gone(request, question.query_id, _sandbox(request).explain(question))


@_internal.post("/cancel/{query_id}")
async def cancel(request: Request, query_id: str) -> dict[str, bool]:
    """Stop a question or an export."""
    return {"cancelled": _sandbox(request).cancel(query_id)}


@_internal.get("/progress/{query_id}")
async def progress(request: Request, query_id: str) -> dict[str, Any] | None:
    """Say how far a question or an export is."""
    known = _sandbox(request).progress(query_id)
    return asdict(known) if known else None


@_internal.get("/limits")
async def limits(request: Request) -> dict[str, Any]:
    """Say which limits are in force."""
    return asdict(_sandbox(request).limits)


@_internal.post("/export")
async def export_address(request: Request) -> dict[str, str]:
    """Check a question and return the address of its export."""
    content = await request.json()
    question = wire.question_from_json(content["question"])
    if content["format"] not in EXPORT_FORMATS:
        raise SqlRefused("parameter", f"There is no export as {content['format']!r}.")
    checked = replace(question, query_id=f"{question.query_id} check")
    await _unless_gone(request, checked.query_id, _sandbox(request).check(checked))
    link = request.app.state.links.dumps(content)
    if len(link) > _LONGEST_LINK:
        raise SqlRefused(
            "size",
            "The query is too long for the address of an export.",
            "Shorten it: put long lists of values into fewer, or join tables.",
        )
    return {"address": f"/api/export/{link}"}


async def _unless_gone(request: Request, query_id: str, work: Awaitable[_T]) -> _T:
    """Wait for an answer; stop the query when who asked for it closes the connection."""
    answering = asyncio.ensure_future(work)
    leaving = asyncio.create_task(_left(request.receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            _sandbox(request).cancel(query_id)
        return await answering
    finally:
        leaving.cancel()


# ---------------------------------------------------------------------- the description as a page


def _page(description: dict[str, Any]) -> str:
    info = description["info"]
    parts = [f"<h1>{html.escape(info['title'])}: API</h1>"]
    parts += [f"<p>{html.escape(text)}</p>" for text in info["description"].strip().split("\n\n")]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>")
            parts.append(f"<p>{html.escape(operation.get('description', ''))}</p>")
            parts.append(_table_of(operation.get("parameters", ())))
    parts.append('<p><a href="openapi.json">openapi.json</a> describes all of it to programs.</p>')
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>API</title>'
        '<meta name="viewport" content="width=device-width"><style>:root{color-scheme:light dark}'
        "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse}td,th{border:1px solid #8888;padding:.3rem .6rem;"
        f"text-align:left}}</style>{''.join(parts)}</html>"
    )


def _table_of(parameters: Any) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(one['name'])}</code></td>"
        f"<td>{html.escape(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<table><tr><th>Parameter</th><th>Meaning</th></tr>{rows}</table>" if rows else ""
