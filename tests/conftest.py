"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import DESKTOP, ROOT, Recorded, Served, launch, record, serving

# A deadline says that something never comes; on a busy machine what comes may take seconds.
expect.set_options(timeout=20_000)
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real application, with the demo's data."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(scope="session")
def served_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with a small component on every page, see tests/stand_in."""
    with serving(tmp_path_factory.mktemp("stand_in"), "tests.stand_in") as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, one for all tests."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Make pages of a fresh profile: `new_page(viewport=PHONE, color_scheme="dark")`."""
    contexts = []

    def make(**options) -> Page:  # type: ignore[no-untyped-def]
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page of 1400 x 900 pixels in a fresh profile."""
    return new_page()


@pytest.fixture
def recorded(page: Page) -> Iterator[Recorded]:
    """What goes wrong on `page`; the test fails if something did."""
    found = record(page)
    yield found
    assert found.console == []
    assert found.external == []


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real result files; tests that need it are skipped where there is none."""
    folder = Path(os.environ.get("TIMES_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"No real result files: set TIMES_TEST_DATA ({folder} is not a folder)")
    return folder
