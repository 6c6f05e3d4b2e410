"""Response times of several series of one edge."""

from collections import defaultdict
from math import inf

import pytest

from query.topology.durations import Durations


def durations(**rates: float) -> Durations:
    buckets = {inf if bound == "inf" else float(bound[1:]): rate for bound, rate in rates.items()}
    return Durations(defaultdict(float, buckets))


def test_quantiles_are_those_of_all_calls_together() -> None:
    fast = durations(b10=90.0, b100=90.0, inf=90.0)
    fast.add(durations(b10=0.0, b100=10.0, inf=10.0))
    assert fast.quantile(0.5) == pytest.approx(50 / 9)
    assert fast.quantile(0.95) == pytest.approx(55.0)


def test_beyond_the_last_bound_that_bound_is_told() -> None:
    assert durations(b10=1.0, inf=2.0).quantile(0.99) == 10.0


@pytest.mark.parametrize("none", [Durations(), durations(inf=3.0), durations(b10=0.0, inf=0.0)])
def test_nothing_is_known_without_buckets_or_calls(none: Durations) -> None:
    assert none.quantile(0.5) is None
    assert none.mean() is None


def test_average() -> None:
    one = Durations(total_ms=300.0, count=10.0)
    one.add(Durations(total_ms=100.0, count=10.0))
    assert one.shown("avg") == 20.0
