"""Series in memory: which are selected, and what comes back."""

import numpy as np
import pytest

from query.promql.ast import Matcher
from query.promql.errors import TooManySamples
from query.promql.histogram import Buckets, Histogram
from query.promql.memory import MemorySeries
from vigla.errors import QueryCancelled
from vigla.prometheus.staleness import STALE_BITS
from vigla.storage.api import Stop

A = (("__name__", "up"), ("job", "a"))
B = (("__name__", "up"), ("job", "b\n"), ("zone", "1"))
EMPTY = Histogram(0, 0.0, 0.0, 0.0, 0.0, Buckets(0, np.zeros(0)), Buckets(0, np.zeros(0)))


def _filled() -> MemorySeries:
    series = MemorySeries()
    for time in (3000, 1000, 2000):
        series.append(B, time, float(time))
        series.append(A, time, -float(time), start_time=500 if time == 2000 else 0)
    return series


def _jobs(series: MemorySeries, *matchers: Matcher, start: int = 0, end: int = 9999) -> list[str]:
    batch = series.select(matchers, start, end, max_samples=100, stop=Stop())
    return [dict(labels)["job"] for labels in batch.labels]


def test_samples_are_in_order_and_bounds_are_included():
    batch = _filled().select([Matcher("__name__", "=", "up")], 1000, 2000, max_samples=4, stop=Stop())
    assert batch.labels == [A, B]
    assert batch.offsets.tolist() == [0, 2, 4]
    assert batch.times.tolist() == [1000, 2000, 1000, 2000]
    assert batch.values.tolist() == [-1000, -2000, 1000, 2000]
    assert batch.start_times is not None
    assert batch.start_times.tolist() == [0, 500, 0, 0]
    assert batch.histograms is None


@pytest.mark.parametrize(
    ("matcher", "jobs"),
    [
        (Matcher("job", "=", "a"), ["a"]),
        (Matcher("job", "!=", "a"), ["b\n"]),
        (Matcher("job", "=~", "b."), ["b\n"]),
        (Matcher("job", "=~", "b"), []),
        (Matcher("job", "!~", "a|c"), ["b\n"]),
        (Matcher("zone", "=", ""), ["a"]),
        (Matcher("zone", "!=", ""), ["b\n"]),
        (Matcher("zone", "=~", "2?"), ["a"]),
        (Matcher("absent", "!=", "x"), ["a", "b\n"]),
        (Matcher("job", "=", "c"), []),
    ],
)
def test_matchers(matcher: Matcher, jobs: list[str]):
    assert _jobs(_filled(), Matcher("__name__", "=", "up"), matcher) == jobs


def test_series_without_samples_in_the_range_are_left_out():
    assert _jobs(_filled(), Matcher("job", "!=", ""), start=4000) == []


def test_a_sample_of_the_same_time_is_replaced():
    series = _filled()
    series.append(A, 1000, EMPTY)
    series.append(A, 3000, float(np.array(STALE_BITS, np.uint64).view(np.float64)))
    batch = series.select([Matcher("job", "=", "a")], 0, 9999, max_samples=3, stop=Stop())
    assert batch.histograms is not None
    assert batch.histograms.tolist() == [EMPTY, None, None]
    assert np.isnan(batch.values[0])
    assert int(batch.values.view(np.uint64)[2]) == STALE_BITS


def test_too_many_samples():
    with pytest.raises(TooManySamples):
        _filled().select([Matcher("__name__", "=", "up")], 0, 9999, max_samples=5, stop=Stop())


def test_stopped():
    stop = Stop()
    stop.stop("cancelled")
    with pytest.raises(QueryCancelled):
        _filled().select([Matcher("__name__", "=", "up")], 0, 9999, max_samples=5, stop=stop)
