"""The drawn Sankey in a browser: what is seen, what is read aloud, and what Python is told."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from components.sankey.layout import Link, Node, lay_out, lay_out_both
from components.sankey.view import SankeyView, make_picture
from components.theme import DARK, LIGHT
from tests.browser import PHONE, Recorded, Served, open_page, record, serving
from tests.stand_in.sankey import MARKUP, VILLAGE

NAMES = {name for ends in VILLAGE for name in ends}


# ---------------------------------------------------------------------- in Python alone


def test_a_picture_is_plain_lists_with_words() -> None:
    layout = lay_out([Node("a"), Node("b")], [Link("a", "b", 2), Link("b", "a", 1)])
    picture = make_picture(
        layout, nodes={"a": {"label": "Coal", "opens": True}}, links={"a → b": {"amount": "2 PJ"}}
    )
    first, second = picture["nodes"]
    assert (first["label"], first["opens"], second["label"]) == ("Coal", True, "b")
    assert first["fill"] == pytest.approx(first["y1"] - first["y0"])
    assert first["base"] is None
    there, back = picture["links"]
    assert (there["label"], there["amount"], there["detour"]) == ("Coal → b", "2 PJ", None)
    assert back["label"] == "b → Coal"
    assert set(back["detour"]) == {"x_out", "x_in", "y", "radius"}


def test_a_picture_of_two_scenarios_has_both_widths() -> None:
    both = lay_out_both([Node("a"), Node("b")], [Link("a", "b", 4)], [Link("a", "b", 1)])
    (link,) = make_picture(both)["links"]
    assert link["base"] == pytest.approx(4 * link["fill"])
    assert link["width"] == link["base"]


def test_words_for_what_is_not_there_are_refused() -> None:
    layout = lay_out([Node("a")], [])
    with pytest.raises(ValueError, match="no node 'b'"):
        make_picture(layout, nodes={"b": {}})
    with pytest.raises(ValueError, match="has no color"):
        make_picture(layout, nodes={"a": {"color": "red"}})


def test_only_what_is_in_the_picture_can_be_opened() -> None:
    told: list[Any] = []
    view = SankeyView(
        picture=make_picture(lay_out([Node("a")], [])),
        on_open=told.append,
        on_link=told.append,
        on_width=told.append,
    )
    for message in ({"open": "a"}, {"open": "b"}, {"open": None}, {"link": "a"}, {"focus": "a"}):
        view._handle_msg(message)
    for width in (700.4, 0, -1, "wide", 1e9):
        view._handle_msg({"width": width})
    assert told == ["a", 700]


def test_other_files_than_svg_and_png_are_refused() -> None:
    with pytest.raises(ValueError, match="'gif'"):
        SankeyView().export("gif")  # type: ignore[arg-type]


# ---------------------------------------------------------------------- in a browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with a drawn Sankey."""
    folder = tmp_path_factory.mktemp("sankey")
    served: Served
    with serving(folder, "tests.stand_in.sankey") as served:
        yield f"{served.url}/times"


def show(page: Page, url: str) -> None:
    open_page(page, url)
    wait_until_it_fits(page)


def wait_until_it_fits(page: Page) -> None:
    """Wait until Python has laid the picture out for the width there is, and all is in place."""
    page.wait_for_function(
        "(svg) => svg.viewBox.baseVal.width === Math.max(640, svg.parentElement.clientWidth)",
        arg=page.locator(".sankey svg").element_handle(),
    )
    wait_until_still(page)


def wait_until_still(page: Page) -> None:
    page.locator(".sankey[data-state=still]").wait_for()


def node(page: Page, name: str) -> Locator:
    return page.locator(f'.node[data-id="{name}"]')


def link(page: Page, name: str) -> Locator:
    return page.locator(f'.link[data-id="{name}"]')


def said(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=True)).to_be_visible()


