"""Istio's objects, short to write."""

import base64
from typing import Any

import yaml

SUBSETS = [{"name": v, "labels": {"version": v}} for v in ("v1", "v2", "v3")]


def _object(  # noqa: PLR0913, PLR0917  parts of every object
    group: str,
    kind: str,
    name: str,
    spec: dict[str, Any],
    namespace: str = "default",
    annotations: dict[str, str] | None = None,
) -> str:
    metadata = {"name": name, "namespace": namespace, "annotations": annotations or {}}
    return yaml.safe_dump(
        {"apiVersion": f"{group}.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
    )


def virtual_service(*http: dict[str, Any], host: str = "echo", **spec: Any) -> str:
    content = {"hosts": [host], **({"http": list(http)} if http else {}), **spec}
    return _object("networking", "VirtualService", f"test-{host.split('.', maxsplit=1)[0]}", content)


def destination_rule(host: str = "echo", **policy: Any) -> str:
    spec: dict[str, Any] = {"host": host, "subsets": SUBSETS}
    if policy:
        spec["trafficPolicy"] = policy
    return _object("networking", "DestinationRule", f"test-{host}", spec)


def to(subset: str = "", weight: int = 0, host: str = "echo") -> dict[str, Any]:
    destination: dict[str, Any] = {"host": host, **({"subset": subset} if subset else {})}
    return {"destination": destination, **({"weight": weight} if weight else {})}


def networking(kind: str, name: str, namespace: str = "default", **spec: Any) -> str:
    return _object("networking", kind, name, spec, namespace)


def security(
    kind: str, name: str, namespace: str = "default", annotations: dict[str, str] | None = None, **spec: Any
) -> str:
    return _object("security", kind, name, spec, namespace, annotations)


def telemetry(name: str, **spec: Any) -> str:
    return _object("telemetry", "Telemetry", name, spec)


def mesh_config(**settings: Any) -> str:
    metadata = {"name": "istio", "namespace": "istio-system"}
    data = {"mesh": yaml.safe_dump(settings)}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def secret(name: str, namespace: str = "istio-system", **files: bytes) -> str:
    """A Secret; ``tls_crt`` stands for ``tls.crt``."""
    data = {key.replace("_", "."): base64.b64encode(content).decode() for key, content in files.items()}
    metadata = {"name": name, "namespace": namespace}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def gateway(name: str, port: int, protocol: str = "HTTP", at: str = "ingress", **server: Any) -> str:
    """A Gateway with one server, for all hosts unless told otherwise."""
    number = {"number": port, "name": f"{protocol.lower()}-{port}", "protocol": protocol}
    servers = [{"port": number, "hosts": ["*"], **server}]
    return networking("Gateway", name, selector={"istio": f"{at}gateway"}, servers=servers)


def entry(host: str, port: int, protocol: str = "HTTP", target: int = 0, **spec: Any) -> str:
    """A ServiceEntry of an external host with one port, which leads to ``target``."""
    ports = [{"name": protocol.lower(), "number": port, "protocol": protocol, "targetPort": target or port}]
    made = {"hosts": [host], "location": "MESH_EXTERNAL", "ports": ports, **spec}
    return networking("ServiceEntry", host.replace(".", "-"), **made)
