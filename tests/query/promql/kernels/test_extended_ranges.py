"""anchored and smoothed ranges, start timestamps and windows with histograms."""

from collections.abc import Sequence
from typing import Any

import pytest

from query.promql.ast import Extension
from query.promql.histogram import Buckets, Histogram
from query.promql.histograms.text import parse_notation
from query.promql.kernels.start_times import start_timestamps
from query.promql.kernels.table import evaluate
from tests.query.promql.kernels.naive import call_of

Series = Sequence[tuple[int, object]]
STEP = 15_000
EVEN = [(STEP * i, v) for i, v in enumerate([1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 10.0, 11.0, 12.0, 13.0])]


def single(name: str, series: Series, end: int, length: int, **options: Any) -> float | None:
    result = evaluate(name, call_of([series], [end], length, **options))
    return float(result.values[0, 0]) if result.present[0, 0] else None


@pytest.mark.parametrize(
    ("extension", "seconds", "increase"),
    [
        (Extension.ANCHORED, 5, 0),
        (Extension.ANCHORED, 80, 7),
        (Extension.ANCHORED, 125, 7),
        (Extension.SMOOTHED, 5, 1 / 3),
        (Extension.SMOOTHED, 65, 5),
        (Extension.SMOOTHED, 125, 6),
    ],
)
def test_increase_without_extrapolation(extension: Extension, seconds: int, increase: float):
    got = single("increase", EVEN, seconds * 1000, 60_000, extension=extension)
    assert got == pytest.approx(increase)


def test_smoothed_counters_grow_from_zero_after_a_reset():
    falling = [(60_000 * i, v) for i, v in enumerate([9.0, 8.0, 5.0, 4.0])]
    assert single("increase", falling, 135_000, 120_000, extension=Extension.SMOOTHED) == pytest.approx(12)


def test_an_anchored_range_needs_a_sample_of_its_own():
    series = [(0, 1.0), (60_000, 2.0), (180_000, 4.0)]
    assert single("increase", series, 120_000, 60_000, extension=Extension.ANCHORED) is None
    assert single("increase", series, 120_000, 60_000, extension=Extension.SMOOTHED) == pytest.approx(1)


def test_the_anchor_is_within_the_lookback():
    series = [(0, 2.0), (120_000, 1.0), (480_000, 0.0)]
    assert single("changes", series, 480_000, 60_000, extension=Extension.ANCHORED) == 0
    assert single("changes", series, 480_000, 60_001, extension=Extension.ANCHORED) == 1


def test_start_times_give_zero_points_and_resets():
    minutes = [(60_000 * i, v) for i, v in ((2, 5.0), (3, 5.0), (4, 2.0))]
    starts = [[60_000, 179_000, 0]]
    assert single("increase", minutes, 300_000, 300_000, start_times=starts) == pytest.approx(16)


def test_one_sample_and_its_start_are_enough():
    assert single("increase", [(240_000, 3.0)], 360_000, 300_000, start_times=[[90_000]]) == pytest.approx(3)
    assert single("increase", [(240_000, 3.0)], 360_000, 300_000, start_times=[[60_000]]) is None


def test_contradicting_start_times_are_a_warning():
    samples = [(120_000, 60.0), (180_000, 120.0), (240_000, 180.0)]
    call = call_of([samples], [240_000], 180_000, start_times=[[0, 60_000, 120_000]], name="c_total")
    evaluate("rate", call)
    text = 'sample has start time that overlaps with previous sample timestamp for metric "c_total"'
    assert [note[1] for note in call.notes.notes] == [text]


def test_start_timestamp_of_samples():
    call = call_of([[(5000, 1.0)]], [5000], 5000, start_times=[[2500]])
    assert start_timestamps(call.windows.batch, call.windows.first).tolist() == [[2.5]]


def test_names_of_gauges_are_an_info():
    call = call_of([EVEN], [60_000], 60_000, name="gauge")
    evaluate("rate", call)
    text = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "gauge"'
    assert [note[1] for note in call.notes.notes] == [text]


def histograms(*counts: float, hint: str = "unknown") -> list[tuple[int, Histogram]]:
    return [
        (30_000 * i, parse_notation(f"{{{{sum:{n} count:{n} buckets:[{n}] counter_reset_hint:{hint}}}}}"))
        for i, n in enumerate(counts)
    ]


def test_rate_of_histograms():
    result = evaluate("rate", call_of([histograms(1, 2, 3)], [60_000], 90_000, name="h"))
    histogram = result.histograms[0, 0]
    assert histogram.count == pytest.approx(1 / 30)
    assert histogram.positive == Buckets(0, pytest.approx([1 / 30]))


def test_gauges_are_no_counters():
    call = call_of([histograms(1, 2, hint="gauge")], [30_000], 60_000, name="h")
    evaluate("rate", call)
    assert [note[1] for note in call.notes.notes] == ['this native histogram metric is not a counter: "h"']


@pytest.mark.parametrize(
    ("counts", "end", "length", "extension", "increase"),
    [
        ((5, 10, 3), 70_000, 70_000, Extension.ANCHORED, 8),
        ((5, 3), 30_000, 30_000, Extension.ANCHORED, 3),
        ((10, 5, 2, 4), 45_000, 42_000, Extension.SMOOTHED, 5.5),
        ((10, 5), 22_500, 15_000, Extension.SMOOTHED, 2.5),
    ],
)
def test_extended_increase_of_histograms(
    counts: tuple[float, ...], end: int, length: int, extension: Extension, increase: float
):
    result = evaluate("increase", call_of([histograms(*counts)], [end], length, extension=extension))
    assert result.histograms[0, 0].count == pytest.approx(increase)


@pytest.mark.parametrize("name", ["rate", "sum_over_time", "avg_over_time", "irate", "delta"])
def test_floats_and_histograms_together_give_a_warning_and_nothing(name: str):
    mixed = [*histograms(1, 2), (60_000, 3.0)]
    call = call_of([mixed], [60_000], 120_000, name="m_total")
    result = evaluate(name, call)
    assert not result.present.any()
    text = 'encountered a mix of histograms and floats for metric name "m_total"'
    assert [note[1] for note in call.notes.notes] == [text]


def test_functions_of_floats_ignore_histograms():
    call = call_of([[*histograms(1, 2), (60_000, 3.0)]], [60_000], 120_000)
    assert evaluate("max_over_time", call).values[0, 0] == 3
    text = 'ignored histograms in a range containing both floats and histograms for metric name "x"'
    assert [note[1] for note in call.notes.notes] == [text]


def test_sums_and_single_samples_of_histograms():
    series = [histograms(1, 2, 3)]
    assert evaluate("sum_over_time", call_of(series, [60_000], 90_000)).histograms[0, 0].count == 6
    assert evaluate("avg_over_time", call_of(series, [60_000], 90_000)).histograms[0, 0].count == 2
    assert evaluate("last_over_time", call_of(series, [60_000], 90_000)).histograms[0, 0].count == 3


def test_a_change_of_kind_counts():
    mixed = [*histograms(1, 2, 1), (90_000, 3.0)]
    assert single("resets", mixed, 90_000, 120_000) == 2
    assert single("changes", mixed, 90_000, 120_000) == 3
