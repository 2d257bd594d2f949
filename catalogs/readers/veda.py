"""VEDA text files: ``.vd`` results with ``.vde``, ``.vds``, ``.vdt`` and side tables beside them.

Source of the format: the GDX2VEDA utility and ``times2veda.vdd`` of TIMES; DOMAIN facts read off
real files. Nothing about the layout is assumed: separator, quote and the order of the dimensions
come from the header of the ``.vd``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers import side_tables, veda_batch
from catalogs.readers.base import (
    Format,
    Progress,
    ScenarioFiles,
    ScenarioHeader,
    account,
    no_progress,
    raw_result_as_text,
    report,
)
from catalogs.readers.from_results import fill_from_results
from catalogs.readers.text_files import (
    open_bytes,
    read_delimited,
)
from catalogs.readers.veda_header import VedaHeader, plain_name, read_header, stem_of
from catalogs.readers.veda_rows import read_rows
from catalogs.tables import GROUP_COMMODITIES

_SUFFIXES = (".vd", ".vde", ".vds", ".vdt")

_is_side_table = side_tables.is_side_table


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
                    f"{stem_of(companion)}.vd in the same folder",
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
        rows = read_rows(files.main, header, connection)
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


def _veda_suffix(path: Path) -> str:
    suffix = Path(plain_name(path)).suffix
    return suffix if suffix in _SUFFIXES else ""


def _begins_as_vd(path: Path) -> bool:
    """Whether a file of any other name begins with the header of a ``.vd``."""
    with open_bytes(path) as stream:
        first = stream.read(4096)
    return first.startswith(b"*") and re.search(rb"(?m)^\*\s*Dimensions\s*-", first) is not None


def _same_stem(path: Path) -> list[Path]:
    stem = stem_of(path).lower()
    siblings = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    return [p for p in siblings if _veda_suffix(p) and stem_of(p).lower() == stem]


def _beside(main: Path) -> list[Path]:
    companions = [p for p in _same_stem(main) if _veda_suffix(p) != ".vd"]
    return companions + side_tables.beside(main, stem_of(main))


def _names_of(mains: Iterable[Path]) -> dict[str, Path]:
    """Return the names, in lower case, that may stand for each ``.vd``: its own, its file's."""
    names: dict[str, Path] = {}
    for main in mains:
        names.setdefault(stem_of(main).lower(), main)
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
) -> int:
    """Insert distinct rows of text; return how many."""
    if not rows:
        return 0
    names = columns.split(",")
    data = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    lists = ", ".join(f"unnest(${name}::VARCHAR[]) AS {name}" for name in names)
    [(inserted,)] = connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT DISTINCT {columns} FROM (SELECT {lists})", data
    ).fetchall()
    return int(inserted)


def _read_elements(path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> None:
    rows = _read_cells(path, header, "dimension;region;element;description")
    kept = _insert(connection, "element", "dimension,region,element,description", rows)
    report(connection, "info", "read", "descriptions read", file=path.name, count=len(rows))
    [(several,)] = connection.execute(
        "SELECT coalesce(sum(times), 0)::BIGINT FROM (SELECT count(*) AS times FROM element"
        " GROUP BY dimension, region, element HAVING count(*) > 1)"
    ).fetchall()
    if several:
        message = "descriptions differ for one code; one of them is shown"
        report(connection, "info", "description", message, file=path.name, count=several)
    account(
        connection,
        path.name,
        "descriptions",
        read=len(rows),
        kept=kept - several,
        merged=len(rows) - kept,
        conflicting=several,
    )


def _read_sets(path: Path, header: VedaHeader, connection: duckdb.DuckDBPyConnection) -> None:
    rows = _read_cells(path, header, "dimension;region;set;item")
    kinds = Counter(row[0].lower() for row in rows)
    kept = 0
    for dimension, table in (("process", "process_set"), ("commodity", "commodity_set")):
        chosen = [[region, item, set_] for d, region, set_, item in rows if d.lower() == dimension]
        kept += _insert(connection, table, f"region,{dimension},set_name", chosen)
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
    account(
        connection,
        path.name,
        "sets",
        read=len(rows),
        kept=kept,
        merged=len(rows) - kept - left_out,
        left_out=left_out,
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
    other = [
        row
        for row in rows
        if row[3].upper() not in ("IN", "OUT") and row[2] not in GROUP_COMMODITIES
    ]
    sides = [
        [region, process, commodity, direction.upper()]
        for region, process, commodity, direction in rows
        if commodity not in GROUP_COMMODITIES and direction.upper() in ("IN", "OUT")
    ]
    kept = _insert(connection, "topology", "region,process,commodity,direction", sides)
    account(
        connection,
        path.name,
        "topology",
        read=len(rows),
        kept=kept,
        merged=len(sides) - kept,
        left_out=len(rows) - len(sides),
    )
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
