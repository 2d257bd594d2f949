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
from typing import Any

import duckdb
import pandas as pd

from catalogs import timesreport, units
from catalogs.errors import (
    MixedUnitsError,
    NotAdditiveError,
    NotAvailableError,
    TimesError,
    UnknownNameError,
)
from catalogs.measures import ATTRIBUTE_PREFIX, Measure, attributes, measure, measures
from catalogs.query import CompiledQuery, Query, compile_query
from catalogs.rules import Look
from catalogs.store import Manifest, read_manifest
from catalogs.tables import TABLES

MEMORY_LIMIT = "1GB"
_THREADS = 2
#: Answers kept in memory, and the rows beyond which an answer is not kept.
_KEPT_ANSWERS = 256
_KEPT_ROWS = 20_000


@dataclass(frozen=True)
class Answer:
    """The answer to a query.

    ``frame`` has the columns scenario, year, the groups and value; ``unit`` is that of all
    values; ``left_out`` says what is not in it; ``sql`` is the query written out.
    """

    query: Query
    frame: pd.DataFrame
    unit: str
    sql: str
    left_out: tuple[str, ...] = ()


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

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": _THREADS}
        )
        keys = self.scenario_names
        for number, scenario in enumerate(self.manifest.scenarios):
            path = self.manifest_path.parent / scenario.file
            if not path.exists():
                raise TimesError(
                    f"The file of the scenario {scenario.key!r} is missing.",
                    "Import its files again.",
                )
            connection.execute(f"ATTACH {_quoted(str(path))} AS s{number} (READ_ONLY)")
        for table in TABLES.values():
            parts = [
                f'SELECT {_quoted(key)} AS scenario, * FROM s{number}."{table.name}"'
                for number, key in enumerate(keys)
            ]
            columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in table.columns.items())
            empty = f"SELECT NULL::VARCHAR AS scenario, {columns} WHERE false"
            try:
                connection.execute(
                    f'CREATE VIEW "{table.name}" AS ' + (" UNION ALL ".join(parts) or empty)
                )
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise TimesError(
                    f"The dataset {self.dataset!r} was imported by another version of this"
                    " program.",
                    "Import its files again.",
                    str(error),
                ) from error
        connection.execute(
            "CREATE VIEW storage AS SELECT DISTINCT scenario, region, process FROM process_set"
            " WHERE set_name IN ('STG', 'STS', 'NST')"
        )
        timesreport.create_views(connection, self.manifest.scenarios)
        connection.execute("SET enable_external_access = false")
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
        pairs = self._units_of(asked)
        fits = [(s, u) for s, u in pairs if _fits(asked, u)]
        names = sorted({u for _, u in fits}, key=lambda u: _preference(asked, u))
        return Available(tuple(names), frozenset(s for s, _ in fits))

    def _units_of(self, asked: Measure) -> Sequence[tuple[str, str]]:
        """Return pairs of a scenario and a unit (``unknown`` where it has none)."""
        if asked.boundary:
            pairs = self._boundary_units.get(asked.boundary, ())
            if asked.source == "flow":
                return pairs
            having = {s for s, _ in self._attribute_units.get(asked.attribute, ())}
            return [pair for pair in pairs if pair[0] in having]
        if asked.source == "price":
            return self._price_units.get(asked.kind, ())
        return self._attribute_units.get(asked.attribute, ())

    @cached_property
    def _boundary_units(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        return self._pairs("SELECT boundary, scenario, unit, count(*) FROM boundary GROUP BY ALL")

    @cached_property
    def _attribute_units(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        return self._pairs("SELECT attribute, scenario, unit, count(*) FROM result GROUP BY ALL")

    @cached_property
    def _price_units(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        return self._pairs(
            "SELECT kind, scenario, price.unit, count(*) FROM price"
            " JOIN commodity_group USING (scenario, region, commodity) GROUP BY ALL"
        )

    def _pairs(self, sql: str) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return pairs of a scenario and a unit by key, those of the most rows first."""
        found: dict[str, list[tuple[str, str]]] = {}
        rows = sorted(self.rows(sql), key=lambda row: (-row[3], str(row)))
        for key, scenario, unit, _ in rows:
            found.setdefault(key, []).append((scenario, unit or units.UNKNOWN_UNIT))
        return found

    def unit_choices(self, measure_name: str, scenarios: Sequence[str] = ()) -> list[str]:
        """Return the units in which a measure can be shown, the one preferred first.

        A measure may occur in units that do not convert into each other (demands in passenger-
        kilometres and in petajoules): then the choice of the unit says which part is shown.
        """
        asked = measure(measure_name)
        own = [
            unit
            for scenario, unit in self._units_of(asked)
            if _fits(asked, unit) and (not scenarios or scenario in scenarios)
        ]
        found = dict.fromkeys(
            choice
            for unit in sorted(dict.fromkeys(own), key=lambda u: _preference(asked, u))
            for choice in units.compatible(unit)
        )
        return sorted(found, key=lambda unit: _preference(asked, unit))

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
        """
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
        # Whoever changes a frame changes a copy: pandas copies what is written to.
        return replace(answer, frame=answer.frame.copy(deep=False))

    def _answer(self, query: Query) -> Answer:
        asked = measure(query.measure)
        self._check_names(query)
        scenarios = query.scenarios or self.scenario_names
        unit, factors, left_out = self._unit_of(query, asked, scenarios)
        compiled = compile_query(query, factors)
        frame = self.sql(compiled.sql, compiled.parameters)
        _refuse_wrong_sums(frame, compiled, asked)
        frame = frame.drop(columns=list(compiled.checks))
        missing = [s for s in scenarios if s not in self.available(query.measure).scenarios]
        if missing:
            left_out.append(f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} none")
        if asked.attribute == "VAR_Act" and "timeslice" not in query.group_by:
            left_out.append("storage levels, which are never added up over timeslices")
        return Answer(query, frame, unit, compiled.shown(), tuple(left_out))

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

    def _unit_of(
        self, query: Query, asked: Measure, scenarios: Sequence[str]
    ) -> tuple[str, dict[str, float], list[str]]:
        """Return the unit shown, the factor of each unit that converts, and what does not."""
        present = {u for s, u in self._units_of(asked) if s in scenarios}
        fitting = {u for u in present if _fits(asked, u)}
        if not fitting:
            raise _nothing_to_show(asked, present)
        unit = query.unit or self._only_unit(asked, fitting, scenarios)
        factors, others = {}, []
        for name in sorted(present):
            try:
                factors[name] = units.factor(name, unit)
            except MixedUnitsError:
                others.append(name)
        if not factors:
            raise MixedUnitsError(
                f"{asked.label} cannot be shown in {unit}.",
                f"It occurs in {', '.join(sorted(present))}.",
            )
        left_out = [f"what is measured in {', '.join(others)}"] if others else []
        return unit, factors, left_out

    def _only_unit(self, asked: Measure, fitting: set[str], scenarios: Sequence[str]) -> str:
        if len({units.dimension(unit) for unit in fitting}) > 1:
            raise MixedUnitsError(
                f"{asked.label} occurs in units that cannot be added.",
                f"Choose one of {', '.join(sorted(fitting))}.",
            )
        return self.unit_choices(asked.name, scenarios)[0]

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
        if measure(measure_name).start_with != "electricity":
            return ()
        rows = self.rows(
            "SELECT DISTINCT commodity FROM commodity_group WHERE is_electricity ORDER BY ALL"
        )
        return (("commodity", tuple(c for (c,) in rows)),) if rows else ()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _fits(asked: Measure, unit: str) -> bool:
    """Whether a unit measures what the measure wants (``currency`` stands for any currency)."""
    if not asked.dimension:
        return unit != units.UNKNOWN_UNIT or asked.name.startswith(ATTRIBUTE_PREFIX)
    parts = [
        "currency" if part.startswith("currency ") else part
        for part in units.dimension(unit).split("/")
    ]
    return "/".join(parts) == asked.dimension


def _preference(asked: Measure, unit: str) -> int:
    """Rank a unit by the measure's list; ``/MWh`` there stands for any currency per MWh."""
    for rank, wanted in enumerate(asked.units):
        if unit == wanted or (wanted.startswith("/") and unit.endswith(wanted)):
            return rank
    return len(asked.units)


def _nothing_to_show(asked: Measure, present: set[str]) -> TimesError:
    if units.UNKNOWN_UNIT in present:
        return MixedUnitsError(
            f"The units of {asked.label.lower()} are unknown, so they cannot be added up.",
            "Put a table of units (commodity_units.csv, process_units.csv) beside the files and"
            " import them again, or choose an attribute.",
        )
    if asked.attribute and asked.attribute not in attributes():
        return NotAvailableError(f"The scenarios have no attribute {asked.attribute}.")
    return NotAvailableError(
        f"The scenarios chosen have nothing to show {asked.label.lower()} from.",
        "Choose another measure; VEDA files without units need a table of units beside them.",
    )


def _refuse_wrong_sums(frame: pd.DataFrame, compiled: CompiledQuery, asked: Measure) -> None:
    wrong = [d for column, d in compiled.checks.items() if (frame[column] > 1).any()]
    if wrong and asked.sum_over.issuperset(wrong):
        raise MixedUnitsError(
            f"The units of {asked.label.lower()} are unknown, so they cannot be added up over"
            f" {wrong[0]}.",
            f"Group by {wrong[0]}, or put a table of units (process_units.csv) beside the files"
            " and import them again.",
        )
    if wrong:
        names = " and ".join(wrong)
        raise NotAdditiveError(
            f"{asked.label} must not be added up over {names}.",
            f"Group by {wrong[0]}, or choose one {wrong[0]}.",
        )
