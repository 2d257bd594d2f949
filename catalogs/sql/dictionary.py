"""The data dictionary: what SQL may read of a published dataset, and what it means.

    dictionary = dictionary_of(source)
    dictionary.tables["flow"].columns["value"].description
    dictionary.statistics("flow").rows                 # reads the table once, then it is kept
    dictionary.search("heat pump")                     # tables, columns and codes

Names, types and meanings are known at once. Statistics are worked out table by table when they are
asked for, and kept with the version; they take up to a second, so ask in a thread.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal
from weakref import WeakKeyDictionary, ref

import yaml

from catalogs.errors import UnknownNameError
from catalogs.measures import Attribute, attributes
from catalogs.source import Source
from catalogs.sql.functions import ALLOWED, OPERATORS, TABLE
from catalogs.tables import NO_VALUE, TABLES

#: What is offered for completion; operators are written, not named.
_FUNCTIONS = ALLOWED - OPERATORS | TABLE

#: Values of a column that are shown as samples, the most frequent first.
_SAMPLES = 6
_SAMPLE_ROWS = 5
#: Codes that one search brings at most.
MOST_FOUND = 50

#: Columns whose members are codes that people look for, and the table that has them all.
CODES: Mapping[str, str] = MappingProxyType(
    {
        "scenario": "period",
        "attribute": "result",
        "process": "process",
        "commodity": "commodity",
        "region": "region",
        "timeslice": "timeslice",
        "year": "period",
        "sector": "process_group",
        "technology": "process_group",
        "fuel": "process_group",
        "figure": "figure",
        "boundary": "boundary",
        "set_name": "process_set",
        "user_constraint": "result",
        "unit": "result",
    }
)


@dataclass(frozen=True)
class Column:
    """A column: its DuckDB type, and what its values are."""

    name: str
    kind: str
    description: str


@dataclass(frozen=True)
class TableEntry:
    """A table or view that SQL may read.

    ``one_row`` says what one row of it is; ``is_slow`` whether its rows are worked out anew by
    every query.
    """

    name: str
    section: str
    one_row: str
    columns: Mapping[str, Column]
    is_slow: bool = False


@dataclass(frozen=True)
class ColumnStatistics:
    """What stands in a column.

    ``distinct`` is DuckDB's estimate (a few per cent off where there are many); ``filled`` the
    share of rows that have a value: neither NULL nor '-'. ``samples`` are its most frequent values.
    """

    distinct: int
    filled: float
    lowest: str
    highest: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class TableStatistics:
    """What stands in a table: its number of rows, its columns, and its first rows as text."""

    rows: int
    columns: Mapping[str, ColumnStatistics]
    first_rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Found:
    """Something that fits what was looked for.

    ``code`` is what is inserted into a query; of a code it is quoted as SQL.
    """

    kind: Literal["table", "column", "code"]
    name: str
    where: str
    description: str
    code: str


@cache
def _texts() -> Mapping[str, Any]:
    text = files("catalogs.sql").joinpath("dictionary.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


_known: WeakKeyDictionary[Source, Dictionary] = WeakKeyDictionary()
_known_lock = threading.Lock()


def dictionary_of(source: Source) -> Dictionary:
    """Return the dictionary of an opened version; one for all who ask."""
    with _known_lock:
        if source not in _known:
            _known[source] = Dictionary(source)
        return _known[source]


class Dictionary:
    """The tables of one version of a dataset. Safe to ask from several threads."""

    def __init__(self, source: Source) -> None:
        # The source keeps this one alive, not the other way round.
        self._source = ref(source)
        self.dataset = source.dataset
        self.version = source.version
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._statistics: dict[str, TableStatistics] = {}

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        source = self._source()
        if source is None:
            raise ReferenceError("The source of this dictionary is gone.")
        return source.rows(sql)

    # ------------------------------------------------------------------ at once

    @cached_property
    def tables(self) -> Mapping[str, TableEntry]:
        """Every documented table by name, in the order in which they are shown."""
        texts = _texts()
        types: dict[str, dict[str, str]] = {}
        for table, column, kind in self._rows(
            "SELECT table_name, column_name, data_type FROM duckdb_columns()"
            " WHERE database_name = 'memory' AND NOT internal ORDER BY table_name, column_index"
        ):
            types.setdefault(table, {})[column] = kind
        return MappingProxyType(
            {
                name: TableEntry(
                    name,
                    section["name"],
                    TABLES[name].one_row if name in TABLES else texts["rows"][name],
                    MappingProxyType(
                        {c: Column(c, kind, _describe(name, c)) for c, kind in types[name].items()}
                    ),
                    name in texts["slow"],
                )
                for section in texts["sections"]
                for name in section["tables"]
                if name in types
            }
        )

    def table(self, name: str) -> TableEntry:
        """Return a table. Raises ``UnknownNameError``."""
        if name not in self.tables:
            raise UnknownNameError(f"There is no table {name!r}.", "Choose one of the list.")
        return self.tables[name]

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """What each attribute means, and over which dimensions it may be summed."""
        return attributes()

    @cached_property
    def functions(self) -> Mapping[str, tuple[str, str]]:
        """The functions that SQL may use: how each is called, and what it does."""
        rows = self._rows(
            "SELECT function_name, any_value(parameters ORDER BY len(parameters)),"
            " coalesce(any_value(description), '') FROM duckdb_functions()"
            " GROUP BY function_name ORDER BY function_name"
        )
        return MappingProxyType(
            {
                name: (f"{name}({', '.join(taken or [])})", what)
                for name, taken, what in rows
                if name in _FUNCTIONS
            }
        )

    # ------------------------------------------------------------------ statistics

    def statistics(self, name: str) -> TableStatistics:
        """Return what stands in a table; it is read once. Raises ``UnknownNameError``."""
        entry = self.table(name)
        with self._locks[name]:
            if name not in self._statistics:
                self._statistics[name] = self._count(entry)
            return self._statistics[name]

    def known_statistics(self, name: str) -> TableStatistics | None:
        """Return the statistics of a table if they have been worked out."""
        return self._statistics.get(name)

    def _count(self, entry: TableEntry) -> TableStatistics:
        asked = ", ".join(
            f"approx_count_distinct({q}), count({q}) FILTER ({q}::VARCHAR <> '{NO_VALUE}'),"
            f" min({q})::VARCHAR, max({q})::VARCHAR,"
            # Of figures, which hardly repeat, the most frequent say nothing.
            + ("NULL" if kind == "DOUBLE" else f"approx_top_k({q}::VARCHAR, {_SAMPLES})")
            for q, kind in ((_quoted(c.name), c.kind) for c in entry.columns.values())
        )
        table = _quoted(entry.name)
        ((rows, *found),) = self._rows(f"SELECT count(*), {asked} FROM {table}")
        first = self._rows(f"SELECT COLUMNS(*)::VARCHAR FROM {table} LIMIT {_SAMPLE_ROWS}")
        columns = {}
        for place, name in enumerate(entry.columns):
            distinct, filled, lowest, highest, samples = found[5 * place : 5 * place + 5]
            columns[name] = ColumnStatistics(
                min(distinct, rows),
                filled / rows if rows else 0.0,
                lowest or "",
                highest or "",
                tuple(value for value in samples or () if value is not None),
            )
        texts = tuple(tuple("" if v is None else v for v in row) for row in first)
        return TableStatistics(rows, MappingProxyType(columns), texts)

    # ------------------------------------------------------------------ codes

    @cached_property
    def _codes(self) -> tuple[tuple[str, str, str, str], ...]:
        """All codes: column, code, description, and what is searched in, in small letters."""
        found: list[tuple[str, str, str, str]] = []
        for column, table in CODES.items():
            described = table == column and "description" in self.tables[table].columns
            text = "coalesce(any_value(description ORDER BY scenario), '')" if described else "''"
            for code, given in self._rows(
                f'SELECT "{column}"::VARCHAR, {text} FROM "{table}" WHERE "{column}" IS NOT NULL'
                f" GROUP BY 1 ORDER BY 1"
            ):
                if code in ("", NO_VALUE):
                    continue
                known = attributes().get(code) if column == "attribute" else None
                description = known.label if known else given
                found.append((column, code, description, f"{code} {description}".lower()))
        return tuple(found)

    def members(self, column: str) -> tuple[tuple[str, str], ...]:
        """Return the codes of a column with their descriptions; none for one without codes."""
        return tuple((code, text) for name, code, text, _ in self._codes if name == column)

    def search(self, text: str, most: int = MOST_FOUND) -> list[Found]:
        """Return tables, columns and codes that have all words of a text, the best first."""
        words = text.lower().split()
        if not words:
            return []
        found = [*self._search_tables(words), *self.search_codes(words, most)]
        return found[:most]

    def _search_tables(self, words: list[str]) -> list[Found]:
        tables, columns = [], []
        for entry in self.tables.values():
            if _has(words, f"{entry.name} {entry.one_row}"):
                tables.append(Found("table", entry.name, entry.section, entry.one_row, entry.name))
            columns += [
                Found("column", c.name, entry.name, c.description, c.name)
                for c in entry.columns.values()
                if _has(words, f"{c.name} {c.description}")
            ]
        return tables + columns

    def search_codes(self, words: Iterable[str], most: int = MOST_FOUND) -> list[Found]:
        """Return codes that have all words in their code or description; exact ones first."""
        wanted = [word.lower() for word in words]
        if not wanted:
            return []
        fitting = [entry for entry in self._codes if all(word in entry[3] for word in wanted)]
        first = wanted[0]
        fitting.sort(key=lambda e: (e[1].lower() != first, not e[1].lower().startswith(first)))
        return [
            Found("code", code, column, description, literal(column, code))
            for column, code, description, _ in fitting[:most]
        ]


def literal(column: str, code: str) -> str:
    """Return a code as it is written in SQL: text in quotes, a year bare."""
    return code if column == "year" else "'" + code.replace("'", "''") + "'"


def _describe(table: str, column: str) -> str:
    texts = _texts()["columns"]
    return str(texts.get(f"{table}.{column}") or texts.get(column) or "")


def _has(words: list[str], text: str) -> bool:
    low = text.lower()
    return all(word in low for word in words)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
