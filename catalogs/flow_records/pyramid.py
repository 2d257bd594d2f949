"""The pyramid: sums of flow records by level of place and bucket of time.

A sum is kept for each pair of places, commodity and bucket: ``forward`` and ``backward`` are the
sums of the positive values and of the magnitudes of the negative ones (a negative flow from A to B
is one from B to A), ``records`` counts the values. So forward - backward is the plain sum of the
records, and forward + backward that of their magnitudes, at every level. Sums are made in double
precision.

Only sums that are far fewer than what they are made from are kept; others are added up when they
are asked for, from the finer ones that there are. Everything is done by DuckDB, which goes to disk
where memory ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from catalogs.flow_records.times import REFINES
from catalogs.readers.base import Progress, no_progress

#: The table of the records themselves.
RECORDS = "flow"
#: Sums are kept where they have at most this share of the rows that they are made from.
_WORTH_IT = 0.5
#: What has fewer rows is added up as fast as it is read.
_FEW_ROWS = 20_000
KEYS = ("origin", "destination", "commodity")


@dataclass(frozen=True)
class Stored:
    """A table of sums, or the records: its level (0 is the coarsest), kind of bucket and rows.

    ``by_line`` tells whether its rows are of lines instead of pairs of places.
    """

    level: int
    kind: str
    table: str
    rows: int
    by_line: bool = False

    def serves(self, level: int, kind: str) -> bool:
        """Whether sums of a level and kind of bucket can be made from it."""
        return self.level >= level and (self.kind == kind or kind in REFINES[self.kind])

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that tell its rows apart, the bucket aside."""
        return ("line",) if self.by_line else KEYS


def rows_of(stored: Stored, level: int, kind: str, *, lines: bool = False) -> str:
    """Return SQL for the rows of a table as those of a coarser level and kind of bucket.

    Its columns are origin, destination and commodity (line, where ``lines`` is set and the table
    has lines), bucket, forward, backward and records; nothing is added up yet.
    """
    joins: list[str] = []
    if stored.by_line and lines:
        columns = ["f.line"]
    else:
        ends = "f"
        if stored.by_line:
            joins.append("JOIN line AS n ON n.line = f.line")
            ends = "n"
        origin, destination = f"{ends}.origin", f"{ends}.destination"
        if stored.level > level:
            above = f"(SELECT DISTINCT l{stored.level} AS place, l{level} AS above FROM ancestor)"
            joins.append(f"JOIN {above} AS o ON o.place = {origin}")
            joins.append(f"JOIN {above} AS d ON d.place = {destination}")
            origin, destination = "o.above", "d.above"
        columns = [f"{origin} AS origin", f"{destination} AS destination", f"{ends}.commodity"]
    if stored.kind == kind:
        columns.append(f"{'f.step' if kind == 'step' else 'f.bucket'} AS bucket")
    elif kind == "all":
        columns.append("0 AS bucket")
    else:
        key = "step" if stored.kind == "step" else "bucket"
        map_ = f"(SELECT DISTINCT {stored.kind} AS bucket, {kind} AS above FROM step)"
        joins.append(f"JOIN {map_} AS b ON b.bucket = f.{key}")
        columns.append("b.above AS bucket")
    if stored.table == RECORDS:
        # NULL, a value that is none, is neither forward nor backward.
        columns += [
            "greatest(f.value, 0) AS forward",
            "greatest(-f.value, 0) AS backward",
            "(f.value IS NOT NULL)::UINTEGER AS records",
        ]
    else:
        columns += ["f.forward", "f.backward", "f.records"]
    return f"SELECT {', '.join(columns)} FROM {stored.table} AS f {' '.join(joins)}"


SUMS = "sum(forward) AS forward, sum(backward) AS backward, sum(records)::UBIGINT AS records"


def cheapest(stored: Iterable[Stored], level: int, kind: str) -> Stored:
    """Return the smallest table from which sums of a level and kind can be made."""
    return min((s for s in stored if s.serves(level, kind)), key=lambda s: (s.rows, s.level))


def build_pyramid(
    connection: duckdb.DuckDBPyConnection,
    *,
    levels: int,
    kinds: Sequence[str],
    by_line: bool,
    progress: Progress = no_progress,
) -> list[Stored]:
    """Make the sums of all levels and kinds of buckets, from the finest to the coarsest.

    Needs the tables ``flow``, ``step`` and ``ancestor``, and ``line`` where the records are of
    lines. Fills ``pyramid`` with what there is then, the records among it.
    """
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {RECORDS}").fetchall()
    finest = levels - 1
    stored = [Stored(finest, "step", RECORDS, rows, by_line)]
    for level in range(finest, -1, -1):
        for number, kind in enumerate(reversed([k for k in kinds if k != "step"])):
            done = (finest - level + number / len(kinds)) / levels
            progress(done, f"adding up: {_words(level, finest)}, {kind}")
            made = _build(connection, stored, level, kind, by_line=by_line and level == finest)
            stored += [made] if made else []
    connection.execute(
        "CREATE TABLE pyramid (level INTEGER, kind VARCHAR, name VARCHAR, rows BIGINT,"
        " by_line BOOLEAN)"
    )
    connection.executemany(
        "INSERT INTO pyramid VALUES (?, ?, ?, ?, ?)",
        [[s.level, s.kind, s.table, s.rows, s.by_line] for s in stored],
    )
    return stored


def _words(level: int, finest: int) -> str:
    return "finest places" if level == finest else f"level {level} of places"


def _build(
    connection: duckdb.DuckDBPyConnection,
    stored: Sequence[Stored],
    level: int,
    kind: str,
    *,
    by_line: bool,
) -> Stored | None:
    source = cheapest(stored, level, kind)
    if source.rows <= _FEW_ROWS:
        return None
    rows = rows_of(source, level, kind, lines=by_line)
    keys = ", ".join(("line",) if by_line else KEYS)
    [(expected,)] = connection.execute(
        f"SELECT approx_count_distinct(hash({keys}, bucket)) FROM ({rows})"
    ).fetchall()
    if expected > _WORTH_IT * source.rows:
        return None
    table = f"sum_{level}_{kind}"
    connection.execute(
        f"CREATE TABLE {table} AS SELECT {keys}, bucket::INTEGER AS bucket, {SUMS}"
        f" FROM ({rows}) GROUP BY {keys}, bucket ORDER BY bucket, {keys}"
    )
    [(count,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return Stored(level, kind, table, count, by_line)


def build_degrees(
    connection: duckdb.DuckDBPyConnection, stored: Sequence[Stored], levels: int
) -> None:
    """Make the table ``degree``: the most arcs that each place of each level can have."""
    connection.execute("CREATE TABLE degree (level INTEGER, place INTEGER, arcs BIGINT)")
    for level in range(levels):
        source = cheapest(stored, level, "all")
        rows = rows_of(source, level, "all")
        if source.level > level or source.kind != "all":
            rows = f"SELECT DISTINCT origin, destination, commodity FROM ({rows})"
            if source.rows > 5_000_000:  # an upper bound will do
                rows = rows_of(source, level, "all")
        connection.execute(
            f"INSERT INTO degree SELECT $level, place, count(*) FROM (SELECT"
            f" unnest([origin, destination]) AS place FROM ({rows}) WHERE origin <> destination)"
            " GROUP BY place",
            {"level": level},
        )
