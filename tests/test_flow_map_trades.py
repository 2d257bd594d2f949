"""Trade maps: what flows between regions and with the world outside, against hand-written SQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalogs import ensure_demo, open_source, semantics
from catalogs.errors import NotAvailableError, UnreadableFileError
from catalogs.flowmaps import trades as trades_module
from catalogs.flowmaps.places import find_places, own_places
from catalogs.flowmaps.trade_details import arc_details, place_details
from catalogs.flowmaps.trade_map import TradeMap, TradeRequest, trade_map
from catalogs.flowmaps.trades import TradeQuery, read_trades
from catalogs.importing import import_files
from catalogs.query import Query
from catalogs.source import Source
from catalogs.store import Store
from tests.times_files import flows, publish, write_set


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    data = tmp_path_factory.mktemp("demo")
    ensure_demo(data)
    return open_source(data, "demo")


@pytest.fixture(scope="module")
def danish(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Source:
    data = tmp_path_factory.mktemp("danish")
    file = real_data / "miro" / "times_miro_DK_Regeringen.miroscen"
    import_files(Store(data), "danish", [file])
    return open_source(data, "danish")


def flow(shown: TradeMap, frame: int | str, origin: str, destination: str) -> float:
    """The value of an arrow, 0 where there is none."""
    picture = shown.picture(frame)
    ids = picture.places.id
    found = [
        value
        for o, d, value in zip(
            picture.arcs.origin, picture.arcs.destination, picture.arcs.value, strict=True
        )
        if (ids[o], ids[d]) == (origin, destination)
    ]
    return float(sum(found))


# ---------------------------------------------------------------------- against the results


@pytest.mark.real_data
def test_danish_flows_equal_hand_written_sql_in_the_right_direction(danish: Source):
    scenario = danish.scenario_names[0]
    gross = trade_map(
        danish, TradeRequest(TradeQuery(scenario), kept=("Electricity",), is_net=False)
    )
    results = danish.sql(
        # What the files say: taken in (sent) or given out (received) by which process, where.
        "SELECT year, process, region, attribute, sum(value) AS value FROM result"
        " WHERE commodity = 'ELCC' AND attribute IN ('VAR_FIn', 'VAR_FOut')"
        " AND (process LIKE '%ELC-DK%' OR process = 'TB_ELCC_DKE_DKW_01') GROUP BY ALL"
    ).set_index(["process", "region", "attribute", "year"])["value"]

    def value(process: str, region: str, attribute: str, year: int) -> float:
        return float(results.get((process, region, attribute, year), 0.0))

    assert gross.frames[0] == 2010
    some = 0
    for year in gross.frames:
        assert isinstance(year, int)
        for region in ("DKE", "DKW"):
            for code, country in (("DE", "DE"), ("NO", "NO"), ("SE", "SE"), ("NL", "NL"),
                                  ("UK", "GB")):  # fmt: skip
                exported = value(f"EXPELC-DK{code}", region, "VAR_FIn", year)
                imported = value(f"IMPELC-DK{code}", region, "VAR_FOut", year)
                assert flow(gross, year, region, f"@{country}") == pytest.approx(exported, abs=1e-6)
                assert flow(gross, year, f"@{country}", region) == pytest.approx(imported, abs=1e-6)
                some += exported > 1
                some += imported > 1
        for origin, destination in (("DKE", "DKW"), ("DKW", "DKE")):
            sent = value("TB_ELCC_DKE_DKW_01", origin, "VAR_FIn", year)
            assert flow(gross, year, origin, destination) == pytest.approx(sent, abs=1e-6)
            some += sent > 0.5
    assert some > 40


@pytest.mark.real_data
def test_danish_partners_stand_in_their_countries(danish: Source):
    trades = read_trades(danish, TradeQuery(danish.scenario_names[0]))
    assert set(trades.partners) == {"@DE", "@GB", "@NL", "@NO", "@SE"}
    places = {p.id: p for p in find_places(danish, ["@NO", "DKE", "DKW", "@outside"])}
    assert places["@NO"].name == "Norway"
    assert 57 < places["@NO"].latitude < 71
    assert places["DKE"].name == "Denmark East"
    assert places["DKE"].longitude > places["DKW"].longitude
    assert not places["@outside"].is_known


def test_sums_of_the_map_equal_the_measure_trade(demo: Source):
    everything = trade_map(
        demo, TradeRequest(TradeQuery("Reference"), is_net=False, outside=True, totals="none")
    )
    asked = demo.ask(
        Query(measure="trade", scenarios=("Reference",), group_by=("region", "part"))
    ).frame
    imports = asked[asked["part"] == "Imports"].groupby(["year", "region"])["value"].sum()
    # What arrives: what is sent less what is lost on the way.
    table = everything.trades.table
    arrived = table.groupby(["frame", "destination"])["received"].sum()
    for (year, region), value in imports.items():  # type: ignore[misc]
        assert arrived[year, region] == pytest.approx(value, rel=1e-9)
    assert all(shown.share == 1 for shown in everything.shown)


def test_net_is_the_difference_of_both_ways(demo: Source):
    query = TradeQuery("Reference")
    gross = trade_map(demo, TradeRequest(query, kept=("Electricity",), is_net=False))
    net = trade_map(demo, TradeRequest(query, kept=("Electricity",)))
    for year in net.frames:
        there, back = flow(gross, year, "SES", "NOS"), flow(gross, year, "NOS", "SES")
        assert flow(net, year, "SES", "NOS") == pytest.approx(max(there - back, 0))
        assert flow(net, year, "NOS", "SES") == pytest.approx(max(back - there, 0))
    picture = gross.picture(2030)
    arc = next(
        i
        for i in range(len(picture.arcs))
        if picture.places.id[picture.arcs.origin[i]] == "SES"
        and picture.places.id[picture.arcs.destination[i]] == "NOS"
    )
    assert picture.arcs.back[arc] == pytest.approx(flow(gross, 2030, "NOS", "SES"))


def test_difference_of_two_scenarios(demo: Source):
    query = TradeQuery("Reference")
    base = trade_map(demo, TradeRequest(query, is_net=False))
    other = trade_map(demo, TradeRequest(TradeQuery("Climate target"), is_net=False))
    less = trade_map(demo, TradeRequest(query, is_net=False, other="Climate target"))
    assert less.frames == base.frames
    for origin, destination in (("SES", "DKE"), ("SEN", "SES"), ("LT", "@PL")):
        expected = flow(other, 2050, origin, destination) - flow(base, 2050, origin, destination)
        assert flow(less, 2050, origin, destination) == pytest.approx(expected)
    assert (less.values < 0).any()
    assert (less.values > 0).any()


def test_timeslices_add_up_to_the_year(demo: Source):
    request = TradeRequest(TradeQuery("Reference"), kept=("Electricity",), is_net=False)
    year = trade_map(demo, request)
    within = trade_map(
        demo,
        TradeRequest(
            TradeQuery("Reference", by_timeslice=2050), kept=("Electricity",), is_net=False
        ),
    )
    assert len(within.frames) > 10
    assert within.frames == trades_module.timeslices_of(demo, "Reference")
    summed = sum(flow(within, t, "SEN", "SES") for t in within.frames)
    assert summed == pytest.approx(flow(year, 2050, "SEN", "SES"))
    # A parent is all that is within it.
    winter = trade_map(
        demo,
        TradeRequest(TradeQuery("Reference", timeslice="WI"), kept=("Electricity",), is_net=False),
    )
    parts = sum(flow(within, t, "SEN", "SES") for t in within.frames if str(t).startswith("WI"))
    assert flow(winter, 2050, "SEN", "SES") == pytest.approx(parts)


def test_average_power_of_a_year_is_its_energy_over_8760_hours(demo: Source):
    energy = trade_map(demo, TradeRequest(TradeQuery("Reference", unit="TWh"), is_net=False))
    power = trade_map(demo, TradeRequest(TradeQuery("Reference", unit="GW"), is_net=False))
    assert power.data.unit == "GW"
    assert power.values == pytest.approx(energy.values * 1000 / 8760)
    assert power.totals[..., 1] == pytest.approx(energy.totals[..., 1] * 1000 / 8760, nan_ok=True)
    assert power.loading == pytest.approx(energy.loading, nan_ok=True)


def test_average_power_of_a_timeslice_is_over_its_own_hours(demo: Source):
    def shown(unit: str, **when: object) -> TradeMap:
        query = TradeQuery("Reference", unit=unit, **when)  # type: ignore[arg-type]
        return trade_map(demo, TradeRequest(query, kept=("Electricity",), is_net=False))

    energy, power = (shown(unit, by_timeslice=2050) for unit in ("PJ", "GW"))
    fractions = dict(
        demo.rows(
            "SELECT timeslice, year_fraction FROM timeslice"
            " WHERE scenario = 'Reference' AND region = '-'"
        )
    )
    assert min(fractions.values()) < 0.1
    for name in power.frames:
        hours = 8760 * fractions[name]
        expected = flow(energy, name, "SEN", "SES") * 1e6 / 3600 / hours  # PJ = 277.8 GWh
        assert flow(power, name, "SEN", "SES") == pytest.approx(expected)
    # Weighted with the hours it is the average over the year.
    year = flow(shown("GW"), 2050, "SEN", "SES")
    parts = sum(fractions[str(t)] * flow(power, t, "SEN", "SES") for t in power.frames)
    assert parts == pytest.approx(year)
    # A season is all that is within it, over its own hours.
    winter = flow(shown("GW", timeslice="WI"), 2050, "SEN", "SES")
    within = [t for t in power.frames if str(t).startswith("WI")]
    expected = sum(fractions[str(t)] * flow(power, t, "SEN", "SES") for t in within)
    assert winter == pytest.approx(expected / fractions["WI"])


def test_loading_of_a_timeslice_is_over_what_can_flow_in_it(demo: Source):
    query = TradeQuery("Reference", by_timeslice=2030)
    energy = trade_map(demo, TradeRequest(query, kept=("Electricity",), is_net=False))
    power = trade_map(
        demo, TradeRequest(replace(query, unit="MW"), kept=("Electricity",), is_net=False)
    )
    some = 0
    for name in energy.frames:
        loadings = [
            {
                (m.data.places.id[o], m.data.places.id[d]): loading
                for o, d, loading in zip(
                    m.data.arcs.origin, m.data.arcs.destination, m.loading[m.at(name)], strict=True
                )
            }
            for m in (energy, power)
        ]
        assert loadings[0] == pytest.approx(loadings[1], nan_ok=True)
        some += sum(0.85 < loading <= 1.001 for loading in loadings[0].values())
    assert some > 10  # lines are full where the model has no more of them
    assert np.nanmax(energy.loading) <= 1.001


def test_details_in_power_are_over_the_year_and_over_each_timeslice(demo: Source):
    energy, power = (
        arc_details(
            demo, TradeQuery("Reference", unit=unit), 2030,
            origin="SES", destination="NOS", category="Electricity",
        )
        for unit in ("GWh", "GW")
    )  # fmt: skip
    assert power.by_year["value"].to_numpy() * 8760 == pytest.approx(energy.by_year["value"])
    assert power.by_timeslice["value"].sum() > 2 * energy.by_timeslice["value"].sum() / 8760
    assert power.capacity["loading"].tolist() == pytest.approx(energy.capacity["loading"].tolist())


def test_scale_and_arcs_are_the_same_in_all_frames(demo: Source):
    shown = trade_map(demo, TradeRequest(TradeQuery("Reference")))
    assert shown.values.shape == (len(shown.frames), len(shown.data.arcs))
    assert shown.data.arcs.value == pytest.approx(np.abs(shown.values).max(axis=0))
    assert (np.diff(shown.data.arcs.value) <= 0).all()


def test_loading_is_the_flow_over_what_the_line_could_carry(demo: Source):
    shown = trade_map(
        demo, TradeRequest(TradeQuery("Reference"), kept=("Electricity",), is_net=False)
    )
    details = arc_details(
        demo, TradeQuery("Reference"), 2030, origin="SES", destination="DKE", category="Electricity"
    )
    own = details.capacity.set_index("region")
    picture = shown.picture(2030)
    ids = picture.places.id
    arc = next(
        i
        for i in range(len(picture.arcs))
        if (ids[picture.arcs.origin[i]], ids[picture.arcs.destination[i]]) == ("SES", "DKE")
    )
    assert picture.arcs.capacity[arc] == pytest.approx(own.loc["DKE", "capacity"])
    assert 0 < picture.arcs.loading[arc] <= 1.001


# ---------------------------------------------------------------------- details


def test_details_of_an_arrow_agree_with_the_map(demo: Source):
    query = TradeQuery("Reference")
    gross = trade_map(demo, TradeRequest(query, kept=("Electricity",), is_net=False))
    found = arc_details(demo, query, 2030, origin="SES", destination="NOS", category="Electricity")
    by_year = found.by_year.set_index(["year", "direction"])["value"]
    for year in gross.frames:
        assert by_year.get((year, "there"), 0.0) == pytest.approx(flow(gross, year, "SES", "NOS"))
        assert by_year.get((year, "back"), 0.0) == pytest.approx(flow(gross, year, "NOS", "SES"))
    there = found.by_timeslice[found.by_timeslice["direction"] == "there"]["value"].sum()
    assert there == pytest.approx(by_year[2030, "there"])
    assert set(found.by_process["process"]) == {"TB_ELC_NOS_SES_01"}
    assert set(found.prices["region"]) == {"NOS", "SES"}
    assert (found.prices["value"] > 0).all()


def test_details_of_a_region_have_imports_and_exports(demo: Source):
    query = TradeQuery("Reference")
    found = place_details(demo, query, 2030, "SES", "Electricity")
    table = read_trades(demo, query).table
    table = table[(table["frame"] == 2030) & (table["category"] == "Electricity")]
    by_year = found.by_year.set_index(["year", "direction"])["value"]
    sent = table[table["origin"] == "SES"]["sent"].sum()
    assert by_year[2030, "exports"] == pytest.approx(sent)
    assert by_year[2030, "imports"] == pytest.approx(
        table[table["destination"] == "SES"]["sent"].sum()
    )


# ---------------------------------------------------------------------- oddities


def clean(rows: list[tuple[int, str, str, str, float]]) -> tuple[pd.DataFrame, list[str]]:
    frame = pd.DataFrame(rows, columns=["frame", "origin", "destination", "category", "sent"])
    frame["received"], frame["lost"], frame["flows"] = frame["sent"], np.nan, 1
    remarks: list[str] = []
    return trades_module._without_oddities(frame, remarks), remarks


def test_self_flows_negative_zero_and_missing_values_are_said():
    kept, remarks = clean(
        [
            (2030, "A", "B", "Oil", 5.0),
            (2030, "A", "A", "Oil", 7.0),
            (2030, "A", "B", "Gas", -2.0),
            (2030, "B", "A", "Gas", 1.0),
            (2030, "A", "C", "Oil", 0.0),
            (2030, "C", "A", "Oil", float("nan")),
        ]
    )
    found = kept.set_index(["origin", "destination", "category"])["sent"].to_dict()
    assert found == {("A", "B", "Oil"): 5.0, ("B", "A", "Gas"): 3.0}
    assert remarks == [
        "1 flow without a value left out",
        "1 flow of a place to itself left out",
        "1 flow negative, drawn the other way round",
    ]


def test_a_thousand_commodities_become_the_largest_and_other(demo: Source):
    trades = read_trades(demo, TradeQuery("Reference"))
    rows = [(2030, "DKE", "DKW", f"C{i:04}", 1000.0 - i) for i in range(1000)]
    frame = pd.DataFrame(rows, columns=["frame", "origin", "destination", "category", "sent"])
    frame["received"], frame["lost"], frame["flows"] = frame["sent"], 0.0, 1
    many = trades_module.Trades(
        trades.query, frame, (2030,), tuple(frame["category"]), "PJ", {}, (), ""
    )
    shown = trades_module.with_top_categories(many, 12)
    assert shown.categories == (*(f"C{i:04}" for i in range(11)), "Other")
    assert shown.table["sent"].sum() == pytest.approx(frame["sent"].sum())
    assert shown.remarks == ("the 989 smallest of 1000 fuels are one",)


def test_scenario_without_trade_says_so_and_offers_what_has_some(tmp_path: Path):
    source = publish(
        write_set(tmp_path / "files", flows("CAR: OIL 1 -> KM 2"), units={"Mpkm": "KM"}),
        tmp_path / "data",
    )
    with pytest.raises(NotAvailableError, match="no trade"):
        trade_map(source, TradeRequest(TradeQuery(source.scenario_names[0])))


def test_a_place_that_an_own_table_has_at_two_spots_is_refused(tmp_path: Path):
    folder = tmp_path / "semantics"
    folder.mkdir()
    rows = "place,latitude,longitude\nREG1,55,12\nREG1,55,12\n"
    (folder / "places.csv").write_text(rows)
    semantics.use(folder)
    try:
        assert own_places()["REG1"].latitude == 55
        (folder / "places.csv").write_text(rows + "REG1,56,12\n")
        semantics.use(folder)
        with pytest.raises(UnreadableFileError, match="'REG1' is in it twice"):
            own_places()
    finally:
        semantics.use(None)


def test_swapped_coordinates_of_an_own_table_are_refused_and_said(tmp_path: Path):
    folder = tmp_path / "semantics"
    folder.mkdir()
    (folder / "places.csv").write_text("place,latitude,longitude\nREG1,120.5,55\n")
    semantics.use(folder)
    try:
        with pytest.raises(UnreadableFileError, match="may be swapped"):
            own_places()
    finally:
        semantics.use(None)


def test_own_points_and_shapes_place_regions(demo: Source, tmp_path: Path):
    folder = tmp_path / "semantics"
    folder.mkdir()
    (folder / "places.csv").write_text("place,latitude,longitude,name\nFI,61,24,Suomi\n")
    (folder / "places.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties":'
        ' {"region": "REG9"}, "geometry": {"type": "Polygon", "coordinates":'
        " [[[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]]}}]}"
    )
    try:
        semantics.use(folder)
        found = {p.id: p for p in find_places(demo, ["FI", "REG9", "REG8"])}
    finally:
        semantics.use(None)
    assert (found["FI"].name, found["FI"].latitude, found["FI"].longitude) == ("Suomi", 61, 24)
    assert found["REG9"].said_by == "places.geojson"
    assert 1 < found["REG9"].latitude < 3
    assert not found["REG8"].is_known
    by_hand = find_places(demo, ["REG8"], {"REG8": (55.0, 12.0)})[0]
    assert (by_hand.latitude, by_hand.longitude, by_hand.said_by) == (55, 12, "placed by hand")
