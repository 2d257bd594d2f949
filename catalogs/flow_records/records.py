"""FlowRecords: one published version of a dataset of flow records, opened for reading.

A process opens each version once and shares it between all its visitors. Every question has a
cursor of its own; answers are kept, by question, for as long as the version is open.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
import pandas as pd

from catalogs.compiling import CompiledQuery
from catalogs.errors import TimesError, UnknownNameError
from catalogs.flow_records.dimensions import LevelPlaces, LineColumns
from catalogs.flow_records.line_views import view_of_lines
from catalogs.flow_records.profiles import Profile, read_profile
from catalogs.flow_records.pyramid import RECORDS, Stored, cheapest, rows_of
from catalogs.flow_records.query import FlowView, Part, TimeBucket
from catalogs.flow_records.statements import statement_of
from catalogs.flow_records.views import (
    PLACE_TOTALS,
    is_of_lines,
    largest_arc,
    level_of,
    unit_of_sums,
    view_of_places,
)
from catalogs.flowmaps.picture import FlowMapData
from catalogs.store import FLOWS, Manifest, read_manifest

MEMORY_LIMIT = "1GB"
_THREADS = 2
#: Answers that are kept.
_KEPT_ANSWERS = 64
#: Marks that are kept with an answer at the most; larger answers are worked out again.
_KEPT_ARCS = 200_000
T = TypeVar("T")


@dataclass(frozen=True)
class About:
    """What a dataset is: unit, number of records with a value, and the sum of their magnitudes.

    ``kinds`` are the kinds of buckets of time, from coarse to fine, ``levels`` the names of the
    levels of places; ``step_hours`` is NaN where the length of a step is not known.
    """

    unit: str
    records: int
    value: float
    time: str
    kinds: tuple[str, ...]
    step_hours: float
    levels: tuple[str, ...]
    by_line: bool
    capacity_unit: str


@dataclass(eq=False)
class FlowRecords:
    """A published dataset of flow records, read-only.

    Parameters
    ----------
    manifest_path
        The dataset's ``manifest.json``. The version it names is opened and stays the one read,
        whatever is published later.

    Raises ``TimesError`` for a dataset of another kind, or of another version of the program.
    """

    manifest_path: Path
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        self.manifest = read_manifest(self.manifest_path)
        if self.manifest.kind != FLOWS:
            raise TimesError(
                f"The dataset {self.dataset!r} holds TIMES scenarios, no flow records.",
                "Open it as a Source: catalogs.open_source(directory, name).",
            )
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._connection = self._open()

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": _THREADS}
        )
        path = self.manifest_path.parent / self.manifest.scenarios[0].file
        if not path.exists():
            raise TimesError(
                f"The file of the dataset {self.dataset!r} is missing.", "Import its files again."
            )
        where = str(path).replace("'", "''")
        connection.execute(f"ATTACH '{where}' AS flows (READ_ONLY)")
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'flows'"
        ).fetchall()
        for (table,) in tables:
            # Reports are as a Source has them, with the scenario that a line is of. Names of
            # datasets are plain words: the store takes no others.
            scenario = f"'{self.dataset}' AS scenario, " if table.startswith("import_") else ""
            connection.execute(f"CREATE VIEW {table} AS SELECT {scenario}* FROM flows.{table}")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def close(self) -> None:
        """Close the file. Questions fail from then on."""
        self._connection.close()

    # ------------------------------------------------------------------ asking

    def sql(self, sql: str, parameters: object = None) -> pd.DataFrame:
        """Run SQL of our own on a cursor of its own; return a frame."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, parameters).df()

    def rows(self, sql: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """Run SQL of our own on a cursor of its own; return rows."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def columns(self, sql: str, parameters: object = None) -> Mapping[str, Any]:
        """Run SQL of our own on a cursor of its own; return a numpy array per column."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchnumpy()

    def kept(self, question: Hashable, answer: Callable[[], T], rows: Callable[[T], int]) -> T:
        """Return the answer to a question, from memory where it was asked before."""
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
                return self._answers[question]
        made = answer()
        if rows(made) <= _KEPT_ARCS:
            with self._lock:
                self._answers[question] = made
                while len(self._answers) > _KEPT_ANSWERS:
                    self._answers.popitem(last=False)
        return made

    # ------------------------------------------------------------------ what there is

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self.manifest.dataset

    @property
    def version(self) -> str:
        """Data version: the hash of everything the dataset was made from."""
        return self.manifest.version

    @property
    def is_current(self) -> bool:
        """Whether no newer version has been published."""
        return read_manifest(self.manifest_path).version == self.version

    @cached_property
    def about(self) -> About:
        """Unit, size, kinds of time and levels of places."""
        [(text,)] = self.rows("SELECT about FROM about")
        found = json.loads(text)
        hours = found["step_hours"]
        return About(
            unit=found["unit"],
            records=found["records"],
            value=found["value"],
            time=found["time"],
            kinds=tuple(found["kinds"]),
            step_hours=float("nan") if hours is None else hours,
            levels=tuple(level["name"] for level in found["levels"]),
            by_line=found["by_line"],
            capacity_unit=found["capacity_unit"],
        )

    @property
    def unit(self) -> str:
        """Unit of the records; '' where it is not known."""
        return self.about.unit

    def unit_of(self, view: FlowView) -> str:
        """Return the unit of a view's sums: hours of power in MW add up to MWh."""
        return unit_of_sums(self, self._checked(view))

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the levels of places, from coarse to fine."""
        return self.about.levels

    @cached_property
    def steps(self) -> pd.DataFrame:
        """The steps of time in their order: label, start (NaT where no dates are known)."""
        return self.sql("SELECT label, start FROM step ORDER BY step")

    @cached_property
    def buckets(self) -> Mapping[str, tuple[TimeBucket, ...]]:
        """The buckets of each kind of time, steps aside."""
        found: dict[str, list[TimeBucket]] = {}
        for row in self.rows(
            "SELECT kind, number, label, first_step, last_step FROM bucket ORDER BY kind, number"
        ):
            found.setdefault(row[0], []).append(TimeBucket(*row))
        return {kind: tuple(found[kind]) for kind in self.about.kinds if kind in found}

    @cached_property
    def commodities(self) -> tuple[str, ...]:
        """Names of the commodities, in the order of their numbers."""
        return tuple(name for (name,) in self.rows("SELECT name FROM commodity ORDER BY commodity"))

    @cached_property
    def commodity_totals(self) -> Mapping[str, float]:
        """What flows of each commodity in all, the largest first."""
        source = cheapest(self.stored, 0, "all")
        rows = self.rows(
            "SELECT commodity, sum(forward) + sum(backward) AS total"
            f" FROM ({rows_of(source, 0, 'all')}) GROUP BY commodity ORDER BY total DESC, commodity"
        )
        found = {self.commodities[number]: total for number, total in rows}
        return {**found, **{name: 0.0 for name in self.commodities if name not in found}}

    @cached_property
    def stored(self) -> tuple[Stored, ...]:
        """The sums that are kept, the records among them."""
        return tuple(
            Stored(*row)
            for row in self.rows("SELECT level, kind, name, rows, by_line FROM pyramid")
        )

    @cached_property
    def places(self) -> tuple[LevelPlaces, ...]:
        """The places of each level, as columns."""
        return tuple(
            LevelPlaces.of(
                self.columns(
                    "SELECT p.id, p.name, p.longitude, p.latitude, p.members, p.parent,"
                    " coalesce(g.arcs, 0) AS arcs FROM place AS p LEFT JOIN degree AS g"
                    " USING (level, place) WHERE p.level = $level ORDER BY p.place",
                    {"level": level},
                )
            )
            for level in range(len(self.levels))
        )

    @cached_property
    def lines(self) -> LineColumns | None:
        """The lines of a network; None where the records are of pairs of places."""
        if not self.about.by_line:
            return None
        return LineColumns.of(
            self.columns("FROM line ORDER BY line"),
            self.columns("FROM path ORDER BY detail, line, point"),
        )

    def import_report(self) -> pd.DataFrame:
        """Return the import report: scenario, severity, topic, file, line, message, count."""
        return self.sql("FROM import_report")

    # ------------------------------------------------------------------ maps

    def view(self, view: FlowView) -> FlowMapData:
        """Return a map: the arcs of a part of space and time, the largest first.

        Raises ``UnknownNameError`` for a commodity, level or time that there is not.
        """
        view = self._checked(view)
        return self.kept(
            view,
            lambda: self._make(view),
            lambda made: len(made.arcs) + len(made.segments or ()),
        )

    def _make(self, view: FlowView) -> FlowMapData:
        if is_of_lines(self, view):
            return view_of_lines(self, view)
        return view_of_places(self, view)

    def _checked(self, view: FlowView) -> FlowView:
        steps = len(self.steps)
        last = steps - 1 if view.last < 0 else view.last
        if steps and not 0 <= view.first <= last < steps:
            raise UnknownNameError(
                f"There are no steps of time {view.first} to {last}.",
                f"They are numbered from 0 to {steps - 1}.",
            )
        for name in view.commodities:
            if name not in self.commodity_totals:
                raise UnknownNameError(
                    f"There is no commodity {name!r} in the dataset {self.dataset!r}.",
                    f"It has {', '.join(self.commodities[:20])}.",
                )
        if view.level >= len(self.levels):
            raise UnknownNameError(
                f"There is no level {view.level} of places.",
                f"They are numbered from 0 to {len(self.levels) - 1}.",
            )
        return FlowView(**{**view.__dict__, "last": last})

    def statement(self, view: FlowView) -> CompiledQuery:
        """Return the SQL that gives the arcs of a view; ``sql`` runs it. Raises as ``view``."""
        return statement_of(self, self._checked(view))

    def parts(self, first: int, last: int) -> list[Part]:
        """Return the coarsest buckets that a stretch of steps is made of."""
        if first > last:
            return []
        if first == 0 and last == len(self.steps) - 1:
            return [Part("all", first, last)]
        for kind in self.about.kinds:
            if kind in ("all", "step"):
                continue
            starts, ends = self._edges[kind]
            inside = np.flatnonzero((starts >= first) & (ends <= last))
            if len(inside):
                begin, end = int(starts[inside[0]]), int(ends[inside[-1]])
                return [
                    *self.parts(first, begin - 1),
                    Part(kind, begin, end),
                    *self.parts(end + 1, last),
                ]
        return [Part("step", first, last)]

    @cached_property
    def _edges(self) -> Mapping[str, tuple[Any, Any]]:
        return {
            kind: (np.array([b.first for b in found]), np.array([b.last for b in found]))
            for kind, found in self.buckets.items()
        }

    def rows_in(
        self,
        level: int | None,
        first: int,
        last: int,
        commodities: Sequence[str] = (),
        *,
        lines: bool = False,
    ) -> tuple[str, dict[str, object]]:
        """Return SQL for the sums of a level in a stretch of steps, and what is bound in it.

        Its columns are origin, destination and commodity (line, with ``lines``), forward, backward
        and records, to be added up still. Without a level, the places are of whatever level is
        read fastest.
        """
        selects: list[str] = []
        bound: dict[str, object] = {}
        if commodities:
            bound["commodities"] = [self.commodities.index(name) for name in commodities]
        for number, part in enumerate(self.parts(first, last)):
            source = cheapest(self.stored, level or 0, part.kind)
            conditions = []
            if part.kind != "all":
                low, high = self._bucket_range(source.kind, part)
                bound[f"low{number}"], bound[f"high{number}"] = low, high
                column = "f.step" if source.table == RECORDS else "f.bucket"
                conditions.append(f"{column} BETWEEN $low{number} AND $high{number}")
            if commodities:
                whose = "f" if not source.by_line else ("n" if not lines else "f.line")
                conditions.append(
                    "f.line IN (SELECT line FROM line WHERE commodity IN"
                    " (SELECT unnest($commodities)))"
                    if whose == "f.line"
                    else f"{whose}.commodity IN (SELECT unnest($commodities))"
                )
            rows = rows_of(source, source.level if level is None else level, "all", lines=lines)
            selects.append(rows + (f" WHERE {' AND '.join(conditions)}" if conditions else ""))
        return " UNION ALL ".join(selects), bound

    def _bucket_range(self, kind: str, part: Part) -> tuple[int, int]:
        """Return the numbers of the first and last bucket of a kind in a part of time."""
        if kind == "step":
            return part.first, part.last
        starts, ends = self._edges[kind]
        return int(np.searchsorted(starts, part.first)), int(np.searchsorted(ends, part.last))

    def totals(
        self,
        first: int,
        last: int,
        commodities: tuple[str, ...] = (),
        level: int | None = None,
    ) -> tuple[int, float]:
        """Return how many records have a value in a stretch of steps, and their magnitude.

        They are the same at every ``level``; without one they are taken where it is fastest.
        """

        def ask() -> tuple[int, float]:
            rows, bound = self.rows_in(level, first, last, commodities)
            [(records, value)] = self.rows(
                f"SELECT sum(records), sum(forward) + sum(backward) FROM ({rows})", bound
            )
            return int(records or 0), float(value or 0.0)

        return self.kept(("totals", first, last, commodities, level), ask, lambda _: 1)

    def is_of_lines(self, view: FlowView) -> bool:
        """Whether a view shows the lines of a network, not arcs between places."""
        return is_of_lines(self, view)

    def arcs_at(self, view: FlowView) -> int:
        """Return how many arcs there can be, in both directions and wherever, at a view's level."""
        return int(self.places[level_of(self, view)].arcs.sum()) // 2

    def largest(self, view: FlowView, kind: str) -> float:
        """Return the largest arc in any bucket of a kind, for one scale over all of them.

        It is of the level, commodities and direction (net or gross) of the view. Where that would
        take seconds, it is of fifty buckets spread over the time.
        """
        view = self._checked(view)
        level = level_of(self, view)
        question = ("largest", kind, level, view.commodities, view.is_net)
        return self.kept(question, lambda: largest_arc(self, view, kind, level), lambda _: 1)

    # ------------------------------------------------------------------ profiles and tables

    def profile(
        self,
        origin: str = "",
        destination: str = "",
        commodity: str = "",
        *,
        line: str = "",
        kind: str = "step",
        level: int = -1,
        first: int = 0,
        last: int = -1,
    ) -> pd.DataFrame:
        """Return what flows between two places, or on a line, over time.

        Places are ids at ``level`` (-1: the finest), ``commodity`` '' means all together. The
        frame has a row per bucket of the kind that has records: label, start, value (from origin
        to destination), back (from destination to origin) and records (0 for a gap).
        """
        asked = Profile(origin, destination, commodity, line, kind, level, first, last)
        return read_profile(self, asked)

    def place_totals(self, view: FlowView) -> pd.DataFrame:
        """Return what each place of a view sends, receives and keeps, the largest first.

        Columns: id, name, longitude, latitude, outgoing, incoming, within, members.
        """
        places = self.view(view).places
        frame = pd.DataFrame({name: getattr(places, name) for name in PLACE_TOTALS})
        frame["sum"] = frame["outgoing"] + frame["incoming"]
        return frame.sort_values(["sum", "id"], ascending=[False, True]).drop(columns="sum")
