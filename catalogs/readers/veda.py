"""VEDA text files: ``.vd`` results with ``.vde``, ``.vds``, ``.vdt`` and side tables beside them.

Source of the format: the GDX2VEDA utility and ``times2veda.vdd`` of TIMES; DOMAIN facts read off
real files. Nothing about the layout is assumed: separator, quote and the order of the dimensions
come from the header of the ``.vd``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from catalogs import codes
from catalogs.errors import UnreadableFileError
from catalogs.readers import side_tables, veda_batch
from catalogs.readers.base import (
    RAW_RESULT_COLUMNS,
    Format,
    Progress,
    ScenarioFiles,
    ScenarioHeader,
    no_progress,
    raw_result_as_text,
    report,
)
from catalogs.readers.from_results import fill_from_results
from catalogs.readers.text_files import (
    MAX_LINE,
    PlainText,
    as_plain_utf8,
    decode,
    open_bytes,
    read_delimited,
)
from catalogs.tables import NO_VALUE

_SUFFIXES = (".vd", ".vde", ".vds", ".vdt")
_HEADER_ENTRY = re.compile(r"^\*\s*(?P<key>[^-]+?)\s*-\s?(?P<value>.*)$")

#: Dimension names of the header, without case, and the canonical column of each.
_COLUMN_OF_DIMENSION = {
    "sow": "sow",
    "attribute": "attribute",
    "commodity": "commodity",
    "process": "process",
    "period": "year",
    "region": "region",
    "vintage": "vintage",
    "timeslice": "timeslice",
    "userconstraint": "user_constraint",
}

_is_side_table = side_tables.is_side_table

#: Beside "-", the cells that say that there is no value in the dimension.
_NO_VALUES = frozenset({None, "NONE"})

#: Commodity groups that TIMES writes into the topology; they are no commodities.
GROUP_COMMODITIES = frozenset({"NRGI", "NRGO", "ENVI", "ENVO", "DEMO", "MATI", "MATO"})


@dataclass(frozen=True)
class VedaHeader:
    """The ``*`` lines of a ``.vd``: dimensions in order, the value's name, and how cells are cut.

    ``lines`` counts the lines before the first row.
    """

    scenario: str
    dimensions: tuple[str, ...]
    value_dimension: str
    separator: str
    quote: str
    lines: int


class VedaReader:
    """Reads a VEDA set; ``.gz`` after any of the four suffixes is unpacked.

    It gathers VEDA's batch exports as well, because they may be tables of one of the sets.
    """

    name = "veda"
    format = Format(
        "VEDA",
        ".vd",
        "Results. Beside it, with the same name: .vde (descriptions), .vds (sets), .vdt"
        " (topology). Any of the four may be packed as .gz.",
    )

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Group the VEDA files by stem and add what lies beside each ``.vd``."""
        mains: dict[Path, None] = {}
        companions: list[Path] = []
        side: list[Path] = []
        others: list[Path] = []
        for path in paths:
            suffix = _veda_suffix(path)
            if suffix == ".vd" or (not suffix and _begins_as_vd(path)):
                mains[path] = None
            elif suffix:
                companions.append(path)
            elif _is_side_table(path):
                side.append(path)
            else:
                others.append(path)
        for companion in companions:
            beside = [p for p in _same_stem(companion) if _veda_suffix(p) == ".vd"]
            if not beside:
                raise UnreadableFileError(
                    companion.name,
                    "it describes results, but there is no .vd file of the same name beside it",
                    f"{_stem(companion)}.vd in the same folder",
                )
            mains.setdefault(beside[0])
        scenarios = [ScenarioFiles(self.name, p, tuple(_beside(p))) for p in mains]
        scenarios, others = veda_batch.attach(scenarios, others, _names_of(mains))
        _refuse_side_tables_alone(side, [files.main for files in scenarios])
        return scenarios, others

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Fill ``raw_result`` and the canonical tables; see ``Reader.read``."""
        header = read_header(files.main)
        progress(0.05, "reading results")
        rows = _read_rows(files.main, header, connection)
        progress(0.7, "reading descriptions, sets and topology")
        scenario = ScenarioHeader(header.scenario, source_format="VEDA", rows_read=rows)
        by_suffix = {_veda_suffix(path): path for path in files.beside}
        if path := by_suffix.get(".vde"):
            _read_elements(path, header, connection)
        if path := by_suffix.get(".vds"):
            _read_sets(path, header, connection)
        if path := by_suffix.get(".vdt"):
            _read_topology(path, header, connection, scenario)
        if files.part:
            exports = [p for p in files.beside if not (_veda_suffix(p) or _is_side_table(p))]
            raw_result_as_text(connection)  # the exports may have texts that the .vd has not
            veda_batch.compare(exports, files.part[0], connection)
        fill_from_results(connection)
        side_tables.read(
            [path for path in files.beside if _is_side_table(path)],
            connection,
            scenario,
        )
        return scenario


# ---------------------------------------------------------------------------- which files


def _plain_name(path: Path) -> str:
    name = path.name.lower()
    return name.removesuffix(".gz")


def _veda_suffix(path: Path) -> str:
    suffix = Path(_plain_name(path)).suffix
    return suffix if suffix in _SUFFIXES else ""


def _begins_as_vd(path: Path) -> bool:
    """Whether a file of any other name begins with the header of a ``.vd``."""
    with open_bytes(path) as stream:
        first = stream.read(4096)
    return first.startswith(b"*") and re.search(rb"(?m)^\*\s*Dimensions\s*-", first) is not None


def _stem(path: Path) -> str:
    return path.name[: len(Path(_plain_name(path)).stem)]


def _same_stem(path: Path) -> list[Path]:
    stem = _stem(path).lower()
    siblings = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    return [p for p in siblings if _veda_suffix(p) and _stem(p).lower() == stem]


def _beside(main: Path) -> list[Path]:
    companions = [p for p in _same_stem(main) if _veda_suffix(p) != ".vd"]
    return companions + side_tables.beside(main, _stem(main))


def _names_of(mains: Iterable[Path]) -> dict[str, Path]:
    """Return the names, in lower case, that may stand for each ``.vd``: its own, its file's."""
    names: dict[str, Path] = {}
    for main in mains:
        names.setdefault(_stem(main).lower(), main)
    for main in mains:
        try:
            names.setdefault(read_header(main).scenario.lower(), main)
        except UnreadableFileError:
            continue  # reading it will say what is wrong with it
    return names


