"""Canonical Parquet: what is exported comes back the same, and what is damaged is refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs import open_source
from catalogs.errors import TimesError, UnreadableFileError
from catalogs.exporting import Results, export
from catalogs.importing import gather, import_files
from catalogs.query import Query
from catalogs.readers import canonical_files, parquet
from catalogs.readers.base import RAW_RESULT_COLUMNS
from catalogs.readers.parquet import ParquetReader
from catalogs.source import Source
from catalogs.store import InputFile, PublishedScenario, Store
from catalogs.tables import DERIVED_TABLES, TABLES, create_tables
from tests.times_files import Row, cells, flows, header, publish, row, write_set

ROWS = [
    *flows("PLANT: COA 100 -> ELC 40, CO2 9.4\nBOILER: COA 20 -> HEAT 18"),
    *flows("TB_ELC_R1_R2_01: ELC 5 ->"),
    *flows("TB_ELC_R1_R2_01: -> ELC 4.9", region="R2"),
    row("EQ_CombalM", 3.5, commodity="ELC"),
    row("VAR_Act", 40, process="PLANT"),
    row("VAR_Act", 40, process="PLANT"),  # merged, so that row numbers have a gap
    row("VAR_Act", 41, process="BOILER"),
    row("VAR_Act", 42, process="BOILER"),  # a conflict
    row("VAR_Act", 1, process="PLANT", year="LATER"),  # no year
    row("ObjZ", 1000.5, year="-", region="-", timeslice="-"),
]
OPTIONS: dict[str, Any] = {
    "units": {"PJ": "COA ELC HEAT", "kt": "CO2"},
    "commodity_sets": {"ELC": "ELC", "ENV": "CO2", "DEM": "HEAT"},
    "process_sets": {"ELE": "PLANT", "DMD": "BOILER", "IRE": "TB_ELC_R1_R2_01"},
    "descriptions": {"PLANT": "The <b>plant</b>", "CO2": "Carbon dioxide"},
    "timeslices": """timeslice,parent,level,year_fraction,order,description
        ANNUAL,,ANNUAL,1,0,All year
        W,ANNUAL,SEASON,0.25,1,Winter
    """,
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("parquet")
    write_set(folder / "files", ROWS, scenario="Base", **OPTIONS)
    write_set(folder / "files", ROWS[:4], scenario="Of '30: 50% [x] é", **OPTIONS)
    return publish(folder / "files", folder / "data", model="Nordic")


@pytest.fixture(scope="module")
def exported(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an export; copy it before changing it."""
    folder = tmp_path_factory.mktemp("exported") / "folder"
    export(source, Results(scenarios=("Base",)), "parquet", folder)
    return folder


def all_tables(source: Source) -> dict[str, list[str]]:
    """Return every row of every canonical table; as text, in which NaN equals NaN."""
    return {name: list(map(repr, source.rows(f"FROM {name} ORDER BY ALL"))) for name in TABLES}


def assert_same(source: Source, again: Source) -> None:
    """All tables, measures and names are the same."""
    before, after = all_tables(source), all_tables(again)
    for name, rows in before.items():
        assert after[name] == rows, name
    assert [s.identity for s in again.manifest.scenarios] == [
        s.identity for s in source.manifest.scenarios
    ]
    assert [s.description for s in again.manifest.scenarios] == [
        s.description for s in source.manifest.scenarios
    ]
    assert again.measure_names == source.measure_names
    for name in source.measure_names:
        found = []
        for asked in (source, again):
            try:
                found.append(asked.ask(Query(name)).frame.to_csv())
            except TimesError as error:
                found.append(str(error))
        assert found[0] == found[1], name


