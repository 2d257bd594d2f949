"""The page shell in a browser, around a small stand-in component."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.tools import TOOLS
from tests.browser import PHONE, Recorded, Served, open_page, query_of, record, wait_until_drawn

pytestmark = pytest.mark.browser


@pytest.fixture
def times(served_stand_in: Served) -> str:
    """Address of a page with the stand-in."""
    return f"{served_stand_in.url}/times"


def theme_of(page: Page) -> str:
    """The theme that the page shows: that of the document and of every component agree."""
    document = page.evaluate("document.documentElement.dataset.theme")
    drawn = "dark" if page.locator(".mui-dark").count() else "light"
    assert page.locator(".mui-dark").count() == 0 or page.locator(".mui-light").count() == 0
    assert document == drawn
    return str(drawn)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.route)
def test_page_is_silent_and_asks_no_other_host(
    tool, page: Page, recorded: Recorded, served_stand_in: Served
):
    open_page(page, served_stand_in.url + tool.route)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Final energy of Base, Low, CO2")
    current = page.get_by_role("navigation", name="Tools").locator("a[aria-current=page]")
    expect(current).to_have_text(tool.name)
    expect(page.locator(".bk-Canvas, canvas").first).to_be_visible()


def test_browser_tab_is_named_after_what_is_shown(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    expect(page).to_have_title(
        "Final energy of Base, Low, CO2, 2020–2050, PJ – TIMES Energy Analytics"
    )


def test_theme_is_remembered(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    assert theme_of(page) == "light"
    page.get_by_role("button", name="Use the dark theme").click()
    expect(page.locator(".mui-light")).to_have_count(0)
    assert theme_of(page) == "dark"
    page.reload()
    wait_until_drawn(page)
    assert theme_of(page) == "dark"
    page.get_by_role("button", name="Use the light theme").click()
    expect(page.locator(".mui-dark")).to_have_count(0)


def test_theme_follows_the_system_until_one_is_chosen(new_page: Callable[..., Page], times: str):
    page = new_page(color_scheme="dark")
    found = record(page)
    open_page(page, times)
    expect(page.locator(".mui-light")).to_have_count(0)
    assert theme_of(page) == "dark"
    page.emulate_media(color_scheme="light")
    expect(page.locator(".mui-dark")).to_have_count(0)
    assert found == Recorded()


def test_copy_link_copies_the_address_and_says_so(new_page: Callable[..., Page], times: str):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    open_page(page, f"{times}?measure=Generation")
    page.get_by_role("button", name="Copy link to this view").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert "measure=Generation" in copied


def test_help_opens_and_closes_by_keyboard(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    page.get_by_role("button", name="Help", exact=True).press("Enter")
    expect(page.get_by_role("dialog", name="Help")).to_contain_text("How to read it.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Help")).to_be_hidden()


def test_keyboard_reaches_the_tools_and_opens_one(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.get_by_role("link", name="Home").evaluate("a => a.matches(':focus-visible')"):
            break
    outline = page.get_by_role("link", name="Home").evaluate(
        "a => getComputedStyle(a).outlineStyle"
    )
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/?*")
    wait_until_drawn(page)
    expect(page.locator("a[aria-current=page]")).to_have_text("Home")


def test_every_control_has_a_name(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    for control in page.get_by_role("button").all() + page.get_by_role("link").all():
        name = control.evaluate("e => e.ariaLabel || e.textContent.trim() || e.title")
        assert name, control.evaluate("e => e.outerHTML")


def test_state_is_in_the_address_and_a_link_restores_it(page: Page, recorded: Recorded, times: str):
    open_page(page, f"{times}?scenarios=Low\\, CO2,Base&years=2030,2040")
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "Final energy of Low, CO2, Base, 2030–2040, PJ"
    )
    page.get_by_role("switch", name="Stacked").click()
    page.wait_for_url("**stacked=false**")
    assert "scenarios=Low%5C,%20CO2,Base&years=2030,2040" in query_of(page)


def test_back_and_forward_buttons_move_the_state(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    heading = page.get_by_role("heading", level=1)
    page.get_by_role("combobox", name="Measure").click()
    page.get_by_text("Generation", exact=True).click()
    expect(heading).to_contain_text("Generation of")
    page.wait_for_url("**measure=Generation**")
    page.get_by_role("switch", name="Stacked").click()
    page.wait_for_url("**stacked=false**")

    page.go_back()
    expect(page.get_by_role("switch", name="Stacked")).to_be_checked()
    expect(heading).to_contain_text("Generation of")
    page.go_back()
    expect(heading).to_contain_text("Final energy of")
    page.go_forward()
    expect(heading).to_contain_text("Generation of")
    page.go_forward()
    expect(page.get_by_role("switch", name="Stacked")).not_to_be_checked()


def test_bad_values_in_the_address_give_a_notice_and_the_usual_state(
    page: Page, recorded: Recorded, times: str
):
    open_page(page, f"{times}?years=soon,2040&measure=Nonsense&stacked=false&dataset=gone")
    expect(page.get_by_text("asks for years and measure that")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "Final energy of Base, Low, CO2, 2020–2050"
    )
    expect(page.get_by_role("switch", name="Stacked")).not_to_be_checked()


def test_shared_selection_goes_along_to_another_tool(page: Page, recorded: Recorded, times: str):
    open_page(page, f"{times}?scenarios=Base&measure=Generation")
    page.get_by_role("link", name="Home").click()
    page.wait_for_url("**/?*")
    wait_until_drawn(page)
    assert "scenarios=Base" in query_of(page)
    assert "measure" not in query_of(page)


def test_a_page_that_cannot_be_made_says_so_in_the_shell(
    page: Page, recorded: Recorded, served_stand_in: Served, times: str
):
    open_page(page, f"{times}?explode=1")
    expect(page.get_by_text("Something went wrong here.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Tools")).to_be_visible()
    page.get_by_role("button", name="Details").click()
    error_id = page.get_by_text("RuntimeError, error id").inner_text().split()[-1]
    assert "/secret" not in page.locator("body").inner_text()
    assert f"Error {error_id}: told to, in /secret/path" in served_stand_in.log


def test_an_error_in_a_callback_is_explained_without_paths(
    page: Page, recorded: Recorded, served_stand_in: Served, times: str
):
    open_page(page, f"{times}?scenarios=Base")
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_text("That did not work")).to_be_visible()
    assert "/secret/path" not in page.content()
    assert "the stand-in fails, in /secret/path" in served_stand_in.log


def test_markup_in_data_is_shown_as_text(page: Page, recorded: Recorded, times: str):
    open_page(page, f"{times}?scenarios=<b>Low</b> <img src=x onerror=alert(1)>")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<b>Low</b> <img src=x")
    page.get_by_role("button", name="Details").click()
    expect(page.get_by_text("<b>Low</b> <img src=x", exact=False).nth(1)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_drawer_opens_when_asked_and_closes(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    expect(page.get_by_text("Nothing selected.")).to_be_hidden()
    page.get_by_role("button", name="Details").click()
    expect(page.get_by_text("Nothing selected.")).to_be_visible()
    page.get_by_role("button", name="Close details").click()
    expect(page.get_by_text("Nothing selected.")).to_be_hidden()
    page.get_by_role("button", name="Details").click()
    expect(page.get_by_text("Nothing selected.")).to_be_visible()


def test_rail_collapses_and_the_picture_takes_its_place(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    plot = page.locator(".bk-Figure")
    before = plot.bounding_box()["width"]
    page.get_by_role("button", name="Close drawer").click()
    page.wait_for_function(
        "width => { const find = root => { for (const e of root.querySelectorAll('*')) {"
        " if (e.classList.contains('bk-Figure')) return e;"
        " if (e.shadowRoot) { const f = find(e.shadowRoot); if (f) return f } } };"
        " return find(document).getBoundingClientRect().width > width + 250 }",
        arg=before,
    )


def test_phone_has_no_sideways_scroll_and_the_rail_is_a_sheet(
    new_page: Callable[..., Page], times: str
):
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    found = record(page)
    open_page(page, times)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.get_by_role("button", name="Fail")).to_be_hidden()
    page.get_by_role("button", name="Open drawer").tap()
    expect(page.get_by_role("button", name="Fail")).to_be_visible()
    page.touchscreen.tap(PHONE["width"] - 10, 400)
    expect(page.get_by_role("button", name="Fail")).to_be_hidden()
    nav = page.get_by_role("navigation", name="Tools").bounding_box()
    for name in ("Copy link to this view", "Help", "Use the dark theme"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box["x"] + box["width"] <= PHONE["width"]
    assert nav["y"] + nav["height"] == pytest.approx(PHONE["height"], abs=1)
    assert found == Recorded()
