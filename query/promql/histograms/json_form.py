"""Histograms as the HTTP API writes them."""

import numpy as np

from query.promql.histogram import Histogram
from query.promql.histograms.layout import bucket_table, is_custom
from query.promql.histograms.numbers import api

OPEN_LEFT, OPEN_RIGHT, CLOSED = 0, 1, 3
"""Rules of a bucket's bounds: ``(lower, upper]``, ``[lower, upper)``, ``[lower, upper]``."""


def as_json(histogram: Histogram) -> dict[str, object]:
    """``{"count", "sum", "buckets": [[rule, low, high, count], ...]}``, filled buckets; numbers are text."""
    form: dict[str, object] = {"count": api(histogram.count), "sum": api(histogram.sum)}
    table = bucket_table(histogram)
    rules = np.where(table.lower < 0, OPEN_RIGHT, OPEN_LEFT)
    if is_custom(histogram):
        rules = np.where(np.isneginf(table.lower), CLOSED, OPEN_LEFT)
    elif table.zero >= 0:
        rules[table.zero] = CLOSED
    buckets = [
        [int(rules[index]), api(table.lower[index]), api(table.upper[index]), api(table.counts[index])]
        for index in np.flatnonzero(table.counts)
    ]
    if buckets:
        form["buckets"] = buckets
    return form
