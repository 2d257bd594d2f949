"""Records of pairs of places beside a table of lines: each pair on the one line that joins it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catalogs.flow_records.query import FlowView
from catalogs.flow_records.records import FlowRecords
from tests.flow_files import noticed, publish, records_text, write

PLACES = "id,longitude,latitude\nA,10,55\nB,11,56\nC,12,57\nD,13,58\n"
#: One line between A and B, two between B and C, none between A and C; CD carries nothing.
LINES = """line,bus0,bus1,s_nom [MW],geometry
AB,A,B,100,"LINESTRING(10 55, 10.5 55.9, 11 56)"
BC1,B,C,50,"LINESTRING(11 56, 12 57)"
BC2,C,B,50,"LINESTRING(12 57, 11.5 56.9, 11 56)"
CD,C,D,30,"LINESTRING(12 57, 13 58)"
"""
ROWS = ("0,A,B,60", "0,B,A,20", "1,B,A,90", "0,B,C,5", "1,A,C,7")


def imported(
    folder: Path, *rows: str, header: str = "hour,origin,destination,flow [MW]"
) -> FlowRecords:
    texts = {
        "flows.csv": records_text(*rows, header=header),
        "lines.csv": LINES,
        "places.csv": PLACES,
    }
    return publish(folder, *(write(folder, name, text) for name, text in texts.items()))


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    return imported(tmp_path_factory.mktemp("pairs"), *ROWS)


def about(flows: FlowRecords, words: str) -> tuple[str, int | None]:
    [found] = [(m, count) for m, count in noticed(flows).items() if words in m]
    return found


def way(flows: FlowRecords, name: str) -> list[tuple[float, float]]:
    """Return the points of an arc."""
    picture = flows.view(FlowView(zoom=20))
    assert picture.paths is not None
    place = picture.arcs.id.tolist().index(name)
    here = slice(*picture.paths.starts[place : place + 2])
    return list(
        zip(
            picture.paths.longitude[here].tolist(), picture.paths.latitude[here].tolist(),
            strict=True,
        )
    )  # fmt: skip


def test_a_pair_is_on_the_line_that_joins_it(flows: FlowRecords) -> None:
    picture = flows.view(FlowView())
    names, arcs = picture.places.id, picture.arcs
    found = {
        name: (names[o], names[d], value, back)
        for name, o, d, value, back in zip(
            arcs.id, arcs.origin, arcs.destination, arcs.value, arcs.back, strict=True
        )
    }
    assert found["AB"] == ("B", "A", 50.0, 60.0)
    assert found["B–C"] == ("B", "C", 5.0, 0.0)
    assert found["A–C"] == ("A", "C", 7.0, 0.0)
    # All lines are part of the network; those between B and C carry what is not told.
    assert {name for name, (_, _, value, _) in found.items() if not value} == {"BC1", "BC2", "CD"}
    assert picture.shown.sentence() == "5 flows, 100% of the energy"
    # Against its line, from B to A.
    assert way(flows, "AB") == [(11.0, 56.0), (10.5, 55.9), (10.0, 55.0)]


def test_other_pairs_are_arrows_that_swing_out(flows: FlowRecords) -> None:
    points = np.array(way(flows, "A–C"))
    assert points[0].tolist() == [10.0, 55.0]
    assert points[-1].tolist() == [12.0, 57.0]
    middle = points[len(points) // 2]
    assert np.hypot(*(middle - [11.0, 56.0])) > 0.2


def test_a_line_is_loaded_by_what_its_pair_exchanges(flows: FlowRecords) -> None:
    arcs = flows.view(FlowView()).arcs
    loading = dict(zip(arcs.id, arcs.loading, strict=True))
    # In two hours 60 + 20 + 90 of 200 MWh; an arrow has no capacity.
    assert loading["AB"] == pytest.approx(0.85)
    assert np.isnan(loading["B–C"])
    first = flows.view(FlowView(last=0)).arcs
    assert dict(zip(first.id, first.value, strict=True))["AB"] == 40.0


def test_the_report_says_which_pairs_are_on_lines(flows: FlowRecords) -> None:
    assert about(flows, "shown on the one line that joins them")[1] == 1
    assert about(flows, "several lines join") == (
        "pairs of places that several lines join; which of them the records are of is not told,"
        " so they are drawn as arrows: B–C",
        1,
    )
    assert about(flows, "no line joins")[0].endswith("A–C")
    assert not any("negative" in message or "same time" in message for message in noticed(flows))


def test_profiles_have_both_directions_of_a_line(flows: FlowRecords) -> None:
    profile = flows.profile(line="AB")
    assert profile["value"].tolist() == [60.0, 0.0]
    assert profile["back"].tolist() == [20.0, 90.0]


def test_a_pair_of_several_commodities_has_its_line_for_each(tmp_path: Path) -> None:
    flows = imported(
        tmp_path, "0,A,B,power,60", "0,B,A,gas,20", "0,B,C,gas,5",
        header="hour,origin,destination,commodity,flow [MW]",
    )  # fmt: skip
    picture = flows.view(FlowView(zoom=20))
    kinds = [picture.categories[c] for c in picture.arcs.category]
    found = dict(zip(picture.arcs.id, kinds, strict=True))
    assert {n: k for n, k in found.items() if k in ("power", "gas")} == {
        "AB · power": "power", "AB · gas": "gas", "B–C": "gas",
    }  # fmt: skip
    assert way(flows, "AB · power") == way(flows, "AB · gas")[::-1]
    gas = flows.view(FlowView(commodities=("gas",)))
    assert gas.arcs.value.sum() == 25.0


def test_odd_records_are_counted_as_without_lines(tmp_path: Path) -> None:
    flows = imported(tmp_path, "0,A,B,-60", "0,B,A,20", "0,A,A,3", "0,A,X,2", "1,B,A,", "1,B,A,4",
                     "1,B,A,4")  # fmt: skip
    assert about(flows, "negative values")[1] == 1
    assert about(flows, "from a place to itself")[1] == 1
    assert about(flows, "without a finite value")[1] == 1
    assert about(flows, "no table of locations does")[0].endswith("X")
    picture = flows.view(FlowView())
    arcs = dict(zip(picture.arcs.id, picture.arcs.value, strict=True))
    assert arcs["AB"] == 88.0
    # From A to X there is no way: X has no place. A flow from A to itself has none either.
    assert "A–X" not in arcs
    assert "A–A" not in arcs
    assert picture.remarks == (
        "1 line has neither geometry nor ends with coordinates and cannot be drawn.",
    )


def test_a_network_has_no_room_for_any_number_of_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalogs.flow_records import pairs_on_lines

    monkeypatch.setattr(pairs_on_lines, "_MOST_PAIRS", 2)
    flows = imported(tmp_path, *ROWS)
    assert not flows.about.by_line
    assert about(flows, "lines are not used")[1] == 4
    assert len(flows.view(FlowView()).arcs) == 3


def test_arrows_over_the_date_line_go_the_short_way() -> None:
    from catalogs.flow_records.pairs_on_lines import bend

    [arrow] = bend(np.array([[179.0, 0.0, -179.0, 0.0]]))
    assert [point[0] for point in arrow.coords][-1] == 181.0
    assert bend(np.array([[10.0, 50.0, 10.0, 50.0], [np.nan, 1, 2, 3]])).tolist() == [None, None]
