"""Pages whose beginning is sent before their session is made.

Making a session takes Python 0.1 to 0.3 s. The beginning of a page's HTML, with its outline and
the scripts, is the same for every visit: sent at once, it lets the browser show the outline and
load its scripts meanwhile.
"""

from __future__ import annotations

from typing import Any, ClassVar

from panel.io.server import DocHandler

from components.shell import SESSION_MARK

#: The header under which a page finds from which address its visitor comes.
VISITOR_HEADER = "X-Times-Visitor"


class EarlyDocument(DocHandler):
    """Panel's handler of pages; whoever may see the page gets its beginning early."""

    # By path: the beginning of the page drawn there first, which is that of all others.
    beginnings: ClassVar[dict[str, str]] = {}
    sent_early = False

    async def get_session(self) -> Any:
        """Send the beginning, then make the session. Called when the reader has been admitted."""
        # Whatever the visitor wrote there is overwritten.
        self.request.headers[VISITOR_HEADER] = self.request.remote_ip or ""
        beginning = self.beginnings.get(self.request.path)
        if beginning is not None and self.request.method == "GET":
            self.set_header("Content-Type", "text/html; charset=utf-8")
            super().write(beginning)
            await self.flush()
            self.sent_early = True
        return await super().get_session()  # type: ignore[misc]  # a decorator hides its type

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """Write what has not been sent; keep a page's beginning for the next visit."""
        if isinstance(chunk, str) and SESSION_MARK in chunk:
            beginning, rest = chunk.split(SESSION_MARK, 1)
            self.beginnings.setdefault(self.request.path, beginning)
            chunk = rest if self.sent_early else chunk
        super().write(chunk)
