"""What rules do to the calls of a service."""

import pytest

from proxy.config.collection import Collection
from proxy.config.features import Described, Features, describe, place_of
from proxy.config.parse import parse

VIRTUAL_SERVICE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
"""
RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews.shop.svc.cluster.local
"""
PEERS = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: %s}
spec: {mtls: {mode: %s}}
---
"""


def described(text: str) -> Described:
    return describe(Collection.of(parse(text).objects))


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("fault: {abort: {httpStatus: 503, percentage: {value: 5}}}", "fault_injection"),
        ("mirror: {host: copy}", "mirroring"),
        ("mirrors: [{destination: {host: copy}}]", "mirroring"),
        ("timeout: 2s", "request_timeout"),
        ("route: [{destination: {host: reviews}}]", "request_routing"),
    ],
)
def test_routes(route: str, name: str) -> None:
    found = described(f"{VIRTUAL_SERVICE}  - {{{route}}}").of(("shop", "reviews"))
    wanted = Features(virtual_services=("shop/reviews",), hosts=("reviews",))
    assert {each for each in Features.__slots__ if getattr(found, each) != getattr(wanted, each)} == {name}


def test_shares() -> None:
    routes = "[{destination: {host: reviews}, weight: 90}, {destination: {host: new}, weight: 10}]"
    found = described(f"{VIRTUAL_SERVICE}  - route: {routes}")
    assert found.of(("shop", "reviews")).traffic_shifting
    assert found.of(("shop", "new")).traffic_shifting
    assert not found.of(("shop", "other")).traffic_shifting


@pytest.mark.parametrize(
    "policy",
    [
        "  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}",
        "  subsets: [{name: v1, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}}]",
    ],
)
def test_circuit_breakers(policy: str) -> None:
    assert described(RULE + policy).of(("shop", "reviews")).circuit_breaker


def test_mode_of_the_namespace_goes_before_that_of_the_mesh() -> None:
    found = described(PEERS % ("istio-system", "STRICT") + PEERS % ("shop", "PERMISSIVE"))
    assert (found.of(("shop", "web")).mtls, found.of(("other", "web")).mtls) == ("PERMISSIVE", "STRICT")


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("reviews", ("shop", "reviews")),
        ("reviews.other.svc.cluster.local", ("other", "reviews")),
        ("api.example.com", ("shop", "api.example.com")),
    ],
)
def test_where_a_host_is(host: str, place: tuple[str, str]) -> None:
    assert place_of(host, "shop") == place
