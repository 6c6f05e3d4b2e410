"""Kiali's tolerances, and latency beside them."""

from collections import defaultdict
from math import inf

import pytest

from query.topology.durations import Durations
from query.topology.health import judge
from query.topology.status import Status
from query.topology.traffic import Edge, Protocol
from vigla.settings import HealthSettings, Tolerance


def calls(protocol: Protocol, **percent: float) -> Edge:
    edge = Edge("a", "b", protocol)
    for code, share in percent.items():
        edge.add(code.removeprefix("c").replace("none", "-"), "", "", share)
    return edge


@pytest.mark.parametrize(
    ("edge", "status"),
    [
        (calls("http"), Status.NA),
        (calls("tcp", none=100), Status.NA),
        (calls("http", c200=100), Status.HEALTHY),
        (calls("http", c200=99.9, c500=0.1), Status.DEGRADED),
        (calls("http", c200=90, c500=10), Status.FAILURE),
        (calls("http", c200=91, c404=9), Status.HEALTHY),
        (calls("http", c200=90, c404=10), Status.DEGRADED),
        (calls("http", c200=80, c404=20), Status.FAILURE),
        (calls("http", c200=99, none=1), Status.DEGRADED),
        (calls("grpc", c0=95, c14=5), Status.DEGRADED),
        (calls("grpc", c0=90, c14=10), Status.FAILURE),
    ],
)
def test_default_tolerances(edge: Edge, status: Status) -> None:
    assert judge([edge], HealthSettings()).status is status


def test_slow_calls_are_degraded_where_a_threshold_is_set() -> None:
    edge = calls("http", c200=100)
    edge.durations = Durations(defaultdict(float, {500.0: 0.0, 502.0: 1.0, inf: 1.0}))
    assert judge([edge], HealthSettings()).status is Status.HEALTHY
    assert judge([edge], HealthSettings(p95_ms=500)).reasons == ("p95 of http 502 ms is above 500 ms",)


def test_own_tolerances() -> None:
    mild = Tolerance(code=r"5\d\d", protocol="http", degraded=50, failure=80)
    found = judge([calls("http", c200=60, c500=40)], HealthSettings(tolerances=(mild,)))
    assert found.status is Status.HEALTHY
