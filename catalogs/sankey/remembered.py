"""What has been read of a Source and does not depend on a visitor."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any
from weakref import WeakKeyDictionary

from catalogs.source import Source

#: Goes with its Source.
_known: WeakKeyDictionary[Source, dict[Hashable, Any]] = WeakKeyDictionary()


def once(source: Source, read: Callable[..., Any], *arguments: Hashable) -> Any:
    """Read something of a Source the first time that it is asked for."""
    kept = _known.setdefault(source, {})
    key = (read.__module__, read.__name__, *arguments)
    if key not in kept:
        kept[key] = read(source, *arguments)
    return kept[key]
