"""The Intake reader of published datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intake.readers.readers import BaseReader

from catalogs.flow_records.records import FlowRecords
from catalogs.opened import open_flow_records, open_source
from catalogs.source import Source


class PublishedDataset(BaseReader):
    """Hands out the ``Source`` of a published dataset.

    ``manifest`` is the path of its manifest; Intake may turn it into a ``file://`` address.
    """

    output_instance = "catalogs.source:Source"
    imports = {"duckdb"}

    def _read(self, manifest: str, **_: Any) -> Source:
        return open_source(Path(manifest.removeprefix("file://")))


class PublishedFlowRecords(BaseReader):
    """Hands out the ``FlowRecords`` of a published dataset of flow records.

    ``manifest`` is the path of its manifest; Intake may turn it into a ``file://`` address.
    """

    output_instance = "catalogs.flow_records.records:FlowRecords"
    imports = {"duckdb"}

    def _read(self, manifest: str, **_: Any) -> FlowRecords:
        return open_flow_records(Path(manifest.removeprefix("file://")))
