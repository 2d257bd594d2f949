"""Lines of a network: what they connect, what they can carry, and how they run.

Geometry is well-known text (``LINESTRING`` or ``MULTILINESTRING``, longitude first). It is kept
whole and simplified for smaller scales, once, when it is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import shapely

from catalogs.flow_records.columns import LINE_COLUMNS, match, unit_of
from catalogs.flow_records.recognition import TableFile
from catalogs.flow_records.tables import Relation, as_id, as_number, open_table
from catalogs.readers.base import account, report

#: Lines that a line of the report names.
_NAMED = 20
#: Tolerances of simplification in degrees, from the whole geometry to a continent on a screen: a
#: pixel of the Web Mercator square is 360 / 256 / 2**zoom degrees, and a half of it is not seen.
DETAILS: tuple[tuple[float, float], ...] = tuple(
    (float(zoom), 0.5 * 360 / 256 / 2**zoom) for zoom in (3, 5, 7, 9)
)
#: Zoom from which on the whole geometry is drawn.
WHOLE = 11.0


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines, a row each: line, name, origin, destination, category, capacity; and their geometry.

    ``geometry`` are shapely geometries, None for a line that has none: it is drawn straight.
    ``capacity_unit`` is '' where the table's column does not tell it.
    """

    table: pd.DataFrame
    geometry: Any
    capacity_unit: str


def read_lines(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[TableFile], first_number: int
) -> Lines:
    """Read tables of lines; report and count what is wrong with them."""
    frames, units = [], set()
    for number, table in enumerate(tables):
        relation = open_table(connection, table, first_number + number)
        found = match(table.columns, LINE_COLUMNS)
        frames.append(_read(connection, table, relation, found))
        units.add(unit_of(found["capacity"]) if "capacity" in found else "")
    together = pd.concat(frames, ignore_index=True)
    twice = together["line"].duplicated()
    if twice.any():
        message = (
            "lines whose id another line has already; the first are used:"
            f" {_some(together.loc[twice, 'line'])}"
        )
        report(connection, "warning", "conflicts", message, count=int(twice.sum()))
        for file, count in together.loc[twice, "file"].value_counts().items():
            connection.execute(
                "UPDATE import_account SET kept = kept - $count, conflicting = $count"
                " WHERE file = $file AND content = 'lines'",
                {"count": int(count), "file": str(file)},
            )
    together = together[~twice].reset_index(drop=True)
    geometry = together.pop("shape").to_numpy()
    return Lines(together.drop(columns="file"), geometry, units.pop() if len(units) == 1 else "")


def _read(
    connection: duckdb.DuckDBPyConnection,
    table: TableFile,
    relation: Relation,
    found: dict[str, str],
) -> pd.DataFrame:
    def text(key: str) -> str:
        return f"trim({relation.columns[found[key]]}::VARCHAR)" if key in found else "''"

    cells = {
        "line": as_id(relation, found["line"]),
        "name": text("name"),
        "origin": as_id(relation, found["origin"]),
        "destination": as_id(relation, found["destination"]),
        "category": text("category"),
        "capacity": as_number(relation, found["capacity"]) if "capacity" in found else "NULL",
        "geometry": text("geometry"),
    }
    listed = ", ".join(f"{sql} AS {name}" for name, sql in cells.items())
    frame = connection.execute(f"SELECT {listed} FROM {relation.sql}", relation.parameters).df()
    read, file = len(frame), table.path.name
    usable = frame[["line", "origin", "destination"]].notna().all(axis=1)
    if not usable.all():
        message = "lines without an id, or without what they connect, are left out"
        left = int((~usable).sum())
        report(connection, "warning", "left_out", message, file=file, count=left)
    frame = frame[usable].reset_index(drop=True)
    for name in ("line", "name", "origin", "destination", "category", "geometry"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "")
    if "voltage" in found.get("category", "").lower() or found.get("category") == "v_nom":
        frame["category"] = frame["category"].map(lambda volts: f"{volts} kV" if volts else "")
    frame["category"] = frame["category"].where(frame["category"] != "", _what(found))
    frame["name"] = frame["name"].where(frame["name"] != "", frame["line"])
    capacity = frame["capacity"].astype(float)
    frame["capacity"] = capacity.where(np.isfinite(capacity) & (capacity > 0))
    frame["shape"] = _shapes(connection, file, frame)
    frame["file"] = file
    account(connection, file, "lines", read=read, kept=len(frame), left_out=read - len(frame))
    return frame.drop(columns="geometry")


