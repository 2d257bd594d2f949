"""Importing flow records: one file with every record, its places, and the pyramid of sums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from catalogs.errors import UnreadableFileError
from catalogs.flow_records import levels as levels_of
from catalogs.flow_records import pyramid
from catalogs.flow_records.coding import coded
from catalogs.flow_records.lines import Lines, paths_of, read_lines
from catalogs.flow_records.locations import add_unknown, read_locations
from catalogs.flow_records.noticed import report_records
from catalogs.flow_records.pairs_on_lines import bend, put_on_lines
from catalogs.flow_records.recognition import FlowFiles
from catalogs.flow_records.tables import (
    ENERGY,
    RecordTable,
    as_id,
    as_number,
    commodity_of,
    open_records,
)
from catalogs.flow_records.times import Times, build_times
from catalogs.readers.base import Progress, account, no_progress, report
from catalogs.store import FLOWS, InputFile, Manifest, PublishedScenario, Store, now

#: Part of every data version: raise it when what is stored changes its meaning.
FLOW_IMPORT_VERSION = 2
#: Memory that DuckDB may use during an import; beyond it, it goes to disk.
MEMORY_LIMIT = "2500MB"
SOURCE_FORMAT = "Flow records"
#: Records of one stretch of time lie together, by pair: a view of an hour reads one stretch, a
#: profile a little of each.
_ROWS_PER_STRETCH = 1_000_000
#: Commodities beyond which colours are of no use; the map shows the largest and "other".
_MANY_COMMODITIES = 1000


@dataclass(frozen=True, eq=False)
class _Ends:
    """What the records name: ids of places or lines, with what flows there; and commodities."""

    weights: Mapping[str, float]
    commodities: tuple[str, ...]


def import_flow_records(
    store: Store,
    dataset: str,
    files: FlowFiles,
    inputs: Sequence[InputFile],
    progress: Progress = no_progress,
) -> Manifest:
    """Import tables of flow records into a dataset of their own and publish it.

    Raises ``UnreadableFileError``, and ``TimesError`` where the dataset holds TIMES scenarios.
    """
    store.check_kind(dataset, FLOWS)
    digest = _digest(inputs)
    before = store.published(dataset)
    for known in before.scenarios if before else ():
        if known.digest == digest and (store.folder(dataset) / known.file).exists():
            progress(1.0, "unchanged")
            return store.publish(dataset, [known], kind=FLOWS)
    with store.work_folder(dataset) as work:
        path = work / "flows.duckdb"
        rows = build(path, files, progress)
        scenario = PublishedScenario(
            key=dataset,
            model="",
            scenario=dataset,
            description="",
            source_format=SOURCE_FORMAT,
            file=f"flows-{digest[:16]}.duckdb",
            digest=digest,
            rows=rows,
            imported_at=now(),
            inputs=tuple(inputs),
        )
        return store.publish(dataset, [scenario], {scenario.file: path}, kind=FLOWS)


def _digest(inputs: Sequence[InputFile]) -> str:
    digest = hashlib.sha256(f"flows {FLOW_IMPORT_VERSION}\n".encode())
    for file in inputs:
        digest.update(f"{file.name}\t{file.sha256}\n".encode())
    return digest.hexdigest()


def build(path: Path, files: FlowFiles, progress: Progress = no_progress) -> int:
    """Make the file of a dataset at ``path``; return how many records it has."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": f"{path}.spill",
        "preserve_insertion_order": False,
    }
    with duckdb.connect(str(path), config=config) as connection:
        _create_reports(connection)
        progress(0.0, "opening")
        rows = _Import(connection, files, progress).run()
        progress(0.98, "writing")
        connection.execute("CHECKPOINT")
    return rows


def _create_reports(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "CREATE TABLE import_report (severity VARCHAR, topic VARCHAR, file VARCHAR, line BIGINT,"
        " message VARCHAR, count BIGINT);"
        "CREATE TABLE import_account (file VARCHAR, content VARCHAR, read BIGINT, kept BIGINT,"
        " merged BIGINT, conflicting BIGINT, left_out BIGINT)"
    )


