"""The view ``timesreport``: SQL of such databases over whatever was imported."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from catalogs import open_source
from catalogs.importing import import_files
from catalogs.source import Source
from catalogs.store import Store
from tests.times_files import Row, flows, publish, row, write_set

COLUMNS = [
    *("timesmodel", "scen", "sow", "sector", "subsector", "service", "techgroup", "comgroup"),
    *("topic", "attr", "prc", "com", "all_ts", "regfrom", "regto", "year", "vntg", "unit", "cur"),
    *("value", "file_id"),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    rows: list[Row] = [
        *flows("MINE: -> COA 110\nIMPORT: -> COA 5, CO2 1"),
        *flows("PLANT: COA 70 -> ELC 30", timeslice="S"),
        *flows("PLANT: COA 45 -> ELC 12", timeslice="W"),
        *flows("HEATER: ELC 42 -> WARM 40"),
        row("VAR_Cap", 3, process="PLANT", timeslice="-"),
        row("VAR_Act", 8, process="TANK", timeslice="S"),
        row("VAR_Act", 9, process="TANK", timeslice="W"),
        row("Cost_Inv", 4, process="PLANT", timeslice="-", user_constraint="INV"),
        row("Cost_NPV", 60, process="PLANT", year="-", timeslice="-", user_constraint="INV"),
        row("EQ_CombalM", 7, commodity="ELC", timeslice="S"),
        row("Reg_wobj", 60, commodity="MEUR20", year="-", timeslice="-", user_constraint="INV"),
        row("My_own", 1, process="PLANT"),
    ]
    folder = write_set(
        tmp_path_factory.mktemp("files"),
        rows,
        process_sets={"DMD": "HEATER", "ELE": "PLANT", "STG": "TANK", "IRE": "MINE IMPORT"},
        commodity_sets={"NRG": "COA ELC", "DEM": "WARM", "ENV": "CO2", "ELC": "ELC"},
        units={"PJ": "COA ELC WARM", "kt": "CO2"},
        process_units="process,activity_unit,capacity_unit\nPLANT,PJ,GW",
        timeslices="timeslice,parent,level,year_fraction\nS,ANNUAL,SEASON,0.25\nW,ANNUAL,SEASON,0.75",
        more_sets=[
            ("Process", "MINRNW", "IRE", "MINE"),
            ("Process", "IMPEXP", "IRE", "IMPORT"),
        ],
    )
    return publish(folder, tmp_path_factory.mktemp("data"), model="North")


def ask(source: Source, columns: str, where: str) -> list[tuple[object, ...]]:
    return source.rows(f"SELECT {columns} FROM timesreport WHERE {where} ORDER BY ALL")


def test_it_has_the_columns_of_such_databases(source: Source) -> None:
    assert source.sql("FROM timesreport LIMIT 0").columns.tolist() == COLUMNS
    old = source.sql("FROM timesreport_facts LIMIT 0").columns.tolist()
    assert old == ["model", *COLUMNS[1:]]


def test_values_of_timeslices_stand_beside_their_annual_total(source: Source) -> None:
    assert ask(source, "all_ts, value", "attr = 'f_out' AND prc = 'PLANT'") == [
        ("ANNUAL", 42),
        ("S", 30),
        ("W", 12),
    ]
    annual = ask(source, "sum(value)", "attr = 'f_in' AND prc = 'PLANT' AND all_ts = 'ANNUAL'")
    slices = ask(source, "sum(value)", "attr = 'f_in' AND prc = 'PLANT' AND all_ts <> 'ANNUAL'")
    assert annual == slices == [(115,)]
    assert ask(source, "all_ts, value", "attr = 'f_in' AND prc = 'HEATER'") == [("ANNUAL", 42)]


def test_levels_and_prices_have_no_total(source: Source) -> None:
    assert ask(source, "all_ts, value", "attr = 'actl'") == [("S", 8), ("W", 9)]
    assert ask(source, "all_ts, value", "attr = 'mpri'") == [("S", 7)]


def test_topics_and_attrs_are_those_of_such_databases(source: Source) -> None:
    assert ask(source, "DISTINCT topic, attr", "true") == [
        ("NA", "My_own"),
        ("acosts", "invc"),
        ("capacity", "tcap"),
        ("dcosts", "Reg_wobj"),
        ("dcosts", "invc"),
        ("demand", "f_out"),
        ("emission", "f_out"),
        ("energy", "f_in"),
        ("energy", "f_out"),
        ("material", "actl"),
        ("prices", "mpri"),
    ]


def test_units_and_currencies_stand_apart(source: Source) -> None:
    assert ask(source, "DISTINCT attr, unit, cur", "attr IN ('mpri', 'invc', 'tcap')") == [
        ("invc", "NA", "MEUR20"),
        ("mpri", "PJ", "MEUR20"),
        ("tcap", "GW", "NA"),
    ]


def test_imports_come_from_the_world_market_and_extraction_is_no_trade(source: Source) -> None:
    assert ask(source, "prc, com, regfrom, regto", "prc IN ('IMPORT', 'MINE')") == [
        ("IMPORT", "CO2", "IMPEXP", "R1"),
        ("IMPORT", "COA", "IMPEXP", "R1"),
        ("MINE", "COA", "R1", "R1"),
    ]


def test_groups_models_and_the_tables_beside_are_there(source: Source) -> None:
    assert ask(source, "DISTINCT timesmodel, scen, techgroup", "attr = 'tcap'") == [
        ("North", "Case", "Coal")
    ]
    assert source.rows("SELECT all_ts, value FROM all_ts_data ORDER BY 1") == [
        ("S", 2190),
        ("W", 6570),
    ]
    assert source.rows("SELECT scen FROM scen_desc") == [("Case",)]
    assert source.rows("SELECT filename FROM source_files JOIN timesreport USING (file_id)")[0] == (
        "Case.vd",
    )


# ---------------------------------------------------------------------------- real files


@pytest.mark.real_data
@pytest.mark.parametrize("form", ["timesreport", "miro"])
def test_the_starter_file_is_found_again_in_the_view(
    real_data: Path, tmp_path: Path, form: str
) -> None:
    """Row by row, whichever form was imported, up to the file's own wrong partners.

    The file takes buses (TBU...) for trade with a region DKE that it has no results of.
    """
    names = ("Starter_B_VTS-UC90", "Starter_P-CO2L20")
    paths = {
        "timesreport": [real_data / "timesreport"],
        "miro": [real_data / "miro" / f"times_miro_{name}.miroscen" for name in names],
    }
    import_files(Store(tmp_path), "starter", paths[form])
    columns = "scen, topic, attr, prc, com, all_ts, regfrom, regto, year, vntg"
    path = real_data / "timesreport" / "starter.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        given = connection.execute(
            f"SELECT {columns}, unit, value FROM timesreport WHERE 'DKE' NOT IN (regfrom, regto)"
        ).df()
    ours = open_source(tmp_path, "starter").sql(f"SELECT {columns}, unit, value FROM timesreport")
    both = given.merge(ours, on=columns.split(", "))
    assert len(both) == len(given) == 104_796
    assert both.value_x.to_numpy() == pytest.approx(both.value_y.to_numpy(), abs=1e-5, rel=1e-6)
    if form == "timesreport":
        assert len(ours) == 105_626
