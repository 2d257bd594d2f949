"""Checking the groups of a published dataset: ``python -m catalogs check``.

Without tables, the rules are those that the scenarios were imported with. With tables, the answer
is what an import with them would give, and nothing is changed: so that rules can be written and
tried.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from catalogs import open_source
from catalogs.boundaries import classify
from catalogs.coverage import Coverage, Taken, cover, stored_rules
from catalogs.importing import model_names
from catalogs.measures import measures
from catalogs.rule_tables import Finder, shipped_tables
from catalogs.rules import RuleTable, book_for

#: How many lines of each kind a person is shown; JSON has them all.
_MOST_LINES = 20


def add_rules_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names rule tables."""
    parser.add_argument(
        "--rules",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        metavar="TABLE",
        help="rule tables (CSV, XLSX, YAML) that give groups, the one to be asked first in front",
    )


def check(directory: Path, dataset: str, rules: Sequence[Path] = ()) -> Mapping[str, Coverage]:
    """Return the coverage of every scenario of a dataset, by its key.

    Raises ``UnreadableFileError`` for a rule table that cannot be used, ``UnknownDatasetError``.
    """
    tables = Finder(rules).read(rules)
    source = open_source(directory, dataset)
    found = {}
    for scenario in source.manifest.scenarios:
        path = source.manifest_path.parent / scenario.file
        with duckdb.connect(str(path), read_only=True) as connection:
            found[scenario.key] = _check_scenario(connection, scenario.model, tables)
    return found


def _check_scenario(
    connection: duckdb.DuckDBPyConnection, model: str, tables: Sequence[RuleTable]
) -> Coverage:
    book = stored_rules(connection)
    if tables:
        regions = [
            region
            for (region,) in connection.execute(
                "SELECT region FROM region WHERE kind = 'internal' ORDER BY region"
            ).fetchall()
        ]
        book = book_for((*tables, *shipped_tables()), model_names(model, regions))
    return cover(connection, classify(connection, book), find_idle=True)


def print_coverage(console: Console, scenario: str, coverage: Coverage) -> None:
    """Show a coverage to a person: shares, then what is left out, the largest first."""
    console.print(f"\n[bold]{escape(scenario)}[/]")
    if not coverage.shares:
        console.print(
            "There is nothing here that the measures count: no flows, or flows without units."
        )
    table = Table("Measure", "Dimension", "Amount", "By tables", "By defaults", "Not named")
    for share in coverage.shares:
        total = share.total or 1.0
        table.add_row(
            measures()[share.measure].label,
            share.dimension,
            f"{share.total:,.0f} {share.unit}",
            *(f"{part / total:.1%}" for part in (share.by_table, share.by_default)),
            f"{share.unnamed / total:.2%}",
        )
    if coverage.shares:
        console.print(table)
    _print_items(console, "No rule names", coverage.unnamed)
    _print_items(console, "More than one rule takes", coverage.contested)
    for rule, problem in coverage.unknown:
        console.print(f"[yellow]{escape(rule.place)}:[/] {escape(problem)}")
    if coverage.idle:
        console.print(f"Rules that take nothing here: {len(coverage.idle)}")
        for rule in coverage.idle[:_MOST_LINES]:
            console.print(f"  {escape(rule.shown)}")


def _print_items(console: Console, what: str, items: Sequence[Taken]) -> None:
    if not items:
        return
    console.print(f"[yellow]{what}[/] {len(items)}:")
    for taken in items[:_MOST_LINES]:
        amount = f"{taken.amount:,.4g} {taken.unit}" if taken.measure else "no amount"
        measure = measures()[taken.measure].label.lower() if taken.measure else ""
        console.print(
            f"  {escape(taken.code)} ({escape(taken.description)}, {escape(taken.region)}):"
            f" {taken.dimension}, {amount} {escape(measure)}"
        )
        console.print(f"    {escape(taken.choice.group)}: {escape(taken.choice.rule)}", style="dim")
        for rival in taken.choice.rivals:
            console.print(f"    or {escape(rival)}", style="dim")
    if len(items) > _MOST_LINES:
        console.print(f"  and {len(items) - _MOST_LINES} more; --json has them all")
