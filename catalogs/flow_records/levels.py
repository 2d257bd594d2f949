"""Levels of places, from coarse to fine: the hierarchy given, else clusters in space.

Places are numbered along a space-filling curve (Z order) within their parents, so that the
members of a place at a coarser level follow each other, and what is near on the map is near on
disk. Clusters are the cells of a quadtree over the Web Mercator square: the same places always
make the same clusters, and each is at the mean of its members, weighted by what flows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalogs.flowmaps.picture import Numbers, Positions

#: Depth of the curve: cells of 600 m at the equator.
_DEPTH = 16
#: A coarser level is of use where it has at most this share of the places of the next finer one.
_WORTH_IT = 0.5
#: No level with fewer places than this is added to a finer one.
_FEWEST = 6
#: Beyond this latitude the Web Mercator square ends.
_MERCATOR_END = 85.0511
#: A column groups places where it is told for at least this share of them.
_TOLD = 0.5
#: Depth of the cells that places of no group are put together by: about 11 degrees.
_UNGROUPED_DEPTH = 5
CLUSTER = "cluster"


@dataclass(frozen=True, eq=False)
class Level:
    """Places of one level; ``places`` has a row per place, in the order of their numbers.

    Its columns are id, name, longitude, latitude, members (finest places in it) and parent (its
    number at the next coarser level, -1 at the coarsest). ``depth`` is that of the quadtree, None
    for a level that was given.
    """

    name: str
    places: pd.DataFrame
    depth: int | None


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Levels from coarse to fine; ``ancestors[l]`` has the place at level l of each finest one."""

    levels: tuple[Level, ...]
    ancestors: tuple[Positions, ...]


def build_levels(
    places: pd.DataFrame, weights: Numbers, finest_name: str = "location"
) -> tuple[Hierarchy, tuple[str, ...]]:
    """Make the levels of places.

    ``places`` are those of ``locations.read_locations``, ``weights`` what flows at each. Also
    returns the columns that were told for too few places, or were no hierarchy, to group them.
    """
    codes = _curve(places)
    given, refused = _given(places)
    keys: list[tuple[str, int | None, pd.Series]] = []
    if given:
        keys = [(name, None, _groups(places, name, codes)) for name in given]
    else:
        keys = [(CLUSTER, depth, pd.Series(_cell(codes, depth))) for depth in _depths(codes)]
    order = _order(keys, codes, places)
    places = places.iloc[order].reset_index(drop=True)
    weights = weights[order]
    parents = [(name, depth, key.iloc[order]) for name, depth, key in keys]
    levels: list[Level] = []
    ancestors: list[Positions] = []
    for name, depth, key in parents:
        numbers = np.asarray((key != key.shift()).cumsum() - 1, dtype=np.int64)
        parent = ancestors[-1] if ancestors else None
        merged = _merged(places, weights, numbers, key, is_cluster=depth is not None)
        merged["parent"] = -1 if parent is None else parent[_firsts(numbers)]
        levels.append(Level(name, merged, depth))
        ancestors.append(numbers)
    finest = places[["id", "name", "longitude", "latitude"]].copy()
    finest["members"] = 1
    finest["parent"] = ancestors[-1] if ancestors else -1
    levels.append(Level(finest_name, finest, None))
    ancestors.append(np.arange(len(places), dtype=np.int64))
    return Hierarchy(tuple(levels), tuple(ancestors)), refused


# ---------------------------------------------------------------------------- the curve


def _curve(places: pd.DataFrame) -> Positions:
    """Return the place of each on the Z-order curve; -1 without coordinates."""
    longitude = places["longitude"].to_numpy(float)
    latitude = np.clip(places["latitude"].to_numpy(float), -_MERCATOR_END, _MERCATOR_END)
    known = np.isfinite(longitude) & np.isfinite(latitude)
    size = 1 << _DEPTH
    x = np.where(known, (longitude + 180.0) / 360.0, 0.0)
    sine = np.sin(np.radians(np.where(known, latitude, 0.0)))
    y = 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)
    column = np.clip((x * size).astype(np.int64), 0, size - 1)
    row = np.clip((y * size).astype(np.int64), 0, size - 1)
    code = np.zeros(len(places), dtype=np.int64)
    for bit in range(_DEPTH):
        code |= ((column >> bit) & 1) << (2 * bit)
        code |= ((row >> bit) & 1) << (2 * bit + 1)
    return np.where(known, code, -1)


def _cell(codes: Positions, depth: int) -> Positions:
    """Return the quadtree cell of each; places without coordinates are cells of their own."""
    cells = codes >> (2 * (_DEPTH - depth))
    alone = -1 - np.arange(len(codes))
    return np.where(codes < 0, alone, cells)


