"""The bare GDX of a TIMES run, under the symbol names of TIMES itself."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from catalogs import open_source
from catalogs.errors import UnreadableFileError
from catalogs.importing import import_files
from catalogs.query import Query
from catalogs.readers.gdx_times import result_symbols
from catalogs.source import Source
from catalogs.store import Store

transfer = pytest.importorskip("gams.transfer", reason="the gdx extra is not installed")
gamspy_base = pytest.importorskip("gamspy_base", reason="the gdx extra is not installed")

PARAMETERS: dict[str, list[tuple[object, ...]]] = {
    "F_IN": [("R1", "2010", "2020", "PLANT", "COA", "ANNUAL", 100.0)],
    "F_OUT": [
        ("R1", "2010", "2020", "PLANT", "ELC", "S", 30.0),
        ("R1", "2010", "2020", "PLANT", "ELC", "W", 12.0),
        ("R1", "2020", "2020", "MINE", "COA", "ANNUAL", 100.0),
    ],
    "AGG_OUT": [("R1", "2020", "CO2", "ANNUAL", 9.0)],
    "PAR_CAPL": [("R1", "2020", "PLANT", 3.0)],
    "PAR_PASTI": [("R1", "2020", "PLANT", "0", 2.0), ("R1", "2020", "PLANT", "¤", -1.0)],
    "PAR_COMBALEM": [("R1", "2020", "ELC", "S", 7.0)],
    "REG_OBJ": [("R1", 55.0)],
    "REG_WOBJ": [("R1", "INV", "MEUR20", 55.0)],
    "REG_ACOST": [("R1", "2020", "INV", 5.0)],
    "CST_PVP": [("INV", "R1", "PLANT", 4.0)],
    "PRC_CAPACT": [("R1", "PLANT", 31.536)],
    "G_YRFR": [("R1", "S", 0.6), ("R1", "W", 0.4)],
    "B": [("2020", 2018.0)],
    "E": [("2020", 2022.0)],
    "D": [("2020", 5.0)],
}
SETS: dict[str, list[tuple[str, ...]]] = {
    "REG": [("R1", "")],
    "COM_UNIT": [("R1", c, "PJ", "") for c in ("COA", "ELC")],
    "COM_TMAP": [("R1", "NRG", c, "") for c in ("COA", "ELC")],
    "NRG_TMAP": [("R1", "ELC", "ELC", "")],
    "PRC_MAP": [("R1", "ELE", "PLANT", "")],
    "PRC_ACTUNT": [("R1", "PLANT", "ELC", "PJ", "")],
    "PRC_DESC": [("R1", "PLANT", "Coal plant")],
    "COM_DESC": [("R1", "COA", "Hard coal")],
    "TOP": [("R1", "PLANT", "COA", "IN", ""), ("R1", "PLANT", "ELC", "OUT", "")],
    "TOP_IRE": [("MINRNW", "COA", "R1", "COA", "MINE", "")],
    "TS_GROUP": [("R1", "SEASON", "S", ""), ("R1", "SEASON", "W", "")],
    "TS_MAP": [("R1", "ANNUAL", "S", ""), ("R1", "ANNUAL", "W", "")],
    "ALL_TS": [("ANNUAL", ""), ("S", "summer"), ("W", "winter")],
    "MILESTONYR": [("2020", "")],
}


def write(
    path: Path,
    parameters: Mapping[str, Sequence[tuple[object, ...]]],
    sets: Mapping[str, Sequence[tuple[str, ...]]],
) -> Path:
    """Write a GDX; the last cell is a parameter's value or a set's text."""
    container = transfer.Container(system_directory=gamspy_base.directory)
    for make, symbols in ((transfer.Parameter, parameters), (transfer.Set, sets)):
        for name, rows in symbols.items():
            width = len(rows[0]) - 1
            make(container, name, ["*"] * width, records=list(rows))
    balance = transfer.Equation(container, "EQG_COMBAL", "geq", ["*"] * 4)
    balance.setRecords(
        pd.DataFrame(
            [("R1", "2020", "ELC", "S", 1.5, 9.9)],
            columns=["r", "t", "c", "s", "level", "marginal"],
        )
    )
    objective = transfer.Variable(container, "OBJZ", "free")
    objective.setRecords(pd.DataFrame({"level": [55.0]}))
    container.write(str(path))
    return path


@pytest.fixture(scope="module")
def gdx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gdx") / "High demand.gdx", PARAMETERS, SETS)


def publish(data: Path, path: Path, dataset: str = "case") -> Source:
    import_files(Store(data), dataset, [path])
    return open_source(data, dataset)


def test_results_come_under_their_veda_names(gdx: Path, tmp_path: Path) -> None:
    source = publish(tmp_path, gdx)
    assert source.scenario_names == ("High demand",)
    assert source.rows(
        "SELECT attribute, commodity, process, year, region, vintage, timeslice, user_constraint,"
        " unit, value FROM result ORDER BY attribute, commodity, process, vintage, timeslice"
    ) == [
        ("Cost_NPV", "-", "PLANT", None, "R1", "-", "-", "INV", "MEUR20", 4),
        ("EQ_Combal", "ELC", "-", 2020, "R1", "-", "S", "-", "PJ", 1.5),
        ("EQ_CombalM", "ELC", "-", 2020, "R1", "-", "S", "-", "MEUR20/PJ", 7),
        ("ObjZ", "-", "-", None, "-", "-", "-", "-", "MEUR20", 55),
        ("Reg_ACost", "-", "-", 2020, "R1", "-", "-", "INV", "MEUR20", 5),
        ("Reg_obj", "-", "-", None, "R1", "-", "-", "-", "MEUR20", 55),
        ("Reg_wobj", "MEUR20", "-", None, "R1", "-", "-", "INV", "MEUR20", 55),
        ("VAR_Cap", "-", "PLANT", 2020, "R1", "-", "-", "-", "GW", 3),
        ("VAR_Cap", "-", "PLANT", 2020, "R1", "0", "-", "-", "GW", 2),
        ("VAR_Cap", "-", "PLANT", 2020, "R1", "¤", "-", "-", "GW", -1),
        ("VAR_FIn", "COA", "PLANT", 2020, "R1", "2010", "ANNUAL", "-", "PJ", 100),
        ("VAR_FOut", "CO2", "-", 2020, "R1", "-", "ANNUAL", "-", None, 9),
        ("VAR_FOut", "COA", "MINE", 2020, "R1", "2020", "ANNUAL", "-", "PJ", 100),
        ("VAR_FOut", "ELC", "PLANT", 2020, "R1", "2010", "S", "-", "PJ", 30),
        ("VAR_FOut", "ELC", "PLANT", 2020, "R1", "2010", "W", "-", "PJ", 12),
    ]


def test_what_the_model_says_of_itself_is_read(gdx: Path, tmp_path: Path) -> None:
    source = publish(tmp_path, gdx)
    assert source.labels("process")["PLANT"] == "Coal plant"
    assert source.rows("SELECT year, start_year, end_year, length FROM period") == [
        (2020, 2018, 2022, 5)
    ]
    assert source.rows(
        "SELECT timeslice, level, year_fraction, description FROM timeslice ORDER BY position"
    ) == [
        ("ANNUAL", "ANNUAL", 1, None),
        ("S", "SEASON", 0.6, "summer"),
        ("W", "SEASON", 0.4, "winter"),
    ]
    assert source.rows("SELECT region_from, region_to, partner_source FROM trade") == [
        ("MINRNW", "R1", "TOP_IRE")
    ]
    assert source.ask(Query("electricity_generation", unit="PJ")).frame.value.tolist() == [42]
    assert source.ask(Query("capacity")).frame.value.tolist() == [4]


def test_a_file_is_known_by_its_beginning(gdx: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.bin"
    shutil.copy(gdx, path)
    assert publish(tmp_path / "data", path).manifest.scenarios[0].rows == 15


def test_a_symbol_of_another_shape_is_left_out_and_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gdx", {**PARAMETERS, "F_IN": [("R1", "COA", 1.0)]}, SETS)
    source = publish(tmp_path / "data", path)
    report = source.import_report()
    [message] = report[report.topic == "left_out"].message
    assert message.startswith("f_in has 2 dimensions instead of 6 (region, vintage, year")
    assert "VAR_FIn" not in source.attribute_names


def test_every_symbol_has_the_dimensions_of_a_result() -> None:
    for symbol in result_symbols():
        assert len(set(symbol.columns)) == len(symbol.columns), symbol.name
        assert {s.name for s in result_symbols()}.issuperset(symbol.unless)


def test_a_stochastic_run_is_read_by_state_of_the_world(tmp_path: Path) -> None:
    parameters = {
        **PARAMETERS,
        "SF_OUT": [
            (sow, "R1", "2010", "2020", "PLANT", "ELC", "S", value)
            for sow, value in (("1", 30.0), ("2", 20.0))
        ],
        "PAR_NEW": [("R1", 1.0)],
    }
    source = publish(tmp_path / "data", write(tmp_path / "a.gdx", parameters, SETS))
    assert source.rows(
        "SELECT sow, process, value FROM result WHERE attribute = 'VAR_FOut' AND commodity = 'ELC'"
        " ORDER BY sow"
    ) == [("1", "PLANT", 30), ("2", "PLANT", 20)]
    report = source.import_report()
    [message] = report[report.topic == "left_out"].message
    assert message == "Result symbols that no attribute is known for: PAR_NEW."


# ---------------------------------------------------------------------------- archives


def miroscen(path: Path, parts: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_miro_scenario_is_known_by_what_is_in_it(gdx: Path, tmp_path: Path) -> None:
    path = miroscen(tmp_path / "scenario.zip", {"data.gdx": gdx.read_bytes()})
    assert publish(tmp_path / "data", path).manifest.scenarios[0].rows == 15


def test_a_zip_bomb_is_refused(gdx: Path, tmp_path: Path) -> None:
    source = publish(tmp_path / "data", gdx)
    path = miroscen(tmp_path / "bomb.miroscen", {"data.gdx": b"\0" * (32 * 2**20)})
    with pytest.raises(UnreadableFileError, match="would unpack from"):
        import_files(Store(tmp_path / "data"), "case", [path])
    assert source.is_current


def test_nothing_is_ever_unpacked_outside(gdx: Path, tmp_path: Path) -> None:
    parts = {"data.gdx": gdx.read_bytes(), "../../outside.txt": b"x", "/tmp/outside.txt": b"x"}
    path = miroscen(tmp_path / "a.miroscen", parts)
    with pytest.raises(UnreadableFileError, match="names a file outside itself"):
        import_files(Store(tmp_path / "data"), "case", [path])
    assert not list(tmp_path.rglob("outside.txt"))


def test_timeslices_in_a_circle_are_reported_and_nothing_is_lost(tmp_path: Path) -> None:
    circle = [("R1", "S", "W", ""), ("R1", "W", "S", "")]
    path = write(tmp_path / "circle.gdx", PARAMETERS, {**SETS, "TS_MAP": circle})
    source = publish(tmp_path / "data", path)
    assert source.rows("SELECT timeslice, parent FROM timeslice WHERE level = 'SEASON'") == [
        ("S", "ANNUAL"),
        ("W", "ANNUAL"),
    ]
    report = source.import_report()
    [message] = [m for m in report.message if "within each other" in m]
    assert message.endswith("what they are in is not told: S, W.")
    assert source.rows("SELECT sum(value) FROM result WHERE attribute = 'VAR_FOut'")[0][0] > 0


# ---------------------------------------------------------------------------- real results


@pytest.mark.real_data
def test_a_run_in_gdx_reads_like_the_same_run_from_miro(real_data: Path, tmp_path: Path) -> None:
    """The Starter scenario, its rows put under the symbols of TIMES."""
    miro = publish(
        tmp_path / "data", real_data / "miro" / "times_miro_Starter_P-CO2L20.miroscen", "miro"
    )
    rows = miro.sql(
        "SELECT * REPLACE (coalesce(year::VARCHAR, '-') AS year) FROM result WHERE value <> 0"
        " AND attribute NOT IN ('ObjZ', 'EQ_Combal', 'EQ_Peak')"
    )
    dimensions = ("commodity", "process", "year", "vintage", "timeslice", "user_constraint")
    parameters: dict[str, list[tuple[object, ...]]] = {}
    taken: set[int] = set()
    for symbol in result_symbols():
        fits = rows[rows.attribute == symbol.attribute]
        own, free = list(symbol.columns), [c for c in dimensions if c not in symbol.columns]
        fits = fits[(fits[free] == "-").all(axis=1) & (fits[own] != "-").all(axis=1)]
        fits = fits[~fits.index.isin(taken)]
        if "sow" in own or len(symbol.unless) > 1 or fits.empty:
            continue
        taken.update(fits.index)
        columns = [fits[c] for c in (*symbol.columns, "value")]
        parameters[symbol.name] = list(zip(*columns, strict=True))
    path = write(tmp_path / "run.gdx", parameters, {"REG": [("Starter", "")]})
    gdx = publish(tmp_path / "data", path, "gdx")
    keys = "attribute, commodity, process, year, region, vintage, timeslice, user_constraint"
    ours = gdx.sql(f"SELECT {keys}, value FROM result")
    ours = ours[~ours.attribute.isin(["ObjZ", "EQ_Combal"])]
    both = ours.merge(miro.sql(f"SELECT {keys}, value FROM result"), on=keys.split(", "))
    assert len(ours) == len(taken)
    assert len(taken) > 0.9 * len(rows)
    assert both.value_x.tolist() == both.value_y.tolist()
    assert len(both) == len(ours)
