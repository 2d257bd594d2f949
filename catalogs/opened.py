"""Datasets that this process has open: each version once, for all its visitors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from catalogs.store import read_manifest

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords
    from catalogs.source import Source

#: Versions kept open; older ones are closed once nobody has them.
_KEPT = 8

_lock = threading.Lock()
_open: OrderedDict[tuple[Path, str], Source | FlowRecords] = OrderedDict()
Dataset = TypeVar("Dataset", "Source", "FlowRecords")


def open_source(manifest_path: Path) -> Source:
    """Return the Source of the current version of a dataset; open it where that is still to do.

    Raises ``UnknownDatasetError`` when nothing has been published there, and ``TimesError`` for a
    dataset of flow records.
    """
    from catalogs.source import Source

    return _opened(manifest_path, Source)


def open_flow_records(manifest_path: Path) -> FlowRecords:
    """Return the FlowRecords of the current version of a dataset, as ``open_source`` does.

    Raises ``UnknownDatasetError``, and ``TimesError`` for a dataset of TIMES scenarios.
    """
    from catalogs.flow_records.records import FlowRecords

    return _opened(manifest_path, FlowRecords)


def _opened(manifest_path: Path, kind: type[Dataset]) -> Dataset:
    path = manifest_path.resolve()
    version = read_manifest(path).version
    with _lock:
        found = _open.get((path, version))
        if not isinstance(found, kind):
            found = kind(path)
            _open[path, found.version] = found
            # Not closed here: a session may still ask the version that falls out, and its files
            # are let go when the last one drops it.
            while len(_open) > _KEPT:
                _open.popitem(last=False)
        _open.move_to_end((path, found.version))
        return found
