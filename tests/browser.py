"""Helpers for tests that need a served application or a browser."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Served:
    """A running application: where it is, its data, and what it has logged so far."""

    url: str
    data_directory: Path
    log_file: Path

    @property
    def log(self) -> str:
        """Everything written so far."""
        return self.log_file.read_text(encoding="utf-8")


@dataclass
class Recorded:
    """What went wrong on a page: messages on the console and requests to other hosts."""

    console: list[str] = field(default_factory=list)
    external: list[str] = field(default_factory=list)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(
    data_directory: Path, module: str = "app.server", timeout: float = 240
) -> Iterator[Served]:
    """Run `python -m <module>` on a free port until the block ends.

    Raises RuntimeError with the log if the server ends or is not ready in `timeout` seconds.
    """
    data_directory.mkdir(parents=True, exist_ok=True)
    log_file = data_directory / "server.log"
    url = f"http://localhost:{(port := free_port())}"
    command = [sys.executable, "-m", module, "--port", str(port)]
    command += ["--data-directory", str(data_directory)]
    with log_file.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(process, url, log_file, timeout)
        yield Served(url, data_directory, log_file)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(
    process: subprocess.Popen[bytes], url: str, log_file: Path, timeout: float
) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    raise RuntimeError(f"The server did not become ready:\n{log_file.read_text()}")


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, without a window."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)


def record(page: Page) -> Recorded:
    """Write down from now on what goes wrong on a page."""
    recorded = Recorded()

    def on_console(message) -> None:  # type: ignore[no-untyped-def]
        if message.type in ("error", "warning"):
            recorded.console.append(f"{message.type}: {message.text}")

    def on_request(request) -> None:  # type: ignore[no-untyped-def]
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "localhost":
            recorded.external.append(request.url)

    page.on("console", on_console)
    page.on("pageerror", lambda error: recorded.console.append(f"error: {error}"))
    page.on("request", on_request)
    return recorded


def open_page(page: Page, url: str) -> None:
    """Go to an address and wait until everything on the page has been drawn."""
    page.goto(url)
    wait_until_drawn(page)


def wait_until_drawn(page: Page) -> None:
    """Wait until Bokeh has nothing left to draw and the bar is there."""
    page.wait_for_function(
        "() => window.Bokeh?.documents?.length > 0 && window.Bokeh.documents[0].is_idle"
    )
    page.get_by_role("navigation", name="Tools").wait_for()


def query_of(page: Page) -> str:
    """The query of the page's address, as it is written there."""
    return urlsplit(page.url).query


def until(page: Page, condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something that is read from a page holds.

    Raises AssertionError if it still does not after `seconds`.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "The page has not come to show what was waited for"
        page.wait_for_timeout(50)
