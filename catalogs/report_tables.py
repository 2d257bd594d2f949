"""The import report on the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from rich import box
from rich.markup import escape
from rich.table import Table

from catalogs.store import Manifest

if TYPE_CHECKING:
    import pandas as pd

_ACCOUNT = ("read", "kept", "merged", "conflicting", "left_out")


class Reporting(Protocol):
    """What has import reports: a Source, or FlowRecords."""

    @property
    def manifest(self) -> Manifest:
        """The version that is read."""

    def import_report(self) -> pd.DataFrame:
        """Return the reports: scenario, severity, topic, file, line, message, count."""

    def sql(self, sql: str, parameters: object = None) -> pd.DataFrame:
        """Run SQL over the tables, among them ``import_account`` and ``import_report``."""

    def rows(self, sql: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """Run SQL over the tables; return rows."""


def report_json(source: Reporting) -> dict[str, Any]:
    """Return the reports and accounts of all scenarios, ready for JSON."""
    return {
        "import_report": json.loads(source.import_report().to_json(orient="records")),
        "import_account": json.loads(source.sql("FROM import_account").to_json(orient="records")),
    }


def report_tables(source: Reporting, scenarios: Iterable[str]) -> Iterator[Table]:
    """Yield, per scenario, what became of the rows of its files and what was noticed."""
    for scenario in scenarios:
        yield _accounts(source, scenario)
        yield _lines(source, scenario)


def _accounts(source: Reporting, scenario: str) -> Table:
    table = Table(title=escape(scenario), title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("File", overflow="fold")
    table.add_column("Rows of")
    for name in _ACCOUNT:
        table.add_column(name.replace("_", " ").capitalize(), justify="right")
    for file, content, *counts in source.rows(
        f"SELECT file, content, {', '.join(_ACCOUNT)} FROM import_account WHERE scenario = ?",
        [scenario],
    ):
        table.add_row(escape(file), escape(content), *(f"{count:,}" for count in counts))
    return table


def _lines(source: Reporting, scenario: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("Topic")
    table.add_column("Noticed", overflow="fold")
    table.add_column("Count", justify="right")
    table.add_column("File", overflow="fold")
    for severity, topic, message, count, file, line in source.rows(
        "SELECT severity, topic, message, count, file, line FROM import_report"
        " WHERE scenario = ? AND topic <> 'read' ORDER BY severity = 'info', topic",
        [scenario],
    ):
        where = file or ""
        table.add_row(
            f"[yellow]! {escape(topic)}[/]" if severity == "warning" else f"  {escape(topic)}",
            escape(message),
            "" if count is None else f"{count:,}",
            escape(where if line is None else f"{where}, line {line}"),
        )
    return table
