"""What the controls of all tools do alike."""

from __future__ import annotations

from typing import Any


def offer(widget: Any, options: Any, value: Any) -> None:
    """Set a widget's options and value, only where they differ, both in one message."""
    changes: dict[str, Any] = {}
    if widget.options != options:
        changes["options"] = options
    if widget.value != value:
        changes["value"] = value
    if changes:
        widget.param.update(**changes)
