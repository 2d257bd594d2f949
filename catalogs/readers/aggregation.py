"""Finding out what a total is the sum of, where a file gives totals but not their parts.

Models put the same tonne of CO2 under several commodities; a total (COM_AGG parent, process
``-``) is the sum of some of them. Without TIMES' COM_AGG its parts can still be told where just
one choice of commodities gives the total in every region and year. Of two commodities that have
the same figures everywhere, either will do for the total: the one of more processes is taken,
because it says more.
"""

from __future__ import annotations

from collections import defaultdict

import duckdb
import numpy as np
from numpy.typing import NDArray

from catalogs.readers.base import report

#: Above so many commodities, too many choices could fit by accident (and take too long).
_MOST_PARTS = 16
#: Figures in such files are rounded to six decimals.
_TOLERANCE = 1e-6
#: With fewer figures to compare, a fit may be an accident.
_FEWEST_FIGURES = 3


def parts_of_total(total: NDArray[np.float64], candidates: NDArray[np.float64]) -> list[int] | None:
    """Return which rows of ``candidates`` (parts x figures) add up to ``total`` (figures).

    None where no choice of at least two does, or several do. Rows of zeros never take part; of
    rows that are the same, only the first does.

    >>> parts_of_total(np.array([3.0, 7.0, 5.0]), np.array([[1, 2, 3], [2, 5, 2], [3, 1, 1.0]]))
    [0, 1]
    """
    used = _distinct(candidates)
    if not 2 <= len(used) <= _MOST_PARTS or len(total) < _FEWEST_FIGURES:
        return None
    choices = (np.arange(2 ** len(used))[:, None] >> np.arange(len(used))) & 1
    off = np.abs(choices @ candidates[used] - total)
    allowed = _TOLERANCE * (np.abs(total) + np.abs(candidates[used]).sum(axis=0)) + _TOLERANCE
    fitting = np.flatnonzero((off <= allowed).all(axis=1) & (choices.sum(axis=1) > 1))
    if len(fitting) != 1:
        return None
    return [int(used[place]) for place in np.flatnonzero(choices[fitting[0]])]


def _distinct(candidates: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which rows are not all zero and not the same as one before them."""
    used: list[int] = []
    for place, row in enumerate(candidates):
        allowed = _TOLERANCE * (1 + np.abs(row))
        if (np.abs(row) > _TOLERANCE).any() and not any(
            (np.abs(row - candidates[other]) <= allowed).all() for other in used
        ):
            used.append(place)
    return np.array(used, dtype=np.intp)


def infer_aggregations(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``commodity_aggregation`` from ``raw_result`` where totals leave one answer.

    Totals are the production of process ``-`` and the net production of the whole system
    (VAR_Comnet); parts are emissions whose code has that of the total in it.
    """
    rows = connection.execute(
        """
        SELECT commodity, region, year, process = '-' OR attribute = 'VAR_Comnet' AS is_total,
            sum(if(attribute = 'VAR_FIn', -value, value)),
            any_value(processes)
        FROM raw_result
        JOIN (
            SELECT commodity, count(DISTINCT process) AS processes FROM raw_result GROUP BY ALL
        ) USING (commodity)
        SEMI JOIN (FROM commodity_set WHERE set_name = 'ENV') USING (region, commodity)
        WHERE attribute IN ('VAR_FIn', 'VAR_FOut', 'VAR_Comnet') AND isfinite(value)
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    totals: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    parts: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    processes: dict[str, int] = {}
    for commodity, region, year, is_total, value, count in rows:
        processes[commodity] = count
        (totals if is_total else parts)[commodity][region, year] = value
    for parent, figures in totals.items():
        if parent in parts:
            continue
        names = sorted((n for n in parts if parent in n), key=lambda n: (-processes[n], n))
        places = sorted(figures)
        candidates = np.array([[parts[n].get(place, 0.0) for place in places] for n in names])
        found = parts_of_total(
            np.array([figures[place] for place in places]),
            candidates.reshape(len(names), len(places)),
        )
        if found:
            _store(parent, sorted(names[place] for place in found), places, file, connection)


def _store(
    parent: str,
    children: list[str],
    places: list[tuple[str, str]],
    file: str,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    regions = sorted({region for region, _ in places})
    connection.executemany(
        "INSERT INTO commodity_aggregation VALUES (?, ?, ?, 1.0)",
        [(region, parent, child) for region in regions for child in children],
    )
    message = f"{parent} is the sum of {', '.join(children)}: no other choice gives its figures"
    report(connection, "info", "inferred", message, file=file, count=len(children))
