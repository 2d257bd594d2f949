"""Energy flows: the component by itself, and the page at /sankey in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import holoviews as hv
import pandas as pd
import param
import pytest
from panel.viewable import Viewable
from playwright.sync_api import Locator, Page, expect

import catalogs
from app.address import AddressSync
from catalogs.sankey import timeslices
from catalogs.sankey.flows import energy_flows
from catalogs.sankey.roles import FINAL
from catalogs.source import Source
from components.explorer import ScenarioExplorer
from components.notices import PlainText
from components.numbers import MINUS, significant
from components.sankey.explorer import SankeyExplorer
from components.sankey.picture import LESS, MORE, UNCHANGED
from tests.browser import PHONE, Recorded, Served, open_page, query_of, record, serving, until
from tests.sankey_page import wait_until_fitted
from tests.times_files import flows, publish, write_set
from tests.times_page import choose, open_tab, wait_for_title

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the demo, and a dataset whose names are markup."""
    directory = tmp_path_factory.mktemp("sankey")
    catalogs.ensure_demo(directory)
    files = write_set(
        tmp_path_factory.mktemp("files"),
        flows("MINE: -> ELC 10\nHEATER: ELC 10 -> HEAT 9"),
        process_sets={"DMD": "HEATER"},
        commodity_sets={"NRG": "ELC", "DEM": "HEAT"},
        units={"PJ": "ELC HEAT"},
        descriptions={"HEATER": MARKUP, "ELC": MARKUP},
    )
    publish(files, directory, "markup")
    return directory


@pytest.fixture(scope="module")
def demo(data: Path) -> Source:
    return catalogs.open_source(data, "demo")


@pytest.fixture
def sankey(demo: Source) -> SankeyExplorer:
    """The component of the demo in 2050, whose views have been made."""
    made = SankeyExplorer(source=demo, year=2050)
    assert isinstance(made.main, Viewable)
    return made


def drawn(sankey: SankeyExplorer) -> dict[str, dict[str, Any]]:
    """The nodes of the picture by id."""
    return {node["id"]: node for node in sankey._picture.main.picture["nodes"]}


# ---------------------------------------------------------------------- the component


def test_first_picture_is_readable_and_says_what_it_is(sankey: SankeyExplorer):
    assert sankey.title == "Energy flows, Reference, 2050, PJ"
    assert 10 < len(drawn(sankey)) <= 60
    assert "flows of distribution are contracted" in sankey.foot
    assert SankeyExplorer(source=sankey.source).shown_year == 2030


def test_opening_a_node_shows_its_members_and_closing_restores_it(sankey: SankeyExplorer):
    before = drawn(sankey)
    sankey.open("final/Transport")
    inside = drawn(sankey)
    members = [node for node in inside.values() if node["parent"] == "final/Transport"]
    assert len(members) > 1
    assert "final/Transport" not in inside
    heights = sum(node["y1"] - node["y0"] for node in members)
    assert heights > 0
    sankey.close("final/Transport")
    assert drawn(sankey).keys() == before.keys()


def test_closing_a_node_closes_what_was_opened_inside_it(sankey: SankeyExplorer):
    sankey.open("final/Transport")
    inside = next(n for n in drawn(sankey).values() if n["parent"] == "final/Transport")
    sankey.open(inside["id"])
    assert sankey.opened == ["final/Transport", inside["id"]]
    sankey.close("final/Transport")
    assert sankey.opened == []


def test_what_cannot_be_opened_stays_as_it_is(sankey: SankeyExplorer):
    sankey.open("loss/Grid losses")
    sankey.open("no such node")
    assert sankey.opened == []


def test_drill_down_keeps_the_order_of_nodes(sankey: SankeyExplorer):
    before = drawn(sankey)
    sankey.open("final/Transport")
    after = drawn(sankey)
    same = [name for name in before if name in after]
    pairs = [
        (a, b)
        for a in same
        for b in same
        if a < b
        and before[a]["layer"] == before[b]["layer"]
        and after[a]["layer"] == after[b]["layer"]
    ]
    kept = [
        (a, b)
        for a, b in pairs
        if (before[a]["y0"] < before[b]["y0"]) == (after[a]["y0"] < after[b]["y0"])
    ]
    assert len(kept) > 0.9 * len(pairs) > 0


def test_focus_shows_only_what_is_up_and_down_stream(sankey: SankeyExplorer):
    everything = drawn(sankey)
    sankey.look_around("final/Transport")
    around = drawn(sankey)
    assert "final/Residential" not in around
    assert {"final/Transport", "supply/Domestic resources"} <= around.keys() < everything.keys()
    sankey.look_around("final/Transport")
    assert drawn(sankey).keys() == everything.keys()


