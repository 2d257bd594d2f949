"""Networks: lines with their own geometry, what flows on them, and how loaded they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from catalogs.errors import UnreadableFileError
from catalogs.flow_records.query import FlowView
from catalogs.flow_records.records import FlowRecords
from components.flowmap.records import RecordMap
from tests.flow_files import imported, noticed, publish, write

BUSES = """bus,x,y,country
A,10,55,DK
B,11,56,DK
C,12,57,DK
D,13,58,SE
E,14,59,SE
F,15,60,SE
"""
LINES = """line_id,bus0,bus1,carrier,s_nom [MW],geometry
AB,A,B,AC,100,"LINESTRING(10 55, 10.5 55.9, 11 56)"
BC,B,C,AC,50,"MULTILINESTRING((11 56, 11.4 56.4),(11.6 56.6, 12 57))"
CD,C,D,DC,,"LINESTRING(12 57, 13 58)"
DE,D,E,AC,0,
EF,E,F,AC,30,"POINT(1 2)"
"""
#: On AB 60 forth and 20 back within two hours; DE has no capacity that could be used.
RECORDS = """hour,line,p0 [MW]
0,AB,60
1,AB,-20
0,BC,30
1,BC,40
0,CD,-7
0,DE,5
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    folder = tmp_path_factory.mktemp("grid")
    files = [
        write(folder, name, text)
        for name, text in (("flows.csv", RECORDS), ("lines.csv", LINES), ("buses.csv", BUSES))
    ]
    return publish(folder, *files)


def test_lines_are_drawn_along_their_geometry(grid: FlowRecords) -> None:
    picture = grid.view(FlowView(zoom=20))
    arcs, paths = picture.arcs, picture.paths
    assert picture.level == "line"
    assert picture.categories == ("AC", "DC")
    assert arcs.id.tolist() == ["BC", "AB", "CD", "DE", "EF"]
    assert arcs.value.tolist() == [70.0, 40.0, 7.0, 5.0, 0.0]
    assert paths is not None
    assert len(paths) == 5
    start, end = paths.starts[1:3]
    assert paths.longitude[start:end].tolist() == [10.0, 10.5, 11.0]
    # Two pieces, with a gap between them.
    start, end = paths.starts[0:2]
    assert paths.latitude[start:end].tolist() == pytest.approx(
        [56.0, 56.4, np.nan, 56.6, 57.0], nan_ok=True
    )
    # Flow from D to C: the path runs that way, and so does the arc.
    start, end = paths.starts[2:4]
    assert paths.longitude[start:end].tolist() == [13.0, 12.0]
    ids = picture.places.id
    assert (ids[arcs.origin[2]], ids[arcs.destination[2]]) == ("D", "C")


def test_loading_is_what_a_line_carries_over_its_capacity(grid: FlowRecords) -> None:
    arcs = grid.view(FlowView()).arcs
    loading = dict(zip(arcs.id, arcs.loading, strict=True))
    # Two hours: AB carried 60 + 20 of 200, BC 70 of 100.
    assert loading == pytest.approx(
        {"AB": 0.4, "BC": 0.7, "CD": np.nan, "DE": np.nan, "EF": 0.0}, nan_ok=True
    )
    first_hour = grid.view(FlowView(last=0)).arcs
    assert dict(zip(first_hour.id, first_hour.loading, strict=True))["AB"] == 0.6


def test_power_adds_up_to_energy(grid: FlowRecords, tmp_path: Path) -> None:
    assert grid.unit == "MW"
    assert grid.view(FlowView()).unit == "MWh"
    assert grid.view(FlowView(level=0)).unit == "MWh"
    assert grid.view(FlowView(last=0)).unit == "MW"
    rows = [f"2030-01-01 00:{minute},AAL,CPH,el,4" for minute in ("00", "15", "30")]
    quarters = imported(tmp_path, *rows, header="time,origin,destination,commodity,value [GW]")
    assert quarters.view(FlowView()).unit == "GW × 0.25 h"


def test_gross_is_what_a_line_carries_in_both_directions(grid: FlowRecords) -> None:
    arcs = grid.view(FlowView(is_net=False)).arcs
    assert dict(zip(arcs.id, arcs.value, strict=True))["AB"] == 80.0
    net = grid.view(FlowView()).arcs
    assert dict(zip(net.id, net.back, strict=True))["AB"] == 20.0


def test_one_scale_serves_all_hours_of_a_network(grid: FlowRecords) -> None:
    assert grid.largest(FlowView(), "step") == 60.0
    assert grid.largest(FlowView(), "all") == 70.0
    assert grid.largest(FlowView(is_net=False), "all") == 80.0
    assert grid.largest(FlowView(level=0), "all") == 7.0
    assert grid.largest(FlowView(commodities=("DC",)), "step") == 7.0


def test_bounds_choose_lines_by_where_they_run(grid: FlowRecords) -> None:
    north = grid.view(FlowView(bounds=(12.5, 57.5, 16.0, 61.0)))
    assert sorted(north.arcs.id) == ["CD", "DE", "EF"]
    assert north.shown.sentence() == "2 of 6 flows, 7.4% of the energy"


def test_too_many_lines_become_pieces_of_an_image(grid: FlowRecords) -> None:
    picture = grid.view(FlowView(most=2, zoom=20))
    assert picture.segments is not None
    # Each piece knows its line.
    of = picture.arcs.id[picture.segments.arc]
    assert sorted(of) == ["AB", "AB", "BC", "BC", "CD", "DE", "EF"]
    # AB and BC have two pieces each, the others one.
    assert sorted(picture.segments.value.tolist()) == [0.0, 5.0, 7.0, 40.0, 40.0, 70.0, 70.0]


