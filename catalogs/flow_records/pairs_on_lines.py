"""Records of pairs of places on a network: each pair on the line that joins it.

Where exactly one line joins two places, what flows between them flows on it, along its geometry and
against its capacity. Pairs that several lines join, or none, stay arrows from place to place: which
way they take is not known. From then on the records are of lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import shapely

from catalogs.flow_records.lines import Lines
from catalogs.flow_records.tables import RecordTable, as_id, commodity_of
from catalogs.readers.base import report

#: Pairs beyond which records are of no network: its lines could not be read one by one.
_MOST_PAIRS = 200_000
#: Pairs that a line of the report names.
_NAMED = 20
#: How far an arrow swings out, as a share of its length, and its points.
_BEND, _POINTS = 0.12, 16
#: Which line the records of a pair are of, and whether they run against it (-1).
PAIR_LINE = "pair_line"


def put_on_lines(
    connection: duckdb.DuckDBPyConnection, records: Sequence[RecordTable], lines: Lines
) -> Lines | None:
    """Return the lines that the records of pairs are of; None for too many pairs, or no lines.

    They are those of the table, and an arrow (``is_arrow``) for each pair and commodity that no
    single line joins. Makes the table ``pair_line``: origin, destination, commodity, line, sign.
    """
    pairs = _pairs(connection, records)
    if pairs is None or lines.table.empty:
        return None
    table = lines.table.assign(row=range(len(lines.table)), is_arrow=False)
    table["pair"] = _undirected(table)
    pairs["pair"] = _undirected(pairs)
    joining = table.groupby("pair")["row"].agg(["size", "first"])
    single = joining.loc[joining["size"] == 1, "first"]
    pairs["row"] = pairs["pair"].map(single)
    _report(connection, pairs, set(joining.index[joining["size"] > 1]))
    # A pair of several commodities has its line once for each of them.
    made = pairs.drop_duplicates(["pair", "commodity"]).copy()
    is_told = "commodity" in records[0].found
    several = made.groupby("pair")["commodity"].transform("size") > 1
    on_line = made["row"].notna()
    row = made["row"].fillna(0).astype(int).to_numpy()
    name = np.where(
        on_line, table["line"].to_numpy(object)[row], made["origin"] + "–" + made["destination"]
    )
    made["line"] = np.where(several, name + " · " + made["commodity"], name)
    made["name"] = made["line"]
    made["capacity"] = np.where(on_line, table["capacity"].to_numpy(float)[row], np.nan)
    for end in ("origin", "destination"):
        made[end] = np.where(on_line, table[end].to_numpy(object)[row], made[end])
    own = np.where(on_line, table["category"].to_numpy(object)[row], made["commodity"])
    made["category"] = made["commodity"] if is_told else own
    made["is_arrow"] = ~on_line
    geometry = (
        np.where(on_line, lines.geometry[row], None) if len(table) else np.full(len(made), None)
    )
    unused = table[~table["row"].isin(made["row"].dropna())]
    _number(connection, pairs, made)
    together = pd.concat([made, unused], ignore_index=True)
    columns = [*lines.table.columns, "is_arrow"]
    shapes = np.concatenate([geometry, lines.geometry[unused["row"].to_numpy(int)]])
    return Lines(together[columns], shapes, lines.capacity_unit)


def _pairs(
    connection: duckdb.DuckDBPyConnection, records: Sequence[RecordTable]
) -> pd.DataFrame | None:
    """Return origin, destination and commodity of all records; None where there are too many."""
    parts = [
        f"SELECT {as_id(t.relation, t.found['origin'])} AS origin,"
        f" {as_id(t.relation, t.found['destination'])} AS destination,"
        f" {commodity_of(t)} AS commodity FROM {t.relation.sql}"
        for t in records
    ]
    parameters = {k: v for t in records for k, v in t.relation.parameters.items()}
    found = connection.execute(
        f"SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)})"
        " WHERE origin IS NOT NULL AND destination IS NOT NULL"
        f" ORDER BY ALL LIMIT {_MOST_PAIRS + 1}",
        parameters,
    ).df()
    return found.astype(object) if len(found) <= _MOST_PAIRS else None


def _undirected(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    ends = zip(frame["origin"], frame["destination"], strict=True)
    return [tuple(sorted(pair)) for pair in ends]


def _number(connection: duckdb.DuckDBPyConnection, pairs: pd.DataFrame, made: pd.DataFrame) -> None:
    keys = ["pair", "commodity"]
    of = pairs[["origin", "destination", *keys]].merge(
        made[["line", "origin", *keys]], on=keys, suffixes=("", "_of_line")
    )
    of["sign"] = np.where(of["origin"] == of["origin_of_line"], 1, -1)
    connection.register("pairs_read", of[["origin", "destination", "commodity", "line", "sign"]])
    connection.execute(f"CREATE TEMP TABLE {PAIR_LINE} AS FROM pairs_read")
    connection.unregister("pairs_read")


def _report(
    connection: duckdb.DuckDBPyConnection, pairs: pd.DataFrame, several: set[tuple[str, ...]]
) -> None:
    between = pairs[pairs["origin"] != pairs["destination"]].drop_duplicates("pair")
    is_on, is_double = between["row"].notna(), between["pair"].isin(list(several))
    for severity, chosen, message in (
        ("info", is_on, "pairs of places whose records are shown on the one line that joins them"),
        (
            "warning",
            is_double,
            "pairs of places that several lines join; which of them the records are of is not"
            " told, so they are drawn as arrows: ",
        ),
        (
            "warning",
            ~is_on & ~is_double,
            "pairs of places that no line joins; they are drawn as arrows: ",
        ),
    ):
        if chosen.any():
            named = _some(between.loc[chosen, "pair"]) if message.endswith(": ") else ""
            report(connection, severity, "lines", message + named, count=int(chosen.sum()))


def _some(pairs: Any) -> str:
    listed = ["–".join(pair) for pair in pairs]
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def bend(ends: Any) -> Any:
    """Return arrows between places as curves: LineStrings, None where an end is not known.

    ``ends`` has a row for each: longitude and latitude of its origin and its destination.
    """
    start, end = ends[:, :2], ends[:, 2:].copy()
    end[:, 0] = start[:, 0] + (end[:, 0] - start[:, 0] + 180.0) % 360.0 - 180.0  # the short way
    known = (
        np.isfinite(start).all(axis=1) & np.isfinite(end).all(axis=1) & (start != end).any(axis=1)
    )
    along = end - start
    # A degree of longitude is shorter than one of latitude.
    shrink = np.cos(np.radians((start[:, 1] + end[:, 1]) / 2)).clip(0.1)
    aside = np.column_stack([along[:, 1] / shrink, -along[:, 0] * shrink])
    share = np.linspace(0.0, 1.0, _POINTS)[None, :, None]
    points = start[:, None] + share * along[:, None]
    points = points + _BEND * 4 * share * (1 - share) * aside[:, None]
    found = np.full(len(ends), None, dtype=object)
    found[known] = shapely.linestrings(points[known])
    return found
