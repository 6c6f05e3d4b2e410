"""Classic ``le`` buckets as one histogram with custom bounds (NHCB)."""

import math
from collections.abc import Mapping

import numpy as np

from query.promql.histogram import CUSTOM_BUCKETS, Buckets, Histogram
from query.promql.histograms.layout import EMPTY, trimmed


def from_classic(buckets: Mapping[float, float], count: float | None, total: float) -> Histogram:
    """Histogram of cumulative buckets.

    Args:
        buckets: upper bound to cumulative count; the one of +Inf may be absent.
        count: of all observations; None takes the highest bucket's.
        total: sum of all observations.
    """
    bounds = sorted(bound for bound in buckets if not math.isinf(bound))
    cumulative = [buckets[bound] for bound in bounds]
    highest = max(cumulative, default=0.0)
    everything = buckets.get(math.inf, highest if count is None else count)
    counts = np.diff(np.array([*cumulative, everything], np.float64), prepend=0.0)
    return Histogram(
        schema=CUSTOM_BUCKETS,
        zero_threshold=0.0,
        zero_count=0.0,
        count=everything if count is None else count,
        sum=total,
        positive=trimmed(Buckets(0, counts)),
        negative=EMPTY,
        bounds=tuple(bounds),
    )
