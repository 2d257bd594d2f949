"""The command ``python -m catalogs export``: a selection of a dataset as files of any format."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from catalogs.errors import TimesError
from catalogs.exporting import Results, Selection, Written, export
from catalogs.query import Query
from catalogs.source import Source
from catalogs.writers import WRITERS

_FORMATS = tuple(dict.fromkeys(writer.name for writer in WRITERS))

_DESCRIPTION = """
Without --measure, result rows are exported as they were imported. With it, the answer to a
question: a measure, or attribute:NAME, added up over all that --group-by does not name.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the command to those of ``python -m catalogs``; return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "export", parents=[common], help="write results as files", description=_DESCRIPTION
    )
    parser.add_argument("name", nargs="?", default="", help="default: the one published last")
    parser.add_argument("--format", required=True, choices=_FORMATS, help="what to write")
    parser.add_argument(
        "--to",
        required=True,
        type=Path,
        metavar="PATH",
        help="the file to write; for parquet and vd, a path with another ending is a folder",
    )
    for option, kind, text in (
        ("scenario", str, "scenarios to export (default: all)"),
        ("region", str, "regions to export (default: all)"),
        ("year", int, "milestone years to export (default: all)"),
        ("attribute", str, "attributes to export, without --measure (default: all)"),
        ("group-by", str, "what to keep apart beside scenario and year, with --measure"),
    ):
        parser.add_argument(
            f"--{option}", nargs="+", action="extend", default=[], type=kind, help=text
        )
    parser.add_argument("--measure", default="", help="a measure, or attribute:NAME")
    parser.add_argument("--unit", default="", help="the unit of a measure (default: its own)")
    return parser


def run(source: Source, options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Export what the options say and tell of it; return the summary for ``--json``.

    Raises ``TimesError`` for options that do not go together, and what ``export`` raises.
    """
    written = export(source, selection_of(options), options.format, options.to)
    what = "values" if options.measure else "result rows"
    if not options.json:
        console.print(f"{written.rows:,} {what} written to {escape(str(options.to))}")
        for text in written.left_out:
            console.print(f"[yellow]Left out:[/] {escape(text)}")
    return _summary(source, options, written)


def selection_of(options: argparse.Namespace) -> Selection:
    """Return the selection that the options describe."""
    if not options.measure:
        if options.group_by or options.unit:
            raise TimesError(
                "--group-by and --unit go with a measure; result rows are exported as they are.",
                "Name one with --measure, such as --measure final_energy.",
            )
        return Results(
            scenarios=tuple(options.scenario),
            regions=tuple(options.region),
            years=tuple(options.year),
            attributes=tuple(options.attribute),
        )
    if options.attribute:
        raise TimesError(
            "--attribute chooses result rows, and --measure asks a question.",
            f"Use one of them, or --measure attribute:{options.attribute[0]}.",
        )
    return Query(
        options.measure,
        scenarios=tuple(options.scenario),
        regions=tuple(options.region),
        years=tuple(options.year),
        group_by=tuple(options.group_by),
        unit=options.unit,
    )


def _summary(source: Source, options: argparse.Namespace, written: Written) -> dict[str, Any]:
    to: Path = options.to
    folder = to if to.is_dir() else to.parent
    return {
        "dataset": source.dataset,
        "version": source.version,
        "format": options.format,
        "to": str(to),
        "rows": written.rows,
        "files": [{"name": name, "size": (folder / name).stat().st_size} for name in written.files],
        "left_out": list(written.left_out),
    }
