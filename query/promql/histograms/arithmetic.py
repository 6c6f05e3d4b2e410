"""Operators between two histograms, or a histogram and a number."""

from dataclasses import dataclass, replace

import numpy as np

from query.promql.histogram import Buckets, Histogram
from query.promql.histograms.hints import combined
from query.promql.histograms.layout import EMPTY, align, compact, stacked, trimmed


@dataclass(frozen=True, slots=True)
class Combined:
    """Result of an addition or subtraction, and what the user should be told about it.

    Attributes:
        histogram: compact.
        resets_conflict: one operand was just reset, the other was not (warning).
        bounds_reconciled: custom bounds differed and were reduced to the common ones (info).
    """

    histogram: Histogram
    resets_conflict: bool
    bounds_reconciled: bool


def add(left: Histogram, right: Histogram) -> Combined:
    """``left + right``; raises IncompatibleSchemas for exponential with custom buckets."""
    hint, conflict = combined((left.hint, right.hint))
    if "gauge" in {left.hint, right.hint}:
        conflict = False
    (first, second), reconciled = align([left, right])
    with np.errstate(all="ignore"):
        result = replace(
            first,
            zero_count=first.zero_count + second.zero_count,
            count=first.count + second.count,
            sum=first.sum + second.sum,
            positive=_added(first.positive, second.positive),
            negative=_added(first.negative, second.negative),
            hint=hint,
        )
    return Combined(result, conflict, reconciled)


def subtract(left: Histogram, right: Histogram) -> Combined:
    """``left - right``, always a gauge; raises IncompatibleSchemas for exponential with custom buckets."""
    result = add(left, multiply(right, -1.0, keep_hint=True))
    return replace(result, histogram=replace(result.histogram, hint="gauge"))


def _added(left: Buckets, right: Buckets) -> Buckets:
    if not len(right.counts):
        return trimmed(left)
    if left.first == right.first and len(left.counts) == len(right.counts):
        return trimmed(Buckets(left.first, left.counts + right.counts))
    first, rows = stacked([left, right])
    return trimmed(Buckets(first, rows[0] + rows[1]))


def multiply(histogram: Histogram, factor: float, *, keep_hint: bool = False) -> Histogram:
    """All counts and the sum times ``factor``; a negative factor makes a gauge unless ``keep_hint``."""
    with np.errstate(all="ignore"):
        return compact(
            replace(
                histogram,
                zero_count=histogram.zero_count * factor,
                count=histogram.count * factor,
                sum=histogram.sum * factor,
                positive=Buckets(histogram.positive.first, histogram.positive.counts * factor),
                negative=Buckets(histogram.negative.first, histogram.negative.counts * factor),
                hint="gauge" if factor < 0 and not keep_hint else histogram.hint,
            )
        )


def divide(histogram: Histogram, divisor: float) -> Histogram:
    """All counts and the sum over ``divisor``; division by zero leaves no buckets but the zero bucket."""
    by = np.float64(divisor)
    with np.errstate(all="ignore"):
        divided = replace(
            histogram,
            zero_count=float(histogram.zero_count / by),
            count=float(histogram.count / by),
            sum=float(histogram.sum / by),
            positive=EMPTY if by == 0 else Buckets(histogram.positive.first, histogram.positive.counts / by),
            negative=EMPTY if by == 0 else Buckets(histogram.negative.first, histogram.negative.counts / by),
            hint="gauge" if by < 0 else histogram.hint,
        )
    return compact(divided)


def negate(histogram: Histogram) -> Histogram:
    """``-histogram``, a gauge."""
    return multiply(histogram, -1.0)


def equal(left: Histogram, right: Histogram) -> bool:
    """Same layout, counts and sum, bit by bit (NaN equals NaN); empty buckets and hints do not matter."""
    return (
        left.schema == right.schema
        and left.bounds == right.bounds
        and left.zero_threshold == right.zero_threshold
        and _same_bits([left.zero_count, left.count, left.sum], [right.zero_count, right.count, right.sum])
        and _same_buckets(left.positive, right.positive)
        and _same_buckets(left.negative, right.negative)
    )


def _same_buckets(left: Buckets, right: Buckets) -> bool:
    first, second = trimmed(left), trimmed(right)
    if len(first.counts) != len(second.counts):
        return False
    # Adding zero turns the -0 of an empty bucket into 0.
    return first.first == second.first and _same_bits(first.counts + 0.0, second.counts + 0.0)


def _same_bits(left: object, right: object) -> bool:
    bits = np.asarray(left, np.float64).view(np.int64)
    return bool(np.array_equal(bits, np.asarray(right, np.float64).view(np.int64)))
