"""Quantiles, fractions, moments and trims of native histograms."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.promql.ast import Place
from query.promql.histogram import Buckets, Histogram
from query.promql.histograms.arithmetic import equal
from query.promql.histograms.functions import histogram_avg, histogram_count, histogram_stddev
from query.promql.histograms.moments import variance
from query.promql.histograms.notes import Site
from query.promql.histograms.quantiles import fraction
from query.promql.histograms.rows import quantiles
from query.promql.histograms.text import parse_notation
from query.promql.histograms.trim import trim_above, trim_below
from query.promql.matrix import Matrix


class Collected:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def warn(self, text: str, _place: Place) -> None:
        self.texts.append(text)

    info = warn


def site(notes: Collected | None = None) -> Site:
    return Site(notes or Collected(), "h", Place(0, 1))


def quantile(phi: float, histogram: Histogram, at: Site) -> float:
    return float(quantiles(np.array([phi]), [histogram], at)[0])


@st.composite
def filled(draw: st.DrawFn) -> Histogram:
    positive = np.array(draw(st.lists(st.integers(0, 20), max_size=6)), np.float64)
    negative = np.array(draw(st.lists(st.integers(0, 20), max_size=6)), np.float64)
    zero = float(draw(st.integers(1, 9)))
    count = float(positive.sum() + negative.sum() + zero)
    first = draw(st.integers(0, 5))
    return Histogram(
        draw(st.integers(-1, 4)), 0.1, zero, count, 1.0, Buckets(first, positive), Buckets(first, negative)
    )


@settings(max_examples=100, deadline=None)
@given(filled(), st.lists(st.floats(0, 1), min_size=2, max_size=6).map(sorted))
def test_quantiles_grow_with_phi(histogram: Histogram, phis: list[float]):
    values = [quantile(phi, histogram, site()) for phi in phis]
    assert all(low <= high * (1 + math.copysign(1e-9, high)) + 1e-12 for low, high in pairwise(values))


@settings(max_examples=100, deadline=None)
@given(filled(), st.floats(-40, 40))
def test_the_fraction_below_and_above_a_value_make_the_whole(histogram: Histogram, value: float):
    below = fraction(-math.inf, value, histogram, site())
    above = fraction(value, math.inf, histogram, site())
    assert below + above == pytest.approx(1)
    assert trim_above(histogram, value).count == pytest.approx(below * histogram.count)
    assert trim_below(histogram, value).count == pytest.approx(above * histogram.count)


@settings(max_examples=60, deadline=None)
@given(filled())
def test_a_trim_outside_of_all_buckets_changes_nothing(histogram: Histogram):
    assert equal(trim_above(histogram, math.inf), histogram)
    assert equal(trim_below(histogram, -1e9), histogram)


def test_exponential_buckets_interpolate_over_the_logarithm_and_custom_ones_evenly():
    exponential = parse_notation("{{count:4 sum:5 buckets:[1 2 1]}}")
    custom = parse_notation("{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}")
    assert quantile(0.5, exponential, site()) == pytest.approx(math.sqrt(2))
    assert quantile(0.5, custom, site()) == 7.5


def test_observed_nan_skews_the_quantile_and_is_told():
    notes = Collected()
    histogram = parse_notation("{{count:15 sum:NaN buckets:[12]}}")
    assert quantile(0.8, histogram, site(notes)) == 1
    assert math.isnan(quantile(0.9, histogram, site(notes)))
    assert notes.texts == [
        'input to histogram_quantile has NaN observations, result is skewed higher for metric name "h"',
        'input to histogram_quantile has NaN observations, result is NaN for metric name "h"',
    ]


def test_variance_takes_the_middle_of_each_bucket():
    assert variance(
        parse_notation("{{schema:2 count:4 sum:10 buckets:[1 0 0 0 1 0 0 1 1]}}")
    ) == pytest.approx(1.163807968526718)


def test_functions_leave_floats_out():
    histogram = parse_notation("{{count:4 sum:6 buckets:[1 2 1]}}")
    histograms = np.array([[histogram, None], [None, None]])
    vector = Matrix(
        [(("a", "1"),), (("a", "2"),)],
        np.array([[math.nan, 3.0], [1.0, 2.0]]),
        np.ones((2, 2), bool),
        histograms,
        np.zeros(2, bool),
    )
    for function, expected in ((histogram_count, 4.0), (histogram_avg, 1.5)):
        result = function(vector)
        assert result.labels == [(("a", "1"),)]
        assert result.present.tolist() == [[True, False]]
        assert result.values[0, 0] == expected
    assert histogram_stddev(vector).values[0, 0] > 0


def test_quantiles_of_many_are_those_of_each():
    texts = [
        "{{count:12 sum:100 z_bucket:2 z_bucket_w:0.001 buckets:[2 3 0 1 4]}}",
        "{{count:12 sum:100 z_bucket:2 z_bucket_w:0.001 n_buckets:[2 3 0 1 4]}}",
        "{{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}",
        "{{}}",
        "{{schema:1 count:3 sum:3 z_bucket:3 z_bucket_w:0.1}}",
    ]
    histograms = [parse_notation(text) for text in texts]
    for phi in (0.0, 0.1, 0.5, 0.9, 1.0):
        together = quantiles(np.full(len(texts), phi), histograms, site())
        np.testing.assert_array_equal(together, [quantile(phi, one, site()) for one in histograms])
    assert quantile(0.1, histograms[0], site()) == pytest.approx(0.0006)
    assert quantile(0.9, histograms[1], site()) == pytest.approx(-0.0006)
