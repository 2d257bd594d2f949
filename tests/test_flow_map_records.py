"""The map of flow records: frames, clusters, networks, images, profiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from panel.viewable import Viewable

from catalogs.flow_records.records import FlowRecords
from components.flowmap import records as records_module
from components.flowmap.basemap import View
from components.flowmap.records import RecordMap
from tests.flow_files import imported

ROWS = (
    "2030-01-01T00:00,AAL,CPH,electricity,10",
    "2030-01-01T01:00,CPH,AAL,electricity,4",
    "2030-01-01T01:00,AAL,OSL,hydrogen,3",
    "2030-01-08T00:00,HAM,AAL,electricity,8",
    "2030-01-08T00:00,AAL,CPH,electricity,2",
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    return imported(tmp_path_factory.mktemp("flows"), *ROWS)


@pytest.fixture
def flow_map(source: FlowRecords) -> RecordMap:
    made = RecordMap(source=source)
    assert isinstance(made.main, Viewable)
    return made


def flows(flow_map: RecordMap) -> dict[tuple[str, str, str], float]:
    table = flow_map.table()
    rows = zip(table["from"], table["to"], table["kind"], table["value"], strict=True)
    return {(origin, to, kind): value for origin, to, kind, value in rows}


def test_all_time_is_net_and_says_how_much_is_shown(flow_map: RecordMap):
    flow_map.level = len(flow_map.source.levels) - 1
    assert flows(flow_map) == {
        ("Aalborg", "Copenhagen", "electricity"): 8,
        ("Hamburg", "Aalborg", "electricity"): 8,
        ("Aalborg", "Oslo", "hydrogen"): 3,
    }
    assert flow_map.foot.startswith("5 flows, 100% of the energy")


def test_days_are_frames(flow_map: RecordMap):
    flow_map.param.update(level=len(flow_map.source.levels) - 1, period="day", number=0)
    first = flows(flow_map)
    assert first["Aalborg", "Copenhagen", "electricity"] == 6
    assert ("Hamburg", "Aalborg", "electricity") not in first
    flow_map.number = 1
    assert flows(flow_map)["Hamburg", "Aalborg", "electricity"] == 8
    assert flow_map.title.endswith("2030-01-08")


def test_frames_whose_arcs_were_drawn_before_send_values_only(flow_map: RecordMap):
    flow_map.period = "day"
    for number in (0, 1):  # arcs of both days are gathered
        flow_map.number = number
    sent: list[str] = []
    names = ["picture", "points", "starts", "ends", "frame", "when"]
    flow_map._view.param.watch(lambda *events: sent.extend(e.name for e in events), names)
    arcs = len(flow_map._view.ends) // 12
    assert arcs == 3
    for number, sums in ((0, [6.0, 3.0, 0.0]), (1, [2.0, 0.0, 8.0])):
        flow_map.number = number
        values = np.frombuffer(flow_map._view.frame, "<f4")[:arcs]
        assert sorted(values) == sorted(sums)
    assert set(sent) == {"frame", "when"}


def test_commodities_are_filtered(flow_map: RecordMap):
    flow_map.commodities = ["hydrogen"]
    assert {kind for *_, kind in flows(flow_map)} == {"hydrogen"}


def test_a_nearer_view_asks_for_what_is_in_it(flow_map: RecordMap):
    flow_map.level = len(flow_map.source.levels) - 1
    assert flow_map._projection is not None
    x, y = flow_map._projection.forward(np.array([10.3, 11.2]), np.array([59.5, 60.3]))
    flow_map._seen(View(x[0], x[1], y[0], y[1], 800, 500))
    assert set(flows(flow_map)) == {("Aalborg", "Oslo", "hydrogen")}


def test_click_opens_the_profile(flow_map: RecordMap):
    flow_map.level = len(flow_map.source.levels) - 1
    position = list(flows(flow_map)).index(("Aalborg", "Oslo", "hydrogen"))
    flow_map._view._handle_msg({"arc": position, "key": flow_map._view.picture["key"]})
    assert flow_map.opened == "AAL>OSL>hydrogen"
    assert flow_map.drawer_open
    heading = flow_map._details.view.objects[0]
    assert heading.text == "Aalborg → Oslo"
    flow_map.drawer_open = False
    assert flow_map.opened == ""


def test_what_is_too_much_for_marks_becomes_an_image(
    source: FlowRecords, monkeypatch: pytest.MonkeyPatch
):
    plain = records_module.FlowView
    monkeypatch.setattr(records_module, "FlowView", lambda **o: plain(**{**o, "most": 1}))
    flow_map = RecordMap(source=source, level=len(source.levels) - 1)
    assert flow_map.main is not None
    assert flow_map._projection is not None
    x, y = flow_map._projection.forward(np.array([5.0, 18.0]), np.array([52.0, 61.0]))
    flow_map._seen(View(x[0], x[1], y[0], y[1], 400, 300))
    drawn = flow_map._drawn
    assert drawn is not None
    assert drawn.image is not None
    assert (drawn.pixels != 0).any()
    assert flow_map._view.picture["is_image"]
    assert flow_map._view.ends == b""
    at = flow_map._projection.forward(np.array([10.335]), np.array([58.48]))
    flow_map._pointed(float(at[0][0]), float(at[1][0]), 3000.0, True)
    assert flow_map.opened.endswith("hydrogen")


def test_places_without_coordinates_are_listed(tmp_path: Path):
    source = imported(
        tmp_path,
        "2030-01-01T00:00,A,B,gas,10",
        locations="id,name,longitude,latitude\nA,Here,10,55\nB,Nowhere,,\n",
    )
    flow_map = RecordMap(source=source)
    assert flow_map.main is not None
    assert "Nowhere" in flow_map._beside._unplaced.text
    assert flow_map._beside._unplaced.visible
