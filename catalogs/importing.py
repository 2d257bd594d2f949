"""Importing: from files of any known format to a published version of a dataset."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from catalogs import (
    boundaries,
    coverage,
    derive,
    figures,
    import_report,
    renewables,
    results,
    rule_tables,
    semantics,
    units,
)
from catalogs.errors import TimesError, UnreadableFileError
from catalogs.flow_records import recognition as flow_files
from catalogs.flow_records.recognition import FlowFiles
from catalogs.hashing import Hashing, Inputs
from catalogs.readers import READERS, parquet
from catalogs.readers.base import Progress, Reader, ScenarioFiles, ScenarioHeader, no_progress
from catalogs.rules import RuleBook, RuleTable, book_for
from catalogs.store import SCENARIOS, Manifest, PublishedScenario, Store, now
from catalogs.tables import create_tables

#: Memory that DuckDB may use during an import; beyond it, it goes to disk.
MEMORY_LIMIT = "1000MB"

_SLUG = re.compile(r"[^A-Za-z0-9._-]+")


def expand(paths: Iterable[Path]) -> list[Path]:
    """Return the files named, with those directly inside the folders named, hidden ones aside.

    Raises ``UnreadableFileError`` for what does not exist and when there is nothing at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != ".")
        elif path.exists():
            found.append(path)
        else:
            raise UnreadableFileError(str(path), "there is no such file or folder")
    if not found:
        raise UnreadableFileError(
            "no files", "nothing was named that could be imported", "at least one results file"
        )
    return list(dict.fromkeys(found))


def gather(
    paths: Sequence[Path], named: Collection[Path] | None = None
) -> tuple[list[ScenarioFiles], list[Path]]:
    """Group files into scenarios, asking one reader after the other.

    Returns the scenarios, and the files that no reader knows and that were not ``named`` one by
    one (None: all were). Raises ``UnreadableFileError`` for one that was, or if nothing is known.
    """
    scenarios: list[ScenarioFiles] = []
    left = list(paths)
    for reader in READERS:
        found, left = reader.gather(left)
        scenarios += found
    refused = [path for path in left if named is None or path in named or not scenarios]
    if refused:
        raise UnreadableFileError(
            refused[0].name,
            "the format is not known",
            "VEDA results (.vd, with .vde .vds .vdt beside it, or a batch export), a GAMS MIRO"
            " scenario (.miroscen), GDX, a DuckDB file with timesreport, an IAMC table, what"
            f" was exported as Parquet, or flow records: {flow_files.EXPECTED}",
            details="\n".join(path.name for path in refused),
        )
    return scenarios, left


