"""What every page of the real application owes its readers, in both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page

from app.tools import TOOLS
from tests.browser import Served, open_page

pytestmark = pytest.mark.browser

#: WCAG 2.2 asks 4.5 of text (1.4.3); of text that cannot be used at present it asks nothing.
LEAST_CONTRAST = 4.5

#: Texts on the page whose colour is too near that of what they stand on, with the contrast.
_FAINT = """least => {
  const above = element => element.parentElement ?? element.getRootNode().host ?? null
  const parts = colour => {
    const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number)
    return {rgb: [red, green, blue], alpha}
  }
  const over = (upper, lower) => upper.rgb.map((part, place) =>
    part * upper.alpha + lower[place] * (1 - upper.alpha))
  const ground = element => {
    if (element === null) return [255, 255, 255]
    const colour = parts(getComputedStyle(element).backgroundColor)
    return colour.alpha === 1 ? colour.rgb : over(colour, ground(above(element)))
  }
  const light = rgb => {
    const [red, green, blue] = rgb.map(part => part / 255).map(part =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
    return (high + 0.05) / (low + 0.05)
  }
  const unused = element => element !== null && (
    element.matches(":disabled, [aria-disabled=true], [aria-hidden=true], .Mui-disabled, svg *")
    || unused(above(element)))
  const found = []
  const look = root => root.querySelectorAll("*").forEach(element => {
    if (element.shadowRoot) look(element.shadowRoot)
    const text = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE)
      .map(node => node.data).join("").trim()
    if (!text || /^(style|script|template|noscript|title|option)$/i.test(element.tagName)) return
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) return
    if (unused(element)) return
    const below = ground(element)
    const rate = contrast(over(parts(getComputedStyle(element).color), below), below)
    if (rate < least) found.push(`${text.slice(0, 40)} (${rate.toFixed(2)})`)
  })
  look(document)
  return found
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.route)
def test_every_text_stands_out(tool, theme: str, new_page: Callable[..., Page], served: Served):
    page = new_page(color_scheme=theme)
    open_page(page, served.url + tool.route)
    page.get_by_role("heading", level=1).wait_for()
    try:  # colours fade in
        page.wait_for_function(f"({_FAINT})({LEAST_CONTRAST}).length === 0")
    except Error:
        assert page.evaluate(_FAINT, LEAST_CONTRAST) == []
