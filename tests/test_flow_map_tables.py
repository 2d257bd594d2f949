"""The tables of a flow map: all maps that are shown, in the page and as files."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import catalogs
from catalogs.source import Source
from components.flowmap.explorer import FlowMap
from tests.times_files import flows, publish, write_set

OTHERS = ("Climate target", "No new interconnectors")
KEYS = ["from", "to", "carrier"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    data = tmp_path_factory.mktemp("demo")
    catalogs.ensure_demo(data)
    return catalogs.open_source(data, "demo")


def made(source: Source, **options: object) -> FlowMap:
    """A map of 2050 with its table tab open."""
    flow_map = FlowMap(source=source, year=2050, tab="table", **options)
    assert flow_map.main is not None
    return flow_map


def alone(source: Source, scenario: str, **options: object) -> FlowMap:
    flow_map = made(source, **options)
    flow_map.selection.base = scenario
    return flow_map


def shown_in(flow_map: FlowMap) -> list[pd.DataFrame]:
    """The tables that the tab shows: flows, and regions where they have any totals."""
    return [part.value for part in flow_map._table.view.objects if hasattr(part, "page_size")]


def said_in(flow_map: FlowMap) -> str:
    """The words above the tables."""
    return " ".join(p.text for p in flow_map._table.view.objects if hasattr(p, "text"))


def test_maps_beside_each_other_are_all_in_the_table(demo: Source):
    flow_map = made(demo, maps="each")
    table = flow_map.table()
    assert table.columns[0] == "scenario"
    assert list(dict.fromkeys(table["scenario"])) == ["Reference", *OTHERS]
    for scenario, own in table.groupby("scenario"):
        single = alone(demo, str(scenario)).table()
        expected = single.set_index(KEYS)["value"].sort_index()
        assert own.set_index(KEYS)["value"].sort_index().to_dict() == pytest.approx(
            expected.to_dict()
        )
    # The same flow of all scenarios stands together, the largest first.
    ends = [tuple(row) for row in table[KEYS].to_numpy()]
    assert len(set(ends)) == sum(a != b for a, b in itertools.pairwise(ends)) + 1
    largest = table.groupby(KEYS, sort=False)["value"].max()
    assert largest.is_monotonic_decreasing
    [written, _] = shown_in(flow_map)
    assert written["scenario"].tolist() == table["scenario"].tolist()


def test_a_difference_has_both_scenarios_and_says_which(demo: Source):
    table = made(demo, other="Climate target").table()
    base, other, less = "in Reference", "in Climate target", "difference"
    assert list(table.columns) == [*KEYS, base, other, less, "unit"]
    assert table[less].to_numpy() == pytest.approx((table[other] - table[base]).to_numpy())
    assert (np.diff(table[less].abs()) <= 0).all()
    for scenario, column in (("Reference", base), ("Climate target", other)):
        single = alone(demo, scenario).table().set_index(KEYS)["value"]
        both = table.set_index(KEYS)[column]
        some = both[both > 0]
        assert some.to_dict() == pytest.approx(single.reindex(some.index).to_dict())
        assert len(some) > 10


def test_regions_have_a_table_of_what_they_show(demo: Source):
    flow_map = made(demo, totals="production and use")
    shown = flow_map._map
    assert shown is not None
    table = flow_map.regions_table().set_index("region")
    at = [str(name) for name in shown.data.places.name].index("Finland")
    row = shown.at(2050)
    assert table.loc["Finland", "use"] == pytest.approx(shown.totals[row, at, 1])
    assert list(table.columns) == ["production", "use", "unit"]
    assert "Germany" not in table.index  # nothing of it is known
    flow_map.param.update(totals="net imports", maps="each")
    table = flow_map.regions_table()
    assert list(table.columns) == ["scenario", "region", "net imports", "unit"]
    assert table[table["region"] == "Finland"]["scenario"].tolist() == ["Reference", *OTHERS]
    flow_map.param.update(other="Climate target")
    table = flow_map.regions_table()
    expected = table["net imports in Climate target"] - table["net imports in Reference"]
    assert table["net imports difference"].to_numpy() == pytest.approx(expected.to_numpy())
    flow_map.totals = "none"
    assert flow_map.regions_table().empty
    assert len(shown_in(flow_map)) == 1


def test_files_hold_what_the_tables_show(demo: Source):
    flow_map = made(demo, maps="each")
    table = flow_map.table()
    csv = pd.read_csv(flow_map._table._flows._made("csv"))
    assert csv["scenario"].tolist() == table["scenario"].tolist()
    assert csv["value"].to_numpy() == pytest.approx(table["value"].to_numpy())
    book = openpyxl.load_workbook(flow_map._table._flows._made("xlsx"))
    rows = list(book["Data"].iter_rows(values_only=True))
    assert list(rows[0]) == list(table.columns)
    assert [row[0] for row in rows[1:]] == table["scenario"].tolist()
    assert [row[4] for row in rows[1:]] == pytest.approx(table["value"].tolist())
    about = dict(book["About"].iter_rows(values_only=True))
    assert about["Title"] == "Net trade: Electricity, Hydrogen, 3 scenarios, 2050, PJ"
    assert about["Dataset"] == "demo"


def test_a_scenario_without_trade_is_named_above_the_table(tmp_path: Path):
    options = {"units": {"PJ": "GAS ELC"}, "commodity_sets": {"NRG": "GAS ELC"}}
    for name, text, sets in (
        ("Closed", "PLANT: GAS 10 -> ELC 5", {}),
        ("Open", "IMPGAS: -> GAS 10\nPLANT: GAS 10 -> ELC 5", {"IRE": "IMPGAS"}),
    ):
        rows = flows(text, region="DK")
        files = write_set(tmp_path / name, rows, scenario=name, process_sets=sets, **options)  # type: ignore[arg-type]
        source = publish(files, tmp_path / "data")
    flow_map = FlowMap(source=source, tab="table", maps="each")
    flow_map.selection.param.update(scenarios=["Open", "Closed"], base="Open")
    assert flow_map.main is not None
    assert set(flow_map.table()["scenario"]) == {"Open"}
    assert "Closed has no trade" in said_in(flow_map)
