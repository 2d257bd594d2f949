"""Demands in units of their own: nodes at the end of a Sankey that no number leads to."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from panel.viewable import Viewable
from playwright.sync_api import Page, expect

import catalogs
from catalogs.sankey.compare import compare
from catalogs.sankey.flows import SankeyQuery, energy_flows
from catalogs.sankey.focus import around, between
from catalogs.sankey.graph import build_graph, called
from catalogs.sankey.parts import SERVICE, Graph
from catalogs.source import Source
from components.sankey.explorer import SankeyExplorer
from components.sankey.request import SankeyRequest, answer
from tests.browser import Recorded, Served, open_page, query_of, serving
from tests.sankey_page import wait_until_fitted
from tests.times_files import flows, publish, write_set

SECTOR = "service/final/Transport"

#: A car and a bus give passenger kilometres, a lorry another unit; a lamp gives light.
FLEET = """
    MINE: -> ELC 60
    CAR: ELC 20 -> TRIPS 500
    BUS: ELC 5 -> TRIPS 300
    LORRY: ELC 30 -> FREIGHT 90000
    LAMP: ELC 5 -> LIGHT 2
"""


def fleet(directory: Path, text: str = FLEET) -> Source:
    """The fleet as a published dataset."""
    files = write_set(
        directory / "files",
        flows(text),
        process_sets={"DMD": "CAR BUS LORRY LAMP"},
        commodity_sets={"NRG": "ELC", "DEM": "TRIPS FREIGHT LIGHT"},
        units={"PJ": "ELC", "Mpass-km": "TRIPS", "Mt-km": "FREIGHT", "kSTL": "LIGHT"},
        descriptions={"LIGHT": "Light of households"},
    )
    return publish(files, directory / "data")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return fleet(tmp_path_factory.mktemp("fleet"))


def graph_of(source: Source, *opened: str) -> Graph:
    return build_graph(energy_flows(source, SankeyQuery("Case", 2020, opened=opened)))


def amounts(graph: Graph) -> dict[str, tuple[tuple[str, float], ...]]:
    return {service.label: service.services for service in graph.services}


def test_each_sector_ends_in_its_demand_and_units_are_never_added(source: Source):
    graph = graph_of(source)
    # Of most energy first: 30 PJ for freight, 25 for trips.
    assert amounts(graph) == {
        "Transport demand": (("Mt-km", 90000), ("Mpass-km", 800)),
        "Residential demand": (("kSTL", 2),),
    }
    assert {(join.user, join.service) for join in graph.joins} == {
        ("final/Transport", SECTOR),
        ("final/Residential", "service/final/Residential"),
    }
    assert {node.kind for node in graph.services} == {SERVICE}
    assert all(node.incoming == node.outgoing == 0 for node in graph.services)
    assert not [link for link in graph.links if SERVICE in f"{link.source}{link.target}"]
    assert not [node for node in graph.nodes if node.kind == SERVICE]


def test_a_demand_opens_into_its_units_and_each_user_is_joined_to_its_own(source: Source):
    graph = graph_of(source, SECTOR)
    assert amounts(graph) == {
        "Freight distance": (("Mt-km", 90000),),
        "Passenger distance": (("Mpass-km", 800),),
        "Residential demand": (("kSTL", 2),),
    }
    assert {node.parent for node in graph.services} == {SECTOR, ""}
    users = graph_of(source, SECTOR, "final/Transport", "final/Transport/Electricity end use")
    joins = {(join.user, called(join.service)) for join in users.joins}
    assert joins == {
        ("process/CAR", "Passenger distance"),
        ("process/BUS", "Passenger distance"),
        ("process/LORRY", "Freight distance"),
        ("final/Residential", "Residential demand"),
    }


def test_a_demand_of_one_unit_does_not_open(source: Source):
    members = {node.label: node.members for node in graph_of(source).services}
    assert members["Residential demand"] == ()
    assert len(members["Transport demand"]) == 2


def test_names_with_slashes_stay_one_name(tmp_path: Path):
    files = write_set(
        tmp_path / "files",
        flows("MINE: -> ELC 9\nCAR: ELC 9 -> TRIPS 5"),
        process_sets={"DMD": "CAR"},
        commodity_sets={"NRG": "ELC", "DEM": "TRIPS"},
        units={"PJ": "ELC", "trips/day <b>": "TRIPS"},
    )
    found = publish(files, tmp_path / "data")
    [service] = graph_of(found, "service/final/Other end use").services
    assert service.label == "trips/day <b>"
    assert service.services == (("trips/day <b>", 5),)


def test_focus_on_a_demand_is_what_leads_to_it(source: Source):
    graph = graph_of(source)
    part = around(graph, SECTOR)
    assert {node.label for node in part.nodes} == {"Domestic resources", "Electricity", "Transport"}
    assert [node.id for node in part.services] == [SECTOR]
    assert {node.label for node in around(graph, SECTOR, steps=1).nodes} == {"Transport"}
    assert {node.label for node in around(graph, SECTOR, steps=2).nodes} == {
        "Electricity",
        "Transport",
    }
    ways = between(graph, "supply/Domestic resources", SECTOR)
    assert {node.label for node in ways.nodes} == {"Domestic resources", "Electricity", "Transport"}
    assert [node.id for node in ways.services] == [SECTOR]
    assert between(graph, SECTOR, "final/Transport").links == ()
    # On the ways to a user its demand is no part; downstream of a carrier all demands are.
    assert between(graph, "supply/Domestic resources", "final/Transport").services == ()
    carrier = next(node.id for node in graph.nodes if node.kind == "carrier")
    assert len(around(graph, carrier).services) == 2


def test_two_scenarios_have_the_demands_of_both(tmp_path: Path):
    base, other = (
        fleet(tmp_path / name, text)
        for name, text in (("base", FLEET), ("other", FLEET.replace("FREIGHT 90000", "TRIPS 70")))
    )
    compared = compare(*(energy_flows(s, SankeyQuery("Case", 2020)) for s in (base, other)))
    [before], [after] = (
        [dict(node.services) for node in graph.services if node.id == SECTOR]
        for graph in (compared.base, compared.other)
    )
    assert before == {"Mt-km": 90000, "Mpass-km": 800}
    assert after == {"Mpass-km": 870}
    assert len(compared.services) == 2


# ---------------------------------------------------------------------- the picture


def laid_out(source: Source, **options: Any) -> Any:
    opened = options.pop("opened", ())
    query = SankeyQuery("Case", 2020, opened=opened)
    return answer(source, SankeyRequest(query, services=True, **options))


def test_demands_stand_beside_the_layout_and_change_nothing_in_it(source: Source):
    worked = laid_out(source)
    alone = answer(source, SankeyRequest(SankeyQuery("Case", 2020)))
    assert alone.services == ()
    assert [node.id for node in worked.layout.nodes] == [node.id for node in alone.layout.nodes]
    assert worked.layout.links == tuple(
        replace(link, points=there.points, detour=there.detour)
        for link, there in zip(alone.layout.links, worked.layout.links, strict=True)
    )
    last = max(node.x1 for node in worked.layout.nodes)
    boxes = sorted(worked.services, key=lambda box: box.y0)
    assert all(box.x0 > last and box.x1 < worked.layout.frame.width for box in boxes)
    assert len({box.y1 - box.y0 for box in boxes}) == 1  # no amount can be read off their size
    assert all(one.y1 < two.y0 for one, two in itertools.pairwise(boxes))


def test_many_demands_stay_within_the_frame(tmp_path: Path):
    names = [f"S{number:02d}" for number in range(60)]
    files = write_set(
        tmp_path / "files",
        flows("MINE: -> ELC 60\n" + "\n".join(f"D{n}: ELC 1 -> {n} 7" for n in names)),
        process_sets={"DMD": " ".join(f"D{n}" for n in names)},
        commodity_sets={"NRG": "ELC", "DEM": " ".join(names)},
        units={"PJ": "ELC", **{f"unit {n}": n for n in names}},
    )
    found = publish(files, tmp_path / "data")
    worked = laid_out(found, opened=("service/final/Other end use",))
    assert len(worked.services) == 60
    frame = worked.layout.frame
    assert min(box.y0 for box in worked.services) >= frame.top - 0.01
    assert max(box.y1 for box in worked.services) <= frame.height - frame.bottom + 0.01


# ---------------------------------------------------------------------- the component


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    catalogs.ensure_demo(directory)
    return directory


@pytest.fixture
def sankey(data: Path) -> SankeyExplorer:
    made = SankeyExplorer(source=catalogs.open_source(data, "demo"), year=2050)
    assert isinstance(made.main, Viewable)
    return made


def words(sankey: SankeyExplorer) -> dict[str, dict[str, Any]]:
    """What the demands of the picture say, by id."""
    nodes = sankey._picture.main.picture["nodes"]
    return {node["id"]: node for node in nodes if node["service"]}


def test_demands_can_be_turned_off_and_opened(sankey: SankeyExplorer):
    transport = words(sankey)[SECTOR]
    assert transport["opens"]
    assert transport["share"] == "No energy: counts in no balance"
    assert "From Transport" in transport["lines"]
    sankey.open(SECTOR)
    assert {node["label"] for node in words(sankey).values()} > {
        "Freight distance", "Vehicle distance",
    }  # fmt: skip
    assert sankey.called(SECTOR) == "Transport demand"
    sankey.close(SECTOR)
    assert SECTOR in words(sankey)
    sankey.services = False
    assert words(sankey) == {}
    assert sankey._picture.main.picture["joins"] == []


def test_demands_are_those_of_the_explorer(sankey: SankeyExplorer):
    graph = build_graph(energy_flows(sankey.source, sankey.request.query))
    demand = sankey.source.rows(
        "SELECT b.sector, f.unit, sum(f.value) FROM boundary AS b"
        " JOIN flow_annual AS f USING (scenario, region, process, commodity, direction)"
        " WHERE boundary = 'demand' AND scenario = 'Reference' AND year = 2050 GROUP BY ALL"
    )
    told = {
        (called(service.id).removesuffix(" demand"), unit): pytest.approx(amount)
        for service in graph.services
        for unit, amount in service.services
    }
    assert {(sector, unit): amount for sector, unit, amount in demand} == told


def test_a_comparison_tells_both_amounts(sankey: SankeyExplorer):
    sankey.other = "Climate target"
    industry = words(sankey)["service/final/Industry"]
    assert any(line.startswith("In the other scenario: ") for line in industry["lines"])
    assert any(line.startswith("Difference to it: ") for line in industry["lines"])
    table = sankey._tables.tables(sankey.answer)["Demands in their own units"]
    assert list(table) == ["demand", "base", "other", "difference", "unit"]
    assert len(table) == sum(len(node.services) for node in sankey.answer.graph.services)


def test_the_table_has_every_amount_and_its_unit(sankey: SankeyExplorer):
    graph = sankey.answer.graph
    table = sankey._tables.tables(sankey.answer)["Demands in their own units"]
    assert set(zip(table["amount"], table["unit"], strict=True)) == {
        (amount, unit) for service in graph.services for unit, amount in service.services
    }
    assert list(table) == ["demand", "served by", "amount", "unit"]
    assert "Transport" in table["served by"].tolist()


# ---------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[Served]:
    with serving(data) as served:
        yield served


@pytest.mark.browser
def test_demands_are_read_aloud_lit_opened_and_reached_by_keyboard(
    page: Page, recorded: Recorded, site: Served
):
    open_page(page, f"{site.url}/sankey?dataset=demo&year=2050")
    wait_until_fitted(page)
    demand = page.locator(f"g.node[data-id='{SECTOR}']")
    expect(demand).to_have_attribute(
        "aria-label", re.compile(r"^Transport demand, .* Mt-km, .*counts in no balance, .*From")
    )
    user = page.locator("g.node[data-id='final/Transport']")
    user.focus()
    expect(page.locator("g.join.lit")).to_have_count(1)
    expect(demand).to_have_class(re.compile("lit"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("g.node.service:focus")).to_have_count(1)
    demand.focus()
    expect(user).to_have_class(re.compile("lit"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Freight distance", exact=True)).to_be_visible()
    assert f"opened={SECTOR}" in query_of(page).replace("%2F", "/")
    page.get_by_label("Demands in their own units").click()
    expect(page.locator("g.node.service:not(.gone)")).to_have_count(0)
    expect(page.locator("g.join:not(.gone)")).to_have_count(0)


@pytest.mark.browser
def test_a_dragged_node_takes_its_dashes_along(new_page: Callable[..., Page], site: Served):
    page = new_page(reduced_motion="reduce")
    open_page(page, f"{site.url}/sankey?dataset=demo&year=2050")
    wait_until_fitted(page)
    user = page.locator("g.node[data-id='final/Transport'] .box")
    every = page.locator("g.join .dashes").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    box = user.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + 25, steps=4)
    page.mouse.up()
    after = page.locator("g.join .dashes").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    assert sum(one != two for one, two in zip(every, after, strict=True)) == 1
