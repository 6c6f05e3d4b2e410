"""Classic buckets become a histogram with custom bounds."""

import math

from query.promql.histograms.arithmetic import equal
from query.promql.histograms.from_classic import from_classic
from query.promql.histograms.text import parse_notation


def test_cumulative_counts_become_counts_of_each_bucket():
    histogram = from_classic({0.1: 5, 0.2: 7, math.inf: 12}, 12, 3.5)
    assert equal(
        histogram, parse_notation("{{schema:-53 count:12 sum:3.5 custom_values:[0.1 0.2] buckets:[5 2 5]}}")
    )


def test_the_count_stands_in_for_an_absent_last_bucket():
    assert from_classic({1.0: 2}, 3, 0).positive.counts.tolist() == [2, 1]
    assert from_classic({1.0: 2, math.inf: 3}, None, 0).count == 3
