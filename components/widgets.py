"""What the controls of all tools do alike."""

from __future__ import annotations

from typing import Any


def offer(widget: Any, choices: Any, value: Any, options: str = "options") -> None:
    """Set a widget's options and value, only where they differ, both in one message.

    ``options`` names the param that holds the choices.
    """
    changes: dict[str, Any] = {}
    if getattr(widget, options) != choices:
        changes[options] = choices
    if widget.value != value:
        changes["value"] = value
    if changes:
        widget.param.update(**changes)
