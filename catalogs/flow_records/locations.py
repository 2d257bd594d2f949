"""Places of flow records: where they are, what they belong to, and what was wrong with that.

They are columns of longitude and latitude, or a geometry: a point, or an area, of which a point
inside is taken. A place that the records name and no table does is kept without coordinates; so is
one whose coordinates cannot be. Nothing is ever put at an invented spot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import shapely

from catalogs.flow_records.columns import HIERARCHY_COLUMNS, LOCATION_COLUMNS, match, plain
from catalogs.flow_records.recognition import TableFile
from catalogs.flow_records.tables import Relation, as_id, as_number, open_table, quoted
from catalogs.flowmaps.geography import world
from catalogs.readers.base import account, report

#: Ids that a line of the report names.
_NAMED = 20
#: The country in the tags of the ENTSO-E grid map: ``"country"=>"DK"``.
_TAGGED_COUNTRY = '"country"=>"([^"]*)"'
#: Locations from which on it is looked whether they are on land; the share below which most are
#: at sea, and that above which most would be ashore.
_ENOUGH, _AT_SEA, _ASHORE = 5, 0.6, 0.9
_COLUMNS = ("id", "name", "longitude", "latitude")
#: Point, Polygon, MultiPoint and MultiPolygon, as shapely numbers them.
_POINTS_AND_AREAS = (0, 3, 4, 6)


def read_locations(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[TableFile], first_number: int
) -> pd.DataFrame:
    """Read tables of locations; report and count what is wrong with them.

    Returns a row per place: id, name, longitude and latitude (NaN where unknown or impossible),
    and a column of text for each that may group places ('' where that is not told).
    """
    frames = [
        _read(connection, table, open_table(connection, table, first_number + number))
        for number, table in enumerate(tables)
    ]
    if not frames:
        return pd.DataFrame(
            {"id": [], "name": [], "longitude": np.array([]), "latitude": np.array([])}
        )
    places = pd.concat(frames, ignore_index=True)
    groups = [name for name in places.columns if name not in _COLUMNS]
    places[groups] = places[groups].fillna("")
    return places.drop_duplicates("id", ignore_index=True)


def _read(
    connection: duckdb.DuckDBPyConnection, table: TableFile, relation: Relation
) -> pd.DataFrame:
    found = match(table.columns, LOCATION_COLUMNS)
    groups = {
        plain(name): name
        for name in table.columns
        if plain(name) in HIERARCHY_COLUMNS and name != found["id"]
    }
    cells = {
        "id": as_id(relation, found["id"]),
        "name": f"{relation.columns[found['name']]}::VARCHAR" if "name" in found else "NULL",
        **_coordinates(relation, found),
        **{key: f"trim({relation.columns[name]}::VARCHAR)" for key, name in groups.items()},
    }
    if "tags" in found and "country" not in cells:
        tags = relation.columns[found["tags"]]
        country = f"regexp_extract({tags}::VARCHAR, '{_TAGGED_COUNTRY}', 1)"
        [(tagged,)] = connection.execute(
            f"SELECT count(*) FROM {relation.sql} WHERE {country} <> ''", relation.parameters
        ).fetchall()
        if tagged:
            cells["country"] = country
    listed = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in cells.items())
    frame = connection.execute(f"SELECT {listed} FROM {relation.sql}", relation.parameters).df()
    frame["id"] = frame["id"].astype(object).where(frame["id"].notna(), None)
    if "geometry" in frame:
        _place_inside(connection, table, frame)
    return _checked(connection, table, frame)


def _coordinates(relation: Relation, found: Mapping[str, str]) -> dict[str, str]:
    """Return SQL for longitude and latitude, or, where there are none, for the geometry."""
    if {"longitude", "latitude"} <= found.keys():
        return {name: as_number(relation, found[name]) for name in ("longitude", "latitude")}
    return {"geometry": f"{relation.columns[found['geometry']]}::VARCHAR"}


def _place_inside(
    connection: duckdb.DuckDBPyConnection, table: TableFile, frame: pd.DataFrame
) -> None:
    """Put longitude and latitude in the place of geometry: of a point, or one inside a shape."""
    texts = frame.pop("geometry").astype(object)
    texts = texts.where(texts.notna() & (texts != ""), None)
    shapes: Any = shapely.from_wkt(texts.to_numpy(object), on_invalid="ignore")
    is_shape = np.isin(shapely.get_type_id(shapes), _POINTS_AND_AREAS)
    wrong = frame[texts.notna().to_numpy() & ~is_shape]
    if len(wrong):
        message = (
            "geometry that is no point and no area; the places are listed beside the map:"
            f" {_some(wrong['id'])}"
        )
        report(connection, "warning", "geometry", message, file=table.path.name, count=len(wrong))
    shapes = np.where(is_shape & ~shapely.is_empty(shapes), shapes, None)
    crossing = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    if crossing.any():
        shapes[crossing] = shapely.make_valid(shapes[crossing])
        message = (
            "areas whose outline crosses itself; they are mended before a point inside is sought:"
            f" {_some(frame.loc[crossing, 'id'])}"
        )
        count = int(crossing.sum())
        report(connection, "info", "geometry", message, file=table.path.name, count=count)
    points = shapely.point_on_surface(shapes)
    frame["longitude"], frame["latitude"] = shapely.get_x(points), shapely.get_y(points)


def _checked(
    connection: duckdb.DuckDBPyConnection, table: TableFile, frame: pd.DataFrame
) -> pd.DataFrame:
    file, read = table.path.name, len(frame)

    def warn(message: str, rows: pd.DataFrame, topic: str = "places") -> None:
        if len(rows):
            report(
                connection,
                "warning",
                topic,
                f"{message}: {_some(rows['id'])}",
                file=file,
                count=len(rows),
            )

    nameless = frame[frame["id"].isna()]
    if len(nameless):
        message = "locations without an id are left out"
        report(connection, "warning", "left_out", message, file=file, count=len(nameless))
    frame = frame[frame["id"].notna()].copy()
    frame["name"] = frame["name"].where(frame["name"].notna() & (frame["name"] != ""), frame["id"])
    _check_coordinates(frame, warn)
    repeated = frame[frame["id"].duplicated()]
    same = frame.duplicated(["id", "longitude", "latitude"])
    differing = frame[frame["id"].duplicated() & ~same]
    merged = len(repeated) - len(differing)
    if merged:
        message = "locations that stand in the table twice with the same coordinates"
        report(connection, "info", "duplicates", message, file=file, count=merged)
    warn(
        "locations that stand in the table again with other coordinates; the first are used",
        differing,
        "conflicts",
    )
    account(
        connection,
        file,
        "locations",
        read=read,
        kept=len(frame) - len(repeated),
        merged=merged,
        conflicting=len(differing),
        left_out=len(nameless),
    )
    return frame.drop_duplicates("id", ignore_index=True)


def _check_coordinates(frame: pd.DataFrame, warn: object) -> None:
    """Blank coordinates that cannot be, each kind of them with a warning."""
    assert callable(warn)
    place = ["longitude", "latitude"]
    frame[place] = frame[place].astype(float).replace([np.inf, -np.inf], np.nan)
    longitude, latitude = frame["longitude"], frame["latitude"]
    missing = longitude.isna() | latitude.isna()
    warn("locations without coordinates; they are listed beside the map", frame[missing])
    # What is west of Greenwich may be counted on to 360.
    frame["longitude"] = longitude.where(~longitude.between(180, 360, "right"), longitude - 360)
    longitude = frame["longitude"]
    swapped = (latitude.abs() > 90) & (latitude.abs() <= 180) & (longitude.abs() <= 90)
    warn(
        "latitudes beyond 90 degrees: latitude and longitude look swapped; the places are listed"
        " beside the map until that is mended in the table",
        frame[swapped & ~missing],
    )
    beyond = ((latitude.abs() > 90) | (longitude.abs() > 180)) & ~swapped & ~missing
    warn(
        "coordinates that are no degrees (perhaps metres of a projection); the places are listed"
        " beside the map",
        frame[beyond],
    )
    frame.loc[missing | swapped | beyond, place] = np.nan
    _check_land(frame, warn)
    nowhere = (longitude == 0) & (latitude == 0)
    warn("locations at 0° north, 0° east, where coordinates are often missing", frame[nowhere])


def _check_land(frame: pd.DataFrame, warn: object) -> None:
    """Warn where most places are at sea, and would be on land if they were turned round."""
    assert callable(warn)
    placed = frame[frame["longitude"].notna()]
    if len(placed) < _ENOUGH:
        return
    longitude, latitude = placed["longitude"].to_numpy(), placed["latitude"].to_numpy()
    turned = np.abs(longitude) <= 90
    ashore = _on_land(longitude, latitude).mean()
    if ashore < _AT_SEA and turned.all() and _on_land(latitude, longitude).mean() > _ASHORE:
        warn(
            "most locations are at sea, and would be on land with latitude and longitude swapped:"
            " look whether the columns are",
            placed[~_on_land(longitude, latitude)],
        )


def _on_land(longitude: Any, latitude: Any) -> Any:
    """Return which points are within half a degree of land."""
    land = shapely.buffer(world.read("110m").land, 0.5)
    tree = shapely.STRtree(land)
    points, _ = tree.query(shapely.points(longitude, latitude), predicate="within")
    found = np.zeros(len(longitude), dtype=bool)
    found[points] = True
    return found


def add_unknown(
    connection: duckdb.DuckDBPyConnection, places: pd.DataFrame, named: Iterable[str]
) -> pd.DataFrame:
    """Add the places that are named and in no table, without coordinates; report them."""
    known = set(places["id"])
    unknown = sorted(set(named) - known)
    if not unknown:
        return places
    message = (
        "places that the records name and no table of locations does; their flows are counted,"
        f" and they are listed beside the map: {_some(unknown)}"
    )
    report(connection, "warning", "places", message, count=len(unknown))
    groups = [name for name in places.columns if name not in _COLUMNS]
    added = pd.DataFrame(
        {
            "id": unknown,
            "name": unknown,
            "longitude": np.nan,
            "latitude": np.nan,
            **dict.fromkeys(groups, ""),
        }
    )
    return pd.concat([places, added], ignore_index=True) if len(places) else added


def _some(ids: Iterable[object]) -> str:
    listed = [str(one) for one in ids]
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
