"""Real files of every format, imported in one command into one dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from catalogs import open_source
from catalogs.__main__ import main
from catalogs.query import Query
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


def test_annual_costs_discounted_come_near_the_objective_of_each_region(everything: Source) -> None:
    """DOMAIN section 3: the sum of Reg_ACost x Time_NPV(COST) is close to Reg_obj.

    Not the same: annual costs have no salvage, and spread investments over their lives. What trade
    transfers is in neither. The three Danish scenarios differ by -0.1% to 0.25% per region.
    """
    found = everything.sql(
        """
        WITH factor AS (
            SELECT scenario, region, year, value FROM result
            WHERE attribute = 'Time_NPV' AND user_constraint = 'COST'
        ), cost AS (
            SELECT scenario, region, year, sum(value) AS value FROM result
            WHERE attribute = 'Reg_ACost' GROUP BY ALL
        ), objective AS (
            SELECT scenario, region, sum(value) AS value FROM result
            WHERE attribute = 'Reg_obj' GROUP BY ALL
        )
        SELECT scenario, region, sum(c.value * f.value) / any_value(o.value) AS ratio
        FROM cost AS c JOIN factor AS f USING (scenario, region, year)
        JOIN objective AS o USING (scenario, region)
        GROUP BY scenario, region ORDER BY ALL
        """
    )
    danish = found[found.region.isin(["DKE", "DKW"])]
    assert danish.scenario.nunique() == 3
    assert danish.ratio.to_list() == pytest.approx([1.0] * 6, abs=0.003)


def test_energy_of_a_year_in_an_iamc_table_converts_as_energy(everything: Source) -> None:
    [name, *_] = [
        s.key for s in everything.manifest.scenarios
        if s.source_format == "IAMC" and s.scenario != "scen_a"
    ]  # fmt: skip
    query = Query("attribute:Primary Energy", (name,), group_by=("region",))
    written = everything.ask(query)
    assert written.unit == "EJ/yr"
    in_joules = everything.ask(replace(query, unit="PJ")).frame
    assert in_joules.value.to_list() == pytest.approx((1000 * written.frame.value).to_list())