def _what(found: dict[str, str]) -> str:
    """Return what lines of no category are called: by the column of their ids (line, link ...)."""
    return found["line"].lower().removesuffix("_id").replace("_", " ") or "line"


def _shapes(connection: duckdb.DuckDBPyConnection, file: str, frame: pd.DataFrame) -> Any:
    """Return the geometry of lines, None for what is none; count the latter in the report."""
    texts = frame["geometry"].to_numpy(object)
    given = texts != ""
    shapes = shapely.from_wkt([text or None for text in texts], on_invalid="ignore")
    is_line = np.isin(shapely.get_type_id(shapes), (1, 5))  # LineString, MultiLineString
    bounds = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        fits = (np.abs(bounds[:, (0, 2)]) <= 180.0).all(axis=1)
        fits &= (np.abs(bounds[:, (1, 3)]) <= 90.0).all(axis=1)
    good = is_line & fits & (shapely.get_num_coordinates(shapes) > 1)
    bad = given & ~good
    if bad.any():
        message = (
            "geometry that is no line in degrees (LINESTRING, longitude first); these lines are"
            f" drawn straight: {_some(frame.loc[bad, 'line'])}"
        )
        report(connection, "warning", "geometry", message, file=file, count=int(bad.sum()))
    if (~given).any() and given.any():
        message = "lines without geometry are drawn straight"
        report(connection, "info", "geometry", message, file=file, count=int((~given).sum()))
    return np.where(good, shapes, None)


def paths_of(lines: Lines, ends: pd.DataFrame) -> pd.DataFrame:
    """Return the points of all lines in every detail: detail, line, longitude, latitude.

    ``ends`` has the coordinates of both ends of each line (longitude0, latitude0, longitude1,
    latitude1), for lines without geometry of their own and for those drawn the other way round:
    points run from a line's origin to its destination. Lines are numbered by their row; pieces of
    a line are separated by a point of NaN. ``detail`` is the zoom up to which it is enough.
    """
    known = np.isfinite(ends.to_numpy(float)).all(axis=1)
    points = ends.to_numpy(float).reshape(-1, 2, 2)
    straight = shapely.linestrings(np.where(known[:, None, None], points, 0.0))
    has_shape = np.array([shape is not None for shape in lines.geometry], dtype=bool)
    shapes = np.where(has_shape, lines.geometry, np.where(known, straight, None))
    turned = _runs_back(shapes, points)
    shapes[turned] = shapely.reverse(shapes[turned])
    frames = [
        _points(zoom, shapely.simplify(shapes, tolerance, preserve_topology=False))
        for zoom, tolerance in DETAILS
    ]
    return pd.concat([*frames, _points(WHOLE, shapes)], ignore_index=True)


def _runs_back(shapes: Any, ends: Any) -> Any:
    """Return which lines are drawn from their destination to their origin, by what is nearer."""
    lines = np.where(shapely.get_type_id(shapes) == 1, shapes, None)  # LineString
    gaps = [
        np.hypot(shapely.get_x(point) - ends[:, end, 0], shapely.get_y(point) - ends[:, end, 1])
        for point, end in (
            (shapely.get_point(lines, 0), 0),
            (shapely.get_point(lines, -1), 1),
            (shapely.get_point(lines, 0), 1),
            (shapely.get_point(lines, -1), 0),
        )
    ]
    return gaps[0] + gaps[1] > gaps[2] + gaps[3]


def _points(detail: float, shapes: Any) -> pd.DataFrame:
    parts, line = shapely.get_parts(shapes, return_index=True)
    coordinates, part = shapely.get_coordinates(parts, return_index=True)
    frame = pd.DataFrame(
        {
            "detail": detail,
            "line": line[part],
            "longitude": coordinates[:, 0],
            "latitude": coordinates[:, 1],
        }
    )
    # A line in pieces is lifted from the paper between them.
    starts = np.flatnonzero((np.diff(part) != 0) & (np.diff(line[part]) == 0)) + 1
    if not len(starts):
        return frame
    gaps = frame.iloc[starts].copy()
    gaps[["longitude", "latitude"]] = np.nan
    gaps.index = pd.Index(starts - 0.5)
    return pd.concat([frame, gaps]).sort_index().reset_index(drop=True)


def _some(ids: Any) -> str:
    listed = [str(one) for one in ids]
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
