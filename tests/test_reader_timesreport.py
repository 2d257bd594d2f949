"""``timesreport`` DuckDB files: their variants, totals beside slices, trade, and bad files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs import open_source
from catalogs.errors import NotAdditiveError, UnreadableFileError
from catalogs.importing import import_files
from catalogs.query import Query
from catalogs.readers.aggregation import parts_of_total
from catalogs.readers.timesreport import TimesreportReader
from catalogs.source import Source
from catalogs.store import Store

COLUMNS = (
    *("timesmodel", "scen", "sow", "sector", "subsector", "service", "techgroup", "comgroup"),
    *("topic", "attr", "prc", "com", "all_ts", "regfrom", "regto", "year", "vntg", "unit", "cur"),
)


def line(attr: str, value: float, **cells: str) -> dict[str, object]:
    """Return a row; what is not said is 'NA', region R1, year 2030, ANNUAL."""
    region = cells.pop("region", "R1")
    standard = {"timesmodel": "M", "scen": "Base", "all_ts": "ANNUAL", "year": "2030"}
    sides = {"regfrom": region, "regto": region}
    return dict.fromkeys(COLUMNS, "NA") | standard | sides | cells | {"attr": attr, "value": value}


def plant(value: float, all_ts: str = "ANNUAL", **cells: str) -> dict[str, object]:
    given = {"prc": "PLANT", "com": "ELC", "unit": "PJ", "topic": "energy", "all_ts": all_ts}
    return line("f_out", value, **(given | cells))


def write(
    path: Path,
    rows: Sequence[dict[str, object]],
    *,
    table: str = "timesreport",
    drop: Sequence[str] = (),
    rename: dict[str, str] | None = None,
    types: dict[str, str] | None = None,
    more: Sequence[str] = (),
) -> Path:
    """Write a file with the rows; ``more`` are SQL statements for further tables."""
    names = {c: (rename or {}).get(c, c) for c in (*COLUMNS, "value") if c not in drop}
    kinds = {"value": "DOUBLE"} | (types or {})
    described = ", ".join(f'"{name}" {kinds.get(c, "VARCHAR")}' for c, name in names.items())
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE {table} ({described})")
        marks = ", ".join("?" for _ in names)
        for row in rows:
            connection.execute(
                f"INSERT INTO {table} VALUES ({marks})", [row[name] for name in names]
            )
        for statement in more:
            connection.execute(statement)
    return path


def publish(data: Path, *paths: Path) -> Source:
    import_files(Store(data), "case", paths)
    return open_source(data, "case")


def refused(path: Path) -> UnreadableFileError:
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(path.parent / "data"), "case", [path])
    return caught.value


def counted(source: Source, topic: str) -> dict[str, int]:
    rows = source.rows("SELECT message, count FROM import_report WHERE topic = ?", [topic])
    return dict(rows)


# ---------------------------------------------------------------------------- totals


@pytest.mark.parametrize("annual", ["ANNUAL", "annual", "Annual"])
def test_annual_totals_beside_slices_are_never_added_to_them(tmp_path: Path, annual: str) -> None:
    rows = [plant(30, "S"), plant(70, "W"), plant(100, annual)]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    assert source.rows("SELECT timeslice, value FROM result ORDER BY 1") == [("S", 30), ("W", 70)]
    assert source.rows("SELECT sum(value) FROM flow_annual") == [(100,)]
    [(message, count)] = counted(source, "totals").items()
    assert message.startswith("ANNUAL totals of values given per timeslice are left out")
    assert count == 1


def test_a_total_without_slices_is_the_value(tmp_path: Path) -> None:
    rows = [plant(30, "S"), plant(30, "annual"), plant(5, prc="WIND"), plant(7, vntg="2020")]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    assert source.rows("SELECT process, vintage, timeslice, value FROM result ORDER BY ALL") == [
        ("PLANT", "-", "S", 30),
        ("PLANT", "2020", "ANNUAL", 7),
        ("WIND", "-", "ANNUAL", 5),
    ]


def test_totals_that_are_not_the_sum_of_their_slices_are_reported(tmp_path: Path) -> None:
    rows = [plant(30, "S"), plant(70, "W"), plant(110)]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    assert "differ from the sum" in "".join(counted(source, "totals"))


def test_capacity_written_twice_is_counted_once(tmp_path: Path) -> None:
    rows = [
        line("tcap", 5, prc="PLANT", topic="capacity", unit="GW", all_ts=slice_)
        for slice_ in ("-", "ANNUAL")
    ]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    frame = source.ask(Query("attribute:VAR_Cap")).frame
    assert frame.value.tolist() == [5]


# ---------------------------------------------------------------------------- variants


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"table": "timesreport_facts"},
        {"rename": {"timesmodel": "model"}},
        {"drop": ["sow"]},
        {"types": {"year": "INTEGER"}},
        {"types": {"year": "DOUBLE"}},
        {"rename": {c: c.upper() for c in COLUMNS}},
        {"drop": ["regto"], "rename": {"regfrom": "reg"}},
    ],
    ids=["usual", "facts", "model", "no sow", "int year", "float year", "upper case", "reg"],
)
def test_every_variant_reads_the_same(tmp_path: Path, variant: dict[str, object]) -> None:
    path = write(tmp_path / "any.name", [plant(30, "S"), plant(70, "W")], **variant)  # type: ignore[arg-type]
    source = publish(tmp_path / "data", path)
    assert [(s.model, s.scenario) for s in source.manifest.scenarios] == [("M", "Base")]
    assert source.rows(
        "SELECT attribute, commodity, process, year, region, timeslice, sow, unit, value"
        " FROM result ORDER BY value"
    ) == [
        ("VAR_FOut", "ELC", "PLANT", 2030, "R1", "S", "-", "PJ", 30),
        ("VAR_FOut", "ELC", "PLANT", 2030, "R1", "W", "-", "PJ", 70),
    ]


def test_models_and_scenarios_of_one_file_stand_side_by_side(tmp_path: Path) -> None:
    rows = [
        plant(value, timesmodel=model, scen=scen)
        for value, model, scen in ((1, "A", "Base"), (2, "A", "High"), (3, "B", "Base"))
    ]
    path = write(tmp_path / "a.duckdb", rows)
    source = publish(tmp_path / "data", path)
    assert source.scenario_names == ("Base (A)", "High", "Base (B)")
    assert source.rows("SELECT scenario, value FROM result ORDER BY value") == [
        ("Base (A)", 1),
        ("High", 2),
        ("Base (B)", 3),
    ]
    again = import_files(Store(tmp_path / "data"), "case", [path])
    assert again.version == source.version


def test_descriptions_hours_and_groups_are_kept(tmp_path: Path) -> None:
    rows = [
        plant(30, "S", sector="EDH", techgroup="ELE", comgroup="POWER"),
        plant(70, "W"),
        line("f_in", 9, prc="CAR", com="ELC", topic="energy", unit="PJ", techgroup="DMD"),
    ]
    more = [
        "CREATE TABLE prc_desc AS SELECT 'PLANT' AS id, 'A power plant' AS description,"
        " 'Base' AS scen UNION ALL SELECT 'PLANT', 'of another scenario', 'High'",
        "CREATE TABLE com_desc AS SELECT 'ELC' AS id, 'Electricity' AS description",
        "CREATE TABLE sector_desc AS SELECT 'EDH' AS id, 'Power and heat' AS description,"
        " '*' AS scen",
        "CREATE TABLE scen_desc AS SELECT 'Base' AS scen, 'The base case' AS description",
        "CREATE TABLE all_ts_data AS SELECT 'M' AS timesmodel, 'Base' AS scen, 'R1' AS all_reg,"
        " unnest(['S', 'W']) AS all_ts, unnest([2190.0, 6570.0]) AS value",
        "CREATE TABLE notes AS SELECT 1 AS x",
    ]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows, more=more))
    assert source.labels("process")["PLANT"] == "A power plant"
    assert source.manifest.scenarios[0].description == "The base case"
    assert source.rows(
        "SELECT timeslice, year_fraction FROM timeslice WHERE region = 'R1' ORDER BY 1"
    ) == [("S", 0.25), ("W", 0.75)]
    assert source.rows("SELECT process, set_name FROM process_set ORDER BY ALL") == [
        ("CAR", "DMD"),
        ("PLANT", "EDH"),
        ("PLANT", "ELE"),
    ]
    sets = source.rows("SELECT set_name FROM commodity_set WHERE commodity = 'ELC' ORDER BY 1")
    assert sets == [("ELC",), ("NRG",), ("POWER",)]
    assert source.rows(
        "SELECT description FROM element WHERE dimension = 'Sector' AND element = 'EDH'"
    ) == [("Power and heat",)]
    generation = source.ask(Query("electricity_generation", unit="PJ")).frame
    assert generation.value.tolist() == [100]
    assert any("notes" in message for message in counted(source, "left_out"))


def test_costs_and_prices_carry_their_currency_and_unit(tmp_path: Path) -> None:
    money = {"cur": "MEUR20", "prc": "PLANT", "topic": "acosts"}
    rows = [
        line("invc", 10, **money),
        line("fixc", 4, **money),
        line("actc", 1, **money),
        line("floc", 2, com="COA", **money),
        line("invc", 99, **(money | {"topic": "dcosts"})),
        line("mpri", 7, com="ELC", unit="PJ", cur="MEUR20", topic="prices", all_ts="S"),
        line("levc", 3, prc="PLANT", topic="prices", unit="MEUR20/PJ"),
    ]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    assert source.rows(
        "SELECT attribute, user_constraint, unit, value FROM result"
        " WHERE attribute <> 'Reg_ACost' ORDER BY ALL"
    ) == [
        ("Cost_Act", "-", "MEUR20", 1),
        ("Cost_Flo", "-", "MEUR20", 2),
        ("Cost_Fom", "-", "MEUR20", 4),
        ("Cost_Inv", "INV", "MEUR20", 10),
        ("Cost_NPV", "INV", "MEUR20", 99),
        ("EQ_CombalM", "-", "MEUR20/PJ", 7),
        ("levc", "-", "MEUR20/PJ", 3),
    ]
    cost = source.ask(Query("system_cost", group_by=("user_constraint",))).frame
    assert dict(zip(cost.user_constraint, cost.value, strict=True)) == {
        "INV": 10,
        "FIX": 4,
        "VAR": 3,
    }
    assert "were added up from the costs of processes" in "".join(counted(source, "inferred"))


def test_attrs_that_times_does_not_have_are_never_added_up(tmp_path: Path) -> None:
    rows = [line("levc", v, prc=p, unit="MEUR20/PJ") for v, p in ((1, "A"), (2, "B"))]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    with pytest.raises(NotAdditiveError):
        source.ask(Query("attribute:levc"))


# ---------------------------------------------------------------------------- trade


def test_trade_runs_from_regfrom_to_regto(tmp_path: Path) -> None:
    def row(attr: str, value: float, prc: str, start: str, end: str) -> dict[str, object]:
        cells = {"com": "ELC", "unit": "PJ", "topic": "energy"}
        return line(attr, value, prc=prc, regfrom=start, regto=end, **cells)

    rows = [
        plant(50),
        plant(60, region="R2"),
        row("f_out", 5, "IMPELC", "IMPEXP", "R1"),
        row("f_in", 3, "EXPELC", "R1", "IMPEXP"),
        row("f_in", 10, "TB_ELC", "R1", "R2"),
        row("f_out", 9, "TB_ELC", "R1", "R2"),
        row("actl", 9, "IMPELC", "IMPEXP", "R1"),
    ]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    assert source.rows(
        "SELECT process, region_from, region_to, sent, received, partner_source FROM trade"
        " ORDER BY process"
    ) == [
        ("EXPELC", "R1", "IMPEXP", 3, None, "timesreport"),
        ("IMPELC", "IMPEXP", "R1", None, 5, "timesreport"),
        ("TB_ELC", "R1", "R2", 10, 9, "timesreport"),
    ]
    assert source.regions == ("R1", "R2")
    assert source.rows("SELECT region FROM result WHERE attribute = 'VAR_Act'") == [("R1",)]


def test_equal_flows_to_two_partners_are_two_flows(tmp_path: Path) -> None:
    cells = {"prc": "TU_ELC", "com": "ELC", "unit": "PJ", "topic": "energy", "regfrom": "R1"}
    rows = [plant(1, region=region) for region in ("R1", "R2", "R3")]
    rows += [line("f_in", 4, regto=end, **cells) for end in ("R2", "R3", "R3")]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    total = source.rows("SELECT sum(value) FROM flow_annual WHERE process = 'TU_ELC'")
    assert total == [(8,)]
    assert counted(source, "duplicates") == {"rows that repeat another were merged with it": 1}


def test_a_partner_without_results_is_no_trade(tmp_path: Path) -> None:
    """A bus whose name begins like that of a trading process, in a real file."""
    cells = {"prc": "TBUS", "topic": "demand", "unit": "Mpkm", "com": "TBU"}
    rows = [plant(1), line("f_out", 8, regfrom="DKE", regto="R1", **cells)]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    assert source.rows("SELECT count(*) FROM trade") == [(0,)]
    assert source.regions == ("R1",)
    [(message, count)] = counted(source, "trade").items()
    assert "DKE (TBUS)" in message
    assert count == 1


# ---------------------------------------------------------------------------- bad files


def test_a_file_with_other_tables_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.duckdb", [], table="weather")
    error = refused(path)
    assert error.what == "a.duckdb: there is no table timesreport; it holds weather"


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    error = refused(write(tmp_path / "a.duckdb", [plant(1)], drop=["attr"]))
    assert "has no column 'attr'" in error.what


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    assert "is empty" in refused(write(tmp_path / "a.duckdb", [])).what


def test_a_value_that_is_no_number_is_refused(tmp_path: Path) -> None:
    row = plant(1) | {"value": "1,5"}
    path = write(tmp_path / "a.duckdb", [row], types={"value": "VARCHAR"})
    assert "the value '1,5' is not a number" in refused(path).what


def test_infinite_and_missing_values_are_counted(tmp_path: Path) -> None:
    rows = [plant(float("inf")), plant(float("nan"), prc="B"), plant(1, prc="C")]
    source = publish(tmp_path / "data", write(tmp_path / "a.duckdb", rows))
    assert list(counted(source, "values").values()) == [2]
    assert source.rows("SELECT sum(value) FROM flow") == [(1,)]


def test_a_text_file_of_that_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    path.write_text("timesreport")
    assert "does not begin as a DuckDB file" in refused(path).what


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    rows = [plant(n, prc=f"P{n}") for n in range(200)]
    return write(tmp_path_factory.mktemp("whole") / "a.duckdb", rows).read_bytes()


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.0, 1.0), byte=st.integers(1, 255), cut=st.booleans())
def test_damage_is_refused_or_harmless(
    whole_file: bytes,
    tmp_path_factory: pytest.TempPathFactory,
    share: float,
    byte: int,
    cut: bool,
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "a.duckdb"
    data = bytearray(whole_file)
    place = min(int(share * len(data)), len(data) - 1)
    data[place] ^= byte
    path.write_bytes(data[:place] if cut else data)
    # Anything but a refusal or the right rows fails here.
    with suppress(UnreadableFileError):
        source = publish(folder / "data", path)
        assert source.rows("SELECT count(*), sum(value) FROM result") == [(200, 19_900)]


def checksum(data: bytes) -> int:
    """DuckDB's checksum of a block (src/common/checksum.cpp)."""
    found = 5381
    for start in range(0, len(data), 8):
        word = int.from_bytes(data[start : start + 8], "little")
        found ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return found


