"""VEDA batch exports: the CSV files that VEDA writes of its result tables.

Columns are found by name: ``Scenario, UserName, ModelName, Studyname, Attribute``, those of the
dimensions that the table keeps, ``Pv``, and the set it was made for (``Commodityset``,
``Processset``). Each table drops other dimensions, and one file may hold several scenarios; all
files of one scenario and model are one scenario here.

**Beside a ``.vd`` of the same scenario** (it is named as the ``.vd`` or as its file) they are no
scenario of their own: they are VEDA's own tables of those results. Figures that agree are counted
as duplicates, figures that differ are reported and those of the ``.vd`` hold, and what the
``.vd`` does not have at all is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers import side_tables
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
from catalogs.readers.delimited import (
    TableHead,
    check_numbers,
    check_years,
    load_table,
    read_head,
    report_values,
)
from catalogs.readers.from_results import fill_from_results
from catalogs.tables import NO_VALUE

NAME = "veda_batch"

#: Headers, without case, and the canonical column of each.
_COLUMN_OF_HEADER = {
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
_SETS = {"commodityset": "commodity", "processset": "process"}
_ABOUT = ("scenario", "username", "modelname", "studyname", "pv")
_REQUIRED = frozenset({"scenario", "attribute", "pv"})

#: VEDA writes six decimals; figures that agree to that are the same.
_TOLERANCE = 1e-6

#: Model and scenario, '' where a file names no model.
Part = tuple[str, str]


class BatchExportReader:
    """Reads the batch exports of one scenario where there is no ``.vd`` of it."""

    name = NAME
    format = Format(
        "VEDA batch export",
        ".csv",
        "Result tables as VEDA exports them, several at once. Beside the .vd of their scenario"
        " they are checked against it.",
    )

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Group batch exports by model and scenario; see ``Reader.gather``."""
        scenarios, _, others = group(paths, {})
        return scenarios, others

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Fill ``raw_result`` and the tables that follow from it; see ``Reader.read``."""
        model, scenario = files.part
        tables = [path for path in files.files if not side_tables.is_side_table(path)]
        header = ScenarioHeader(
            scenario or files.main.stem, model, source_format="VEDA batch export"
        )
        create_raw_result(connection)
        # Tables of the most dimensions first: what those give, the others can only repeat.
        tables.sort(key=lambda path: -len(_columns(_head(path))))
        for number, path in enumerate(tables):
            progress(0.7 * number / len(tables), f"reading {path.name}")
            header.rows_read += _add(path, files.part, "another table", connection)
        _count_repeats(connection)
        report_values(files.main, connection)
        progress(0.7, "naming processes and commodities")
        fill_from_results(connection)
        _report_descriptions(files.main, connection)
        side_tables.read(
            [path for path in files.beside if side_tables.is_side_table(path)], connection, header
        )
        return header


# ---------------------------------------------------------------------------- which files


def is_batch_export(path: Path) -> bool:
    """Whether the first line has the column names of a batch export."""
    head = read_head(path)
    return head is not None and _REQUIRED.issubset(head.keys)


def group(
    paths: Iterable[Path], scenarios_of: dict[str, Path]
) -> tuple[list[ScenarioFiles], dict[Path, tuple[str, list[Path]]], list[Path]]:
    """Group batch exports by scenario, those of a ``.vd`` apart.

    ``scenarios_of`` has every name, in lower case, under which a ``.vd`` may be meant. Returns
    the scenarios without one; the name they have in the exports and the files, by ``.vd``; and
    the paths that are no batch exports.
    """
    alone: dict[Part, list[Path]] = {}
    beside: dict[Path, tuple[str, list[Path]]] = {}
    others = []
    for path in paths:
        if not is_batch_export(path):
            others.append(path)
            continue
        for model, scenario in _parts(path):
            main = scenarios_of.get(scenario.lower())
            if main is None:
                alone.setdefault((model, scenario), []).append(path)
            elif path not in (known := beside.setdefault(main, (scenario, []))[1]):
                known.append(path)
    found = [
        ScenarioFiles(NAME, files[0], (*files[1:], *side_tables.beside(files[0], "")), part)
        for part, files in alone.items()
    ]
    return found, beside, others


def _parts(path: Path) -> list[Part]:
    """Return the models and scenarios in a file, in its order."""
    with duckdb.connect(":memory:") as connection:
        head = _load(path, connection)
        rows = connection.execute(
            f"SELECT {_model(head)} AS model, {_scenario(head)} AS scenario"
            " FROM batch GROUP BY ALL ORDER BY min(rowid)"
        ).fetchall()
    return [(str(model), str(scenario)) for model, scenario in rows]


def _head(path: Path) -> TableHead:
    head = read_head(path)
    if head is None:
        raise UnreadableFileError(path.name, "the file has changed", "a VEDA batch export")
    return head


def _load(path: Path, connection: duckdb.DuckDBPyConnection) -> TableHead:
    """Load a file into the temporary table ``batch``; return its head."""
    head = _head(path)
    repaired = load_table(path, head, "batch", connection)
    if (
        repaired
        and connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE table_name = 'import_report'"
        ).fetchone()
    ):
        message = "bytes that are not UTF-8 were read as Windows-1252"
        report(connection, "info", "encoding", message, file=path.name, count=repaired)
    return head


def _text(head: TableHead, *keys: str) -> str:
    """Return SQL for a cell as text, '' where it is empty or there is no such column."""
    place = head.place(*keys)
    return "''" if place is None else f"coalesce(trim(c{place}), '')"


def _model(head: TableHead) -> str:
    return f"coalesce(nullif({_text(head, 'modelname')}, ''), {_text(head, 'studyname')})"


def _scenario(head: TableHead) -> str:
    return _text(head, "scenario")


# ---------------------------------------------------------------------------- rows


def _columns(head: TableHead) -> dict[str, str]:
    """Return SQL for each canonical column that the file has."""
    found = {}
    for key, column in _COLUMN_OF_HEADER.items():
        place = head.place(key)
        if place is not None:
            cell = f"trim(c{place})"
            found[column] = f"CASE WHEN c{place} IS NULL OR {cell} IN ('NONE', '') THEN"
            found[column] += f" '{NO_VALUE}' ELSE {cell} END"
    return found


def _check(path: Path, head: TableHead, connection: duckdb.DuckDBPyConnection) -> str:
    """Check numbers and years; return SQL for the value."""
    value = f"c{head.keys.index('pv')}"
    check_numbers(path, head, "batch", [value], connection)
    years = {
        f"c{place}": head.names[place]
        for place in (head.place("period"), head.place("vintage"))
        if place is not None
    }
    check_years(path, head, "batch", years, connection)
    return f"try_cast(trim({value}) AS DOUBLE)"


def _add(
    path: Path, part: Sequence[str], others: str, connection: duckdb.DuckDBPyConnection
) -> int:
    """Add to ``raw_result`` what a file has and that does not; return the scenario's rows in it.

    ``part`` is a model and scenario, or a scenario whatever its model. ``others`` says to a
    person whose figures are in ``raw_result`` already.
    """
    head = _load(path, connection)
    value = _check(path, head, connection)
    columns = _columns(head)
    names = (f"{_model(head)} = ?", f"{_scenario(head)} = ?")[-len(part) :]
    where = f"WHERE {' AND '.join(names)}"
    cells = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE batch_rows AS SELECT {cells}, {value} AS value"
        f" FROM batch {where} ORDER BY rowid",
        list(part),
    )
    [(rows,)] = connection.execute("SELECT count(*) FROM batch_rows").fetchall()
    report(connection, "info", "read", "batch export rows read", file=path.name, count=rows)
    _codes_of_descriptions(path, list(columns), connection)
    _keep_sets(head, columns, where, part, connection)
    _merge(path, list(columns), others, connection)
    _report_columns(path, head, columns, rows, connection)
    connection.execute("DROP TABLE batch; DROP TABLE batch_rows")
    return int(rows)


def _keep_sets(
    head: TableHead,
    columns: dict[str, str],
    where: str,
    part: Sequence[str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Keep the set a table was made for as one that its processes or commodities are in."""
    for key, dimension in _SETS.items():
        place = head.place(key)
        if place is None or dimension not in columns or "region" not in columns:
            continue
        connection.execute(
            f"INSERT INTO {dimension}_set SELECT DISTINCT {columns['region']},"
            f" {columns[dimension]}, trim(c{place}) FROM batch {where}"
            f" AND trim(c{place}) NOT IN ('', '-', 'NONE')"
            f" EXCEPT SELECT region, {dimension}, set_name FROM {dimension}_set",
            list(part),
        )


