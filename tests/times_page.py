"""What a person does at /times and what its chart shows, for tests and benchmarks.

Everything is done through the page's own controls, found by the names that a screen reader would
read out. Figures are read from the chart's data in the browser, not from pixels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

#: The marks of the chart as they are in the browser: a bar's value is its height with its sign.
_MARKS = """
() => {
  // From the roots down: the document's own list still has what was taken off the page.
  const models = Bokeh.documents[0].roots().flatMap((root) => [...root.references()])
  const sources = [...new Set(models)]
    .filter((model) => model.type === "ColumnDataSource" && "code" in model.data)
  return sources.flatMap(({data}) => {
    const column = (name) => Array.from(data[name] ?? [])
    const [tops, bottoms, heights] = [column("top"), column("bottom"), column("y")]
    return column("code").map((code, i) => ({
      code,
      scenario: data.scenario[i],
      year: data.year[i],
      value: heights.length ? heights[i] : (bottoms[i] < 0 ? -1 : 1) * (tops[i] - bottoms[i]),
    }))
  })
}
"""


@dataclass(frozen=True)
class Mark:
    """One bar's piece or one line's point."""

    scenario: str
    year: str
    code: str
    value: float


def marks(page: Page) -> list[Mark]:
    """What the chart in the page shows."""
    return [Mark(**found) for found in page.evaluate(_MARKS)]


def values(page: Page) -> dict[tuple[str, str, str], float]:
    """What the chart shows: (scenario, year, code) and its value."""
    return {(mark.scenario, mark.year, mark.code): mark.value for mark in marks(page)}


def title(page: Page) -> str:
    """The sentence above the chart."""
    return page.get_by_role("heading", level=1).inner_text()


def wait_for_title(page: Page, pattern: str) -> None:
    """Wait until the sentence above the chart matches; the chart's data came before it."""
    page.get_by_role("heading", level=1, name=re.compile(pattern)).wait_for()


def control(page: Page, label: str) -> Locator:
    """A control of the rail with a list of choices."""
    return page.get_by_role("combobox", name=label, exact=True)


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list."""
    box = control(page, label)
    size = box.bounding_box() or {"width": 30, "height": 30}
    # In its middle may be the chip of another choice, which is a button of its own.
    box.click(position={"x": size["width"] - 15, "y": size["height"] / 2})
    choices = page.get_by_role("listbox")
    several = choices.get_attribute("aria-multiselectable") == "true"
    choices.get_by_role("menuitem", name=option, exact=True).click()
    if several:
        choices.press("Escape")
    choices.wait_for(state="detached")


def take_back(page: Page, label: str, option: str) -> None:
    """Take back one of several choices: the cross on its chip."""
    control(page, label).get_by_role("button", name=option, exact=True).locator("svg").click()


def press(page: Page, group: str, option: str) -> None:
    """Press one of a row of buttons in the rail."""
    page.get_by_role("group", name=group).get_by_role("button", name=option, exact=True).click()


def unfold(page: Page, part: str) -> None:
    """Open a part of the rail that is folded away."""
    button = page.get_by_role("button", name=part, exact=True)
    if button.get_attribute("aria-expanded") != "true":
        button.click()
    page.get_by_role("region").first.wait_for()


def legend(page: Page) -> Locator:
    """The groups in the legend, each a button."""
    return page.get_by_role("main").get_by_role("listitem").get_by_role("button")


def chips(page: Page) -> Locator:
    """The filters in force, each a button that takes it away."""
    return page.get_by_role("main").get_by_role("button", name="Take this filter away")


def open_tab(page: Page, name: str) -> None:
    """Open Chart, Table or Query."""
    page.get_by_role("tab", name=name).click()
    page.get_by_role("tab", name=name, selected=True).wait_for()


#: Where the middle of a mark is on the page, in pixels.
_PLACE_OF_MARK = """
([code, year, scenario]) => {
  const models = [...new Set(Bokeh.documents[0].roots().flatMap((root) => [...root.references()]))]
  const plot = models.find((model) => model.type === "Figure" && model.renderers.length > 2)
  const view = Bokeh.index.find_one(plot)
  for (const {data_source: {data}} of plot.renderers) {
    const i = Array.from(data.code ?? []).findIndex((found, i) =>
      found === code && data.year[i] === year && data.scenario[i] === scenario)
    if (i >= 0) {
      const [x, y] = data.x ? [data.x[i], data.y[i]]
        : [(data.left[i] + data.right[i]) / 2, (data.bottom[i] + data.top[i]) / 2]
      const {left, top} = view.canvas_view.el.getBoundingClientRect()
      const {x_scale, y_scale} = view.frame
      return [left + x_scale.compute(x), top + y_scale.compute(y)]
    }
  }
}
"""


def click_mark(page: Page, mark: Mark) -> None:
    """Click in the middle of a bar's piece, or on a line's point."""
    page.mouse.click(*page.evaluate(_PLACE_OF_MARK, [mark.code, mark.year, mark.scenario]))
