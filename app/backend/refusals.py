"""What DuckDB says of SQL that it does not run, as refusals with a place and a hint."""

from __future__ import annotations

import json
import re
from typing import Any

import duckdb

from catalogs.sql.service import RefusalKind, SqlRefused

#: Errors by what they mean to the asker; those not named are faults of the text.
_KINDS: tuple[tuple[type[duckdb.Error], RefusalKind], ...] = (
    (duckdb.InterruptException, "cancelled"),
    (duckdb.OutOfMemoryException, "memory"),
    (duckdb.PermissionException, "forbidden"),
    (duckdb.IOException, "forbidden"),
    (duckdb.ConversionException, "data"),
    (duckdb.OutOfRangeException, "data"),
    (duckdb.ConstraintException, "data"),
    (duckdb.ParserException, "syntax"),
    (duckdb.CatalogException, "syntax"),
    (duckdb.BinderException, "syntax"),
)

#: What other databases write differently: how it looks, whose it is, what to write instead.
_DIALECTS: tuple[tuple[str, str], ...] = (
    (r"\bSELECT\s+TOP\s+\(?\d", "TOP is of SQL Server: write LIMIT 10 at the end."),
    (r"\bLIMIT\s+\d+\s*,\s*\d", "LIMIT 5, 10 is of MySQL: write LIMIT 10 OFFSET 5."),
    (r"`", '`name` is of MySQL: write "name".'),
    (r"\[\s*[A-Za-z_]\w*(?:\s\w+)*\s*\]", '[name] is of SQL Server and Access: write "name".'),
    (r"\bCONNECT\s+BY\b", "CONNECT BY is of Oracle: write WITH RECURSIVE."),
    (r"\(\+\)", "(+) is of Oracle: write LEFT JOIN."),
    (r"\bMINUS\b", "MINUS is of Oracle: write EXCEPT."),
    (r"\bROWNUM\b", "ROWNUM is of Oracle: write LIMIT, or row_number() OVER ()."),
    (r"\bFROM\s+DUAL\b", "DUAL is of Oracle: leave FROM out."),
    (r"\bNVL\s*\(", "NVL is of Oracle: write coalesce(a, b)."),
    (r"\bISNULL\s*\(", "ISNULL(a, b) is of SQL Server: write coalesce(a, b)."),
    (r"\bIIF\s*\(", "IIF is of Access and SQL Server: write if(test, a, b) or CASE."),
    (r"\bNZ\s*\(", "Nz is of Access: write coalesce(a, b)."),
    (r"\bDATEADD\s*\(", "DATEADD is of SQL Server: write date + INTERVAL 1 DAY."),
    (r"\bGETDATE\s*\(", "GETDATE() is of SQL Server: write now()."),
    (r"\bCHARINDEX\s*\(", "CHARINDEX is of SQL Server: write instr(text, part)."),
    (r"\bTO_CHAR\s*\(", "to_char is of Oracle and PostgreSQL: write strftime(date, '%Y')."),
    (r"\bTO_NUMBER\s*\(", "to_number is of Oracle: write CAST(text AS DOUBLE)."),
    (r"\bDECODE\s*\([^)]*,[^)]*,", "DECODE is of Oracle: write CASE."),
    (r"\bTRANSFORM\b.*\bPIVOT\b", "TRANSFORM is of Access: write PIVOT ... ON ... USING sum(...)."),
    (r"\bWITH\s*\(\s*NOLOCK\s*\)", "WITH (NOLOCK) is of SQL Server: leave it out."),
    (r"\bSTRAIGHT_JOIN\b", "STRAIGHT_JOIN is of MySQL: write JOIN."),
    (r"\|>", "|> is of BigQuery: write FROM ... SELECT ..., or WITH."),
    (r"\bSAFE_CAST\s*\(", "SAFE_CAST is of BigQuery: write TRY_CAST(a AS type)."),
    (r"(?<![:\w]):[A-Za-z_]\w*", "Parameters are written $year, not :year."),
    (r"@[A-Za-z_]\w*", "Parameters are written $year, not @year."),
    (r"%\([A-Za-z_]\w*\)s", "Parameters are written $year, not %(year)s."),
    (r"\{\{.*?\}\}", "Parameters are written $year, not {{year}}."),
    (
        r"^\s*\.\w+|^\s*\\\w",
        "Commands of a terminal cannot be used here: SHOW TABLES names tables.",
    ),
)
_NAME_OF_ERROR = re.compile(r"^[A-Z][A-Za-z ]* Error: ")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def from_duckdb(error: duckdb.Error, sql: str, before: int = 0) -> SqlRefused:
    """Return DuckDB's error as a refusal, with its place in ``sql``.

    ``before`` characters stood before ``sql`` in the text that DuckDB was given.
    """
    kind: RefusalKind = next((kind for known, kind in _KINDS if isinstance(error, known)), "syntax")
    parts = _parts(error)
    text = _NAME_OF_ERROR.sub("", str(parts.get("exception_message", error)).strip())
    message, _, rest = text.partition("\n")
    if kind == "syntax" and "parameter" in message and "values were not" in message.lower():
        kind = "parameter"
    hint = _hint(kind, parts, rest)
    refusal = SqlRefused(kind, _sentence(kind, message), hint, details=rest.strip())
    if "position" in parts:
        return at_offset(refusal, sql, int(parts["position"]) - before)
    return _at_caret(refusal, sql, rest)


