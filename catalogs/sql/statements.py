"""The text of SQL: its statements, its parameters, how it is laid out, and what other dialects say.

Nothing here runs SQL. Whether a text may be run is decided where it is run; what is found here is
for the person who writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import yaml

from catalogs.errors import TimesError
from catalogs.sql.dictionary import CODES

#: Longest text that is laid out or looked at for dialects: a parser in Python takes its time.
LONGEST_PARSED = 20_000

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
    | (?P<parameter>\$[A-Za-z_]\w*)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z))
    | (?P<text>'(?:[^']|'')*(?:'|\Z))
    | (?P<name>"(?:[^"]|"")*(?:"|\Z))
    | (?P<word>[^\W\d]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<end>;)
    | (?P<sign><=|>=|<>|!=|==|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")

Kind = Literal["text", "number", "whole", "flag", "date"]


@dataclass(frozen=True)
class Token:
    """A piece of SQL: its kind (a group of ``_TOKEN``) and where it stands."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """One statement of a text: its part of it without the semicolon, and where that begins.

    ``line`` is that of its first word, from 0.
    """

    sql: str
    start: int
    end: int
    line: int


@dataclass(frozen=True)
class Parameter:
    """A parameter ``$name``: what kind of value it takes, and the column it is compared with.

    ``column`` is '' where it is compared with none that has codes, or is a pattern.
    """

    name: str
    kind: Kind
    column: str = ""


def tokens(text: str) -> Iterator[Token]:
    """Yield the pieces of a text in order; comments and quoted text are one piece each."""
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        assert found is not None  # any character is a sign
        kind, end = str(found.lastgroup), found.end()
        if kind == "block":
            end = _end_of_block(text, end)
            kind = "comment"
        elif kind == "dollar":
            closing = text.find(found[0], end)
            end = len(text) if closing < 0 else closing + len(found[0])
            kind = "text"
        elif kind == "escaped":
            kind = "text"
        yield Token(kind, place, end)
        place = end


def _end_of_block(text: str, place: int) -> int:
    """Where a comment ends whose beginning is before ``place``: they may stand in one another."""
    depth = 1
    while depth:
        edge = _BLOCK_EDGE.search(text, place)
        if edge is None:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        place = edge.end()
    return place


def split(text: str) -> list[Statement]:
    """Return the statements of a text; what is only space and comments is none."""
    found: list[Statement] = []
    begin: int | None = None
    end = 0
    for token in tokens(text):
        if token.kind == "end":
            if begin is not None:
                found.append(_statement(text, begin, end))
            begin = None
        elif token.kind not in ("space", "comment"):
            begin = token.start if begin is None else begin
            end = token.end
    if begin is not None:
        found.append(_statement(text, begin, end))
    return found


def _statement(text: str, begin: int, end: int) -> Statement:
    return Statement(text[begin:end], begin, end, text.count("\n", 0, begin))


def statement_at(text: str, place: int) -> Statement | None:
    """Return the statement in which a place of the text is, or the last one before it."""
    statements = split(text)
    before = [statement for statement in statements if statement.start <= place]
    return before[-1] if before else next(iter(statements), None)


# ---------------------------------------------------------------------------- parameters

_WHOLE = re.compile(r"INT|SMALLINT")
_BY_NAME: Mapping[str, str] = MappingProxyType(
    {
        "scenario": "scenario", "base": "scenario", "other": "scenario", "year": "year",
        "region": "region", "process": "process", "commodity": "commodity",
        "attribute": "attribute", "timeslice": "timeslice", "sector": "sector", "fuel": "fuel",
        "technology": "technology", "unit": "unit", "prc": "process", "com": "commodity",
    }
)  # fmt: skip
_COMPARES = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">="})
#: What may stand between a column and the parameter that it is compared with.
_BETWEEN = _COMPARES | {"in", "between", "and", "not", "any", "(", ","}


def parameters(text: str) -> list[Parameter]:
    """Return the parameters of a text in the order in which they first occur.

    What a parameter is, is read from its name (``$year``, ``$other_scenario``), else from the
    column that it is compared with, else it is text.
    """
    pieces = [t for t in tokens(text) if t.kind not in ("space", "comment")]
    found: dict[str, Parameter] = {}
    for place, token in enumerate(pieces):
        if token.kind != "parameter":
            continue
        name = text[token.start + 1 : token.end]
        if name not in found:
            found[name] = _parameter(name, _compared_with(text, pieces, place))
    return list(found.values())


def _parameter(name: str, compared: str) -> Parameter:
    words = name.lower().split("_")
    column = compared if compared in CODES else ""
    column = column or next((_BY_NAME[w] for w in reversed(words) if w in _BY_NAME), "")
    if column:
        return Parameter(name, "whole" if column == "year" else "text", column)
    if compared == "value" or words[-1] in ("share", "value", "factor", "threshold", "least"):
        return Parameter(name, "number")
    if words[-1] in ("count", "number", "most", "limit", "top", "n", "rows"):
        return Parameter(name, "whole")
    if compared.startswith("is_"):
        return Parameter(name, "flag")
    if compared.endswith("date") or compared.endswith("timestamp"):
        return Parameter(name, "date")
    return Parameter(name, "text")


def _compared_with(text: str, pieces: list[Token], place: int) -> str:
    """Return the column that a parameter is compared with, '' for none."""

    def word(at: int) -> str:
        return text[pieces[at].start : pieces[at].end].lower() if 0 <= at < len(pieces) else ""

    # A pattern is no code, and a number of rows no value of a column.
    if word(place - 1) in ("limit", "offset", "like", "ilike"):
        return ""
    at = place - 1
    while at >= 0 and (word(at) in _BETWEEN or pieces[at].kind == "parameter"):
        at -= 1
    if at < place - 1 and pieces[at].kind in ("word", "name") and at >= 0:
        return word(at).strip('"')
    if word(place + 1) in _COMPARES and place + 2 < len(pieces):
        after = place + 2
        while word(after + 1) == "." and after + 2 < len(pieces):
            after += 2
        return word(after).strip('"')
    return ""


# ---------------------------------------------------------------------------- layout


def format_sql(text: str) -> str:
    """Return a text laid out anew, its statements one below the other.

    Raises ``TimesError`` for a text that is no SQL, or too long.
    """
    parsed = _sqlglot()
    if len(text) > LONGEST_PARSED:
        raise TimesError(
            f"This text has {len(text):,} characters; up to {LONGEST_PARSED:,} are laid out.",
            "Lay out a part of it.",
        )
    try:
        written = parsed.transpile(text, read="duckdb", write="duckdb", pretty=True)
    except (parsed.errors.SqlglotError, RecursionError) as error:
        raise TimesError(
            "This text cannot be laid out: it is not SQL that can be read.",
            "Run it to see where it goes wrong.",
            _plain(str(error)),
        ) from error
    return ";\n\n".join(part for part in written if part) + (";\n" if len(written) > 1 else "\n")


def _plain(text: str) -> str:
    """Return a message without the underlining that it has for terminals."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


