"""What travels between the processes: questions, results and refusals as JSON, in frames.

A frame is eight bytes (two big-endian lengths), a JSON object and bytes that belong to it: an Arrow
stream, or a piece of an export.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from catalogs.sql.service import (
    Operator,
    Scalar,
    SqlLimits,
    SqlPlan,
    SqlProgress,
    SqlQuestion,
    SqlRefused,
)

HEAD = struct.Struct(">II")
Frame = tuple[dict[str, Any], bytes]


def frame(content: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """Return a frame."""
    text = json.dumps(content).encode()
    return HEAD.pack(len(text), len(payload)) + text + payload


def parsed(text: bytes) -> dict[str, Any]:
    """Return the JSON object of a frame."""
    content: dict[str, Any] = json.loads(text)
    return content


def receive(connection: socket.socket) -> Frame | None:
    """Wait for a frame; None when the other side has gone."""
    head = _exactly(connection, HEAD.size)
    if head is None:
        return None
    of_text, of_payload = HEAD.unpack(head)
    text = _exactly(connection, of_text)
    payload = _exactly(connection, of_payload)
    if text is None or payload is None:
        return None
    return json.loads(text), payload


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        part = connection.recv(min(size - len(received), 1 << 20))
        if not part:
            return None
        received += part
    return bytes(received)


_KINDS = {"date": date, "datetime": datetime, "time": time}


def packed(value: Scalar) -> Any:
    """Return a parameter's value as JSON: itself, or its kind and text.

    Raises ``SqlRefused`` for a value of another kind.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    for kind in ("datetime", "date", "time"):
        if isinstance(value, _KINDS[kind]):
            return {kind: value.isoformat()}
    raise SqlRefused(
        "parameter",
        f"A value of type {type(value).__name__} cannot be a parameter.",
        "Use a number, a text, a date, a time, true, false or nothing.",
    )


def unpacked(value: Any) -> Scalar:
    """Return the value that ``packed`` made JSON of. Raises ``SqlRefused``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    try:
        ((kind, text),) = value.items()
        return Decimal(text) if kind == "decimal" else _KINDS[kind].fromisoformat(text)  # type: ignore[attr-defined]
    except (AttributeError, ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise SqlRefused("parameter", "The value of a parameter cannot be read.") from error


def question_to_json(question: SqlQuestion) -> dict[str, Any]:
    """Return a question as JSON."""
    parameters = {str(name): packed(value) for name, value in question.parameters.items()}
    return {**vars(question), "parameters": parameters}


def question_from_json(content: Mapping[str, Any]) -> SqlQuestion:
    """Return the question that ``question_to_json`` made JSON of."""
    parameters = {name: unpacked(value) for name, value in content["parameters"].items()}
    return SqlQuestion(**{**content, "parameters": parameters})


def refusal_to_json(refusal: SqlRefused) -> dict[str, Any]:
    """Return a refusal as JSON."""
    return {
        "kind": refusal.kind,
        "what": refusal.what,
        "hint": refusal.hint,
        "line": refusal.line,
        "column": refusal.column,
        "details": refusal.details,
    }


def refusal_from_json(content: Mapping[str, Any]) -> SqlRefused:
    """Return the refusal that ``refusal_to_json`` made JSON of."""
    return SqlRefused(
        content["kind"],
        content["what"],
        content["hint"],
        line=content["line"],
        column=content["column"],
        details=content["details"],
    )


def plan_to_json(plan: SqlPlan) -> dict[str, Any]:
    """Return a plan as JSON."""
    return asdict(plan)


def plan_from_json(content: Mapping[str, Any]) -> SqlPlan:
    """Return the plan that ``plan_to_json`` made JSON of."""
    return SqlPlan(**{**content, "root": _operator(content["root"])})


def _operator(content: Mapping[str, Any]) -> Operator:
    return Operator(
        **{
            **content,
            "details": tuple((name, text) for name, text in content["details"]),
            "children": tuple(_operator(child) for child in content["children"]),
        }
    )


def progress_from_json(content: Mapping[str, Any]) -> SqlProgress:
    """Return progress, from its fields."""
    return SqlProgress(**content)


def limits_from_json(content: Mapping[str, Any]) -> SqlLimits:
    """Return limits, from their fields."""
    return SqlLimits(**content)