def import_files(
    store: Store,
    dataset: str,
    paths: Iterable[Path],
    *,
    model: str = "",
    rules: Sequence[Path] = (),
    progress: Callable[[str], Progress] = lambda _: no_progress,
    leave_aside: Callable[[Path], None] = lambda _: None,
) -> Manifest:
    """Import files into a dataset and publish the new version.

    Either all of them are published or nothing changes. A scenario whose files and rules have not
    changed is not read again. ``progress`` is asked, with a scenario's file name, for what to
    report to. Files of a folder that are of no known format are left aside, each of them told to
    ``leave_aside``; one that is named itself is an error.

    ``rules`` are rule tables (see ``rule_tables.py``), the one to be asked first at the front.
    After them come those among the files, those in the folder of a scenario's files, and those
    that are shipped.

    Raises
    ------
    UnreadableFileError
        A file is not what it should be; names the file and, where there is one, the line.
    TimesError
        Two of the files hold the same scenario of the same model.
    StoreBusyError
        Another import is publishing to the same dataset.

    Flow records among the files (see ``catalogs.flow_records``) become a dataset of their own
    kind; results of TIMES cannot be imported together with them.
    """
    semantics.use(store.directory / semantics.FOLDER)
    paths = list(paths)
    expanded = expand(paths)
    flows, others = flow_files.pick(expanded)
    if flows:
        for path in _beside(flows, others, paths):
            leave_aside(path)
        return _import_flows(store, dataset, flows, progress)
    store.check_kind(dataset, SCENARIOS)
    files, tables_among = rule_tables.pick(expanded)
    if not files:
        raise UnreadableFileError(
            tables_among[0].name,
            "it is a rule table, and there are no results among the files",
            "results to import with it, or a dataset: python -m catalogs check NAME --rules FILE",
        )
    gathered, left = gather(files, [path for path in paths if not path.is_dir()])
    for path in left:
        leave_aside(path)
    find_tables = rule_tables.Finder((*rules, *tables_among))
    folder = store.folder(dataset)
    before = store.published(dataset)
    known = {s.digest: s for s in before.scenarios} if before else {}
    done: dict[tuple[str, str], PublishedScenario] = {}
    main_file: dict[tuple[str, str], str] = {}
    new_files: dict[str, Path] = {}
    sizes = {tuple(i.size for i in s.inputs) for s in before.scenarios} if before else set()
    with store.work_folder(dataset) as work, closing(Hashing()) as hashing:
        for number, scenario_files in enumerate(gathered):
            report_to = progress(scenario_files.shown)
            table_paths = find_tables.paths(scenario_files.files)
            inputs = hashing.start((*scenario_files.files, *table_paths))
            # Files of other sizes are other files: they are read while they are being hashed.
            is_new = inputs.sizes not in sizes
            old = None if is_new else known.get(inputs.digest(model, scenario_files.part))
            if old and (folder / old.file).exists():
                report_to(1.0, "unchanged")
                scenario = old
            else:
                path = work / f"{number}.duckdb"
                scenario = _import_scenario(
                    path,
                    scenario_files,
                    inputs,
                    model=model,
                    tables=find_tables.read(table_paths),
                    progress=report_to,
                )
                new_files[scenario.file] = path
            if other := main_file.get(scenario.identity):
                raise TimesError(
                    f"{other} and {scenario_files.shown} both hold the scenario"
                    f" {scenario.scenario!r} of the model {scenario.model!r}.",
                    "Import one of them, or one after the other under different model names.",
                )
            main_file[scenario.identity] = scenario_files.shown
            done[scenario.identity] = scenario
        return store.publish(dataset, list(done.values()), new_files)


def _beside(flows: FlowFiles, others: Sequence[Path], named: Collection[Path]) -> Sequence[Path]:
    """Return the files of folders that lie beside flow records and are none.

    Raises ``UnreadableFileError`` for one that was named itself.
    """
    for path in others:
        if path in named:
            raise UnreadableFileError(
                path.name,
                f"it belongs to no dataset of flow records, and {flows.paths[0].name} does",
                f"{flow_files.EXPECTED}; results of TIMES are imported as a dataset of their own",
            )
    return others


def _import_flows(
    store: Store, dataset: str, flows: FlowFiles, progress: Callable[[str], Progress]
) -> Manifest:
    from catalogs.flow_records.importing import import_flow_records  # loads shapely

    report_to = progress(flows.paths[0].name)
    report_to(0.0, "looking at files")
    with closing(Hashing()) as hashing:
        inputs = hashing.start(flows.paths).files()
    manifest = import_flow_records(store, dataset, flows, inputs, report_to)
    report_to(1.0, "")
    return manifest


def _import_scenario(
    path: Path,
    files: ScenarioFiles,
    inputs: Inputs,
    *,
    model: str,
    tables: Sequence[RuleTable],
    progress: Progress,
) -> PublishedScenario:
    """Build the file of one scenario at ``path``; return what the manifest says of it."""
    _load_soon()
    header, regions, rows = _build(path, files, progress, model=model, tables=tables)
    digest = inputs.digest(model, files.part)
    name = f"{_SLUG.sub('_', header.scenario)[:60]}-{digest[:12]}.duckdb"
    progress(1.0, "done")
    return PublishedScenario(
        key=header.scenario,
        model=model or header.model or _model_of(regions),
        scenario=header.scenario,
        description=header.description,
        source_format=header.source_format,
        file=name,
        digest=digest,
        rows=rows,
        imported_at=now(),
        inputs=inputs.files(),
    )


