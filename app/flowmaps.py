"""The page at /flowmaps: where energy goes, from a scenario's trade or from flow records."""

from typing import Any

from app.page import serve_page
from app.server.settings import Settings
from catalogs.flow_records.records import FlowRecords
from components.flowmap.explorer import FlowMap


def flow_map(*, source: Any) -> Any:
    """The map of a dataset, by its kind."""
    if isinstance(source, FlowRecords):
        from components.flowmap.records import RecordMap

        return RecordMap(source=source)
    return FlowMap(source=source, tile_address=Settings.from_environment().tiles)


serve_page("/flowmaps", flow_map, extensions=["tabulator"])