def test_comparison_colours_what_became_more_and_less(sankey: SankeyExplorer):
    sankey.other = "Climate target"
    colours = {link["colour"] for link in sankey._picture.main.picture["links"]}
    assert colours == {MORE, LESS, UNCHANGED}
    assert "compared with Climate target" in sankey.title
    changes = sankey._tables.tables(sankey.answer)["Largest changes"]
    assert (changes["other"] - changes["base"] - changes["difference"]).abs().max() < 1e-9


def test_use_in_the_picture_is_that_of_the_graph(sankey: SankeyExplorer):
    graph = sankey.answer.graph
    use = sum(node.incoming - node.outgoing for node in graph.nodes if node.kind == FINAL)
    edges = sankey.edges()
    assert list(edges.columns) == ["source", "target", "value"]
    assert edges["value"].sum() == pytest.approx(sum(link.value for link in graph.links))
    # HoloViews would take two nodes of one name for one, and draws no cycles.
    assert edges["source"].nunique() == len({link.source for link in graph.links})
    assert not (edges["source"] == edges["target"]).any()
    forwards = sankey.edges(cycles=False)
    assert 0 < len(forwards) < len(edges)
    drawing = hv.Sankey(forwards)
    assert len(drawing.nodes) == len({*forwards["source"], *forwards["target"]})
    assert hv.render(drawing, backend="bokeh") is not None
    sankey.selection.unit = "TWh"
    other = sankey.answer.graph
    assert sum(
        node.incoming - node.outgoing for node in other.nodes if node.kind == FINAL
    ) == pytest.approx(use / 3.6)


def test_two_scenarios_stand_side_by_side_in_one_scale(sankey: SankeyExplorer):
    sankey.other = "Climate target"
    panel = sankey._picture
    overlaid = {link["id"]: link for link in panel.main.picture["links"]}
    sankey.compare = "beside"
    left, right = ({n["id"]: n for n in v.picture["nodes"]} for v in (panel.main, panel.second))
    links = [{m["id"]: m for m in v.picture["links"]} for v in (panel.main, panel.second)]
    assert links[0].keys() | links[1].keys() == overlaid.keys()
    shared = left.keys() & right.keys()
    assert len(shared) > 10
    for name in shared:  # the same places in both, each as high as it is there
        assert [left[name][x] for x in ("x0", "y0")] == [right[name][x] for x in ("x0", "y0")]
    for name, link in overlaid.items():
        assert links[0].get(name, {"fill": 0})["fill"] == pytest.approx(link["base"])
        assert links[1].get(name, {"fill": 0})["fill"] == pytest.approx(link["fill"])
    assert all(link["base"] is None for part in links for link in part.values())


def test_largest_changes_stand_beside_the_picture_and_light_their_links(sankey: SankeyExplorer):
    sankey.other = "Climate target"
    listed = sankey._picture._changes.groups
    drawn_links = {link["id"] for link in sankey._picture.main.picture["links"]}
    assert 5 < len(listed) <= 14
    assert {entry["code"] for entry in listed} <= drawn_links
    largest = max(sankey.answer.compared.changes, key=lambda c: abs(c.difference))
    assert significant(largest.difference).lstrip(MINUS) in listed[0]["amount"]
    sankey._picture._changes._handle_msg({"open": listed[0]["code"]})
    assert sankey._details.view.visible


def test_only_the_ways_between_two_nodes_are_shown(sankey: SankeyExplorer):
    everything = drawn(sankey)
    sankey.look_around("final/Transport")
    sankey.look_around("supply/Domestic resources")  # turned round: that is how energy flows
    assert (sankey.focus, sankey.towards) == ("supply/Domestic resources", "final/Transport")
    ways = drawn(sankey)
    assert {"final/Transport", "supply/Domestic resources"} < ways.keys() < everything.keys()
    assert not [name for name in ways if name.startswith(("loss/", "final/R"))]
    sankey.look_around("final/Transport")
    assert drawn(sankey).keys() == everything.keys()
    sankey.look_between("final/Transport", "final/Residential")
    assert not sankey._picture.view.visible or "Nothing flows" in text_of(sankey._place)


def test_steps_bound_how_far_a_focus_reaches(sankey: SankeyExplorer):
    sankey.param.update(focus="final/Transport", steps=1)
    layers = {node["layer"] for node in drawn(sankey).values() if not node["service"]}
    assert layers == {0, 1}


def test_years_in_one_scale_have_bars_that_can_be_compared(sankey: SankeyExplorer):
    def scale() -> float:
        return sankey.answer.layout.scale

    free = []
    for year in sankey.years:
        sankey.year = year
        free.append(scale())
    assert len(set(free)) > 1
    sankey.steady = True
    held = []
    for year in sankey.years:
        sankey.year = year
        held.append(scale())
    assert held == [pytest.approx(min(free), rel=0.2)] * len(held)


