"""Makes the data files of this folder; they are kept in the project, so this is run by hand.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python -m catalogs.flowmaps.geography.convert package iso_3166-1.json

The second file is Debian's /usr/share/iso-codes/json/iso_3166-1.json (package iso-codes), of which
only the codes and names of countries are taken. TopoJSON is described at
https://github.com/topojson/topojson-specification
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalogs.flowmaps.geography.world import BORDER, COUNTRY, FILE, LAND, RESOLUTIONS, STEP

_HERE = Path(__file__).parent
_POLYGON = 3

#: Other names under which data know a country, by ISO code.
_ALSO = {
    "BA": "Bosnia", "BN": "Brunei", "CD": "DR Congo", "CI": "Ivory Coast", "CV": "Cape Verde",
    "CZ": "Czech Republic", "FO": "Faroe Islands", "GB": "UK|Great Britain|Britain",
    "GR": "EL", "KR": "Korea", "MK": "Macedonia", "MM": "Burma", "SZ": "Swaziland",
    "NL": "Netherland|Holland|The Netherlands", "RU": "Russia", "TR": "Turkey", "US": "USA",
}  # fmt: skip


class _Topology:
    """A TopoJSON file of countries and land."""

    def __init__(self, path: Path) -> None:
        text = json.loads(path.read_text(encoding="utf-8"))
        self.countries = [c for c in text["objects"]["countries"]["geometries"] if c.get("arcs")]
        self._land = text["objects"]["land"]["geometries"][0]
        scale, shift = text["transform"]["scale"], text["transform"]["translate"]
        # Arcs are differences on a grid.
        self._arcs = [np.cumsum(np.array(a, float), axis=0) * scale + shift for a in text["arcs"]]

    def land(self) -> list[BaseGeometry]:
        return list(self.polygons(self._land))

    def borders(self) -> list[BaseGeometry]:
        """The lines that two countries share."""
        uses = Counter(
            arc if arc >= 0 else ~arc
            for country in self.countries
            for polygon in _polygons(country)
            for ring in polygon
            for arc in ring
        )
        lines = [
            shapely.linestrings(_unwrapped(self._arcs[arc]))
            for arc, times in uses.items()
            if times > 1
        ]
        merged = shapely.line_merge(shapely.multilinestrings(_cut(np.array(lines))))
        return list(shapely.get_parts(merged))

    def polygons(self, geometry: Mapping[str, Any]) -> NDArray[Any]:
        """The polygons of a geometry, cut at 180 degrees and valid on the file's grid."""
        rings = ([self._ring(ring) for ring in polygon] for polygon in _polygons(geometry))
        made = np.array([shapely.Polygon(r[0], r[1:]) for r in rings if len(r[0]) > 3])
        if not len(made):
            return made
        parts = shapely.set_precision(_cut(shapely.make_valid(made)), STEP)
        parts = shapely.get_parts(shapely.get_parts(parts))
        return parts[(shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)]

    def point_on(self, geometry: Mapping[str, Any]) -> Any:
        """A point on the largest part."""
        parts = self.polygons(geometry)
        if len(parts):
            return max(parts, key=lambda part: float(part.area)).representative_point()
        # Smaller than the grid: a point of its coast.
        return shapely.Point(self._ring(_polygons(geometry)[0][0])[0])

    def _ring(self, arcs: Sequence[int]) -> NDArray[np.float64]:
        parts = [self._arcs[arc] if arc >= 0 else self._arcs[~arc][::-1] for arc in arcs]
        # Arcs share their ends.
        ring = _unwrapped(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]))
        if abs(ring[-1, 0] - ring[0, 0]) > 180:  # around a pole, which is inside
            pole = -90.0 if ring[0, 1] < 0 else 90.0
            ring = np.concatenate([ring, [[ring[-1, 0], pole], [ring[0, 0], pole], ring[0]]])
        return ring


