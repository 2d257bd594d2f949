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

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers import side_tables, veda_batch
from catalogs.readers.base import (
    RAW_RESULT_COLUMNS,
    Format,
    Progress,
    ScenarioFiles,
    ScenarioHeader,
    create_raw_result,
    no_progress,
    report,
)
from catalogs.readers.from_results import fill_from_results
from catalogs.readers.text_files import (
    MAX_LINE,
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
    """Read the rows of a ``.vd`` into ``raw_result``; return their number."""
    create_raw_result(connection)
    names = [d.lower() for d in header.dimensions]
    value = header.value_dimension.lower()
    columns = {f"c{i}": "DOUBLE" if n == value else "VARCHAR" for i, n in enumerate(names)}
    with as_plain_utf8(path) as text:
        _load_csv(path, text.path, header, columns, connection)
        rows = _one(connection, "SELECT count(*) FROM veda_rows")
        if rows == 0:
            raise UnreadableFileError(
                path.name, "there are no rows after the header", "result rows"
            )
        report(connection, "info", "read", "result rows read", file=path.name, count=rows)
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
                line=header.lines + rows,
            )
    _insert_raw_result(names, value, connection)
    _keep_extra_dimensions(names, value, header, connection)
    connection.execute("DROP TABLE veda_rows")
    _report_values(path, connection)
    return rows


def _load_csv(
    path: Path,
    plain: Path,
    header: VedaHeader,
    columns: dict[str, str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    try:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE veda_rows AS SELECT * FROM read_csv($path,"
            " auto_detect=false, header=false, skip=$skip, delim=$delim, quote=$quote,"
            " escape=$quote, columns=$columns, nullstr='', max_line_size=$longest,"
            " store_rejects=true, rejects_limit=10)",
            {
                "path": str(plain),
                "skip": header.lines,
                "delim": header.separator,
                "quote": header.quote,
                "columns": columns,
                "longest": MAX_LINE,
            },
        )
    except duckdb.Error as error:
        raise _unreadable_row(path, header, None, str(error)) from error
    rejected = connection.execute(
        "SELECT line, csv_line, error_message FROM reject_errors ORDER BY line LIMIT 1"
    ).fetchone()
    if rejected:
        line, text, message = rejected
        raise _unreadable_row(path, header, line, f"{text!s:.200}\n{message}")


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


def _cell(name: str) -> str:
    return f"CASE WHEN {name} IS NULL OR {name} = 'NONE' THEN '{NO_VALUE}' ELSE {name} END"


def _insert_raw_result(
    names: Sequence[str], value: str, connection: duckdb.DuckDBPyConnection
) -> None:
    source = {
        _COLUMN_OF_DIMENSION[n]: f"c{i}" for i, n in enumerate(names) if n in (_COLUMN_OF_DIMENSION)
    }
    cells = [_cell(source[c]) if c in source else f"'{NO_VALUE}'" for c in RAW_RESULT_COLUMNS]
    connection.execute(
        f"INSERT INTO raw_result SELECT {', '.join(cells)}, c{names.index(value)} FROM veda_rows"
    )


def _keep_extra_dimensions(
    names: Sequence[str],
    value: str,
    header: VedaHeader,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Keep the cells of dimensions that have no canonical column, by row number."""
    for index, name in enumerate(names):
        if name == value or name in _COLUMN_OF_DIMENSION:
            continue
        connection.execute(
            f"INSERT INTO result_extra SELECT row_number() OVER () - 1, ?, c{index} FROM veda_rows"
            f" QUALIFY c{index} IS NOT NULL",
            [header.dimensions[index]],
        )


def _report_values(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    missing = _one(connection, "SELECT count(*) FROM raw_result WHERE value IS NULL")
    if missing:
        report(
            connection,
            "warning",
            "values",
            "rows without a value are kept as missing",
            file=path.name,
            count=missing,
        )
    infinite = _one(connection, "SELECT count(*) FROM raw_result WHERE NOT isfinite(value)")
    if infinite:
        report(
            connection,
            "warning",
            "values",
            "values that are infinite or not a number; they are left out of flows and prices",
            file=path.name,
            count=infinite,
        )


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


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
