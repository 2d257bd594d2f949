"""Sources that this process has open: each version once, for all its visitors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from catalogs.source import Source
from catalogs.store import read_manifest

#: Versions kept open; older ones are closed once nobody has them.
_KEPT = 8

_lock = threading.Lock()
_open: OrderedDict[tuple[Path, str], Source] = OrderedDict()


def open_source(manifest_path: Path) -> Source:
    """Return the Source of the current version of a dataset; open it where that is still to do.

    Raises ``UnknownDatasetError`` when nothing has been published there.
    """
    path = manifest_path.resolve()
    version = read_manifest(path).version
    with _lock:
        source = _open.get((path, version))
        if source is None:
            source = Source(path)
            _open[path, source.version] = source
            # Not closed here: a session may still ask the version that falls out, and its files
            # are let go when the last one drops it.
            while len(_open) > _KEPT:
                _open.popitem(last=False)
        _open.move_to_end((path, source.version))
        return source
