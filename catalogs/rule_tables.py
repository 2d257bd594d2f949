"""Reading rule tables: CSV, XLSX or YAML, with a clear word about every row that cannot be used.

A table has a column ``dimension`` and a column ``group``, the others are optional (``COLUMNS``).
Files are known by what they hold, not by their names. Ready tables stand in ``semantics/rules``.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from catalogs.errors import TimesError, UnreadableFileError
from catalogs.readers.text_files import decode, open_bytes
from catalogs.rules import (
    CONDITIONS,
    DIMENSIONS,
    ITEMS,
    Rule,
    RuleTable,
    make_rule,
    parse_condition,
)
from catalogs.semantics import MAX_BYTES

REQUIRED = ("dimension", "group")
COLUMNS = (*REQUIRED, "item", *CONDITIONS, "model", "priority", "order", "colour", "note")
SPREADSHEET_SUFFIXES = (".xlsx", ".xlsm")
YAML_SUFFIXES = (".yaml", ".yml")

_MAX_UNPACKED_BYTES = 64 << 20
_MAX_GROUP = 80
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_CSV_SEPARATORS = ",;\t"

#: A row's line in its file and its cells by column, all of them text without blanks around it.
Row = tuple[int, dict[str, str]]


def read_rule_table(path: Path) -> RuleTable:
    """Read a rule table.

    Raises ``UnreadableFileError`` that names the file and the row: for a file that is no table, a
    column that is not known, a pattern that cannot be read, and rows that contradict each other.
    """
    rows = list(_rows(path))
    if not rows:
        raise UnreadableFileError(
            path.name, "it holds no rules", f"rows below the columns {', '.join(COLUMNS)}"
        )
    table = RuleTable(path.name, tuple(_rule(path.name, line, cells) for line, cells in rows))
    _refuse_contradictions(table)
    return table


@cache
def shipped_tables() -> tuple[RuleTable, ...]:
    """Return the ready tables, each tied to a model by its column ``model``."""
    folder = Path(str(files("catalogs.semantics").joinpath("rules")))
    return tuple(read_rule_table(path) for path in sorted(folder.glob("*.csv")))


def is_rule_table(path: Path) -> bool:
    """Whether a file is a rule table, by its columns. Reads no more of it than that takes."""
    return set(REQUIRED) <= _known_columns(path)


def _is_meant_as_one(path: Path) -> bool:
    """Whether a file that somebody named is a rule table with a wrong column or two."""
    return len(_known_columns(path)) >= 3


def _known_columns(path: Path) -> set[str]:
    """Return the columns of rule tables that a file has, none for a file of another kind."""
    suffix = path.suffix.lower()
    if suffix not in (".csv", *SPREADSHEET_SUFFIXES, *YAML_SUFFIXES):
        return set()
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return set()
        return _column_names(path).intersection(COLUMNS)
    except (TimesError, OSError):
        return set()


def pick(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Part files from rule tables among them; return both."""
    tables = [path for path in paths if is_rule_table(path) or _is_meant_as_one(path)]
    return [path for path in paths if path not in tables], tables


class Finder:
    """Finds the tables for a scenario: those given for all, then those in its files' folders.

    Each folder is searched, and each table read, once. Tables that are given are read at once.
    """

    def __init__(self, given: Iterable[Path]) -> None:
        self._given = list(given)
        self._beside: dict[Path, list[Path]] = {}
        self._tables: dict[Path, RuleTable] = {}
        self.read(self._given)

    def paths(self, files: Iterable[Path]) -> list[Path]:
        """Return the tables for a scenario made of ``files``, the one asked first at the front."""
        found = {path.resolve(): path for path in self._given}
        for folder in dict.fromkeys(path.parent for path in files):
            if folder not in self._beside:
                self._beside[folder] = [p for p in sorted(folder.iterdir()) if is_rule_table(p)]
            for path in self._beside[folder]:
                found.setdefault(path.resolve(), path)
        return list(found.values())

    def read(self, paths: Iterable[Path]) -> tuple[RuleTable, ...]:
        """Read tables, in their order.

        Raises ``TimesError`` for two of one name: reasons name a rule by its table.
        """
        tables: dict[str, RuleTable] = {}
        for path in dict.fromkeys(paths):
            if path.name in tables:
                raise TimesError(
                    f"Two rule tables are called {path.name}.",
                    "Rename one: every group says by its table's name which rule gave it.",
                )
            if path not in self._tables:
                self._tables[path] = read_rule_table(path)
            tables[path.name] = self._tables[path]
        return tuple(tables.values())


def _column_names(path: Path) -> set[str]:
    if path.suffix.lower() in SPREADSHEET_SUFFIXES:
        first = next(_spreadsheet_lines(path), (0, []))[1]
    elif path.suffix.lower() in YAML_SUFFIXES:
        return {name for _, cells in list(_yaml_rows(path))[:1] for name in cells}
    else:
        first = _csv_header(decode(_head(path)))[1]
    return {_column(cell) for cell in first}