def lit(page: Page, kind: str) -> set[str]:
    names: list[str] = page.locator(f".{kind}.lit").evaluate_all(
        "marks => marks.map(mark => mark.dataset.id)"
    )
    return set(names)


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    """Rectangles on the page of all marks that are shown, in pixels."""
    found: list[dict[str, float]] = page.locator(selector).evaluate_all(
        """marks => marks.filter(mark => getComputedStyle(mark).display !== "none").map(mark => {
          const {left, right, top, bottom} = mark.getBoundingClientRect()
          return {left, right, top, bottom, text: mark.textContent}
        })"""
    )
    return found


def overlapping(found: list[dict[str, float]], slack: float) -> list[tuple[Any, Any]]:
    return [
        (one["text"], other["text"])
        for one, other in itertools.combinations(found, 2)
        if one["left"] < other["right"] - slack
        and other["left"] < one["right"] - slack
        and one["top"] < other["bottom"] - slack
        and other["top"] < one["bottom"] - slack
    ]


def test_nodes_links_and_labels_are_drawn(page: Page, recorded: Recorded, address: str) -> None:
    show(page, address)
    expect(page.locator(".node")).to_have_count(len(NAMES))
    expect(page.locator(".link")).to_have_count(len(VILLAGE))
    labels = page.locator(".node .name").all_text_contents()
    assert {"Electricity", "Households", "Coal mine", "Losses"} <= set(labels)
    expect(node(page, "Households")).to_have_attribute(
        "aria-label", "Households, 133.0, 12% of the supply"
    )
    # Widths tell values: the electricity of wind is 95, that of coal 32.
    tall = [
        page.locator(f'.node[data-id="{name}"] .box').bounding_box()["height"]  # type: ignore[index]
        for name in ("Wind farms", "Solar")
    ]
    assert tall[0] / tall[1] == pytest.approx(95 / 38, rel=0.02)


@pytest.mark.parametrize("system", ["village", "crowd"])
@pytest.mark.parametrize("width", [1400, 1000, 390])
def test_labels_never_overlap(
    system: str, width: int, new_page: Callable[..., Page], address: str
) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    show(page, f"{address}?system={system}")
    labels = boxes(page, ".node text")
    count = page.locator(".node").count()
    # About half have one even where 14 layers share 640 px; what is cut leaves four letters.
    assert len(labels) > 0.45 * count
    for label in page.locator(".node .name:visible").all_text_contents():
        assert len(label) > 4 or "…" not in label
    assert len(boxes(page, ".node .box")) == count
    # A line of 12.5 px is 16 px apart from the next; letters' boxes are a little higher.
    assert overlapping(labels, slack=1.5) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_have_their_colours(
    scheme: str, new_page: Callable[..., Page], address: str
) -> None:
    page = new_page(color_scheme=scheme)
    found = record(page)
    show(page, address)
    palette = {"light": LIGHT, "dark": DARK}[scheme]
    red, green, blue = (int(palette.text[place : place + 2], 16) for place in (1, 3, 5))
    name = page.locator(".node .name").first
    expect(name).to_have_css("fill", f"rgb({red}, {green}, {blue})")
    assert found == Recorded()


