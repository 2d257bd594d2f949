"""Routes beside the pages, for `panel serve --plugins`: health, and the extensions' files.

Those of health and files are behind no login: they say nothing about data or people. The API asks
who is there as the pages do.
"""

from __future__ import annotations

from bokeh.embed.bundle import extension_dirs
from tornado.web import RequestHandler

from app.server.api import Api
from app.server.static import ExtensionFiles


class Readiness:
    """Whether this process should be sent visitors: its pages have been drawn once."""

    ready = False


class Healthz(RequestHandler):
    """Answers while the process's event loop turns."""

    def get(self) -> None:
        """Say "ok"."""
        self.set_header("Cache-Control", "no-store")
        self.write("ok")


class Readyz(RequestHandler):
    """Answers 200 when the pages can be shown, 503 before."""

    def get(self) -> None:
        """Say whether visitors may come."""
        self.set_header("Cache-Control", "no-store")
        self.set_status(200 if Readiness.ready else 503)
        self.write("ready" if Readiness.ready else "starting")


ROUTES = [
    (r"/healthz", Healthz, {}),
    (r"/readyz", Readyz, {}),
    (r"/api/(.*)", Api, {}),
    (r"/static/extensions/(.*)", ExtensionFiles, {"root": extension_dirs}),
]