def _refuse_side_tables_alone(side: Sequence[Path], mains: Iterable[Path]) -> None:
    folders = {main.parent.resolve() for main in mains}
    for path in side:
        if path.parent.resolve() not in folders:
            raise UnreadableFileError(
                path.name,
                "it is a table about results, but there is no .vd file or batch export beside it",
            )


# ---------------------------------------------------------------------------- results


def read_header(path: Path) -> VedaHeader:
    """Read the ``*`` lines of a ``.vd``. Raises ``UnreadableFileError``."""
    entries: dict[str, str] = {}
    lines = 0
    with open_bytes(path) as stream:
        while raw := stream.readline(MAX_LINE + 1):
            if len(raw) > MAX_LINE:
                raise UnreadableFileError(
                    path.name,
                    "the line is longer than a megabyte",
                    "a VEDA .vd file",
                    line=lines + 1,
                )
            text = decode(raw).rstrip("\r\n")
            if text.startswith("*"):
                if match := _HEADER_ENTRY.match(text):
                    entries[match["key"].strip().lower()] = match["value"]
            elif text.strip():
                break
            lines += 1
        else:
            raw = b""
    if lines == 0 and not raw:
        raise UnreadableFileError(path.name, "the file is empty", "a VEDA .vd file with a header")
    if "dimensions" not in entries:
        raise UnreadableFileError(
            path.name,
            "there is no '* Dimensions-' line before the rows",
            "the header that GDX2VEDA writes, with Dimensions-, FieldSeparator- and ValueDim-",
            line=1,
        )
    return _header_from(path, entries, lines)


