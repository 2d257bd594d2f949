"""Real files of every format, imported in one command into one dataset."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from catalogs import open_source
from catalogs.__main__ import main
from catalogs.source import Source

pytestmark = pytest.mark.real_data

STARTER = ("Starter_B_VTS-UC90", "Starter_P-CO2L20")


@pytest.fixture(scope="module")
def everything(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    data = tmp_path_factory.mktemp("data")
    folders = [str(real_data / name) for name in ("veda", "miro", "timesreport", "iamc")]
    assert main(["import", *folders, "--data-directory", str(data), "--name", "everything"]) == 0
    return open_source(data, "everything")


def test_every_file_is_read(everything: Source, real_data: Path) -> None:
    read = {file.name for s in everything.manifest.scenarios for file in s.inputs}
    folders = ("veda", "miro", "timesreport", "iamc")
    assert read == {p.name for folder in folders for p in (real_data / folder).iterdir()}


def test_scenarios_of_different_models_stand_side_by_side(everything: Source) -> None:
    formats = pd.Series([s.source_format for s in everything.manifest.scenarios]).value_counts()
    assert formats[["VEDA", "GAMS MIRO", "timesreport"]].tolist() == [1, 5, 2]
    for name in STARTER:
        assert {f"{name} (TIMES)", f"{name} (Starter)"} <= set(everything.scenario_names)


def test_iamc_tables_are_read_whole(everything: Source, real_data: Path) -> None:
    given = pd.read_csv(real_data / "iamc" / "tutorial_data.csv")
    years = [c for c in given.columns if c.isdigit()]
    long = given.melt(["Model", "Scenario", "Region", "Variable", "Unit"], years).dropna()
    iamc = [s.key for s in everything.manifest.scenarios if s.source_format == "IAMC"]
    assert len(iamc) == len(given.groupby(["Model", "Scenario"])) + 1
    [(rows, total)] = everything.rows(
        "SELECT count(*), sum(value) FROM result WHERE list_contains(?, scenario)"
        " AND scenario <> 'scen_a'",
        [iamc],
    )
    assert rows == len(long)
    assert total == pytest.approx(long.value.sum())


def test_parts_of_the_year_of_an_iamc_table_are_kept_apart(
    everything: Source, real_data: Path
) -> None:
    given = pd.read_csv(real_data / "iamc" / "subannual_time.csv")
    found = everything.sql(
        "SELECT attribute AS variable, region, timeslice AS subannual, year, value FROM result"
        " WHERE scenario = 'scen_a' ORDER BY ALL"
    )
    years = [c for c in given.columns if c.isdigit()]
    long = given.melt(["variable", "region", "subannual"], years, "year")
    long = long.astype({"year": int}).sort_values(["variable", "region", "subannual", "year"])
    assert found.drop(columns="value").to_numpy().tolist() == (
        long.drop(columns="value").to_numpy().tolist()
    )
    assert found.value.tolist() == pytest.approx(long.value.tolist())
    assert set(found.subannual) == {"summer", "winter"}