def test_hover_lights_all_that_flows_in_and_on(
    page: Page, recorded: Recorded, address: str
) -> None:
    show(page, address)
    node(page, "Gas CHP").locator(".box").hover()
    nodes = lit(page, "node")
    assert {"Imports", "Natural gas", "Gas CHP", "Electricity", "Households", "Losses"} <= nodes
    assert not {"Oil", "Wind", "Coal plants", "Biomass CHP"} & nodes
    links = lit(page, "link")
    assert {"Natural gas → Gas CHP", "Electricity → Households"} <= links
    assert "Natural gas → Industry" not in links
    assert "Wind farms → Electricity" not in links
    note = page.locator(".note")
    expect(note).to_contain_text("Gas CHP")
    expect(note).to_contain_text("In 60.0 PJ")
    frame, box = page.locator(".sankey").bounding_box(), note.bounding_box()
    assert frame is not None
    assert box is not None
    assert box["x"] >= frame["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
    page.get_by_role("heading", level=1).hover()
    expect(note).to_be_hidden()
    assert lit(page, "node") == set()


def test_hover_on_a_link_lights_its_path(page: Page, recorded: Recorded, address: str) -> None:
    show(page, address)
    link(page, "Wind → Wind farms").hover()
    assert "Electricity → Households" in lit(page, "link")
    assert lit(page, "node") & {"Solar", "Imports", "Coal"} == set()
    expect(page.locator(".note")).to_contain_text("Wind → Wind farms")
    expect(page.locator(".note")).to_contain_text("95.0 PJ")


def test_clicks_reach_python(page: Page, recorded: Recorded, address: str) -> None:
    show(page, address)
    node(page, "Electricity").locator(".box").click()
    said(page, "open Electricity")
    link(page, "Forests → Biomass").locator(".band").click()
    said(page, "link Forests → Biomass")
    node(page, "Refinery").locator(".box").click(button="right")
    said(page, "focus Refinery")


def test_all_of_it_works_by_keyboard(page: Page, recorded: Recorded, address: str) -> None:
    show(page, address)
    page.get_by_role("button", name="PNG").focus()
    focused = page.locator(".node:focus-visible")
    for _ in range(6):
        page.keyboard.press("Tab")
        if focused.count():
            break
    # The first node of the first layer; then down, and over to the next layer.
    first = focused.get_attribute("data-id")
    page.keyboard.press("ArrowDown")
    second = focused.get_attribute("data-id")
    assert {first, second} < {"Solar", "Wind", "Forests", "Imports", "Coal mine"}
    assert first != second
    ring = focused.locator(".hit").evaluate("hit => getComputedStyle(hit).stroke")
    assert ring == "rgb(11, 92, 138)"
    expect(page.locator(".note")).to_contain_text(str(second))
    page.keyboard.press("End")
    last = str(focused.get_attribute("data-id"))
    assert last in {"Agriculture", "Exports", "Losses"}
    page.keyboard.press("Enter")
    said(page, f"open {last}")
    page.keyboard.press("Shift+Enter")
    said(page, f"focus {last}")
    page.keyboard.press("Shift+ArrowLeft")
    name = str(page.locator(".link:focus").get_attribute("data-id"))
    assert name.endswith(f"→ {last}")
    page.keyboard.press("Enter")
    said(page, f"link {name}")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_attribute("data-id", name.split(" → ", maxsplit=1)[0])
    # Tab leads to the drawing once, not through sixty nodes.
    assert page.locator('.node[tabindex="0"]').count() == 1


def test_a_node_is_dragged_and_put_back(page: Page, recorded: Recorded, address: str) -> None:
    show(page, address)
    box = node(page, "Oil").locator(".box")
    before = box.bounding_box()
    band_before = link(page, "Imports → Oil").locator(".band").get_attribute("d")
    other_before = link(page, "Wind → Wind farms").locator(".band").get_attribute("d")
    assert before is not None
    x, y = before["x"] + 5, before["y"] + 30
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y - 60, steps=4)
    page.mouse.up()
    after = box.bounding_box()
    assert after is not None
    assert after["y"] == pytest.approx(before["y"] - 60, abs=1.5)
    assert after["x"] == pytest.approx(before["x"], abs=0.5)
    assert link(page, "Imports → Oil").locator(".band").get_attribute("d") != band_before
    assert link(page, "Wind → Wind farms").locator(".band").get_attribute("d") == other_before
    page.mouse.dblclick(x, y - 60)
    expect(link(page, "Imports → Oil").locator(".band")).to_have_attribute("d", str(band_before))
    expect(page.get_by_text("open Oil", exact=True)).to_have_count(0)


#: Notes every height that the box of a node is given.
WATCH_HEIGHTS = """box => {
  window.heights = []
  const watch = () => window.heights.push(Number(box.getAttribute("height")))
  new MutationObserver(watch).observe(box, {attributeFilter: ["height"]})
}"""


def test_the_picture_moves_to_the_next_one(page: Page, recorded: Recorded, address: str) -> None:
    show(page, address)
    coal = node(page, "Coal").locator(".box")
    before = float(coal.get_attribute("height") or "")
    coal.evaluate(WATCH_HEIGHTS)
    page.get_by_role("button", name="Later").click()
    page.wait_for_function("before => window.heights.at(-1) < 0.6 * before", arg=before)
    wait_until_still(page)
    heights = page.evaluate("window.heights")
    assert len(set(heights)) > 1
    assert heights == sorted(heights, reverse=True)


