"""Mean and variance of one native histogram."""

import math

import numpy as np

from query.promql.histogram import Histogram
from query.promql.histograms.layout import bucket_table, is_custom
from query.promql.histograms.sums import compensated_sum


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
