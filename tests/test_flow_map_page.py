"""The flow map: the component as in a notebook, and its page in a browser."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from panel.viewable import Viewable
from playwright.sync_api import Page, Route, expect

import catalogs
from catalogs.source import Source
from components.flowmap.explorer import FlowMap
from components.flowmap.picture import MOST_ARCS
from components.flowmap.view import FlowMapView
from components.selection import Selection
from tests.browser import (
    DESKTOP,
    PHONE,
    Recorded,
    Served,
    open_page,
    query_of,
    record,
    serving,
    until,
)
from tests.times_files import flows, publish, write_set
from tests.times_page import choose, open_tab, wait_for_title

#: A picture of one transparent pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the demo, and a dataset without trade whose names are markup."""
    directory = tmp_path_factory.mktemp("flow_map")
    catalogs.ensure_demo(directory)
    files = write_set(
        tmp_path_factory.mktemp("files"),
        flows("MINE: -> ELC 10\nHEATER: ELC 10 -> HEAT 9"),
        units={"PJ": "ELC HEAT"},
        descriptions={"HEATER": MARKUP, "ELC": MARKUP},
    )
    publish(files, directory, "markup")
    files = write_set(
        tmp_path_factory.mktemp("nowhere"),
        flows("IMPGAS: -> GAS 10\nPLANT: GAS 10 -> ELC 5"),
        process_sets={"IRE": "IMPGAS"},
        commodity_sets={"NRG": "GAS ELC"},
        units={"PJ": "GAS ELC"},
    )
    publish(files, directory, "nowhere")
    return directory


@pytest.fixture(scope="module")
def demo(data: Path) -> Source:
    return catalogs.open_source(data, "demo")


@pytest.fixture
def flow_map(demo: Source) -> FlowMap:
    """The component of the demo in 2050, whose views have been made."""
    made = FlowMap(source=demo, year=2050)
    assert isinstance(made.main, Viewable)
    return made


def frame_of(flow_map: FlowMap) -> np.ndarray:
    """The values of the arcs that the browser has."""
    return values_of(flow_map._view)


def values_of(view: FlowMapView) -> np.ndarray:
    """The values of the arcs of one map that the browser has."""
    arcs = len(np.frombuffer(view.ends, "<i4")) // 3
    return np.frombuffer(view.frame, "<f4")[:arcs]


# ---------------------------------------------------------------------- the component


def test_first_map_shows_trade_between_regions_and_says_how_much(flow_map: FlowMap):
    assert flow_map.title == "Net trade: Electricity, Hydrogen, Reference, 2050, PJ"
    assert re.match(r"\d+ of \d+ flows, \d+(\.\d)?% of the energy", flow_map.foot)
    assert "with the world market" in flow_map.foot
    table = flow_map.table()
    assert table["value"].is_monotonic_decreasing
    assert table["share"].sum() == pytest.approx(1)
    assert frame_of(flow_map).max() == pytest.approx(table["value"].max(), rel=1e-6)


def test_another_year_sends_values_only_and_keeps_the_scale(flow_map: FlowMap):
    sent: list[str] = []
    names = ["picture", "points", "starts", "ends", "frame", "when"]
    flow_map._view.param.watch(lambda *events: sent.extend(e.name for e in events), names)
    most = flow_map._view.picture["most"]
    for year in (2030, 2040):
        flow_map.year = year
    assert set(sent) == {"frame", "when"}
    assert flow_map._view.picture["most"] == most
    assert flow_map._view.when[0] == "2040"
    # 5,000 arcs and 1,000 places: values and loadings, and two totals.
    assert 4 * (2 * MOST_ARCS + 2 * 1000) < 200_000


def test_timeslices_are_frames_of_a_year(flow_map: FlowMap):
    flow_map.param.update(timeslice="SU-DAY", step="timeslice")
    assert flow_map.frame == "SU-DAY"
    assert (
        flow_map._view.when == ["2050", "SU-DAY summer day"] or "SU-DAY" in (flow_map._view.when[1])
    )
    summer = flow_map.table()["value"].sum()
    flow_map.timeslice = ""
    assert flow_map.frame == 2050
    assert flow_map.table()["value"].sum() > summer


