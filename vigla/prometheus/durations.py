"""Literal durations as Prometheus reads and writes them: ``1h30m``, ``1s500ms``."""

import re

_UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_ORDER = list(_UNITS)
_PART = re.compile(r"([0-9]+)([^0-9]+)")
_MAX_MS = (1 << 63) // 1_000_000  # Go counts nanoseconds in 63 bits


def parse_duration(text: str) -> int:
    """Milliseconds of a duration; ``0`` needs no unit.

    Raises:
        ValueError: it is none; the message is Prometheus'.
    """
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    total, at, last = 0, 0, -1
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise ValueError(f'not a valid duration string: "{text}"')
        unit = part.group(2)
        if unit not in _UNITS:
            raise ValueError(f'unknown unit "{unit}" in duration "{text}"')
        if _ORDER.index(unit) <= last:
            raise ValueError(f'not a valid duration string: "{text}"')
        last = _ORDER.index(unit)
        total += int(part.group(1)[:20]) * _UNITS[unit]
        at = part.end()
        if total > _MAX_MS:
            raise ValueError("duration out of range")
    return total


def format_duration(milliseconds: int) -> str:
    """The duration in as few units as it takes; years and weeks only when nothing is left over."""
    if milliseconds == 0:
        return "0s"
    sign, rest = ("-", -milliseconds) if milliseconds < 0 else ("", milliseconds)
    parts = []
    for unit, size in _UNITS.items():
        if rest >= size and (unit not in "yw" or rest % size == 0):
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return sign + "".join(parts)
