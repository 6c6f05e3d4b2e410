"""How promqltest writes series: ``metric{label="v"} 1 _ 2x3 0+10x5 stale {{schema:0 count:1}}x2``."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from query.promql.histogram import CUSTOM_BUCKETS, Buckets, Histogram
from query.promql.histograms.text import parse_notation
from query.promql.lexer import Lexer
from query.promql.series import Labels
from query.promql.tokens import METRIC_NAMES, STRING
from vigla.prometheus.durations import parse_duration
from vigla.prometheus.staleness import STALE

NAME = "__name__"

_NUMBER = (
    r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[iI][nN][fF]|[nN][aA][nN])"
)
_HISTOGRAM = r"\{\{[^}]*\}\}"
_TIMES = r"(?:x(?P<times>[0-9]+))?(?=\s|$)"
_GAP = re.compile("_" + _TIMES)
_STALE = re.compile("stale" + _TIMES)
_NUMBERS = re.compile(rf"(?P<base>{_NUMBER})(?:(?P<sign>[+-])(?P<change>{_NUMBER}))?{_TIMES}")
_HISTOGRAMS = re.compile(rf"(?P<base>{_HISTOGRAM})(?:(?P<sign>[+-])(?P<change>{_HISTOGRAM}))?{_TIMES}")
_LENGTH = r"(?:0(?![0-9])|(?:[0-9]+(?:ms|[smhdwy]))+)"
_STARTS = re.compile(rf"(?P<lead>[+-]?)(?P<base>{_LENGTH})(?:(?P<sign>[+-])(?P<change>{_LENGTH}))?{_TIMES}")


class NotationError(ValueError):
    """A line is no series."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A histogram as written, and whether its counter reset hint is."""

    histogram: Histogram
    hint_given: bool


Value = float | Noted | None
"""One position of a row; None is a gap."""


@dataclass(frozen=True, slots=True)
class Row:
    """One series; ``start_times`` says that the values are start times (``@st``), in milliseconds."""

    labels: Labels
    values: tuple[Value, ...]
    start_times: bool = False


def read_row(line: str) -> Row:
    """Read a series with its values."""
    labels, rest = _read_labels(line)
    if rest.startswith("@st"):
        return Row(labels, tuple(_start_times(rest.removeprefix("@st").strip())), start_times=True)
    return Row(labels, tuple(read_values(rest.strip())))


def read_values(text: str) -> Iterator[Value]:
    """Read a sequence of floats, histograms and gaps."""
    at = 0
    while at < len(text):
        for pattern, expand in (
            (_GAP, _gaps),
            (_STALE, _stale),
            (_NUMBERS, _numbers),
            (_HISTOGRAMS, _histograms),
        ):
            found = pattern.match(text, at)
            if found:
                yield from expand(found)
                at = found.end()
                break
        else:
            raise NotationError(f"no value: {text[at:]!r}")
        while at < len(text) and text[at].isspace():
            at += 1


def read_number(text: str) -> float | None:
    """A float, or None if the text is not exactly one."""
    return float(text) if re.fullmatch(_NUMBER, text) else None


def _read_labels(line: str) -> tuple[Labels, str]:
    lexer = Lexer(line)
    token = lexer.next()
    labels: dict[str, str] = {}
    if token.kind in METRIC_NAMES:
        labels[NAME] = token.text
        if line[token.place.end : token.place.end + 1] != "{":
            return tuple(labels.items()), line[token.place.end :]
        token = lexer.next()
    if token.kind != "{":
        raise NotationError(f"no series: {line!r}")
    while (token := lexer.next()).kind != "}":
        if token.kind == ",":
            continue
        name = token.value if token.kind == STRING else token.text
        sign = lexer.next()
        if sign.kind != "=":  # {"name", ...}
            labels[NAME] = name
            if sign.kind == "}":
                token = sign
                break
            continue
        labels[name] = lexer.next().value
    return tuple(sorted((name, value) for name, value in labels.items() if value)), line[token.place.end :]


def _gaps(found: re.Match[str]) -> Iterator[Value]:
    return iter([None] * int(found["times"] or 1))


def _stale(found: re.Match[str]) -> Iterator[Value]:
    return iter([STALE] * (int(found["times"] or 0) + 1))


def _numbers(found: re.Match[str]) -> Iterator[Value]:
    value = float(found["base"])
    change = float(found["change"] or 0) * (-1 if found["sign"] == "-" else 1)
    for _ in range(int(found["times"] or 0) + 1):
        yield value
        value += change if found["change"] else 0


def _start_times(text: str) -> Iterator[Value]:
    for item in text.split():
        gap, found = _GAP.fullmatch(item), _STARTS.fullmatch(item)
        if gap:
            yield from _gaps(gap)
        elif found:
            value = parse_duration(found["base"]) * (-1 if found["lead"] == "-" else 1)
            change = parse_duration(found["change"] or "0") * (-1 if found["sign"] == "-" else 1)
            for index in range(int(found["times"] or 0) + 1):
                yield float(value + index * change)
        else:
            raise NotationError(f"no start time: {item!r}")


def _histograms(found: re.Match[str]) -> Iterator[Value]:
    value = read_histogram(found["base"])
    change = read_histogram(found["change"]) if found["change"] else None
    for _ in range(int(found["times"] or 0) + 1):
        yield value
        if change is not None:
            value = _changed(value, change, -1.0 if found["sign"] == "-" else 1.0)


def read_histogram(text: str) -> Noted:
    """Read ``{{schema:0 count:1 sum:2 buckets:[1]}}``.

    Raises:
        NotationError: it is no histogram.
    """
    try:
        return Noted(parse_notation(text), "counter_reset_hint" in text)
    except ValueError as error:
        raise NotationError(str(error)) from error


def _changed(noted: Noted, change: Noted, factor: float) -> Noted:
    """The next one of ``{{...}}+{{...}}xN``."""
    old, more = noted.histogram, change.histogram
    if CUSTOM_BUCKETS in (old.schema, more.schema) and (old.schema, old.bounds) != (more.schema, more.bounds):
        raise NotationError("only histograms with the same custom buckets can be added in a series")
    schema = min(old.schema, more.schema)
    new = replace(
        old,
        schema=schema,
        zero_count=old.zero_count + factor * more.zero_count,
        count=old.count + factor * more.count,
        sum=old.sum + factor * more.sum,
        positive=_summed(_coarse(old.positive, old, schema), _coarse(more.positive, more, schema), factor),
        negative=_summed(_coarse(old.negative, old, schema), _coarse(more.negative, more, schema), factor),
        hint="gauge" if factor < 0 else old.hint,
    )
    return Noted(new, noted.hint_given)


def _coarse(buckets: Buckets, histogram: Histogram, schema: int) -> Buckets:
    if histogram.schema == schema or not buckets.counts.size:
        return buckets
    width = 2.0 ** (histogram.schema - schema)
    indices = [math.ceil((buckets.first + i) / width) for i in range(buckets.counts.size)]
    counts = np.zeros(indices[-1] - indices[0] + 1)
    np.add.at(counts, np.array(indices) - indices[0], buckets.counts)
    return Buckets(indices[0], counts)


def _summed(first: Buckets, second: Buckets, factor: float) -> Buckets:
    if not second.counts.size:
        return first
    if not first.counts.size:
        return Buckets(second.first, factor * second.counts)
    start = min(first.first, second.first)
    end = max(first.first + first.counts.size, second.first + second.counts.size)
    counts = np.zeros(end - start)
    counts[first.first - start :][: first.counts.size] += first.counts
    counts[second.first - start :][: second.counts.size] += factor * second.counts
    return Buckets(start, counts)