def _build(
    path: Path,
    files: ScenarioFiles,
    progress: Progress,
    *,
    model: str,
    tables: Sequence[RuleTable],
) -> tuple[ScenarioHeader, list[str], int]:
    with _new_file(path) as connection:
        create_tables(connection)
        load_attributes(connection)
        header = _reader(files.reader).read(files, connection, progress)
        [(handed_on,)] = connection.execute("SELECT count(*) FROM raw_result").fetchall()
        regions = [
            region
            for (region,) in connection.execute(
                "SELECT region FROM region WHERE kind = 'internal' ORDER BY region"
            ).fetchall()
        ]
        names = model_names(model or header.model, regions)
        complete(connection, progress, book_for((*tables, *rule_tables.shipped_tables()), names))
        import_report.account_results(connection, files.main.name, header, handed_on)
        parquet.restore(connection)
        rows = connection.execute("SELECT count(*) FROM result").fetchone()
        connection.execute("CHECKPOINT")
    return header, regions, int(rows[0]) if rows else 0


@contextmanager
def _new_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a new DuckDB file for all that is not qualified by the name of a database.

    Nothing is made safe against a crash before the end, because an import that ends early leaves
    nothing: that would take a hundred waits for the disk.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": f"{path}.spill",
    }
    with duckdb.connect(config=config) as connection:
        file = str(path).replace("'", "''")
        connection.execute(f"ATTACH '{file}' AS scenario (RECOVERY_MODE no_wal_writes)")
        connection.execute("USE scenario")
        yield connection


def _load_soon() -> None:
    """Start loading what takes long to load and is not needed at once, beside all else."""
    threading.Thread(target=_load, name="load pandas and pint", daemon=True).start()


def _load() -> None:
    import pandas as pd

    del pd
    units.load()


def complete(
    connection: duckdb.DuckDBPyConnection,
    progress: Progress = no_progress,
    rules: RuleBook | None = None,
) -> None:
    """Derive everything that follows from the tables a reader filled."""
    steps: tuple[tuple[str, Callable[[duckdb.DuckDBPyConnection], None]], ...] = (
        ("inferring units", derive.infer_capacity_units),
        ("sorting results", results.build_result),
        ("adding up flows", derive.build_flows),
        ("finding trade", derive.build_trade),
        ("weighting prices", derive.build_prices),
        ("looking at timeslices", import_report.report_timeslices),
        ("looking at units", import_report.report_units),
        ("drawing boundaries", lambda made: _draw_boundaries(made, rules or RuleBook())),
        ("working out figures", figures.build_figures),
    )
    for number, (doing, step) in enumerate(steps):
        progress(0.75 + 0.25 * number / len(steps), doing)
        step(connection)


def _draw_boundaries(connection: duckdb.DuckDBPyConnection, rules: RuleBook) -> None:
    classifier = boundaries.classify(connection, rules)
    boundaries.build_boundaries(connection, classifier)
    renewables.build_renewables(connection, classifier)
    coverage.store_rules(connection, rules)
    coverage.report_coverage(connection, coverage.cover(connection, classifier))


def load_attributes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``attribute``: what each TIMES attribute means."""
    rows = semantics.rows("attributes")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE attribute AS"
        " SELECT unnest($names) AS attribute, unnest($units) AS unit_source",
        {
            "names": [row["attribute"] for row in rows],
            "units": [row["unit_source"] for row in rows],
        },
    )


def _reader(name: str) -> Reader:
    return next(reader for reader in READERS if reader.name == name)


def _model_of(regions: Sequence[str]) -> str:
    """Name a model that its files do not name by its regions."""
    if len(regions) > 4:
        return f"{'+'.join(regions[:3])}+{len(regions) - 3} more"
    return "+".join(regions) or "unknown"


def model_names(model: str, regions: Sequence[str]) -> list[str]:
    """Return the names that rules may know a model by: its own, and its regions' joined by +."""
    return [name for name in (model, "+".join(sorted(regions))) if name]
