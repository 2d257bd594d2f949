"""What is added to every response, and what is written of it to the log."""

from __future__ import annotations

import logging
from typing import ClassVar

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform, RequestHandler

logger = logging.getLogger(__name__)

# Panel compiles expressions and puts styles and modules into the page, hence the unsafe ones.
# What this forbids is other hosts: nothing on a page can load from or talk to one, but for the
# pictures of a web map on the pages that offer it.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: ws: wss:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}


#: The route whose page may show a web map.
_WITH_TILES = "/flowmaps"


def headers_with_tiles(host: str) -> dict[str, str]:
    """Return the headers of a page that shows a web map from a host."""
    return {
        **HEADERS,
        "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; img-src 'self' data: blob: {host}",
        # Providers of web maps turn down whoever does not say for which site they are asked.
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }


class SafetyHeaders(OutputTransform):
    """Adds the headers to every response."""

    #: Scheme and host of the web map that flow maps offer, "" for none.
    tile_host: ClassVar[str] = ""

    def __init__(self, request: HTTPServerRequest) -> None:
        self.request = request

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add the headers; the rest passes unchanged."""
        with_tiles = self.tile_host and (self.request.path or "").endswith(_WITH_TILES)
        own = headers_with_tiles(self.tile_host) if with_tiles else HEADERS
        for name, value in own.items():
            headers[name] = value
        headers["Server"] = "times"
        return status_code, headers, chunk


def log_request(handler: RequestHandler) -> None:
    """Write a line only for responses that are a fault of the server or worth a look."""
    status = handler.get_status()
    if status < 400 or status in (404, 503):  # 503 is how /readyz says "not yet"
        return
    level = logging.ERROR if status >= 500 else logging.WARNING
    # Without its query: an address holds what its reader selected.
    logger.log(
        level,
        "%d %s %s %.0f ms",
        status,
        handler.request.method,
        handler.request.path,
        1000 * handler.request.request_time(),
    )