def test_average_power_has_units_of_power_and_one_scale_for_all_timeslices(flow_map: FlowMap):
    flow_map.param.update(measured_as="power", timeslice="SU-DAY", step="timeslice")
    assert flow_map.title.endswith("2050 SU-DAY, GW on average")
    assert flow_map._controls._unit.options == {"GW": "GW", "MW": "MW"}
    most = flow_map._view.picture["most"]
    shown = flow_map._map
    assert shown is not None
    assert most == pytest.approx(np.abs(shown.values).max())
    flow_map.timeslice = "WI-DAY"
    assert flow_map._view.picture["most"] == most
    flow_map.selection.unit = "MW"
    assert flow_map._view.picture["most"] == pytest.approx(1000 * most)
    flow_map.measured_as = "energy"
    assert flow_map.unit == "PJ"


def test_legend_shows_and_hides_carriers(flow_map: FlowMap):
    flow_map.toggle("Hydrogen")
    assert flow_map.carriers == ["Electricity"]
    assert set(flow_map.table()["carrier"]) == {"Electricity"}
    flow_map.param.update(outside=True, carriers=["all"])
    assert {"Oil", "Nuclear"} <= set(flow_map.table()["carrier"])
    assert "100% of the energy" in flow_map.foot
    assert "World market" in set(flow_map.table()["from"])


def test_world_market_has_no_spot_on_the_map(flow_map: FlowMap):
    flow_map.param.update(outside=True, carriers=["all"])
    places = {place["name"]: place for place in flow_map._view.picture["places"]}
    assert places["World market"]["x"] is None
    assert places["World market"]["edge"]
    assert places["Germany"]["x"] is not None


def test_arrow_and_region_open_their_details(flow_map: FlowMap):
    flow_map._view._handle_msg({"arc": 0, "key": flow_map._view.picture["key"]})
    assert flow_map.drawer_open
    first = flow_map.table().iloc[0]
    assert flow_map._view.picked == ["arc", 0]
    assert f"{first['from']} → {first['to']}" in texts(flow_map._details.view)
    flow_map.drawer_open = False
    assert flow_map.opened == ""
    flow_map.opened = "SES"
    assert "Sweden South" in texts(flow_map._details.view)


def texts(view: Any) -> list[str]:
    """All plain texts of a column."""
    return [part.text for part in view.objects if hasattr(part, "text")]


def test_click_on_what_was_shown_before_is_not_taken_for_another(flow_map: FlowMap):
    old = flow_map._view.picture["key"]
    flow_map.net = False
    flow_map._view._handle_msg({"arc": 0, "key": old})
    assert not flow_map.drawer_open


def test_difference_is_signed_and_named(flow_map: FlowMap):
    flow_map.other = "Climate target"
    assert flow_map.title.startswith("Net trade: Electricity, Hydrogen, Climate target less Ref")
    assert flow_map._view.picture["is_difference"]
    assert (frame_of(flow_map) < 0).any()


def test_region_without_coordinates_is_listed_and_placed_where_the_user_says(tmp_path: Path):
    rows = flows("IMPGAS: -> GAS 10\nPLANT: GAS 10 -> ELC 5")
    source = publish(
        write_set(
            tmp_path / "files",
            rows,
            process_sets={"IRE": "IMPGAS"},
            commodity_sets={"NRG": "GAS ELC"},
            units={"PJ": "GAS ELC"},
        ),
        tmp_path / "data",
    )
    flow_map = FlowMap(source=source)
    assert flow_map.main is not None
    [region] = source.regions
    places = {place["name"]: place for place in flow_map._view.picture["places"]}
    assert places[region]["x"] is None
    assert flow_map._beside._unplaced.visible
    flow_map.place(region, 55.0, 12.0)
    assert flow_map.placed == [f"{region}=55.0000 12.0000"]
    places = {place["name"]: place for place in flow_map._view.picture["places"]}
    assert places[region]["x"] == pytest.approx(12.0 * 111_319.49, rel=1e-5)
    assert not flow_map._beside._unplaced.visible
    with pytest.raises(ValueError, match="no latitude"):
        flow_map.place(region, 120, 55)


def test_scenario_without_trade_says_so(data: Path):
    refused = FlowMap(source=catalogs.open_source(data, "markup"))
    assert refused.main is not None
    assert refused.title == "Flow map"
    assert not refused.working


