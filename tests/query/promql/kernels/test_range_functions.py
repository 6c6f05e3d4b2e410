"""Each range function against a plain loop over every window."""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings

from query.promql.kernels.notes import ArgumentError
from query.promql.kernels.table import evaluate
from tests.query.promql.kernels import naive
from tests.query.promql.kernels.naive import FINITE, Case, Sample, call_of, cases

Expected = Callable[[Sequence[Sample]], float | None]


def check(
    name: str, case: Case, expected: Expected, parameters: Sequence[float] = (), tolerance: float = 1e-9
) -> None:
    result = evaluate(name, call_of(case.series, case.ends, case.length, parameters=parameters))
    for row, column in np.ndindex(result.values.shape):
        window = case.window(row, column)
        wanted = expected(window) if window else None
        assert bool(result.present[row, column]) == (wanted is not None), (name, window)
        if wanted is not None:
            got = result.values[row, column]
            assert got == pytest.approx(wanted, rel=1e-6, abs=tolerance, nan_ok=True), (name, window)


def values_of(window: Sequence[Sample]) -> list[float]:
    return [value for _, value in window]


@settings(max_examples=80, deadline=None)
@given(cases())
def test_sums_are_compensated(case: Case):
    check("sum_over_time", case, lambda window: naive.neumaier(values_of(window)))
    check("avg_over_time", case, lambda window: naive.neumaier(values_of(window)) / len(window))
    check("count_over_time", case, lambda window: float(len(window)))


def test_averages_do_not_overflow_and_sums_keep_small_addends():
    series = [[(1000, 1.7e308), (2000, 1e308), (3000, 1.2e308)], [(1000, 1e100), (2000, 1.0), (3000, -1e100)]]
    means = evaluate("avg_over_time", call_of(series, [3000], 5000)).values[:, 0]
    assert means == pytest.approx([1.3e308, 1 / 3])
    order = [[(1000, 1e100), (2000, -1e100), (3000, 1e50), (4000, 1.0), (5000, -1e50)]]
    assert evaluate("sum_over_time", call_of(order, [5000], 5000)).values[0, 0] == 1


@settings(max_examples=60, deadline=None)
@given(cases())
def test_extremes_pass_over_nan_and_name_the_last_of_equals(case: Case):
    def extreme(window: Sequence[Sample], sign: float) -> Sample:
        known = [sample for sample in window if not math.isnan(sample[1])]
        return max(known, key=lambda sample: (sign * sample[1], sample[0])) if known else window[-1]

    check("min_over_time", case, lambda window: extreme(window, -1)[1])
    check("max_over_time", case, lambda window: extreme(window, 1)[1])
    check("ts_of_min_over_time", case, lambda window: extreme(window, -1)[0] / 1000)
    check("ts_of_max_over_time", case, lambda window: extreme(window, 1)[0] / 1000)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_single_samples(case: Case):
    check("first_over_time", case, lambda window: window[0][1])
    check("last_over_time", case, lambda window: window[-1][1])
    check("ts_of_first_over_time", case, lambda window: window[0][0] / 1000)
    check("ts_of_last_over_time", case, lambda window: window[-1][0] / 1000)
    check("present_over_time", case, lambda _: 1.0)
    check("absent_over_time", case, lambda _: 1.0)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_transitions(case: Case):
    def changed(old: float, new: float) -> bool:
        return old != new and not (math.isnan(old) and math.isnan(new))

    def pairs(window: Sequence[Sample]) -> list[tuple[float, float]]:
        values = values_of(window)
        return list(itertools.pairwise(values))

    check("changes", case, lambda window: float(sum(changed(*pair) for pair in pairs(window))))
    check("resets", case, lambda window: float(sum(new < old for old, new in pairs(window))))


@settings(max_examples=60, deadline=None)
@given(cases(FINITE))
def test_spread(case: Case):
    check("stdvar_over_time", case, lambda window: statistics.pvariance(values_of(window)))
    check("stddev_over_time", case, lambda window: statistics.pstdev(values_of(window)))


def test_spread_of_large_close_numbers():
    series = [[(1000 * step, 1e9 + step % 2) for step in range(1, 101)]]
    assert evaluate("stdvar_over_time", call_of(series, [100_000], 200_000)).values[0, 0] == pytest.approx(
        0.25
    )


