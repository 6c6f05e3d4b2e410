"""Calls through a sidecar, as Istio's own simulation expects them to end."""

import json
from typing import Any

import pytest
import yaml

from proxy.api.base import Model
from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject
from proxy.config.parse import parse
from proxy.envoy.messages import build
from proxy.registry.build import services
from proxy.translate.clusters import clusters
from proxy.translate.sidecar import sidecar_listeners
from proxy.translate.sidecar_routes import sidecar_routes
from proxy.translate.world import Proxy, ProxyType, World
from tests.conformance.conftest import CASES
from tests.conformance.simulation import Simulation

FILE = CASES / "istio-simulation" / "sidecar.json"
DOMAIN = "cluster.local"


def _cases() -> list[Any]:
    if not FILE.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no conformance cases: {FILE} is absent"))]
    return [pytest.param(case, id=case["name"]) for case in json.loads(FILE.read_text())]


def _objects(text: str) -> tuple[ConfigObject[Model], ...]:
    """The objects of a file; fields that nobody knows are dropped, as the simulation's reader does."""
    documents = [document for document in yaml.safe_load_all(text) if document]
    parsed = parse(yaml.safe_dump_all(documents))
    for problem in parsed.problems:
        assert problem.message == "unknown field", problem
        kind, key = problem.subject.split()
        for document in documents:
            if document["kind"] == kind and key.endswith("/" + document["metadata"]["name"]):
                *parents, last = problem.path
                holder: Any = document
                for part in parents:
                    holder = holder[part]
                del holder[last]
    return parse(yaml.safe_dump_all(documents)).objects


def world_of(case: dict[str, Any]) -> World:
    texts = (case.get("config_yaml", ""), case.get("kube_yaml", ""))
    config = Collection.of(o for text in texts for o in _objects(text))
    mesh = MeshConfig.model_validate(case.get("mesh_config") or {})
    return World(config, services(config, mesh, DOMAIN), mesh)


def proxy_of(case: dict[str, Any]) -> Proxy:
    described = case["proxy"]
    namespace = described["config_namespace"]
    # Objects of these cases have no domain of their own; only those of Kubernetes have.
    domain = f"{namespace}.svc.{DOMAIN}" if case.get("kube_yaml") else ""
    return Proxy(
        id=f"proxy.{namespace}",
        type=ProxyType.SIDECAR,
        namespace=namespace,
        addresses=tuple(described["ip_addresses"]),
        labels=described.get("labels") or {},
        dns_domain=domain,
    )


def route_names(listeners: list[dict[str, Any]]) -> set[str]:
    """Names of all routes that these listeners ask for."""
    chains = [
        chain
        for listener in listeners
        for chain in (*listener["filter_chains"], listener.get("default_filter_chain") or {})
    ]
    managers = [f["typed_config"] for chain in chains for f in chain.get("filters", ())]
    return {manager["rds"]["route_config_name"] for manager in managers if "rds" in manager}


@pytest.mark.parametrize("case", _cases())
def test_calls_end_as_expected(case: dict[str, Any], subtests: pytest.Subtests):
    world, proxy = world_of(case), proxy_of(case)
    listeners = sidecar_listeners(world, proxy)
    routes = sidecar_routes(world, proxy, route_names(listeners))
    found = clusters(world, proxy)
    for name, values in (
        ("listener.v3.Listener", listeners),
        ("route.v3.RouteConfiguration", routes),
        ("cluster.v3.Cluster", found),
    ):
        for value in values:
            build(f"envoy.config.{name}", value)
    simulation = Simulation(listeners, routes, found)
    for call in case["calls"]:
        with subtests.test(call["name"]):
            result = simulation.run(call["call"])
            assert not result.differences(call["result"]), result
            if result.cluster:
                assert result.cluster in {cluster["name"] for cluster in found}