def test_each_scenario_has_a_map_on_the_same_scale(flow_map: FlowMap):
    alone = flow_map._view.picture["most"]
    flow_map.maps = "each"
    assert flow_map.title == "Net trade: Electricity, Hydrogen, 3 scenarios, 2050, PJ"
    others = flow_map._beside_it.views
    assert list(others) == ["Climate target", "No new interconnectors"]
    views = [flow_map._view, *others.values()]
    assert len({view.group for view in views} - {""}) == 1
    for name in ("most", "widest", "bounds"):
        assert len({str(view.picture[name]) for view in views}) == 1
    colours = [{c["label"]: c["colour"] for c in view.picture["categories"]} for view in views]
    assert colours[0]["Electricity"] == colours[1]["Electricity"]
    # The scale is that of the largest flow of all maps: each scenario's own, asked for alone.
    largest = [alone]
    for name in others:
        single = FlowMap(source=flow_map.source, year=2050)
        single.selection.base = name
        assert single.main is not None
        largest.append(single._view.picture["most"])
        shown = values_of(others[name])
        assert shown.max() == pytest.approx(single.table()["value"].max(), rel=1e-6)
    assert flow_map._view.picture["most"] == pytest.approx(max(largest))
    # Another year goes to all of them; a click opens what that scenario has.
    flow_map.year = 2030
    assert {view.when[0] for view in views} == {"2030"}
    climate = others["Climate target"]
    climate._handle_msg({"arc": 0, "key": climate.picture["key"]})
    assert flow_map.opened_in == "Climate target"
    assert any("Climate target" in text for text in texts(flow_map._details.view))
    assert climate.picked == ["arc", 0]
    flow_map.other = "Climate target"
    assert not flow_map._beside_it.views


def test_first_map_is_of_a_scenario_that_has_a_place(tmp_path: Path):
    for region, name, model in (("DK", "Placed", "B"), ("Nowhere", "Not placed", "A")):
        files = write_set(
            tmp_path / region,
            flows("IMPGAS: -> GAS 10\nPLANT: GAS 10 -> ELC 5", region=region),
            scenario=name,
            process_sets={"IRE": "IMPGAS"},
            commodity_sets={"NRG": "GAS ELC"},
            units={"PJ": "GAS ELC"},
        )
        source = publish(files, tmp_path / "data", model=model)
    untouched = Selection()
    untouched.offer(source)
    assert untouched.scenarios == ["Not placed"]  # imported last
    assert FlowMap(source=source).scenario == "Placed"
    # What somebody chose stays.
    chosen = Selection()
    chosen.offer(source)
    chosen.base = "Not placed"
    assert FlowMap(source=source, selection=chosen).scenario == "Not placed"


def test_commodities_have_colours_of_their_own(flow_map: FlowMap):
    flow_map.param.update(colour_by="commodity", outside=True, carriers=["all"])
    labels = {entry["label"] for entry in flow_map._view.picture["categories"]}
    assert len(labels) > 4
    assert len({entry["colour"] for entry in flow_map._view.picture["categories"]}) > 4


# ---------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[Served]:
    with serving(data) as served:
        yield served


@pytest.fixture
def address(site: Served) -> str:
    return f"{site.url}/flowmaps?dataset=demo&year=2050"


pages = pytest.mark.browser

#: Finds the maps, whose own objects know where arcs are in pixels.
_FIND_ALL = """
() => {
  const found = []
  const look = (node) => {
    for (const child of node.querySelectorAll("*")) {
      if (child.classList.contains("flowmap")) { found.push(child) }
      if (child.shadowRoot) { look(child.shadowRoot) }
    }
  }
  look(document)
  return found
}
"""
_FIND = f"() => ({_FIND_ALL})()[0]"


def wait_for_map(page: Page) -> None:
    page.wait_for_function(f"() => ({_FIND})()?.dataset.state === 'still'")


def middle_of_arc(page: Page, arc: int) -> tuple[float, float]:
    """Where the middle of an arc is on the page, in pixels."""
    x, y = page.evaluate(
        f"""(arc) => {{
          const root = ({_FIND})()
          const map = root.flowmap
          const {{starts, pixels}} = map.ways
          const at = Math.floor((starts[arc] + starts[arc + 1]) / 2)
          const frame = root.getBoundingClientRect()
          return [frame.left + pixels[2 * at], frame.top + pixels[2 * at + 1]]
        }}""",
        arc,
    )
    return x, y


