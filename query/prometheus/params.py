"""Parameters as Prometheus' API reads them: times, durations, limits, selectors."""

import math
import re
from collections.abc import Sequence

from query.jaeger.params import rfc3339_ns
from query.promql.ast import Matcher
from query.promql.matching import accepts
from query.promql.parser import parse_selector
from vigla.errors import QueryError
from vigla.prometheus.durations import parse_duration

MIN_TIME, MAX_TIME = -(2**62), 2**62
"""Milliseconds; what a missing start or end of a lookup stands for."""

MAX_POINTS = 11_000
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ESCAPE = re.compile(r"__|_([0-9a-fA-F]{1,6})_")
_NS_PER_MS = 1_000_000
_MAX_SECONDS = 2.0**62 / 1000


def time_ms(name: str, text: str) -> int:
    """Milliseconds of a time: float seconds, or RFC 3339.

    Raises:
        QueryError: neither; with the parameter's name.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and abs(value) < _MAX_SECONDS:
        return round(value * 1000)
    try:
        return rfc3339_ns(text) // _NS_PER_MS
    except QueryError:
        pass
    raise QueryError(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')


def duration_ms(name: str, text: str) -> int:
    """Milliseconds of a duration: float seconds, or ``1h30m``.

    Raises:
        QueryError: neither; with the parameter's name.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        if abs(value) >= _MAX_SECONDS:
            raise QueryError(
                f'invalid parameter "{name}": cannot parse "{text}" to a valid duration. It overflows int64'
            )
        return round(value * 1000)
    try:
        return parse_duration(text)
    except ValueError:
        pass
    raise QueryError(f'invalid parameter "{name}": cannot parse "{text}" to a valid duration')


def period(start: str, end: str) -> tuple[int, int]:
    """First and last millisecond of a lookup; what is not given is no bound.

    Raises:
        QueryError: no time.
    """
    return (
        time_ms("start", start) if start else MIN_TIME,
        time_ms("end", end) if end else MAX_TIME,
    )


def limit(text: str) -> int:
    """A limit; 0: none.

    Raises:
        QueryError: no number, or negative.
    """
    if not text:
        return 0
    if not text.lstrip("+-").isdigit():
        raise QueryError(f'invalid parameter "limit": strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise QueryError('invalid parameter "limit": limit must be non-negative')
    return int(text)


def steps(start: int, end: int, step: int) -> None:
    """Check the range of a range query, milliseconds.

    Raises:
        QueryError: it has no points, or too many.
    """
    if end < start:
        raise QueryError('invalid parameter "end": end timestamp must not be before start time')
    if step <= 0:
        raise QueryError(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer"
        )
    if (end - start) // step > MAX_POINTS:
        raise QueryError(
            f"exceeded maximum resolution of {MAX_POINTS:,} points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )


def selectors(texts: Sequence[str]) -> list[tuple[Matcher, ...]]:
    """The matchers of each ``match[]``.

    Raises:
        QueryError: one is no selector, or accepts series without any label.
    """
    made = []
    for text in texts:
        try:
            matchers = parse_selector(text)
        except QueryError as error:
            raise QueryError(f'invalid parameter "match[]": {error}') from error
        if all(accepts(matcher, "") for matcher in matchers):
            raise QueryError("match[] must contain at least one non-empty matcher")
        made.append(matchers)
    return made


def label_name(text: str) -> str:
    """A label's name from a path; ``U__`` begins one whose other characters are escaped.

    Raises:
        QueryError: it is empty.
    """
    name = text
    if text.startswith("U__"):
        name = _ESCAPE.sub(lambda m: "_" if m[1] is None else chr(int(m[1], 16)), text.removeprefix("U__"))
    if not name:
        raise QueryError(f'invalid label name: "{text}"')
    return name
