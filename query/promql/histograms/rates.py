"""``rate``, ``increase``, ``delta``, ``irate`` and ``idelta`` over windows of histograms."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from query.promql.histogram import Histogram
from query.promql.histograms.arithmetic import add, divide, multiply, subtract
from query.promql.histograms.layout import IncompatibleSchemas, is_custom, reduce_resolution
from query.promql.histograms.notes import Site
from query.promql.histograms.resets import detect_reset

NEAR_BOUND = 1.1
"""A gap to the window's bound longer than this many average distances is not extrapolated over in full."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range in seconds, and the times in seconds of the first and the last of ``samples`` samples in it."""

    start: float
    end: float
    first: float
    last: float
    samples: int


def restarts(samples: Sequence[Histogram]) -> list[bool]:
    """For each sample, whether the counter restarted since the one before; False for the first.

    Sliding windows of one series can share it: of a window's slice only the first value changes, to False.
    """
    return [False, *(detect_reset(before, after) for before, after in pairwise(samples))]


def counter_increase(samples: Sequence[Histogram], restarted: Sequence[bool], site: Site) -> Histogram | None:
    """Growth of a counter from the first to the last sample, resets counted in.

    None with a note when the samples do not go together.

    Args:
        samples: at least one.
        restarted: for each sample, whether the counter began at zero since the one before (``restarts``, or
            start times); True for the first one counts that sample from zero.
        site: the function's argument.
    """
    if any(sample.hint == "gauge" for sample in samples):
        site.not_a_counter()
    ignored_first = len(samples) > 1 and restarted[1] and not restarted[0]
    relevant = samples[1:] if ignored_first else samples
    if any(is_custom(sample) != is_custom(relevant[0]) for sample in relevant):
        site.mixed_schemas()
        return None
    result = reduce_resolution(relevant[-1], min(sample.schema for sample in relevant))
    if not ignored_first and not restarted[0]:
        difference = subtract(result, samples[0])
        if difference.bounds_reconciled:
            site.bounds_reconciled("subtraction")
        result = difference.histogram
    for index in range(2 if ignored_first else 1, len(samples)):
        if restarted[index]:
            grown = add(result, samples[index - 1])
            if grown.bounds_reconciled:
                site.bounds_reconciled("addition")
            result = grown.histogram
    return replace(result, hint="gauge")


def gauge_delta(first: Histogram, last: Histogram, site: Site) -> Histogram | None:
    """``last - first`` of a gauge, for ``delta`` and ``idelta``.

    None with a note for exponential with custom buckets.
    """
    if first.hint != "gauge" or last.hint != "gauge":
        site.not_a_gauge()
    return _difference(first, last, site)


def _difference(first: Histogram, last: Histogram, site: Site) -> Histogram | None:
    try:
        difference = subtract(last, first)
    except IncompatibleSchemas:
        site.mixed_schemas()
        return None
    if difference.bounds_reconciled:
        site.bounds_reconciled("subtraction")
    return difference.histogram


def extrapolation_factor(window: Window, first_count: float, increase: float, *, counter: bool) -> float:
    """How much the growth between the first and last sample is scaled to cover the whole window.

    Args:
        window: at least two samples.
        first_count: count of the first sample; a counter does not reach below zero.
        increase: count of the growth.
        counter: whether counts cannot be negative.
    """
    sampled = window.last - window.first
    average = sampled / (window.samples - 1)
    to_start = window.first - window.start
    to_end = window.end - window.last
    if to_start >= average * NEAR_BOUND:
        to_start = average / 2
    if counter and increase > 0 and first_count >= 0:
        to_start = min(to_start, sampled * (first_count / increase))
    if to_end >= average * NEAR_BOUND:
        to_end = average / 2
    return (sampled + to_start + to_end) / sampled


def extrapolated(
    samples: Sequence[Histogram], window: Window, site: Site, *, counter: bool, per_second: bool
) -> Histogram | None:
    """``rate`` (counter, per second), ``increase`` (counter) or ``delta`` of one window.

    None when there are fewer than two samples, or with a note when the samples do not go together.
    """
    if len(samples) < 2:  # noqa: PLR2004  a difference takes two
        return None
    if counter:
        result = counter_increase(samples, restarts(samples), site)
    else:
        result = gauge_delta(samples[0], samples[-1], site)
    if result is None:
        return None
    factor = extrapolation_factor(window, samples[0].count, result.count, counter=counter)
    if per_second:
        factor /= window.end - window.start
    return multiply(result, factor)


def instant_increase(
    before: Histogram, after: Histogram, seconds: float, site: Site, *, restarted: bool
) -> Histogram | None:
    """``irate`` of the last two samples; after a reset ``after`` alone. None with a note if impossible.

    Args:
        before: the last sample but one.
        after: the last sample.
        seconds: between them; not zero.
        site: the function's argument.
        restarted: ``detect_reset(before, after)``, or known from start times.
    """
    if "gauge" in {before.hint, after.hint}:
        site.not_a_counter()
    change = replace(after, hint="gauge") if restarted else _difference(before, after, site)
    return None if change is None else divide(change, seconds)


def interpolated(before: Histogram, after: Histogram, fraction: float, *, counter: bool) -> Histogram:
    """Between two samples, ``fraction`` of the way; across a reset a counter grows from zero.

    Raises IncompatibleSchemas for exponential with custom buckets.
    """
    if counter and detect_reset(before, after):
        return multiply(after, fraction)
    difference = multiply(subtract(after, before).histogram, fraction)
    return replace(add(before, difference).histogram, hint=before.hint)