def _head(path: Path) -> bytes:
    with open_bytes(path) as stream:
        return stream.read(1 << 14)


# ---------------------------------------------------------------------------- rows of a file


def _rows(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise UnreadableFileError(path.name, "there is no such file", "a rule table")
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFileError(
            path.name, f"it is larger than {MAX_BYTES >> 20} MB", "a table written by people"
        )
    if path.suffix.lower() in SPREADSHEET_SUFFIXES:
        return _named(path, _spreadsheet_lines(path))
    if path.suffix.lower() in YAML_SUFFIXES:
        return _yaml_rows(path)
    return _named(path, _csv_lines(path))


def _column(cell: str) -> str:
    name = cell.strip().lower()
    return "colour" if name == "color" else name


def _named(path: Path, lines: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    """Give the cells of each line their column's name; lines without any cell are left out."""
    header_line, header = next(lines, (1, []))
    names = [_column(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    _check_columns(path.name, names, header_line)
    for line, cells in lines:
        filled = [cell.strip() for cell in cells]
        if not any(filled) or filled[0].startswith("#"):
            continue
        if any(filled[len(names) :]):
            raise UnreadableFileError(
                path.name,
                "the row has more cells than there are columns",
                f"{len(names)} cells; a comma inside a cell needs quotes around the cell",
                line=line,
            )
        yield line, {name: cell for name, cell in zip(names, filled, strict=False) if cell}


def _check_columns(file: str, names: Sequence[str], line: int) -> None:
    columns = f"the columns {', '.join(COLUMNS)} ({' and '.join(REQUIRED)} must be there)"
    for name in names:
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problem = f"the column {name!r} is not known{hint}" if name else "a column has no name"
            raise UnreadableFileError(file, problem, columns, line=line)
        if names.count(name) > 1:
            raise UnreadableFileError(file, f"two columns are called {name!r}", columns, line=line)
    for name in REQUIRED:
        if name not in names:
            raise UnreadableFileError(file, f"the column {name!r} is missing", columns, line=line)


def _csv_header(text: str) -> tuple[str, list[str]]:
    """Return the separator of a CSV text and the cells of its first line that is no comment."""
    first = next(
        (line for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#"), ""
    )
    separator = max(_CSV_SEPARATORS, key=first.count)
    try:
        return separator, next(csv.reader([first], delimiter=separator), [])
    except csv.Error:
        return separator, []


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with open_bytes(path) as stream:
        data = stream.read(MAX_BYTES + 1)
    text = decode(data)
    if len(data) > MAX_BYTES or "\0" in text:
        raise UnreadableFileError(path.name, "it is no text file", "CSV, XLSX or YAML")
    reader = csv.reader(text.splitlines(keepends=True), delimiter=_csv_header(text)[0])
    try:
        for cells in reader:
            if cells and not cells[0].lstrip().startswith("#"):
                yield reader.line_num, cells
    except csv.Error as error:
        raise UnreadableFileError(
            path.name,
            "the row cannot be read",
            "cells separated by commas",
            line=reader.line_num,
            details=str(error),
        ) from error


def _spreadsheet_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the first sheet of a workbook, with Excel's numbers."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > _MAX_UNPACKED_BYTES:
            raise UnreadableFileError(
                path.name, "it unpacks to far more than a rule table", "a small workbook"
            )
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            rows = book.worksheets[0].iter_rows(values_only=True)
            lines = [(n, [_text(cell) for cell in cells]) for n, cells in enumerate(rows, 1)]
        finally:
            book.close()
    except TimesError:
        raise
    except Exception as error:  # whatever openpyxl and the XML below it make of a broken file
        raise UnreadableFileError(
            path.name,
            "it is not an Excel workbook",
            "XLSX, or the table as CSV",
            details=str(error),
        ) from error
    return iter([(n, cells) for n, cells in lines if any(cells)])


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


class _NumberingLoader(yaml.SafeLoader):
    """Notes with every mapping the line on which it begins."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: dict[Any, Any] = super().construct_mapping(node, deep=True)
        found[_NumberingLoader] = node.start_mark.line + 1
        return found


def _yaml_rows(path: Path) -> Iterator[Row]:
    """Yield the rules of a YAML file: a list, or ``rules:`` with what holds for all of them."""
    expected = "a list of rules, or 'rules:' with a list below it"
    with open_bytes(path) as stream:
        text = decode(stream.read(MAX_BYTES))
    try:
        content = yaml.load(text, Loader=_NumberingLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise UnreadableFileError(
            path.name,
            "it is no valid YAML",
            expected,
            line=mark.line + 1 if mark else None,
            details=str(error),
        ) from error
    common: Mapping[Any, Any] = {}
    if isinstance(content, dict):
        common = {name: cell for name, cell in content.items() if name != "rules"}
        content = content.get("rules")
    if content is None:
        return
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise UnreadableFileError(path.name, "it is no list of rules", expected)
    for entry in content:
        line = entry[_NumberingLoader]
        cells = {
            _column(str(name)): _text(cell)
            for name, cell in {**common, **entry}.items()
            if name is not _NumberingLoader
        }
        nested = [name for name, cell in entry.items() if isinstance(cell, (dict, list))]
        if nested:
            raise UnreadableFileError(
                path.name, f"{nested[0]} is no text", "one text or number in each cell", line=line
            )
        _check_columns(path.name, list(cells), line)
        yield line, {name: cell for name, cell in cells.items() if cell}


# ---------------------------------------------------------------------------- rules of a table


def _rule(file: str, line: int, cells: dict[str, str]) -> Rule:
    _check_cells(file, line, cells)
    if cells.get("model"):
        _check_pattern(file, line, "model", cells["model"])
    for name in CONDITIONS:
        if cells.get(name):
            _check_pattern(file, line, name, cells[name])
    return make_rule(
        file,
        line,
        cells,
        order=_number(file, line, "order", cells.get("order", "")),
        priority=_number(file, line, "priority", cells.get("priority", "")) or 0,
    )


def _check_cells(file: str, line: int, cells: dict[str, str]) -> None:
    for name in REQUIRED:
        if not cells.get(name):
            raise UnreadableFileError(file, f"{name} is empty", "a value", line=line)
    _check_choice(file, line, "dimension", cells["dimension"], DIMENSIONS)
    if item := cells.get("item"):
        _check_choice(file, line, "item", item, ITEMS)
        if (cells["dimension"].lower(), item.lower()) == ("technology", "commodity"):
            raise UnreadableFileError(
                file, "a commodity has no technology", "the item process, or a fuel", line=line
            )
    if len(cells["group"]) > _MAX_GROUP:
        raise UnreadableFileError(
            file, "the group's name is too long", f"at most {_MAX_GROUP} characters", line=line
        )
    if (colour := cells.get("colour")) and not _COLOUR.match(colour):
        raise UnreadableFileError(
            file, f"colour is {colour!r}", "six hexadecimal digits such as #3d7ea6", line=line
        )
    if not any(cells.get(name) for name in (*CONDITIONS, "order", "colour")):
        raise UnreadableFileError(
            file,
            "the row takes nothing and says nothing of its group",
            f"something in one of {', '.join(CONDITIONS)} (code * takes all), order or colour",
            line=line,
        )


def _check_choice(file: str, line: int, name: str, given: str, known: Sequence[str]) -> None:
    if given.lower() not in known:
        raise UnreadableFileError(file, f"{name} is {given!r}", " or ".join(known), line=line)


def _check_pattern(file: str, line: int, name: str, text: str) -> None:
    try:
        parse_condition(text)
    except re.error as error:
        raise UnreadableFileError(
            file,
            f"{name} has a bad regular expression: {text}",
            "a regular expression between slashes; \\ before a character that means itself",
            line=line,
            details=str(error),
        ) from error
    except ValueError as error:
        raise UnreadableFileError(
            file, f"in {name}, {error}: {text}", "patterns separated by |", line=line
        ) from error


def _number(file: str, line: int, name: str, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[-+]?\d{1,9}", text):
        raise UnreadableFileError(file, f"{name} is {text!r}", "a whole number", line=line)
    return int(text)


def _refuse_contradictions(table: RuleTable) -> None:
    """Refuse rows that ask for the same and give something else, and two looks of one group."""
    asked: dict[object, Rule] = {}
    looks: dict[object, Rule] = {}
    for rule in table.rules:
        question = (
            rule.dimension,
            rule.item,
            tuple((name, text.lower()) for name, text in rule.cells),
            rule.model.lower(),
            rule.priority,
        )
        before = asked.setdefault(question, rule)
        if rule.cells and before.group != rule.group:
            _refuse(
                table.name,
                before,
                rule,
                f"takes the same as line {before.line}, with another group"
                f" ({before.group!r}, {rule.group!r})",
                "one of the two rows, or a higher priority for one of them",
            )
        for name in ("order", "colour"):
            given = getattr(rule, name)
            if given in (None, ""):
                continue
            first = looks.setdefault((name, rule.dimension, rule.group), rule)
            if getattr(first, name) != given:
                _refuse(
                    table.name,
                    first,
                    rule,
                    f"{rule.group!r} has the {name} {given}, and {getattr(first, name)} in line"
                    f" {first.line}",
                    f"one {name} for each group; it may stand in one row only",
                )


def _refuse(table: str, first: Rule, second: Rule, problem: str, expected: str) -> None:
    raise UnreadableFileError(
        table,
        problem,
        expected,
        line=second.line,
        details="\n".join(f"{r.dimension} {r.group}: {r.shown}" for r in (first, second)),
    )
