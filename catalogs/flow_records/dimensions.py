"""Places and lines of a dataset as columns, and which of them are in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalogs.flow_records.query import Bounds
from catalogs.flowmaps.picture import Numbers, Paths, Positions, Texts


def as_numbers(column: Any) -> Numbers:
    """Return a column of DuckDB's as numbers, NaN where there is none."""
    filled: Any = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
    return np.asarray(filled, dtype=np.float64)


def as_positions(column: Any) -> Positions:
    """Return a column of DuckDB's as whole numbers."""
    return np.asarray(column, dtype=np.int64)


def as_texts(column: Any) -> Texts:
    """Return a column of DuckDB's as texts."""
    return np.asarray(column, dtype=object)


def add_up(places: Positions, values: Numbers, count: int) -> Numbers:
    """Return the sum of values at each of ``count`` places."""
    return np.asarray(np.bincount(places, values, count), dtype=np.float64)


def inside(longitude: Numbers, latitude: Numbers, bounds: Bounds | None) -> NDArray[np.bool_]:
    """Return which points are within bounds; all that have coordinates, without any."""
    known = np.isfinite(longitude) & np.isfinite(latitude)
    if bounds is None:
        return known
    west, south, east, north = bounds
    across = west > east
    with np.errstate(invalid="ignore"):
        between = (
            ((longitude >= west) | (longitude <= east))
            if across
            else ((longitude >= west) & (longitude <= east))
        )
        found: NDArray[np.bool_] = known & between & (latitude >= south) & (latitude <= north)
    return found


@dataclass(frozen=True, eq=False)
class LevelPlaces:
    """The places of a level by their numbers; ``arcs`` is the most arcs that each can have."""

    id: Texts
    name: Texts
    longitude: Numbers
    latitude: Numbers
    members: Positions
    parent: Positions
    arcs: Positions

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> LevelPlaces:
        """Take columns as DuckDB gives them."""
        return cls(
            as_texts(columns["id"]),
            as_texts(columns["name"]),
            as_numbers(columns["longitude"]),
            as_numbers(columns["latitude"]),
            as_positions(columns["members"]),
            as_positions(columns["parent"]),
            as_positions(columns["arcs"]),
        )

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, eq=False)
class Detail:
    """The points of all lines in one detail: those of line i are starts[i] to starts[i + 1]."""

    starts: Positions
    longitude: Numbers
    latitude: Numbers

    @cached_property
    def pieces(self) -> tuple[Positions, Positions]:
        """The straight pieces: the line of each, and the position of its first point."""
        line = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        known = np.isfinite(self.longitude)
        first = np.flatnonzero((line[1:] == line[:-1]) & known[1:] & known[:-1])
        return line[first], first

    def of(self, lines: Positions) -> Paths:
        """Return the paths of some lines, in their order."""
        counts = np.diff(self.starts)[lines]
        starts = np.concatenate([[0], np.cumsum(counts)])
        points = np.repeat(self.starts[lines] - starts[:-1], counts) + np.arange(starts[-1])
        return Paths(starts.astype(np.int64), self.longitude[points], self.latitude[points])


@dataclass(frozen=True, eq=False)
class LineColumns:
    """The lines of a network by their numbers, and their geometry by detail (a zoom)."""

    id: Texts
    name: Texts
    origin: Positions
    destination: Positions
    commodity: Positions
    capacity: Numbers
    details: Mapping[float, Detail]
    bounds: Numbers = field(default_factory=lambda: np.empty((0, 4)))

    @classmethod
    def of(cls, lines: Mapping[str, Any], points: Mapping[str, Any]) -> LineColumns:
        """Take columns as DuckDB gives them; points of a line follow each other."""
        count = len(lines["line"])
        line, detail = as_positions(points["line"]), as_numbers(points["detail"])
        longitude, latitude = as_numbers(points["longitude"]), as_numbers(points["latitude"])
        details = {}
        for zoom in np.unique(detail):
            chosen = np.flatnonzero(detail == zoom)
            starts = np.searchsorted(line[chosen], np.arange(count + 1))
            details[float(zoom)] = Detail(
                starts.astype(np.int64), longitude[chosen], latitude[chosen]
            )
        return cls(
            as_texts(lines["id"]),
            as_texts(lines["name"]),
            as_positions(lines["origin"]),
            as_positions(lines["destination"]),
            as_positions(lines["commodity"]),
            as_numbers(lines["capacity"]),
            details,
            _bounds(details[max(details)]) if details else np.full((count, 4), np.nan),
        )

    def within(self, bounds: Bounds | None) -> NDArray[np.bool_]:
        """Return which lines may be seen in bounds; those without a place are in none."""
        west, south, east, north = self.bounds.T
        seen: NDArray[np.bool_] = np.isfinite(west)
        if bounds is None:
            return seen
        with np.errstate(invalid="ignore"):
            if bounds[0] <= bounds[2]:
                across = (west <= bounds[2]) & (east >= bounds[0])
            else:
                across = (west <= bounds[2]) | (east >= bounds[0])
            seen = seen & across & (south <= bounds[3]) & (north >= bounds[1])
        return seen

    def detail(self, zoom: float) -> Detail:
        """Return the coarsest geometry that is enough at a zoom."""
        fine = [known for known in sorted(self.details) if known >= zoom]
        return self.details[fine[0] if fine else max(self.details)]


def _bounds(detail: Detail) -> Numbers:
    """Return west, south, east and north of each line, NaN for one without points."""
    found = np.full((len(detail.starts) - 1, 4), np.nan)
    line = np.repeat(np.arange(len(found)), np.diff(detail.starts))
    known = np.isfinite(detail.longitude)
    line, x, y = line[known], detail.longitude[known], detail.latitude[known]
    for column, reduce, values in (
        (0, np.fmin, x),
        (1, np.fmin, y),
        (2, np.fmax, x),
        (3, np.fmax, y),
    ):
        reduce.at(found[:, column], line, values)
    return found
