"""Scripts and style sheets, compressed once and kept by the browser.

Bokeh's own handlers send several megabytes as they are, and ask the browser to check files again
whose address already names their version.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from bokeh.server.views.multi_root_static_handler import MultiRootStaticHandler
from bokeh.server.views.static_handler import StaticHandler
from tornado.web import StaticFileHandler

COMPRESSIBLE = {".js", ".css", ".svg", ".json", ".map", ".html"}
# A hash in the query ("?v=...", "?a9c...") or in the file's name, or a version in its folder's.
VERSIONED = re.compile(r"\?.+|-[A-Z0-9]{8}\.\w+$|@[\d.^%]+")
FOR_EVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"


class CompressedFiles(StaticFileHandler):
    """A static file handler that sends files compressed and says how long they may be kept."""

    async def get(self, path: str, include_body: bool = True) -> None:
        """Send a file; the compressed form if there is one and the browser takes it."""
        self.path = self.parse_url_path(path)
        absolute = self.validate_absolute_path(
            self.root, self.get_absolute_path(self.root, self.path)
        )
        if absolute is None or not self._may_compress(Path(absolute)):
            await super().get(path, include_body)
            return
        self.absolute_path = absolute
        modified = Path(absolute).stat().st_mtime_ns
        body, etag = await asyncio.get_running_loop().run_in_executor(
            None, compressed, absolute, modified
        )
        self.set_header("Content-Type", self.get_content_type())
        self.set_header("Etag", etag)
        self.set_extra_headers(self.path)
        if self.check_etag_header():
            self.set_status(304)
            return
        self.set_header("Content-Encoding", "gzip")
        self.set_header("Content-Length", len(body))
        if include_body:
            self.write(body)

    def _may_compress(self, path: Path) -> bool:
        return (
            path.suffix in COMPRESSIBLE
            and "gzip" in self.request.headers.get("Accept-Encoding", "")
            and "Range" not in self.request.headers
        )

    def compute_etag(self) -> str | None:
        """The tag that was set, rather than a hash of what is sent."""
        return self._headers.get("Etag") or super().compute_etag()

    def set_extra_headers(self, path: str) -> None:
        """Let the browser keep a file for ever if its address changes with its contents."""
        versioned = VERSIONED.search(self.request.uri or "")
        self.set_header("Cache-Control", FOR_EVER if versioned else FOR_AN_HOUR)


class BokehFiles(CompressedFiles, StaticHandler):
    """The files of Bokeh itself."""


class ExtensionFiles(CompressedFiles, MultiRootStaticHandler):
    """The files of Panel and panel-material-ui."""


@lru_cache(maxsize=256)
def compressed(path: str, _modified: int) -> tuple[bytes, str]:
    """A file's contents compressed with gzip, and a tag for them. Kept in memory."""
    contents = Path(path).read_bytes()
    tag = hashlib.sha256(contents).hexdigest()[:32]
    return gzip.compress(contents, 9, mtime=0), f'"{tag}-gz"'


def bokeh_route(prefix: str, key: str, _application: Any) -> tuple[str, type, dict[str, Any]]:
    """The route of Bokeh's files below one application; takes the place of Bokeh's own.

    Args:
        prefix: what all addresses begin with, "" or "/name".
        key: the application's route, "/" or "/times".
    """
    if key == "/":
        return prefix + r"/static/(?!extensions/)(.*)", BokehFiles, {}
    return prefix + re.escape(key) + r"/static/(.*)", BokehFiles, {}