def out_of_memory() -> SqlRefused:
    """Return what is said of a query that needed too much memory."""
    return SqlRefused("memory", _sentence("memory", ""), _hint("memory", {}, ""))


def _at_caret(refusal: SqlRefused, sql: str, text: str) -> SqlRefused:
    """Give a refusal the place that DuckDB draws: ``LINE 2: ...`` and a caret below it."""
    drawn = re.search(r"LINE (\d+): (.*)\n( *)\^", text)
    lines = sql.split("\n")
    if not drawn or not 1 <= (line := int(drawn[1])) <= len(lines):
        return refusal
    in_drawing = len(drawn[3]) - len(f"LINE {line}: ")
    shown = drawn[2].removeprefix("...")
    in_drawing -= len(drawn[2]) - len(shown)
    start = lines[line - 1].find(shown.removesuffix("..."))
    if start >= 0 and in_drawing >= 0:
        refusal.line, refusal.column = line, start + in_drawing + 1
    refusal.details = text[: drawn.start()].strip()
    return refusal


def _parts(error: duckdb.Error) -> dict[str, Any]:
    """What DuckDB says of an error where ``errors_as_json`` is set."""
    text = str(error)
    try:
        found = json.loads(text[text.index("{") :])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(kind: RefusalKind, message: str) -> str:
    if kind == "memory":
        return "The query needed more memory than a query may have."
    if kind == "cancelled":
        return "The query was stopped."
    if kind == "forbidden":
        return "Only the tables of the dataset can be read here."
    message = message[:1].upper() + message[1:]
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _hint(kind: RefusalKind, parts: dict[str, Any], rest: str) -> str:
    if kind == "memory":
        return "Ask for fewer rows or columns, or group before joining and sorting."
    if kind == "data":
        return "TRY_CAST and TRY(...) give NULL where a value does not fit."
    suggested = re.search(r"Did you mean .+", rest)
    if suggested and "pg_" not in suggested[0] and "duckdb_" not in suggested[0]:
        return suggested[0].strip()
    names = [name for name in str(parts.get("candidates", "")).split(",") if name.strip()]
    names = [name.strip() for name in names if not name.strip().startswith(("pg_", "duckdb_"))]
    return f"Did you mean {', '.join(names[:5])}?" if names else ""


def other_dialect(sql: str, refusal: SqlRefused) -> SqlRefused:
    """Say what another database's SQL is written like here, where ``sql`` looks like that."""
    if refusal.kind != "syntax":
        return refusal
    plain = _QUOTED.sub(" ", sql[:100_000])
    for pattern, hint in _DIALECTS:
        if re.search(pattern, plain, re.IGNORECASE | re.DOTALL):
            return SqlRefused(
                "syntax",
                refusal.what,
                hint,
                line=refusal.line,
                column=refusal.column,
                details=refusal.details,
            )
    return refusal


def at_offset(refusal: SqlRefused, sql: str, offset: object) -> SqlRefused:
    """Give a refusal its line and column: DuckDB counts bytes of UTF-8, people characters."""
    try:
        number = int(str(offset))
    except ValueError:
        return refusal
    encoded = sql.encode()
    if not 0 <= number <= len(encoded):
        return refusal
    before = encoded[:number].decode(errors="ignore")
    refusal.line = before.count("\n") + 1
    refusal.column = len(before) - (before.rfind("\n") + 1) + 1
    return refusal
