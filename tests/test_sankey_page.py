"""Energy flows: the component by itself, and the page at /sankey in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from panel.viewable import Viewable
from playwright.sync_api import Locator, Page, expect

import catalogs
from catalogs.sankey.flows import FINAL
from catalogs.source import Source
from components.sankey.explorer import SankeyExplorer
from components.sankey.picture import LESS, MORE, UNCHANGED
from tests.browser import PHONE, Recorded, Served, open_page, query_of, record, serving
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
    return {node["id"]: node for node in sankey._view.picture["nodes"]}


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
    colours = {link["colour"] for link in sankey._view.picture["links"]}
    assert colours == {MORE, LESS, UNCHANGED}
    assert "compared with Climate target" in sankey.title
    changes = sankey._tables._tables(sankey.answer)[0]
    assert changes[0] == "Largest changes, PJ"
    assert (changes[1]["other"] - changes[1]["base"] - changes[1]["difference"]).abs().max() < 1e-9


def test_use_in_the_picture_is_that_of_the_graph(sankey: SankeyExplorer):
    graph = sankey.answer.graph
    use = sum(node.incoming - node.outgoing for node in graph.nodes if node.kind == FINAL)
    edges = sankey.edges()
    assert list(edges.columns) == ["source", "target", "value"]
    assert edges["value"].sum() == pytest.approx(sum(link.value for link in graph.links))
    sankey.selection.unit = "TWh"
    other = sankey.answer.graph
    assert sum(
        node.incoming - node.outgoing for node in other.nodes if node.kind == FINAL
    ) == pytest.approx(use / 3.6)


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
    """A node of the picture, by what is read aloud of it; not one that is fading away."""
    return page.locator("g.node:not(.gone)").filter(has_text=re.compile(f"^{re.escape(label)}"))


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
def test_tables_have_flows_balances_and_what_is_not_drawn(
    page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    open_tab(page, "Tables")
    for heading in ("Largest flows, PJ", "Balances, PJ", "Distribution that is not drawn, PJ"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download flows").click()
    assert download.value.suggested_filename == "energy-flows.csv"


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
