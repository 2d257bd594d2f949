"""Messages to a page that Panel leaves behind are sent after all.

While Panel waits for a message to be written, others are put in a queue, each with a task that
sends it. When the first has been written, Panel takes away the mark that says that some are
queued (``panel.io.document._dispatch_msgs``, seen in Panel 1.9); a task that had not begun by then
finds no mark and ends. Its message stays until something else happens on the page: a reader sees a
picture that does not follow. It takes a busy server: one click in forty at a load of ten.
"""

from __future__ import annotations

from panel.io import document
from panel.io.document import Document

_dispatch = document._dispatch_msgs


async def send_all(doc: Document) -> None:
    """Send the messages that are queued for a page."""
    await _dispatch(doc)
    if document._WRITE_MSGS.get(doc) and doc not in document._WRITE_BLOCK:
        document._WRITE_BLOCK[doc] = True
        document._dispatch_write_task(doc, send_all, doc)


def install() -> None:
    """Have Panel send its messages in this way."""
    document._dispatch_msgs = send_all
