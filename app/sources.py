"""The published datasets of a data directory, as pages ask for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import catalogs
from catalogs.opened import open_flow_records, open_source
from catalogs.store import FLOWS, SCENARIOS, Store

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords
    from catalogs.source import Source


class Sources:
    """Hands out the current version of each dataset of a data directory.

    A Source is read-only and gives every query a cursor of its own, so sessions share it: each
    version is open once (``catalogs.opened``). A newly published version gets a new one; sessions
    that still show the old keep it alive.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._store = Store(directory)

    def names(self) -> tuple[str, ...]:
        """Names of the published datasets, the one published last first."""
        return tuple(self._store.datasets())

    def kinds(self) -> Mapping[str, str]:
        """The kind of each published dataset (see `catalogs.store`), in the order of `names`."""
        return self._store.kinds()

    def open(
        self, dataset: str = "", kinds: Collection[str] = (SCENARIOS, FLOWS)
    ) -> Source | FlowRecords:
        """The dataset's current version, by default of the one of these kinds published last.

        Raises `catalogs.errors.UnknownDatasetError`.
        """
        known_kinds = self.kinds()
        first = next((name for name, kind in known_kinds.items() if kind in kinds), "")
        name = dataset or first
        if name not in known_kinds:
            # Says what there is; without any of the kinds wanted, that scenarios are missing.
            return (catalogs.open_dataset if name else catalogs.open_source)(self.directory, name)
        path = self._store.manifest_path(name)
        return open_flow_records(path) if known_kinds[name] == FLOWS else open_source(path)
