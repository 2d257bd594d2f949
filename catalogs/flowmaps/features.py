"""Features with a geometry, from GeoJSON (RFC 7946) and GeoParquet (1.0 and 1.1).

Coordinates are degrees (WGS 84), longitude first. A file that says that its are something else is
refused: metres of a projection would otherwise be taken for degrees, or for nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from catalogs.errors import UnreadableFileError

GEOMETRY = "geometry"
#: Names of degrees that differ by less than what can be seen on a map.
_DEGREES = re.compile(r"(CRS84|CRS83|EPSG:.*\b(4326|4258|4269|4979))$", re.IGNORECASE)
_EXPECTED_DEGREES = "degrees (WGS 84, EPSG:4326); with GeoPandas: to_crs(4326)"
_COLLECTION = b"FeatureCollection"
_SAMPLE = 1 << 16


@dataclass(frozen=True, eq=False)
class Features:
    """Features, a row each.

    ``properties`` are their columns by name, all of the same length; None where a feature has no
    such property. ``geometry`` are shapely geometries, None for a feature without one and for one
    whose coordinates are none; ``unread`` has the latter's text by row.
    """

    properties: Mapping[str, Sequence[Any]]
    geometry: Any
    unread: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.geometry)


def is_geojson(path: Path) -> bool:
    """Whether a file is GeoJSON, by its name or, where that ends with .json, by how it begins."""
    if path.suffix.lower() == ".geojson":
        return True
    with path.open("rb") as stream:
        return _COLLECTION in stream.read(_SAMPLE)


def read_features(path: Path) -> Features:
    """Read GeoJSON, or GeoParquet where the file is named so. Raises ``UnreadableFileError``."""
    return _geoparquet(path) if path.suffix.lower() == ".parquet" else _geojson(path)


# ---------------------------------------------------------------------------- GeoJSON


def _geojson(path: Path) -> Features:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(
            path.name, "the GeoJSON is cut off or damaged", details=str(error)
        ) from error
    features = _listed(path, content)
    _check_named_degrees(path, content)
    names: dict[str, None] = {}
    rows = []
    for feature in features:
        properties = feature.get("properties")
        row = {"id": feature["id"]} if feature.get("id") is not None else {}
        row |= properties if isinstance(properties, dict) else {}
        names |= dict.fromkeys(name for name in row if name != GEOMETRY)
        rows.append(row)
    geometry = np.empty(len(rows), dtype=object)
    unread = {}
    for number, feature in enumerate(features):
        if feature.get("geometry"):
            text = json.dumps(feature["geometry"])
            geometry[number] = shapely.from_geojson(text, on_invalid="ignore")
            if geometry[number] is None:
                unread[number] = text
    return Features({name: [row.get(name) for row in rows] for name in names}, geometry, unread)


def _listed(path: Path, content: Any) -> list[dict[str, Any]]:
    kind = content.get("type") if isinstance(content, dict) else None
    features = [content] if kind == "Feature" else content.get("features") if kind else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise UnreadableFileError(
            path.name, "it holds no features", 'GeoJSON: {"type": "FeatureCollection", ...}'
        )
    return features


def _check_named_degrees(path: Path, content: Any) -> None:
    """Refuse what old GeoJSON, which may name its coordinates, says are no degrees."""
    named = content.get("crs")
    name = (named.get("properties") or {}).get("name", "") if isinstance(named, dict) else ""
    if name and not _DEGREES.search(str(name)):
        raise UnreadableFileError(path.name, f"its coordinates are in {name}", _EXPECTED_DEGREES)


# ---------------------------------------------------------------------------- GeoParquet


def _geoparquet(path: Path) -> Features:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        described = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
    except (pa.ArrowException, ValueError, OSError) as error:
        raise UnreadableFileError(
            path.name, "the Parquet file is cut off or damaged", details=str(error)
        ) from error
    column = described.get("primary_column", GEOMETRY)
    if column not in table.column_names:
        raise UnreadableFileError(
            path.name, f"it has no column {column!r}", "GeoParquet with its geometry as WKB"
        )
    about = (described.get("columns") or {}).get(column) or {}
    crs = about.get("crs")
    if isinstance(crs, dict) and "Projected" in str(crs.get("type")):
        raise UnreadableFileError(
            path.name, f"its coordinates are in {crs.get('name', 'metres')}", _EXPECTED_DEGREES
        )
    kind = table.schema.field(column).type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise UnreadableFileError(
            path.name,
            f"its geometry is written as {about.get('encoding') or kind}",
            "GeoParquet with its geometry as WKB",
        )
    written = table[column].to_pylist()
    geometry = np.empty(len(written), dtype=object)
    geometry[:] = shapely.from_wkb(written, on_invalid="ignore")
    unread = {
        number: "WKB that cannot be read"
        for number, one in enumerate(written)
        if one and geometry[number] is None
    }
    properties = {
        name: table[name].to_pylist()
        for name in table.column_names
        if name not in (column, GEOMETRY)
    }
    return Features(properties, geometry, unread)
