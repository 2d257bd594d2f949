"""Names of dimensions and scenarios as people read them."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: A word and what separates it from the next.
_WORDS = re.compile(r"[^_ -]+[_ -]*")

_DIMENSIONS = {
    "user_constraint": "kind",
    "part": "origin",
    "sow": "state of the world",
}


def dimension_name(dimension: str) -> str:
    """Return what a dimension is called."""
    return _DIMENSIONS.get(dimension, dimension.replace("_", " "))


def readable(name: str) -> str:
    """Return a scenario's name with spaces for underscores."""
    return name.replace("_", " ")


def shorten(names: Sequence[str], longest: int = 22) -> dict[str, str]:
    """Return a short label for each name: without the beginning that all share, cut if long."""
    words = [_WORDS.findall(name) for name in names]
    same = 0
    # Only whole words that all names begin with are left out, and never a whole name.
    while (
        len(names) > 1
        and all(len(w) > same + 1 for w in words)
        and (len({w[same] for w in words}) == 1)
    ):
        same += 1
    short = {name: readable("".join(w[same:])) for name, w in zip(names, words, strict=True)}
    return {
        name: text if len(text) <= longest else text[: longest - 1] + "…"
        for name, text in short.items()
    }