# ---------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_what_is_exported_comes_back_the_same(source: Source, name: str, tmp_path: Path) -> None:
    written = export(source, Results(), "parquet", tmp_path / name)
    assert written.rows == len(ROWS) - 1 + 4
    import_files(Store(tmp_path / "data"), "again", [tmp_path / name])
    again = open_source(tmp_path / "data", "again")
    assert_same(source, again)
    assert [s.source_format for s in again.manifest.scenarios] == ["Parquet (VEDA)"] * 2
    # And once more, from what was imported from Parquet.
    export(again, Results(), "parquet", tmp_path / f"second-{name}")
    import_files(Store(tmp_path / "data"), "third", [tmp_path / f"second-{name}"])
    third = open_source(tmp_path / "data", "third")
    assert_same(source, third)
    assert [s.source_format for s in third.manifest.scenarios] == ["Parquet (VEDA)"] * 2


def test_the_test_has_what_is_hard_to_keep(source: Source) -> None:
    """Gaps in row numbers, extras, prices, trade and a line of the report worked out anew."""
    assert source.rows("SELECT max(row) - count(*) >= 0 FROM result WHERE scenario = 'Base'") == [
        (True,)
    ]
    for table in ("result_extra", "price", "trade", "boundary", "timeslice", "import_report"):
        assert source.rows(f"SELECT count(*) > 0 FROM {table}") == [(True,)], table


def test_importing_an_export_twice_gives_the_same_version(source: Source, tmp_path: Path) -> None:
    versions = set()
    for name in ("one.zip", "two.zip"):
        export(source, Results(), "parquet", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    for data in ("a", "b", "a"):
        manifest = import_files(Store(tmp_path / data), "again", [tmp_path / "one.zip"])
        versions.add(manifest.version)
    assert len(versions) == 1


def test_a_folder_that_was_zipped_as_a_whole_is_read(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "all" / "folder")
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path / "all")
    manifest = import_files(Store(tmp_path / "data"), "again", [Path(archive)])
    assert [s.key for s in manifest.scenarios] == ["Base"]