def test_a_profile_of_a_line(grid: FlowRecords) -> None:
    profile = grid.profile(line="AB")
    assert profile["label"].tolist() == ["hour 0", "hour 1"]
    assert profile["value"].tolist() == [60.0, 0.0]
    assert profile["back"].tolist() == [0.0, 20.0]


def test_countries_are_a_level_of_a_network(grid: FlowRecords) -> None:
    assert grid.levels == ("country", "location")
    picture = grid.view(FlowView(level=0))
    ids, arcs = picture.places.id, picture.arcs
    [(origin, destination)] = zip(ids[arcs.origin], ids[arcs.destination], strict=True)
    assert (origin, destination, arcs.value.tolist()) == ("SE", "DK", [7.0])
    assert dict(zip(ids, picture.places.within, strict=True)) == {"DK": 150.0, "SE": 5.0}


def test_what_is_odd_in_lines_is_counted(tmp_path: Path) -> None:
    lines = LINES + "AB,B,A,AC,1,\n,A,B,AC,1,\nGH,G,A,AC,1,\n"
    records = RECORDS + "0,XY,3\n0,GH,2\n"
    files = [
        write(tmp_path, name, text)
        for name, text in (("flows.csv", records), ("lines.csv", lines), ("buses.csv", BUSES))
    ]
    grid = publish(tmp_path, *files)
    report = noticed(grid)

    def about(words: str) -> int | None:
        [count] = [count for message, count in report.items() if words in message]
        return count

    assert about("lines whose id another line has already; the first are used: AB") == 1
    assert about("lines without an id") == 1
    assert about("geometry that is no line in degrees") == 1
    assert about("lines that the records name and no table of lines does") == 1
    assert about("records without a time, or that do not tell where they flow") == 1
    assert about("places that the records name and no table of locations does") == 1
    rows = grid.rows("SELECT content, read, kept, conflicting, left_out FROM import_account")
    assert sorted(rows) == [
        ("flow records", 8, 7, 0, 1),
        ("lines", 8, 6, 1, 1),
        ("locations", 6, 6, 0, 0),
    ]
    picture = grid.view(FlowView())
    assert "GH" not in picture.arcs.id.tolist()
    assert picture.remarks == (
        "1 line has neither geometry nor ends with coordinates and cannot be drawn.",
    )


def test_records_of_lines_need_a_table_of_lines(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="there is no table of lines"):
        publish(tmp_path, write(tmp_path, "flows.csv", RECORDS))


# ---------------------------------------------------------------------------- the real grid


@pytest.fixture(scope="module")
def entsoe(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    folder = tmp_path_factory.mktemp("entsoe")
    return publish(folder, *sorted((real_data / "network").glob("*.csv")))


@pytest.mark.real_data
def test_the_european_grid_is_a_dataset_by_itself(entsoe: FlowRecords) -> None:
    picture = entsoe.view(FlowView())
    assert entsoe.lines is not None
    assert len(entsoe.lines.id) == 11_151 + 62
    assert len(picture.arcs) == 11_151 + 62
    assert picture.segments is not None
    assert not picture.remarks
    assert {"380 kV", "220 kV", "link"} <= set(picture.categories)
    assert entsoe.levels == ("country", "location")
    assert {"DE", "FR", "DK"} <= set(entsoe.places[0].id)


@pytest.mark.real_data
def test_geometry_is_simpler_the_further_away_but_never_moved(entsoe: FlowRecords) -> None:
    assert entsoe.lines is not None
    points = {zoom: len(d.longitude) for zoom, d in entsoe.lines.details.items()}
    assert list(points.values()) == sorted(points.values())
    assert points[3.0] < 0.7 * points[11.0]  # two points a line are the least
    whole, coarse = entsoe.lines.detail(20.0), entsoe.lines.detail(5.0)
    for line in range(0, len(entsoe.lines.id), 500):
        shapes = [
            shapely.linestrings(
                detail.longitude[slice(*detail.starts[line : line + 2])],
                detail.latitude[slice(*detail.starts[line : line + 2])],
            )
            for detail in (whole, coarse)
        ]
        # Half a pixel at zoom 5.
        assert shapely.hausdorff_distance(*shapes) <= 0.5 * 360 / 256 / 2**5 + 1e-9


@pytest.mark.real_data
def test_lines_end_at_their_buses(entsoe: FlowRecords) -> None:
    lines = entsoe.lines
    assert lines is not None
    detail, places = lines.detail(20.0), entsoe.places[-1]
    first = detail.starts[:-1]
    gap = np.hypot(
        detail.longitude[first] - places.longitude[lines.origin],
        detail.latitude[first] - places.latitude[lines.origin],
    )
    assert np.quantile(gap, 0.95) < 0.1


def test_lines_are_coloured_by_how_loaded_they_are(grid: FlowRecords) -> None:
    flow_map = RecordMap(source=grid, level=len(grid.levels) - 1)
    assert flow_map.main is not None
    flow_map.loading = True
    drawn = flow_map._drawn
    assert drawn is not None
    names = [each["label"] for each in flow_map._view.picture["categories"]]
    colours = [each["colour"] for each in flow_map._view.picture["categories"]]
    arcs = drawn.data.arcs
    of_line = {line: names[at] for line, at in zip(arcs.id, arcs.category, strict=True)}
    assert of_line == {
        "BC": "50 to 80%",
        "AB": "below 50%",
        "CD": "capacity unknown",
        "DE": "capacity unknown",
        "EF": "below 50%",
    }
    assert len(set(colours)) == len(colours) == 5
