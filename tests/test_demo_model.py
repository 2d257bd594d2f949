"""The demo's committed files add up, are complete and small, and can be made again.

The files are read here with plain csv, not with the project's readers: the two check each other.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "catalogs" / "demo" / "files"
SCENARIOS = {
    "Reference": "Reference",
    "Climate_target": "Climate target",
    "No_new_interconnectors": "No new interconnectors",
}
COLUMNS = [
    "attribute",
    "commodity",
    "process",
    "year",
    "region",
    "vintage",
    "timeslice",
    "kind",
    "value",
]
RELATIVE = 1e-6


def read_lines(name: str) -> list[str]:
    return gzip.decompress((FOLDER / name).read_bytes()).decode("utf-8").splitlines()


def read_table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", keep_default_na=False)


def read_cells(name: str) -> list[list[str]]:
    return [row for row in csv.reader(read_lines(name)) if len(row) == 4]


@pytest.fixture(scope="module", params=list(SCENARIOS))
def stem(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def results(stem: str) -> pd.DataFrame:
    lines = read_lines(f"{stem}.vd.gz")
    start = lines.index("") + 1
    frame = pd.DataFrame(list(csv.reader(lines[start:])), columns=COLUMNS)
    frame["value"] = frame["value"].astype(float)
    return frame


@pytest.fixture(scope="module")
def topology(stem: str) -> pd.DataFrame:
    names = ["region", "process", "commodity", "side"]
    return pd.DataFrame(read_cells(f"{stem}.vdt.gz"), columns=names)


@pytest.fixture(scope="module")
def sets(stem: str) -> pd.DataFrame:
    names = ["dimension", "region", "set", "code"]
    return pd.DataFrame(read_cells(f"{stem}.vds.gz"), columns=names)


def pick(frame: pd.DataFrame, attribute: str) -> pd.DataFrame:
    return frame[frame["attribute"] == attribute]


def total(frame: pd.DataFrame, attribute: str, by: list[str]) -> pd.Series:
    return pick(frame, attribute).groupby(by)["value"].sum()


def assert_same(left: pd.Series, right: pd.Series, floor: float = 1.0) -> None:
    """Compare two series on all their keys, an absent one being zero."""
    left, right = left.align(right, fill_value=0.0)
    assert len(left)
    scale = pd.concat([left.abs(), right.abs()], axis=1).max(axis=1).clip(lower=floor)
    off = (left - right).abs() / scale
    assert off.max() <= RELATIVE, off.nlargest(5).to_string()


def members(sets: pd.DataFrame, dimension: str, name: str) -> set[str]:
    return set(sets[(sets["dimension"] == dimension) & (sets["set"] == name)]["code"])


def test_folder_holds_the_scenarios_and_stays_small() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    wanted = {f"{stem}.{kind}.gz" for stem in SCENARIOS for kind in ("vd", "vde", "vds", "vdt")}
    tables = ("commodity_units", "process_units", "timeslices", "periods", "scenarios", "regions")
    assert names == wanted | {f"{table}.csv" for table in tables}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 2_500_000


def test_compressed_files_carry_no_time_stamp() -> None:
    for path in FOLDER.glob("*.gz"):
        assert path.read_bytes()[4:8] == b"\0\0\0\0", path.name


def test_header_names_the_scenario(stem: str) -> None:
    header = [line for line in read_lines(f"{stem}.vd.gz")[:20] if line.startswith("*")]
    assert any(line.endswith(f"ImportID- Scenario:{SCENARIOS[stem]}") for line in header)
    listed = read_table("scenarios")
    assert list(listed["scenario"]) == list(SCENARIOS.values())
    assert listed["description"].str.len().gt(20).all()
    assert set(listed["model"]) == {"Nordic-Baltic demo"}


def test_no_result_row_occurs_twice(results: pd.DataFrame) -> None:
    assert 60_000 <= len(results) <= 110_000
    assert not results.duplicated(COLUMNS[:-1]).any()
    assert results["value"].abs().ge(1e-9).all() or (results["value"] == 0).sum() <= 10


def test_objective_is_the_sum_of_its_parts(results: pd.DataFrame) -> None:
    objective = pick(results, "ObjZ")["value"].item()
    by_region = total(results, "Reg_obj", ["region"])
    assert by_region.sum() == pytest.approx(objective, rel=RELATIVE)
    assert_same(by_region, total(results, "Reg_wobj", ["region"]))
    assert set(pick(results, "Reg_wobj")["commodity"]) == {"MEUR20"}


def test_yearly_costs_are_the_sum_of_their_rows(results: pd.DataFrame) -> None:
    kinds = {
        "Cost_Inv": "INV",
        "Cost_Fom": "FIX",
        "Cost_Act": "VAR",
        "Cost_Flo": "VAR",
        "Cost_Comx": "VARX",
        "Cost_ire": "IRE",
    }
    detail = results[results["attribute"].isin(list(kinds))].copy()
    detail["kind"] = detail["attribute"].map(kinds)
    by = ["region", "year", "kind"]
    assert_same(detail.groupby(by)["value"].sum(), total(results, "Reg_ACost", by))


def test_discounted_yearly_costs_are_the_objective(results: pd.DataFrame) -> None:
    costs = pick(results, "Reg_ACost").merge(
        pick(results, "Time_NPV")[["region", "year", "value"]],
        on=["region", "year"],
        suffixes=("", "_factor"),
    )
    costs["worth"] = costs["value"] * costs["value_factor"]
    transfers = costs["kind"] == "IRE"
    own = costs[~transfers].groupby("region")["worth"].sum()
    assert_same(own, total(results, "Reg_obj", ["region"]))
    paid = costs[transfers].groupby("region")["worth"].sum()
    assert_same(paid, total(results, "Reg_irec", ["region"]))


def test_transfers_between_regions_cancel(results: pd.DataFrame) -> None:
    transfers = pick(results, "Reg_irec")["value"]
    assert transfers.abs().sum() > 1000
    assert transfers.sum() == pytest.approx(0, abs=1e-3)


def test_energy_is_balanced(results: pd.DataFrame, sets: pd.DataFrame) -> None:
    energy = results[results["commodity"].isin(members(sets, "Commodity", "NRG"))]
    by = ["commodity", "region", "year"]
    assert_same(total(energy, "VAR_FIn", by), total(energy, "VAR_FOut", by))


def test_demands_are_met(results: pd.DataFrame, sets: pd.DataFrame) -> None:
    demand = results[results["commodity"].isin(members(sets, "Commodity", "DEM"))]
    by = ["commodity", "region", "year"]
    assert pick(demand, "VAR_FIn").empty
    assert_same(total(demand, "VAR_FOut", by), total(demand, "EQ_Combal", by))


def test_storage_gives_what_it_took_less_its_loss(
    results: pd.DataFrame, sets: pd.DataFrame
) -> None:
    efficiency = {"SBATTE01": 0.90, "SPUMPE00": 0.76, "SHEATS01": 0.95}
    assert members(sets, "Process", "STG") == set(efficiency)
    storage = results[results["process"].isin(list(efficiency))]
    by = ["process", "region", "year"]
    taken = total(storage, "VAR_FIn", by)
    kept = taken * taken.index.get_level_values("process").map(efficiency).to_numpy()
    assert_same(kept, total(storage, "VAR_FOut", by))
    assert set(pick(storage, "VAR_Act")["timeslice"]).isdisjoint({"ANNUAL"})


def test_links_deliver_what_is_sent_less_the_loss(results: pd.DataFrame) -> None:
    flows = results[results["process"].str.startswith("TB_")].copy()
    ends = flows["process"].str.split("_")
    other = ends.str[3].where(flows["region"] == ends.str[2], ends.str[2])
    flows["sender"] = flows["region"].where(flows["attribute"] == "VAR_FIn", other)
    loss = flows["commodity"].map({"ELC": 0.03, "HH2": 0.015})
    flows.loc[flows["attribute"] == "VAR_FIn", "value"] *= 1 - loss
    by = ["process", "year", "timeslice", "sender"]
    assert_same(total(flows, "VAR_FIn", by), total(flows, "VAR_FOut", by), floor=1e-3)


def test_total_emission_is_the_sum_of_the_sectors(results: pd.DataFrame) -> None:
    net = pick(results, "VAR_Comnet")
    overlay = net["commodity"] == "TOTCO2"
    by = ["region", "year"]
    sectors = net[~overlay].groupby(by)["value"].sum()
    assert_same(net[overlay].groupby(by)["value"].sum(), sectors)
    emitted = pick(results, "VAR_FOut")
    emitted = emitted[emitted["commodity"].str.endswith("CO2")]
    assert "TOTCO2" not in set(emitted["commodity"])
    assert_same(emitted.groupby(by)["value"].sum(), sectors)


def test_capacities_carry_stock_and_new_apart(results: pd.DataFrame) -> None:
    assert set(pick(results, "VAR_Cap")["vintage"]) == {"-", "0"}
    new = pick(results, "Cap_New")
    by = ["process", "region", "year"]
    assert_same(total(new[new["kind"] == "INSTCAP"], "Cap_New", by), total(results, "VAR_Ncap", by))


def test_year_fractions_and_periods() -> None:
    slices = read_table("timeslices")
    root = slices[slices["level"] == "ANNUAL"]
    assert list(root["timeslice"]) == ["ANNUAL"]
    assert list(root["parent"]) == [""]
    for level in ("SEASON", "DAYNITE"):
        fractions = slices[slices["level"] == level]["year_fraction"]
        assert fractions.sum() == pytest.approx(1, abs=1e-9)
    children = slices[slices["level"] == "DAYNITE"].groupby("parent")["year_fraction"].sum()
    seasons = slices[slices["level"] == "SEASON"].set_index("timeslice")["year_fraction"]
    assert children.to_dict() == pytest.approx(seasons.to_dict())
    assert len(slices[slices["level"] == "DAYNITE"]) >= 16
    periods = read_table("periods")
    assert list(periods["year"]) == [2025, 2030, 2035, 2040, 2045, 2050]
    assert (periods["start"].iloc[1:].to_numpy() == periods["end"].iloc[:-1].to_numpy() + 1).all()


def test_every_code_is_described(results: pd.DataFrame, stem: str) -> None:
    described: dict[str, set[str]] = {}
    for dimension, _, code, text in read_cells(f"{stem}.vde.gz"):
        assert text.strip(), code
        described.setdefault(dimension, set()).add(code.lower())
    for dimension, column in [
        ("Attribute", "attribute"),
        ("Commodity", "commodity"),
        ("Process", "process"),
        ("TimeSlice", "timeslice"),
        ("UserConstraint", "kind"),
        ("Region", "region"),
    ]:
        used = set(results[column].str.lower()) - {"-", "none", "meur20"}
        assert used <= described[dimension], used - described[dimension]


def test_every_code_has_a_unit_and_a_set(results: pd.DataFrame, sets: pd.DataFrame) -> None:
    commodities = set(results["commodity"]) - {"-", "MEUR20"}
    units = read_table("commodity_units").set_index("commodity")["unit"]
    assert commodities <= set(units.index)
    assert units.str.len().gt(0).all()
    assert commodities <= set(sets[sets["dimension"] == "Commodity"]["code"])
    processes = set(results["process"]) - {"-"}
    table = read_table("process_units").set_index("process")
    assert processes <= set(table.index)
    assert table["activity_unit"].str.len().gt(0).all()
    installed = set(pick(results, "VAR_Cap")["process"])
    assert table.loc[sorted(installed), "capacity_unit"].str.len().gt(0).all()
    assert processes <= set(sets[sets["dimension"] == "Process"]["code"])
    regions = read_table("regions")
    assert set(regions["region"]) == set(results["region"]) - {"-", "NONE"}
    assert regions["latitude"].between(54, 72).all()
    assert regions["longitude"].between(4, 32).all()


def test_every_flow_is_in_the_topology(results: pd.DataFrame, topology: pd.DataFrame) -> None:
    known = set(topology.itertuples(index=False, name=None))
    for attribute, side in (("VAR_FIn", "IN"), ("VAR_FOut", "OUT")):
        flows = pick(results, attribute)[["region", "process", "commodity"]].drop_duplicates()
        assert {(*row, side) for row in flows.itertuples(index=False, name=None)} <= known


def test_capacity_bounds_activity(results: pd.DataFrame) -> None:
    table = read_table("process_units").set_index("process")
    wind = ["EWINON01", "EWINOF01", "ESOLPV01", "ENUCLE00", "CHPBIO01"]
    by = ["process", "region", "year"]
    use = total(results[results["process"].isin(wind)], "VAR_Act", by)
    capacity = total(results[results["process"].isin(wind)], "VAR_Cap", by)
    share = use / capacity.reindex(use.index) / 31.536
    assert share.max() <= 0.95
    assert set(table.loc[wind, "capacity_to_activity"].astype(float)) == {31.536}


def test_figures_are_plausible(results: pd.DataFrame, stem: str) -> None:
    carbon = pick(results, "VAR_Comnet")
    carbon = carbon[carbon["commodity"] == "TOTCO2"].groupby("year")["value"].sum()
    assert carbon.is_monotonic_decreasing
    assert 70_000 < carbon["2025"] < 100_000
    assert carbon["2050"] < (20_000 if stem == "Reference" else 6_000)
    final = pick(results, "VAR_FIn")
    final = final[
        final["commodity"].isin(["ELC", "ELCD"]) & final["process"].str.match(r"(?!TB_)[RCIAT]")
    ]
    assert 350 < final[final["year"] == "2025"]["value"].sum() / 3.6 < 430
    slices = read_table("timeslices").set_index("timeslice")["year_fraction"]
    price = pick(results, "EQ_CombalM")
    price = price[price["commodity"] == "ELC"].copy()
    price["value"] *= 3.6 * price["timeslice"].map(slices)
    average = price.groupby(["region", "year"])["value"].sum()
    assert average.between(20, 100).all()


def test_scenarios_differ_as_they_say() -> None:
    lines = {
        name: {
            row[2]
            for row in csv.reader(read_lines(f"{name}.vd.gz"))
            if row and row[0] == "VAR_Ncap" and row[2].startswith("TB_ELC")
        }
        for name in SCENARIOS
    }
    assert lines["Climate_target"]
    assert not lines["No_new_interconnectors"]


def test_generator_gives_the_same_bytes_again() -> None:
    pytest.importorskip("scipy", reason="the demo's solver is a development dependency")
    generate = pytest.importorskip("catalogs.demo.generate")
    small = (generate.SCENARIOS[0],)
    first = generate.files(small, ("DKW", "DKE"), (2025,))
    second = generate.files(small, ("DKW", "DKE"), (2025,))
    assert first == second
    assert "Reference.vd.gz" in first
