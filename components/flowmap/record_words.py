"""What a map of flow records says: title, foot line, words at the pointer, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from catalogs.flow_records.records import FlowRecords
from catalogs.flowmaps.picture import FlowMapData
from components.numbers import percentage, significant

if TYPE_CHECKING:
    from components.flowmap.records import RecordMap

_NAMED = 3


def sentence(flow_map: RecordMap) -> str:
    """Return the title: what flows, where, when, in which unit."""
    source, bucket, chosen = flow_map.source, flow_map.bucket, flow_map.commodities
    what = ", ".join(chosen[:_NAMED]) + (" …" if len(chosen) > _NAMED else "") or "Flows"
    between = "on lines" if source.about.by_line else "between places"
    when = "" if bucket.kind == "all" else f", {bucket.label}"
    unit = source.unit_of(flow_map.view)
    return f"{what.capitalize()} {between}, {source.dataset}{when}, {unit}".rstrip(", ")


def foot_line(source: FlowRecords, data: FlowMapData) -> str:
    """Return how many flows and what share of the energy is drawn, remarks, and the version."""
    version = f"{source.dataset}, version {source.version[:8]}"
    return " · ".join([data.shown.sentence(), f"by {data.level}", *data.remarks, version])


def flows_table(data: FlowMapData) -> pd.DataFrame:
    """Return the flows of a picture, the largest first.

    Columns from, to, kind, value, other way and unit; where they are lines of a network, line and
    loading (share of capacity) too.
    """
    names, arcs = data.places.name, data.arcs
    table = pd.DataFrame(
        {
            "line": [str(name) for name in arcs.id],
            "from": [str(names[i]) for i in arcs.origin],
            "to": [str(names[i]) for i in arcs.destination],
            "kind": [data.categories[i] for i in arcs.category],
            "value": arcs.value,
            "other way": arcs.back,
            "loading": arcs.loading,
            "unit": data.unit,
        }
    )
    return table if data.paths is not None else table.drop(columns=["line", "loading"])


def at_pointer(data: FlowMapData, arc: int) -> tuple[str, str, list[str]]:
    """Return what is said of an arc: its ends, how much it is, and further lines."""
    arcs, names = data.arcs, data.places.name
    lines = [str(arcs.id[arc]), data.categories[arcs.category[arc]]]
    if np.isfinite(arcs.loading[arc]):
        lines.append(f"loading {percentage(float(arcs.loading[arc]))} of capacity")
    return (
        f"{names[arcs.origin[arc]]} → {names[arcs.destination[arc]]}",
        f"{significant(float(arcs.value[arc]))} {data.unit}",
        [line for line in lines if line],
    )
