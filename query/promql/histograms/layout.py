"""Bucket layouts: bounds, resolution, width of the zero bucket, custom bounds, empty ends."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from query.promql.histogram import CUSTOM_BUCKETS, Buckets, Histogram

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
EMPTY = Buckets(0, np.empty(0))
LARGEST_EXPONENT = 1024
"""``2**1024`` is the first power of two above every float64."""


class IncompatibleSchemas(ValueError):
    """One histogram has exponential, the other custom buckets."""

    def __init__(self) -> None:
        super().__init__(
            "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
        )


@dataclass(frozen=True, slots=True)
class BucketTable:
    """All buckets of a histogram from the lowest to the highest, the zero bucket between the sides.

    Attributes:
        lower, upper, counts: float64 [B]; the lower bound of the first custom bucket is -Inf.
        zero: index of the zero bucket; -1 when its count is 0.
    """

    lower: Floats
    upper: Floats
    counts: Floats
    zero: int


def is_custom(histogram: Histogram) -> bool:
    """Whether the buckets have explicit bounds (NHCB)."""
    return histogram.schema == CUSTOM_BUCKETS


def exponential_bounds(schema: int, first: int, last: int) -> Floats:
    """Upper bounds of the buckets ``first`` to ``last`` (inclusive) of a schema from -4 to 8.

    The bound below the overflow bucket (observations of Inf) is the largest float64 instead of ``2**1024``.
    """
    index = np.arange(first, last + 1, dtype=np.int64)
    if schema < 0:
        exponent = index << -schema
        fraction = np.ones(len(index))
    else:
        exponent = index >> schema
        fraction = _fractions(schema)[index & ((1 << schema) - 1)]
    at_limit = (exponent == LARGEST_EXPONENT) & (fraction == 1.0)
    with np.errstate(over="ignore"):
        bounds = np.ldexp(fraction, np.clip(exponent, -2000, 2000).astype(np.int32))
    return np.where(at_limit, np.finfo(np.float64).max, bounds)


@lru_cache(maxsize=16)
def _fractions(schema: int) -> Floats:
    steps = 1 << schema
    return np.array([2.0 ** (step / steps) for step in range(steps)])


def positive_edges(histogram: Histogram) -> tuple[Floats, Floats]:
    """Lower and upper bounds of the positive buckets; of all buckets with custom bounds."""
    first, size = histogram.positive.first, len(histogram.positive.counts)
    if not size:
        return np.empty(0), np.empty(0)
    if is_custom(histogram):
        edges = np.array([-np.inf, *histogram.bounds, np.inf])[first : first + size + 1]
    else:
        edges = exponential_bounds(histogram.schema, first - 1, first + size - 1)
    return edges[:-1], edges[1:]


def negative_edges(histogram: Histogram) -> tuple[Floats, Floats]:
    """Inner and outer distance from zero of the negative buckets, both positive numbers."""
    first, size = histogram.negative.first, len(histogram.negative.counts)
    if not size:
        return np.empty(0), np.empty(0)
    edges = exponential_bounds(histogram.schema, first - 1, first + size - 1)
    return edges[:-1], edges[1:]


def bucket_table(histogram: Histogram) -> BucketTable:
    """Buckets in ascending order, as quantiles and fractions walk them."""
    lower, upper = positive_edges(histogram)
    counts = histogram.positive.counts
    if is_custom(histogram):
        return BucketTable(lower, upper, counts, -1)
    inner, outer = negative_edges(histogram)
    has_zero = histogram.zero_count != 0
    width = [histogram.zero_threshold] if has_zero else []
    return BucketTable(
        np.concatenate((-outer[::-1], np.negative(width), lower)),
        np.concatenate((-inner[::-1], width, upper)),
        np.concatenate((histogram.negative.counts[::-1], [histogram.zero_count] if has_zero else [], counts)),
        len(inner) if has_zero else -1,
    )


def trimmed(buckets: Buckets) -> Buckets:
    """Without the empty buckets at both ends."""
    filled = np.flatnonzero(buckets.counts)
    if not len(filled):
        return EMPTY
    if len(filled) == len(buckets.counts):
        return buckets
    first, last = int(filled[0]), int(filled[-1])
    return Buckets(buckets.first + first, buckets.counts[first : last + 1])


def compact(histogram: Histogram) -> Histogram:
    """The same histogram without empty buckets at the ends of both sides."""
    positive, negative = trimmed(histogram.positive), trimmed(histogram.negative)
    if positive is histogram.positive and negative is histogram.negative:
        return histogram
    return replace(histogram, positive=positive, negative=negative)


def reduce_resolution(histogram: Histogram, schema: int) -> Histogram:
    """Merge exponential buckets into those of a lower schema; counts are kept."""
    if schema == histogram.schema:
        return histogram
    shift = histogram.schema - schema
    return replace(
        histogram,
        schema=schema,
        positive=_merged(histogram.positive, shift),
        negative=_merged(histogram.negative, shift),
    )


def _merged(buckets: Buckets, shift: int) -> Buckets:
    size = len(buckets.counts)
    if not size:
        return EMPTY
    target = ((np.arange(buckets.first - 1, buckets.first - 1 + size)) >> shift) + 1
    first = int(target[0])
    return Buckets(first, _gathered(target - first, buckets.counts))


def _gathered(target: npt.NDArray[np.int64], counts: Floats) -> Floats:
    return np.asarray(np.bincount(target, weights=counts), np.float64)


def common_bounds(left: tuple[float, ...], right: tuple[float, ...]) -> tuple[float, ...]:
    """Custom bounds that both sides have."""
    if left == right:
        return left
    shared = set(right)
    return tuple(bound for bound in left if bound in shared)


def rebound(histogram: Histogram, bounds: tuple[float, ...]) -> Histogram:
    """Merge custom buckets into those of ``bounds``, a part of the present ones."""
    if bounds == histogram.bounds:
        return histogram
    size = len(histogram.positive.counts)
    if not size:
        return replace(histogram, bounds=bounds)
    _, upper = positive_edges(histogram)
    target = np.searchsorted(np.array(bounds), upper)
    counts = _gathered(target, histogram.positive.counts)
    return replace(histogram, bounds=bounds, positive=trimmed(Buckets(0, counts)))


def widen_zero(histogram: Histogram, threshold: float) -> Histogram:
    """Move all buckets below ``threshold`` into the zero bucket.

    A threshold inside a filled bucket grows to that bucket's outer bound: the result can be wider than asked.
    """
    if threshold <= histogram.zero_threshold:
        return histogram
    positive_lower, positive_upper = positive_edges(histogram)
    negative_lower, negative_upper = negative_edges(histogram)
    sides = (
        (positive_lower, positive_upper, histogram.positive.counts),
        (negative_lower, negative_upper, histogram.negative.counts),
    )
    while True:
        wider = max(threshold, *(_outer_bound(*side, threshold) for side in sides))
        if wider == threshold:
            break
        threshold = wider
    moved = [int(np.searchsorted(lower, threshold)) for lower, _, _ in sides]
    return replace(
        histogram,
        zero_threshold=threshold,
        zero_count=float(
            histogram.zero_count
            + histogram.positive.counts[: moved[0]].sum()
            + histogram.negative.counts[: moved[1]].sum()
        ),
        positive=trimmed(_without(histogram.positive, moved[0])),
        negative=trimmed(_without(histogram.negative, moved[1])),
    )


def _outer_bound(lower: Floats, upper: Floats, counts: Floats, threshold: float) -> float:
    """Outer bound of the filled bucket that ``threshold`` cuts, else ``threshold``."""
    cut = np.flatnonzero((lower < threshold) & (upper > threshold) & (counts != 0))
    return float(upper[cut[0]]) if len(cut) else threshold


def _without(buckets: Buckets, count: int) -> Buckets:
    return Buckets(buckets.first + count, buckets.counts[count:]) if count else buckets


def align_zero(histograms: list[Histogram]) -> list[Histogram]:
    """Give all exponential histograms the same zero threshold: the narrowest that cuts no filled bucket."""
    while True:
        threshold = max(histogram.zero_threshold for histogram in histograms)
        if all(histogram.zero_threshold == threshold for histogram in histograms):
            return histograms
        histograms = [widen_zero(histogram, threshold) for histogram in histograms]


def align(histograms: list[Histogram]) -> tuple[list[Histogram], bool]:
    """Give all histograms one layout: schema, zero threshold, custom bounds.

    Returns:
        the histograms, and whether custom bounds differed.

    Raises:
        IncompatibleSchemas: exponential and custom buckets are mixed.
    """
    custom = is_custom(histograms[0])
    if any(is_custom(histogram) != custom for histogram in histograms):
        raise IncompatibleSchemas
    if custom:
        bounds = histograms[0].bounds
        for histogram in histograms[1:]:
            bounds = common_bounds(bounds, histogram.bounds)
        differed = any(histogram.bounds != bounds for histogram in histograms)
        return [rebound(histogram, bounds) for histogram in histograms], differed
    aligned = align_zero(histograms)
    schema = min(histogram.schema for histogram in aligned)
    return [reduce_resolution(histogram, schema) for histogram in aligned], False


def stacked(sides: list[Buckets]) -> tuple[int, Floats]:
    """Buckets of N histograms of one layout as rows: index of the first column, and float64 [N, B]."""
    filled = [side for side in sides if len(side.counts)]
    if not filled:
        return 0, np.zeros((len(sides), 0))
    first = min(side.first for side in filled)
    last = max(side.first + len(side.counts) for side in filled)
    rows = np.zeros((len(sides), last - first))
    for row, side in zip(rows, sides, strict=True):
        row[side.first - first : side.first - first + len(side.counts)] = side.counts
    return first, rows
