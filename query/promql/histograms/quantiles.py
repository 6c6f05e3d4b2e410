"""Quantiles, fractions and moments of one native histogram."""

import math
from dataclasses import dataclass

import numpy as np

from query.promql.histogram import Histogram
from query.promql.histograms.layout import BucketTable, bucket_table, is_custom
from query.promql.histograms.notes import Site
from query.promql.histograms.sums import compensated_sum

MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket with the bounds its observations are assumed in.

    Attributes:
        linear: observations are spread evenly, else evenly over the logarithm.
    """

    lower: float
    upper: float
    count: float
    linear: bool

    def value_at(self, share: float) -> float:
        """The value below which ``share`` (0 to 1) of the observations are."""
        if self.linear:
            return self.lower + (self.upper - self.lower) * share
        low, high = math.log2(abs(self.lower)), math.log2(abs(self.upper))
        if self.lower > 0:
            return float(np.exp2(low + (high - low) * share))
        return -float(np.exp2(high + (low - high) * (1 - share)))

    def share_below(self, value: float) -> float:
        """The share of observations below ``value``, which lies inside the bucket."""
        if self.linear:
            width = self.upper - self.lower
            return 0.0 if math.isinf(width) else (value - self.lower) / width
        low, high = math.log2(abs(self.lower)), math.log2(abs(self.upper))
        place = math.log2(abs(value))
        return (place - low) / (high - low) if value > 0 else 1 - (place - high) / (low - high)


def assumed_bucket(histogram: Histogram, table: BucketTable, index: int) -> Bucket:
    """The bucket at ``index`` of the table, its bounds narrowed to where observations are assumed.

    A zero bucket beside buckets on one side only holds observations of that sign; the first custom bucket
    starts at 0 if it reaches above.
    """
    lower, upper = float(table.lower[index]), float(table.upper[index])
    if is_custom(histogram):
        if math.isinf(lower) and upper > 0:
            lower = 0.0
    elif index == table.zero:
        if not len(histogram.negative.counts) and len(histogram.positive.counts):
            lower = 0.0
        elif not len(histogram.positive.counts) and len(histogram.negative.counts):
            upper = 0.0
    return Bucket(lower, upper, float(table.counts[index]), is_custom(histogram) or index == table.zero)


def quantile(phi: float, histogram: Histogram, site: Site) -> float:
    """The value below which the share ``phi`` of the observations is (``histogram_quantile``)."""
    if not 0 <= phi <= 1:
        return math.nan if math.isnan(phi) else math.copysign(math.inf, phi)
    if histogram.count == 0:
        return math.nan
    # NaN is counted but in no bucket, so its share can be found from below only.
    has_nan = math.isnan(histogram.sum)
    forward = has_nan or phi < MIDDLE
    rank = (phi if forward else 1 - phi) * histogram.count
    table = bucket_table(histogram)
    filled = np.flatnonzero(table.counts)
    if not forward:
        filled = filled[::-1]
    counts = np.cumsum(table.counts[filled])
    reached = np.flatnonzero(counts >= rank)
    if has_nan:
        site.nan_observations("result is skewed higher" if len(reached) else "result is NaN")
    if not len(reached):
        beyond = float(table.upper[filled[-1]]) if len(filled) else 0.0
        return math.nan if has_nan else beyond
    bucket = assumed_bucket(histogram, table, int(filled[reached[0]]))
    if is_custom(histogram) and (math.isinf(bucket.lower) or math.isinf(bucket.upper)):
        return bucket.upper if math.isinf(bucket.lower) else bucket.lower
    seen = min(float(counts[reached[0]]), histogram.count)
    within = rank - (seen - bucket.count) if forward else seen - rank
    return bucket.value_at(within / bucket.count)


def fraction(lower: float, upper: float, histogram: Histogram, site: Site) -> float:
    """The share of observations between two values, as ``histogram_fraction`` estimates it."""
    if histogram.count == 0 or math.isnan(lower) or math.isnan(upper):
        return math.nan
    if lower >= upper:
        return 0.0
    if math.isnan(histogram.sum):
        site.nan_excluded()
    table = bucket_table(histogram)
    return (_rank(upper, histogram, table) - _rank(lower, histogram, table)) / histogram.count


def _rank(value: float, histogram: Histogram, table: BucketTable) -> float:
    """How many observations are assumed below ``value``."""
    above = np.flatnonzero(table.upper > value)
    if not len(above):
        total = float(table.counts.sum())
        return total if math.isnan(histogram.sum) else histogram.count
    index = int(above[0])
    rank = float(table.counts[:index].sum())
    bucket = assumed_bucket(histogram, table, index)
    if bucket.lower < value < bucket.upper:
        below_all = math.isinf(bucket.lower) and bucket.upper <= 0
        rank += bucket.count * (1.0 if below_all else bucket.share_below(value))
    elif value >= bucket.upper:
        rank += bucket.count
    return min(rank, histogram.count)


def variance(histogram: Histogram) -> float:
    """Mean squared distance from the mean, all observations of a bucket taken at its middle."""
    if histogram.count == 0:
        return math.nan
    table = bucket_table(histogram)
    mean = histogram.sum / histogram.count
    with np.errstate(all="ignore"):
        if is_custom(histogram):
            middles = (table.lower + table.upper) / 2
        else:
            middles = np.sign(table.upper) * np.sqrt(table.lower * table.upper)
        if table.zero >= 0:
            middles[table.zero] = 0.0
        filled = table.counts != 0
        squares = (table.counts * (middles - mean) ** 2)[filled]
        return float(compensated_sum(squares[:, None])[0] / histogram.count)


def mean(histogram: Histogram) -> float:
    """Sum over count; NaN without observations."""
    with np.errstate(all="ignore"):
        return float(np.float64(histogram.sum) / histogram.count)
