"""About how wide words are: the browser measures them, a layout has to guess."""

from __future__ import annotations

#: Widths in pixels: of a letter of a label, and of what is free at both of its ends.
LETTER, BESIDE = 7.2, 14.0


def line_width(text: str) -> float:
    """About what a text takes on one line, in pixels."""
    return BESIDE + LETTER * len(text)


def label_width(text: str) -> float:
    """About what a text takes on two lines, in pixels."""
    longest = max((len(word) for word in text.split()), default=0)
    return BESIDE + LETTER * max(longest, (len(text) + 1) // 2)
