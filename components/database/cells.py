"""Values of a result as text in a cell, whatever their type.

Numbers to six significant figures with thin spaces, the whole value on demand; nested values as
JSON; bytes in hexadecimal; NULL is None. Long texts are cut: a cell shows one line.
"""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from components.numbers import MINUS, THIN_SPACE

#: Characters of a value that a cell shows, and that the whole value is shown with.
_IN_CELL = 200
_WHOLE = 100_000
_FIGURES = 6

#: Whole numbers that are names rather than amounts: years and identifiers keep their digits.
_PLAIN_NAMES = ("year", "id", "row", "line", "vintage", "position")


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type stands to the right."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def can_sort(kind: pa.DataType) -> bool:
    """Whether a column of this type has an order."""
    return not (pa.types.is_nested(kind) or pa.types.is_null(kind))


def cell(value: Any, name: str = "") -> str | None:
    """Return what a cell shows of a value; None for NULL."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _whole_number(value, name)
    if isinstance(value, float):
        return _figures(value)
    if isinstance(value, Decimal):
        return _spaced(format(value, "f"))
    text = whole(value) or ""
    line = text.replace("\r", " ").replace("\n", " ⏎ ").replace("\t", " ")
    return line if len(line) <= _IN_CELL else f"{line[:_IN_CELL]}…"


def whole(value: Any) -> str | None:
    """Return a value in full, cut only where no page could show it; None for NULL."""
    if value is None or isinstance(value, str):
        text = value
    elif isinstance(value, bytes):
        text = f"{len(value):,} bytes: {value[: _WHOLE // 2].hex(' ')}"
    elif isinstance(value, datetime | date | time):
        text = value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    elif isinstance(value, list | dict | tuple):
        text = json.dumps(value, ensure_ascii=False, default=_in_json)
    else:
        text = str(value)
    if text is not None and len(text) > _WHOLE:
        return f"{text[:_WHOLE]}… ({len(text):,} characters)"
    return text


def is_plain(name: str) -> bool:
    """Whether whole numbers of a column of this name are names rather than amounts."""
    return any(word in _PLAIN_NAMES for word in name.lower().split("_"))


def count_of(number: int) -> str:
    """Return how many there are, with thin spaces between thousands."""
    return f"{number:,}".replace(",", THIN_SPACE).replace("-", MINUS)


def _in_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b16encode(value).decode()
    if isinstance(value, datetime | date | time | timedelta | Decimal):
        return str(value)
    return repr(value)


def _whole_number(value: int, name: str) -> str:
    if is_plain(name):
        return str(value).replace("-", MINUS)
    return count_of(value)


def _figures(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -6 or size > 14:
        return f"{value:.{_FIGURES - 1}g}".replace("-", MINUS)
    written = f"{value:,.{max(0, _FIGURES - 1 - size)}f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written.replace(",", THIN_SPACE).replace("-", MINUS)


def _spaced(text: str) -> str:
    head, dot, tail = text.lstrip("-").partition(".")
    sign = MINUS if text.startswith("-") else ""
    return f"{sign}{int(head):,}".replace(",", THIN_SPACE) + dot + tail
