"""Flow records in a browser: the image of what is too much for arrows, their table and query."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catalogs.flow_records.query import MOST_ARCS
from tests.browser import Served, open_page, query_of, serving, until
from tests.flow_files import imported
from tests.test_flow_map_page import _FIND, wait_for_map

SIDE = 9
#: A lone flow over the sea, away from a thicket of all pairs of a square of places.
LOCATIONS = "id,name,longitude,latitude\nREY,Reykjavik,-21.9,64.1\nTOR,Torshavn,-6.8,62.0\n"
PLACES = [f"p{n}" for n in range(SIDE * SIDE)]

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("recorded")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("dense")
    square = "".join(
        f"{name},{name},{5 + n % SIDE},{46 + n // SIDE}\n" for n, name in enumerate(PLACES)
    )
    rows = [
        f"{time},{a},{b},{1 + (7 * i + 3 * j) % 50}"
        for time in (1, 2)
        for i, a in enumerate(PLACES)
        for j, b in enumerate(PLACES)
        if i != j
    ]
    rows += ["1,REY,TOR,40", "2,REY,TOR,25"]
    flows = imported(
        folder, *rows, locations=LOCATIONS + square, header="hour,origin,destination,flow [MWh]"
    )
    assert len(flows.levels) > 1
    with serving(folder / "data") as served:
        yield served


def address(site: Served, more: str = "") -> str:
    return f"{site.url}/flowmaps?dataset=flows{more}"


def all_of_it(site: Served) -> str:
    """The address of every arc, both ways: more than are drawn as marks."""
    assert SIDE**4 > MOST_ARCS
    return address(site, f"&arrows=0&net=false&level={_finest(site)}")


def _finest(site: Served) -> int:
    from catalogs.flow_records.records import FlowRecords

    records = FlowRecords(site.data_directory / "flows" / "manifest.json")
    try:
        return len(records.levels) - 1
    finally:
        records.close()


def wait_for_image(page: Page) -> None:
    page.wait_for_function(
        f"""() => {{
          const map = ({_FIND})()?.flowmap
          return map?.picture?.is_image && map.plot?.renderers.some(
            (one) => one.name === "flowmap-image" && one.data_source.data.image?.length > 0)
        }}""",
        timeout=90_000,  # a server's first image is compiled
    )
    wait_for_map(page)


def half_way(page: Page, start: str, end: str) -> tuple[float, float]:
    """Where the middle between two places is on the page, in pixels."""
    x, y = page.evaluate(
        f"""(names) => {{
          const root = ({_FIND})()
          const frame = root.getBoundingClientRect()
          const spots = names.map((name) =>
            root.flowmap.spots[root.flowmap.picture.places.findIndex((one) => one.name === name)])
          return [frame.left + (spots[0][0] + spots[1][0]) / 2,
            frame.top + (spots[0][1] + spots[1][1]) / 2]
        }}""",
        [start, end],
    )
    return x, y


def test_an_image_is_hovered_and_clicked_like_arrows(site: Served, page: Page) -> None:
    open_page(page, all_of_it(site))
    wait_for_image(page)
    assert page.locator(".flowmap").get_attribute("data-arcs") == "0"
    x, y = half_way(page, "Reykjavik", "Torshavn")
    page.mouse.move(x + 1, y)
    page.mouse.move(x, y)
    note = page.locator(".flowmap .note")
    expect(note).to_contain_text("Reykjavik → Torshavn")
    expect(note).to_contain_text("65.0")
    page.mouse.move(x, y - 120)  # over nothing
    expect(note).to_be_hidden()
    page.mouse.click(x, y)
    expect(page.get_by_role("heading", name="Reykjavik → Torshavn")).to_be_visible()
    until(page, lambda: "opened=REY" in query_of(page))


def test_a_dense_map_begins_with_few_arrows_and_shows_all_as_an_image(
    site: Served, page: Page
) -> None:
    open_page(page, address(site))
    wait_for_map(page)
    arcs = page.locator(".flowmap").get_attribute("data-arcs")
    assert arcs is not None
    assert 0 < int(arcs) <= 200
    expect(page.get_by_text("of the energy").first).to_contain_text("by cluster")
    open_page(page, all_of_it(site))
    wait_for_image(page)
    expect(page.get_by_text("of the energy").first).to_contain_text("100% of the energy")


def test_table_and_query_open_beside_the_map(site: Served, page: Page, tmp_path: Path) -> None:
    open_page(page, address(site, "&tab=table"))
    with page.expect_download() as started:
        page.get_by_text("Download CSV").click()
    saved = tmp_path / "flows.csv"
    started.value.save_as(saved)
    lines = saved.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].replace('"', "").startswith("from,to,kind,value,other way")
    assert len(lines) > 2
    page.get_by_role("tab", name="Query").click()
    expect(page.get_by_text("The query behind the map")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("LIMIT 200")
    until(page, lambda: "tab=query" in query_of(page))
