"""How numbers are written: three significant figures, thin spaces, a true minus sign."""

from __future__ import annotations

import math

THIN_SPACE = "\u2009"
MINUS = "\u2212"
MISSING = "–"


def significant(value: float | None, figures: int = 3) -> str:
    """Return a number to so many significant figures; whole digits are never rounded away.

    >>> significant(1234567.0), significant(-0.01234)
    ('1 234 567', '−0.0123')
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    if value == 0:
        return "0"
    # Of the rounded value: 0.9996 becomes 1.00, not 1.000.
    rounded = abs(float(f"{value:.{figures - 1}e}"))
    decimals = max(0, figures - 1 - math.floor(math.log10(rounded)))
    if decimals > 8:
        mantissa, exponent = f"{value:.{figures - 1}e}".split("e")
        return f"{mantissa}×10^{int(exponent)}".replace("-", MINUS)
    text = f"{value:,.{decimals}f}".replace(",", THIN_SPACE)
    return text.replace("-", MINUS)


def percentage(share: float) -> str:
    """Return a share (0 to 1) in percent."""
    return f"{significant(100 * share)}{THIN_SPACE}%"