@settings(max_examples=60, deadline=None)
@given(cases())
@pytest.mark.parametrize("level", [0.0, 0.3, 0.5, 1.0, 1.2, -1.0])
def test_quantiles_put_nan_first(level: float, case: Case):
    check("quantile_over_time", case, lambda window: naive.rank(values_of(window), level), (level,))


@settings(max_examples=40, deadline=None)
@given(cases(FINITE))
def test_median_deviation(case: Case):
    def deviation(window: Sequence[Sample]) -> float:
        middle = statistics.median(values_of(window))
        return statistics.median(abs(value - middle) for value in values_of(window))

    check("mad_over_time", case, deviation)


def test_a_quantile_outside_is_a_warning():
    call = call_of([[(1000, 1.0)]], [1000], 5000, parameters=(1.5,))
    evaluate("quantile_over_time", call)
    assert list(call.notes.notes) == [
        ("warning", "quantile value should be between 0 and 1, got 1.5", call.parameter_place)
    ]


@settings(max_examples=80, deadline=None)
@given(cases(FINITE))
def test_rates(case: Case):
    result = {
        name: evaluate(name, call_of(case.series, case.ends, case.length))
        for name in ("rate", "increase", "delta")
    }
    for row, column in np.ndindex(len(case.series), len(case.ends)):
        window, end = case.window(row, column), case.ends[column]
        for name, counter in (("rate", True), ("increase", True), ("delta", False)):
            wanted = naive.extrapolated(window, end, case.length, counter=counter)
            assert bool(result[name].present[row, column]) == (wanted is not None)
            if wanted is not None:
                scale = case.length / 1000 if name == "rate" else 1
                assert result[name].values[row, column] == pytest.approx(wanted / scale, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(cases(FINITE))
def test_instant_rates(case: Case):
    def last_two(window: Sequence[Sample], *, counter: bool) -> float | None:
        if len(window) < 2:
            return None
        (begin, old), (end, new) = window[-2:]
        if not counter:
            return new - old
        return (new if new < old else new - old) / ((end - begin) / 1000)

    check("irate", case, lambda window: last_two(window, counter=True))
    check("idelta", case, lambda window: last_two(window, counter=False))


@settings(max_examples=60, deadline=None)
@given(cases(FINITE))
def test_regression(case: Case):
    for column, end in enumerate(case.ends):
        one = Case(case.series, [end], case.length)
        pair = lambda window, end=end: naive.fitted(window, end) if len(window) > 1 else None  # noqa: E731
        check("deriv", one, lambda window, pair=pair: (pair(window) or (None,))[0], tolerance=1e-7)
        check(
            "predict_linear",
            one,
            lambda window, pair=pair: pair(window)[0] * 60 + pair(window)[1] if pair(window) else None,
            (60.0,),
            tolerance=1e-6,
        )
        assert column < len(case.ends)


def test_a_constant_series_has_no_slope():
    call = call_of([[(1000 * step, 0.1) for step in range(1, 50)]], [50_000], 60_000)
    assert evaluate("deriv", call).values[0, 0] == 0


@settings(max_examples=60, deadline=None)
@given(cases(FINITE))
def test_double_exponential_smoothing(case: Case):
    def smooth(window: Sequence[Sample]) -> float | None:
        values = values_of(window)
        if len(values) < 2:
            return None
        level, growth, previous = values[0], values[1] - values[0], 0.0
        for index, value in enumerate(values[1:], 1):
            if index > 1:
                growth = 0.2 * (level - previous) + 0.8 * growth
            previous, level = level, 0.3 * value + 0.7 * (level + growth)
        return level

    check("double_exponential_smoothing", case, smooth, (0.3, 0.2))


def test_smoothing_factors_lie_between_0_and_1():
    call = call_of([[(1000, 1.0), (2000, 2.0)]], [2000], 5000, parameters=(1.0, 0.5))
    with pytest.raises(ArgumentError, match="invalid smoothing factor"):
        evaluate("double_exponential_smoothing", call)


def test_no_series():
    result = evaluate("rate", call_of([], [1000, 2000], 1000))
    assert result.values.shape == (0, 2)
