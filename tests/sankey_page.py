"""What tests of the page at /sankey share."""

from __future__ import annotations

from playwright.sync_api import Page, expect

#: Whether a picture has been laid out for the width that there is.
FITS = """
(root) => {
  const svg = root.querySelector("svg"), wide = root.querySelector(".scroll").clientWidth
  return svg.viewBox.baseVal.width === (wide < 700 ? 880 : wide)
}
"""


def wait_until_fitted(page: Page) -> None:
    """Wait until the picture is laid out for its width and rests: earlier acts might be undone."""
    drawing = page.locator(".sankey").first
    drawing.wait_for()
    page.wait_for_function(FITS, arg=drawing.element_handle())
    expect(page.locator(".sankey:not([data-state=still])")).to_have_count(0)
