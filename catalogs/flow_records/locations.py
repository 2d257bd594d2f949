"""Places of flow records: where they are, what they belong to, and what was wrong with that.

A place that the records name and no table does is kept without coordinates; so is one whose
coordinates cannot be. Nothing is ever put at an invented spot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        "longitude": as_number(relation, found["longitude"]),
        "latitude": as_number(relation, found["latitude"]),
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
    return _checked(connection, table, frame)


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
