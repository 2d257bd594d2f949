"""Time of flow records: the steps there are, and the buckets that they make up.

Time is a timestamp, the number of an hour, or a year and timeslice; the steps of a dataset are
numbered in their order from 0. Buckets (year, month, week, day) are runs of steps: weeks begin on
Monday where there are dates, and are blocks of 168 hours where hours are numbered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from catalogs.errors import UnreadableFileError
from catalogs.flow_records.tables import RecordTable, is_number

#: Kinds of buckets from coarse to fine; ``all`` is the whole time, ``step`` the records' own.
KINDS = ("all", "year", "month", "week", "day", "step")
#: Kinds whose buckets are made of whole buckets of the key.
REFINES = {
    "step": ("day", "week", "month", "year", "all"),
    "day": ("week", "month", "year", "all"),
    "week": ("all",),
    "month": ("year", "all"),
    "year": ("all",),
    "all": (),
}
#: A kind is of use where it has at most this share of the buckets of the next finer one.
_WORTH_IT = 0.7
_HOURS_PER_YEAR = (8760, 8784)
#: Any year without a 29th of February, for the months of numbered hours.
_SOME_YEAR = "2001-01-01"
_JOINED = "chr(31)"
_YEAR_FACTOR = 1_000_000


@dataclass(frozen=True)
class Times:
    """How a dataset tells time.

    ``keys`` are SQL, one for each table of records, of what stands in the column ``key`` of the
    table ``step``; ``kinds`` the kinds of buckets there are, from coarse to fine; ``hours`` the
    length of a step, NaN where that is not known.
    """

    kind: str
    keys: tuple[str, ...]
    kinds: tuple[str, ...]
    steps: int
    hours: float


def build_times(connection: duckdb.DuckDBPyConnection, records: Sequence[RecordTable]) -> Times:
    """Make the tables ``step`` and ``bucket`` from the times in the records.

    Raises ``UnreadableFileError`` for times of several sorts.
    """
    found = records[0].found if records else {}
    kind, keys = _keys(connection, records)
    distinct = _distinct(connection, records, keys)
    if kind == "timestamp":
        steps = _of_timestamps(distinct)
    elif kind == "hour":
        steps = _of_hours(distinct, with_year="year" in found)
    else:
        steps = _of_timeslices(distinct, with_year="year" in found)
    hours = _step_hours(kind, steps)
    buckets, kinds = _buckets(steps)
    connection.register("steps_read", steps)
    connection.execute(
        "CREATE TABLE step AS SELECT step::INTEGER AS step, key, label, start::TIMESTAMP AS start,"
        " day::INTEGER AS day, week::INTEGER AS week, month::INTEGER AS month,"
        " year::INTEGER AS year FROM steps_read ORDER BY step"
    )
    connection.unregister("steps_read")
    connection.register("buckets_read", buckets)
    connection.execute(
        "CREATE TABLE bucket AS SELECT kind, number::INTEGER AS number, label,"
        " first_step::INTEGER AS first_step, last_step::INTEGER AS last_step"
        " FROM buckets_read ORDER BY kind, number"
    )
    connection.unregister("buckets_read")
    return Times(kind, tuple(keys), kinds, len(steps), hours)


# ---------------------------------------------------------------------------- which sort


def _keys(
    connection: duckdb.DuckDBPyConnection, records: Sequence[RecordTable]
) -> tuple[str, list[str]]:
    """Return the sort of time, and SQL of the key in each table."""
    kinds = {_sort_of(connection, table) for table in records}
    if len(kinds) > 1:
        raise UnreadableFileError(
            records[-1].file.shown,
            f"its times are of another sort ({' and '.join(sorted(kinds))}) than those of"
            f" {records[0].file.shown}",
            "one sort of time: timestamps, numbers of hours, or years and timeslices",
        )
    kind = next(iter(kinds), "timeslice")
    return kind, [_key_of(table, kind) for table in records]


def _sort_of(connection: duckdb.DuckDBPyConnection, table: RecordTable) -> str:
    column = table.found.get("time")
    if column is None:
        return "timeslice"
    kind = table.relation.types[column]
    if kind.startswith(("TIMESTAMP", "DATE")):
        return "timestamp"
    if is_number(table.relation, column):
        return "hour"
    sql = table.relation.columns[column]
    [(texts, times, numbers, example)] = connection.execute(
        f"SELECT count(*), count(try_cast(t AS TIMESTAMP)), count(try_cast(t AS BIGINT)),"
        " min(t) FILTER (try_cast(t AS TIMESTAMP) IS NULL)"
        f" FROM (SELECT DISTINCT {sql}::VARCHAR AS t FROM {table.relation.sql}"
        f" WHERE {sql} IS NOT NULL)",
        table.relation.parameters,
    ).fetchall()
    if texts and numbers == texts:
        return "hour"
    if texts and times == texts:
        return "timestamp"
    if times > texts / 2:
        raise UnreadableFileError(
            table.file.shown,
            f"{example!r} in the column {column!r} is no time, {times:,} others are",
            "times such as 2030-01-01 13:00",
        )
    return "timeslice"


def _key_of(table: RecordTable, kind: str) -> str:
    relation = table.relation
    columns = {
        name: relation.columns[table.found[name]]
        for name in ("time", "year", "timeslice")
        if name in table.found
    }
    if kind == "timestamp":
        time = columns["time"]
        if relation.types[table.found["time"]] == "TIMESTAMP WITH TIME ZONE":
            return f"make_timestamp(epoch_us({time}))"
        return f"try_cast({time} AS TIMESTAMP)"
    if kind == "hour":
        hour = f"try_cast({columns['time']} AS BIGINT)"
        if "year" not in columns:
            return hour
        return f"(try_cast({columns['year']} AS BIGINT) * {_YEAR_FACTOR} + {hour})"
    parts = [
        f"trim({columns[name]}::VARCHAR)"
        for name in ("year", "time", "timeslice")
        if name in columns
    ]
    return f" || {_JOINED} || ".join(parts) if parts else "''"


def _distinct(
    connection: duckdb.DuckDBPyConnection, records: Sequence[RecordTable], keys: Sequence[str]
) -> pd.Series:
    """Return the different times of all records, sorted, those without aside."""
    found: list[pd.Series] = []
    for table, key in zip(records, keys, strict=True):
        frame = connection.execute(
            f"SELECT DISTINCT {key} AS key FROM {table.relation.sql} WHERE {key} IS NOT NULL",
            table.relation.parameters,
        ).df()
        found.append(frame["key"])
    if not found:
        return pd.Series([""], dtype=object)
    together = pd.concat(found, ignore_index=True).drop_duplicates()
    return together.sort_values(ignore_index=True)


# ---------------------------------------------------------------------------- steps


def _number(values: pd.Series) -> pd.Series:
    """Number runs of equal values from 0."""
    return (values != values.shift()).cumsum() - 1


def _of_timestamps(times: pd.Series) -> pd.DataFrame:
    day = times.dt.floor("D")
    month = times.dt.to_period("M")
    has_clock = bool((times != day).any())
    return pd.DataFrame(
        {
            "step": np.arange(len(times)),
            "key": times,
            "label": times.dt.strftime("%Y-%m-%d %H:%M" if has_clock else "%Y-%m-%d"),
            "start": times,
            "day": _number(day),
            "day_label": day.dt.strftime("%Y-%m-%d"),
            "week": _number(day - pd.to_timedelta(day.dt.weekday, unit="D")),
            "week_label": day.dt.strftime("%G week %V"),
            "month": _number(month),
            "month_label": times.dt.strftime("%Y-%m"),
            "year": _number(times.dt.year),
            "year_label": times.dt.strftime("%Y"),
        }
    )


def _of_hours(keys: pd.Series, *, with_year: bool) -> pd.DataFrame:
    number = keys.astype("int64")
    year = number // _YEAR_FACTOR if with_year else pd.Series(0, index=keys.index)
    hour = number - year * _YEAR_FACTOR if with_year else number
    last = int(hour.max()) if len(hour) else 0
    # Hours are counted from 0 or from 1: who counts to 8760 begins with 1.
    first = (
        1 if len(hour) and hour.min() > 0 and (hour.min() == 1 or last in _HOURS_PER_YEAR) else 0
    )
    passed = hour - first
    before = year.astype(str) + " " if with_year else pd.Series("", index=keys.index)
    within_year = len(hour) > 0 and passed.min() >= 0 and passed.max() < _HOURS_PER_YEAR[1]
    date = pd.Timestamp(_SOME_YEAR) + pd.to_timedelta(passed if within_year else 0 * passed, "h")
    month = date.dt.strftime("%B")
    return pd.DataFrame(
        {
            "step": np.arange(len(keys)),
            "key": keys,
            "label": before + "hour " + hour.astype(str),
            "start": pd.Series(pd.NaT, index=keys.index),
            "day": _number(year * _YEAR_FACTOR + passed // 24),
            "day_label": before + "day " + (passed // 24 + 1).astype(str),
            "week": _number(year * _YEAR_FACTOR + passed // 168),
            "week_label": before + "week " + (passed // 168 + 1).astype(str),
            "month": _number(before + month) if within_year else 0,
            "month_label": before + month,
            "year": _number(year),
            "year_label": year.astype(str) if with_year else "all hours",
        }
    )


def _of_timeslices(keys: pd.Series, *, with_year: bool) -> pd.DataFrame:
    texts = keys.astype(str)
    year = texts.str.split("\x1f").str[0] if with_year else pd.Series("", index=keys.index)
    return pd.DataFrame(
        {
            "step": np.arange(len(keys)),
            "key": keys,
            "label": texts.str.replace("\x1f", " ", regex=False),
            "start": pd.Series(pd.NaT, index=keys.index),
            **{name: pd.Series(0, index=keys.index) for name in ("day", "week", "month")},
            "year": _number(year),
            "year_label": year if with_year else "all times",
        }
    )


def _step_hours(kind: str, steps: pd.DataFrame) -> float:
    if kind == "hour":
        return 1.0
    if kind == "timestamp" and len(steps) > 1:
        return float(steps["start"].diff().min() / pd.Timedelta(hours=1))
    return float("nan")


# ---------------------------------------------------------------------------- buckets


def _buckets(steps: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the buckets of all kinds that are of use, and those kinds from coarse to fine."""
    kinds = ["step"]
    frames = []
    count = len(steps)
    for kind in ("day", "week", "month", "year"):
        number = int(steps[kind].max()) + 1 if len(steps) else 0
        if 1 < number <= _WORTH_IT * count:
            grouped = steps.groupby(kind)
            frames.append(
                pd.DataFrame(
                    {
                        "kind": kind,
                        "number": np.arange(number),
                        "label": grouped[f"{kind}_label"].first().to_numpy(),
                        "first_step": grouped["step"].min().to_numpy(),
                        "last_step": grouped["step"].max().to_numpy(),
                    }
                )
            )
            kinds.insert(0, kind)
            count = number
    labels = steps["year_label"]
    whole = "all times" if not len(labels) else str(labels.iloc[0])
    if len(labels) and labels.iloc[-1] != labels.iloc[0]:
        whole = f"{labels.iloc[0]}–{labels.iloc[-1]}"
    frames.append(
        pd.DataFrame(
            {
                "kind": ["all"],
                "number": [0],
                "label": [whole],
                "first_step": [0],
                "last_step": [max(len(steps) - 1, 0)],
            }
        )
    )
    return pd.concat(frames, ignore_index=True), ("all", *kinds)
