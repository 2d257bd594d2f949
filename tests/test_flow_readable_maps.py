"""Maps of flow records that can be read: the largest arrows first, and the query behind them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from panel.viewable import Viewable

from catalogs.flow_records.query import MOST_ARCS, READABLE_ARCS, FlowView
from catalogs.flow_records.records import FlowRecords
from components.flowmap.record_picture import widest_of
from components.flowmap.records import RecordMap
from tests.flow_files import imported, publish, write
from tests.test_flow_network import BUSES, LINES, RECORDS

COUNT = 400


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    """3,000 pairs of 400 places over Europe and 20 commodities, some flows of them negative."""
    rng = np.random.default_rng(1)
    spots = np.column_stack([rng.uniform(-10, 30, COUNT), rng.uniform(38, 65, COUNT)])
    listed = "\n".join(f"p{n},{x:.4f},{y:.4f}" for n, (x, y) in enumerate(spots))
    ends = rng.integers(0, COUNT, (3000, 2))
    rows = [
        f"{n % 48},p{start},p{end},c{n % 20},{(n % 17 + 1) * (-1) ** (n % 5 == 0)}"
        for n, (start, end) in enumerate(ends)
    ]
    locations = f"id,longitude,latitude\n{listed}\nnowhere,,\n"
    rows.append("0,p0,nowhere,c1,4")
    return imported(tmp_path_factory.mktemp("many"), *rows, locations=locations)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    folder = tmp_path_factory.mktemp("grid")
    texts = {"flows.csv": RECORDS, "lines.csv": LINES, "buses.csv": BUSES}
    return publish(folder, *(write(folder, name, text) for name, text in texts.items()))


# ---------------------------------------------------------------------------- how many


def test_the_largest_arcs_are_kept_and_the_rest_is_said(flows: FlowRecords) -> None:
    finest = len(flows.levels) - 1
    whole = flows.view(FlowView(level=finest))
    some = flows.view(FlowView(level=finest, largest=50))
    assert some.arcs.value.tolist() == whole.arcs.value[:50].tolist()
    assert some.remarks[0] == f"the 50 largest of {len(whole.arcs):,} arrows"
    back = whole.arcs.back[:50].sum()
    assert some.shown.value == pytest.approx(whole.arcs.value[:50].sum() + 2 * back)
    assert some.shown.flows < some.shown.all_flows == whole.shown.all_flows
    # Places that no arrow is left of are no dots; those without coordinates stay listed.
    ends = set(some.arcs.origin) | set(some.arcs.destination)
    assert {int(i) for i in np.flatnonzero(some.places.is_placed)} == ends
    assert "nowhere" in some.places.id


def test_of_gross_flows_each_direction_counts_for_itself(flows: FlowRecords) -> None:
    view = FlowView(level=len(flows.levels) - 1, largest=50, is_net=False)
    some = flows.view(view)
    assert some.shown.value == pytest.approx(some.arcs.value.sum())


def test_few_arrows_are_of_coarser_places_that_show_more_of_the_energy(
    flows: FlowRecords,
) -> None:
    all_of_them, readable = flows.view(FlowView()), flows.view(FlowView(largest=100))
    assert len(readable.arcs) <= 100
    finest = flows.view(FlowView(level=len(flows.levels) - 1, largest=100))
    assert readable.places.members.max() > all_of_them.places.members.max()
    assert readable.shown.share > 2 * finest.shown.share


def test_what_flows_inside_of_places_is_said(flows: FlowRecords) -> None:
    picture = flows.view(FlowView(level=0))
    share = 100 * picture.shown.within / picture.shown.all_value
    assert f"{share:.1f}% flows within one cluster" in picture.remarks


def test_no_line_of_a_network_is_left_out(grid: FlowRecords) -> None:
    assert len(grid.view(FlowView(largest=2)).arcs) == 5
    assert grid.is_of_lines(FlowView())
    assert not grid.is_of_lines(FlowView(level=0))


def test_the_more_arrows_the_thinner(flows: FlowRecords) -> None:
    widths = [widest_of(count) for count in (1, 30, 200, 1000, 5000)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == widths[1] == 12
    assert 3 <= widths[-1] < 3.5
    assert flows.arcs_at(FlowView(level=0)) < flows.arcs_at(FlowView(level=len(flows.levels) - 1))


# ---------------------------------------------------------------------------- the query


def drawn(records: FlowRecords, view: FlowView) -> list[tuple[object, ...]]:
    """Return the arcs of a map: line, from, to, commodity, value and what flows back, sorted."""
    picture = records.view(view)
    names, arcs = picture.places.name, picture.arcs
    columns = (
        arcs.id if records.is_of_lines(view) else [""] * len(arcs),
        names[arcs.origin],
        names[arcs.destination],
        [picture.categories[c] for c in arcs.category],
        arcs.value.round(9).tolist(),
        arcs.back.round(9).tolist(),
    )
    return sorted(zip(*columns, strict=True))


def asked(records: FlowRecords, view: FlowView) -> list[tuple[object, ...]]:
    """Return what the statement of a view gives, run as it is shown."""
    found = records.sql(records.statement(view).shown())
    if "line" not in found:
        found.insert(0, "line", "")
    rounded = found.round(9).astype(object)
    return sorted(rounded.itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "view",
    [
        FlowView(),
        FlowView(level=1),
        FlowView(first=5, last=30),
        FlowView(is_net=False),
        FlowView(commodities=("c3", "c4")),
        FlowView(bounds=(0.0, 45.0, 12.0, 55.0)),
        FlowView(bounds=(20.0, 38.0, -5.0, 65.0), first=3, last=3, is_net=False),
    ],
    ids=["all", "level", "time", "gross", "commodities", "bounds", "around"],
)
def test_the_statement_gives_the_arcs_of_the_map(flows: FlowRecords, view: FlowView) -> None:
    assert asked(flows, view) == drawn(flows, view) != []


def test_the_statement_gives_the_largest(flows: FlowRecords) -> None:
    view = FlowView(level=len(flows.levels) - 1, largest=20)
    values = flows.sql(flows.statement(view).shown())["value"]
    assert values.round(9).tolist() == flows.view(view).arcs.value.round(9).tolist()
    assert len(values) == 20


@pytest.mark.parametrize(
    "view",
    [
        FlowView(),
        FlowView(last=0),
        FlowView(is_net=False),
        FlowView(commodities=("DC",)),
        FlowView(bounds=(12.5, 57.5, 16.0, 61.0)),
        FlowView(level=0),
    ],
    ids=["all", "hour", "gross", "commodity", "bounds", "country"],
)
def test_the_statement_gives_the_lines_of_a_network(grid: FlowRecords, view: FlowView) -> None:
    assert asked(grid, view) == drawn(grid, view) != []


def test_names_that_look_like_code_are_values_of_the_statement(tmp_path: Path) -> None:
    evil = "x'); DROP TABLE flow; --"
    flows = imported(tmp_path, f'1,AAL,CPH,"{evil}",3', "1,AAL,CPH,other,3")
    view = FlowView(commodities=(evil,))
    assert asked(flows, view) == drawn(flows, view) != []


# ---------------------------------------------------------------------------- the map


@pytest.fixture
def flow_map(flows: FlowRecords) -> RecordMap:
    made = RecordMap(source=flows)
    assert isinstance(made.main, Viewable)
    return made


def test_a_dense_map_begins_readable_and_shows_more_when_told(flow_map: RecordMap) -> None:
    assert flow_map.arrows == READABLE_ARCS
    assert 0 < len(flow_map.table()) <= READABLE_ARCS
    control = flow_map._controls._arrows
    assert control.value == READABLE_ARCS
    flow_map.level = len(flow_map.source.levels) - 1
    assert f"the {READABLE_ARCS} largest of" in flow_map.foot
    before = flow_map._view.picture["widest"]
    control.value = MOST_ARCS
    assert flow_map.arrows == MOST_ARCS
    assert len(flow_map.table()) > 2000
    assert "largest of" not in flow_map.foot
    assert flow_map._view.picture["widest"] < before
    flow_map.arrows = 77  # from a link
    assert control.value == 77


def test_levels_of_one_name_are_told_apart(flow_map: RecordMap) -> None:
    options = flow_map._controls._level.options
    assert sorted(options.values()) == list(range(-1, len(flow_map.source.levels)))
    assert any(label.startswith("Cluster (") for label in options)


def test_a_level_of_a_stale_link_is_that_which_the_view_needs(flow_map: RecordMap) -> None:
    usual = flow_map.foot
    flow_map.level = 99
    assert flow_map.foot == usual
    assert flow_map._controls._level.value == -1


def test_a_network_has_no_choice_of_arrows_and_names_few_buses(grid: FlowRecords) -> None:
    flow_map = RecordMap(source=grid)
    assert flow_map.main is not None
    assert not flow_map._controls._arrows.visible
    assert flow_map._view.picture["most_labels"] == 25
    assert not flow_map._view.picture["is_bent"]
    flow_map.level = 0
    assert flow_map._controls._arrows.visible
    assert flow_map._view.picture["is_bent"]


def test_the_query_of_the_map_is_shown_with_its_values(flow_map: RecordMap) -> None:
    flow_map.tab = "query"
    panel = flow_map._query
    assert "LIMIT 200" in panel._sql.text
    flow_map.commodities = ["c3"]
    assert panel._sql.text == flow_map.statement
    found = flow_map.source.sql(panel._sql.text)
    assert set(found["commodity"]) == {"c3"}
    assert found["value"].tolist() == flow_map.table()["value"].tolist()
    assert "difference" in panel._words.text
    flow_map.net = False
    assert "Each direction" in panel._words.text


def test_flows_are_saved_as_csv_and_parquet(flow_map: RecordMap) -> None:
    table = flow_map.table()
    panel = flow_map._table
    csv = pd.read_csv(panel.file("csv"), keep_default_na=False)
    parquet = pd.read_parquet(io.BytesIO(panel.file("parquet").read()))
    for found in (csv, parquet):
        assert found.columns.tolist() == table.columns.tolist()
        assert found["from"].tolist() == table["from"].tolist()
        assert found["value"].tolist() == table["value"].tolist()


def test_a_table_that_is_cut_says_so(flow_map: RecordMap) -> None:
    flow_map.tab = "table"
    assert not flow_map._table._more.visible
    flow_map.param.update(level=len(flow_map.source.levels) - 1, arrows=0)
    assert flow_map._table._more.visible
    assert flow_map._table._more.text.startswith("The 500 largest of 2,")
