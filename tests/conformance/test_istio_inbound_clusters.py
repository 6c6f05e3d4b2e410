"""Clusters that lead to the workload itself, as Istio makes them."""

import json
from typing import Any

import pytest

from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.envoy.messages import build
from proxy.registry.model import Endpoint, Protocol, Service, ServicePort
from proxy.translate.clusters import clusters
from proxy.translate.sidecar import sidecar_listeners
from proxy.translate.world import Proxy, ProxyType, World
from tests.conformance.conftest import CASES
from tests.conformance.simulation import Simulation

FILE = CASES / "istio-simulation" / "inbound_clusters.json"


def _cases() -> list[Any]:
    if not FILE.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no conformance cases: {FILE} is absent"))]
    return [pytest.param(case, id=case["name"]) for case in json.loads(FILE.read_text())]


def _service(declared: dict[str, Any], instances: list[dict[str, Any]], address: str) -> Service:
    ports = [ServicePort(p["name"], p["port"], Protocol(p["protocol"])) for p in declared["ports"]]
    host = declared["hostname"]
    names = {port.number: port.name for port in ports}
    endpoints = [
        Endpoint(address, i["target_port"], names[i["service_port"]])
        for i in instances
        if i["hostname"] == host
    ]
    name, namespace = host.split(".")[:2]
    return Service(host, namespace, name, tuple(ports), (declared["address"],), endpoints=tuple(endpoints))


def _socket(endpoint: dict[str, Any]) -> str:
    address = endpoint["endpoint"]["address"]
    if "pipe" in address:
        return str(address["pipe"]["path"])
    return f"{address['socket_address']['address']}:{address['socket_address']['port_value']}"


@pytest.mark.parametrize("case", _cases())
def test_inbound_clusters(case: dict[str, Any]):
    described = case["proxy"]
    address = described["ip_addresses"][0]
    proxy = Proxy("proxy", ProxyType.SIDECAR, described["config_namespace"], (address,), described["labels"])
    services = [_service(s, case["instances"], address) for s in case["services"]]
    services.sort(key=lambda service: service.hostname)
    config = Collection.of(parse(case["config_yaml"]).objects)
    world = World(config, tuple(services), MeshConfig.model_validate(case["mesh_config"]))
    every = clusters(world, proxy)
    for cluster in every:
        build("envoy.config.cluster.v3.Cluster", cluster)
    inbound = {c["name"]: c for c in every if c["name"].startswith("inbound")}
    made: dict[str, list[str] | None] = {}
    hosts: dict[str, list[str]] = {}
    for name, cluster in inbound.items():
        groups = cluster.get("load_assignment", {}).get("endpoints", [])
        made[name] = [_socket(e) for group in groups for e in group["lb_endpoints"]] or None
        metadata = cluster.get("metadata", {}).get("filter_metadata", {}).get("istio", {})
        if metadata:
            hosts[name] = sorted(s["host"] for s in metadata["services"])
    assert made == case["expected_inbound_clusters"]
    assert hosts == {n: sorted(h) for n, h in case["expected_metadata_services"].items() if h}
    simulation = Simulation(sidecar_listeners(world, proxy))
    for name in inbound:
        port = int(name.split("|")[1])
        result = simulation.run({"port": port, "protocol": "http", "call_mode": "inbound"})
        assert result.cluster == name, result
