"""Whether a result is the expected one, as promqltest compares: floats nearly, histograms compacted."""

import math
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from query.promql.histogram import Buckets, Histogram
from query.promql.notation import Noted, Value
from query.promql.series import Labels
from tests.conformance.promqltest.script import Eval, Expected
from vigla.prometheus.staleness import STALE_BITS

_NEARLY = 1e-6
_SMALLEST_NORMAL = sys.float_info.min


@dataclass(frozen=True, slots=True)
class Found:
    """A series of a result: samples by time in milliseconds."""

    labels: Labels
    samples: tuple[tuple[int, float | Histogram], ...]


Compared = float | str | list[Found]
"""A scalar, a string, or series: of a vector each has one sample."""


def differences(case: Eval, result: Compared, time: int | None = None) -> list[str]:
    """What is not as expected; empty: all is.

    Args:
        case: states the expectation.
        result: of its expression, or of a variant of it.
        time: of the variant, if it is not the case's.
    """
    expected = case.expected
    if expected.string is not None:
        return [] if result == expected.string else [f"got {result!r}, expected {expected.string!r}"]
    if expected.scalar is not None:
        same = isinstance(result, float) and near(result, expected.scalar)
        return [] if same else [f"got {result!r}, expected {expected.scalar!r}"]
    if not isinstance(result, list):
        return [f"got {result!r}, expected series"]
    if case.step is not None:
        wanted = _at_times(expected, case.start, case.step)
    elif expected.range_vector is not None:
        wanted = _at_times(expected, expected.range_vector[0], expected.range_vector[2])
    else:
        wanted = _at_times(expected, case.end if time is None else time, 0)
    found = _compare_series(wanted, result)
    if expected.ordered and not found and [each.labels for each in result] != list(wanted):
        found.append(f"order: {[each.labels for each in result]}")
    if case.step is not None and [f.labels for f in result] != sorted(f.labels for f in result):
        found.append("series of a range query are not sorted by labels")
    return found


def message_differences(expected: Expected, warnings: Sequence[str], infos: Sequence[str]) -> list[str]:
    """Annotations that are missing or too many."""
    problems = []
    for kind, given in (("warn", warnings), ("info", infos)):
        wanted = expected.messages.get("warn" if kind == "warn" else "info")
        if wanted is None:
            continue
        problems += [f"no {kind}: {each}" for each in wanted if not any(map(each.fits, given))]
        problems += [f"{kind}: {text}" for text in given if not any(each.fits(text) for each in wanted)]
    return problems


def near(a: float, b: float) -> bool:
    """Whether two floats are the same but for rounding."""
    if _is_stale(a) or _is_stale(b):
        return _is_stale(a) and _is_stale(b)
    if a == b or (math.isnan(a) and math.isnan(b)):
        return True
    total, difference = abs(a) + abs(b), abs(a - b)
    if 0 in (a, b) or total < _SMALLEST_NORMAL:
        return difference < _NEARLY * _SMALLEST_NORMAL
    return difference / min(total, sys.float_info.max) < _NEARLY


def _at_times(expected: Expected, start: int, step: int) -> dict[Labels, dict[int, Value]]:
    return {
        row.labels: {start + i * step: value for i, value in enumerate(row.values) if value is not None}
        for row in expected.series
    }


def _compare_series(wanted: dict[Labels, dict[int, Value]], result: list[Found]) -> list[str]:
    given = {each.labels: dict(each.samples) for each in result}
    problems = ["a label set comes twice"] if len(given) != len(result) else []
    problems += [f"not expected: {labels}" for labels in given if labels not in wanted]
    for labels, samples in wanted.items():
        found = given.get(labels)
        if found is None:
            problems += [f"missing: {labels}"] if samples else []
            continue
        problems += [f"{labels} at {time}: not expected" for time in found.keys() - samples.keys()]
        for time, value in samples.items():
            if time not in found:
                problems.append(f"{labels} at {time}: missing, expected {value}")
            elif not _same(found[time], value):
                problems.append(f"{labels} at {time}: {found[time]}, expected {value}")
    return problems


def _same(found: float | Histogram, wanted: Value) -> bool:
    if isinstance(wanted, Noted):
        return isinstance(found, Histogram) and _same_histogram(found, wanted)
    return isinstance(wanted, float) and isinstance(found, float) and near(found, wanted)


def _same_histogram(found: Histogram, noted: Noted) -> bool:
    wanted = noted.histogram
    return (
        (found.schema, found.zero_threshold) == (wanted.schema, wanted.zero_threshold)
        and all(map(near, *(((h.count, h.sum, h.zero_count, *h.bounds)) for h in (found, wanted))))
        and len(found.bounds) == len(wanted.bounds)
        and _same_buckets(found.positive, wanted.positive)
        and _same_buckets(found.negative, wanted.negative)
        and (not noted.hint_given or found.hint == wanted.hint)
    )


def _same_buckets(found: Buckets, wanted: Buckets) -> bool:
    first, counts = _compact(found)
    other_first, other_counts = _compact(wanted)
    if first != other_first or len(counts) != len(other_counts):
        return False
    return all(map(near, counts, other_counts))


def _compact(buckets: Buckets) -> tuple[int, list[float]]:
    used = np.flatnonzero(buckets.counts)
    if not used.size:
        return 0, []
    return buckets.first + int(used[0]), buckets.counts[used[0] : used[-1] + 1].tolist()


def _is_stale(value: float) -> bool:
    return struct.pack("<d", value) == struct.pack("<Q", STALE_BITS)