@dataclass
class _Import:
    """The steps of one import."""

    connection: duckdb.DuckDBPyConnection
    files: FlowFiles
    progress: Progress
    #: Whether the records tell from where to where, not on which line.
    _names_pairs: bool = field(default=True, init=False)

    def run(self) -> int:
        """Fill all tables; return how many records were kept."""
        connection, files = self.connection, self.files
        records = open_records(connection, files.records) if files.records else []
        after = len(files.records)
        lines = read_lines(connection, files.lines, after) if files.lines else None
        by_line = lines is not None and (not records or "line" in records[0].found)
        if lines is not None and not by_line:
            lines = self._put_on_lines(records, lines)
            by_line = lines is not None
        if lines is None and records and "origin" not in records[0].found:
            raise UnreadableFileError(
                records[0].file.shown,
                "its records are of lines, and there is no table of lines",
                "a table with line, bus0 and bus1 among the files",
            )
        self.progress(0.02, "looking at times")
        times = build_times(connection, records)
        self.progress(0.06, "looking at places")
        self._names_pairs = bool(records) and "line" not in records[0].found
        ends = self._look(records)
        places = read_locations(connection, files.locations, after + len(files.lines))
        hierarchy = self._store_places(places, ends, lines)
        if lines is not None:
            self._store_lines(lines)
        commodities = ends.commodities if lines is None else _categories(lines)
        self._store_names("commodity", commodities)
        if len(commodities) > _MANY_COMMODITIES:
            message = "commodities; a map shows the largest and adds up the others"
            report(connection, "info", "commodities", message, count=len(commodities))
        self.progress(0.12, "sorting records")
        rows = self._store_records(records, times, ends, lines, by_line=by_line)
        self.progress(0.5, "looking at records")
        turned = records if by_line and self._names_pairs else ()
        report_records(connection, by_line=by_line, turned=turned)
        stored = pyramid.build_pyramid(
            connection,
            levels=len(hierarchy.levels),
            kinds=times.kinds,
            by_line=by_line,
            progress=lambda share, doing: self.progress(0.55 + 0.4 * share, doing),
        )
        pyramid.build_degrees(connection, stored, len(hierarchy.levels))
        self._describe(hierarchy, times, records, lines)
        return rows

    def _put_on_lines(self, records: Sequence[RecordTable], lines: Lines) -> Lines | None:
        found = put_on_lines(self.connection, records, lines)
        if found is None:
            message = "lines are not used: there are none, or too many pairs of places for them"
            report(self.connection, "warning", "left_out", message, count=len(lines.table))
        return found

    # ------------------------------------------------------------------ what is named

    def _look(self, records: Sequence[RecordTable]) -> _Ends:
        """Find the ids that the records name, with what flows there, and the commodities."""
        weights: dict[str, float] = {}
        commodities: set[str] = set()
        for table in records:
            relation, found = table.relation, table.found
            value = as_number(relation, found["value"])
            for column in ("origin", "destination") if self._names_pairs else ("line",):
                for name, weight in self.connection.execute(
                    f"SELECT {as_id(relation, found[column])} AS id,"
                    f" sum(CASE WHEN isfinite({value}) THEN abs({value}) ELSE 0 END)"
                    f" FROM {relation.sql} GROUP BY id HAVING id IS NOT NULL",
                    relation.parameters,
                ).fetchall():
                    weights[name] = weights.get(name, 0.0) + (weight or 0.0)
            if "commodity" not in found:
                commodities.add(ENERGY)
            elif self._names_pairs:
                commodities.update(
                    name
                    for (name,) in self.connection.execute(
                        f"SELECT DISTINCT {commodity_of(table)} FROM {relation.sql}",
                        relation.parameters,
                    ).fetchall()
                )
        return _Ends(weights, tuple(sorted(commodities)))

    # ------------------------------------------------------------------ dimensions

    def _store_places(
        self, places: pd.DataFrame, ends: _Ends, lines: Lines | None
    ) -> levels_of.Hierarchy:
        connection = self.connection
        if lines is None:
            weights = dict(ends.weights)
        elif self._names_pairs:
            named = pd.concat([lines.table["origin"], lines.table["destination"]])
            weights = {**dict.fromkeys(named, 0.0), **ends.weights}
        else:
            weights = {}
            for line, *both in lines.table[["line", "origin", "destination"]].itertuples(
                index=False, name=None
            ):
                for end in both:
                    weights[end] = weights.get(end, 0.0) + ends.weights.get(line, 0.0)
        if not self.files.locations:
            message = "there is no table of locations: no place has coordinates"
            report(connection, "warning", "places", message)
        places = add_unknown(connection, places, weights)
        unused = int((~places["id"].isin(list(weights))).sum())
        if unused:
            message = "locations that no flow begins or ends at"
            report(connection, "info", "places", message, count=unused)
        weight = places["id"].map(weights).fillna(0.0).to_numpy(float)
        hierarchy, refused = levels_of.build_levels(places, np.asarray(weight, dtype=np.float64))
        for name in refused:
            message = (
                f"the column {name!r} groups no places: it is told for less than half of them, or"
                " its groups lie in several of the coarser ones"
            )
            report(connection, "info", "places", message)
        frames = [
            level.places.assign(level=number, place=range(len(level.places)))
            for number, level in enumerate(hierarchy.levels)
        ]
        connection.register("places_read", pd.concat(frames, ignore_index=True))
        connection.execute(
            "CREATE TABLE place AS SELECT level::INTEGER AS level, place::INTEGER AS place,"
            " id::VARCHAR AS id, name::VARCHAR AS name,"
            " CASE WHEN isnan(longitude) THEN NULL ELSE longitude END::DOUBLE AS longitude,"
            " CASE WHEN isnan(latitude) THEN NULL ELSE latitude END::DOUBLE AS latitude,"
            " members::BIGINT AS members, parent::INTEGER AS parent"
            " FROM places_read ORDER BY level, place"
        )
        connection.unregister("places_read")
        columns = {f"l{n}": numbers for n, numbers in enumerate(hierarchy.ancestors)}
        connection.register("ancestors_read", pd.DataFrame(columns).astype("int32"))
        connection.execute("CREATE TABLE ancestor AS FROM ancestors_read")
        connection.unregister("ancestors_read")
        return hierarchy

    def _store_names(self, name: str, names: Sequence[str]) -> None:
        """Make a table of numbered names."""
        self.connection.execute(
            f"CREATE TABLE {name} AS SELECT (generate_subscripts($names, 1) - 1)::INTEGER"
            f" AS {name}, unnest($names)::VARCHAR AS name",
            {"names": list(names)},
        )

    def _store_lines(self, lines: Lines) -> None:
        connection = self.connection
        table = lines.table.assign(number=range(len(lines.table)))
        categories = {name: number for number, name in enumerate(_categories(lines))}
        table["commodity"] = table["category"].map(categories)
        connection.register("lines_read", table)
        finest = "(SELECT * FROM place WHERE level = (SELECT max(level) FROM place))"
        connection.execute(
            "CREATE TABLE line AS SELECT number::INTEGER AS line, r.line AS id, r.name,"
            " o.place AS origin, d.place AS destination, commodity::INTEGER AS commodity,"
            " CASE WHEN isnan(capacity) THEN NULL ELSE capacity END::DOUBLE AS capacity"
            f" FROM lines_read AS r JOIN {finest} AS o ON o.id = r.origin"
            f" JOIN {finest} AS d ON d.id = r.destination ORDER BY number"
        )
        ends = connection.execute(
            "SELECT o.longitude AS longitude0, o.latitude AS latitude0,"
            " d.longitude AS longitude1, d.latitude AS latitude1 FROM line AS n"
            f" JOIN {finest} AS o ON o.place = n.origin"
            f" JOIN {finest} AS d ON d.place = n.destination ORDER BY n.line"
        ).df()
        connection.unregister("lines_read")
        ends[(table["origin"] == table["destination"]).to_numpy(bool)] = np.nan  # no way to draw
        if "is_arrow" in table:
            is_arrow = table["is_arrow"].to_numpy(bool)
            shapes = lines.geometry.copy()
            shapes[is_arrow] = bend(ends.to_numpy(float)[is_arrow])
            lines = replace(lines, geometry=shapes)
        paths = paths_of(lines, ends)
        connection.register("paths_read", paths.assign(point=range(len(paths))))
        connection.execute(
            "CREATE TABLE path AS SELECT detail::DOUBLE AS detail, line::INTEGER AS line,"
            " point::INTEGER AS point, longitude, latitude FROM paths_read ORDER BY ALL"
        )
        connection.unregister("paths_read")

    # ------------------------------------------------------------------ records

    def _store_records(
        self,
        records: Sequence[RecordTable],
        times: Times,
        ends: _Ends,
        lines: Lines | None,
        *,
        by_line: bool,
    ) -> int:
        connection = self.connection
        columns = ("line",) if by_line else pyramid.KEYS
        kinds = "".join(f"{name} INTEGER, " for name in columns)
        connection.execute(f"CREATE TABLE flow ({kinds}step INTEGER, value DOUBLE)")
        if not records:
            return 0
        if lines is not None and not self._names_pairs:
            self._report_unknown_lines(ends, lines)
        connection.execute(
            "CREATE TEMP TABLE place_number AS SELECT id, place FROM place"
            " WHERE level = (SELECT max(level) FROM place)"
        )
        parts = [coded(t, key, by_line=by_line) for t, key in zip(records, times.keys, strict=True)]
        parameters = {k: v for table in records for k, v in table.relation.parameters.items()}
        read = [self._count(table.relation.sql, table) for table in records]
        stretch = max(1, times.steps // max(1, sum(read) // _ROWS_PER_STRETCH))
        connection.execute(
            f"INSERT INTO flow SELECT {', '.join(columns)}, step, value"
            f" FROM ({' UNION ALL '.join(parts)})"
            f" ORDER BY step // {stretch}, {', '.join(columns)}, step{', value < 0' * by_line}",
            parameters,
        )
        [(total,)] = connection.execute("SELECT count(*) FROM flow").fetchall()
        for table, part, rows in zip(records, parts, read, strict=True):
            kept = rows if total == sum(read) else self._count(f"({part})", table)
            self._account(table, rows, kept)
        return int(total)

    def _count(self, sql: str, table: RecordTable) -> int:
        [(rows,)] = self.connection.execute(
            f"SELECT count(*) FROM {sql}", table.relation.parameters
        ).fetchall()
        return int(rows)

    def _account(self, table: RecordTable, read: int, kept: int) -> None:
        """Keep the account of the rows of a file."""
        file = table.file.shown
        account(self.connection, file, "flow records", read=read, kept=kept, left_out=read - kept)
        if read > kept:
            message = "records without a time, or that do not tell where they flow, are left out"
            report(self.connection, "warning", "left_out", message, file=file, count=read - kept)

    def _report_unknown_lines(self, ends: _Ends, lines: Lines) -> None:
        unknown = sorted(set(ends.weights) - set(lines.table["line"]))
        if unknown:
            message = (
                "lines that the records name and no table of lines does; their records are left"
                f" out: {', '.join(unknown[:20])}"
            )
            report(self.connection, "warning", "left_out", message, count=len(unknown))

    # ------------------------------------------------------------------ what it is

    def _describe(
        self,
        hierarchy: levels_of.Hierarchy,
        times: Times,
        records: Sequence[RecordTable],
        lines: Lines | None,
    ) -> None:
        [(rows, value)] = self.connection.execute(
            "SELECT count(value), coalesce(sum(abs(value)), 0) FROM flow"
        ).fetchall()
        unit = records[0].unit if records else ""
        about = {
            "unit": unit,
            "records": rows,
            "value": value,
            "time": times.kind,
            "kinds": times.kinds,
            "step_hours": None if np.isnan(times.hours) else times.hours,
            "levels": [{"name": level.name, "depth": level.depth} for level in hierarchy.levels],
            "by_line": lines is not None,
            "capacity_unit": lines.capacity_unit if lines is not None else "",
        }
        self.connection.execute(
            "CREATE TABLE about AS SELECT $about::VARCHAR AS about", {"about": json.dumps(about)}
        )
        if records and not unit:
            message = "the unit of the records is not told: name the column value [MWh], say"
            report(self.connection, "info", "units", message)


def _categories(lines: Lines) -> tuple[str, ...]:
    return tuple(sorted(set(lines.table["category"])))
