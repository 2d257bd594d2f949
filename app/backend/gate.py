"""The gate: lets exactly one SELECT through, and in it only tables and functions that are named.

DuckDB's own parser reads the text (``extract_statements``, ``json_serialize_sql``), and what it
read is walked node by node. Whatever kind of node, table or function is not on a list is refused,
so what a later DuckDB can do besides is refused as well. The gate is not all there is: the worker
it runs in can open, write and reach nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import duckdb

from app.backend.refusals import at_offset, from_duckdb
from catalogs.sql.functions import ALLOWED, ALLOWED_IN_FROM, words
from catalogs.sql.service import SqlRefused

_FUNCTIONS = frozenset(name.lower() for name in ALLOWED)
_TABLE_FUNCTIONS = frozenset(name.lower() for name in ALLOWED_IN_FROM)

#: Kinds of nodes that may occur, by DuckDB's names: of queries, tables, modifiers, expressions.
_NODES = words(
    """
    SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE BASE_TABLE EMPTY EXPRESSION_LIST
    JOIN PIVOT SHOW_REF SUBQUERY TABLE_FUNCTION DISTINCT_MODIFIER LIMIT_MODIFIER
    LIMIT_PERCENT_MODIFIER ORDER_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING ARRAY_EXTRACT
    ARRAY_SLICE STRUCT_EXTRACT ARRAY_CONSTRUCTOR CASE_EXPR COLLATE COLUMN_REF COMPARE_BETWEEN
    COMPARE_NOT_BETWEEN COMPARE_DISTINCT_FROM COMPARE_NOT_DISTINCT_FROM COMPARE_EQUAL
    COMPARE_NOTEQUAL COMPARE_GREATERTHAN COMPARE_GREATERTHANOREQUALTO COMPARE_LESSTHAN
    COMPARE_LESSTHANOREQUALTO COMPARE_IN COMPARE_NOT_IN CONJUNCTION_AND CONJUNCTION_OR FUNCTION
    GROUPING_FUNCTION LAMBDA LAMBDA_REF OPERATOR_CAST OPERATOR_COALESCE OPERATOR_IS_NULL
    OPERATOR_IS_NOT_NULL OPERATOR_NOT OPERATOR_NULLIF OPERATOR_TRY OPERATOR_UNPACK
    POSITIONAL_REFERENCE STAR TYPE VALUE_CONSTANT VALUE_DEFAULT VALUE_PARAMETER VALUE_NULL
    WINDOW_AGGREGATE WINDOW_CUME_DIST WINDOW_FILL WINDOW_FIRST_VALUE WINDOW_LAG
    WINDOW_LAST_VALUE WINDOW_LEAD WINDOW_NTH_VALUE WINDOW_NTILE WINDOW_PERCENT_RANK WINDOW_RANK
    WINDOW_RANK_DENSE WINDOW_ROW_NUMBER
    """
)
#: DESCRIBE, SUMMARIZE and SHOW of a table; and the names of all of them.
_SHOWN = frozenset({"DESCRIBE", "SUMMARY", "SHOW"})
_ALL_TABLES = '"tables"'

#: What may stand before a statement: space and comments, those in /* */ one in another.
_SPACE = re.compile(r"\s+|--[^\n]*(?:\n|$)")
_EXPLAIN = re.compile(r"EXPLAIN\b", re.IGNORECASE)
_ANALYZE = re.compile(r"ANALY[ZS]E\b", re.IGNORECASE)

_ONE_SELECT = (
    "One statement is run at a time: a SELECT (or FROM, VALUES, DESCRIBE, SUMMARIZE, EXPLAIN)."
)
_WRITES = "The data here can be read, not changed."


@dataclass(frozen=True)
class Passed:
    """A statement that the gate let through.

    ``sql`` is the SELECT, which begins ``start`` characters into the visitor's text; ``parameters``
    are the names of its parameters; ``explains`` says whether its plan is asked for, not its rows.
    """

    sql: str
    parameters: frozenset[str]
    explains: bool = False
    start: int = 0

    @property
    def to_run(self) -> str:
        """What is run."""
        return f"EXPLAIN {self.sql}" if self.explains else self.sql


@dataclass
class Gate:
    """The gate of one dataset.

    ``tables`` are the names that may be read, ``reserved`` those of DuckDB's own tables, which a
    WITH must not take: outside of it the name would mean DuckDB's table. ``known`` are all
    functions that DuckDB has, so that a misspelt one is not called forbidden.
    """

    connection: duckdb.DuckDBPyConnection
    tables: Collection[str]
    reserved: Collection[str] = field(default=frozenset())
    known: Collection[str] = field(default=frozenset())

    def check(self, sql: str) -> Passed:
        """Return the statement to run. Raises ``SqlRefused``."""
        if "\0" in sql:
            raise SqlRefused("syntax", "The text holds a zero byte, so it is not SQL.")
        statement = self._one_statement(sql)
        if statement.type == duckdb.StatementType.EXPLAIN:
            return self._check_explain(sql, statement)
        self._check_select(statement.query, statement.type)
        return Passed(_without_end(statement.query), _named(statement))

    def _one_statement(self, sql: str) -> duckdb.Statement:
        try:
            statements = self.connection.extract_statements(sql)
        except duckdb.Error as error:
            raise from_duckdb(error, sql) from error
        if not statements:
            raise SqlRefused("not_a_select", "There is no SQL to run.", "Write a SELECT.")
        if len(statements) > 1:
            raise SqlRefused(
                "not_a_select",
                f"These are {len(statements)} statements; one is run at a time.",
                "Run the statement at the cursor, or put them into one with WITH or UNION ALL.",
            )
        return statements[0]

    def _check_explain(self, sql: str, statement: duckdb.Statement) -> Passed:
        start = _after_explain(sql)
        inner_text = sql[start:]
        try:
            inner = self._one_statement(inner_text)
            self._check_select(inner.query, inner.type)
        except SqlRefused as refusal:
            raise moved(refusal, sql, start) from refusal
        return Passed(_without_end(inner.query), _named(inner), explains=True, start=start)

    def _check_select(self, sql: str, kind: duckdb.StatementType) -> None:
        if kind == duckdb.StatementType.MULTI:
            raise SqlRefused(
                "not_a_select",
                "A PIVOT that finds its own columns is more than one statement.",
                "Name the columns: PIVOT result ON year IN (2030, 2050) USING sum(value).",
            )
        if kind != duckdb.StatementType.SELECT:
            raise SqlRefused(
                "not_a_select", f"{_name_of(kind)} is not a SELECT. {_WRITES}", _ONE_SELECT
            )
        try:
            read = self.connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
            tree = json.loads(read[0][0])
        except RecursionError as error:
            raise SqlRefused(
                "size", "The query is nested too deeply.", "Split it with WITH."
            ) from error
        if tree.get("error"):
            raise SqlRefused(
                "not_a_select",
                f"This cannot be run here. {_WRITES}",
                _ONE_SELECT,
                details=str(tree.get("error_message", "")),
            )
        try:
            self._walk(tree["statements"], sql)
        except RecursionError as error:
            raise SqlRefused(
                "size", "The query is nested too deeply.", "Split it with WITH."
            ) from error

    def _walk(self, tree: Any, sql: str) -> None:
        nodes = list(_nodes(tree))
        named = self._names_of_with(nodes)
        for node in nodes:
            kind = node.get("type")
            if isinstance(kind, str) and kind not in _NODES:
                raise _refused_node(kind, node, sql)
            if "function_name" in node:
                self._check_function(node, sql)
            if kind == "TABLE_FUNCTION":
                self._check_table_function(node, sql)
            elif kind == "BASE_TABLE":
                self._check_table(node, named, sql)
            elif kind == "SHOW_REF":
                self._check_shown(node, named, sql)

    def _names_of_with(self, nodes: list[dict[str, Any]]) -> set[str]:
        named = {
            str(entry["key"]).lower()
            for node in nodes
            if isinstance(cte_map := node.get("cte_map"), dict)
            for entry in cte_map.get("map", ())
        }
        named |= {str(node["cte_name"]).lower() for node in nodes if node.get("cte_name")}
        if taken := sorted(named.intersection(self.reserved)):
            raise SqlRefused(
                "forbidden",
                f"WITH cannot name a query {taken[0]!r}: DuckDB has a table of that name.",
                "Choose another name.",
            )
        return named

    def _check_function(self, node: dict[str, Any], sql: str) -> None:
        name = str(node["function_name"])
        if name.lower() in _FUNCTIONS or name.lower() in _TABLE_FUNCTIONS:
            return
        refusal = SqlRefused(
            "forbidden",
            f"The function {name} cannot be used here.",
            "Functions that work on values can be used; those that read files, settings or the"
            " system cannot.",
        )
        if self.known and name.lower() not in self.known:
            hint = _nearest(name, _FUNCTIONS, "")
            refusal = SqlRefused("syntax", f"There is no function {_short(name)}.", hint)
        raise at_offset(refusal, sql, node.get("query_location"))

    def _check_table_function(self, node: dict[str, Any], sql: str) -> None:
        function = node.get("function") or {}
        name = str(function.get("function_name", "?"))
        if name.lower() not in _TABLE_FUNCTIONS:
            raise at_offset(
                SqlRefused(
                    "forbidden",
                    f"FROM {name}(...) cannot be used here: only the tables of the dataset can be"
                    " read.",
                    f"Of table functions there are {', '.join(sorted(_TABLE_FUNCTIONS))}.",
                ),
                sql,
                node.get("query_location"),
            )

    def _check_table(self, node: dict[str, Any], named: set[str], sql: str) -> None:
        *place, name = [str(part).lower() for part in node["qualified_name"]["path"]] or [""]
        allowed = name in self.tables or name in named
        if allowed and (
            not place or place == ["main"] or (place == ["recurring"] and name in named)
        ):
            return
        shown = ".".join(node["qualified_name"]["path"])
        raise at_offset(self._no_table(shown), sql, node.get("query_location"))

    def _check_shown(self, node: dict[str, Any], named: set[str], sql: str) -> None:
        name = str(node.get("table_name") or "").lower()
        if node.get("show_type") == "SHOW_SPECIAL" and name == _ALL_TABLES:
            return
        if node.get("show_type") in _SHOWN and (
            (node.get("query") and not name) or name in self.tables
        ):
            return
        raise SqlRefused(
            "forbidden",
            "This cannot be shown here.",
            "SHOW TABLES names the tables, DESCRIBE result shows the columns of one.",
        )

    def _no_table(self, name: str) -> SqlRefused:
        if re.search(r"[/\\.*]|://", name):
            return SqlRefused(
                "forbidden",
                f"{_short(name)!r} cannot be read: only the tables of the dataset can.",
                "SHOW TABLES names them. Files are imported with python -m catalogs import.",
            )
        if name.lower() in self.reserved:
            return SqlRefused(
                "forbidden",
                f"DuckDB's own table {name} cannot be read.",
                "SHOW TABLES names the tables, DESCRIBE result shows the columns of one.",
            )
        return SqlRefused(
            "syntax",
            f"There is no table {_short(name)!r}.",
            _nearest(name, self.tables, "SHOW TABLES names those there are."),
        )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Give all nodes of a tree, parents first; without recursion, however deep it is."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            waiting.extend(reversed(item))


def _refused_node(kind: str, node: dict[str, Any], sql: str) -> SqlRefused:
    for word in ("INSERT", "UPDATE", "DELETE", "MERGE"):
        if kind.startswith(word):
            return SqlRefused("not_a_select", f"{word} is not a SELECT. {_WRITES}", _ONE_SELECT)
    words = kind.lower().replace("_", " ")
    return at_offset(
        SqlRefused("forbidden", f"This kind of expression ({words}) cannot be used here."),
        sql,
        node.get("query_location"),
    )


def _after_explain(sql: str) -> int:
    """Return where the statement begins that an EXPLAIN explains."""
    position = _EXPLAIN.match(sql, at := _skipped(sql, 0))
    if not position:
        raise SqlRefused("not_a_select", "This cannot be explained.", _ONE_SELECT)
    at = _skipped(sql, position.end())
    if analyze := _ANALYZE.match(sql, at):
        raise at_offset(
            SqlRefused(
                "not_a_select",
                "EXPLAIN ANALYZE runs the query and cannot be used here.",
                "Write EXPLAIN to see the plan, or run the query.",
            ),
            sql,
            len(sql[: analyze.start()].encode()),
        )
    if sql[at : at + 1] == "(":
        raise SqlRefused(
            "not_a_select", "EXPLAIN takes no options here.", "Write EXPLAIN and the query."
        )
    return at


def _skipped(sql: str, at: int) -> int:
    """Return where space and comments end."""
    while at < len(sql):
        if space := _SPACE.match(sql, at):
            at = space.end()
        elif sql.startswith("/*", at):
            at = _after_comment(sql, at)
        else:
            break
    return at


def _after_comment(sql: str, at: int) -> int:
    depth = 0
    for mark in re.finditer(r"/\*|\*/", sql[at:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(sql)


def moved(refusal: SqlRefused, sql: str, start: int) -> SqlRefused:
    """Count the line and column of a refusal from the beginning of the whole text."""
    if refusal.line is None:
        return refusal
    before = sql[:start]
    if refusal.line == 1 and refusal.column is not None:
        refusal.column += len(before) - (before.rfind("\n") + 1)
    refusal.line += before.count("\n")
    return refusal


def _without_end(sql: str) -> str:
    return sql.rstrip().rstrip(";").rstrip() if sql.rstrip().endswith(";") else sql


def _named(statement: duckdb.Statement) -> frozenset[str]:
    names = frozenset(statement.named_parameters)
    if numbered := sorted(name for name in names if name.isdigit()):
        raise SqlRefused(
            "parameter",
            f"The parameter {'?' if numbered[0] == '1' else '$' + numbered[0]} has no name.",
            "Give each parameter a name: $year.",
        )
    return names


def _name_of(kind: duckdb.StatementType) -> str:
    return str(kind).rsplit(".", 1)[-1].replace("_", " ")


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:57]}..."


def _nearest(name: str, names: Collection[str], otherwise: str) -> str:
    near = get_close_matches(name.lower()[:60], names, n=1)
    return f"Did you mean {near[0]}?" if near else otherwise
