"""What the scenarios of a ``Source`` hold: units of each measure, states of the world, lengths.

Asked once per version and kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import duckdb

from catalogs import semantics, units
from catalogs.measures import RESULT_DIMENSIONS, Measure

#: A scenario and a unit in which it has something.
Pair = tuple[str, str]

#: The sector whose utilisation is shown first.
_PLANTS = "Power and heat"

#: Where the units of a measure stand, by what it is worked out from: table, and column of its name.
_TABLES = {
    "attribute": ("result", "attribute"),
    "figure": ("figure", "figure"),
    "balance": ("figure", "figure"),
    "flow": ("boundary", "boundary"),
    "share": ("boundary", "boundary"),
    "power": ("boundary", "boundary"),
    "cumulative": ("boundary", "boundary"),
}
_NARROWING = ("commodity", "process")


def load_people(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that users give beside the data: ``population``; ``state`` stays empty."""
    connection.execute(
        "CREATE TABLE state (scenario VARCHAR, year SMALLINT, sow VARCHAR, probability DOUBLE);"
        "CREATE TABLE people (region VARCHAR, year SMALLINT, people DOUBLE)"
    )
    given = [
        (row["region"], int(float(row["year"])), float(row["population"]))
        for row in semantics.rows("population")
        if row["population"]
    ]
    if given:
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", given)
    connection.execute(
        "CREATE VIEW population AS SELECT scenario, region, year, people FROM people"
        " JOIN (SELECT scenario, region FROM region WHERE kind = 'internal') USING (region)"
    )


@dataclass
class Holdings:
    """What can be had from a source, by its connection."""

    connection: duckdb.DuckDBPyConnection
    _widest: dict[str, str] = field(default_factory=dict)

    def rows(self, sql: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """Run SQL of our own on a cursor of its own; return rows."""
        with self.connection.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def units_of(
        self, asked: Measure, filters: Sequence[tuple[str, tuple[str, ...]]] = ()
    ) -> Sequence[Pair]:
        """Return pairs of a scenario and a unit (``unknown`` where it has none).

        Where there are units of several kinds, a filter by commodity or process narrows them.
        """
        pairs = self._all_units_of(asked)
        narrowing = [(d, list(values)) for d, values in filters if d in _NARROWING and values]
        if not narrowing or len({units.dimension(unit) for _, unit in pairs}) < 2:
            return pairs
        if asked.source not in _TABLES or (asked.boundary and asked.source == "attribute"):
            return pairs
        table, column = _TABLES[asked.source]
        conditions = "".join(f" AND list_contains(${name}, {name})" for name, _ in narrowing)
        found = self.rows(
            f"SELECT DISTINCT scenario, coalesce(unit, $unknown) FROM {table}"
            f" WHERE {column} = $name{conditions}",
            {
                "name": getattr(asked, column),
                "unknown": units.UNKNOWN_UNIT,
                **dict(narrowing),
            },
        )
        return [pair for pair in pairs if pair in found]

    def _all_units_of(self, asked: Measure) -> Sequence[Pair]:
        if asked.source == "price":
            return self._price_units.get(asked.kind, ())
        if asked.source in ("figure", "balance"):
            return self._figure_units.get(asked.figure, ())
        if not asked.boundary:
            return self._attribute_units.get(asked.attribute, ())
        pairs = self._boundary_units.get(asked.boundary, ())
        having = {
            "attribute": {s for s, _ in self._attribute_units.get(asked.attribute, ())},
            "power": self._with_fractions,
            "cumulative": self._with_lengths,
        }.get(asked.source)
        return pairs if having is None else [pair for pair in pairs if pair[0] in having]

    @cached_property
    def _with_fractions(self) -> frozenset[str]:
        """Scenarios that say how long their timeslices are."""
        sql = "SELECT DISTINCT scenario FROM timeslice WHERE year_fraction > 0"
        return frozenset(scenario for (scenario,) in self.rows(sql))

    @cached_property
    def _with_lengths(self) -> frozenset[str]:
        """Scenarios that say how long all their periods are."""
        sql = (
            "SELECT scenario FROM period WHERE year IS NOT NULL GROUP BY scenario"
            " HAVING bool_and(coalesce(length > 0, false))"
        )
        return frozenset(scenario for (scenario,) in self.rows(sql))

    @cached_property
    def has_people(self) -> bool:
        """Whether the population of any region is given."""
        return bool(self.rows("SELECT 1 FROM population LIMIT 1"))

    @cached_property
    def _boundary_units(self) -> Mapping[str, Sequence[Pair]]:
        return self._pairs("SELECT boundary, scenario, unit, count(*) FROM boundary GROUP BY ALL")

    @cached_property
    def _attribute_units(self) -> Mapping[str, Sequence[Pair]]:
        return self._pairs("SELECT attribute, scenario, unit, count(*) FROM result GROUP BY ALL")

    @cached_property
    def _price_units(self) -> Mapping[str, Sequence[Pair]]:
        return self._pairs(
            "SELECT kind, scenario, price.unit, count(*) FROM price"
            " JOIN commodity_group USING (scenario, region, commodity) GROUP BY ALL"
        )

    @cached_property
    def _figure_units(self) -> Mapping[str, Sequence[Pair]]:
        return self._pairs("SELECT figure, scenario, unit, count(*) FROM figure GROUP BY ALL")

    def _pairs(self, sql: str) -> Mapping[str, Sequence[Pair]]:
        """Return pairs of a scenario and a unit by key, those of the most rows first."""
        found: dict[str, list[Pair]] = {}
        rows = sorted(self.rows(sql), key=lambda row: (-row[3], str(row)))
        for key, scenario, unit, _ in rows:
            found.setdefault(key, []).append((scenario, unit or units.UNKNOWN_UNIT))
        return found

    def widest(self, attribute: str) -> str:
        """Return the dimension in which the rows of an attribute have most members."""
        if attribute not in self._widest:
            counts = ", ".join(f"count(DISTINCT {name})" for name in RESULT_DIMENSIONS)
            [found] = self.rows(f"SELECT {counts} FROM result WHERE attribute = ?", [attribute])
            # Of several the one that is named first.
            self._widest[attribute] = RESULT_DIMENSIONS[found.index(max(found))]
        return self._widest[attribute]

    @cached_property
    def states(self) -> Mapping[str, tuple[str, ...]]:
        """States of the world of each scenario that has several."""
        found = self.rows(
            "SELECT scenario, list(DISTINCT sow ORDER BY sow) FROM flow_annual"
            " GROUP BY scenario HAVING count(DISTINCT sow) > 1"
        )
        return {scenario: tuple(names) for scenario, names in found}

    def start(self, with_what: str) -> tuple[str, tuple[str, ...]]:
        """Return a dimension and the members of it that a measure starts with; none for all."""
        if with_what == "power plants":
            rows = self.rows("SELECT 1 FROM process_group WHERE sector = ? LIMIT 1", [_PLANTS])
            return "sector", (_PLANTS,) if rows else ()
        if with_what == "main electricity":
            rows = self.rows(
                "SELECT commodity FROM flow_annual JOIN commodity_group"
                " USING (scenario, region, commodity) WHERE direction = 'OUT' AND kind = 'energy'"
                " GROUP BY commodity ORDER BY bool_or(is_electricity) DESC, sum(value) DESC,"
                " commodity LIMIT 1"
            )
            return "commodity", tuple(code for (code,) in rows)
        if with_what == "electricity":
            rows = self.rows(
                "SELECT DISTINCT commodity FROM commodity_group WHERE is_electricity ORDER BY ALL"
            )
            return "commodity", tuple(code for (code,) in rows)
        return "", ()
