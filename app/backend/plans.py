"""Plans: how DuckDB would answer a query, as a tree in plain words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from app.backend.gate import Passed
from catalogs.sql.service import SqlRefused

_WORDS = {
    "SEQ_SCAN": "Read a table",
    "TABLE_SCAN": "Read a table",
    "COLUMN_DATA_SCAN": "Read rows kept before",
    "CTE_SCAN": "Read a query of WITH",
    "DELIM_SCAN": "Read values of the outer query",
    "RECURSIVE_CTE_SCAN": "Read what the last round gave",
    "DUMMY_SCAN": "One row without a table",
    "EMPTY_RESULT": "No rows",
    "EXPRESSION_SCAN": "Rows of VALUES",
    "FILTER": "Keep rows",
    "PROJECTION": "Work out columns",
    "HASH_GROUP_BY": "Group",
    "PERFECT_HASH_GROUP_BY": "Group",
    "PARTITIONED_AGGREGATE": "Group",
    "UNGROUPED_AGGREGATE": "Work out totals",
    "SIMPLE_AGGREGATE": "Work out totals",
    "STREAMING_LIMIT": "Take the first rows",
    "LIMIT": "Take the first rows",
    "LIMIT_PERCENT": "Take a share of the rows",
    "ORDER_BY": "Sort",
    "TOP_N": "Sort and take the first rows",
    "HASH_JOIN": "Join",
    "NESTED_LOOP_JOIN": "Join, each row with each",
    "BLOCKWISE_NL_JOIN": "Join, each row with each",
    "PIECEWISE_MERGE_JOIN": "Join by order",
    "IE_JOIN": "Join by ranges",
    "ASOF_JOIN": "Join with the nearest",
    "CROSS_PRODUCT": "Every row with every other",
    "POSITIONAL_JOIN": "Join by position",
    "LEFT_DELIM_JOIN": "Join with a subquery",
    "RIGHT_DELIM_JOIN": "Join with a subquery",
    "UNION": "One after the other",
    "WINDOW": "Work out over windows of rows",
    "STREAMING_WINDOW": "Work out over windows of rows",
    "UNNEST": "A row for each member of a list",
    "INOUT_FUNCTION": "Rows of a function",
    "PIVOT": "Turn rows into columns",
    "CTE": "Keep a query of WITH",
    "RECURSIVE_CTE": "Repeat until nothing new comes",
    "REC_CTE": "Repeat until nothing new comes",
    "RESERVOIR_SAMPLE": "Take a sample",
    "STREAMING_SAMPLE": "Take a sample",
}
_ROWS = "Estimated Cardinality"


def plan_of(
    cursor: duckdb.DuckDBPyConnection, passed: Passed, given: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """Return the plan of a query, as ``service.Operator`` has it, and DuckDB's drawing of it."""
    sql, parameters = passed.sql, dict(given)
    drawn = cursor.execute(f"EXPLAIN {sql}", parameters).fetchall()
    parts = cursor.execute(f"EXPLAIN (FORMAT json) {sql}", parameters).fetchall()
    try:
        tree = json.loads(parts[0][1])
        root = _operator(tree[0])
    except (IndexError, KeyError, ValueError, RecursionError) as error:
        raise SqlRefused("size", "The plan of this query is too large to be shown.") from error
    return root, "\n".join(text for _, text in drawn)


def _operator(node: Mapping[str, Any]) -> dict[str, Any]:
    name = str(node.get("name", "")).strip()
    extra = dict(node.get("extra_info") or {})
    rows = str(extra.pop(_ROWS, "")).replace("~", "").strip()
    details = []
    for what, how in extra.items():
        text = ", ".join(str(one) for one in how) if isinstance(how, list) else str(how)
        if text.strip():
            details.append((what.strip() or "Expression", text.strip()))
    return {
        "name": _WORDS.get(name, name.capitalize().replace("_", " ")),
        "operator": name,
        "details": details,
        "rows": int(rows) if rows.isdigit() else None,
        "children": [_operator(child) for child in node.get("children", ())],
    }