def _unwrapped(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a line without jumps from 180 to -180 degrees: world-atlas joins them there."""
    return np.column_stack([np.unwrap(points[:, 0], period=360.0), points[:, 1]])


def _cut(shapes: NDArray[Any]) -> NDArray[Any]:
    """Shapes cut at 180 degrees, each part where it belongs."""
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        cut = shapely.clip_by_rect(shapes, -180.0 + turn, -90.0, 180.0 + turn, 90.0)
        cut = cut[~shapely.is_empty(cut)]
        parts.append(shapely.transform(cut, lambda p, by=turn: p - [by, 0.0]))
    return shapely.get_parts(np.concatenate(parts))


def _polygons(geometry: Mapping[str, Any]) -> Sequence[Sequence[Sequence[int]]]:
    several = geometry["type"] == "MultiPolygon"
    polygons: Sequence[Sequence[Sequence[int]]] = (
        geometry["arcs"] if several else [geometry["arcs"]]
    )
    return polygons


def main(atlas: Path, codes: Path) -> None:
    """Write the worlds and the table of countries."""
    worlds = {r: _Topology(atlas / f"countries-{r}.json") for r in RESOLUTIONS}
    rows = [row for r, topology in worlds.items() for row in _rows(r, topology)]
    columns = list(zip(*rows, strict=True))
    table = pa.table(
        {
            "resolution": pa.array(columns[0], pa.string()),
            "kind": pa.array(columns[1], pa.string()),
            "country": pa.array(columns[2], pa.string()),
            "polygon": pa.array(columns[3], pa.int32()),
            "x": pa.array(columns[4], pa.list_(pa.int32())),
            "y": pa.array(columns[5], pa.list_(pa.int32())),
        }
    )
    pq.write_table(
        table,
        _HERE / FILE,
        compression="zstd",
        compression_level=19,
        use_dictionary=["resolution", "kind", "country"],
    )
    _write_countries(worlds["10m"], json.loads(codes.read_text(encoding="utf-8"))["3166-1"])


def _rows(resolution: str, topology: _Topology) -> Iterator[tuple[Any, ...]]:
    """One row for each ring: its points as steps on a grid, the first from 0."""
    for number, ring in _rings(topology.land()):
        yield (resolution, LAND, "", number, *ring)
    for number, line in enumerate(topology.borders()):
        yield (resolution, BORDER, "", number, *_steps(line))
    # Filled countries are seen from afar: the finest outlines would double the file.
    for country in topology.countries if resolution != "10m" else []:
        for number, ring in _rings(topology.polygons(country)):
            yield (resolution, COUNTRY, country.get("id", ""), number, *ring)


def _rings(polygons: Iterable[Any]) -> Iterator[tuple[int, tuple[list[int], list[int]]]]:
    """The rings of polygons, the outer one first; what the grid makes a line of is left out."""
    for number, polygon in enumerate(polygons):
        for place, ring in enumerate((polygon.exterior, *polygon.interiors)):
            steps = _steps(ring)
            if len(steps[0]) >= 4:
                yield number, steps
            elif place == 0:
                break


def _steps(line: Any) -> tuple[list[int], list[int]]:
    points = np.rint(shapely.get_coordinates(line) / STEP).astype(np.int64)
    moves = np.diff(points, axis=0, prepend=0)
    kept = np.concatenate([[True], (moves[1:] != 0).any(axis=1)])
    return moves[kept, 0].tolist(), moves[kept, 1].tolist()


def _write_countries(topology: _Topology, entries: Sequence[Mapping[str, str]]) -> None:
    drawn = {c["id"]: c for c in reversed(topology.countries) if "id" in c}
    # Of two with one number (Australia and its reefs) the one with more parts is the country.
    for country in topology.countries:
        if "id" in country and len(str(country["arcs"])) > len(str(drawn[country["id"]]["arcs"])):
            drawn[country["id"]] = country
    rows: list[tuple[str, ...]] = []
    for entry in entries:
        if (country := drawn.get(entry["numeric"])) is None:
            continue
        point = topology.point_on(country)
        name = entry.get("common_name", entry["name"]).partition(",")[0]
        others = [entry["name"], entry.get("official_name", ""), country["properties"]["name"]]
        others += _ALSO.get(entry["alpha_2"], "").split("|")
        also = "|".join(other for other in dict.fromkeys(others) if other not in ("", name))
        where = (f"{point.y:.2f}", f"{point.x:.2f}")
        rows.append((entry["numeric"], entry["alpha_2"], entry["alpha_3"], name, also, *where))
    with (_HERE / "countries.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("number", "iso2", "iso3", "name", "also", "latitude", "longitude"))
        rows.sort(key=lambda row: row[1])
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
