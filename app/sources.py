"""The published datasets, opened once per process and shared by all its sessions."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import catalogs
from catalogs.store import FLOWS, SCENARIOS, Store

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords
    from catalogs.source import Source


class Sources:
    """Hands out the current version of each dataset of a data directory.

    A Source is read-only and gives every query a cursor of its own, so sessions may share it. A
    newly published version gets a new one; sessions that still show the old keep it alive.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._opened: dict[str, Source | FlowRecords] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Names of the published datasets, the one published last first."""
        return tuple(Store(self.directory).datasets())

    def kinds(self) -> Mapping[str, str]:
        """The kind of each published dataset (see `catalogs.store`), in the order of `names`."""
        return Store(self.directory).kinds()

    def open(
        self, dataset: str = "", kinds: Collection[str] = (SCENARIOS, FLOWS)
    ) -> Source | FlowRecords:
        """The dataset's current version, by default of the one of these kinds published last.

        Raises `catalogs.errors.UnknownDatasetError`.
        """
        known_kinds = self.kinds()
        first = next((name for name, kind in known_kinds.items() if kind in kinds), "")
        name = dataset or first
        with self._lock:
            known = self._opened.get(name)
            if known is None or name not in known_kinds or not known.is_current:
                # Without any of the kinds wanted, opening one of scenarios says what is missing.
                known = (catalogs.open_dataset if name else catalogs.open_source)(
                    self.directory, name
                )
                self._opened[known.dataset] = known
            return known
