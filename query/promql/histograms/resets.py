"""Counter resets between two histogram samples."""

from query.promql.histogram import Buckets, Histogram
from query.promql.histograms.layout import (
    common_bounds,
    is_custom,
    rebound,
    reduce_resolution,
    stacked,
    widen_zero,
)


def detect_reset(previous: Histogram, current: Histogram) -> bool:
    """Whether a counter restarted between two samples: something shrank, or the layout became finer."""
    if current.hint in {"reset", "not_reset"}:
        return current.hint == "reset"
    if current.count < previous.count or is_custom(current) != is_custom(previous):
        return True
    if is_custom(current):
        bounds = common_bounds(previous.bounds, current.bounds)
        return _shrank(rebound(previous, bounds).positive, rebound(current, bounds).positive)
    if current.schema > previous.schema or current.zero_threshold < previous.zero_threshold:
        return True
    widened = widen_zero(previous, current.zero_threshold)
    if widened.zero_threshold != current.zero_threshold or current.zero_count < widened.zero_count:
        return True
    merged = reduce_resolution(widened, current.schema)
    return _shrank(merged.positive, current.positive) or _shrank(merged.negative, current.negative)


def _shrank(previous: Buckets, current: Buckets) -> bool:
    _, rows = stacked([previous, current])
    return bool((rows[1] < rows[0]).any())