def _report_columns(
    path: Path,
    head: TableHead,
    columns: Iterable[str],
    rows: int,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Report the dimensions that a table drops, and the columns that have no meaning here."""
    dropped = [name for name in RAW_RESULT_COLUMNS[1:] if name not in columns]
    if dropped:
        message = f"the table has no {', '.join(dropped)}: VEDA added up over what it leaves out"
        report(connection, "info", "dimensions", message, file=path.name, count=rows)
    known = {*_COLUMN_OF_HEADER, *_SETS, *_ABOUT, ""}
    for place, key in enumerate(head.keys):
        if key not in known:
            message = f"the column {head.names[place]!r} is not known and was left out"
            report(connection, "warning", "left_out", message, file=path.name, count=rows)


def _count_repeats(connection: duckdb.DuckDBPyConnection) -> None:
    """Warn where tables that drop different dimensions give the same figures at two details."""
    [(attributes,)] = connection.execute(
        """
        SELECT count(*) FROM (
            SELECT attribute FROM raw_result GROUP BY ALL
            HAVING bool_or(timeslice = '-') AND bool_or(timeslice <> '-')
                OR bool_or(process = '-') AND bool_or(process <> '-')
                OR bool_or(commodity = '-') AND bool_or(commodity <> '-')
                OR bool_or(vintage = '-') AND bool_or(vintage NOT IN ('-', '0'))
        ) WHERE attribute ILIKE 'VAR_F%' OR attribute ILIKE 'VAR_Act' OR attribute ILIKE 'Cost_%'
        """
    ).fetchall()
    if attributes:
        message = (
            "attributes stand in several tables with different dimensions: sums over all rows may"
            " count a figure twice"
        )
        report(connection, "warning", "dimensions", message, count=attributes)


def _report_descriptions(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Report names that must be descriptions: no code has a blank in it."""
    for dimension in ("process", "commodity"):
        [(count, example)] = connection.execute(
            f"SELECT count(*), min({dimension}) FROM (SELECT DISTINCT {dimension} FROM raw_result"
            f" WHERE {dimension} LIKE '% %')"
        ).fetchall()
        if count:
            message = (
                f"the {dimension} column holds descriptions in place of codes; they are kept as"
                f" they are (first: {example})"
            )
            report(connection, "warning", "descriptions", message, file=path.name, count=count)


# ---------------------------------------------------------------------------- beside a .vd


def attach(
    scenarios: Sequence[ScenarioFiles], paths: Iterable[Path], names: dict[str, Path]
) -> tuple[list[ScenarioFiles], list[Path]]:
    """Put batch exports beside the ``.vd`` they are of, and add the scenarios of the others.

    ``names`` has every name, in lower case, under which one of ``scenarios`` may be meant. Returns
    all scenarios, and the paths that are no batch exports.
    """
    alone, beside, others = group(paths, names)
    together = []
    for scenario in scenarios:
        name, files = beside.get(scenario.main, ("", []))
        together.append(
            replace(scenario, beside=(*scenario.beside, *files), part=(name,))
            if files
            else scenario
        )
    return [*together, *alone], others


def compare(paths: Iterable[Path], scenario: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Compare batch exports with the rows of a ``.vd`` in ``raw_result``; see the module.

    Descriptions in the place of codes are turned into codes where ``element`` leaves one answer.
    """
    for path in paths:
        _add(path, (scenario,), "the .vd", connection)


def _codes_of_descriptions(
    path: Path, names: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> None:
    for dimension in ("process", "commodity"):
        if dimension not in names:
            continue
        region = "b.region = e.region" if "region" in names else "true"
        [(changed,)] = connection.execute(
            f"""
            UPDATE batch_rows AS b SET {dimension} = e.code FROM (
                SELECT {"region, " if "region" in names else ""} description,
                    any_value(element) AS code
                FROM element WHERE lower(dimension) = '{dimension}' AND description <> ''
                GROUP BY ALL HAVING count(DISTINCT element) = 1
            ) AS e
            WHERE {region} AND b.{dimension} = e.description
                AND b.{dimension} NOT IN (SELECT {dimension} FROM raw_result)
            """
        ).fetchall()
        if changed:
            message = f"descriptions in the {dimension} column were turned into codes"
            report(connection, "info", "descriptions", message, file=path.name, count=changed)


def _merge(
    path: Path, names: Sequence[str], others: str, connection: duckdb.DuckDBPyConnection
) -> None:
    """Count what agrees and what differs, and add to ``raw_result`` what it does not have."""
    [(before,)] = connection.execute("SELECT count(*) FROM raw_result").fetchall()
    keys = [name for name in names if name != "attribute"]
    lists = "".join(f", {name}" for name in keys)
    same = "".join(f" AND v.{name} = b.{name}" for name in keys)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE batch_compared AS
        SELECT b.*, v.value AS own,
            abs(b.value - v.value) <= $tolerance * (1 + abs(v.value)) AS agrees
        FROM (SELECT attribute{lists}, sum(value) AS value FROM batch_rows GROUP BY ALL) AS b
        LEFT JOIN (
            SELECT attribute{lists}, sum(value) AS value, count(*) AS times
            FROM raw_result GROUP BY ALL
        ) AS v ON lower(v.attribute) = lower(b.attribute){same}
        ORDER BY ALL
        """,
        {"tolerance": _TOLERANCE},
    )
    [(agreeing, differing, missing)] = connection.execute(
        "SELECT count(*) FILTER (agrees), count(*) FILTER (own IS NOT NULL AND agrees IS NOT TRUE),"
        " count(*) FILTER (own IS NULL) FROM batch_compared"
    ).fetchall()
    if agreeing:
        message = f"figures of the batch export repeat those of {others}"
        report(connection, "info", "duplicates", message, file=path.name, count=agreeing)
    if differing:
        [example] = connection.execute(
            f"SELECT attribute{lists}, value, own FROM batch_compared"
            " WHERE own IS NOT NULL AND agrees IS NOT TRUE LIMIT 1"
        ).fetchall()
        *cells, exported, own = example
        what = ", ".join(str(cell) for cell in cells if cell != NO_VALUE)
        message = (
            "figures of the batch export differ from the .vd, whose figures hold (first:"
            f" {what}: {exported} against {own})"
        )
        report(connection, "warning", "conflicts", message, file=path.name, count=differing)
    if missing:
        wanted = ", ".join(
            f"b.{name}" if name in names else f"'{NO_VALUE}'" for name in RAW_RESULT_COLUMNS
        )
        connection.execute(
            f"INSERT INTO raw_result SELECT {wanted}, b.value FROM batch_rows AS b SEMI JOIN"
            f" (FROM batch_compared WHERE own IS NULL) AS v ON v.attribute = b.attribute{same}"
        )
        if before:
            message = f"figures that {others} does not have were added from the batch export"
            report(connection, "info", "read", message, file=path.name, count=missing)
    connection.execute("DROP TABLE batch_compared")
