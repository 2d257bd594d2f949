"""What is exported: raw results chosen by scenario, region, year and attribute, or an answer.

Rows are handed on as Arrow batches: however many there are, a few tens of thousands are in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from catalogs.errors import NotAvailableError, UnknownNameError
from catalogs.query import Query
from catalogs.source import Answer, Source
from catalogs.store import PublishedScenario
from catalogs.tables import TABLES

#: Rows handed on at a time.
BATCH_ROWS = 65_536

#: Columns of exported result rows: all of ``result`` but the row's number in its file.
RESULT_COLUMNS = ("scenario", *(name for name in TABLES["result"].columns if name != "row"))


@dataclass(frozen=True)
class Results:
    """Result rows as they were imported. Empty tuples mean all.

    A row without a year (the objective) or a region is in the selection only where years or
    regions are not chosen.
    """

    scenarios: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    attributes: tuple[str, ...] = ()

    @property
    def is_part(self) -> bool:
        """Whether it holds only some rows of its scenarios."""
        return bool(self.regions or self.years or self.attributes)

    def shown(self) -> str:
        """Return the selection in words."""
        parts = (
            ("scenarios", self.scenarios),
            ("regions", self.regions),
            ("years", self.years),
            ("attributes", self.attributes),
        )
        return "; ".join(f"{k} {', '.join(map(str, v))}" for k, v in parts if v) or "everything"


def chosen_scenarios(source: Source, content: Results | Answer) -> list[PublishedScenario]:
    """Return the scenarios that were chosen, in the dataset's order.

    Raises ``UnknownNameError``.
    """
    chosen = (content if isinstance(content, Results) else content.query).scenarios
    check_known("scenario", chosen, source.scenario_names)
    return [s for s in source.manifest.scenarios if not chosen or s.key in chosen]


def check_known(what: str, chosen: Sequence[object], known: Sequence[object]) -> None:
    """Raise ``UnknownNameError`` for what this dataset does not have."""
    unknown = [value for value in chosen if value not in known]
    if unknown:
        raise UnknownNameError(
            f"This dataset has no {what} {unknown[0]!r}.",
            f"It has {', '.join(map(str, known[:20]))}.",
        )


def result_rows(source: Source, selection: Results) -> duckdb.DuckDBPyRelation:
    """Return the chosen rows of ``result``, with its columns and ``scenario`` before them.

    Raises ``UnknownNameError`` for names that the dataset does not have, and
    ``NotAvailableError`` when nothing is chosen.
    """
    keys = [scenario.key for scenario in chosen_scenarios(source, selection)]
    check_known("region", selection.regions, source.regions)
    check_known("year", selection.years, source.years)
    check_known("attribute", selection.attributes, source.attribute_names)
    rows = filtered(source.table("result"), keys, selection)
    if not rows.limit(1).fetchall():
        raise NotAvailableError(
            f"There are no result rows to export ({selection.shown()}).",
            "Choose other scenarios, regions, years or attributes.",
        )
    return rows


def filtered(
    results: duckdb.DuckDBPyRelation, keys: Sequence[str], selection: Results
) -> duckdb.DuckDBPyRelation:
    """Return the rows of some scenarios that have the regions, years and attributes chosen."""
    rows = results.filter(is_one_of("scenario", keys))
    for column, values in (
        ("region", selection.regions),
        ("year", selection.years),
        ("attribute", selection.attributes),
    ):
        if values:
            rows = rows.filter(is_one_of(column, values))
    return rows


def is_one_of(column: str, values: Sequence[object]) -> duckdb.Expression:
    """Return the condition that a column has one of the values, which are bound, never text.

    Kept as a filter and not a join, so that rows stay in their order.
    """
    if not values:
        return duckdb.ConstantExpression(False)
    constants = [duckdb.ConstantExpression(value) for value in values]
    return duckdb.ColumnExpression(column).isin(*constants)


@contextmanager
def flat_rows(source: Source, content: Results | Answer) -> Iterator[pa.RecordBatchReader]:
    """Give the content of an export as one table, batch by batch.

    Results have ``RESULT_COLUMNS``; an answer has scenario, year, its groups, unit and value.
    """
    if isinstance(content, Results):
        rows = result_rows(source, content)
        columns = ", ".join(f'"{name}"' for name in RESULT_COLUMNS)
        yield rows.project(columns).to_arrow_reader(BATCH_ROWS)
    else:
        yield answer_table(content).to_reader(max_chunksize=BATCH_ROWS)


def answer_of(source: Source, query: Query) -> Answer:
    """Answer a query; raise ``NotAvailableError`` when there is nothing in the answer."""
    answer = source.ask(query)
    if answer.frame.empty:
        raise NotAvailableError(
            f"The answer to {query.measure} is empty: there is nothing to export.",
            "Choose other scenarios, regions, years or filters.",
        )
    return answer


def answer_table(answer: Answer) -> pa.Table:
    """Return an answer as a table: scenario, year, groups, unit, value."""
    frame = answer.frame.drop(columns="value")
    frame["unit"] = answer.unit
    frame["value"] = answer.frame["value"]
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
