"""The SQL that gives the flows of a map, for people to read and to run again.

It runs on the tables of the dataset's file, which ``FlowRecords.sql`` reads: sums of the pyramid
(``sum_...``) or the records themselves (``flow``), numbered places, lines and commodities. What it
returns are the map's arcs with names in the place of numbers, the largest first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from catalogs.compiling import CompiledQuery
from catalogs.flow_records.query import Bounds, FlowView
from catalogs.flow_records.views import OTHER, categories_of, is_of_lines, level_of

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords


def statement_of(records: FlowRecords, view: FlowView) -> CompiledQuery:
    """Return the statement of a view whose times and names have been checked.

    Its columns are from, to (names of places), commodity, value and "other way", for lines of a
    network after their id; see ``Arcs`` for what the two values are.
    """
    return _of_lines(records, view) if is_of_lines(records, view) else _of_pairs(records, view)


def _of_pairs(records: FlowRecords, view: FlowView) -> CompiledQuery:
    level = level_of(records, view)
    rows, bound = records.rows_in(level, view.first, view.last, view.commodities)
    names, _ = categories_of(records, view)
    category = "c.name"
    if len(names) < len(view.commodities or records.commodities):
        category = "CASE WHEN c.name IN (SELECT unnest($named)) THEN c.name ELSE $other END"
        bound |= {"named": list(names[:-1]), "other": OTHER}
    bound["level"] = level
    known = "longitude IS NOT NULL AND latitude IS NOT NULL"
    where = ["origin <> destination"]
    if view.bounds is not None:
        where.append("(origin IN (FROM seen) OR destination IN (FROM seen))")
    sql = (
        "WITH place_here AS (\n  SELECT place, name FROM place"
        f" WHERE level = $level AND {known}),\n"
        f"{_seen(view.bounds, bound)}"
        f"sums AS (\n  {_lines_of(rows)}),\n"
        "pair AS (\n  SELECT least(origin, destination) AS first,"
        f" greatest(origin, destination) AS second, {category} AS commodity,\n"
        "    sum(CASE WHEN origin < destination THEN forward ELSE backward END) AS onward,\n"
        "    sum(CASE WHEN origin < destination THEN backward ELSE forward END) AS back\n"
        f"  FROM sums JOIN commodity AS c USING (commodity)\n  WHERE {' AND '.join(where)}\n"
        "  GROUP BY ALL)\n"
    )
    joined = (
        "  FROM pair JOIN place_here AS a ON a.place = first"
        " JOIN place_here AS b ON b.place = second"
    )
    if view.is_net:
        sql += (
            'SELECT CASE WHEN onward > back THEN a.name ELSE b.name END AS "from",\n'
            '    CASE WHEN onward > back THEN b.name ELSE a.name END AS "to", commodity,\n'
            '    abs(onward - back) AS value, least(onward, back) AS "other way"\n'
            f"{joined}\n  WHERE onward <> back\n"
        )
    else:
        sql += (
            'SELECT a.name AS "from", b.name AS "to", commodity, onward AS value,'
            f' back AS "other way"\n{joined} WHERE onward > 0\n'
            'UNION ALL\nSELECT b.name AS "from", a.name AS "to", commodity, back AS value,'
            f' onward AS "other way"\n{joined} WHERE back > 0\n'
        )
    sql += "ORDER BY value DESC"
    if view.largest:
        bound["largest"] = view.largest
        sql += " LIMIT $largest"
    return CompiledQuery(sql, bound)


def _seen(bounds: Bounds | None, bound: dict[str, object]) -> str:
    if bounds is None:
        return ""
    bound |= dict(zip(("west", "south", "east", "north"), bounds, strict=True))
    between = "OR" if bounds[0] > bounds[2] else "AND"
    return (
        "seen AS (\n  SELECT place FROM place WHERE level = $level AND latitude BETWEEN $south AND"
        f" $north\n    AND (longitude >= $west {between} longitude <= $east)),\n"
    )


def _of_lines(records: FlowRecords, view: FlowView) -> CompiledQuery:
    level = len(records.levels) - 1
    rows, bound = records.rows_in(level, view.first, view.last, view.commodities, lines=True)
    bound["level"] = level
    value = "abs(onward - back)" if view.is_net else "onward + back"
    where = ["n.line IN (FROM seen)"]
    if view.commodities:
        bound["shown"] = list(view.commodities)
        where.append("c.name IN (SELECT unnest($shown))")
    sql = (
        f"WITH {_seen_lines(view.bounds, bound)}"
        f"sums AS (\n  {_lines_of(rows)}),\n"
        "carried AS (\n  SELECT line, sum(forward) AS onward, sum(backward) AS back FROM sums"
        " GROUP BY line),\n"
        "every AS (\n  SELECT n.*, coalesce(onward, 0) AS onward, coalesce(back, 0) AS back\n"
        "  FROM line AS n LEFT JOIN carried USING (line)),\n"
        "place_here AS (\n  SELECT place, name FROM place WHERE level = $level)\n"
        'SELECT n.id AS line, CASE WHEN onward >= back THEN o.name ELSE d.name END AS "from",\n'
        '    CASE WHEN onward >= back THEN d.name ELSE o.name END AS "to", c.name AS commodity,\n'
        f'    {value} AS value, least(onward, back) AS "other way"\n'
        "  FROM every AS n JOIN commodity AS c USING (commodity)\n"
        "    JOIN place_here AS o ON o.place = origin\n"
        "    JOIN place_here AS d ON d.place = destination\n"
        f"  WHERE {' AND '.join(where)}\nORDER BY value DESC"
    )
    return CompiledQuery(sql, bound)


def _seen_lines(bounds: Bounds | None, bound: dict[str, object]) -> str:
    known = (
        "seen AS (\n  SELECT line FROM path WHERE detail = (SELECT max(detail) FROM path)"
        " AND NOT isnan(longitude)\n  GROUP BY line"
    )
    if bounds is None:
        return f"{known}),\n"
    bound |= dict(zip(("west", "south", "east", "north"), bounds, strict=True))
    between = "OR" if bounds[0] > bounds[2] else "AND"
    return (
        f"{known} HAVING min(latitude) <= $north AND max(latitude) >= $south\n"
        f"    AND (min(longitude) <= $east {between} max(longitude) >= $west)),\n"
    )


def _lines_of(rows: str) -> str:
    """Return the statement with each part of it in a line of its own."""
    parted = rows.replace(" UNION ALL ", "\n  UNION ALL\n  ")
    return re.sub(r" (JOIN|WHERE|FROM [a-z0-9_]+ AS f)\b", r"\n    \1", parted)