def test_scenarios_of_one_name_in_two_models_stay_apart(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    for model, value in (("North", 1), ("South", 2)):
        write_set(tmp_path / model, flows(f"PLANT: -> ELC {value}"), scenario="Base")
        import_files(store, "both", [tmp_path / model], model=model)
    both = open_source(tmp_path / "data", "both")
    export(both, Results(), "parquet", tmp_path / "both.zip")
    import_files(store, "again", [tmp_path / "both.zip"])
    again = open_source(tmp_path / "data", "again")
    assert again.scenario_names == ("Base (North)", "Base (South)")
    assert_same(both, again)


def test_a_part_of_a_scenario_says_that_it_is_one(source: Source, tmp_path: Path) -> None:
    selection = Results(("Base",), regions=("R1",), attributes=("VAR_FOut", "VAR_Act"))
    export(source, selection, "parquet", tmp_path / "part")
    assert not (tmp_path / "part" / "scenario=Base" / "flow.parquet").exists()
    import_files(Store(tmp_path / "data"), "part", [tmp_path / "part"])
    part = open_source(tmp_path / "data", "part")
    asked = (
        "SELECT * EXCLUDE scenario FROM result WHERE scenario = 'Base' AND region = 'R1'"
        " AND attribute IN ('VAR_FOut', 'VAR_Act') ORDER BY ALL"
    )
    assert part.rows(asked) == source.rows(asked)
    assert len(part.rows(asked)) == part.manifest.scenarios[0].rows == 7
    assert part.rows("SELECT name, value FROM result_extra") == [("Period", "LATER")]
    [(message,)] = part.rows("SELECT message FROM import_report WHERE topic = 'selection'")
    assert message.endswith("results: regions R1; attributes VAR_FOut, VAR_Act")


def test_other_programs_see_the_scenario_as_a_partition(source: Source, tmp_path: Path) -> None:
    export(source, Results(), "parquet", tmp_path / "export")
    rows = duckdb.execute(
        "SELECT scenario, count(*) FROM read_parquet(?, hive_partitioning = true)"
        " GROUP BY ALL ORDER BY ALL",
        [str(tmp_path / "export" / "*" / "result.parquet")],
    ).fetchall()
    assert rows == source.rows("SELECT scenario, count(*) FROM result GROUP BY ALL ORDER BY ALL")


def test_the_manifest_says_where_the_figures_come_from(source: Source, exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    assert (manifest["format_version"], manifest["dataset"]) == (1, "case")
    assert manifest["data_version"] == source.version
    [scenario] = manifest["scenarios"]
    assert (scenario["scenario"], scenario["model"]) == ("Base", "Nordic")
    assert "Base.vd" in {entry["name"] for entry in scenario["inputs"]}
    assert scenario["tables"].keys() == TABLES.keys()


def test_the_layout_of_this_version_is_fixed() -> None:
    """When this fails, raise FORMAT_VERSION and say in the reader how the old one is read."""
    columns = {name: len(TABLES[name].columns) for name in TABLES if name not in DERIVED_TABLES}
    assert columns == {
        "result": 13,
        "result_extra": 3,
        "element": 4,
        "process": 7,
        "commodity": 4,
        "process_set": 3,
        "commodity_set": 3,
        "topology": 4,
        "trade_link": 6,
        "commodity_aggregation": 4,
        "commodity_efficiency": 5,
        "timeslice": 7,
        "period": 4,
        "region": 5,
        "import_report": 6,
        "import_account": 7,
    }


# ---------------------------------------------------------------------------- properties

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_CODES = st.sampled_from(["A", "B", "R1", "-", "é'", 'x"', "2020", "ANNUAL"])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": st.none() | _CODES | _TEXT,
    "UINTEGER": st.integers(0, 2**32 - 1),
    "SMALLINT": st.none() | st.integers(-(2**15), 2**15 - 1),
    "INTEGER": st.none() | st.integers(-(2**31), 2**31 - 1),
    "BIGINT": st.none() | st.integers(-(2**63), 2**63 - 1),
    "DOUBLE": st.none() | st.floats(),
}


def rows_of(table: str) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    kinds = TABLES[table].columns.values()
    rows = st.tuples(*(_VALUES[kind] for kind in kinds))
    if table == "result":
        # NULL is no value in a dimension: it is always '-'.
        texts = [_CODES | _TEXT] * 3
        rows = st.tuples(
            _VALUES["UINTEGER"], *texts, _CODES, _VALUES["SMALLINT"], *texts, _CODES,
            *[_VALUES["VARCHAR"]] * 2, _VALUES["DOUBLE"],
        )  # fmt: skip
        return st.lists(rows, min_size=1, max_size=5, unique_by=lambda r: r[0])
    return st.lists(rows, max_size=4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), as_zip=st.booleans())