# ---------------------------------------------------------------------------- other dialects


@dataclass(frozen=True)
class Dialect:
    """What a text has of another database's SQL.

    ``name`` is the database, ``differences`` are pairs of what stands there and what DuckDB has
    for it; ``rewritten`` is the text in DuckDB's SQL, '' where it could not be made.
    """

    name: str
    differences: tuple[tuple[str, str], ...]
    rewritten: str = ""


@dataclass(frozen=True)
class _Sign:
    """What gives a dialect away; ``read`` is its name in sqlglot."""

    dialect: str
    read: str
    pattern: str
    there: str
    here: str

    def is_in(self, text: str) -> bool:
        return re.search(self.pattern, text, re.IGNORECASE) is not None


@cache
def _signs() -> tuple[_Sign, ...]:
    text = files("catalogs.sql").joinpath("dialects.yaml").read_text(encoding="utf-8")
    return tuple(_Sign(**entry) for entry in yaml.safe_load(text))


def dialect_of(text: str) -> Dialect | None:
    """Return what a text has of another database's SQL; None where nothing gives one away."""
    if len(text) > LONGEST_PARSED:
        return None
    bare = _without_quoted(text)
    shown = [sign for sign in _signs() if sign.is_in(bare)]
    if not shown:
        return None
    names = [sign.dialect for sign in shown]
    name = max(names, key=names.count)
    of_it = [sign for sign in shown if sign.dialect == name]
    differences = tuple((sign.there, sign.here) for sign in of_it)
    return Dialect(name, differences, _rewrite(text, of_it[0].read))


def _without_quoted(text: str) -> str:
    """Return a text of the same length in which comments and quoted text are blank."""
    parts = []
    for token in tokens(text):
        piece = text[token.start : token.end]
        parts.append(" " * len(piece) if token.kind in ("comment", "text", "name") else piece)
    return "".join(parts)


def _rewrite(text: str, read: str) -> str:
    parsed = _sqlglot()
    try:
        written = parsed.transpile(text, read=read, write="duckdb", pretty=True)
    except (parsed.errors.SqlglotError, RecursionError):
        return ""
    return ";\n\n".join(part for part in written if part) + "\n"


def _sqlglot() -> Any:
    # Imported when it is first needed: half a second.
    import sqlglot
    import sqlglot.errors

    return sqlglot
