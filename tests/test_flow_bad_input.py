"""What is odd in flow records: counted and said in the import report, never silently dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalogs.errors import UnreadableFileError
from catalogs.flow_records.query import FlowView
from tests.flow_files import LOCATIONS, imported, noticed, publish, write


def account(records, content: str) -> tuple[int, ...]:  # type: ignore[no-untyped-def]
    """Return what became of the rows: read, kept, merged, conflicting, left out."""
    [row] = records.rows(
        "SELECT read, kept, merged, conflicting, left_out FROM import_account WHERE content = ?",
        [content],
    )
    return tuple(row)


def about(records, words: str) -> int | None:  # type: ignore[no-untyped-def]
    """Return the count of the one line of the report with these words."""
    [count] = [count for message, count in noticed(records).items() if words in message]
    return count


def test_values_that_are_none_zero_or_negative_are_kept_and_counted(tmp_path: Path) -> None:
    made = pd.DataFrame(
        {
            "time": [1, 2, 3, 4, 5, 6],
            "from": "AAL",
            "to": "CPH",
            "value": [10.0, np.nan, np.inf, None, 0.0, -4.0],
        }
    )
    made.to_parquet(tmp_path / "flows.parquet")
    flows = publish(
        tmp_path, tmp_path / "flows.parquet", write(tmp_path, "locations.csv", LOCATIONS)
    )
    assert about(flows, "records without a finite value") == 3
    assert about(flows, "values that are 0") == 1
    assert about(flows, "negative values; they are flows from the destination") == 1
    assert account(flows, "flow records") == (6, 6, 0, 0, 0)
    profile = flows.profile("AAL", "CPH")
    assert profile["records"].tolist() == [1, 0, 0, 0, 1, 1]
    assert profile["value"].tolist() == [10.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert profile["back"].tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 4.0]
    [arc] = flows.view(FlowView()).arcs.value
    assert arc == 6.0
    assert flows.view(FlowView()).shown.sentence() == "3 flows, 100% of the energy"


def test_a_flow_from_a_place_to_itself_has_no_arc_but_counts(tmp_path: Path) -> None:
    flows = imported(tmp_path, "1,AAL,AAL,el,6", "1,AAL,CPH,el,4")
    assert about(flows, "records from a place to itself") == 1
    picture = flows.view(FlowView())
    assert len(picture.arcs) == 1
    assert dict(zip(picture.places.id, picture.places.within, strict=True))["AAL"] == 6.0
    assert picture.shown.sentence() == "1 of 2 flows, 40% of the energy"
    assert picture.shown.within == 6.0


def test_a_place_that_no_table_names_is_listed_beside_the_map(tmp_path: Path) -> None:
    flows = imported(tmp_path, "1,AAL,Atlantis,el,3", "1,AAL,CPH,el,1")
    assert about(flows, "places that the records name and no table of locations does") == 1
    assert any("Atlantis" in message for message in noticed(flows))
    picture = flows.view(FlowView())
    listed = dict(zip(picture.places.id, picture.places.is_placed, strict=True))
    assert listed == {"AAL": True, "CPH": True, "Atlantis": False}
    assert dict(zip(picture.places.id, picture.places.incoming, strict=True))["Atlantis"] == 3.0
    assert picture.arcs.value.tolist() == [1.0]
    assert picture.remarks == (
        "75.0% of the energy begins or ends at places without coordinates; they are listed beside"
        " the map.",
    )
    # It is beside the map wherever the map is.
    elsewhere = flows.view(FlowView(bounds=(100.0, 0.0, 110.0, 10.0)))
    assert elsewhere.places.id.tolist() == ["Atlantis"]


def test_records_without_any_locations_are_kept(tmp_path: Path) -> None:
    flows = imported(tmp_path, "1,AAL,CPH,el,3", locations="")
    assert about(flows, "there is no table of locations") is None
    assert len(flows.view(FlowView()).arcs) == 0
    assert len(flows.view(FlowView()).places) == 2
    assert flows.profile("AAL", "CPH")["value"].tolist() == [3.0]


def test_records_that_do_not_say_where_or_when_are_counted_as_left_out(tmp_path: Path) -> None:
    flows = imported(tmp_path, "1,AAL,CPH,el,3", ",AAL,CPH,el,3", "1,,CPH,el,3", "1,AAL, ,el,3")
    assert account(flows, "flow records") == (4, 1, 0, 0, 3)
    assert about(flows, "records without a time, or that do not tell where they flow") == 3


def test_the_same_record_twice_is_added_up_and_counted(tmp_path: Path) -> None:
    flows = imported(tmp_path, "1,AAL,CPH,el,3", "1,AAL,CPH,el,3", "1,AAL,CPH,heat,3")
    assert about(flows, "records of the same time, places and commodity as another") == 1
    assert flows.profile("AAL", "CPH", "el")["value"].tolist() == [6.0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("X,X,57,120,DK", "latitude and longitude look swapped"),
        ("X,X,700000,6200000,DK", "coordinates that are no degrees"),
        ("X,X,,55,DK", "locations without coordinates"),
        ("X,X,far,away,DK", "locations without coordinates"),
    ],
)
def test_coordinates_that_cannot_be_are_no_spot_on_the_map(
    tmp_path: Path, row: str, words: str
) -> None:
    flows = imported(tmp_path, "1,AAL,X,el,3", locations=LOCATIONS + row + "\n")
    assert about(flows, words) == 1
    places = flows.view(FlowView()).places
    assert dict(zip(places.id, places.is_placed, strict=True)) == {"AAL": True, "X": False}


def test_columns_that_are_swapped_are_noticed_by_the_sea(tmp_path: Path) -> None:
    towns = [(9.9, 57.0), (12.6, 55.7), (10.7, 59.9), (10.0, 53.6), (18.1, 59.3), (24.9, 60.2)]
    swapped = "id,longitude,latitude\n" + "".join(
        f"t{n},{latitude},{longitude}\n" for n, (longitude, latitude) in enumerate(towns)
    )
    right = swapped.replace("longitude,latitude", "latitude,longitude")
    flows = imported(tmp_path, "1,t0,t1,el,3", locations=swapped)
    assert about(flows, "would be on land with latitude and longitude swapped") == 5
    good = imported(tmp_path, "1,t0,t1,el,3", locations=right)
    assert not any("swapped" in message for message in noticed(good))


def test_null_island_is_said_to_be_suspicious(tmp_path: Path) -> None:
    flows = imported(tmp_path, "1,AAL,X,el,3", locations=LOCATIONS + "X,X,0,0,\n")
    assert about(flows, "0° north, 0° east") == 1


def test_longitudes_counted_eastwards_are_turned(tmp_path: Path) -> None:
    flows = imported(tmp_path, "1,AAL,X,el,3", locations=LOCATIONS + "X,X,350,60,\n")
    places = flows.view(FlowView()).places
    assert dict(zip(places.id, places.longitude, strict=True))["X"] == -10.0


def test_a_location_that_stands_twice_is_one_and_a_conflict_is_told(tmp_path: Path) -> None:
    twice = LOCATIONS + "AAL,Aalborg,9.92,57.05,DK\nCPH,Elsewhere,1,1,DK\n,nameless,3,3,DK\n"
    flows = imported(tmp_path, "1,AAL,CPH,el,3", locations=twice)
    assert account(flows, "locations") == (7, 4, 1, 1, 1)
    assert about(flows, "twice with the same coordinates") == 1
    assert about(flows, "again with other coordinates; the first are used: CPH") == 1
    assert about(flows, "locations without an id") == 1
    places = flows.view(FlowView()).places
    assert dict(zip(places.id, places.longitude, strict=True))["CPH"] == 12.57


def test_a_thousand_commodities_are_the_largest_and_other(tmp_path: Path) -> None:
    rows = [f"1,AAL,CPH,c{n:04},{n}" for n in range(1, 1102)]
    flows = imported(tmp_path, *rows)
    assert about(flows, "commodities; a map shows the largest") == 1101
    picture = flows.view(FlowView())
    assert len(picture.categories) == 12
    assert picture.categories[0] == "c1101"
    assert picture.categories[-1] == "other"
    assert picture.arcs.value.sum() == sum(range(1, 1102))
    assert picture.arcs.value.max() == sum(range(1, 1091))  # "other"
    # Those that are asked for by name have colours of their own.
    assert flows.view(FlowView(commodities=("c0001", "c0002"))).categories == ("c0002", "c0001")


def test_names_that_look_like_code_are_names(tmp_path: Path) -> None:
    evil = "x'); DROP TABLE flow; --"
    locations = LOCATIONS + f'"{evil}",<b>,5,50,"{evil}"\n'
    flows = imported(tmp_path, f'1,AAL,"{evil}","{evil}",3', locations=locations)
    assert flows.view(FlowView(commodities=(evil,))).arcs.value.tolist() == [3.0]
    assert flows.profile("AAL", evil, evil)["value"].tolist() == [3.0]


def test_a_view_in_somebodys_duckdb_file_is_not_run(tmp_path: Path) -> None:
    import duckdb

    secret = write(tmp_path, "secret.csv", "time,origin,destination,value\n1,AAL,CPH,7\n")
    with duckdb.connect(str(tmp_path / "flows.duckdb")) as made:
        made.execute(f"CREATE VIEW flow AS FROM read_csv('{secret}')")
    with pytest.raises(UnreadableFileError):
        publish(tmp_path, tmp_path / "flows.duckdb")


def test_parquet_that_is_cut_off_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "flows.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UnreadableFileError, match=r"flows\.parquet: the Parquet file is cut off"):
        publish(tmp_path, tmp_path / "flows.parquet")


# ---------------------------------------------------------------------------- times and cut files


def test_times_in_any_order_are_sorted(tmp_path: Path) -> None:
    flows = imported(
        tmp_path,
        "2030-01-03 00:00,AAL,CPH,el,3",
        "2030-01-01 00:00,AAL,CPH,el,1",
        "2030-01-02 00:00,AAL,CPH,el,2",
    )
    assert flows.steps["label"].tolist() == ["2030-01-01", "2030-01-02", "2030-01-03"]
    assert flows.profile("AAL", "CPH")["value"].tolist() == [1.0, 2.0, 3.0]


def test_hours_that_are_missing_are_gaps_and_no_steps(tmp_path: Path) -> None:
    flows = imported(
        tmp_path,
        *(f"2030-01-01 {hour:02}:00,AAL,CPH,el,1" for hour in (0, 1, 2, 20)),
        "2030-01-05 07:00,AAL,CPH,el,4",
        header="time,origin,destination,commodity,value [MW]",
    )
    assert len(flows.steps) == 5
    assert [b.label for b in flows.buckets["day"]] == ["2030-01-01", "2030-01-05"]
    # Steps are of an hour, whatever is missing between them: MW add up to MWh.
    assert flows.about.step_hours == 1.0
    view = FlowView()
    assert (flows.view(view).arcs.value.tolist(), flows.unit_of(view)) == ([8.0], "MWh")


def test_times_that_are_words_are_steps_in_their_order(tmp_path: Path) -> None:
    flows = imported(tmp_path, "winter,AAL,CPH,el,3", "summer,AAL,CPH,el,1")
    assert flows.steps["label"].tolist() == ["summer", "winter"]
    assert flows.about.kinds == ("all", "step")
    assert flows.view(FlowView(first=1, last=1)).arcs.value.tolist() == [3.0]


def test_times_of_a_time_zone_are_taken_as_utc(tmp_path: Path) -> None:
    times = pd.to_datetime(["2030-01-01 00:00", "2030-01-01 01:00"]).tz_localize("Europe/Oslo")
    made = pd.DataFrame({"time": times, "from": "AAL", "to": "CPH", "value": [1.0, 2.0]})
    made.to_parquet(tmp_path / "flows.parquet")
    flows = publish(
        tmp_path, tmp_path / "flows.parquet", write(tmp_path, "locations.csv", LOCATIONS)
    )
    assert flows.steps["label"].tolist() == ["2029-12-31 23:00", "2030-01-01 00:00"]


def test_records_cut_in_half_are_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    made = pd.DataFrame(
        {"time": np.arange(5000), "from": "AAL", "to": "CPH", "value": np.arange(5000.0)}
    )
    path = tmp_path / "flows.parquet"
    made.to_parquet(path)
    whole = path.read_bytes()
    for end in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(UnreadableFileError, match=r"flows\.parquet: the Parquet file is cut"):
            publish(tmp_path, path)
    packed = write(tmp_path, "flows.csv.gz", made.to_csv(index=False))
    packed.write_bytes(packed.read_bytes()[:-2000])
    with pytest.raises(UnreadableFileError, match=r"flows\.csv\.gz"):
        publish(tmp_path, packed, write(tmp_path, "locations.csv", LOCATIONS))
    assert not (tmp_path / "data" / "flows" / "manifest.json").exists()


def test_a_value_that_is_no_number_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"flows\.csv.*line 3"):
        imported(tmp_path, "1,AAL,CPH,el,3", "2,AAL,CPH,el,much")
