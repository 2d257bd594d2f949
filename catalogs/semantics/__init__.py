"""The tables of meanings: those that come with the program, with a user's own over them.

A folder ``semantics`` in the data directory may hold tables of the same names and columns:

    attributes.csv          what an attribute means and may be added up over
    measures.yaml           what may be asked for
    substances.csv          emissions that are told apart, and by what their commodities are known
    emission_accounts.csv   emission commodities that add up without counting a tonne twice
    carriers.csv            which carriers are renewable, and which are domestic wherever from
    units.csv               units: what they measure, and their size as an expression of pint
    currency_rates.csv      what a currency of a base year is worth in another
    population.csv          the people of a region in a year, for values per head
    states_of_the_world.csv how probable the states of a stochastic run are
    places.csv              where a region is, in degrees; its shapes: places.geojson or .parquet

A row of a user's table takes the place of the shipped row of the same key; an account, as a whole,
the place of the account of the same name. Own accounts and carriers are looked at first.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import yaml

from catalogs.errors import UnreadableFileError

P = ParamSpec("P")
R = TypeVar("R")
Row = Mapping[str, str]

#: Name of the folder of a user's own tables in the data directory.
FOLDER = "semantics"
MEASURES = "measures.yaml"
#: Shapes of regions, of which one may be among a user's own tables.
SHAPES = ("places.geojson", "places.parquet")
#: Reads a table in a tenth of the time where PyYAML came with its C library.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: What is larger than this was not written by people.
MAX_BYTES = 8 << 20


@dataclass(frozen=True)
class RuleTable:
    """Columns of a table: needed ones, others, what names a row, numbers, regular expressions."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    key: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    choices: Mapping[str, frozenset[str]] | None = None


_SUMMED = frozenset(
    {"region", "process", "commodity", "timeslice", "vintage", "user_constraint", ""}
)
_YES_NO = frozenset({"yes", "no", ""})

TABLES: Mapping[str, RuleTable] = {
    "attributes": RuleTable(
        ("attribute", "label", "kind", "unit_source", "sum_over", "group_by", "definition"),
        ("gdx_symbol",),
        ("attribute",),
        choices={"group_by": _SUMMED | {"technology", "sector", "fuel"}},
    ),
    "substances": RuleTable(
        ("substance", "code"),
        ("description", "exclude", "warming"),
        ("substance",),
        numbers=("warming",),
        patterns=("code", "description", "exclude"),
    ),
    "emission_accounts": RuleTable(
        ("account", "commodity"),
        ("substance", "factor", "user_constraint", "why"),
        ("account",),
        numbers=("factor",),
    ),
    "carriers": RuleTable(
        ("fuel",),
        ("commodity", "renewable", "ambient", "why"),
        ("fuel", "commodity"),
        numbers=("renewable",),
        choices={"ambient": _YES_NO},
    ),
    "units": RuleTable(("unit", "dimension", "expression"), ("shown",), ("unit",)),
    "currency_rates": RuleTable(
        ("currency_from", "currency_to", "rate"),
        ("why",),
        ("currency_from", "currency_to"),
        numbers=("rate",),
    ),
    "population": RuleTable(
        ("region", "year", "population"), ("why",), ("region", "year"), ("year", "population")
    ),
    "states_of_the_world": RuleTable(
        ("sow", "probability"), ("scenario", "why"), ("sow", "scenario"), ("probability",)
    ),
    "places": RuleTable(
        ("place", "latitude", "longitude"),
        ("name", "why"),
        ("place",),
        ("latitude", "longitude"),
    ),
}

#: Answers that a function keeps; units and the like may come from an address.
_REMEMBERED = 4096