def test_a_timeslice_and_what_else_flows_are_said_in_the_title(sankey: SankeyExplorer):
    season = timeslices.offered(sankey.source, "Reference")[0][0]
    sankey.timeslice = season
    assert sankey.title.startswith("Energy flows, Reference, 2050, ")
    assert "timeslice" in sankey.title
    sankey.timeslice = ""
    other = list(sankey.kinds)[-1]
    assert other != "energy"
    sankey.flows_of = other
    assert sankey.title.startswith(f"Flows of {other}, Reference, 2050")
    assert sankey.title.endswith(sankey.kinds[other])
    sankey.flows_of = "no such thing"
    assert "Nothing flows" in text_of(sankey._place)


def text_of(view: Any) -> str:
    """All that a view says."""
    return " ".join(str(part.text) for part in view.select(PlainText))


def test_every_table_is_a_file_in_full_precision(sankey: SankeyExplorer):
    for other in ("", "Climate target"):
        sankey.other = other
        worked = sankey.answer
        for heading, table in sankey._tables.tables(worked).items():
            read = pd.read_csv(sankey._tables.csv(heading), float_precision="round_trip")
            assert len(read) == len(table) > 0
            units = set(table["unit"]) if heading.startswith("Demands") else {"PJ"}
            assert set(read["unit"]) == units
            for name in table.select_dtypes("number"):
                assert read[name].tolist() == table[name].tolist()


def test_the_query_behind_the_picture_runs_and_has_its_flows(sankey: SankeyExplorer):
    frame = sankey.source.sql(sankey._query_panel._sql.text)
    energy = frame[(frame["kind"] == "energy") & (frame["unit"] == "PJ")]
    [flows] = [energy_flows(sankey.source, sankey.request.query).flows]
    assert energy["value"].abs().sum() == pytest.approx(sum(flow.value for flow in flows))


@pytest.mark.parametrize("other", ["", "Climate target"])
def test_marks_open_the_explorer_on_what_they_show(sankey: SankeyExplorer, other: str):
    sankey.param.update(other=other, opened=["final/Transport", "carrier/Electricity/0"])
    nodes = sankey._nodes()
    linked = {node.id: sankey.address_of(node) for node in nodes.values()}
    without = {name for name, address in linked.items() if not address}
    assert without <= {name for name in nodes if name.startswith(("loss/", "gain/", "other/"))}
    links = [
        sankey.address_of(nodes[link.source], nodes[link.target])
        for link in sankey.answer.graph.links
    ]
    for address in dict.fromkeys([*filter(None, linked.values()), *filter(None, links)]):
        explorer = explorer_at(sankey.source, address)
        assert not explorer.shown.empty, address
        assert explorer.selection.years == [2050]
        assert set(explorer.selection.scenarios) >= {"Reference", other} - {""}


def test_a_node_in_the_explorer_has_the_amount_of_the_picture(sankey: SankeyExplorer):
    for name in ("final/Transport", "supply/Imports", "carrier/Electricity/0"):
        node = sankey._nodes()[name]
        explorer = explorer_at(sankey.source, sankey.address_of(node))
        shown = explorer.shown
        total = shown[shown["scenario"] == "Reference"]["value"].sum()
        if name.startswith("carrier"):  # what its distribution hands on is counted there as well
            assert total >= node.outgoing
        else:
            assert total == pytest.approx(max(node.incoming - node.outgoing, node.outgoing))


def explorer_at(source: Source, address: str) -> ScenarioExplorer:
    """The scenario explorer as a page at an address would make it."""
    explorer = ScenarioExplorer(source=source)
    location = SimpleNamespace(search=address.removeprefix("times"), param=param.Parameterized())
    parts = [
        (explorer.selection, explorer.selection.url_params),
        (explorer, explorer.url_params),
    ]
    wrong: list[Any] = []
    AddressSync(location, parts, on_error=wrong.append)
    assert not wrong, address
    return explorer


def test_a_year_without_flows_is_refused_with_a_way_out(sankey: SankeyExplorer, tmp_path: Path):
    source = publish(
        write_set(tmp_path / "files", flows("CAR: KM 1 -> KM 2"), units={"Mpkm": "KM"}),
        tmp_path / "data",
    )
    refused = SankeyExplorer(source=source)
    assert refused.main is not None
    assert refused.title == "Energy flows"
    assert not refused.working


# ---------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[Served]:
    with serving(data) as served:
        yield served


@pytest.fixture
def address(site: Served) -> str:
    return f"{site.url}/sankey?dataset=demo&year=2050"