def _depths(codes: Positions) -> list[int]:
    """Return the depths of the quadtree that make levels, from coarse to fine."""
    depths: list[int] = []
    count = len(codes)
    for depth in range(_DEPTH, 0, -1):
        cells = len(np.unique(_cell(codes, depth)))
        if cells < _FEWEST:
            break
        if cells <= _WORTH_IT * count:
            depths.insert(0, depth)
            count = cells
    return depths


# ---------------------------------------------------------------------------- a hierarchy given


def _given(places: pd.DataFrame) -> tuple[list[str], tuple[str, ...]]:
    """Return the columns that group places, coarse to fine, and those that cannot."""
    columns = [c for c in places.columns if c not in ("id", "name", "longitude", "latitude")]
    refused: list[str] = []
    counted: list[tuple[int, str]] = []
    for name in columns:
        told = places[name] != ""
        number = places.loc[told, name].nunique()
        if number < 2 or told.mean() < _TOLD:
            refused += [name] if told.any() and number > 1 else []
        elif number <= _WORTH_IT * len(places):
            counted.append((number, name))
    given: list[str] = []
    for _, name in sorted(counted):
        # Each group must lie within one of the coarser level.
        nested = not given or (places.groupby(name)[given[-1]].nunique() <= 1).all()
        if nested:
            given.append(name)
        else:
            refused.append(name)
    return given, tuple(refused)


def _groups(places: pd.DataFrame, name: str, codes: Positions) -> pd.Series:
    """Return the group of each place; those of none go together with their neighbours."""
    cells = pd.Series(_cell(codes, _UNGROUPED_DEPTH)).astype(str)
    told = places[name].reset_index(drop=True)
    return told.where(told != "", "\x1f" + cells)


def _order(
    keys: Sequence[tuple[str, int | None, pd.Series]], codes: Positions, places: pd.DataFrame
) -> Positions:
    """Return the order of places: by group, then along the curve, then by id."""
    frame = pd.DataFrame({"code": codes, "id": places["id"].to_numpy()})
    by = []
    for number, (_, depth, key) in enumerate(keys):
        if depth is None:  # cells of the quadtree follow from the curve
            frame[f"key{number}"] = key.to_numpy()
            by.append(f"key{number}")
    # Places without coordinates come last: their numbers would tear others' cells apart.
    frame["unknown"] = codes < 0
    return frame.sort_values([*by, "unknown", "code", "id"]).index.to_numpy(np.int64)


def _firsts(numbers: Positions) -> Positions:
    """Return where each number begins."""
    count = int(numbers[-1]) + 1 if len(numbers) else 0
    return np.searchsorted(numbers, np.arange(count)).astype(np.int64)


def _merged(
    places: pd.DataFrame,
    weights: Numbers,
    numbers: Positions,
    key: pd.Series,
    *,
    is_cluster: bool,
) -> pd.DataFrame:
    """Return the places of a level: each at the weighted mean of its members."""
    count = int(numbers[-1]) + 1 if len(numbers) else 0
    longitude = places["longitude"].to_numpy(float)
    latitude = places["latitude"].to_numpy(float)
    known = np.isfinite(longitude)
    # Where nothing flows all count alike; and never does a place of no weight vanish quite.
    weight = np.where(known, np.maximum(weights, 0.0) + 1e-9 * (weights.max(initial=0) or 1), 0.0)
    total = np.bincount(numbers, weight, count)
    angle = np.radians(np.where(known, longitude, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        # The mean of angles, so that a cluster on the antimeridian stays there.
        sine = np.bincount(numbers, weight * np.sin(angle), count)
        cosine = np.bincount(numbers, weight * np.cos(angle), count)
        mean_longitude = np.where(total > 0, np.degrees(np.arctan2(sine, cosine)), np.nan)
        mean_latitude = np.bincount(numbers, weight * np.where(known, latitude, 0.0), count) / total
    first = _firsts(numbers)
    members = np.diff(np.append(first, len(numbers)))
    heaviest = pd.Series(weights).groupby(numbers).idxmax().to_numpy()
    names = places["name"].to_numpy(object)[heaviest]
    ids = places["id"].to_numpy(object)[heaviest]
    groups = key.to_numpy(object)[first]
    shown, identity = [], []
    for position in range(count):
        group = str(groups[position])
        more = f" +{members[position] - 1}" if members[position] > 1 else ""
        if not is_cluster and not group.startswith("\x1f"):
            shown.append(group)
            identity.append(group)
        elif members[position] == 1:
            shown.append(str(names[position]))
            identity.append(str(ids[position]))
        else:
            shown.append(f"{names[position]}{more}")
            identity.append(f"{ids[position]}{more}")
    return pd.DataFrame(
        {
            "id": identity,
            "name": shown,
            "longitude": mean_longitude,
            "latitude": mean_latitude,
            "members": members,
        }
    )
