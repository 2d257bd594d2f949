"""The command line of the catalog: ``python -m catalogs import|list|describe|check|export``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from catalogs import check, export_command, open_dataset, open_source, semantics
from catalogs.errors import TimesError
from catalogs.importing import import_files
from catalogs.readers.base import Progress as Report
from catalogs.report_tables import report_json, report_tables
from catalogs.source import Source
from catalogs.store import FLOWS, SCENARIOS, Manifest, Store

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords

DEFAULT_DIRECTORY = ".data"
_INTERRUPTED = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0, or 2 for a problem that the user can mend.

    ``check`` returns 1 where groups leave out too much or rules disagree. A command that is
    interrupted (Ctrl-C) returns 130, as the shell has it.
    """
    options = _parser().parse_args(arguments)
    console = Console(stderr=options.json or options.command == "import", highlight=False)
    try:
        return int(options.run(options, console))
    except TimesError as error:
        return _failed(error)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _failed(TimesError(f"{name}{error.strerror or error}."))
    except KeyboardInterrupt:
        return _interrupted()
    except RuntimeError as error:
        # What DuckDB makes of Ctrl-C while it is at work.
        if str(error) != "Query interrupted":
            raise
        return _interrupted()


def _interrupted() -> int:
    _failed(
        TimesError(
            "Interrupted.",
            "A dataset changes only when an import has finished: run the command again.",
        )
    )
    return _INTERRUPTED


