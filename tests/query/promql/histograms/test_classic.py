"""Classic buckets: the vectorised quantile against one bucket list at a time, groups, notes."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from query.promql.ast import Place
from query.promql.histograms.functions import (
    Places,
    histogram_fraction,
    histogram_quantile,
    histogram_quantiles,
)
from query.promql.histograms.text import parse_notation
from query.promql.matrix import Matrix

PLACES = Places(Place(24, 30), (Place(19, 22),))


class Collected:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def warn(self, text: str, place: Place) -> None:
        self.texts.append(f"warn {text} {place.start}")

    def info(self, text: str, place: Place) -> None:
        self.texts.append(f"info {text} {place.start}")


def vector(series: dict[str, list[float | None]], name: str = "h") -> Matrix:
    """One series for each ``le``; None is an absent sample."""
    rows = [[math.nan if value is None else value for value in row] for row in series.values()]
    present = [[value is not None for value in row] for row in series.values()]
    labels = [(("__name__", name), ("le", le)) for le in series]
    return Matrix(labels, np.array(rows), np.array(present), None, np.zeros(len(labels), bool))


def one_quantile(phi: float, buckets: list[tuple[float, float]]) -> float:
    """The definition, for one list of bounds and cumulative counts."""
    if len(buckets) < 2 or buckets[-1][0] != math.inf or buckets[-1][1] == 0:
        return math.nan
    rank = phi * buckets[-1][1]
    index = next((i for i, (_, count) in enumerate(buckets[:-1]) if count >= rank), len(buckets) - 1)
    if index == len(buckets) - 1:
        return buckets[-2][0]
    if index == 0 and buckets[0][0] <= 0:
        return buckets[0][0]
    start, below = buckets[index - 1] if index else (0.0, 0.0)
    end, count = buckets[index]
    if count == below:
        return math.nan
    return start + (end - start) * (rank - below) / (count - below)


@st.composite
def bucket_tables(draw: st.DrawFn) -> dict[str, list[float | None]]:
    bounds = draw(st.lists(st.integers(-5, 20), min_size=1, max_size=6, unique=True).map(sorted))
    names = [str(bound) for bound in bounds] + ["+Inf"]
    columns = []
    for _ in range(draw(st.integers(1, 4))):
        steps = draw(st.lists(st.integers(0, 9), min_size=len(names), max_size=len(names)))
        there = draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
        counts = np.cumsum(steps).tolist()
        columns.append([float(c) if t else None for c, t in zip(counts, there, strict=True)])
    return {name: list(row) for name, row in zip(names, zip(*columns, strict=True), strict=True)}


@settings(max_examples=150, deadline=None)
@given(bucket_tables(), st.floats(0, 1))
def test_each_step_equals_the_quantile_of_its_own_buckets(table: dict[str, list[float | None]], phi: float):
    steps = len(next(iter(table.values())))
    result = histogram_quantile(np.full(steps, phi), vector(table), PLACES, Collected())
    for step in range(steps):
        buckets = [(float(le), row[step]) for le, row in table.items() if row[step] is not None]
        if not buckets:
            assert not result.present.any() or not result.present[0, step]
            continue
        assert result.present[0, step]
        np.testing.assert_allclose(result.values[0, step], one_quantile(phi, buckets), rtol=1e-12)


def test_quantile_of_decreasing_counts_is_of_the_raised_ones_and_says_so():
    notes = Collected()
    table = {"0.1": [2.0], "1": [1.0], "10": [5.0], "100": [4.0], "1000": [9.0], "+Inf": [8.0]}
    result = histogram_quantile(np.array([0.5]), vector(table), PLACES, notes)
    assert result.values[0, 0] == 8.5
    assert len(notes.texts) == 1
    assert notes.texts[0].startswith(
        "info input to histogram_quantile needed to be fixed for monotonicity (see "
    )
    assert notes.texts[0].endswith(') for metric name "h" 24')


def test_differences_of_precision_are_levelled_without_a_note():
    notes = Collected()
    table = {"1": [1.0], "2": [1.0 - 1e-15], "+Inf": [1.0]}
    assert histogram_quantile(np.array([1.0]), vector(table), PLACES, notes).values[0, 0] == 1.0
    assert notes.texts == []


def test_a_bound_that_is_no_number_is_left_out_with_a_warning():
    notes = Collected()
    result = histogram_quantile(np.array([0.5]), vector({"Hello World": [1.0]}), PLACES, notes)
    assert result.labels == []
    assert notes.texts == [
        'warn bucket label "le" is missing or has a malformed value of "Hello World" for metric name "h" 24'
    ]


def test_equal_bounds_written_differently_are_one_bucket():
    table = {"1": [2.0], "1.0": [2.0], "+Inf": [8.0]}
    assert histogram_quantile(np.array([0.25]), vector(table), PLACES, Collected()).values[0, 0] == 0.5


def test_quantiles_outside_of_0_to_1_are_infinite_with_a_warning():
    notes = Collected()
    table = {"1": [2.0, 2.0, 2.0], "+Inf": [8.0, 8.0, 8.0]}
    result = histogram_quantile(np.array([-1.0, 1.5, math.nan]), vector(table), PLACES, notes)
    np.testing.assert_array_equal(result.values, [[-math.inf, math.inf, math.nan]])
    assert "warn quantile value should be between 0 and 1, got 1.5 19" in notes.texts


def test_native_and_classic_of_one_name_rule_each_other_out():
    notes = Collected()
    classic = vector({"1": [2.0, 2.0], "+Inf": [8.0, 8.0]})
    histograms = np.array(
        [[None, None], [None, None], [parse_notation("{{count:1 sum:1 buckets:[1]}}"), None]]
    )
    mixed = Matrix(
        [*classic.labels, (("__name__", "h"),)],
        np.vstack([classic.values, [[math.nan, math.nan]]]),
        np.vstack([classic.present, [[True, False]]]),
        histograms,
        np.zeros(3, bool),
    )
    result = histogram_quantile(np.array([0.25, 0.25]), mixed, PLACES, notes)
    assert result.present.tolist() == [[False, True]]
    assert notes.texts == [
        'warn vector contains a mix of classic and native histograms for metric name "h" 24'
    ]


def test_fraction_interpolates_within_a_bucket():
    table = {"1": [2.0, 2.0, 2.0], "3": [6.0, 6.0, 6.0], "+Inf": [8.0, 8.0, 8.0]}
    lower, upper = np.array([0.0, -math.inf, 3.0]), np.array([2.0, math.inf, 1.0])
    result = histogram_fraction(lower, upper, vector(table), PLACES, Collected())
    np.testing.assert_allclose(result.values, [[0.5, 1.0, 0.0]])


def test_several_quantiles_make_a_series_each():
    table = {"1": [2.0], "+Inf": [8.0]}
    places = Places(Place(20, 21), (Place(25, 26), Place(28, 29)))
    phis = [np.array([0.125]), np.array([0.25])]
    result = histogram_quantiles(vector(table), "q", phis, places, Collected())
    assert result.labels == [(("__name__", "h"), ("q", "0.125")), (("__name__", "h"), ("q", "0.25"))]
    np.testing.assert_allclose(result.values[:, 0], [0.5, 1.0])
