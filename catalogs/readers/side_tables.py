"""Tables beside VEDA files that say what those cannot: units, timeslices, periods, regions.

VEDA files carry no units. A modeller puts CSV files beside the ``.vd``, either for the whole
folder (``commodity_units.csv``) or for one scenario (``STEM.commodity_units.csv``). Columns are
found by name; ``region`` is optional wherever a thing is the same in all regions.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers.base import ScenarioHeader, account, report
from catalogs.readers.text_files import MAX_LINE, decode, open_bytes


@dataclass(frozen=True)
class SideTable:
    """A side table: the columns it must have, those it may have, and which are numbers."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


SIDE_TABLES = {
    "commodity_units": SideTable(("commodity", "unit"), ("region",)),
    "process_units": SideTable(
        ("process",),
        ("region", "activity_unit", "capacity_unit", "capacity_to_activity"),
        ("capacity_to_activity",),
    ),
    "timeslices": SideTable(
        ("timeslice", "year_fraction"),
        ("region", "parent", "level", "order", "description"),
        ("year_fraction", "order"),
    ),
    "periods": SideTable(("year", "start", "end"), (), ("year", "start", "end")),
    "regions": SideTable(
        ("region", "description"), ("latitude", "longitude"), ("latitude", "longitude")
    ),
    "scenarios": SideTable(("scenario",), ("description", "model")),
}

Row = dict[str, str | float | None]


def _kind(path: Path) -> str:
    if path.suffix.lower() != ".csv":
        return ""
    kind = path.stem.lower().rpartition(".")[2]
    return kind if kind in SIDE_TABLES else ""


def is_side_table(path: Path) -> bool:
    """Whether the file's name is that of a side table."""
    return bool(_kind(path))


def beside(main: Path, stem: str) -> list[Path]:
    """Return the side tables of a ``.vd``; one for its stem comes in place of the folder's."""
    found: dict[str, Path] = {}
    for path in sorted(main.parent.iterdir()):
        kind = _kind(path)
        prefix = path.stem[: -len(kind)].rstrip(".").lower()
        if kind and (prefix == stem.lower() or (not prefix and kind not in found)):
            found[kind] = path
    return sorted(found.values())


def read(
    paths: Iterable[Path], connection: duckdb.DuckDBPyConnection, scenario: ScenarioHeader
) -> None:
    """Apply the side tables to the canonical tables and the scenario's header."""
    for path in paths:
        kind = _kind(path)
        rows = read_rows(path)
        try:
            _APPLY[kind](rows, connection, scenario)
        except duckdb.ConversionException as error:
            raise UnreadableFileError(
                path.name, "a number is too large", "years and places", details=str(error)
            ) from error
        report(
            connection,
            "info",
            "read",
            f"rows of {kind.replace('_', ' ')} read",
            file=path.name,
            count=len(rows),
        )
        account(connection, path.name, kind.replace("_", " "), read=len(rows), kept=len(rows))


def read_rows(path: Path) -> list[Row]:
    """Read a side table: text cells, numbers where the column is one, None for an empty cell."""
    kind = _kind(path)
    table = SIDE_TABLES[kind]
    with open_bytes(path) as stream:
        reader = csv.DictReader(_lines(path, stream))
        try:
            names = [name.strip().lower() for name in reader.fieldnames or []]
            _check_columns(path, table, names)
            reader.fieldnames = names
            rows: dict[int, Row] = {}
            for cells in reader:
                rows[reader.line_num] = _row(path, reader.line_num, cells, table)
        except csv.Error as error:
            raise UnreadableFileError(
                path.name,
                "the line cannot be read",
                "cells separated by commas",
                line=reader.line_num + 1,
                details=str(error),
            ) from error
    if kind == "timeslices":
        _refuse_circles(path, rows)
    return list(rows.values())


def _check_columns(path: Path, table: SideTable, names: Sequence[str]) -> None:
    if missing := [name for name in table.required if name not in names]:
        raise UnreadableFileError(
            path.name,
            f"the column {missing[0]!r} is missing",
            f"the columns {', '.join(table.required)}",
            line=1,
        )


def _lines(path: Path, stream: BinaryIO) -> Iterator[str]:
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            raise UnreadableFileError(
                path.name,
                "the line is longer than a megabyte",
                "cells separated by commas",
                line=number,
            )
        yield from decode(raw).splitlines()


