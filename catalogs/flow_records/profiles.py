"""Profiles: what flows between two places, or on a line, over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from catalogs.errors import UnknownNameError
from catalogs.flow_records.pyramid import cheapest, rows_of

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords


@dataclass(frozen=True)
class Profile:
    """What is asked for; see ``FlowRecords.profile``."""

    origin: str = ""
    destination: str = ""
    commodity: str = ""
    line: str = ""
    kind: str = "step"
    level: int = -1
    first: int = 0
    last: int = -1


def read_profile(records: FlowRecords, asked: Profile) -> pd.DataFrame:
    """Return the frame of ``FlowRecords.profile``. Raises ``UnknownNameError``."""
    origin, destination, kind = asked.origin, asked.destination, asked.kind
    if kind not in records.about.kinds:
        raise UnknownNameError(
            f"Time has no {kind!r} here.", f"It has {', '.join(records.about.kinds)}."
        )
    last = len(records.steps) - 1 if asked.last < 0 else asked.last
    level = len(records.levels) - 1 if asked.level < 0 else asked.level
    source = cheapest(records.stored, level, kind)
    bound: dict[str, object] = {"first": asked.first, "last": last}
    rows = rows_of(source, level, kind, lines=bool(asked.line))
    if asked.line:
        bound["line"] = _number(records, "line", asked.line)
        chosen = [f"SELECT *, true AS onward FROM ({rows}) WHERE line = $line"]
    else:
        bound["origin"] = _place(records, level, origin)
        bound["destination"] = _place(records, level, destination)
        of_commodity = ""
        if asked.commodity:
            bound["commodity"] = _number(records, "commodity", asked.commodity)
            of_commodity = " AND commodity = $commodity"
        # Two questions and not one with OR, so that only the blocks of these pairs are read.
        chosen = [
            f"SELECT *, {onward} AS onward FROM ({rows})"
            f" WHERE origin = ${start} AND destination = ${end}{of_commodity}"
            for onward, start, end in (
                ("true", "origin", "destination"),
                *(() if origin == destination else (("false", "destination", "origin"),)),
            )
        ]
    times = (
        "SELECT step AS number, label, start, step AS first_step, step AS last_step FROM step"
        if kind == "step"
        else "SELECT number, b.label, s.start, first_step, last_step FROM bucket AS b"
        " JOIN step AS s ON s.step = b.first_step WHERE kind = $kind"
    )
    if kind != "step":
        bound["kind"] = kind
    return records.sql(
        "SELECT label, start, sum(CASE WHEN onward THEN forward ELSE backward END) AS value,"
        " sum(CASE WHEN onward THEN backward ELSE forward END) AS back,"
        " sum(records)::BIGINT AS records"
        f" FROM ({' UNION ALL '.join(chosen)}) AS r JOIN ({times}) AS t ON t.number = r.bucket"
        " WHERE t.first_step >= $first AND t.last_step <= $last"
        " GROUP BY number, label, start ORDER BY number",
        bound,
    )


def _place(records: FlowRecords, level: int, name: str) -> int:
    found = records.rows(
        "SELECT place FROM place WHERE level = $level AND id = $id",
        {"level": level, "id": name},
    )
    if not found:
        raise UnknownNameError(
            f"There is no place {name!r} at the level {records.levels[level]!r}.",
            "Take ids from the map's places.",
        )
    return int(found[0][0])


def _number(records: FlowRecords, kind: str, name: str) -> int:
    column = "id" if kind == "line" else "name"
    found = records.rows(f"SELECT {kind} FROM {kind} WHERE {column} = $name", {"name": name})
    if not found:
        raise UnknownNameError(f"There is no {kind} {name!r} in the dataset {records.dataset!r}.")
    return int(found[0][0])
