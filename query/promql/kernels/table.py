"""The functions over range vectors by name."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from query.promql.histogram import NO_HISTOGRAM, filled
from query.promql.histograms.notes import check_quantiles
from query.promql.kernels import extremes, order, regression, smoothing, sums
from query.promql.kernels.call import (
    Floats,
    Ints,
    Objects,
    RangeCall,
    RangeFunction,
    RangeResult,
    counts,
    floats_at,
    gather,
    times_at,
)
from query.promql.kernels.counters import extrapolated, instant_difference
from query.promql.kernels.extended import extended_difference
from query.promql.kernels.extended_histograms import extended_histograms
from query.promql.kernels.histograms import extrapolated_histograms, instant_histograms, summed_histograms
from query.promql.kernels.kinds import either_kind, float_function, last_two_of_either_kind
from query.promql.kernels.notes import name_is_no_counter, start_overlaps
from query.promql.kernels.start_times import overlaps
from query.promql.kernels.transitions import changes, resets
from query.promql.matrix import Windows

PAIR = 2
"""Samples that a slope needs."""


def _difference(*, counter: bool, per_second: bool) -> RangeFunction:
    plain = either_kind(
        lambda call: extrapolated(call, counter=counter, per_second=per_second),
        lambda call: extrapolated_histograms(call, counter=counter, per_second=per_second),
    )
    extended = either_kind(
        lambda call: extended_difference(call, counter=counter, per_second=per_second),
        lambda call: extended_histograms(call, counter=counter, per_second=per_second),
    )

    def evaluate(call: RangeCall) -> RangeResult:
        result = (plain if call.extension is None else extended)(call)
        if counter:
            _note_names(call, result)
            _note_overlaps(call)
        return result

    return evaluate


def _note_names(call: RangeCall, result: RangeResult) -> None:
    is_float = result.present
    if result.histograms is not None:
        is_float = is_float & ~filled(result.histograms)
    for row in np.flatnonzero(is_float.any(axis=1)).tolist():
        name_is_no_counter(call.notes, call.windows.batch.labels[row], call.place)


def _note_overlaps(call: RangeCall) -> None:
    windows = call.windows
    if not call.use_start_times or windows.batch.start_times is None:
        return
    upto = np.concatenate(([0], np.cumsum(overlaps(windows.batch), dtype=np.int64)))
    begin = np.minimum(windows.first + 1, windows.last)
    for row in np.flatnonzero((upto[windows.last] > upto[begin]).any(axis=1)).tolist():
        start_overlaps(call.notes, windows.batch.labels[row], call.place)


def _instant(*, counter: bool) -> RangeFunction:
    return last_two_of_either_kind(
        lambda call: instant_difference(call, counter=counter),
        lambda call: instant_histograms(call, counter=counter),
    )


def _sum(*, mean: bool) -> RangeFunction:
    reduce = sums.mean_floats if mean else sums.sum_floats
    return either_kind(
        lambda call: RangeResult(reduce(call.windows), counts(call.windows) > 0),
        lambda call: summed_histograms(call, mean=mean),
    )


def _floats(function: Callable[[Windows], Floats], least: int = 1) -> RangeFunction:
    return float_function(lambda call: function(call.windows), least)


def _quantile(call: RangeCall) -> Floats:
    check_quantiles(call.notes, call.parameters[0], call.parameter_place or call.place)
    return order.quantile(call.windows, call.parameters[0])


def _smooth(call: RangeCall) -> Floats:
    smoothing.check_factors(*call.parameters)
    return smoothing.smooth(call.windows, *call.parameters)


def _count(call: RangeCall) -> RangeResult:
    size = counts(call.windows)
    return RangeResult(size.astype(np.float64), size > 0)


def _present(call: RangeCall) -> RangeResult:
    present = counts(call.windows) > 0
    return RangeResult(present.astype(np.float64), present)


def _sample(call: RangeCall, index: Ints) -> RangeResult:
    windows = call.windows
    present, values = counts(windows) > 0, floats_at(windows, index)
    if windows.batch.histograms is None:
        return RangeResult(values, present)
    chosen: Objects = np.where(present, gather(windows.batch.histograms, index), NO_HISTOGRAM)
    return RangeResult(values, present, chosen if filled(chosen).any() else None)


def _time_of_sample(call: RangeCall, index: Ints) -> RangeResult:
    return RangeResult(times_at(call.windows, index) / 1000.0, counts(call.windows) > 0)


RANGE_FUNCTIONS: Mapping[str, RangeFunction] = {
    "absent_over_time": _present,
    "avg_over_time": _sum(mean=True),
    "changes": changes,
    "count_over_time": _count,
    "delta": _difference(counter=False, per_second=False),
    "deriv": _floats(regression.slope, PAIR),
    "double_exponential_smoothing": float_function(_smooth, PAIR),
    "first_over_time": lambda call: _sample(call, call.windows.first),
    "idelta": _instant(counter=False),
    "increase": _difference(counter=True, per_second=False),
    "irate": _instant(counter=True),
    "last_over_time": lambda call: _sample(call, call.windows.last - 1),
    "mad_over_time": _floats(order.median_deviation),
    "max_over_time": _floats(extremes.maximum),
    "min_over_time": _floats(extremes.minimum),
    "predict_linear": float_function(
        lambda call: regression.predict(call.windows, call.times, call.parameters[0]), PAIR
    ),
    "present_over_time": _present,
    "quantile_over_time": float_function(_quantile),
    "rate": _difference(counter=True, per_second=True),
    "resets": resets,
    "stddev_over_time": _floats(sums.standard_deviation),
    "stdvar_over_time": _floats(sums.variance),
    "sum_over_time": _sum(mean=False),
    "ts_of_first_over_time": lambda call: _time_of_sample(call, call.windows.first),
    "ts_of_last_over_time": lambda call: _time_of_sample(call, call.windows.last - 1),
    "ts_of_max_over_time": _floats(extremes.time_of_maximum),
    "ts_of_min_over_time": _floats(extremes.time_of_minimum),
}
"""Results at each step. ``absent_over_time`` is 1 where a series has a sample: the engine
decides from it where all of them are absent."""

ANCHORED_FUNCTIONS = frozenset({"changes", "delta", "increase", "rate", "resets"})
SMOOTHED_FUNCTIONS = frozenset({"delta", "increase", "rate"})

_SAMPLES = 2_000_000
_WINDOWS = 500_000
"""Work held at once: intermediate arrays are a few times as large."""


def evaluate(name: str, call: RangeCall) -> RangeResult:
    """The result of a range function, some series at a time so that memory stays bounded."""
    function, windows = RANGE_FUNCTIONS[name], call.windows
    parts: list[RangeResult] = []
    begin, size = 0, len(windows.batch.labels)
    while begin < size or not parts:
        reached = windows.batch.offsets[begin] + _SAMPLES
        by_samples = np.searchsorted(windows.batch.offsets, reached, side="right")
        end = min(int(by_samples) - 1, begin + max(1, _WINDOWS // max(1, len(windows.ends))), size)
        end = max(end, min(begin + 1, size))
        part = replace(call, windows=_some_series(windows, begin, end))
        parts.append(function(part))
        begin = end
    return parts[0] if len(parts) == 1 else _stacked(parts)


def _some_series(windows: Windows, begin: int, end: int) -> Windows:
    batch, shift = windows.batch, windows.batch.offsets[begin]
    samples = slice(int(shift), int(batch.offsets[end]))
    kept = replace(
        batch,
        labels=batch.labels[begin:end],
        offsets=batch.offsets[begin : end + 1] - shift,
        times=batch.times[samples],
        values=batch.values[samples],
        histograms=None if batch.histograms is None else batch.histograms[samples],
        start_times=None if batch.start_times is None else batch.start_times[samples],
    )
    first, last = windows.first[begin:end] - shift, windows.last[begin:end] - shift
    return replace(windows, batch=kept, first=first, last=last)


def _stacked(parts: list[RangeResult]) -> RangeResult:
    histograms = None
    if any(part.histograms is not None for part in parts):
        histograms = np.concatenate(
            [
                np.full(part.values.shape, None, dtype=object) if part.histograms is None else part.histograms
                for part in parts
            ]
        )
    return RangeResult(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
        histograms,
    )