def test_a_file_of_a_newer_duckdb_is_said_to_be_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.duckdb", [plant(1)])
    data = bytearray(path.read_bytes())
    data[12:20] = (9999).to_bytes(8, "little")
    data[:8] = checksum(data[8:4096]).to_bytes(8, "little")
    path.write_bytes(data)
    error = refused(path)
    assert "a version of DuckDB that this one cannot read" in error.what
    assert duckdb.__version__ in error.remedy


def test_a_file_that_another_program_writes_to_is_said_to_be_locked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.duckdb", [plant(1)])
    program = dedent(
        """
        import sys, duckdb
        connection = duckdb.connect(sys.argv[1])
        print("open", flush=True)
        sys.stdin.readline()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "open\n"
        error = refused(path)
        other.stdin.write("\n")
        other.stdin.close()
    assert "another program has the file open" in error.what


def test_a_file_may_not_make_the_import_read_other_files(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    path = write(
        tmp_path / "a.duckdb",
        [],
        table="other",
        more=[
            "CREATE VIEW timesreport AS SELECT 'M' AS model, 'S' AS scen, 'f_in' AS attr,"
            " 'P' AS prc, 'C' AS com, 'R' AS reg, '2030' AS year, a AS value"
            f" FROM read_csv('{tmp_path}/secret.csv')"
        ],
    )
    with pytest.raises(UnreadableFileError):
        TimesreportReader().gather([path])


# ---------------------------------------------------------------------------- sums of parts


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_parts_of_a_total_are_found(data: st.DataObject) -> None:
    figures = st.lists(st.integers(1, 10**9), min_size=4, max_size=4)
    rows = np.array(data.draw(st.lists(figures, min_size=2, max_size=8, unique_by=tuple)), float)
    chosen = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=2))
    found = parts_of_total(rows[sorted(chosen)].sum(axis=0), rows)
    if found is not None:  # None where another choice happens to fit as well
        assert rows[found].sum(axis=0) == pytest.approx(rows[sorted(chosen)].sum(axis=0))


def test_a_total_that_two_choices_give_is_left_open() -> None:
    rows = np.array([[1.0, 1, 1], [2, 2, 2], [3, 3, 3]])
    assert parts_of_total(np.array([3.0, 3, 3]), rows) == [0, 1]
    rows = np.array([[1.0, 2, 3], [4, 4, 4], [2, 3, 4], [3, 3, 3]])
    assert parts_of_total(np.array([5.0, 6, 7]), rows) is None


# ---------------------------------------------------------------------------- real files

STARTER = ("Starter_B_VTS-UC90", "Starter_P-CO2L20")


@pytest.fixture(scope="module")
def both_forms(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The Starter scenarios as timesreport and as MIRO scenarios, in one dataset."""
    data = tmp_path_factory.mktemp("data")
    paths = [real_data / "miro" / f"times_miro_{name}.miroscen" for name in STARTER]
    import_files(Store(data), "both", [real_data / "timesreport", *paths])
    return open_source(data, "both")


@pytest.mark.real_data
@pytest.mark.parametrize("name", STARTER)
def test_the_starter_file_agrees_with_miro_on_every_figure(both_forms: Source, name: str) -> None:
    keys = "attribute, commodity, process, year, region, timeslice, vintage, user_constraint, sow"
    [(rows, both, agreeing)] = both_forms.rows(
        f"""
        SELECT count(*), count(m.value),
            count(*) FILTER (abs(t.value - m.value) <= 1e-6 * (1 + abs(m.value)))
        FROM (FROM result WHERE scenario = $report) AS t
        LEFT JOIN (FROM result WHERE scenario = $miro) AS m USING ({keys})
        """,
        {"report": f"{name} (TIMES)", "miro": f"{name} (Starter)"},
    )
    assert rows == both == agreeing
    assert rows > 45_000


@pytest.mark.real_data
@pytest.mark.parametrize(
    "measure",
    ["final_energy", "electricity_generation", "primary_energy", "emissions"],
)
def test_every_measure_says_the_same_of_the_starter_in_both_forms(
    both_forms: Source, measure: str
) -> None:
    frame = both_forms.ask(Query(measure)).frame.pivot(
        index="year", columns="scenario", values="value"
    )
    assert len(frame) == 9
    for name in STARTER:
        assert frame[f"{name} (TIMES)"].tolist() == pytest.approx(
            frame[f"{name} (Starter)"].tolist(), rel=1e-6
        )
