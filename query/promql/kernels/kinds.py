"""How functions treat windows of floats, of histograms, and of both."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from query.promql.histogram import NO_HISTOGRAM, filled
from query.promql.kernels.call import (
    Bools,
    Floats,
    Objects,
    RangeCall,
    RangeFunction,
    RangeResult,
    counts,
    floats_only,
    histograms_only,
    with_windows,
)
from query.promql.kernels.extended import edges
from query.promql.kernels.notes import histograms_ignored
from query.promql.matrix import Windows

OfHistograms = Callable[[RangeCall], Objects]


def float_function(function: Callable[[RangeCall], Floats], least: int = 1) -> RangeFunction:
    """A function of floats only: histograms are ignored, with an info where floats are left.

    Args:
        function: values [S, T] of a call without histograms.
        least: fewer floats in a window give no result.
    """

    def evaluate(call: RangeCall) -> RangeResult:
        kept = floats_only(call.windows)
        present = counts(kept) >= least
        if call.windows.batch.histograms is not None:
            mixed = (counts(kept) > 0) & (counts(kept) < counts(call.windows))
            for row in np.flatnonzero(mixed.any(axis=1)).tolist():
                histograms_ignored(call.notes, call.windows.batch.labels[row], call.place)
        return RangeResult(function(with_windows(call, kept)), present)

    return evaluate


def either_kind(floats: RangeFunction, histograms: OfHistograms) -> RangeFunction:
    """A function of floats or histograms: a window with both gives a warning and no result."""

    def evaluate(call: RangeCall) -> RangeResult:
        if call.windows.batch.histograms is None:
            return floats(call)
        reached = _reached(call)
        number, others = _kinds(reached)
        mixed = (number > 0) & (others > 0)
        for row in np.flatnonzero(mixed.any(axis=1)).tolist():
            call.site(row).mixed_floats()
        of_floats = floats(with_windows(call, floats_only(call.windows)))
        pure = _without(call.windows, number > 0)
        found = histograms(with_windows(call, histograms_only(pure)))
        found[number > 0] = None  # an extended range finds neighbours of an emptied window
        return _joined(of_floats, of_floats.present & ~mixed & (number > 0), found)

    return evaluate


def last_two_of_either_kind(floats: RangeFunction, histograms: OfHistograms) -> RangeFunction:
    """A function of the last two samples, whatever came before them."""
    joined = either_kind(floats, histograms)

    def evaluate(call: RangeCall) -> RangeResult:
        windows = call.windows
        return joined(with_windows(call, replace(windows, first=np.maximum(windows.first, windows.last - 2))))

    return evaluate


def _reached(call: RangeCall) -> Windows:
    """The windows with the samples that an extended range takes from beyond its bounds."""
    if call.extension is None:
        return call.windows
    bounds = edges(call)
    first = np.where(bounds.present, bounds.left, call.windows.first)
    return replace(call.windows, first=first, last=np.where(bounds.present, bounds.right + 1, first))


def _kinds(windows: Windows) -> tuple[Floats, Floats]:
    """Number of floats and of histograms of each window."""
    number = counts(floats_only(windows)).astype(np.float64)
    return number, counts(windows) - number


def _without(windows: Windows, left_out: Bools) -> Windows:
    """The windows, those named emptied."""
    return replace(windows, last=np.where(left_out, windows.first, windows.last))


def _joined(of_floats: RangeResult, present: Bools, found: Objects) -> RangeResult:
    is_found = filled(found) & ~present
    values = np.where(is_found, np.nan, of_floats.values)
    return RangeResult(
        values, present | is_found, np.where(is_found, found, NO_HISTOGRAM) if is_found.any() else None
    )
