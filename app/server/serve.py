"""`panel serve`, with the pages of the manifest and the settings of this application."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
from collections.abc import Iterable
from typing import Any

import bokeh.server.tornado
from bokeh.server.urls import per_app_patterns
from panel.command.serve import Serve
from panel.io.server import DocHandler
from tornado.httpclient import AsyncHTTPClient
from tornado.web import GZipContentEncoding

from app.backend.child import OwnBackend
from app.server import messages
from app.server.api import own_backend
from app.server.documents import VISITOR_HEADER, EarlyDocument
from app.server.plugin import Readiness
from app.server.safety import SafetyHeaders, log_request
from app.server.settings import Settings
from app.server.static import bokeh_route
from app.tools import TOOLS
from catalogs.store import FLOWS, Store
from components.shell import THEME_COOKIE

logger = logging.getLogger(__name__)


class ServeTools(Serve):
    """Panel's command with the routes of the manifest: the first tool is at `/` itself."""

    own_backend: OwnBackend | None = None

    def customize_applications(
        self, args: argparse.Namespace, applications: dict[str, Any]
    ) -> dict[str, Any]:
        """Put each page at its tool's route rather than at its file's name."""
        by_file = super().customize_applications(args, dict(applications))
        return {tool.route: by_file[f"/{tool.page_file.stem}"] for tool in TOOLS}

    def customize_kwargs(
        self, args: argparse.Namespace, server_kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Add what every response gets and where the files of Bokeh come from."""
        kwargs: dict[str, Any] = super().customize_kwargs(args, server_kwargs)
        messages.install()
        kwargs["use_index"] = False
        SafetyHeaders.tile_host = Settings.from_environment().tile_host
        kwargs["transforms"] = [SafetyHeaders, GZipContentEncoding]
        kwargs["log_function"] = log_request
        # Each application's routes come before those of plugins, and among them are Bokeh's
        # files. Panel changes them in the same way.
        bokeh.server.tornado.create_static_handler = bokeh_route  # type: ignore[assignment]
        for index, (path, handler, *_rest) in enumerate(per_app_patterns):
            if handler is DocHandler:
                per_app_patterns[index] = (path, EarlyDocument)
        return kwargs

    def customize_server(self, server: Any) -> Any:
        """Have the pages drawn once before visitors come, and the backend run."""
        addresses = [
            f"http://{_reachable(server.address)}:{server.port}{server.prefix}{tool.route}"
            for tool in TOOLS
        ]
        if (own := self.own_backend) is not None:
            server.io_loop.add_callback(own.start)
        server.io_loop.add_callback(_draw_once, addresses)
        return server


def _reachable(address: str | None) -> str:
    return "localhost" if address in (None, "", "0.0.0.0", "::") else str(address)


def _compile_images() -> None:
    """Compile what draws images of flow records, which takes some seconds."""
    from components.flowmap.image import warm_up

    warm_up()


async def _draw_once(addresses: Iterable[str]) -> None:
    """Ask for every page, so that no visitor waits for imports and first queries."""
    if Store(Settings.from_environment().data_directory).datasets(FLOWS):
        await asyncio.to_thread(_compile_images)
    client = AsyncHTTPClient()
    for address in addresses:
        response = await client.fetch(address, raise_error=False, request_timeout=300)
        if response.code != 200:
            logger.error("%s answered %d while starting", address, response.code)
    set_aside_what_stays()
    Readiness.ready = True
    logger.info("Ready")


def set_aside_what_stays() -> None:
    """Have garbage collections pass over what was made while starting.

    A full one looks at every object of every library, more than a tenth of a second in which no
    page is answered. What is here by now stays until the end.
    """
    gc.collect()
    gc.freeze()


def arguments(settings: Settings) -> list[str]:
    """The settings as a command line for `panel serve`."""
    milliseconds = settings.unused_session_lifetime * 1000
    words = [
        *(str(tool.page_file) for tool in TOOLS),
        *("--address", settings.address),
        *("--port", str(settings.port)),
        *("--plugins", "app.server.plugin"),
        *("--unused-session-lifetime", str(milliseconds)),
        *("--check-unused-sessions", str(milliseconds // 4)),
        *("--keep-alive", str(settings.keep_alive * 1000)),
        # The page's HTML holds a token with the headers and cookies of its request: only what is
        # named here. The theme's cookie lets the server draw the page in it from the start.
        *("--include-headers", "X-Request-Id", VISITOR_HEADER),
        *("--include-cookies", THEME_COOKIE),
        "--use-xheaders",
    ]
    if settings.prefix:
        words += ["--prefix", settings.prefix]
    for origin in settings.websocket_origins:
        words += ["--allow-websocket-origin", origin]
    if os.environ.get("BOKEH_SECRET_KEY"):
        words += ["--session-ids", "signed"]
    return words


def serve(settings: Settings) -> None:
    """Serve the application until the process is told to stop."""
    parser = argparse.ArgumentParser("panel serve")
    command = ServeTools(parser=parser)
    command.own_backend = own_backend(settings)
    command.invoke(parser.parse_args(arguments(settings)))