def _refuse_circles(path: Path, rows: dict[int, Row]) -> None:
    """Refuse timeslices that are within themselves, step by step, in any region."""
    for region in sorted({str(row["region"] or "") for row in rows.values()}):
        parents: dict[str, str] = {}
        lines: dict[str, int] = {}
        # What is said of the region itself has the last word.
        for line, row in sorted(rows.items(), key=lambda item: item[1]["region"] is not None):
            if row["region"] in (None, region):
                lines[str(row["timeslice"])] = line
                parents[str(row["timeslice"])] = str(row["parent"] or "")
        placed = {""}
        for start in lines:
            way: dict[str, None] = {}
            name = start
            while name in parents and name not in placed and name not in way:
                way[name] = None
                name = parents[name]
            if name in way:
                steps = list(way)
                circle = [*steps[steps.index(name) :], name]
                raise UnreadableFileError(
                    path.name,
                    f"timeslices are within each other: {' in '.join(circle[:8])}",
                    "parents that lead up to ANNUAL",
                    line=lines[name],
                )
            placed.update(way)


def _row(path: Path, line: int, cells: dict[str, str], table: SideTable) -> Row:
    row: Row = {}
    for name in (*table.required, *table.optional):
        text = (cells.get(name) or "").strip()
        if name in table.numbers and text:
            row[name] = _number(text)
            if row[name] is None:
                raise UnreadableFileError(path.name, f"{name} is {text!r}", "a number", line=line)
        else:
            row[name] = text or None
    if missing := [name for name in table.required if row[name] is None]:
        raise UnreadableFileError(path.name, f"{missing[0]} is empty", "a value", line=line)
    return row


def _number(text: str) -> float | None:
    """Return the number that a text is, None for anything else (nan and inf included)."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _values(rows: Sequence[Row], names: Sequence[str]) -> list[list[str | float | None]]:
    return [[row.get(name) for name in names] for row in rows]


def _commodity_units(
    rows: Sequence[Row], connection: duckdb.DuckDBPyConnection, _: ScenarioHeader
) -> None:
    # Rows without a region first, so that those of a region have the last word.
    for row in sorted(rows, key=lambda row: row["region"] is not None):
        connection.execute(
            "UPDATE commodity SET unit = $unit WHERE commodity = $commodity"
            " AND ($region IS NULL OR region = $region)",
            row,
        )


def _process_units(
    rows: Sequence[Row], connection: duckdb.DuckDBPyConnection, _: ScenarioHeader
) -> None:
    for row in sorted(rows, key=lambda row: row["region"] is not None):
        connection.execute(
            "UPDATE process SET activity_unit = coalesce($activity_unit, activity_unit),"
            " capacity_unit = coalesce($capacity_unit, capacity_unit),"
            " capacity_unit_source ="
            " CASE WHEN $capacity_unit IS NULL THEN capacity_unit_source ELSE 'file' END,"
            " capacity_to_activity = coalesce($capacity_to_activity, capacity_to_activity)"
            " WHERE process = $process AND ($region IS NULL OR region = $region)",
            row,
        )


def _timeslices(
    rows: Sequence[Row], connection: duckdb.DuckDBPyConnection, _: ScenarioHeader
) -> None:
    named = [str(row["timeslice"]) for row in rows]
    connection.execute("DELETE FROM timeslice WHERE timeslice IN ?", [named])
    for position, row in enumerate(rows):
        order = row["order"] if row["order"] is not None else position
        connection.execute(
            "INSERT INTO timeslice VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                row["region"] or "-",
                row["timeslice"],
                row["parent"],
                row["level"],
                row["year_fraction"],
                order,
                row["description"],
            ],
        )


def _periods(rows: Sequence[Row], connection: duckdb.DuckDBPyConnection, _: ScenarioHeader) -> None:
    for year, start, end in _values(rows, ("year", "start", "end")):
        connection.execute(
            "UPDATE period SET start_year = $start, end_year = $end, length = $end - $start + 1"
            " WHERE year = $year",
            {"year": year, "start": start, "end": end},
        )


def _regions(rows: Sequence[Row], connection: duckdb.DuckDBPyConnection, _: ScenarioHeader) -> None:
    for row in rows:
        connection.execute(
            "UPDATE region SET description = $description, latitude = $latitude,"
            " longitude = $longitude WHERE region = $region",
            row,
        )


def _scenarios(
    rows: Sequence[Row], connection: duckdb.DuckDBPyConnection, scenario: ScenarioHeader
) -> None:
    del connection
    for name, description, model in _values(rows, ("scenario", "description", "model")):
        if name == scenario.scenario:
            scenario.description = str(description or scenario.description)
            scenario.model = str(model or scenario.model)


_APPLY = {
    "commodity_units": _commodity_units,
    "process_units": _process_units,
    "timeslices": _timeslices,
    "periods": _periods,
    "regions": _regions,
    "scenarios": _scenarios,
}
