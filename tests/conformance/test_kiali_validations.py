"""Kiali's validation cases; they lie beside the repository."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.analyze.analyzers import analyze
from proxy.analyze.context import Context
from proxy.analyze.kiali.messages import CHECKS, LEVELS
from proxy.analyze.kiali.mutual_tls import identity_fields
from proxy.analyze.kiali.scope import Exported, seen
from proxy.api.base import Model
from proxy.api.destination_rule import DestinationRule
from proxy.api.mesh import MeshConfig
from proxy.api.security import AuthorizationPolicy
from proxy.api.service_entry import ServiceEntry
from proxy.api.virtual_service import VirtualService
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject, Key
from proxy.config.parse import parse
from proxy.validate.judge import validate

FOLDER = Path(__file__).parents[3] / "shared" / "conformance" / "kiali-validations"
CHECKER_OF_FOLDER = {
    ("authorization", "AuthorizationPolicy"): "kiali.mutualtls.Identities",
    ("peerauthentications", "PeerAuthentication"): "kiali.mutualtls.DisabledPeers",
    ("destinationrules", "DestinationRule"): "kiali.mutualtls.DisabledRules",
    ("virtualservices", "DestinationRule"): "kiali.destinationrule.Subsets",
    ("virtualservices", "VirtualService"): "kiali.virtualservice.Subsets",
}


def _absent() -> list[Any]:
    return [pytest.param(None, marks=pytest.mark.skip(reason=f"{FOLDER} is absent"))]


def _cases() -> list[Any]:
    if not FOLDER.is_dir():
        return _absent()
    read = json.loads((FOLDER / "cases.json").read_text())
    return [pytest.param(c, id=f"{i}-{c['name']}") for i, c in enumerate(read)]


def _visibility() -> list[Any]:
    if not FOLDER.is_dir():
        return _absent()
    read = json.loads((FOLDER / "export_to_visibility.json").read_text())["cases"]
    return [pytest.param(c, id=c["name"]) for c in read]


def _checker(case: dict[str, Any]) -> str:
    folder = case["file"].partition("/")[0]
    if folder == "exportto":
        return "kiali.exports.Namespaces"
    if "gateway" in case["file"]:
        return "kiali.virtualservice.Gateways"
    return CHECKER_OF_FOLDER[folder, case["object"]["kind"]]


def _around(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The context of a case as documents."""
    context = case.get("context", {})
    for name in context.get("namespaces", ()):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for index, workload in enumerate(context.get("workloads", ())):
        meta = {**workload, "name": f"{workload['name']}-{index}"}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}}
    for service in context.get("services", ()):
        meta = {"name": service["name"], "namespace": service["namespace"]}
        spec = {"selector": service.get("selector") or {"app": service["name"]}}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
    for name in context.get("known_gateways", ()):
        meta = {"name": name, "namespace": case["object"]["namespace"]}
        yield {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": meta, "spec": {}}


def _objects(*files: str) -> list[ConfigObject[Model]]:
    return [o for file in files for o in parse((FOLDER / file).read_text(), file).objects]


@pytest.mark.parametrize("case", _cases())
def test_case(case: dict[str, Any]) -> None:
    context = case.get("context", {})
    objects = [*_objects(case["file"]), *parse(yaml.safe_dump_all(_around(case))).objects]
    if context.get("virtual_services") == "none":
        objects = [o for o in objects if o.kind.name != "VirtualService"]
    given = {"enable_auto_mtls": "enableAutoMtls", "root_namespace": "rootNamespace"}
    mesh = MeshConfig.model_validate(
        {field: context[name] for name, field in given.items() if name in context}
    )
    about = Key(case["object"]["kind"], case["object"]["namespace"], case["object"]["name"])
    config = Collection.of(objects)
    assert about in config.by_key
    found = [m for m in analyze(config, mesh, [_checker(case)]) if m.key == about]
    got = [(m.code, m.name, m.level, m.path) for m in found]
    expected = [
        (e["code"], e["check"], LEVELS[e["severity"]], e["path"].replace("/", ".") if "path" in e else path)
        for e, (*_, path) in zip(case["expected"], got, strict=True)
    ]
    assert got == expected
    assert all(m.line for m in found)


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is absent")
def test_which_policies_need_mutual_tls() -> None:
    case = json.loads((FOLDER / "needs_mtls.json").read_text())
    config = Collection.of(_objects(case["file"]))
    got = {o.name: any(identity_fields(o.spec)) for o in config.all(AuthorizationPolicy)}
    assert got == {e["policy"]: e["needs_mtls"] for e in case["expected"]}


@pytest.mark.parametrize("case", _visibility())
def test_visibility(case: dict[str, Any]) -> None:
    if any(case["namespaces"].values()):
        pytest.skip("namespaces in ambient mode: needs Kubernetes and ztunnels")
    around = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in case["namespaces"]
    ]
    objects = {file: _objects(file)[0] for file in case["objects"]}
    to = tuple(case["mesh_default_export_to"] or ())
    kinds = ("Service", "VirtualService", "DestinationRule")
    mesh = MeshConfig.model_validate({f"default{kind}ExportTo": to for kind in kinds})
    # The files of a case are looked at alone, so none of them makes a namespace known.
    context = Context(Collection.of(parse(yaml.safe_dump_all(around)).objects), mesh, validate)
    got = [file for file, o in objects.items() if _seen(context, o, case["viewing_namespace"])]
    assert got == case["expected_visible"]


def _seen(context: Context, o: ConfigObject[Any], namespace: str) -> bool:
    assert isinstance(o.spec, VirtualService | DestinationRule | ServiceEntry)
    exported: ConfigObject[Exported] = o
    return seen(context, exported, namespace)


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is absent")
def test_codes_and_severities_are_kialis() -> None:
    known = json.loads((FOLDER / "codes.json").read_text())
    got = {name: (check.code, check.level) for name, check in CHECKS.items()}
    assert got == {name: (known[name]["code"], LEVELS[known[name]["severity"]]) for name in CHECKS}
