"""Spans and deltas of remote write to dense buckets and back; contradictions are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.promql.histogram import Buckets
from query.promql.histograms.layout import trimmed
from query.promql.histograms.text import parse_notation
from query.promql.histograms.validation import InvalidHistogram, validate
from query.promql.histograms.wire import from_deltas, from_spans, to_deltas, to_spans


@settings(max_examples=100, deadline=None)
@given(st.integers(-50, 50), st.lists(st.integers(0, 3), max_size=20))
def test_buckets_survive_the_wire(first: int, counts: list[int]):
    buckets = trimmed(Buckets(first, np.array(counts, np.float64)))
    for back in (from_spans(3, *to_spans(buckets)), from_deltas(3, *to_deltas(buckets))):
        assert back.first == buckets.first
        np.testing.assert_array_equal(back.counts, buckets.counts)


def test_deltas_run_across_spans():
    buckets = from_deltas(0, [(-2, 2), (1, 1)], [1, 1, -1])
    assert (buckets.first, buckets.counts.tolist()) == (-2, [1, 2, 0, 1])


@pytest.mark.parametrize(
    ("spans", "counts", "message"),
    [
        (
            [(0, 1), (-1, 1)],
            [1, 1],
            "span number 2 with offset -1: histogram has a span whose offset is negative",
        ),
        ([(0, 2)], [1], "spans need 2 buckets, have 1 buckets: histogram spans specify different number"),
        ([(2**31 - 1, 1)], [1], "are outside of"),
    ],
)
def test_impossible_spans_are_refused(spans: list[tuple[int, int]], counts: list[int], message: str):
    with pytest.raises(InvalidHistogram, match=message):
        from_spans(0, spans, counts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{count:1 buckets:[2]}}", "2 observations found in buckets, but the Count field is 1"),
        ("{{count:1 sum:NaN buckets:[2]}}", "should be at least the number of observations"),
        ("{{count:1 buckets:[2 -1]}}", "bucket number 2 has observation count of -1"),
        ("{{schema:9}}", "invalid schema"),
        ("{{schema:-53 custom_values:[5 5]}}", "strictly increasing order"),
        ("{{schema:-53 custom_values:[NaN]}}", "must not be NaN"),
        ("{{schema:-53 custom_values:[Inf]}}", "must be finite"),
        ("{{schema:-53 custom_values:[5] buckets:[1 1 1]}}", "custom bounds are too few"),
        ("{{schema:-53 z_bucket:1}}", "must have zero count of 0"),
    ],
)
def test_contradictions_are_refused(text: str, message: str):
    with pytest.raises(InvalidHistogram, match=message):
        validate(parse_notation(text), integer=True)


def test_a_consistent_histogram_is_accepted():
    validate(parse_notation("{{count:4 sum:5 z_bucket:1 buckets:[1 2]}}"), integer=True)
    validate(parse_notation("{{schema:-53 count:3 custom_values:[5] buckets:[1 2]}}"), integer=True)