def mark(page: Page, label: str) -> Locator:
    """A node of the picture by its words, no demand; not one that is fading away."""
    return page.locator("g.node:not(.gone, .service)").filter(
        has_text=re.compile(f"^{re.escape(label)}")
    )


pages = pytest.mark.browser


@pages
def test_click_opens_a_node_and_its_name_closes_it(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(mark(page, "Transport")).to_be_visible()
    mark(page, "Transport").click()
    expect(page.get_by_role("button", name="Take back")).to_have_text(re.compile("Transport"))
    expect(mark(page, "Transport")).to_have_count(0)
    assert "opened=final/Transport" in query_of(page).replace("%2F", "/")
    page.go_back()
    expect(mark(page, "Transport")).to_be_visible()
    page.go_forward()
    page.get_by_role("button", name="Take back").click()
    expect(mark(page, "Transport")).to_be_visible()


@pages
def test_keyboard_stays_where_it_was_while_the_picture_changes(
    page: Page, recorded: Recorded, address: str
):
    open_page(page, f"{address}&year=2050")
    wait_until_fitted(page)
    focused = page.locator("g.node:focus-visible")
    # The keyboard, not the mouse, leads to the drawing.
    page.get_by_role("tab", name="Query").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        if focused.count():
            break
    page.locator("g.node[data-id='final/Transport']").focus()
    page.keyboard.press("Enter")
    until(page, lambda: "opened=" in query_of(page))
    expect(focused).to_have_attribute("data-id", re.compile("^final/Transport/"))
    page.get_by_role("button", name="Close all that is opened").evaluate("(it) => it.click()")
    expect(focused).to_have_attribute("data-id", "final/Transport")


@pages
def test_copied_link_shows_the_same_picture(
    new_page: Callable[..., Page], page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    choose(page, "Compare with", "Climate target")
    wait_for_title(page, "compared with Climate target")
    other = new_page()
    open_page(other, page.url)
    wait_for_title(other, "Energy flows, Reference, 2050, compared with Climate target, PJ")
    here = page.locator("g.node:not(.gone)")
    expect(other.locator("g.node:not(.gone)")).to_have_count(here.count())


@pages
def test_a_change_in_the_list_lights_its_link(page: Page, recorded: Recorded, address: str):
    open_page(page, f"{address}&other=Climate target")
    first = page.get_by_role("listitem").get_by_role("button", name=" → ").first
    drawing = page.locator(".sankey")

    def is_beside_the_picture() -> bool:
        box, picture = first.bounding_box(), drawing.bounding_box()
        if box is None or picture is None:
            return False
        return box["x"] >= picture["x"] + picture["width"]

    wait_until_fitted(page)
    until(page, is_beside_the_picture)
    expect(page.locator("g.link.lit")).to_have_count(0)
    first.click()
    expect(page.locator("g.link.lit").first).to_be_visible()
    expect(page.locator(".note")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("in Scenarios")).first).to_be_visible()


@pages
def test_years_play(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    wait_for_title(page, "Energy flows, Reference, 2050")
    page.get_by_role("button", name="Play").click()
    wait_for_title(page, "Energy flows, Reference, 20[2-4]")  # after the last comes the first
    page.get_by_role("button", name="Play").click()


def test_tables_stay_while_only_the_width_changes(sankey: SankeyExplorer):
    sankey.tab = "tables"
    panel = sankey._tables.view
    before = list(panel.objects)
    assert before
    frame = sankey.answer.request.frame
    sankey.fit(700)
    assert sankey.answer.request.frame != frame
    assert list(panel.objects) == before
    sankey.year = min(sankey.source.years)
    assert list(panel.objects) != before


@pages
def test_tables_have_flows_balances_and_what_is_not_drawn(
    page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    open_tab(page, "Tables")
    for heading in (
        "Largest flows, PJ",
        "Kinds of flow, PJ",
        "Balances, PJ",
        "Distribution that is not drawn, PJ",
    ):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").first.click()
    assert download.value.suggested_filename == "largest-flows.csv"


@pages
def test_picture_is_saved_as_svg(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(mark(page, "Transport")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture as SVG").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.lstrip().startswith("<svg") or "<svg" in text[:200]
    assert "Transport" in text


@pages
def test_markup_in_names_stays_text(page: Page, recorded: Recorded, site: Served):
    open_page(page, f"{site.url}/sankey?dataset=markup&opened=final/Other end use")
    expect(page.locator("g.node").first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


@pages
def test_phone_has_no_sideways_scroll(new_page: Callable[..., Page], address: str):
    page = new_page(viewport=PHONE)
    recorded = record(page)
    open_page(page, address)
    expect(page.locator("g.node").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert recorded.console == []
