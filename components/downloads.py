"""Tables as files for spreadsheets."""

from __future__ import annotations

import io

import pandas as pd

#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(frame: pd.DataFrame) -> io.BytesIO:
    """Return a frame as CSV: UTF-8 with a byte order mark, numbers in full precision.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    safe = frame.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(_harmless)
    return io.BytesIO(safe.to_csv(index=False).encode("utf-8-sig"))


def _harmless(value: object) -> object:
    text = value if isinstance(value, str) else None
    # "-" alone is how TIMES writes "none".
    if text and text != "-" and text.startswith(_FORMULA):
        return f"'{text}"
    return value
