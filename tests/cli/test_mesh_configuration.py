"""The graph's view of the configuration, at the time that is shown."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from proxy.config.parse import parse
from proxy.config.store import ConfigStore
from vigla.cli.mesh_configuration import MeshConfiguration
from vigla.clock import FakeClock

T = 1_700_000_000
NS = 1_000_000_000
TIMEOUT = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http: [{timeout: 2s, route: [{destination: {host: reviews}}]}]
"""
ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: search, namespace: shop}
spec: {hosts: [search.example], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {ports: [{name: http, port: 9080}]}
"""


@pytest.fixture
def store() -> Iterator[ConfigStore]:
    clock = FakeClock(T * NS)
    with closing(ConfigStore("sqlite://", clock)) as made:
        made.apply(parse(f"{ENTRY}---{SERVICE}").objects, "me", "services")
        clock.advance(100)
        made.apply(parse(TIMEOUT).objects, "me", "a timeout")
        yield made


def test_badges_are_of_the_time_that_is_shown(store: ConfigStore) -> None:
    mesh = MeshConfiguration(store)
    assert mesh.badges(T + 50)("shop", "reviews") == {}
    assert mesh.badges(T + 150)("shop", "reviews") == {
        "hasRequestRouting": True,
        "hasRequestTimeout": True,
        "hasVS": {"hostnames": ["reviews"]},
    }


def test_services_and_entries(store: ConfigStore) -> None:
    mesh = MeshConfiguration(store)
    assert (mesh.services("shop", T), mesh.services("shop", T - 1)) == (["reviews"], [])
    (entry,) = mesh.service_entries(T)
    assert (entry.name, entry.hosts, entry.location) == ("search", ("search.example",), "MESH_EXTERNAL")


def test_annotations_of_tolerances_are_of_the_time_that_is_shown(store: ConfigStore) -> None:
    annotated = SERVICE.replace(
        "namespace: shop}", "namespace: shop, annotations: {health.kiali.io/rate: '5xx,1,2,http,.*'}}"
    )
    store.apply(parse(annotated).objects, "me", "milder")
    mesh = MeshConfiguration(store)
    assert mesh.health_annotations(T + 50) == {}
    assert mesh.health_annotations(T + 150) == {("shop", "service", "reviews"): "5xx,1,2,http,.*"}