_lock = threading.Lock()
_caches: list[Callable[[], None]] = []
_own: Path | None = None
_stamp: tuple[object, ...] = ()


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Keep what a function makes of the tables until other tables come into force."""
    kept = lru_cache(maxsize=_REMEMBERED)(function)
    _caches.append(kept.cache_clear)
    return kept  # type: ignore[return-value]


def use(folder: Path | None) -> None:
    """Put the tables of a folder in force over the shipped ones, in this process.

    A folder that is not there stands for no tables. Raises ``UnreadableFileError`` when one of
    its tables is not what it should be; those in force before stay so then.
    """
    global _own, _stamp
    stamp = _stamp_of(folder)
    with _lock:
        if stamp == _stamp:
            return
        before, _own, _stamp = (_own, _stamp), folder, stamp
        _forget()
        try:
            check()
        except UnreadableFileError:
            _own, _stamp = before
            _forget()
            raise


def _forget() -> None:
    for clear in _caches:
        clear()


def check() -> None:
    """Read every table in force. Raises ``UnreadableFileError`` for the first that is wrong."""
    from catalogs import measures, states, units

    for name in TABLES:
        rows(name)
    units.check_table()
    states.check_table()
    measures.check_tables()


def own_files(folder: Path | None = None) -> list[Path]:
    """Return the tables of a folder, by default of the one in force."""
    folder = folder or _own
    if folder is None or not folder.is_dir():
        return []
    names = {MEASURES, *SHAPES, *(f"{name}.csv" for name in TABLES)}
    return sorted(path for path in folder.iterdir() if path.name in names)


def own_shapes() -> Path | None:
    """Return the user's file of shapes in force, or None."""
    return next((path for path in own_files() if path.name in SHAPES), None)


def install(folder: Path, data_directory: Path) -> list[Path]:
    """Check the tables of a folder, copy them into the data directory and put them in force.

    Raises ``UnreadableFileError`` for a folder without any table and for a table that is wrong;
    nothing is copied then.
    """
    if not (found := own_files(folder)):
        raise UnreadableFileError(
            folder.name,
            "there is no table of meanings in this folder",
            f"one of {', '.join([MEASURES, *(f'{name}.csv' for name in TABLES)])}",
        )
    use(folder)
    place = data_directory / FOLDER
    if place.resolve() != folder.resolve():
        place.mkdir(parents=True, exist_ok=True)
        for path in found:
            shutil.copyfile(path, place / path.name)
    use(place)
    return [place / path.name for path in found]


def _stamp_of(folder: Path | None) -> tuple[object, ...]:
    return tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in own_files(folder))


def digest() -> bytes:
    """Return the hash of all tables in force that what is imported depends on.

    Measures, rates, people and probabilities count when a question is asked, not at import.
    """
    found = hashlib.sha256()
    at_asking = {
        "currency_rates.csv", "population.csv", "states_of_the_world.csv", "places.csv",
    }  # fmt: skip
    shipped = Path(str(files("catalogs.semantics"))).rglob("*.csv")
    for path in sorted([*shipped, *own_files()], key=lambda p: (p.name, str(p))):
        if path.name not in {MEASURES, *SHAPES, *at_asking}:
            found.update(path.name.encode() + path.read_bytes())
    return found.digest()


# ---------------------------------------------------------------------------- reading


def rows(name: str) -> tuple[Row, ...]:
    """Return the rows of a table in force, a user's own first.

    Raises ``UnreadableFileError`` when a user's table is not what it should be.
    """
    return _rows(name)


@remembered
def _rows(name: str) -> tuple[Row, ...]:
    table = TABLES[name]
    own_path = _own / f"{name}.csv" if _own else None
    own = read_table(own_path, table) if own_path and own_path.is_file() else []
    replaced = {_key(row, table) for row in own}
    shipped_path = Path(str(files("catalogs.semantics").joinpath(f"{name}.csv")))
    shipped = read_table(shipped_path, table) if shipped_path.is_file() else []
    return (*own, *(row for row in shipped if _key(row, table) not in replaced))


def _key(row: Row, table: RuleTable) -> tuple[str, ...]:
    return tuple(row[name].lower() for name in table.key)