def test_any_rows_of_any_table_come_back(
    data: st.DataObject, as_zip: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    read = [name for name in TABLES if name not in DERIVED_TABLES]
    given_rows = {name: data.draw(rows_of(name), label=name) for name in read}
    numbers = [r[0] for r in given_rows["result"]]
    given_rows["result_extra"] = [
        (data.draw(st.sampled_from(numbers)), *r[1:]) for r in given_rows["result_extra"]
    ]
    folder = tmp_path_factory.mktemp("any")
    source = published_from(folder, given_rows)
    path = folder / ("any.zip" if as_zip else "any")
    export(source, Results(), "parquet", path)
    source.close()

    connection = duckdb.connect()
    create_tables(connection)
    [files], _ = gather([path if as_zip else path / "manifest.json"])
    ParquetReader().read(files, connection)
    for name in read:
        if name not in ("result", "result_extra"):
            assert same_rows(connection, f"FROM {name}") == sorted(map(repr, given_rows[name]))
    # Result rows come in the order of their numbers, and the numbers are kept aside.
    found = connection.execute("FROM raw_result").fetchall()
    expected = [
        (*("-" if v is None else str(v) for v in r[1:10]), *r[10:])
        for r in sorted(given_rows["result"])
    ]
    assert list(map(repr, found)) == list(map(repr, expected))
    ranks = {number: rank for rank, number in enumerate(sorted(numbers))}
    extra = [(ranks[r[0]], *r[1:]) for r in given_rows["result_extra"]]
    assert same_rows(connection, "FROM result_extra") == sorted(map(repr, extra))
    kept = dict(connection.execute("SELECT row, number FROM row_before").fetchall())
    assert kept == {number: rank for number, rank in ranks.items() if number != rank}


def same_rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return sorted(map(repr, connection.execute(sql).fetchall()))


def published_from(folder: Path, tables: dict[str, list[tuple[Any, ...]]]) -> Source:
    """Publish a scenario that holds exactly these rows, derived tables empty."""
    (folder / "data" / "case").mkdir(parents=True)
    with duckdb.connect(str(folder / "data" / "case" / "any.duckdb")) as connection:
        connection.execute("BEGIN")  # else every statement waits for the disk
        create_tables(connection)
        for name, rows in tables.items():
            places = ", ".join(["(" + ", ".join("?" * len(TABLES[name].columns)) + ")"] * len(rows))
            if rows:
                connection.execute(f"INSERT INTO {name} VALUES {places}", [*chain(*rows)])
        connection.execute("COMMIT")
    count = len(tables["result"])
    inputs = (InputFile("any.vd", "0" * 64, 1),)
    scenario = PublishedScenario(
        "any", "m", "any", "", "VEDA", "any.duckdb", "0" * 64, count, "2026-01-01T00:00:00", inputs
    )
    Store(folder / "data").publish("case", [scenario])
    return Source(folder / "data" / "case" / "manifest.json")


_MODEL_CODES = st.sampled_from(["COA", "ELC", "CO2", "P", "TB_ELC_R1_R2_01", "é 'x'"])
_MODEL_ROW = st.builds(
    row,
    st.sampled_from(["VAR_FIn", "VAR_FOut", "VAR_Act", "EQ_CombalM", "Cost_Inv", "Any_Other"]),
    st.sampled_from([0, 1, 2.5, -9e-7, 1e300, "inf"]),
    commodity=_MODEL_CODES,
    process=_MODEL_CODES,
    year=st.sampled_from([2020, 2030, "-", "LATER"]),
    region=st.sampled_from(["R1", "R2"]),
    vintage=st.sampled_from(["-", "0", "2010"]),
    timeslice=st.sampled_from(["ANNUAL", "W"]),
)


# Few examples of many rows: an import takes as long for one row as for forty.
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(_MODEL_ROW, min_size=1, max_size=40))
def test_any_scenario_imported_exported_and_imported_is_the_same(
    rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    text = header("S") + cells([*rows, *rows[:1]])
    (folder / "files").mkdir()
    (folder / "files" / "S.vd").write_text(text, encoding="utf-8")
    (folder / "files" / "commodity_units.csv").write_text("commodity,unit\nELC,PJ\nCOA,TJ\n")
    source = publish(folder / "files", folder / "data")
    export(source, Results(), "parquet", folder / "s.zip")
    import_files(Store(folder / "data"), "again", [folder / "s.zip"])
    assert_same(source, open_source(folder / "data", "again"))


# ---------------------------------------------------------------------------- what is refused


def change_manifest(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Return what changes the manifest of a folder in place."""

    def damage(folder: Path) -> None:
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text())
        change(manifest)
        path.write_text(json.dumps(manifest, indent=1))

    return damage


def change_table(name: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    """Return what changes one table of a folder in place."""

    def damage(folder: Path) -> None:
        path = folder / "scenario=Base" / f"{name}.parquet"
        pq.write_table(change(pq.read_table(path, partitioning=None)), path)

    return damage


def change_file(change: Callable[[Path], None], name: str = "result") -> Callable[[Path], None]:
    return lambda folder: change(folder / "scenario=Base" / f"{name}.parquet")


def entry(manifest: dict[str, Any], table: str = "result") -> dict[str, Any]:
    found: dict[str, Any] = manifest["scenarios"][0]["tables"][table]
    return found


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 0xFF
    path.write_bytes(bytes(content))


def link_outside(folder: Path) -> None:
    path = folder / "scenario=Base" / "process.parquet"
    path.rename(folder.parent / "outside.parquet")
    path.symlink_to(folder.parent / "outside.parquet")


def repeat_a_number(table: pa.Table) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pa.array([7] * len(table), "uint32"))


BAD: list[tuple[Callable[[Path], None], str, str]] = [
    (
        change_manifest(lambda m: m.update(format_version=2)),
        "manifest.json: it has the format version 2",
        "version 1",
    ),
    (
        lambda folder: cut(folder / "manifest.json"),
        "manifest.json: the manifest is cut off or no JSON",
        "catalogs export",
    ),
    (
        lambda folder: (folder / "manifest.json").unlink(),
        "it is Parquet, but the manifest.json",
        "the folder that was exported",
    ),
    (
        change_manifest(lambda m: m.update(scenarios=[])),
        "the manifest names no scenario",
        "",
    ),
    (
        change_manifest(lambda m: m["scenarios"].append(m["scenarios"][0])),
        "the manifest names a scenario twice",
        "",
    ),
    (
        change_manifest(lambda m: m["scenarios"][0].pop("model")),
        "the manifest does not describe its scenarios",
        "",
    ),
    (
        change_manifest(lambda m: m["scenarios"][0].update(scenario=["Base"])),
        "the manifest does not describe its scenarios",
        "",
    ),
    (
        change_manifest(lambda m: entry(m).update(file="../outside.parquet")),
        "the manifest does not describe its scenarios",
        "",
    ),
    (
        change_manifest(lambda m: entry(m).update(file="/etc/passwd")),
        "the manifest does not describe its scenarios",
        "",
    ),
    (link_outside, "it is a link to a file outside the folder", ""),
    (
        change_file(lambda path: path.unlink()),
        "it names scenario=Base/result.parquet, which is not there",
        "the whole folder or zip",
    ),
    (
        change_manifest(lambda m: m["scenarios"][0]["tables"].pop("topology")),
        "manifest.json: it has no table 'topology' of the scenario 'Base'",
        "result, result_extra",
    ),
    (
        change_manifest(lambda m: m["scenarios"][0]["tables"].update(other=entry(m))),
        "it has the unknown table 'other'",
        "",
    ),
    (
        change_table("result", lambda t: t.drop_columns("value")),
        "scenario=Base/result.parquet: the column 'value' is missing",
        "value DOUBLE",
    ),
    (
        change_table("process", lambda t: t.append_column("colour", t["region"])),
        "scenario=Base/process.parquet: the column 'colour' is not known",
        "region VARCHAR",
    ),
    (
        change_table("result", lambda t: t.set_column(5, "year", t["year"].cast("int64"))),
        "the column 'year' has the type int64",
        "SMALLINT (int16)",
    ),
    (
        change_table("period", lambda t: t.slice(0, 0)),
        "scenario=Base/period.parquet: it has 0 rows",
        "1 rows, as the manifest says",
    ),
    (change_table("result", repeat_a_number), "two rows have the same number", "'row'"),
    (
        change_table(
            "result_extra",
            lambda t: t.set_column(0, t.schema.field(0), pa.array([999], "uint32")),
        ),
        "it has rows that belong to no result row",
        "",
    ),
    (change_file(cut), "result.parquet: the Parquet file is cut off or damaged", "exported"),
    (change_file(flip), "result.parquet: the Parquet file is cut off or damaged", "exported"),
    (change_file(cut, "region"), "region.parquet: the Parquet file is cut off or damaged", ""),
]


def paths_of(folder: Path) -> list[Path]:
    """Name an export as people do: the folder, or everything in it where the manifest is gone."""
    if (folder / "manifest.json").exists():
        return [folder]
    return sorted(folder.rglob("*.parquet"))


@pytest.mark.parametrize(("damage", "problem", "expected"), BAD)
def test_damaged_exports_are_refused_and_change_nothing(
    exported: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    problem: str,
    expected: str,
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    damage(folder)
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(tmp_path / "data"), "d", paths_of(folder))
    assert problem in caught.value.what
    assert expected in caught.value.remedy
    assert str(tmp_path) not in str(caught.value)
    left = tmp_path / "data" / "d"
    assert not left.exists() or list(left.iterdir()) == []


def zipped(folder: Path, path: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, str(file.relative_to(folder)))
    return path


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (change_manifest(lambda m: entry(m).update(file="../../x.parquet")), "does not describe"),
        (change_file(lambda path: path.unlink()), "which is not there"),
        (change_file(cut), "x.zip: scenario=Base/result.parquet: the Parquet file is cut off"),
        (
            change_file(lambda path: path.write_bytes(bytes((1 << 24) + 1))),
            "result.parquet would unpack from",
        ),
        (
            lambda folder: (folder / "manifest.json").write_bytes(b" " * ((1 << 26) + 1)),
            "manifest.json would unpack from",
        ),
    ],
)
def test_damaged_zips_are_refused(
    exported: Path, tmp_path: Path, damage: Callable[[Path], object], problem: str
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    damage(folder)
    path = zipped(folder, tmp_path / "x.zip", zipfile.ZIP_DEFLATED)
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(tmp_path / "data"), "d", [path])
    assert problem in str(caught.value)


def test_a_zip_that_is_cut_off_is_refused(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    export(source, Results(), "parquet", path)
    cut(path)
    with pytest.raises(UnreadableFileError, match="the zip is cut off or damaged"):
        import_files(Store(tmp_path / "data"), "d", [path])


def test_a_zip_that_names_a_file_outside_itself_is_refused(exported: Path, tmp_path: Path) -> None:
    path = zipped(exported, tmp_path / "x.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.txt", "x")
    with pytest.raises(UnreadableFileError, match=r"a file outside itself, \.\./\.\./evil\.txt"):
        import_files(Store(tmp_path / "data"), "d", [path])


def test_a_zip_unpacks_nothing_but_its_tables(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(exported, tmp_path / "x.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("scenario=Base/run_me.sh", "x")
    unpacked: list[str] = []

    def seen(found: Any, scenario: Any, folder: Path) -> Any:
        tables = unpack(found, scenario, folder)
        unpacked.extend(file.suffix for file in folder.rglob("*"))
        return tables

    unpack = canonical_files._unpack
    monkeypatch.setattr(canonical_files, "_unpack", seen)
    import_files(Store(tmp_path / "data"), "d", [path])
    assert unpacked == [".parquet"] * len(TABLES)


def test_rows_that_no_file_of_that_size_holds_are_refused(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_FEW_ROWS", 0)
    monkeypatch.setattr(parquet, "_ROWS_PER_BYTE", 0.0001)
    with pytest.raises(UnreadableFileError, match="rows a byte, as no real export has more"):
        import_files(Store(tmp_path / "data"), "d", [exported])


def test_other_json_and_zips_are_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": 1}')
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("manifest.json", "{}")
    with zipfile.ZipFile(tmp_path / "another.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    paths = sorted(tmp_path.iterdir())
    assert ParquetReader().gather(paths) == ([], paths)


def test_a_manifest_and_its_tables_may_be_named_together(exported: Path) -> None:
    paths = [path for path in exported.rglob("*") if path.is_file()]
    scenarios, left = ParquetReader().gather(paths)
    assert [files.part for files in scenarios] == [("Base",)]
    assert left == []


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_in_a_zip_is_found_or_harmless(
    data: st.DataObject, exported: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    content = bytearray(zipped(exported, folder / "x.zip").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    (folder / "x.zip").write_bytes(bytes(content[: data.draw(st.integers(100, len(content)))]))
    try:
        scenarios, _ = ParquetReader().gather([folder / "x.zip"])
        if not scenarios:
            return
        connection = duckdb.connect()
        create_tables(connection)
        for files in scenarios:
            ParquetReader().read(files, connection)
    except UnreadableFileError:
        return
    # Whatever was read has whole rows.
    sql = f"SELECT count(*) = count(({', '.join(RAW_RESULT_COLUMNS)})) FROM raw_result"
    assert connection.execute(sql).fetchone() == (True,)
