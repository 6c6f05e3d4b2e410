"""Whether a histogram makes sense, in Prometheus' words (remote write answers with them)."""

import math
from itertools import pairwise

import numpy as np

from query.promql.histogram import CUSTOM_BUCKETS, Histogram
from query.promql.histograms.layout import is_custom
from vigla.errors import BadInput

LOWEST_SCHEMA, HIGHEST_SCHEMA = -4, 8


class InvalidHistogram(BadInput):
    """The sender's histogram contradicts itself."""


def validate(histogram: Histogram, *, integer: bool) -> None:
    """Check one histogram.

    Args:
        histogram: as received.
        integer: counts are whole, so the total is compared with the buckets; sums of floats are too inexact.

    Raises:
        InvalidHistogram: with the first contradiction.
    """
    if is_custom(histogram):
        _check_custom(histogram)
    else:
        _check_exponential(histogram)
    for name, side in (("positive", histogram.positive), ("negative", histogram.negative)):
        wrong = np.flatnonzero(side.counts < 0)
        if len(wrong):
            raise InvalidHistogram(
                f"{name} side: bucket number {int(wrong[0]) + 1} has observation count of"
                f" {side.counts[wrong[0]]:g}: histogram has a bucket whose observation count is negative"
            )
    if histogram.zero_count < 0:
        raise InvalidHistogram(
            f"zero bucket has observation count of {histogram.zero_count:g}: "
            "histogram has a bucket whose observation count is negative"
        )
    if histogram.count < 0:
        raise InvalidHistogram(
            f"observation count is {histogram.count:g}: histogram's observation count is negative"
        )
    if integer:
        _check_count(histogram)


def _check_exponential(histogram: Histogram) -> None:
    if not LOWEST_SCHEMA <= histogram.schema <= HIGHEST_SCHEMA:
        raise InvalidHistogram(
            f"schema {histogram.schema}: histogram has an invalid schema, which must be between"
            f" {LOWEST_SCHEMA} and {HIGHEST_SCHEMA} for exponential buckets,"
            f" or {CUSTOM_BUCKETS} for custom buckets"
        )
    if histogram.bounds:
        raise InvalidHistogram("histogram with exponential schema must not have custom bounds")


def _check_custom(histogram: Histogram) -> None:
    bounds = histogram.bounds
    if any(math.isnan(bound) for bound in bounds):
        raise InvalidHistogram("custom buckets: histogram custom bounds must not be NaN")
    if any(math.isinf(bound) for bound in bounds):
        raise InvalidHistogram("custom buckets: histogram custom bounds must be finite")
    if any(lower >= upper for lower, upper in pairwise(bounds)):
        raise InvalidHistogram("custom buckets: histogram custom bounds must be in strictly increasing order")
    last = histogram.positive.first + len(histogram.positive.counts)
    if last > len(bounds) + 1:
        raise InvalidHistogram(
            f"custom buckets: only {len(bounds)} custom bounds defined which is insufficient to cover total"
            f" span length of {last}: histogram custom bounds are too few"
        )
    if histogram.zero_count:
        raise InvalidHistogram("custom buckets: must have zero count of 0")
    if histogram.zero_threshold:
        raise InvalidHistogram("custom buckets: must have zero threshold of 0")
    if len(histogram.negative.counts):
        raise InvalidHistogram("custom buckets: must not have negative buckets")


def _check_count(histogram: Histogram) -> None:
    found = float(histogram.positive.counts.sum() + histogram.negative.counts.sum() + histogram.zero_count)
    told = f"{found:.0f} observations found in buckets, but the Count field is {histogram.count:.0f}: "
    if math.isnan(histogram.sum) and found > histogram.count:
        raise InvalidHistogram(
            f"{told}histogram's observation count should be at least the number of observations found in"
            " the buckets"
        )
    if not math.isnan(histogram.sum) and found != histogram.count:
        raise InvalidHistogram(
            f"{told}histogram's observation count should equal the number of observations found in the"
            " buckets (in absence of NaN)"
        )
