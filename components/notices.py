"""The one way to tell a person that something is empty, impossible or went wrong.

A notice stands where the picture would be: what happened, what to do, perhaps a button that
mends it, and details folded away. Every text is shown as text: markup in data is never rendered.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.viewable import Viewable

from catalogs.errors import TimesError
from components.assets import read_asset

logger = logging.getLogger(__name__)

NoticeKind = Literal["empty", "refusal", "error"]


class PlainText(JSComponent):
    """Text in an HTML element of one's choice; whatever looks like markup is shown as typed."""

    text = param.String(doc="What is shown, as text")
    tag: Any = param.Selector(
        default="p", objects=["p", "span", "h1", "h2", "h3", "pre"], doc="The HTML element"
    )
    look: Any = param.Selector(
        default="body",
        objects=["body", "title", "heading", "muted", "code"],
        doc="Which of the application's text styles it has",
    )
    role: Any = param.Selector(
        default="", objects=["", "alert", "status"], doc="How a screen reader announces changes"
    )

    _esm = read_asset("plain_text.js")
    _stylesheets = [read_asset("plain_text.css")]


def notice(
    title: str,
    what_to_do: str = "",
    *,
    kind: NoticeKind = "empty",
    ways: Sequence[tuple[str, Callable[[], object]]] = (),
    details: str | None = None,
) -> Viewable:
    """A sentence in place of a picture, with what to do about it.

    Args:
        title: what happened, one sentence.
        what_to_do: the way out, one or two sentences.
        kind: "empty" (nothing matches), "refusal" (the question makes no sense) or "error".
        ways: buttons that lead out, the best first: a label, and what is called without
            arguments when it is pressed.
        details: technical text, folded away. Give no paths and no tracebacks.
    """
    role = "alert" if kind == "error" else "status"
    parts: list[Viewable] = [PlainText(text=title, tag="h2", look="heading", role=role)]
    if what_to_do:
        parts.append(PlainText(text=what_to_do, look="muted"))
    if ways:
        parts.append(pn.FlexBox(*_buttons(ways), gap="8px", margin=(8, 0)))
    if details:
        parts.append(_folded(details))
    return pmui.Column(
        *parts,
        css_classes=["times-notice", f"times-notice-{kind}"],
        sizing_mode="stretch_width",
        max_width=640,
        margin=(48, 24),
    )


def error_notice(error: BaseException) -> Viewable:
    """Show an error and log it with its traceback, both under the same id.

    An error of the domain (`catalogs.errors.TimesError`) explains itself. Of any other the page
    says only that something went wrong: its message may hold paths.
    """
    error_id = log_error(error)
    if isinstance(error, TimesError):
        parts = [error.details, f"{type(error).__name__}, error id {error_id}"]
        return notice(
            error.what,
            error.remedy or "Change the selection and try again.",
            kind="refusal",
            details="\n".join(part for part in parts if part),
        )
    return notice(
        "Something went wrong here.",
        "Try again. If it comes back, tell whoever runs this site the error id.",
        kind="error",
        details=f"{type(error).__name__}, error id {error_id}",
    )


def log_error(error: BaseException) -> str:
    """Log an error with its traceback. Returns the id under which it is found in the log."""
    error_id = secrets.token_hex(4)
    level = logging.WARNING if isinstance(error, TimesError) else logging.ERROR
    logger.log(level, "Error %s: %s", error_id, error, exc_info=error)
    return error_id


def announce(message: str, *, kind: Literal["info", "warning", "error", "success"]) -> None:
    """A short message at the edge of the page that goes away by itself; shown as text."""
    if pn.state.notifications is None:
        logger.info("Not announced, there is no page: %s", message)
        return
    getattr(pn.state.notifications, kind)(message, duration=8000)


def _buttons(ways: Sequence[tuple[str, Callable[[], object]]]) -> Iterator[Viewable]:
    for place, (label, go) in enumerate(ways):
        look = "outlined" if place else "contained"
        button = pmui.Button(label=label, variant=look, color="primary", margin=0)
        button.on_click(partial(_go, go))
        yield button


def _go(go: Callable[[], object], _event: object) -> None:
    go()


def _folded(details: str) -> Viewable:
    return pmui.Accordion(
        ("Details", PlainText(text=details, tag="pre", look="code")),
        margin=(8, 0),
        sizing_mode="stretch_width",
        elevation=0,
    )
