"""Source: one published version of a dataset, opened for reading.

A process opens each version once and shares it between all its visitors: a Source holds no state
of theirs. Every query has a cursor of its own, and values reach SQL only as bound parameters.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from catalogs import conversion, states
from catalogs.compiling import CompiledQuery, Conversion, adds_up_levels, compile_query
from catalogs.errors import MixedUnitsError, NotAdditiveError, TimesError, UnknownNameError
from catalogs.holdings import Holdings
from catalogs.measures import Measure, attributes, measure, measures
from catalogs.offers import offers
from catalogs.query import Query
from catalogs.rules import Look
from catalogs.store import Manifest, read_manifest
from catalogs.views import open_views

if TYPE_CHECKING:
    import pandas as pd

MEMORY_LIMIT = "1GB"
_THREADS = 2
#: Answers kept in memory, and the rows beyond which an answer is not kept.
_KEPT_ANSWERS = 256
_KEPT_ROWS = 20_000


@dataclass(frozen=True)
class Answer:
    """The answer to a query.

    ``frame`` has the columns scenario, year, the groups and value; ``unit`` is that of all
    values; ``left_out`` says what is not in it, ``notes`` what else to know; ``sql`` is the query
    written out.
    """

    query: Query
    frame: pd.DataFrame
    unit: str
    sql: str
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Available:
    """What a measure has in the loaded scenarios: its units, and the scenarios that have it."""

    units: tuple[str, ...]
    scenarios: frozenset[str]


@dataclass(eq=False)
class Source:
    """A published dataset, read-only.

    Parameters
    ----------
    manifest_path
        The dataset's ``manifest.json``. The version it names is opened and stays the one read,
        whatever is published later.
    """

    manifest_path: Path
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        self.manifest = read_manifest(self.manifest_path)
        self._answers: OrderedDict[Query, Answer] = OrderedDict()
        self._lock = threading.Lock()
        self._connection = self._open()
        self._holdings = Holdings(self._connection)

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": _THREADS}
        )
        open_views(connection, self.manifest_path.parent, self.manifest)
        connection.execute("SET lock_configuration = true")
        return connection

    def close(self) -> None:
        """Close the files. Queries fail from then on."""
        self._connection.close()

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
    def scenario_names(self) -> tuple[str, ...]:
        """Keys of the scenarios, in the manifest's order (by model, then name)."""
        return tuple(scenario.key for scenario in self.manifest.scenarios)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Milestone years of all scenarios."""
        rows = self.rows("SELECT DISTINCT year FROM period WHERE year IS NOT NULL ORDER BY year")
        return tuple(year for (year,) in rows)

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions that have results, in all scenarios."""
        rows = self.rows(
            "SELECT DISTINCT region FROM region WHERE kind = 'internal' ORDER BY region"
        )
        return tuple(region for (region,) in rows)

    @cached_property
    def regions_of(self) -> Mapping[str, frozenset[str]]:
        """Regions of each scenario."""
        found: dict[str, set[str]] = {name: set() for name in self.scenario_names}
        for scenario, region in self.rows(
            "SELECT scenario, region FROM region WHERE kind = 'internal'"
        ):
            found[scenario].add(region)
        return {name: frozenset(regions) for name, regions in found.items()}

    @cached_property
    def attribute_names(self) -> tuple[str, ...]:
        """Attributes that occur in the results."""
        rows = self.rows("SELECT DISTINCT attribute FROM result ORDER BY attribute")
        return tuple(name for (name,) in rows)

    @cached_property
    def measure_names(self) -> tuple[str, ...]:
        """Measures that at least one loaded scenario can answer, in the table's order."""
        return tuple(name for name in measures() if self.available(name).scenarios)

    def labels(self, dimension: str) -> Mapping[str, str]:
        """Return the description of each code of a dimension that has descriptions."""
        return self._labels.get(dimension, {})

    @cached_property
    def _labels(self) -> Mapping[str, Mapping[str, str]]:
        labels: dict[str, dict[str, str]] = {}
        for name in ("process", "commodity", "timeslice", "region"):
            rows = self.rows(
                f"SELECT {name}, any_value(description ORDER BY scenario, region) FROM {name}"
                " WHERE description IS NOT NULL AND description <> '' GROUP BY ALL"
            )
            labels[name] = dict(rows)
        return labels

    @cached_property
    def timeslice_order(self) -> Mapping[str, int]:
        """Place of each timeslice in the order of its tree."""
        rows = self.rows("SELECT timeslice, min(position) FROM timeslice GROUP BY ALL ORDER BY ALL")
        return {name: position for name, position in rows if position is not None}

    @cached_property
    def group_looks(self) -> Mapping[tuple[str, str], Look]:
        """Order and colour that the rules of the scenarios give groups, by dimension and name."""
        rows = self.rows(
            "SELECT dimension, group_name, group_order, coalesce(colour, '') FROM group_rule"
            " ORDER BY scenario, position"
        )
        looks: dict[tuple[str, str], Look] = {}
        for dimension, group, order, colour in rows:
            known = looks.get((dimension, group), Look(None, ""))
            looks[dimension, group] = known.filled_by(Look(order, colour))
        return looks

    def import_report(self) -> pd.DataFrame:
        """Return the import reports: scenario, severity, topic, file, line, message, count."""
        return self.sql("FROM import_report")

    # ------------------------------------------------------------------ asking

    def sql(self, sql: str, parameters: object = None) -> pd.DataFrame:
        """Run SQL of our own over the views, on a cursor of its own; return a frame.

        ``parameters`` are bound by DuckDB. Never for text that a visitor wrote.
        """
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, parameters).df()

    def rows(self, sql: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """Run SQL of our own over the views, on a cursor of its own; return rows."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a view as a relation on a cursor of its own, to be read batch by batch."""
        return self.tables(name)[0]

    def tables(self, *names: str) -> list[duckdb.DuckDBPyRelation]:
        """Return views as relations on one cursor of their own, so that they can be joined."""
        cursor = self._connection.cursor()
        return [cursor.view(name) for name in names]

    @contextmanager
    def tables_of(self, scenario: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor to which the names of canonical tables mean those of one scenario."""
        number = self.scenario_names.index(scenario)
        with self._connection.cursor() as cursor:
            cursor.execute(f"USE s{number}")
            yield cursor

    def available(self, measure_name: str) -> Available:
        """Return the units in which a measure occurs, and the scenarios that have it."""
        asked = measure(measure_name)
        fitting = [(s, u) for s, u in self._holdings.units_of(asked) if conversion.fits(asked, u)]
        names = sorted({u for _, u in fitting}, key=lambda u: conversion.preference(asked, u))
        return Available(tuple(names), frozenset(s for s, _ in fitting))

    def unit_choices(
        self,
        measure_name: str,
        scenarios: Sequence[str] = (),
        filters: Sequence[tuple[str, tuple[str, ...]]] = (),
    ) -> list[str]:
        """Return the units in which a measure can be shown, the one preferred first.

        A measure may occur in units that do not convert into each other (demands in passenger-
        kilometres and in petajoules): then the choice of the unit says which part is shown.
        ``filters`` by commodity or process leave the units of those.
        """
        asked = measure(measure_name)
        own = [
            unit
            for scenario, unit in self._holdings.units_of(asked, filters)
            if conversion.fits(asked, unit) and (not scenarios or scenario in scenarios)
        ]
        return conversion.choices(asked, own, with_people=self._holdings.has_people)

    def groups(self, measure_name: str) -> tuple[str, ...]:
        """Return what a measure may be grouped by here, what it is first grouped by first.

        States of the world are among them where there are any. An attribute that no table knows
        is first grouped by the dimension of most members, since it is never added up.
        """
        asked = measure(measure_name)
        groups = asked.groups
        if asked.source == "attribute" and asked.attribute not in attributes():
            groups = tuple(dict.fromkeys((self._holdings.widest(asked.attribute), *groups)))
        return (*groups, "sow") if self.states and "sow" not in groups else groups

    @property
    def states(self) -> Mapping[str, tuple[str, ...]]:
        """States of the world of each scenario that has several."""
        return self._holdings.states

    @cached_property
    def _weighted(self) -> frozenset[str]:
        """Stochastic scenarios whose states have probabilities; makes their table ``state``."""
        weighted = {s: p for s in self.states if (p := states.probabilities(s))}
        rows = [
            (scenario, year, state, weight)
            for scenario, known in weighted.items()
            for year, present in self.rows(
                "SELECT year, list(DISTINCT sow) FROM result WHERE scenario = ? GROUP BY year",
                [scenario],
            )
            for state, weight in states.weights(present, known).items()
        ]
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany("INSERT INTO state VALUES (?, ?, ?, ?)", rows)
        return frozenset(weighted)

    def ask(self, query: Query) -> Answer:
        """Answer a query. The same query is answered once and kept.

        Raises
        ------
        UnknownNameError
            A scenario, region or dimension that this dataset does not have.
        NotAvailableError
            No scenario asked for has what the measure needs.
        MixedUnitsError
            The values have units that do not convert into each other, or none that is known.
        NotAdditiveError
            The query would add up what must not be added up.

        Each carries in ``instead`` the nearest queries that are answered.
        """
        try:
            answer = self.answer_to(query)
        except TimesError as error:
            error.instead = offers(self, query, error)
            raise
        # Whoever changes a frame changes a copy: pandas copies what is written to.
        return replace(answer, frame=answer.frame.copy(deep=False))

    def answer_to(self, query: Query) -> Answer:
        """Answer a query as ``ask`` does; a refusal offers nothing, and the frame is shared."""
        with self._lock:
            answer = self._answers.get(query)
            if answer:
                self._answers.move_to_end(query)
        if answer is None:
            answer = self._answer(query)
            if len(answer.frame) <= _KEPT_ROWS:
                with self._lock:
                    self._answers[query] = answer
                    while len(self._answers) > _KEPT_ANSWERS:
                        self._answers.popitem(last=False)
        return answer

    def _answer(self, query: Query) -> Answer:
        asked = measure(query.measure)
        self._check_names(query)
        scenarios = query.scenarios or self.scenario_names
        unit, how, others = self._conversion(query, asked, scenarios)
        notes = self._notes(query, how, scenarios)
        compiled = compile_query(query, how)
        frame = self.sql(compiled.sql, compiled.parameters)
        _refuse_wrong_sums(frame, compiled, asked)
        frame = frame.drop(columns=list(compiled.checks))
        left_out = [f"what is measured in {', '.join(others)}"] if others else []
        missing = [s for s in scenarios if s not in self.available(query.measure).scenarios]
        if missing:
            left_out.append(f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} none")
        if adds_up_levels(query, asked):
            left_out.append("storage levels, which are never added up over timeslices")
        return Answer(query, frame, unit, compiled.shown(), tuple(left_out), tuple(notes))

    def _conversion(
        self, query: Query, asked: Measure, scenarios: Sequence[str]
    ) -> tuple[str, Conversion, list[str]]:
        """Return the unit shown, how values come to be in it, and the units left out."""
        present = {
            unit
            for scenario, unit in self._holdings.units_of(asked, query.filters)
            if scenario in scenarios
        }
        if not any(conversion.fits(asked, unit) for unit in present):
            raise conversion.nothing_to_show(asked, present)
        unit, how, others = conversion.convert(
            asked, query.unit, present, with_people=self._holdings.has_people
        )
        if states_are := self._several_states(query, asked, scenarios):
            how = replace(how, **{states_are: True})  # type: ignore[arg-type]
        return unit, how, others

    def _several_states(self, query: Query, asked: Measure, scenarios: Sequence[str]) -> str:
        """Return what to do about states of the world: nothing, ``several`` or ``expected``."""
        having = [scenario for scenario in scenarios if scenario in self.states]
        if not having or "sow" in query.group_by or len(query.kept("sow")) == 1:
            return ""
        if asked.source == "attribute" and not asked.sum_over:
            return "several"  # never added up over anything, however probable
        return "expected" if all(s in self._weighted for s in having) else "several"

    def _notes(self, query: Query, how: Conversion, scenarios: Sequence[str]) -> list[str]:
        notes = []
        if how.expected:
            names = ", ".join(s for s in scenarios if s in self.states)
            notes.append(f"{names}: expected values, states weighted by their probability")
        if how.per_capita and self._without_people(query, scenarios):
            notes.append("years in which the population of a region is not given are left out")
        return notes

    def _without_people(self, query: Query, scenarios: Sequence[str]) -> bool:
        """Whether the people of some region and year asked for are not known."""
        sql = """
            SELECT 1 FROM region JOIN period USING (scenario)
            ANTI JOIN population USING (scenario, region, year)
            WHERE kind = 'internal' AND scenario IN (SELECT unnest($scenarios))
                AND (len($regions) = 0 OR list_contains($regions::VARCHAR[], region))
                AND (len($years) = 0 OR list_contains($years::SMALLINT[], year))
            LIMIT 1"""
        asked = {
            "scenarios": list(scenarios),
            "regions": [*(query.regions or query.kept("region"))],
            "years": [*query.years],
        }
        return bool(self.rows(sql, asked))

    def largest(self, query: Query) -> Mapping[str, str]:
        """Return the members of a query's groups that have the largest value; {} for none."""
        try:
            frame = self.answer_to(query).frame
        except TimesError:
            return {}
        if frame.empty or frame["value"].isna().any():
            return {}
        row = frame.iloc[int(frame["value"].abs().to_numpy().argmax())]
        return {group: str(row[group]) for group in query.group_by}

    def _check_names(self, query: Query) -> None:
        for what, asked, known in (
            ("scenario", query.scenarios, self.scenario_names),
            ("region", query.regions, self.regions),
            ("year", query.years, self.years),
        ):
            unknown = [value for value in asked if value not in known]
            if unknown:
                raise UnknownNameError(
                    f"This dataset has no {what} {unknown[0]!r}.",
                    f"It has {', '.join(map(str, known[:20]))}.",
                )

    # ------------------------------------------------------------------ choices

    def members(self, query: Query, dimension: str) -> list[str]:
        """Return the values of a dimension that occur in a query's selection, in their order.

        The query's own filter on that dimension is left aside, so that what was taken away can
        be chosen again.
        """
        asked = Query(
            measure=query.measure,
            scenarios=query.scenarios,
            regions=query.regions,
            years=query.years,
            group_by=(dimension,),
            filters=tuple(f for f in query.filters if f[0] != dimension),
            unit=query.unit,
        )
        found = self.ask(asked).frame[dimension].dropna().unique()
        if dimension == "timeslice":
            return sorted(found, key=lambda t: (self.timeslice_order.get(t, 0), t))
        return sorted(found)

    def starting_filter(self, measure_name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the filter with which a measure is first shown, where everything is too much."""
        dimension, members = self._holdings.start(measure(measure_name).start_with)
        return ((dimension, members),) if members else ()


def _refuse_wrong_sums(frame: pd.DataFrame, compiled: CompiledQuery, asked: Measure) -> None:
    wrong = [d for column, d in compiled.checks.items() if (frame[column] > 1).any()]
    if wrong and asked.sum_over.issuperset(wrong):
        raise MixedUnitsError(
            f"The units of {asked.label_within} are unknown, so they cannot be added up over"
            f" {wrong[0]}.",
            f"Group by {wrong[0]}, or put a table of units (process_units.csv) beside the files"
            " and import them again.",
            dimensions=wrong,
        )
    if wrong:
        names = " and ".join(wrong)
        known = " Or give the probabilities of the states in semantics/states_of_the_world.csv."
        raise NotAdditiveError(
            f"{asked.label} must not be added up over {names}.",
            f"Group by {wrong[0]}, or choose one {wrong[0]}."
            + (known if wrong == ["sow"] and asked.sum_over else ""),
            dimensions=wrong,
        )
