"""Istio's analysis cases; they lie beside the repository."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.analyze.analyzers import ANALYZERS, analyze
from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.kinds import KINDS
from proxy.config.parse import DEFAULT_NAMESPACE, parse

FOLDER = Path(__file__).parents[3] / "shared" / "conformance" / "istio-analyze"


def _cases() -> list[Any]:
    if not FOLDER.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{FOLDER} is absent"))]
    read = json.loads((FOLDER / "cases.json").read_text())
    return [pytest.param(c, id=c["name"]) for c in (read if isinstance(read, list) else read["cases"])]


def _namespace(kind: str) -> str:
    """Of objects that name none."""
    return DEFAULT_NAMESPACE if all(k.namespaced for k in KINDS.values() if k.name == kind) else ""


# Some of the certificates have the serial number 0.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("case", _cases())
def test_case(case: dict[str, Any]) -> None:
    why = case.get("needs_kubernetes_why") or ""
    cluster = case["needs_kubernetes"] and not case.get("only_pods_needed")
    # Kubernetes' own Gateways are not read; analyzers that are missing are about the cluster, not the mesh.
    if cluster and (case["analyzer"] not in ANALYZERS or "gateway-api" in why):
        pytest.skip(why)
    mesh = MeshConfig()
    if case.get("mesh_config"):
        mesh = MeshConfig.model_validate(yaml.safe_load((FOLDER / case["mesh_config"]).read_text()))
    files = list(case["inputs"])
    if mesh.ingress_controller_mode != "OFF":
        files.append("default-resources.yaml")
    objects = [o for f in files for o in parse((FOLDER / f).read_text(), f).objects]
    found = analyze(Collection.of(objects), mesh, [case["analyzer"]])
    got = Counter((m.code, m.level, m.key.kind, m.key.namespace, m.key.name) for m in found)
    expected = Counter(
        (e["code"], e["level"], e["kind"], e["namespace"] or _namespace(e["kind"]), e["name"])
        for e in case["expected"]
    )
    assert got == expected
