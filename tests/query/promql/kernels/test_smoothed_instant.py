"""``metric smoothed``."""

import pytest

from query.promql.histograms.text import parse_notation
from query.promql.kernels.smoothed_instant import smoothed_selector
from tests.query.promql.kernels.naive import call_of

LOOKBACK = 300_000


def test_values_lie_between_neighbours():
    series = [(0, 0.0), (10_000, 5.0), (20_000, 100.0), (40_000, 8.0)]
    call = call_of([series], [10_000, 15_000, 30_000, 50_000, 400_000], LOOKBACK)
    result = smoothed_selector(call)
    assert result.present[0].tolist() == [True, True, True, True, False]
    assert result.values[0, :4].tolist() == pytest.approx([5, 52.5, 54, 8])


def test_histograms_grow_from_zero_after_a_reset():
    series = [
        (0, parse_notation("{{count:10 sum:10 buckets:[10]}}")),
        (15_000, parse_notation("{{count:2 sum:2 buckets:[2] counter_reset_hint:reset}}")),
    ]
    result = smoothed_selector(call_of([series], [5000], LOOKBACK))
    assert result.histograms[0, 0].count == pytest.approx(2 / 3)


def test_schemas_that_do_not_go_together_are_a_warning():
    series = [
        (0, parse_notation("{{count:1 sum:1 buckets:[1]}}")),
        (30_000, parse_notation("{{schema:-53 sum:1 count:1 custom_values:[5 10] buckets:[1]}}")),
    ]
    call = call_of([series], [15_000], LOOKBACK)
    assert not smoothed_selector(call).present.any()
    assert len(call.notes.notes) == 1


def test_floats_and_histograms_nearby_are_a_warning():
    series = [(0, 1.0), (30_000, 2.0), (60_000, parse_notation("{{count:1 sum:1 buckets:[1]}}"))]
    call = call_of([series], [15_000], LOOKBACK)
    assert not smoothed_selector(call).present.any()
    text = 'encountered a mix of histograms and floats for metric name "x"'
    assert [note[1] for note in call.notes.notes] == [text]
