"""Style sheets, scripts and icons that ship with the components."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def read_asset(name: str) -> str:
    """The text of a file in this folder. Raises FileNotFoundError."""
    return (FOLDER / name).read_text(encoding="utf-8")


def icon(name: str) -> str:
    """An icon as SVG text, which panel-material-ui accepts wherever it accepts an icon's name.

    Material's icon font would be 128 kB more to load, and shows its names until it is there.
    Raises FileNotFoundError.
    """
    return read_asset(f"icons/{name}.svg").strip()
