"""Flow records: what is recognised and published, and what maps, profiles and totals say of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from catalogs.errors import TimesError, UnknownNameError, UnreadableFileError
from catalogs.flow_records import pyramid
from catalogs.flow_records.query import FlowView
from catalogs.flow_records.recognition import pick
from catalogs.flow_records.records import FlowRecords
from catalogs.flowmaps.picture import FlowMapData
from catalogs.importing import import_files
from catalogs.store import Store
from tests.flow_files import LOCATIONS, imported, publish, records_text, write

ROWS = (
    "2030-01-01 00:00,AAL,CPH,electricity,10",
    "2030-01-01 01:00,AAL,CPH,electricity,20",
    "2030-01-01 00:00,CPH,AAL,electricity,4",
    "2030-01-01 00:00,OSL,AAL,electricity,7",
    "2030-01-02 00:00,OSL,AAL,electricity,8",
    "2030-01-02 00:00,HAM,CPH,hydrogen,3",
)


def arcs(picture: FlowMapData) -> list[tuple[str, str, str, float, float]]:
    """Return origin, destination, category, value and back of each arc, in their order."""
    ids, drawn = picture.places.id, picture.arcs
    return [
        (ids[o], ids[d], picture.categories[c], float(v), float(b))
        for o, d, c, v, b in zip(
            drawn.origin, drawn.destination, drawn.category, drawn.value, drawn.back, strict=True
        )
    ]


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    return imported(tmp_path_factory.mktemp("flows"), *ROWS)


# ---------------------------------------------------------------------------- maps


def test_a_map_adds_up_over_time_and_nets_both_directions(flows: FlowRecords) -> None:
    picture = flows.view(FlowView())
    assert arcs(picture) == [
        ("AAL", "CPH", "electricity", 26.0, 4.0),
        ("OSL", "AAL", "electricity", 15.0, 0.0),
        ("HAM", "CPH", "hydrogen", 3.0, 0.0),
    ]
    assert picture.is_net
    assert picture.level == "location"
    assert picture.shown.sentence() == "6 flows, 100% of the energy"


def test_a_gross_map_has_an_arc_for_each_direction(flows: FlowRecords) -> None:
    assert arcs(flows.view(FlowView(is_net=False)))[::3] == [
        ("AAL", "CPH", "electricity", 30.0, 4.0),
        ("HAM", "CPH", "hydrogen", 3.0, 0.0),
    ]
    assert arcs(flows.view(FlowView(is_net=False)))[2] == ("CPH", "AAL", "electricity", 4.0, 30.0)


def test_a_stretch_of_time_and_a_commodity(flows: FlowRecords) -> None:
    [first, second] = flows.buckets["day"]
    assert (first.label, first.first, first.last) == ("2030-01-01", 0, 1)
    assert arcs(flows.view(FlowView(first=second.first, last=second.last))) == [
        ("OSL", "AAL", "electricity", 8.0, 0.0),
        ("HAM", "CPH", "hydrogen", 3.0, 0.0),
    ]
    one_hour = flows.view(FlowView(first=1, last=1))
    assert arcs(one_hour) == [("AAL", "CPH", "electricity", 20.0, 0.0)]
    assert one_hour.shown.sentence() == "1 flow, 100% of the energy"
    hydrogen = flows.view(FlowView(commodities=("hydrogen",)))
    assert arcs(hydrogen) == [("HAM", "CPH", "hydrogen", 3.0, 0.0)]
    assert hydrogen.categories == ("hydrogen",)


def test_too_many_arcs_become_an_image_with_all_of_them(flows: FlowRecords) -> None:
    assert flows.view(FlowView(most=3)).segments is None
    picture = flows.view(FlowView(most=2))
    assert picture.segments is not None
    assert picture.segments.arc.tolist() == [0, 1, 2]
    assert arcs(picture) == arcs(flows.view(FlowView()))
    assert picture.shown.sentence() == "6 flows, 100% of the energy"
    assert picture.segments.value.tolist() == [26.0, 15.0, 3.0]
    assert picture.segments.origin_latitude.tolist() == [57.05, 59.91, 53.55]


def test_a_part_of_the_world_has_the_flows_that_touch_it(flows: FlowRecords) -> None:
    norway = flows.view(FlowView(bounds=(8.0, 58.0, 13.0, 64.0)))
    assert arcs(norway) == [("OSL", "AAL", "electricity", 15.0, 0.0)]
    assert norway.shown.sentence() == "2 of 6 flows, 28.8% of the energy"
    totals = norway.places
    # Of a place out of sight it is not known what else it sends.
    assert dict(zip(totals.id, totals.outgoing, strict=True)) == pytest.approx(
        {"OSL": 15.0, "AAL": np.nan}, nan_ok=True
    )


def test_bounds_may_cross_the_antimeridian(tmp_path: Path) -> None:
    locations = "id,lon,lat\nFiji,178,-18\nTonga,-175,-21\nPeru,-77,-12\nChile,-70,-33\n"
    flows = imported(tmp_path, "1,Fiji,Tonga,el,5", "1,Peru,Chile,el,9", locations=locations)
    assert arcs(flows.view(FlowView(bounds=(170.0, -30.0, -170.0, 0.0)))) == [
        ("Fiji", "Tonga", "el", 5.0, 0.0)
    ]


def test_places_have_totals(flows: FlowRecords) -> None:
    totals = flows.place_totals(FlowView()).set_index("id")
    assert totals.index[0] == "AAL"
    assert totals.loc["AAL", ["outgoing", "incoming", "within"]].tolist() == [30.0, 19.0, 0.0]
    assert totals.loc["CPH", ["outgoing", "incoming", "within"]].tolist() == [4.0, 33.0, 0.0]


def test_a_profile_has_both_directions_hour_by_hour(flows: FlowRecords) -> None:
    profile = flows.profile("AAL", "CPH", "electricity")
    assert profile["label"].tolist() == ["2030-01-01 00:00", "2030-01-01 01:00"]
    assert profile["value"].tolist() == [10.0, 20.0]
    assert profile["back"].tolist() == [4.0, 0.0]
    assert profile["start"].tolist() == [
        pd.Timestamp("2030-01-01 00:00"),
        pd.Timestamp("2030-01-01 01:00"),
    ]
    other_way = flows.profile("CPH", "AAL")
    assert other_way["value"].tolist() == [4.0, 0.0]
    by_day = flows.profile("OSL", "AAL", kind="day")
    assert by_day[["label", "value"]].to_numpy().tolist() == [
        ["2030-01-01", 7.0],
        ["2030-01-02", 8.0],
    ]


def test_one_scale_serves_all_frames(flows: FlowRecords) -> None:
    assert flows.largest(FlowView(), "day") == 26.0
    assert flows.largest(FlowView(is_net=False), "day") == 30.0
    assert flows.largest(FlowView(), "step") == 20.0
    assert flows.largest(FlowView(commodities=("hydrogen",)), "all") == 3.0
    for kind in ("day", "all"):
        frames = [flows.view(FlowView(b.first, b.last)) for b in flows.buckets[kind]]
        assert max(f.arcs.value.max() for f in frames) == flows.largest(FlowView(), kind)


def test_what_there_is_not_is_said(flows: FlowRecords) -> None:
    with pytest.raises(UnknownNameError, match=r"no commodity 'coal'.*has electricity, hydrogen"):
        flows.view(FlowView(commodities=("coal",)))
    with pytest.raises(UnknownNameError, match="no steps of time 0 to 99"):
        flows.view(FlowView(last=99))
    with pytest.raises(UnknownNameError, match="no level 7"):
        flows.view(FlowView(level=7))
    with pytest.raises(UnknownNameError, match="no place 'X'"):
        flows.profile("X", "AAL")
    with pytest.raises(UnknownNameError, match="no 'month' here"):
        flows.profile("OSL", "AAL", kind="month")


def test_threads_ask_at_the_same_time(flows: FlowRecords) -> None:
    def ask(number: int) -> float:
        view = FlowView(first=number % 3, last=2, most=1000 + number)
        return float(flows.view(view).arcs.value.sum())

    expected = [ask(number) for number in range(3)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(200))) == [expected[n % 3] for n in range(200)]


# ---------------------------------------------------------------------------- levels


def places_of(countries: dict[str, int]) -> str:
    rows = [
        f"{country}{number},{lon + number / 10},{50 + number / 10},{country},{country}-{number % 2}"
        for lon, (country, count) in enumerate(countries.items())
        for number in range(count)
    ]
    return "id,x,y,country,region\n" + "\n".join(rows) + "\n"


def test_flows_inside_a_country_are_within_it(tmp_path: Path) -> None:
    flows = imported(
        tmp_path,
        "1,DK0,DK1,el,5",
        "1,DK0,DE3,el,7",
        "2,DE2,DK1,el,3",
        "2,DE2,DE2,el,1",
        locations=places_of({"DK": 6, "DE": 6}),
    )
    assert flows.levels == ("country", "region", "location")
    picture = flows.view(FlowView(level=0))
    assert arcs(picture) == [("DK", "DE", "el", 4.0, 3.0)]
    within = dict(zip(picture.places.id, picture.places.within, strict=True))
    assert within == {"DE": 1.0, "DK": 5.0}
    assert picture.shown.within == 6.0
    assert picture.shown.sentence() == "2 of 4 flows, 62.5% of the energy"
    assert arcs(flows.view(FlowView(level=1)))[0] == ("DK-0", "DE-1", "el", 7.0, 0.0)
    profile = flows.profile("DK", "DE", level=0)
    assert profile[["value", "back"]].to_numpy().tolist() == [[7.0, 0.0], [0.0, 3.0]]


def test_a_country_stands_where_most_flows(tmp_path: Path) -> None:
    flows = imported(
        tmp_path, "1,DK0,DK1,el,3", "1,DK0,DE0,el,1", locations=places_of({"DK": 4, "DE": 4})
    )
    denmark = flows.view(FlowView(level=0)).places
    # DK0 at 0.0 weighs 4, DK1 at 0.1 weighs 3.
    where = dict(zip(denmark.id, denmark.longitude, strict=True))
    assert where["DK"] == pytest.approx(0.1 * 3 / 7, abs=1e-6)


def test_places_of_no_country_are_put_in_none(tmp_path: Path) -> None:
    locations = places_of({"DK": 4, "DE": 4}) + "far,100,10,,\nisland,100.1,10,,\n"
    flows = imported(tmp_path, "1,DK0,far,el,5", "1,far,island,el,2", locations=locations)
    picture = flows.view(FlowView(level=0))
    [(origin, destination, _, value, _)] = arcs(picture)
    assert (origin, value) == ("DK", 5.0)
    assert destination == "far +1"


def test_without_a_hierarchy_what_is_near_is_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    towns = [(10.0, 55.0), (25.0, 60.0), (-5.0, 40.0), (15.0, 48.0), (30.0, 40.0), (0.0, 52.0)]
    spots = [(x + dx, y + dy) for x, y in towns for dx, dy in rng.uniform(-0.3, 0.3, (8, 2))]
    listed = "\n".join(f"p{n},{x:.4f},{y:.4f}" for n, (x, y) in enumerate(spots))
    rows = [f"1,p{n},p{(n * 7 + 3) % 48},el,{n + 1}" for n in range(48)]
    flows = imported(tmp_path, *rows, locations=f"id,longitude,latitude\n{listed}\n")
    assert len(flows.levels) > 1
    again = imported(tmp_path / "data", *rows, locations=f"id,longitude,latitude\n{listed}\n")
    for coarse, same in zip(flows.places, again.places, strict=True):
        assert coarse.id.tolist() == same.id.tolist()
        assert coarse.members.sum() == 48
    counts = [len(level) for level in flows.places]
    assert counts == sorted(counts)


def test_clusters_open_as_one_comes_nearer(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    spots = np.column_stack([rng.uniform(-10, 30, 400), rng.uniform(38, 65, 400)])
    listed = "\n".join(f"p{n},{x:.4f},{y:.4f}" for n, (x, y) in enumerate(spots))
    ends = rng.integers(0, 400, (3000, 2))
    rows = [f"1,p{start},p{end},el,{n % 17 + 1}" for n, (start, end) in enumerate(ends)]
    flows = imported(tmp_path, *rows, locations=f"id,longitude,latitude\n{listed}\n")
    far = flows.view(FlowView(most=300))
    assert 0 < len(far.arcs) <= 300
    assert far.segments is None
    assert far.level == "cluster"
    assert far.places.members.max() > 10
    near = flows.view(FlowView(most=300, bounds=(10.0, 50.0, 13.0, 52.0)))
    assert 0 < len(near.arcs) <= 300
    assert near.places.members.max() < far.places.members.max()
    # A level that is asked for has all its arcs, as an image where they are too many.
    finest = flows.view(FlowView(most=300, level=len(flows.levels) - 1))
    assert finest.segments is not None
    assert len(finest.arcs) > 2500


# ---------------------------------------------------------------------------- time


def test_numbered_hours_make_days_weeks_and_months(tmp_path: Path) -> None:
    rows = [f"{hour},AAL,CPH,el,1" for hour in range(1, 8761)]
    flows = imported(tmp_path, *rows, header="hour,from,to,carrier,MWh")
    assert flows.unit == "MWh"
    assert {kind: len(found) for kind, found in flows.buckets.items()} == {
        "all": 1,
        "month": 12,
        "week": 53,
        "day": 365,
    }
    january = flows.buckets["month"][0]
    assert (january.label, january.first, january.last) == ("January", 0, 743)
    assert arcs(flows.view(FlowView(last=743)))[0][3] == 744
    assert flows.buckets["week"][1].label == "week 2"
    assert flows.steps["label"].iloc[0] == "hour 1"


def test_years_and_timeslices_are_times(tmp_path: Path) -> None:
    flows = imported(
        tmp_path,
        "2030,summer,AAL,CPH,1",
        "2030,winter,AAL,CPH,2",
        "2040,summer,AAL,CPH,4",
        "2040,winter,AAL,CPH,8",
        header="year,timeslice,origin,destination,value",
    )
    assert flows.commodities == ("energy",)
    assert flows.steps["label"].tolist()[:2] == ["2030 summer", "2030 winter"]
    [_, later] = flows.buckets["year"]
    assert later.label == "2040"
    assert arcs(flows.view(FlowView(first=later.first, last=later.last)))[0][3] == 12.0


def test_any_stretch_of_time_is_what_its_hours_add_up_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that sums by day, week and month are kept for so few records.
    monkeypatch.setattr(pyramid, "_FEW_ROWS", 0)
    rng = np.random.default_rng(3)
    times = pd.date_range("2029-12-20", periods=24 * 100, freq="h")
    values = rng.normal(size=len(times)).round(3)
    rows = [f"{time},AAL,CPH,el,{value}" for time, value in zip(times, values, strict=True)]
    flows = imported(tmp_path, *rows)
    assert {stored.kind for stored in flows.stored} >= {"step", "day", "week", "month"}
    for first, last in [(0, 2399), (5, 5), (7, 1000), (100, 2391), (24, 47), (264, 1007)]:
        parts = flows.parts(first, last)
        covered = [step for part in parts for step in range(part.first, part.last + 1)]
        assert covered == list(range(first, last + 1))
        chosen = values[first : last + 1]
        [(*_, value, back)] = arcs(flows.view(FlowView(first=first, last=last)))
        assert value == pytest.approx(abs(chosen.sum()), abs=1e-9)
        assert value + 2 * back == pytest.approx(np.abs(chosen).sum(), abs=1e-9)


def test_times_of_several_sorts_are_refused(tmp_path: Path) -> None:
    rows = ("2030-01-01 00:00,AAL,CPH,el,1", "2030-01-01 01:00,AAL,CPH,el,1", "noon,AAL,CPH,el,1")
    with pytest.raises(UnreadableFileError, match=r"flows\.csv: 'noon' in the column 'time'"):
        imported(tmp_path, *rows)


# ---------------------------------------------------------------------------- files


def frame() -> pd.DataFrame:
    cells = [row.split(",") for row in ROWS]
    made = pd.DataFrame(cells, columns=["time", "origin", "destination", "commodity", "value"])
    return made.astype({"time": "datetime64[us]", "value": float})


@pytest.mark.parametrize("form", ["parquet", "parquet in parts", "csv.gz", "semicolons", "duckdb"])
def test_the_same_records_from_any_file(flows: FlowRecords, tmp_path: Path, form: str) -> None:
    locations = write(tmp_path, "locations.csv", LOCATIONS)
    if form == "parquet":
        frame().to_parquet(tmp_path / "flows.parquet")
        files = [tmp_path / "flows.parquet"]
    elif form == "parquet in parts":
        files = [tmp_path / f"{n}.parquet" for n in range(2)]
        for number, path in enumerate(files):
            frame().iloc[number::2].to_parquet(path)
    elif form == "csv.gz":
        files = [write(tmp_path, "flows.csv.gz", records_text(*ROWS))]
    elif form == "semicolons":
        files = [write(tmp_path, "flows.csv", records_text(*ROWS).replace(",", ";"))]
    else:
        with duckdb.connect(str(tmp_path / "flows.duckdb")) as made:
            flow = frame()
            made.execute("CREATE TABLE hourly AS FROM flow")
            made.execute("CREATE TABLE place AS FROM read_csv(?)", [str(locations)])
        files, locations = [], tmp_path / "flows.duckdb"
        assert len(flow) == len(ROWS)
    found = publish(tmp_path, *files, locations)
    for view in (FlowView(), FlowView(first=1, last=1), FlowView(is_net=False)):
        assert arcs(found.view(view)) == arcs(flows.view(view))


def test_records_may_name_columns_in_their_own_way(flows: FlowRecords, tmp_path: Path) -> None:
    other = imported(tmp_path, *ROWS, header="Snapshot,Bus From,bus-to,Carrier,Flow [GWh]")
    assert arcs(other.view(FlowView())) == arcs(flows.view(FlowView()))
    assert other.unit == "GWh"


def test_a_year_of_parquet_with_a_time_zone_is_utc(tmp_path: Path) -> None:
    made = frame()
    made["time"] = made["time"].dt.tz_localize("Europe/Copenhagen")
    made.to_parquet(tmp_path / "flows.parquet")
    found = publish(
        tmp_path, tmp_path / "flows.parquet", write(tmp_path, "locations.csv", LOCATIONS)
    )
    assert found.steps["label"].iloc[0] == "2029-12-31 23:00"


def test_identifiers_that_are_numbers_stay_what_they_are(tmp_path: Path) -> None:
    made = pd.DataFrame(
        {"time": [1, 1], "origin": [7.0, 8.0], "destination": [8, 7], "value": [5.0, 1.0]}
    )
    made.to_parquet(tmp_path / "flows.parquet")
    places = write(tmp_path, "places.csv", "id,lon,lat\n7,1,50\n8,2,51\n")
    found = publish(tmp_path, tmp_path / "flows.parquet", places)
    assert arcs(found.view(FlowView())) == [("7", "8", "energy", 4.0, 1.0)]


def test_a_table_of_locations_alone_is_no_dataset_of_flows(tmp_path: Path) -> None:
    places = write(tmp_path, "locations.csv", LOCATIONS)
    assert pick([places]) == (None, [places])


def test_results_of_times_are_not_taken_for_flows(real_data: Path) -> None:
    for folder in ("veda", "miro", "iamc", "timesreport"):
        assert pick(sorted((real_data / folder).iterdir()))[0] is None


def test_a_value_that_is_no_number_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"flows\.csv, line 3: the value 'much'"):
        imported(tmp_path, ROWS[0], "2030-01-01 00:00,AAL,CPH,el,much")
    assert Store(tmp_path / "data").datasets() == []


def test_files_of_several_units_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path, "one.csv", records_text(ROWS[0], header=_with_unit("MWh")))
    other = write(tmp_path, "other.csv", records_text(ROWS[1], header=_with_unit("GWh")))
    with pytest.raises(UnreadableFileError, match="its values are in GWh, those of one"):
        publish(tmp_path, one, other)


def _with_unit(unit: str) -> str:
    return f"time,origin,destination,commodity,value [{unit}]"


def test_importing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    first = imported(tmp_path, *ROWS)
    again = imported(tmp_path, *ROWS)
    assert again.manifest == first.manifest
    other = imported(tmp_path, *ROWS[:2])
    assert other.version != first.version
    assert not first.is_current
    # Who has the old version open reads it on.
    assert first.view(FlowView()).shown.all_flows == 6
    assert other.view(FlowView()).shown.all_flows == 2
    assert [s.key for s in other.manifest.scenarios] == ["flows"]


def test_flows_and_scenarios_are_never_one_dataset(tmp_path: Path, real_data: Path) -> None:
    store = Store(tmp_path / "data")
    imported(tmp_path, *ROWS)
    with pytest.raises(TimesError, match="'flows' is one of flow records, and these are TIMES"):
        import_files(store, "flows", [real_data / "iamc" / "subannual_time.csv"])
    import_files(store, "times", [real_data / "iamc" / "subannual_time.csv"])
    with pytest.raises(TimesError, match="'times' is one of TIMES scenarios, and these are flow"):
        import_files(store, "times", [tmp_path / "flows.csv"])
    files = [tmp_path / "flows.csv", real_data / "iamc" / "subannual_time.csv"]
    with pytest.raises(UnreadableFileError, match="belongs to no dataset of flow records"):
        import_files(store, "both", files)
    assert sorted(store.datasets()) == ["flows", "times"]
