"""Snapshots after changes are those of a control plane that never knew anything else."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.api.base import Model
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject
from proxy.config.parse import parse
from proxy.pilot.registrations import Registrations
from proxy.pilot.snapshots import Snapshots
from proxy.translate.telemetry_plugins import MeshPlugins
from proxy.xds.node import parse_node
from proxy.xds.resources import CDS, EDS, RDS, Snapshot
from vigla.clock import SystemClock

HEAD = "apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: "
SECURITY = (
    "apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: "
)
HOST = "{name}.shop.svc.cluster.local"

# Variants of objects by kind and name; a step of a run puts one in place, or takes the object out.
ENTRY = [
    (
        "{hosts: [a.shop.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC,"
        " ports: [{name: http, number: 80, protocol: HTTP}],"
        " endpoints: [{address: 10.0.0.1, labels: {app: web}}, {address: 10.0.0.2, labels: {app: b}}]}"
    ),
    (
        "{hosts: [a.shop.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC,"
        " ports: [{name: http, number: 80, protocol: HTTP}, {name: tcp, number: 90, protocol: TCP}],"
        " endpoints: [{address: 10.0.0.1, labels: {version: v1, security.istio.io/tlsMode: istio}}]}"
    ),
    (
        "{hosts: [a.shop.svc.cluster.local, b.shop.svc.cluster.local], resolution: DNS,"
        " ports: [{name: http, number: 80, protocol: HTTP}]}"
    ),
    (
        "{hosts: ['*.example.com'], location: MESH_EXTERNAL, resolution: NONE,"
        " ports: [{name: https, number: 443, protocol: TLS}]}"
    ),
]
ROUTING = [
    "{hosts: [a], http: [{route: [{destination: {host: a, subset: v1}}]}]}",
    (
        "{hosts: [a], http: [{match: [{sourceLabels: {app: web}}], route: [{destination: {host: b}}]},"
        " {route: [{destination: {host: a}}]}]}"
    ),
    "{hosts: ['*.shop.svc.cluster.local'], http: [{timeout: 1s, route: [{destination: {host: b}}]}]}",
    "{hosts: [a], http: [{delegate: {name: inner, namespace: shop}}]}",
    "{hosts: [b.example.com], http: [{route: [{destination: {host: a, port: {number: 80}}}]}]}",
]
INNER = [
    (
        "{http: [{fault: {abort: {httpStatus: 503, percentage: {value: 100}}},"
        " route: [{destination: {host: a}}]}]}"
    ),
    "{http: [{route: [{destination: {host: b, subset: v2}}]}]}",
]
RULE = [
    "{host: a, subsets: [{name: v1, labels: {app: web}}]}",
    "{host: a, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}}",
    "{host: '*.shop.svc.cluster.local', trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}",
    "{host: a, workloadSelector: {matchLabels: {app: web}}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
    (
        "{host: a, trafficPolicy: {loadBalancer: {localityLbSetting: {enabled: true,"
        " failoverPriority: ['app']}}, outlierDetection: {consecutive5xxErrors: 1}}}"
    ),
]
SIDECAR = [
    "{egress: [{hosts: ['./a.shop.svc.cluster.local']}]}",
    (
        "{workloadSelector: {labels: {app: web}}, outboundTrafficPolicy: {mode: REGISTRY_ONLY},"
        " egress: [{port: {number: 80, protocol: HTTP, name: http}, hosts: ['./*']}, {hosts: ['./*']}]}"
    ),
]
PEERS = ["{mtls: {mode: DISABLE}}", "{mtls: {mode: STRICT}}"]
PLACES = {
    ("ServiceEntry", "one"): (HEAD, ENTRY),
    ("ServiceEntry", "two"): (HEAD, ENTRY),
    ("VirtualService", "one"): (HEAD, ROUTING),
    ("VirtualService", "two"): (HEAD, ROUTING),
    ("VirtualService", "inner"): (HEAD, INNER),
    ("DestinationRule", "one"): (HEAD, RULE),
    ("DestinationRule", "two"): (HEAD, RULE),
    ("Sidecar", "one"): (HEAD, SIDECAR),
    ("PeerAuthentication", "one"): (SECURITY, PEERS),
}
Chosen = dict[tuple[str, str], int | None]
CHOICES = {place: st.sampled_from([None, *range(len(variants))]) for place, (_, variants) in PLACES.items()}
FIRST = st.fixed_dictionaries(CHOICES)
"""A configuration: of each place the variant, or None where it is empty."""
CHANGES = st.lists(
    st.sampled_from(list(CHOICES)).flatmap(lambda p: st.tuples(st.just(p), CHOICES[p])), max_size=5
)
NODES = [
    parse_node("sidecar~10.9.0.1~web-0.shop~shop.svc.cluster.local", metadata={"LABELS": {"app": "web"}}),
    parse_node("sidecar~10.9.0.2~api-0.shop~shop.svc.cluster.local", metadata={"LABELS": {"app": "api"}}),
    parse_node("sidecar~10.9.0.3~far-0.other~other.svc.cluster.local"),
]


class Mesh:
    """A control plane without its network, and its configuration."""

    def __init__(self, folder: Path) -> None:
        self.current = Collection()
        registrations = Registrations(folder / "workloads.json", SystemClock(), lambda: None)
        self.snapshots = Snapshots(
            lambda: self.current, registrations, lambda _: MeshPlugins(), "cluster.local"
        )
        self.last: dict[str, Snapshot] = {}

    def put(self, objects: Collection) -> dict[str, Snapshot]:
        self.current = objects
        self.snapshots.changed()
        self.last = {n.id: self.snapshots.snapshot(n, self.last.get(n.id)) for n in NODES}
        return self.last


def collection(chosen: Chosen) -> Collection:
    """The objects of a configuration; those of one variant are the same objects each time."""
    return Collection.of(made(place, number) for place, number in chosen.items() if number is not None)


@cache
def made(place: tuple[str, str], number: int) -> ConfigObject[Model]:
    head, variants = PLACES[place]
    parsed = parse(head.format(kind=place[0], name=place[1]) + variants[number])
    assert not parsed.problems
    return parsed.objects[0]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=FIRST, changes=CHANGES)
def test_what_was_known_before_changes_nothing(
    tmp_path: Path, first: Chosen, changes: list[tuple[tuple[str, str], int | None]]
) -> None:
    mesh, chosen = Mesh(tmp_path), dict(first)
    mesh.put(collection(chosen))
    for place, number in changes:
        chosen[place] = number
        known = mesh.put(collection(chosen))
        fresh = Mesh(tmp_path).put(collection(chosen))
        for node in NODES:
            assert known[node.id].resources == fresh[node.id].resources, node.id


def test_labels_that_rules_ask_for_tell_proxies_apart(mesh: Mesh) -> None:
    for place, number in [
        (("VirtualService", "one"), 1),
        (("DestinationRule", "one"), 3),
        (("DestinationRule", "one"), 4),
    ]:
        found = mesh.put(collection({("ServiceEntry", "one"): 0, place: number}))
        web, api = (found[node.id] for node in NODES[:2])
        outbound = [
            [s.get(t)[n].version for t in (CDS, EDS, RDS) for n in sorted(s.get(t)) if "inbound" not in n]
            for s in (web, api)
        ]
        assert outbound[0] != outbound[1], (place, number)


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return Mesh(tmp_path)


def test_resources_that_did_not_change_are_the_same_objects(mesh: Mesh) -> None:
    def objects(timeout: str) -> Collection:
        entry = HEAD.format(kind="ServiceEntry", name="one") + ENTRY[0]
        routing = HEAD.format(kind="VirtualService", name="one")
        routing += f"{{hosts: [a], http: [{{timeout: {timeout}, route: [{{destination: {{host: a}}}}]}}]}}"
        return Collection.of(parse(f"{entry}\n---\n{routing}").objects)

    node = NODES[0].id
    first = mesh.put(objects("1s"))[node]
    second = mesh.put(objects("2s"))[node]
    name = "outbound|80||a.shop.svc.cluster.local"
    assert second.get(CDS)[name] is first.get(CDS)[name]
    assert second.get(RDS)["80"].version != first.get(RDS)["80"].version
