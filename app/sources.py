"""The published datasets, opened once per process and shared by all its sessions."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import catalogs
from catalogs.store import Store

if TYPE_CHECKING:
    from catalogs.source import Source


class Sources:
    """Hands out the current version of each dataset of a data directory.

    A Source is read-only and gives every query a cursor of its own, so sessions may share it. A
    newly published version gets a new one; sessions that still show the old keep it alive.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._opened: dict[str, Source] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Names of the published datasets, the one published last first."""
        return tuple(Store(self.directory).datasets())

    def open(self, dataset: str = "") -> Source:
        """The dataset's current version, by default of the one published last.

        Raises `catalogs.errors.UnknownDatasetError`.
        """
        names = self.names()
        name = dataset or (names[0] if names else "")
        with self._lock:
            known = self._opened.get(name)
            if known is None or name not in names or not known.is_current:
                known = catalogs.open_source(self.directory, name)
                self._opened[known.dataset] = known
            return known
