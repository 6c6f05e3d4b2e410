"""Additions of histograms that tell the user what went wrong: binary operators and aggregations."""

from collections.abc import Sequence
from typing import Literal

from query.promql.histogram import Histogram
from query.promql.histograms import sums
from query.promql.histograms.arithmetic import Combined, add, subtract
from query.promql.histograms.layout import IncompatibleSchemas
from query.promql.histograms.notes import Site


def plus(left: Histogram, right: Histogram, site: Site) -> Histogram | None:
    """``left + right``; None with a warning for exponential with custom buckets."""
    try:
        return _told(add(left, right), "addition", site)
    except IncompatibleSchemas:
        site.incompatible_layout("+")
        return None


def minus(left: Histogram, right: Histogram, site: Site) -> Histogram | None:
    """``left - right``, a gauge; None with a warning for exponential with custom buckets."""
    try:
        return _told(subtract(left, right), "subtraction", site)
    except IncompatibleSchemas:
        site.incompatible_layout("-")
        return None


def aggregate(histograms: Sequence[Histogram], site: Site, *, mean: bool) -> Histogram | None:
    """Sum or mean of at least one histogram, of a group of series or of a window of one.

    Args:
        histograms: at least one.
        site: the aggregated expression, or the argument of ``sum_over_time`` and ``avg_over_time``.
        mean: divide by their number.

    Returns:
        None, with a warning, for exponential with custom buckets.
    """
    try:
        combined = sums.average(histograms) if mean else sums.total(histograms)
    except IncompatibleSchemas:
        site.mixed_schemas()
        return None
    return _told(combined, "aggregation", site)


def _told(
    combined: Combined, operation: Literal["addition", "subtraction", "aggregation"], site: Site
) -> Histogram:
    if combined.resets_conflict:
        site.resets_conflict(operation)
    if combined.bounds_reconciled:
        site.bounds_reconciled(operation)
    return combined.histogram