def read_table(path: Path, table: RuleTable) -> list[Row]:
    """Read and check a CSV table; cells without blanks at their ends, '' for what is not there.

    Raises ``UnreadableFileError`` with the line of what is wrong.
    """
    try:
        text = _text_of(path)
    except UnicodeDecodeError as error:
        raise UnreadableFileError(path.name, "it is no UTF-8 text", "a CSV file") from error
    reader = csv.DictReader(text.splitlines(), strict=True)
    known = (*table.required, *table.optional)
    names = [name.strip().lower() for name in reader.fieldnames or []]
    for name in table.required:
        if name not in names:
            raise UnreadableFileError(
                path.name, f"the column {name!r} is missing", _columns(table), line=1
            )
    for name in names:
        if name not in known:
            raise UnreadableFileError(
                path.name, f"there is no column {name!r}", _columns(table), line=1
            )
    reader.fieldnames = names
    try:
        return [_checked(path, reader.line_num, cells, table) for cells in reader]
    except csv.Error as error:
        raise UnreadableFileError(
            path.name, f"the line cannot be read ({error})", "CSV", line=reader.line_num + 1
        ) from error


def _text_of(path: Path) -> str:
    """Return a table's text. Raises ``UnreadableFileError`` where nobody has written so much."""
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFileError(
            path.name, f"it is larger than {MAX_BYTES >> 20} MB", "a table written by people"
        )
    return path.read_text(encoding="utf-8-sig")


def _columns(table: RuleTable) -> str:
    return f"the columns {', '.join((*table.required, *table.optional))}"


def _checked(path: Path, line: int, cells: dict[str, Any], table: RuleTable) -> Row:
    if None in cells:
        raise UnreadableFileError(path.name, "the line has too many cells", line=line)
    row = {name: (cells.get(name) or "").strip() for name in (*table.required, *table.optional)}
    if not row[table.key[0]] and not any(row[name] for name in table.key):
        raise UnreadableFileError(path.name, f"{table.key[0]} is empty", "a name", line=line)
    for name in table.numbers:
        if row[name] and not _is_number(row[name]):
            raise UnreadableFileError(path.name, f"{name} is {row[name]!r}", "a number", line=line)
    for name in table.patterns:
        try:
            re.compile(row[name])
        except re.error as error:
            raise UnreadableFileError(
                path.name,
                f"{name} is {row[name]!r}, which is no regular expression ({error})",
                line=line,
            ) from error
    for name, allowed in (table.choices or {}).items():
        if row[name] not in allowed:
            raise UnreadableFileError(
                path.name,
                f"{name} is {row[name]!r}",
                f"one of {', '.join(sorted(allowed - {''}))}",
                line=line,
            )
    return row


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


@remembered
def measure_entries() -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Return the entries of the measures in force: the file each is from, and its fields.

    Shipped ones keep their place; a user's entry of the same name takes over field by field, and
    ``hidden: true`` takes a measure out.
    """
    shipped = files("catalogs.semantics").joinpath(MEASURES).read_text(encoding="utf-8")
    found = {name: (MEASURES, dict(e)) for name, e in yaml.load(shipped, _LOADER).items()}
    path = _own / MEASURES if _own else None
    if path and path.is_file():
        for name, entry in _own_measures(path).items():
            before = found.get(name, ("", {}))[1]
            found[name] = (path.name, {**before, **entry})
    return {name: (file, e) for name, (file, e) in found.items() if not e.pop("hidden", False)}


def _own_measures(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = yaml.load(_text_of(path), _LOADER) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise UnreadableFileError(
            path.name,
            "it cannot be read as YAML",
            "measures as in the shipped measures.yaml",
            line=mark.line + 1 if mark else None,
            details=str(error),
        ) from error
    if not isinstance(content, dict) or not all(isinstance(e, dict) for e in content.values()):
        raise UnreadableFileError(
            path.name, "it is no table of measures", "a name and its fields for each measure"
        )
    return {str(name): dict(entry) for name, entry in content.items()}
