"""Figures as they are printed: with unit, spread and bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """Median and 95th percentile as text."""
    return f"median {median(values):6.0f} {unit}, 95th percentile {percentile(values, 0.95):6.0f}"


def heading(text: str) -> None:
    """Begin a part of the printed report."""
    print(f"\n{text}", flush=True)


def line(name: str, text: str, bar: str = "") -> None:
    """One figure of the report; the bar is what was promised."""
    print(f"  {name:<44} {text}{f'   (bar: {bar})' if bar else ''}", flush=True)