@pages
def test_hover_tells_and_click_opens_what_the_link_then_shows(
    new_page: Callable[..., Page], page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    wait_for_map(page)
    box = page.locator(".flowmap").bounding_box()
    assert box is not None
    assert box["width"] > 0.5 * DESKTOP["width"]  # between the rail and the legend
    page.mouse.move(*middle_of_arc(page, 0))
    expect(page.locator(".flowmap .note")).to_contain_text("Sweden North → Sweden South")
    page.mouse.click(*middle_of_arc(page, 0))
    heading = page.get_by_role("heading", name="Sweden North → Sweden South")
    expect(heading).to_be_visible()
    assert "opened=SEN" in query_of(page)
    other = new_page()
    open_page(other, page.url)
    expect(other.get_by_role("heading", name="Sweden North → Sweden South")).to_be_visible()


@pages
@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_tables_of_the_details_fit_and_can_be_read(
    new_page: Callable[..., Page], address: str, size: dict[str, int], theme: str
):
    page = new_page(viewport=size, color_scheme=theme)
    open_page(page, f"{address}&opened=SES%3EDKE%3EElectricity")
    tables = page.locator("table.panel-df")
    expect(page.get_by_role("columnheader", name="Loading")).to_be_visible()
    expect(tables).to_have_count(3)
    # No head or cell is cut or reaches over the edge, and all rows are written in the same colour.
    for found in tables.evaluate_all("""(tables) => tables.map((table) => ({
        right: table.getBoundingClientRect().right,
        cut: [...table.querySelectorAll("th, td")]
          .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length,
        colours: [...new Set([...table.querySelectorAll("td")]
          .map((cell) => getComputedStyle(cell).color))],
      }))"""):
        assert found["right"] <= size["width"]
        assert found["cut"] == 0
        [colour] = found["colours"]
        dark = sum(map(int, re.findall(r"\d+", colour)[:3])) < 300
        assert dark == (theme == "light")


@pages
def test_click_works_while_years_play(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    wait_for_map(page)
    page.get_by_role("button", name="Play").first.click()
    wait_for_title(page, "Reference, (2025|2030|2035)")
    page.mouse.click(*middle_of_arc(page, 0))
    expect(page.get_by_role("heading", name="Sweden North → Sweden South")).to_be_visible()
    page.get_by_role("button", name="Play").first.click()


@pages
def test_zoom_keeps_arcs_on_the_land_and_loads_finer_land(
    page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    wait_for_map(page)
    points = """() => Bokeh.documents[0].roots().flatMap((root) => [...root.references()])
      .filter((m) => m.name === 'flowmap-land')
      .map((m) => (m.data_source.data.xs[0] || []).length)[0]"""
    before = page.evaluate(points)
    assert before > 10
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function(f"(before) => ({points})() !== before", arg=before)
    assert page.evaluate(f"() => ({_FIND})().flowmap.count") > 5
    page.get_by_role("button", name="Show everything").click()


@pages
def test_choices_lead_to_the_map_they_name(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    choose(page, "Difference of", "Climate target")
    wait_for_title(page, "Climate target less Reference")
    page.go_back()
    wait_for_title(page, "Net trade: Electricity, Hydrogen, Reference, 2050")
    page.get_by_role("button", name="All carriers").click()
    wait_for_title(page, "Net trade: Energy, Reference, 2050")
    open_tab(page, "Table")
    with page.expect_download() as download:
        page.get_by_role("button", name="Flows as CSV").click()
    assert download.value.suggested_filename == "flows.csv"
    with page.expect_download() as download:
        page.get_by_role("button", name="Regions as Excel").click()
    assert download.value.suggested_filename == "regions.xlsx"
    open_tab(page, "Query")
    expect(page.get_by_text("FROM energy")).to_be_visible()


@pages
def test_maps_beside_each_other_follow_the_one_that_is_moved(
    page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    wait_for_map(page)
    choose(page, "Scenarios", "One map each")
    wait_for_title(page, "3 scenarios")
    assert "maps=each" in query_of(page)
    ranges = f"""() => ({_FIND_ALL})().map((root) => root.flowmap.plot && root.flowmap.target
      && Object.values(root.flowmap.ranges()).map((n) => Math.round(n / 1000)).join())"""
    same = f"""() => {{ const found = ({ranges})();
      return found.length === 3 && found[0] && new Set(found).size === 1 && found[0] }}"""
    before = page.wait_for_function(same).json_value()
    page.get_by_role("button", name="Zoom in").nth(1).click()
    page.wait_for_function(
        f"(before) => {{ const now = ({same})(); return now && now !== before }}", arg=before
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pages
@pytest.mark.parametrize("kind", ["SVG", "PNG"])
def test_map_is_saved_as_a_file(page: Page, recorded: Recorded, address: str, kind: str):
    open_page(page, address)
    wait_for_map(page)
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Map as {kind}").click()
    content = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename == f"flow-map-2050.{kind.lower()}"
    if kind == "PNG":
        assert content.startswith(b"\x89PNG")
        assert len(content) > 20_000
    else:
        text = content.decode()
        assert "<svg" in text
        assert "Sweden South" in text
        assert text.count("<path") > 20


@pages
def test_tiles_are_asked_for_only_when_chosen_and_hold_up_nothing(page: Page, site: Served):
    asked: list[Route] = []
    came: list[str] = []

    def keep(route: Route) -> None:
        asked.append(route)

    page.route(re.compile("^https:"), keep)
    page.on("requestfinished", lambda request: came.append(request.url))
    open_page(page, f"{site.url}/flowmaps?dataset=demo&year=2050")
    wait_for_map(page)
    assert asked == []
    page.get_by_role("switch", name="Web map below").check()
    until(page, lambda: bool(asked))
    # Nobody has answered yet, and the map is there.
    wait_for_map(page)
    page.mouse.move(*middle_of_arc(page, 0))
    expect(page.locator(".flowmap .note")).to_contain_text("Sweden North → Sweden South")
    tile = "https://tile.openstreetmap.org/"
    assert all(route.request.url.startswith(tile) for route in asked)
    for route in asked:
        assert route.request.header_value("referer") == f"{site.url}/"
        route.fulfill(
            content_type="image/png", body=PIXEL, headers={"Access-Control-Allow-Origin": "*"}
        )
    until(page, lambda: any(url.startswith(tile) for url in came))


@pages
def test_a_site_without_a_web_map_offers_none(
    new_page: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TIMES_TILES", "")
    catalogs.ensure_demo(tmp_path)
    with serving(tmp_path) as served:
        page = new_page()
        found = record(page)
        open_page(page, f"{served.url}/flowmaps?dataset=demo&tiles=true")
        wait_for_map(page)
        expect(page.get_by_role("switch", name="Net of what")).to_be_visible()
        expect(page.get_by_role("switch", name="Web map")).to_have_count(0)
        assert found == Recorded()


@pages
def test_unknown_region_is_placed_by_a_click(page: Page, recorded: Recorded, site: Served):
    open_page(page, f"{site.url}/flowmaps?dataset=nowhere")
    expect(page.get_by_role("heading", name="Not on the map")).to_be_visible()
    wait_for_map(page)
    page.get_by_role("button", name="Place R1").click()
    expect(page.locator(".flowmap.placing")).to_be_visible()
    box = page.locator(".flowmap").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.55 * box["width"], box["y"] + 0.4 * box["height"])
    # It is where the click was, and the link keeps it.
    until(page, lambda: "placed=" in query_of(page))
    page.wait_for_function(f"() => ({_FIND})()?.flowmap.spots?.some((spot) => spot)")
    [spot] = page.evaluate(f"() => ({_FIND})().flowmap.picture.places.filter((p) => p.x !== null)")
    assert spot["name"] == "R1"
    expect(page.get_by_role("heading", name="Not on the map")).to_be_hidden()
    expect(page.locator(".flowmap.placing")).to_have_count(0)


@pages
def test_no_trade_is_a_sentence_and_markup_stays_text(page: Page, recorded: Recorded, site: Served):
    open_page(page, f"{site.url}/flowmaps?dataset=markup")
    expect(page.get_by_text(re.compile("has no trade"))).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


@pages
def test_phone_has_no_sideways_scroll(new_page: Callable[..., Page], address: str):
    page = new_page(viewport=PHONE, color_scheme="dark")
    recorded = record(page)
    open_page(page, address)
    wait_for_map(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert recorded.console == []
