"""Istio's own AuthorizationPolicies and the filters that it makes of them, compared as messages."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.api.mesh import MeshConfig
from proxy.api.security import AuthorizationPolicy
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.envoy.messages import build, to_json
from proxy.registry.model import Service
from proxy.translate.authorization import Authorizer, policies_of
from proxy.translate.trust_domains import TrustDomains
from proxy.translate.world import Proxy, ProxyType, World

FOLDER = Path(__file__).parents[3] / "shared" / "conformance" / "istio-authz"
CASES = json.loads((FOLDER / "cases.json").read_text()) if FOLDER.is_dir() else {"cases": []}
FILTERS = {
    True: "envoy.config.listener.v3.Filter",
    False: "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no conformance cases: {FOLDER} is absent")


def _made(case: dict[str, Any]) -> list[dict[str, Any]]:
    proxy = CASES["proxy"]
    parsed = parse((FOLDER / case["input"]).read_text(), case["input"])
    assert not parsed.problems
    mesh = MeshConfig.model_validate(CASES["mesh_configs"].get(case["mesh_config"], {}))
    services = tuple(
        Service(s["hostname"], s["namespace"], s["hostname"].partition(".")[0], ())
        for s in CASES["known_services"]
    )
    world = World(Collection.of(parsed.objects), services, mesh)
    namespace = proxy["config_namespace"]
    node = Proxy("test", ProxyType.SIDECAR, namespace, ("1.1.1.1",), proxy["labels"])
    bundle = case["trust_domain_bundle"]
    domains = TrustDomains((bundle["trust_domain"], *bundle["aliases"])) if bundle else TrustDomains()
    made = Authorizer(mesh, services, domains, "network" if case["tcp"] else "http")
    policies = policies_of(world, node)
    assert len(policies) == len(world.config.all(AuthorizationPolicy))
    return made.custom(policies) if case["custom_builder"] else made.filters(policies)


def _compare(case: dict[str, Any], outputs: list[str]) -> None:
    kind = FILTERS[case["tcp"]]
    expected = [to_json(build(kind, yaml.safe_load((FOLDER / name).read_text()))) for name in outputs]
    assert [to_json(build(kind, each)) for each in _made(case)] == expected


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: ("tcp-" if c["tcp"] else "http-") + c["name"])
def test_filters_are_istios(case: dict[str, Any]) -> None:
    _compare(case, case["outputs"])
    if "outputs_second_pass" in case:
        _compare(case, case["outputs_second_pass"])


EXTRA = {
    "allow-nil-rule": {},
    "deny-empty-rule": {},
    "dry-run-mix": {},
    "custom-bad-multiple-providers": {"custom_builder": True},
    "td-aliases-source-principal": {
        "trust_domain_bundle": {"trust_domain": "some-td", "aliases": ["some-trustdomain"]}
    },
    "simple-policy-td-aliases": {
        "trust_domain_bundle": {"trust_domain": "td1", "aliases": ["cluster.local"]}
    },
}


@pytest.mark.parametrize("name", EXTRA)
def test_inputs_that_are_in_no_list(name: str) -> None:
    case = {
        "name": name,
        "tcp": False,
        "input": f"http/{name}-in.yaml",
        "trust_domain_bundle": None,
        "mesh_config": None,
        "custom_builder": False,
        **EXTRA[name],
    }
    found = sorted(FOLDER.glob(f"http/extended-{name}-out*.yaml"))
    assert found
    _compare(case, [f"http/{path.name}" for path in found])
