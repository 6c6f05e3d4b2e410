"""Floats as Go writes them."""

import math
from decimal import Decimal

SMALLEST_PLAIN = 1e-6
LARGEST_PLAIN = 1e21
"""The HTTP API writes numbers from ``SMALLEST_PLAIN`` to below ``LARGEST_PLAIN`` without an exponent."""

SMALLEST_EXPONENT, LARGEST_EXPONENT = -4, 6
"""%g writes powers of ten outside of this range (its end not included) with an exponent."""


def plain(value: float) -> str:
    """Shortest digits without an exponent (``strconv`` format 'f'): ``1e21`` is written in full."""
    special = _special(value)
    if special is not None:
        return special
    text = repr(float(value))
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def general(value: float) -> str:
    """Shortest digits, with an exponent below 1e-4 and from 1e6 (``fmt`` verb %g)."""
    special = _special(value)
    if special is not None:
        return special
    if value == 0:
        return plain(value)
    exponent = Decimal(repr(float(value))).adjusted()
    if SMALLEST_EXPONENT <= exponent < LARGEST_EXPONENT:
        return plain(value)
    return scientific(value)


def scientific(value: float) -> str:
    """Shortest digits with an exponent of at least two digits (``strconv`` format 'e')."""
    special = _special(value)
    if special is not None:
        return special
    number = Decimal(repr(float(value))).normalize()
    digits = "".join(map(str, number.as_tuple().digits))
    exponent = number.adjusted() if value else 0
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    sign = "-" if math.copysign(1, value) < 0 else ""
    return f"{sign}{mantissa}e{exponent:+03d}"


def api(value: float) -> str:
    """As the HTTP API writes a sample's value."""
    size = abs(value)
    if size and not (SMALLEST_PLAIN <= size < LARGEST_PLAIN) and math.isfinite(value):
        return scientific(value)
    return plain(value)


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return None