def _header_from(path: Path, entries: dict[str, str], lines: int) -> VedaHeader:
    dimensions = tuple(d.strip() for d in entries["dimensions"].split(";") if d.strip())
    value_dimension = entries.get("valuedim", "PV").strip()
    without_case = [d.lower() for d in dimensions]
    missing = [d for d in ("attribute", value_dimension.lower()) if d not in without_case]
    if missing or len(set(without_case)) != len(without_case):
        raise UnreadableFileError(
            path.name,
            f"the Dimensions- line reads {';'.join(dimensions)}",
            f"each dimension once, with Attribute and {value_dimension} among them",
        )
    scenario = entries.get("importid", "").partition(":")[2].strip()
    return VedaHeader(
        scenario=scenario or _stem(path),
        dimensions=dimensions,
        value_dimension=value_dimension,
        separator=_separator(entries.get("fieldseparator", ",")),
        quote=entries.get("textdelim", '"').strip() or '"',
        lines=lines,
    )


def _separator(text: str) -> str:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}
    if "\t" in text:
        return "\t"
    return named.get(text.strip().lower(), text.strip()[:1] or ",")


def _read_rows(path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> int:
    """Read the rows of a ``.vd`` into ``raw_result``, as codes; return their number.

    The file is read twice, first for the texts that occur and then for the rows: that takes less
    time than keeping millions of rows of text, and hardly any memory.
    """
    with as_plain_utf8(path) as text:
        cells = _survey(path, text.path, header, connection)
        if cells.rows == 0:
            raise UnreadableFileError(
                path.name, "there are no rows after the header", "result rows"
            )
        _report_rows(path, header, text, cells, connection)
        _store_rows(text.path, header, cells, connection)
    _keep_extra_dimensions(header, connection)
    return cells.rows


@dataclass(frozen=True)
class _Cells:
    """What stands in the rows of a file: the texts of each canonical column, and odd values."""

    rows: int
    missing: int
    not_finite: int
    texts: dict[str, set[str | None]]


def _survey(
    path: Path, plain: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection
) -> _Cells:
    """Read the whole file for what occurs in it. Raises ``UnreadableFileError``."""
    coded = _coded_columns(header)
    # Every column is asked for: DuckDB does not look at cells that nobody wants.
    others = [f"count(c{i})" for i in range(len(header.dimensions)) if i not in coded.values()]
    value = _value_column(header)
    try:
        found = connection.execute(
            f"SELECT count(*), count(*) - count({value}), count(*) FILTER (NOT isfinite({value})),"
            f" [{', '.join(others)}],"
            f" [{', '.join(f'list(DISTINCT c{i})' for i in coded.values())}]"
            f" FROM {_CSV}, store_rejects=true, rejects_limit=10)",
            _csv_options(plain, header),
        ).fetchall()[0]
    except duckdb.Error as error:
        raise _unreadable_row(path, header, None, str(error)) from error
    rejected = connection.execute(
        "SELECT line, csv_line, error_message FROM reject_errors ORDER BY line LIMIT 1"
    ).fetchone()
    if rejected:
        line, text, message = rejected
        raise _unreadable_row(path, header, line, f"{text!s:.200}\n{message}")
    rows, missing, not_finite, _, texts = found
    return _Cells(
        rows, missing, not_finite, {c: set(t or ()) for c, t in zip(coded, texts, strict=True)}
    )


_CSV = (
    "read_csv($path, auto_detect=false, header=false, skip=$skip, delim=$delim, quote=$quote,"
    " escape=$quote, columns=$columns, nullstr='', max_line_size=$longest"
)


def _csv_options(plain: Path, header: VedaHeader) -> dict[str, Any]:
    value = header.value_dimension.lower()
    return {
        "path": str(plain),
        "skip": header.lines,
        "delim": header.separator,
        "quote": header.quote,
        "columns": {
            f"c{i}": "DOUBLE" if d.lower() == value else "VARCHAR"
            for i, d in enumerate(header.dimensions)
        },
        "longest": MAX_LINE,
    }


def _value_column(header: VedaHeader) -> str:
    names = [d.lower() for d in header.dimensions]
    return f"c{names.index(header.value_dimension.lower())}"


def _coded_columns(header: VedaHeader) -> dict[str, int]:
    """Return the canonical columns that the file has, and where."""
    value = header.value_dimension.lower()
    return {
        _COLUMN_OF_DIMENSION[d.lower()]: i
        for i, d in enumerate(header.dimensions)
        if d.lower() != value and d.lower() in _COLUMN_OF_DIMENSION
    }


def _extra_columns(header: VedaHeader) -> dict[str, str]:
    """Return the dimensions that have no canonical column, by their name in the file."""
    known = {*_coded_columns(header).values(), int(_value_column(header)[1:])}
    return {f"c{i}": d for i, d in enumerate(header.dimensions) if i not in known}


def _store_rows(
    plain: Path, header: VedaHeader, cells: _Cells, connection: duckdb.DuckDBPyConnection
) -> None:
    codes.make(
        connection,
        {
            column: {
                t or NO_VALUE for t in (cells.texts.get(column, set()) | {NO_VALUE}) - _NO_VALUES
            }
            for column in RAW_RESULT_COLUMNS
        },
    )
    coded = _coded_columns(header)
    columns = []
    for column in RAW_RESULT_COLUMNS:
        cell = f"c{coded[column]}" if column in coded else f"'{NO_VALUE}'"
        if _NO_VALUES.intersection(cells.texts.get(column, ())):
            cell = f"CASE WHEN {cell} IS NULL OR {cell} = 'NONE' THEN '{NO_VALUE}' ELSE {cell} END"
        columns.append(f"({cell})::{codes.type_of(column)} AS {column}")
    columns += [f"{_value_column(header)} AS value", *_extra_columns(header)]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE raw_result AS SELECT {', '.join(columns)} FROM {_CSV})",
        _csv_options(plain, header),
    )


