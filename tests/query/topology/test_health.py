"""Kiali's tolerances, and latency beside them."""

from collections import defaultdict
from math import inf
from typing import Any

import pytest
from pydantic import ValidationError

from query.topology.durations import Durations
from query.topology.health import judge
from query.topology.status import Status
from query.topology.tolerances import Bounds, Tolerances, annotated
from query.topology.traffic import Edge, Protocol
from vigla.settings import HealthRule, HealthSettings, Tolerance


def calls(protocol: Protocol, **percent: float) -> Edge:
    edge = Edge("a", "b", protocol)
    for code, share in percent.items():
        edge.add(code.removeprefix("c").replace("none", "-"), "", "", share)
    return edge


def bounds(**settings: Any) -> Bounds:
    return Tolerances(HealthSettings(**settings)).of("shop", "service", "cart")


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
    assert judge([edge], bounds()).status is status


def test_slow_calls_are_degraded_where_a_threshold_is_set() -> None:
    edge = calls("http", c200=100)
    edge.durations = Durations(defaultdict(float, {500.0: 0.0, 502.0: 1.0, inf: 1.0}))
    assert judge([edge], bounds()).status is Status.HEALTHY
    assert judge([edge], bounds(p95_ms=500)).reasons == ("p95 of http 502 ms is above 500 ms",)


def test_own_tolerances() -> None:
    mild = Tolerance(code=r"5\d\d", protocol="http", degraded=50, failure=80)
    found = judge([calls("http", c200=60, c500=40)], bounds(tolerances=(mild,)))
    assert found.status is Status.HEALTHY


def test_a_tolerance_may_be_of_one_direction() -> None:
    strict = Tolerance(code="404", protocol="http", direction="inbound", failure=1)
    own = bounds(tolerances=(strict,))
    edge = calls("http", c200=90, c404=10)
    assert judge([edge], own, "inbound").reasons == ("inbound http 404: 10 % of calls",)
    assert judge([edge], own, "outbound").status is Status.NA
    assert judge([edge], own).status is Status.FAILURE


def test_the_annotation_holds_before_rules_and_rules_in_their_order() -> None:
    first = HealthRule(namespace="shop", name="ca.*", p95_ms=100)
    second = HealthRule(tolerances=(Tolerance(code="418", protocol="http"),), p95_ms=200)
    own = {("shop", "service", "cart"): "4XX, 10, 20, http, inbound"}
    found = Tolerances(HealthSettings(p95_ms=5, rules=(first, second)), own)
    (annotation,) = found.of("shop", "service", "cart").tolerances
    assert (annotation.code, annotation.degraded, annotation.failure) == (r"4\d\d", 10, 20)
    assert found.of("shop", "service", "cart").p95_ms == 100
    assert found.of("shop", "workload", "cart").tolerances == HealthSettings().tolerances
    assert found.of("bank", "service", "cart").p95_ms == 200
    assert [each.code for each in found.of("bank", "app", "x").tolerances] == ["418"]


@pytest.mark.parametrize(
    "text", ["", "5xx", "5xx,a,b,http,inbound", "5xx,1,2,http,inbound;(,1,2,http,inbound"]
)
def test_an_annotation_that_cannot_be_read_counts_for_nothing(text: str) -> None:
    assert annotated(text) == ()


def test_an_annotation_may_have_several() -> None:
    assert [each.code for each in annotated("404,1,2,http,inbound;5xx,3,4,.*,.*;")] == ["404", r"5\d\d"]


@pytest.mark.parametrize("field", ["code", "protocol", "direction"])
def test_what_is_no_regular_expression_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match="is no regular expression"):
        Tolerance.model_validate({"code": "5..", "protocol": "http", field: "("})