def _failed(error: TimesError) -> int:
    console = Console(stderr=True, highlight=False)
    console.print(f"[red]Error:[/] {escape(error.what)}")
    if error.remedy:
        console.print(escape(error.remedy))
    if error.details:
        console.print(escape(error.details), style="dim")
    return 2


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data-directory",
        type=Path,
        default=Path(os.environ.get("TIMES_DATA", DEFAULT_DIRECTORY)),
        help="where datasets are published (default: $TIMES_DATA, else .data)",
    )
    common.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser = argparse.ArgumentParser(prog="python -m catalogs", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    imported = commands.add_parser("import", parents=[common], help="import results files")
    imported.add_argument("files", nargs="+", type=Path, help="files, or folders of files")
    imported.add_argument("--name", default="my-data", help="the dataset to add them to")
    imported.add_argument("--model", default="", help="the model's name, where files do not tell")
    check.add_rules_option(imported)
    imported.add_argument(
        "--semantics",
        type=Path,
        help="a folder of your own tables of measures, emission accounts, carriers, units ...:"
        " checked, copied into the data directory and used from now on",
    )
    imported.set_defaults(run=_import)
    listed = commands.add_parser("list", parents=[common], help="list the datasets")
    listed.set_defaults(run=_list)
    described = commands.add_parser("describe", parents=[common], help="describe a dataset")
    described.add_argument("name", nargs="?", default="", help="default: the one published last")
    described.set_defaults(run=_describe)
    checked = commands.add_parser(
        "check", parents=[common], help="check what the groups of a dataset leave out"
    )
    checked.add_argument("name", nargs="?", default="", help="default: the one published last")
    check.add_rules_option(checked)
    checked.set_defaults(run=_check)
    export_command.add_parser(commands, common).set_defaults(run=_export)
    return parser


def _export(options: argparse.Namespace, console: Console) -> int:
    source = open_source(options.data_directory, options.name)
    summary = export_command.run(source, options, console)
    if options.json:
        _print_json(summary)
    return 0


def _import(options: argparse.Namespace, console: Console) -> int:
    columns = (
        TextColumn("{task.fields[file]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}"),
    )
    store = Store(options.data_directory)
    if options.semantics:
        for path in semantics.install(options.semantics, options.data_directory):
            console.print(f"In force from now on: {escape(path.name)}")
    before = store.published(options.name)
    old = {scenario.file for scenario in before.scenarios} if before else set()
    left: list[Path] = []
    with Progress(*columns, console=console) as bars:

        def bar_of(name: str) -> Report:
            task = bars.add_task("", total=1.0, file=escape(name), doing="")
            return lambda share, doing: bars.update(task, completed=share, doing=doing)

        manifest = import_files(
            store,
            options.name,
            options.files,
            model=options.model,
            rules=options.rules,
            progress=bar_of,
            leave_aside=left.append,
        )
    # Not by the catalog: that takes seconds to import, and here one dataset is all there is.
    path = store.manifest_path(manifest.dataset)
    source = _flow_records(path) if manifest.kind == FLOWS else Source(path)
    if options.json:
        report = report_json(source)
        _print_json({**asdict(manifest), **report, "left_aside": [path.name for path in left]})
    else:
        console.print(
            f"Dataset [bold]{escape(manifest.dataset)}[/], version {manifest.version}:"
            f" {_size(manifest)}"
        )
        for table in report_tables(
            source, (s.key for s in manifest.scenarios if s.file not in old)
        ):
            console.print(table)
        for path in left:
            console.print(
                f"[yellow]Note:[/] {escape(path.name)} is of no known format and was left aside"
            )
    return 0


def _list(options: argparse.Namespace, console: Console) -> int:
    store = Store(options.data_directory)
    manifests = [store.manifest(name) for name in store.datasets()]
    if options.json:
        _print_json([asdict(manifest) for manifest in manifests])
        return 0
    if not manifests:
        console.print("Nothing has been imported yet: python -m catalogs import FILES --name NAME")
        return 0
    table = Table("Dataset", "Version", "Published", "Scenarios", "Rows", "Of")
    for m in manifests:
        rows = sum(scenario.rows for scenario in m.scenarios)
        scenarios = str(len(m.scenarios)) if m.kind == SCENARIOS else ""
        kind = "results" if m.kind == SCENARIOS else m.kind
        table.add_row(escape(m.dataset), m.version, m.published_at, scenarios, f"{rows:,}", kind)
    console.print(table)
    return 0


def _size(manifest: Manifest) -> str:
    rows = sum(s.rows for s in manifest.scenarios)
    if manifest.kind == FLOWS:
        return f"{rows:,} flow records"
    return f"{len(manifest.scenarios)} scenarios, {rows:,} result rows"


def _describe(options: argparse.Namespace, console: Console) -> int:
    source = open_dataset(options.data_directory, options.name)
    if not isinstance(source, Source):
        return _describe_flow_records(source, options, console)
    description = {
        **asdict(source.manifest),
        "regions": source.regions,
        "years": source.years,
        "measures": source.measure_names,
        "attributes": source.attribute_names,
        **report_json(source),
    }
    if options.json:
        _print_json(description)
        return 0
    console.print(f"Dataset [bold]{escape(source.dataset)}[/], version {source.version}")
    console.print(f"Regions: {escape(', '.join(source.regions))}")
    console.print(f"Years: {', '.join(map(str, source.years))}")
    console.print(f"Measures: {', '.join(source.measure_names)}")
    for scenario in source.manifest.scenarios:
        console.print(
            f"\n[bold]{escape(scenario.key)}[/] ({escape(scenario.source_format)}, model"
            f" {escape(scenario.model)}, {scenario.rows:,} rows)"
        )
        for table in report_tables(source, [scenario.key]):
            console.print(table)
    return 0


def _flow_records(manifest_path: Path) -> FlowRecords:
    from catalogs.flow_records.records import FlowRecords  # loads pandas, which takes a while

    return FlowRecords(manifest_path)


def _describe_flow_records(
    records: FlowRecords, options: argparse.Namespace, console: Console
) -> int:
    about = records.about
    if options.json:
        _print_json(
            {
                **asdict(records.manifest),
                "about": asdict(about),
                "commodities": records.commodities,
                "places": {
                    f"{number} {name}": len(records.places[number])
                    for number, name in enumerate(records.levels)
                },
                "sums": [asdict(stored) for stored in records.stored],
                **report_json(records),
            }
        )
        return 0
    steps = records.steps["label"]
    console.print(f"Dataset [bold]{escape(records.dataset)}[/], version {records.version}")
    console.print(f"{about.records:,} flows, {escape(about.unit or 'unit unknown')}")
    console.print(
        f"Time: {len(steps):,} steps, {escape(steps.iloc[0])} to {escape(steps.iloc[-1])};"
        f" added up by {', '.join(kind for kind in about.kinds if kind not in ('all', 'step'))}"
    )
    places = (f"{len(p):,} {n}" for p, n in zip(records.places, records.levels, strict=True))
    console.print(f"Places, from coarse to fine: {escape(', '.join(places))}")
    if records.lines is not None:
        console.print(f"Lines: {len(records.lines.id):,}")
    console.print(f"Commodities: {escape(', '.join(records.commodities[:20]))}")
    for table in report_tables(records, [records.dataset]):
        console.print(table)
    return 0


def _check(options: argparse.Namespace, console: Console) -> int:
    found = check.check(options.data_directory, options.name, options.rules)
    if options.json:
        _print_json({key: coverage.as_json() for key, coverage in found.items()})
    else:
        for key, coverage in found.items():
            check.print_coverage(console, key, coverage)
    return 0 if all(coverage.is_enough for coverage in found.values()) else 1


def _print_json(content: Any) -> None:
    json.dump(content, sys.stdout, indent=1, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())
