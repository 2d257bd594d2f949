"""Where regions and partners are: never guessed, always with who says so.

Looked for in this order, the first that knows wins: what the reader placed by hand; the user's own
table ``semantics/places.csv`` and shapes ``semantics/places.geojson`` (or ``.parquet``,
GeoParquet); the coordinates that were imported beside the results (``regions.csv``); the regions
of well-known models; a country whose ISO code or name the region has. What nobody knows has no
coordinates.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import shapely

from catalogs import semantics
from catalogs.errors import UnreadableFileError
from catalogs.flowmaps.geography import countries, world
from catalogs.flowmaps.shapes import own_shapes
from catalogs.source import Source

#: Ids of places outside of the model: a country, the world market, a partner that nobody names.
COUNTRY_PREFIX = "@"
OUTSIDE = "@outside"
UNKNOWN = "@unknown"

_NAMES = {OUTSIDE: "World market", UNKNOWN: "Unknown partner"}


@dataclass(frozen=True)
class Place:
    """Where something is: degrees (WGS 84), NaN where nobody knows, and who says so.

    ``outline`` is a shape in degrees where there is one.
    """

    id: str
    name: str
    latitude: float = math.nan
    longitude: float = math.nan
    said_by: str = ""
    outline: Any | None = field(default=None, compare=False)

    @property
    def is_known(self) -> bool:
        """Whether it has coordinates."""
        return math.isfinite(self.latitude) and math.isfinite(self.longitude)


def find_places(
    source: Source,
    ids: Iterable[str],
    by_hand: Mapping[str, tuple[float, float]] | None = None,
) -> list[Place]:
    """Return a place for each id: regions of the dataset, ``@DE`` for countries, ``@outside``.

    ``by_hand`` are latitude and longitude that the reader gave. Raises ``UnreadableFileError`` for
    an own table or shapes that are not what they should be.
    """
    own = own_places()
    shapes = own_shapes()
    given = _given(source)
    shipped = _shipped(source.regions)
    labels = source.labels("region")
    found = []
    for name in ids:
        place = _outside(name) or _region(name, labels.get(name, ""), (own, given, shipped))
        if name in shapes:
            place = _with_shape(place, shapes[name])
        if by_hand and name in by_hand:
            latitude, longitude = by_hand[name]
            place = Place(name, place.name, latitude, longitude, "placed by hand", place.outline)
        found.append(place)
    return found


def _outside(name: str) -> Place | None:
    if name in _NAMES:
        return Place(name, _NAMES[name])
    if not name.startswith(COUNTRY_PREFIX):
        return None
    country = countries.by_code(name.removeprefix(COUNTRY_PREFIX))
    if country is None:
        return Place(name, name)
    return _country(name, country.name, country)


def _country(name: str, label: str, country: countries.Country) -> Place:
    outline = world.outline(country.number)
    return Place(name, label, country.latitude, country.longitude, "country", outline)


def _region(name: str, label: str, tables: Sequence[Mapping[str, Place]]) -> Place:
    known = [table[name] for table in tables if name in table]
    country = countries.by_code(name) or countries.by_name(label) or countries.by_name(name)
    if known:
        first = next((place for place in known if place.is_known), known[0])
        outline = next((place.outline for place in known if place.outline is not None), None)
        if outline is None and country is not None:
            outline = world.outline(country.number)
        title = next((p.name for p in known if p.name and p.name != name), "") or label or name
        return Place(name, title, first.latitude, first.longitude, first.said_by, outline)
    if country is not None:
        return _country(name, label or country.name, country)
    return Place(name, label or name)


def _with_shape(place: Place, shape: Any) -> Place:
    """Return a place with the user's own shape, whatever other shape it had.

    Its point stays where it was if the user's own table tells it, or if it lies in the shape.
    """
    point = shapely.Point(place.longitude, place.latitude)
    if place.said_by == "places.csv" or (place.is_known and shape.contains(point)):
        return Place(place.id, place.name, place.latitude, place.longitude, place.said_by, shape)
    point = shape.representative_point()
    return Place(place.id, place.name, point.y, point.x, "places.geojson", shape)


def _given(source: Source) -> Mapping[str, Place]:
    """The coordinates that were imported with the results."""
    rows = source.rows(
        "SELECT region, any_value(description), any_value(latitude), any_value(longitude)"
        " FROM region WHERE latitude IS NOT NULL AND longitude IS NOT NULL GROUP BY region"
    )
    return {
        region: Place(region, name or "", latitude, longitude, "regions.csv")
        for region, name, latitude, longitude in rows
        if is_on_earth(latitude, longitude)
    }


def is_on_earth(latitude: float, longitude: float) -> bool:
    """Whether two numbers can be a latitude and a longitude in degrees."""
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


# ---------------------------------------------------------------------- shipped regions


def _shipped(regions: Sequence[str]) -> Mapping[str, Place]:
    """The regions of a well-known model, if the dataset holds all of that model's."""
    there = set(regions)
    found: dict[str, Place] = {}
    # The model of most regions last: it is the one meant where several fit.
    for model, rows in sorted(_models().items(), key=lambda item: len(item[0])):
        if model <= there:
            found |= {row["region"]: _shipped_place(tuple(row.items())) for row in rows}
    return found


@cache
def _models() -> Mapping[frozenset[str], Sequence[Mapping[str, str]]]:
    text = files("catalogs.flowmaps.geography").joinpath("regions.csv").read_text(encoding="utf-8")
    models: dict[frozenset[str], list[Mapping[str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        models.setdefault(frozenset(row["model"].split("+")), []).append(row)
    return models


@lru_cache(maxsize=256)
def _shipped_place(items: tuple[tuple[str, str], ...]) -> Place:
    row = dict(items)
    outline = world.outline(row["country"])
    if outline is not None and row["box"]:
        box = shapely.box(*map(float, row["box"].split()))
        inside = row["part"] == "inside"
        outline = outline.intersection(box) if inside else outline.difference(box)
    where = float(row["latitude"]), float(row["longitude"])
    return Place(row["region"], row["name"], *where, "a well-known model", outline)


# ---------------------------------------------------------------------- a user's own


def own_places() -> Mapping[str, Place]:
    """The user's table of points, ``semantics/places.csv``: place, latitude, longitude, name."""
    found: dict[str, Place] = {}
    for row in semantics.rows("places"):
        latitude, longitude = float(row["latitude"]), float(row["longitude"])
        if not is_on_earth(latitude, longitude):
            swapped = " Latitude and longitude may be swapped." * is_on_earth(longitude, latitude)
            raise UnreadableFileError(
                "places.csv",
                f"{row['place']!r} has latitude {latitude:g} and longitude {longitude:g}.{swapped}",
                "a latitude from -90 to 90 and a longitude from -180 to 180",
            )
        name = row.get("name") or ""
        before = found.get(row["place"])
        if before and (before.latitude, before.longitude) != (latitude, longitude):
            raise UnreadableFileError(
                "places.csv",
                f"{row['place']!r} is in it twice, with different coordinates.",
                "one row for each place",
            )
        found[row["place"]] = Place(row["place"], name, latitude, longitude, "places.csv")
    return found