def _keep_extra_dimensions(header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the cells of dimensions that have no canonical column, by row number."""
    for column, name in _extra_columns(header).items():
        connection.execute(
            f"INSERT INTO result_extra SELECT rowid, ?, {column} FROM raw_result"
            f" WHERE {column} IS NOT NULL",
            [name],
        )
        connection.execute(f"ALTER TABLE raw_result DROP COLUMN {column}")


def _report_rows(
    path: Path,
    header: VedaHeader,
    text: PlainText,
    cells: _Cells,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    report(connection, "info", "read", "result rows read", file=path.name, count=cells.rows)
    if text.repaired:
        report(
            connection,
            "info",
            "encoding",
            "bytes that are not UTF-8 were read as Windows-1252",
            file=path.name,
            count=text.repaired,
        )
    if not text.ends_with_newline:
        report(
            connection,
            "warning",
            "truncated",
            "the last line has no line end: the file may have been cut off",
            file=path.name,
            line=header.lines + cells.rows,
        )
    if cells.missing:
        report(
            connection,
            "warning",
            "values",
            "rows without a value are kept as missing",
            file=path.name,
            count=cells.missing,
        )
    if cells.not_finite:
        report(
            connection,
            "warning",
            "values",
            "values that are infinite or not a number; they are left out of flows and prices",
            file=path.name,
            count=cells.not_finite,
        )


def _unreadable_row(
    path: Path, header: VedaHeader, line: int | None, details: str
) -> UnreadableFileError:
    if line is None and (found := re.search(r"Line: (\d+)", details)):
        line = int(found[1])
    return UnreadableFileError(
        path.name,
        "the row cannot be read",
        f"{len(header.dimensions)} cells ({';'.join(header.dimensions)}) separated by"
        f" {header.separator!r}, the last ones quoted with {header.quote!r} and"
        f" {header.value_dimension} a number",
        line=line,
        details=details,
    )


# ---------------------------------------------------------------------------- beside the results


def _read_cells(path: Path, header: VedaHeader, columns: str) -> list[list[str]]:
    """Read a file of exactly as many cells a line as ``columns`` names; ``*`` lines are skipped."""
    width = len(columns.split(";"))
    rows = []
    for line, cells in read_delimited(path, separator=header.separator, quote=header.quote):
        if len(cells) == 1 and (cells[0].startswith("*") or "=" in cells[0]):
            continue
        if len(cells) != width:
            raise UnreadableFileError(
                path.name,
                f"the line has {len(cells)} cells",
                f"{width} cells ({columns})",
                line=line,
                details=header.separator.join(cells)[:200],
            )
        rows.append(cells)
    return rows


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[list[str]]
) -> None:
    """Insert distinct rows of text."""
    if not rows:
        return
    names = columns.split(",")
    data = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    lists = ", ".join(f"unnest(${name}::VARCHAR[]) AS {name}" for name in names)
    connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT DISTINCT {columns} FROM (SELECT {lists})", data
    )


def _read_elements(path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> None:
    rows = _read_cells(path, header, "dimension;region;element;description")
    _insert(connection, "element", "dimension,region,element,description", rows)
    report(connection, "info", "read", "descriptions read", file=path.name, count=len(rows))


def _read_sets(path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> None:
    rows = _read_cells(path, header, "dimension;region;set;item")
    kinds = Counter(row[0].lower() for row in rows)
    for dimension, table in (("process", "process_set"), ("commodity", "commodity_set")):
        chosen = [[region, item, set_] for d, region, set_, item in rows if d.lower() == dimension]
        _insert(connection, table, f"region,{dimension},set_name", chosen)
        report(
            connection,
            "info",
            "read",
            f"{dimension} set members read",
            file=path.name,
            count=len(chosen),
        )
    left_out = sum(kinds.values()) - kinds["process"] - kinds["commodity"]
    if left_out:
        report(
            connection,
            "info",
            "left_out",
            "set members of other dimensions left out",
            file=path.name,
            count=left_out,
        )


def _read_topology(
    path: Path,
    header: VedaHeader,
    connection: duckdb.DuckDBPyConnection,
    scenario: ScenarioHeader,
) -> None:
    for _, cells in read_delimited(path, separator=header.separator, quote=header.quote):
        key, found, text = cells[0].lstrip("* ").partition("=")
        if len(cells) == 1 and found and key.strip() in ("ScenDesc", "ScenEDesc") and text.strip():
            scenario.description = scenario.description or text.strip()
    rows = _read_cells(path, header, "region;process;commodity;direction")
    groups = [row for row in rows if row[2] in GROUP_COMMODITIES]
    other = [row for row in rows if row[3].upper() not in ("IN", "OUT")]
    kept = [
        [region, process, commodity, direction.upper()]
        for region, process, commodity, direction in rows
        if commodity not in GROUP_COMMODITIES and direction.upper() in ("IN", "OUT")
    ]
    _insert(connection, "topology", "region,process,commodity,direction", kept)
    report(connection, "info", "read", "topology rows read", file=path.name, count=len(rows))
    if groups:
        report(
            connection,
            "info",
            "left_out",
            "topology rows of commodity groups (NRGI, NRGO ...) left out",
            file=path.name,
            count=len(groups),
        )
    if other:
        report(
            connection,
            "info",
            "left_out",
            "topology rows that are no IN or OUT left out",
            file=path.name,
            count=len(other),
        )
