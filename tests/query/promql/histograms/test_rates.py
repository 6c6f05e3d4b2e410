"""Growth of counter and gauge histograms over a window."""

import pytest

from query.promql.ast import Place
from query.promql.histogram import Histogram
from query.promql.histograms.arithmetic import equal
from query.promql.histograms.notes import Site
from query.promql.histograms.rates import (
    Window,
    counter_increase,
    extrapolated,
    gauge_delta,
    instant_increase,
    interpolated,
    restarts,
)
from query.promql.histograms.resets import detect_reset
from query.promql.histograms.text import parse_notation, to_notation


class Collected:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def warn(self, text: str, _place: Place) -> None:
        self.texts.append(text)

    info = warn


@pytest.fixture
def notes() -> Collected:
    return Collected()


def read(*texts: str) -> list[Histogram]:
    return [parse_notation(text) for text in texts]


def site(notes: Collected) -> Site:
    return Site(notes, "h", Place(0, 1))


def test_a_reset_in_one_bucket_counts_the_sample_before(notes: Collected):
    samples = read(
        "{{sum:5 count:4 buckets:[1 2 1]}}",
        "{{sum:6 count:5 buckets:[1 1 3]}}",
        "{{sum:7 count:6 buckets:[1 2 3]}}",
    )
    window = Window(start=-300, end=600, first=0, last=600, samples=3)
    result = extrapolated(samples, window, site(notes), counter=True, per_second=False)
    assert result is not None
    assert to_notation(result) == "{{count:9 sum:10.5 counter_reset_hint:gauge buckets:[1.5 3 4.5]}}"
    assert notes.texts == []


def test_extrapolation_stops_where_the_count_reaches_zero(notes: Collected):
    samples = read("{{count:15 sum:25 buckets:[5 10]}}", *["{{count:2490 sum:75 buckets:[15 2475]}}"] * 55)
    window = Window(start=-2100, end=3300, first=0, last=3300, samples=56)
    result = extrapolated(samples, window, site(notes), counter=True, per_second=False)
    assert result is not None
    assert result.count == pytest.approx(2490)
    assert result.sum == pytest.approx(50.303030303030305)


def test_a_gauge_is_no_counter_and_a_counter_no_gauge(notes: Collected):
    samples = read(
        "{{count:1 counter_reset_hint:gauge}}", "{{count:2 counter_reset_hint:gauge}}", "{{count:3}}"
    )
    assert counter_increase(samples, restarts(samples), site(notes)) is not None
    assert gauge_delta(samples[0], samples[2], site(notes)) is not None
    assert notes.texts == [
        'this native histogram metric is not a counter: "h"',
        'this native histogram metric is not a gauge: "h"',
    ]


def test_mixed_schemas_give_nothing_unless_only_the_first_sample_is_other(notes: Collected):
    exponential, custom, last = read(
        "{{count:1 buckets:[1]}}",
        "{{schema:-53 count:1 custom_values:[5] buckets:[1]}}",
        "{{count:4 buckets:[4]}}",
    )
    assert counter_increase([exponential, custom, last], [False, True, True], site(notes)) is None
    assert len(notes.texts) == 1
    result = counter_increase([custom, last], restarts([custom, last]), site(notes))
    assert result is not None
    assert result.count == 4
    assert len(notes.texts) == 1


def test_a_known_start_counts_the_first_sample_from_zero(notes: Collected):
    samples = read("{{count:60 sum:60}}", "{{count:60 sum:60}}")
    result = counter_increase(samples, [True, True], site(notes))
    assert result is not None
    assert result.count == 120


def test_irate_reconciles_custom_bounds(notes: Collected):
    before, after = read(
        "{{schema:-53 sum:55 count:15 custom_values:[2 4 6] buckets:[1 2 5 7]}}",
        "{{schema:-53 sum:555 count:450 custom_values:[1 2 3 4 5 6] buckets:[10 20 30 40 50 60 240]}}",
    )
    result = instant_increase(before, after, 1.0, site(notes), restarted=detect_reset(before, after))
    expected = parse_notation(
        "{{schema:-53 sum:500 count:435 custom_values:[2 4 6] buckets:[29 68 105 233]}}"
    )
    assert result is not None
    assert equal(result, expected)
    assert notes.texts == ["mismatched custom buckets were reconciled during subtraction"]


def test_between_two_samples_a_counter_grows_from_zero_after_a_reset():
    ten, two = read("{{count:10 sum:10 buckets:[10]}}", "{{count:2 sum:2 buckets:[2]}}")
    assert interpolated(ten, two, 0.5, counter=True).count == 1
    assert interpolated(two, ten, 0.5, counter=True).count == 6
    assert interpolated(ten, two, 0.5, counter=False).count == 6