def test_nothing_moves_for_those_who_want_it_so(
    new_page: Callable[..., Page], address: str
) -> None:
    page = new_page(reduced_motion="reduce")
    show(page, address)
    node(page, "Coal").locator(".box").evaluate(WATCH_HEIGHTS)
    page.get_by_role("button", name="Later").click()
    page.wait_for_function("window.heights.length > 0")
    wait_until_still(page)
    assert page.evaluate("new Set(window.heights).size") == 1


def test_two_scenarios_are_outline_and_fill(page: Page, recorded: Recorded, address: str) -> None:
    show(page, address)
    assert boxes(page, ".link .base") == []
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".link .base:visible").first).to_be_visible()
    wait_until_still(page)
    for part in ("base", "more", "less"):
        assert boxes(page, f".link .{part}"), part
    # More is what lies beyond the outline, less what the outline has beyond the fill.
    outline = page.locator(".link .base:visible").first
    assert outline.evaluate("path => getComputedStyle(path).fill") == "none"


def test_markup_in_names_stays_text(page: Page, recorded: Recorded, address: str) -> None:
    show(page, f"{address}?system=odd")
    expect(page.locator(".node")).to_have_count(3)
    assert page.locator(".sankey b, .sankey i, .sankey img").count() == 0
    assert "<i>Plant</i>" in page.locator(".node .name").all_text_contents()
    shown = page.locator(".node .name").all_text_contents()
    # On two lines, the second one cut.
    assert any(name.startswith("<b>Gas</b>") for name in shown)
    assert any(name.endswith("…") for name in shown)
    page.locator(".node .box").first.hover()
    names = page.locator(".node").evaluate_all("nodes => nodes.map(n => n.dataset.id)")
    expect(page.locator(".note strong")).to_have_text(names[0])
    assert MARKUP in names


def test_a_picture_of_nothing_is_no_error(page: Page, recorded: Recorded, address: str) -> None:
    show(page, f"{address}?system=nothing")
    expect(page.locator(".node")).to_have_count(0)


def test_a_phone_scrolls_the_picture_and_not_the_page(
    new_page: Callable[..., Page], address: str
) -> None:
    page = new_page(viewport=PHONE)
    found = record(page)
    show(page, address)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = page.locator(".sankey .scroll")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    page_width = page.locator(".main-content").first.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert page_width[0] == page_width[1]
    assert found == Recorded()


def test_python_lays_out_anew_for_another_width(
    page: Page, recorded: Recorded, address: str
) -> None:
    show(page, address)
    drawing, box = page.locator(".sankey svg"), page.locator(".sankey .scroll")
    for width, expected in ((1400, 1052), (900, 552), (1200, 852)):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            "([svg, wide]) => svg.viewBox.baseVal.width ==="
            " Math.max(640, svg.parentElement.clientWidth)"
            " && Math.abs(svg.parentElement.clientWidth - wide) < 60",
            arg=[drawing.element_handle(), expected],
        )
        wait_until_still(page)
        shown = drawing.bounding_box()
        assert shown is not None
        assert shown["width"] == pytest.approx(box.evaluate("box => box.clientWidth"), abs=2)


def test_the_picture_is_downloaded_with_the_colours_of_its_theme(
    new_page: Callable[..., Page], address: str
) -> None:
    page = new_page(color_scheme="dark", accept_downloads=True)
    show(page, address)
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == "flows.svg"
    text = download.value.path().read_text(encoding="utf-8")
    assert "var(" not in text
    assert not re.search(r"<script|href|url\(", text)
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    ground = root.find(f"{space}rect")
    assert ground is not None
    assert ground.get("fill") == DARK.surface
    texts = ["".join(element.itertext()) for element in root.iter(f"{space}text")]
    assert any("Electricity" in text for text in texts)
    assert len(list(root.iter(f"{space}path"))) >= len(VILLAGE)
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    picture = download.value.path().read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000
