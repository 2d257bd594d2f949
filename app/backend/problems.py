"""Refusals over HTTP: the status of each kind, and its body (RFC 9457, problem+json)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from catalogs.sql.service import RefusalKind, SqlRefused

MEDIA_TYPE = "application/problem+json"

STATUS: dict[RefusalKind, int] = {
    "syntax": 400,
    "not_a_select": 400,
    "parameter": 400,
    "data": 400,
    "forbidden": 403,
    "dataset": 404,
    "cancelled": 409,
    "stale": 409,
    "size": 413,
    "time": 422,
    "memory": 422,
    "killed": 422,
    "queue": 429,
    "rate": 429,
    "unavailable": 503,
}


class Problem(BaseModel):
    """Why a request was not answered."""

    title: str = Field(description="What is wrong, in one sentence.")
    status: int = Field(description="The status of the response.")
    detail: str = Field(default="", description="What to do instead, in one sentence.")
    kind: str = Field(default="", description="What kind of refusal it is: syntax, time, rate ...")
    line: int | None = Field(default=None, description="Line of the SQL to blame, from 1.")
    column: int | None = Field(default=None, description="Column in that line, from 1.")
    more: str = Field(default="", description="What DuckDB says besides.")


def response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a problem as a response."""
    return JSONResponse(
        problem.model_dump(), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers
    )


async def of_refusal(_: Request, error: Exception) -> JSONResponse:
    """Answer with a refusal."""
    assert isinstance(error, SqlRefused)
    problem = Problem(
        title=error.what,
        status=STATUS[error.kind],
        detail=error.hint,
        kind=error.kind,
        line=error.line,
        column=error.column,
        more=error.details,
    )
    return response(problem, {"Retry-After": "10"} if problem.status in (429, 503) else None)


async def of_request(_: Request, error: Exception) -> JSONResponse:
    """Answer a request that does not fit its description."""
    assert isinstance(error, RequestValidationError)
    faults = [
        f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}"
        for fault in error.errors()
    ]
    problem = Problem(
        title="The request is not as it should be.", status=422, detail="; ".join(faults)
    )
    return response(problem)


async def of_http(_: Request, error: Exception) -> JSONResponse:
    """Answer what is not there, or not asked in this way."""
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    problem = Problem(title=f"{title}.", status=error.status_code, detail=str(error.detail))
    return response(problem, dict(error.headers) if error.headers else None)


#: What the description of the API says of refusals.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "model": Problem,
        "description": ", ".join(kind for kind, s in STATUS.items() if s == status),
        "content": {MEDIA_TYPE: {}},
    }
    for status in sorted(set(STATUS.values()))
}
