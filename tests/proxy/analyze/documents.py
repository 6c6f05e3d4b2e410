"""Documents of the cases: each code has one configuration that earns it, and one like it that does not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from proxy.analyze.analyzers import Message, analyze
from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.kinds import KINDS
from proxy.config.parse import parse

_VERSIONS = {name: f"{group}/{kind.versions[0]}".lstrip("/") for (group, name), kind in KINDS.items()}
GATEWAY_POD = "kind: Pod\nmetadata: {name: edge-1, labels: {istio: edge}}"
MESH_POD = "kind: Pod\nmetadata: {name: reviews-1, labels: {app: reviews}}"


@dataclass(frozen=True, slots=True)
class Case:
    """Documents without ``apiVersion``, parted by ``---``.

    Attributes:
        found: code, object as ``Kind namespace/name``, field; in any order.
        mesh: MeshConfig as YAML.
    """

    name: str
    analyzer: str
    text: str
    found: tuple[tuple[str, str, str], ...] = ()
    mesh: str = "{}"


def versioned(text: str) -> str:
    """The documents with an ``apiVersion`` before each ``kind``."""
    return re.sub(
        r"^kind: (\w+)$", lambda m: f"apiVersion: {_VERSIONS[m[1]]}\n{m[0]}", text, flags=re.MULTILINE
    )


def analyzed(text: str, analyzers: Iterable[str] | None = None, mesh: str = "{}") -> list[Message]:
    """What analyzers say of documents without ``apiVersion``."""
    parsed = parse(versioned(text), "it.yaml")
    assert parsed.problems == ()
    return analyze(Collection.of(parsed.objects), MeshConfig.model_validate(yaml.safe_load(mesh)), analyzers)


def service(
    name: str = "reviews", more: str = "", ports: str = "{name: http, port: 80}", app: str = "app: reviews"
) -> str:
    return f"kind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{{app}}}, ports: [{ports}]{more}}}"


def route(spec: str, name: str = "it", namespace: str = "default") -> str:
    return f"kind: VirtualService\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}"


def rule(spec: str) -> str:
    return f"kind: DestinationRule\nmetadata: {{name: it}}\nspec: {spec}"


def gateway(server: str, name: str = "it", selector: str = "{istio: edge}") -> str:
    return (
        f"kind: Gateway\nmetadata: {{name: {name}}}\nspec: {{selector: {selector}, servers: [{{{server}}}]}}"
    )


def entry(spec: str, name: str = "it", namespace: str = "default") -> str:
    return f"kind: ServiceEntry\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}"


def scoped(kind: str, name: str, selector: str = "") -> str:
    return f"kind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{selector}}}"


def patch(patch: str, more: str = "") -> str:
    return f"kind: EnvoyFilter\nmetadata: {{name: it}}\nspec: {{configPatches: [{{{patch}}}]{more}}}"


def deployment(template: str = "{metadata: {labels: {app: reviews}}}") -> str:
    return f"kind: Deployment\nmetadata: {{name: it}}\nspec: {{template: {template}}}"


def join(*documents: str) -> str:
    return "\n---\n".join(documents)


TO = "route: [{destination: {host: reviews}}]"
HTTP = "port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]"
TLS = (
    "port: {{number: 443, name: tls, protocol: HTTPS}}, hosts: [{}], "
    "tls: {{mode: SIMPLE, credentialName: {}}}"
)
VS, DR, GW, SE = "VirtualService default/it", "DestinationRule default/it", "Gateway default/it", "default/it"
DEPLOYMENT, FILTER = "Deployment default/it", "EnvoyFilter default/it"
SIDECAR_A, SIDECAR_B = "Sidecar default/a", "Sidecar default/b"
APP = "workloadSelector: {labels: {app: reviews}}"
TELEMETRY_APP = "selector: {matchLabels: {app: reviews}}"
