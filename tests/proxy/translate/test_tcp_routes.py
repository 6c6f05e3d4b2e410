"""Fields of tcp and tls rules."""

from typing import Any

import pytest
import yaml

from proxy.api.virtual_service import VirtualService
from proxy.translate.destinations import RouteScope
from proxy.translate.tcp_routes import Connections, tcp_routes, tls_routes
from tests.proxy.translate.meshes import sidecar, world

TO = [{"destination": {"host": "db", "port": {"number": 5}}}]
CLUSTER = {"cluster": "outbound|5||db.shop.svc.cluster.local"}


def _found(kind: str, rules: list[dict[str, Any]]) -> list[Connections]:
    document = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "vs", "namespace": "shop"},
        "spec": {"hosts": ["db"], kind: rules},
    }
    made = world(yaml.safe_dump(document))
    virtual_service = made.config.get(VirtualService, "shop", "vs")
    assert virtual_service is not None
    scope = RouteScope(made, sidecar(), 443, frozenset({"mesh"}))
    return list((tcp_routes if kind == "tcp" else tls_routes)(scope, virtual_service))


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"sniHosts": ["a.com"]}, {"server_names": ["a.com"]}),
        (
            {"sniHosts": ["a.com"], "destinationSubnets": ["10.0.0.0/8", "10.1.1.1"]},
            {
                "server_names": ["a.com"],
                "prefix_ranges": [
                    {"address_prefix": "10.0.0.0", "prefix_len": 8},
                    {"address_prefix": "10.1.1.1", "prefix_len": 32},
                ],
            },
        ),
        ({"sniHosts": ["a.com"], "port": 80}, None),
        ({"sniHosts": ["a.com"], "sourceLabels": {"app": "other"}}, None),
        ({"sniHosts": ["a.com"], "gateways": ["edge"]}, None),
        ({"sniHosts": ["a.com"], "sourceNamespace": "other"}, None),
    ],
)
def test_tls_match(match: dict[str, Any], expected: dict[str, Any] | None):
    found = _found("tls", [{"match": [match], "route": TO}])
    assert found == ([] if expected is None else [Connections(expected, CLUSTER)])


def test_tcp_rules_after_one_that_takes_all_are_left_out():
    subnet = {"destinationSubnets": ["fd00::/64"]}
    found = _found("tcp", [{"match": [subnet], "route": TO}, {"route": TO}, {"route": TO}])
    ranges = [{"address_prefix": "fd00::", "prefix_len": 64}]
    assert found == [Connections({"prefix_ranges": ranges}, CLUSTER), Connections({}, CLUSTER)]


def test_weights_and_no_destination():
    weighted = [{**TO[0], "weight": 20}, {"destination": {"host": "db", "subset": "v2"}, "weight": 80}]
    assert _found("tcp", [{"route": weighted}])[0].proxy == {
        "weighted_clusters": {
            "clusters": [
                {"name": CLUSTER["cluster"], "weight": 20},
                {"name": "outbound|443|v2|db.shop.svc.cluster.local", "weight": 80},
            ]
        }
    }
    assert _found("tcp", [{}])[0].proxy == {"cluster": "BlackHoleCluster"}
