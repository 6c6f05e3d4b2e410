"""Instant selectors with ``smoothed``: values interpolated between the samples before and after each step."""

import numpy as np

from query.promql.histogram import Histogram, filled
from query.promql.histograms.layout import IncompatibleSchemas
from query.promql.kernels.call import (
    Bools,
    Objects,
    RangeCall,
    RangeResult,
    floats_at,
    is_histogram,
    times_at,
)
from query.promql.kernels.extended import interpolation_weights
from query.promql.kernels.extended_histograms import between as between_samples


def smoothed_selector(call: RangeCall) -> RangeResult:
    """The value at each step: the sample there, or between its neighbours, or the one before if none follows.

    Args:
        call: its windows end at the steps and are ``lookback`` long; ``batch`` reaches ``lookback`` further.
            Floats and histograms within the lookback on either side give a warning and no value.
    """
    windows = call.windows
    before = windows.last - 1
    exact = (windows.last > windows.first) & (times_at(windows, before) == windows.ends)
    follows = windows.last < windows.batch.offsets[1:, None]
    follows &= times_at(windows, windows.last) <= windows.ends + call.lookback
    between = follows & ~exact
    with np.errstate(all="ignore"):
        weight = interpolation_weights(windows, before, windows.ends)
        low = floats_at(windows, before)
        values = np.where(between, low + (floats_at(windows, windows.last) - low) * weight, low)
    present = windows.first < windows.last
    if windows.batch.histograms is None:
        return RangeResult(values, present)
    present &= ~_mixed(call, present)
    histograms = _interpolate(call, present, between)
    is_float = present & ~is_histogram(windows.batch)[np.maximum(before, 0)]
    found = filled(histograms)
    return RangeResult(np.where(found, np.nan, values), is_float | found, histograms if found.any() else None)


def _mixed(call: RangeCall, present: Bools) -> Bools:
    """Elements with floats and histograms within the lookback on either side; each is a warning."""
    windows, kind = call.windows, is_histogram(call.windows.batch)
    upto = np.concatenate(([0], np.cumsum(kind, dtype=np.int64)))
    end = windows.last.copy()
    for row, (low, high) in enumerate(
        zip(windows.batch.offsets[:-1], windows.batch.offsets[1:], strict=True)
    ):
        times = windows.batch.times[low:high]
        end[row] = low + np.searchsorted(times, windows.ends + call.lookback, side="right")
    number = upto[end] - upto[windows.first]
    mixed: Bools = present & (number > 0) & (number < end - windows.first)
    for row in np.flatnonzero(mixed.any(axis=1)).tolist():
        call.site(row).mixed_floats()
    return mixed


def _interpolate(call: RangeCall, present: Bools, between: Bools) -> Objects:
    """The histograms at the steps, None where a float comes before or the schemas do not fit."""
    windows = call.windows
    samples: Objects = np.full(0, None, dtype=object)
    if windows.batch.histograms is not None:
        samples = windows.batch.histograms
    weights = interpolation_weights(windows, windows.last - 1, windows.ends)
    results: Objects = np.full(present.shape, None, dtype=object)
    chosen = present & filled(samples)[np.maximum(windows.last - 1, 0)]
    for row, step in np.argwhere(chosen).tolist():
        newest = int(windows.last[row, step])
        before: Histogram = samples[newest - 1]
        if not between[row, step]:
            results[row, step] = before
            continue
        counter = before.hint != "gauge"
        try:
            results[row, step] = between_samples(
                before, samples[newest], float(weights[row, step]), counter=counter
            )
        except IncompatibleSchemas:
            call.site(row).mixed_schemas()
    return results
