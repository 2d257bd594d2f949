"""Frames of flow records over the same arcs, so that playing sends values and nothing else.

Each stretch of time has arcs of its own, the largest first. Here they are gathered as they come:
an arc that was drawn once keeps its place, and one that does not flow in a frame is 0 in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np

from catalogs.flowmaps.picture import (
    Arcs,
    FlowMapData,
    Numbers,
    Paths,
    Places,
    texts,
    unknown,
)

#: Origin, destination, category and name (of a line) of an arc.
Key: TypeAlias = tuple[str, str, int, str]
#: Arcs that are gathered at the most; then it is begun anew.
_MOST = 10_000


def keys_of(data: FlowMapData) -> list[Key]:
    """Return what names each arc of a picture, whatever its place in it."""
    arcs, ids = data.arcs, data.places.id
    rows = zip(arcs.origin, arcs.destination, arcs.category, arcs.id, strict=True)
    return [(str(ids[o]), str(ids[d]), int(c), str(name)) for o, d, c, name in rows]


class Gathered:
    """The arcs and places of the frames of one question so far."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.keys: dict[Key, int] = {}
        self._places: dict[str, int] = {}
        self._columns: dict[str, list[object]] = {}
        self._ways: list[tuple[Numbers, Numbers]] = []

    @property
    def places(self) -> int:
        """How many places there are."""
        return len(self._places)

    def take(self, data: FlowMapData) -> bool:
        """Take in a frame. Returns whether it has arcs that were not there before."""
        keys = keys_of(data)
        new = [i for i, key in enumerate(keys) if key not in self.keys]
        if self.keys and not new:
            return False
        if len(self.keys) + len(new) > _MOST:
            self._begin()
            new = list(range(len(keys)))
        for i in range(len(data.places)):
            if str(data.places.id[i]) not in self._places:
                self._places[str(data.places.id[i])] = len(self._places)
                for name in Places.__dataclass_fields__:
                    self._columns.setdefault(name, []).append(getattr(data.places, name)[i])
        for i in new:
            self.keys[keys[i]] = len(self.keys)
            if data.paths is not None:
                here = slice(data.paths.starts[i], data.paths.starts[i + 1])
                self._ways.append((data.paths.longitude[here], data.paths.latitude[here]))
        return True

    def values(self, data: FlowMapData) -> tuple[Numbers, Numbers]:
        """Return value and loading of all arcs in a frame whose arcs were taken in."""
        values, loading = np.zeros(len(self.keys)), unknown(len(self.keys))
        at = np.array([self.keys[key] for key in keys_of(data)], dtype=np.int64)
        values[at], loading[at] = data.arcs.value, data.arcs.loading
        return values, loading

    def picture(self, data: FlowMapData) -> FlowMapData:
        """Return a frame with the arcs of all that were taken in."""
        values, loading = self.values(data)
        with np.errstate(divide="ignore", invalid="ignore"):
            capacity = np.where(loading > 0, np.abs(values) / loading, np.nan)
        names = list(self.keys)
        arcs = Arcs(
            origin=np.array([self._places[k[0]] for k in names], dtype=np.int64),
            destination=np.array([self._places[k[1]] for k in names], dtype=np.int64),
            category=np.array([k[2] for k in names], dtype=np.int64),
            value=values,
            back=unknown(len(names)),
            capacity=capacity,
            id=texts([k[3] for k in names]),
        )
        columns = {
            name: texts([str(item) for item in column])
            if name in ("id", "name")
            else np.array(column)
            for name, column in self._columns.items()
        }
        paths = None
        if data.paths is not None:
            counts = [len(longitude) for longitude, _ in self._ways]
            paths = Paths(
                np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
                np.concatenate([np.empty(0), *(way[0] for way in self._ways)]),
                np.concatenate([np.empty(0), *(way[1] for way in self._ways)]),
            )
        return replace(data, arcs=arcs, places=Places(**columns), paths=paths)
