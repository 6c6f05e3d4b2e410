"""Calls through a gateway, as Istio's own simulation expects them to end."""

import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.config.collection import Collection
from proxy.envoy.messages import build
from proxy.registry.ingress import ingress_objects
from proxy.translate.gateway_listeners import gateway_listeners
from proxy.translate.gateway_routes import gateway_routes
from proxy.translate.plugins import NoPlugins
from proxy.translate.world import Proxy, ProxyType
from tests.conformance.conftest import CASES
from tests.conformance.simulation import Simulation
from tests.conformance.test_istio_simulation_sidecar import DOMAIN, route_names, world_of

FILE = CASES / "istio-simulation" / "gateway.json"


def _cases() -> list[Any]:
    if not FILE.is_file():
        return [
            pytest.param({}, {}, marks=pytest.mark.skip(reason=f"no conformance cases: {FILE} is absent"))
        ]
    return [
        pytest.param(case, call, id=f"{case['name']}-{call['name']}")
        for case in json.loads(FILE.read_text())
        for call in case["calls"]
    ]


@pytest.mark.parametrize(("case", "call"), _cases())
def test_calls_end_as_expected(case: dict[str, Any], call: dict[str, Any]):
    described = case["proxy"]
    proxy = Proxy(
        id="gateway.istio-system",
        type=ProxyType.GATEWAY,
        namespace=described["config_namespace"],
        addresses=tuple(described["ip_addresses"]),
        labels=described["labels"],
        # Objects of these cases have no domain of their own.
        dns_domain="",
    )
    declared = world_of(case)
    ingresses = ingress_objects(declared.config, declared.mesh, DOMAIN)
    config = Collection.of([*declared.config.by_key.values(), *ingresses])
    world = replace(declared, config=config)
    listeners = gateway_listeners(world, proxy, NoPlugins())
    routes = gateway_routes(world, proxy, sorted(route_names(listeners)))
    for listener in listeners:
        build("envoy.config.listener.v3.Listener", listener)
    for route in routes:
        build("envoy.config.route.v3.RouteConfiguration", route)
    result = Simulation(listeners, routes).run({"call_mode": "gateway", **call["call"]})
    assert not result.differences(call["result"]), result
