"""Shares of the observations of one native histogram below a value."""

import math
from dataclasses import dataclass

import numpy as np

from query.promql.histogram import Histogram
from query.promql.histograms.layout import BucketTable, bucket_table, is_custom
from query.promql.histograms.notes import Site


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
