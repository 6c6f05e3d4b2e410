"""Arithmetic keeps counts and layouts; sums are compensated; resets and hints follow Prometheus' rules."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.promql.histogram import Buckets, Histogram
from query.promql.histograms import hints, sums
from query.promql.histograms.arithmetic import add, divide, equal, multiply, negate, subtract
from query.promql.histograms.layout import IncompatibleSchemas, compact, reduce_resolution, widen_zero
from query.promql.histograms.resets import detect_reset
from query.promql.histograms.text import parse_notation, to_notation


def total(histogram: Histogram) -> float:
    return float(histogram.positive.counts.sum() + histogram.negative.counts.sum() + histogram.zero_count)


@st.composite
def sides(draw: st.DrawFn, low: int, high: int) -> Buckets:
    counts = draw(st.lists(st.integers(0, 50), max_size=8))
    return Buckets(draw(st.integers(low, high)), np.array(counts, np.float64))


@st.composite
def exponential(draw: st.DrawFn, threshold: float | None = None) -> Histogram:
    positive, negative = draw(sides(-6, 6)), draw(sides(-6, 6))
    zero = float(draw(st.integers(0, 9)))
    width = draw(st.sampled_from([0.0, 0.001, 0.5, 1.0])) if threshold is None else threshold
    histogram = Histogram(draw(st.integers(-2, 3)), 0.0, zero, 0.0, 1.0, positive, negative)
    histogram = widen_zero(histogram, width)
    return replace(histogram, count=total(histogram))


@st.composite
def custom(draw: st.DrawFn) -> Histogram:
    bounds = draw(st.lists(st.integers(1, 9), max_size=5, unique=True).map(sorted))
    counts = draw(st.lists(st.integers(0, 50), min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    buckets = Buckets(0, np.array(counts, np.float64))
    empty = Buckets(0, np.empty(0))
    return Histogram(-53, 0.0, 0.0, float(sum(counts)), 1.0, buckets, empty, tuple(map(float, bounds)))


@settings(max_examples=100, deadline=None)
@given(exponential(threshold=0.0), exponential(threshold=0.0))
def test_adding_and_subtracting_gives_the_first_back_at_the_lower_resolution(a: Histogram, b: Histogram):
    back = subtract(add(a, b).histogram, b).histogram
    assert equal(back, reduce_resolution(a, min(a.schema, b.schema)))


@settings(max_examples=100, deadline=None)
@given(exponential(), exponential())
def test_addition_keeps_all_observations(a: Histogram, b: Histogram):
    result = add(a, b).histogram
    assert total(result) == total(a) + total(b) == result.count
    assert result.schema == min(a.schema, b.schema)
    assert result.zero_threshold >= max(a.zero_threshold, b.zero_threshold)


@settings(max_examples=100, deadline=None)
@given(custom(), custom())
def test_custom_bounds_are_reduced_to_the_common_ones(a: Histogram, b: Histogram):
    result = add(a, b)
    assert result.histogram.bounds == tuple(sorted(set(a.bounds) & set(b.bounds)))
    assert total(result.histogram) == total(a) + total(b)
    assert result.bounds_reconciled == (a.bounds != b.bounds)


@settings(max_examples=100, deadline=None)
@given(exponential(), st.integers(-4, -2))
def test_a_lower_resolution_keeps_counts(histogram: Histogram, schema: int):
    assert total(reduce_resolution(histogram, schema)) == total(histogram)


@settings(max_examples=60, deadline=None)
@given(st.lists(exponential(threshold=0.5), min_size=1, max_size=5))
def test_a_sum_of_many_is_the_repeated_addition(histograms: list[Histogram]):
    repeated = histograms[0]
    for histogram in histograms[1:]:
        repeated = add(repeated, histogram).histogram
    assert equal(sums.total(histograms).histogram, compact(repeated))


@settings(max_examples=60, deadline=None)
@given(exponential(threshold=0.5), exponential(threshold=0.5))
def test_a_counter_that_grew_was_not_reset(a: Histogram, b: Histogram):
    grown = add(a, reduce_resolution(b, min(a.schema, b.schema))).histogram
    assert not detect_reset(a, grown)


def test_schemas_of_two_kinds_do_not_add():
    with pytest.raises(IncompatibleSchemas, match="mix of exponential and custom bucket schemas"):
        add(parse_notation("{{}}"), parse_notation("{{schema:-53 custom_values:[5]}}"))


def test_compensated_sums_keep_small_values_beside_large_ones():
    texts = ["{{count:1 sum:5.3}}", "{{count:2 sum:1e100}}", "{{count:3 sum:1}}", "{{count:4 sum:-1e100}}"]
    histograms = [parse_notation(text) for text in texts]
    assert sums.total(histograms).histogram.sum == pytest.approx(6.3)
    assert sums.average(histograms).histogram.sum == pytest.approx(6.3 / 4)


def test_an_average_survives_an_overflow_of_the_sum():
    histograms = [parse_notation("{{count:1.7e308 sum:1}}"), parse_notation("{{count:1e308 sum:2}}")]
    assert math.isinf(sums.total(histograms).histogram.count)
    assert sums.average(histograms).histogram.count == pytest.approx(1.35e308)


def test_division_by_zero_leaves_no_buckets():
    text = to_notation(divide(parse_notation("{{count:4 sum:8 z_bucket:1 z_bucket_w:0.001 buckets:[3]}}"), 0))
    assert text == "{{count:+Inf sum:+Inf z_bucket:+Inf z_bucket_w:0.001}}"


@pytest.mark.parametrize(
    ("left", "right", "result", "conflict"),
    [
        ("gauge", "not_reset", "gauge", False),
        ("not_reset", "not_reset", "not_reset", False),
        ("not_reset", "unknown", "unknown", False),
        ("not_reset", "reset", "unknown", True),
    ],
)
def test_hints_of_a_sum(left: str, right: str, result: str, *, conflict: bool):
    first, second = (parse_notation(f"{{{{count:1 counter_reset_hint:{hint}}}}}") for hint in (left, right))
    combined = add(first, second)
    assert (combined.histogram.hint, combined.resets_conflict) == (result, conflict)


def test_a_difference_and_a_negation_are_gauges():
    histogram = parse_notation("{{count:1 sum:1 buckets:[1]}}")
    assert subtract(histogram, histogram).histogram.hint == "gauge"
    assert negate(histogram).hint == "gauge"
    assert multiply(histogram, 2).hint == "unknown"


def test_hints_of_a_store_say_where_a_chunk_begins():
    texts = [
        "{{count:1}}",
        "{{count:2}}",
        "{{count:1}}",
        "{{count:1 counter_reset_hint:gauge}}",
        "{{count:2}}",
    ]
    stored = hints.as_stored([parse_notation(text) for text in texts])
    assert [sample.hint for sample in stored] == ["unknown", "not_reset", "unknown", "gauge", "unknown"]
    detected = hints.as_detected(stored)
    assert [sample.hint for sample in detected] == ["unknown", "not_reset", "reset", "gauge", "not_reset"]


def test_a_finer_custom_layout_is_no_reset_unless_a_bucket_shrank():
    before = parse_notation("{{schema:-53 count:15 custom_values:[2 4 6] buckets:[1 2 5 7]}}")
    grown = parse_notation("{{schema:-53 count:16 custom_values:[2 3 4 6] buckets:[1 1 1 5 8]}}")
    shrunk = parse_notation("{{schema:-53 count:15 custom_values:[2 3 4 6] buckets:[1 0 1 5 8]}}")
    assert not detect_reset(before, grown)
    assert detect_reset(before, shrunk)
