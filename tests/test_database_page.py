"""The page at /database in a browser, with the service that it has when served."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import catalogs
from tests.browser import PHONE, Recorded, Served, open_page, query_of, record, serving
from tests.times_files import flows, publish, write_set
from tests.times_page import wait_for_title

MARKUP = "<img src=x onerror=alert(1)>"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, and a dataset whose names are markup."""
    directory = tmp_path_factory.mktemp("database")
    catalogs.ensure_demo(directory)
    files = write_set(
        tmp_path_factory.mktemp("files"),
        flows("MINE: -> ELC 10\nHEATER: ELC 10 -> HEAT 9"),
        units={"PJ": "ELC HEAT"},
        descriptions={"HEATER": MARKUP, "ELC": MARKUP},
    )
    publish(files, directory, "markup")
    with serving(directory) as served:
        yield served


@pytest.fixture
def address(site: Served) -> str:
    return f"{site.url}/database?dataset=demo"


def summary(page: Page) -> Locator:
    """The line above the result: rows, columns and time."""
    return page.get_by_role("status").filter(has_text=re.compile(r"\d rows?, \d+ column"))


def open_tab(page: Page, name: str) -> None:
    """Look at the result in another way."""
    page.get_by_role("tab", name=name, exact=True).click()


def write(page: Page, text: str) -> None:
    """Replace the text in the editor, as somebody who types."""
    page.locator(".ace_content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def type_by_hand(page: Page, text: str) -> None:
    """Type a text with a hand's pauses between its letters: completion is for people."""
    page.keyboard.type(text, delay=120)


def rows(page: Page) -> Locator:
    """The rows of the result that are drawn."""
    return page.get_by_role("table", name="Rows of the result").locator("[role=row]")


def test_first_screen_has_a_query_and_its_chart(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_contain_text("36 rows, 4 columns")
    expect(page.locator(".bk-Canvas, canvas").first).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Transport")
    expect(page.get_by_text(re.compile("A query may run"))).to_be_visible()
    wait_for_title(page, "Final energy by sector, demo")


def test_query_is_written_run_and_shared(
    new_page: Callable[..., Page], page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    open_tab(page, "Table")
    write(page, "SELECT process, value FROM flow_annual WHERE year = $year LIMIT 7")
    expect(page.get_by_role("combobox", name="$year")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(summary(page)).to_contain_text("7 rows, 2 columns")
    expect(rows(page).nth(1)).to_contain_text(re.compile(r"\w"))
    assert "sql=" in query_of(page)
    # Whoever opens the link sees the query before it runs.
    other = new_page()
    recorded_there = record(other)
    open_page(other, page.url)
    expect(other.get_by_text("This query came with the link")).to_be_visible()
    expect(other.locator(".ace_content")).to_contain_text("FROM flow_annual")
    expect(summary(other)).to_have_count(0)
    other.get_by_role("button", name="Run: everything").click()
    expect(summary(other)).to_contain_text("7 rows, 2 columns")
    assert recorded_there.console == []


def test_back_button_goes_to_the_query_before(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    page.get_by_role("button", name="Emissions by sector", exact=False).first.click()
    wait_for_title(page, "Emissions by sector")
    expect(summary(page)).to_contain_text("42 rows")
    page.go_back()
    wait_for_title(page, "Final energy by sector")
    expect(summary(page)).to_contain_text("36 rows")


def test_error_is_marked_at_its_line_with_a_hint(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    write(page, "SELECT process,\n  valu\nFROM flow_annual")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".ace_gutter-cell.ace_error")).to_have_text(re.compile("2"))
    expect(page.get_by_role("main")).to_contain_text("valu")
    page.get_by_role("button", name="Go to line 2").click()


def test_forbidden_sql_is_answered_in_words(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    write(page, "SELECT * FROM read_csv('/etc/passwd')")
    page.keyboard.press("Control+Enter")
    notice = page.locator(".times-notice")
    expect(notice).to_be_visible()
    assert "root:" not in page.get_by_role("main").inner_text()


def test_completion_offers_tables_columns_and_codes(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    write(page, "SELECT ")
    popup = page.locator(".ace_autocomplete:visible")
    type_by_hand(page, "flow_ann")
    expect(popup).to_contain_text("flow_annual")
    page.keyboard.press("Enter")
    type_by_hand(page, " WHERE process = 'wind")
    expect(popup).to_contain_text("EWINON01")


def test_click_in_the_schema_inserts_and_explains(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    write(page, "FROM ")
    page.get_by_role("tab", name="Tables").click()
    page.get_by_role("button", name="Insert trade", exact=True).click()
    expect(page.locator(".ace_content")).to_contain_text("FROM trade")
    page.get_by_role("searchbox", name=re.compile("Search tables")).fill("heat pump")
    expect(page.get_by_role("button", name=re.compile("HPPAMB01"))).to_be_visible()
    page.get_by_role("searchbox", name=re.compile("Search tables")).fill("")
    page.get_by_role("button", name="About the table trade", exact=True).click()
    expect(page.get_by_text("8\u2009856 rows")).to_be_visible()


def test_history_and_saved_queries_stay_in_the_browser(
    page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    write(page, f"SELECT 41 + 1 AS answer -- {MARKUP}")
    page.keyboard.press("Control+Enter")
    expect(summary(page)).to_contain_text("1 row, 1 column")
    page.get_by_role("button", name="Save: keep").click()
    expect(page.get_by_text("Saved in this browser")).to_be_visible()
    page.reload()
    expect(page.locator(".ace_content")).to_contain_text("41 + 1")
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("button", name=re.compile("^SELECT 41"))).to_be_visible()
    page.get_by_role("tab", name="Saved").click()
    page.get_by_role("button", name=re.compile("^Final energy by sector ")).last.click()
    expect(page.locator(".ace_content")).to_contain_text("41 + 1")
    assert page.locator("img[src=x]").count() == 0


def test_sheets_are_added_renamed_and_closed(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    page.get_by_role("button", name="New query").click()
    tabs = page.get_by_role("tablist", name="Queries").get_by_role("tab")
    expect(tabs).to_have_count(2)
    expect(page.locator(".ace_content")).not_to_contain_text("SELECT")
    tabs.nth(1).press("F2")
    page.get_by_role("textbox", name="Name of the query").fill("Mine")
    page.keyboard.press("Enter")
    expect(tabs.nth(1)).to_have_text("Mine")
    tabs.nth(0).click()
    expect(page.locator(".ace_content")).to_contain_text("SELECT f.year")
    page.get_by_role("button", name="Close Mine").click()
    expect(tabs).to_have_count(1)


def test_wide_results_are_scrolled_and_only_what_is_seen_is_there(
    page: Page, recorded: Recorded, address: str
):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    open_tab(page, "Table")
    columns = ", ".join(f"i * {n} AS column_{n}" for n in range(300))
    write(page, f"SELECT {columns} FROM range(5000) AS t(i)")
    page.keyboard.press("Control+Enter")
    expect(summary(page)).to_contain_text("5\u2009000 rows, 300 columns")
    table = page.get_by_role("table", name="Rows of the result")
    assert table.get_by_role("cell").count() < 1500
    table.evaluate("(element) => element.scrollTo(20000, 28 * 4990)")
    last = table.locator("[data-at='4999/299']")
    table.evaluate("(element) => element.scrollTo(element.scrollWidth, element.scrollHeight)")
    expect(last).to_have_text("1\u2009494\u2009701")
    head = table.get_by_role("columnheader", name=re.compile("column_299"))
    for order in ("ascending", "descending"):
        head.click()
        expect(head).to_have_attribute("aria-sort", order)
    expect(table.locator("[data-at='0/299']")).to_have_text("1\u2009494\u2009701")


def test_markup_in_names_and_values_stays_text(page: Page, recorded: Recorded, site: Served):
    open_page(page, f"{site.url}/database?dataset=markup")
    open_tab(page, "Table")
    write(page, f"SELECT process AS \"{MARKUP}\", description, '{MARKUP}' AS text FROM process")
    page.keyboard.press("Control+Enter")
    expect(summary(page)).to_contain_text("2 rows, 3 columns")
    for view in ("Columns", "Chart", "Table"):
        open_tab(page, view)
    expect(page.get_by_role("cell").filter(has_text=MARKUP).first).to_be_visible()
    page.get_by_role("cell").filter(has_text=MARKUP).first.click()
    page.get_by_role("tab", name="Tables").click()
    page.get_by_role("searchbox", name=re.compile("Search tables")).fill("onerror")
    expect(page.get_by_role("button", name=re.compile("HEATER"))).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_whole_result_is_fetched_as_a_file(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].replace('"', "") == "year,sector,value,unit"
    assert len(lines) == 37
    expect(page.get_by_text(re.compile(r"CSV: 36 rows in"))).to_be_visible()


def test_long_query_is_cancelled_at_once(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    write(page, "SELECT sum(a.range * b.range % 7) FROM range(1000000) AS a, range(1000000) AS b")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Run it again")).to_be_visible(timeout=4000)


def test_plan_is_shown_as_a_tree(page: Page, recorded: Recorded, address: str):
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    page.get_by_role("button", name="Plan: how").click()
    tree = page.get_by_role("list", name=re.compile("Steps of the query"))
    expect(tree).to_contain_text("rows")
    expect(tree).not_to_contain_text("__internal")


def test_flows_are_drawn_as_a_sankey(page: Page, recorded: Recorded, site: Served):
    open_page(page, f"{site.url}/database?dataset=demo&example=energy-flows")
    expect(page.locator("g.node").filter(has_text="Industry")).to_be_visible()


def test_phone_has_no_sideways_scroll(new_page: Callable[..., Page], address: str):
    page = new_page(viewport=PHONE)
    recorded = record(page)
    open_page(page, address)
    expect(summary(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert recorded.console == []
    assert recorded.external == []
