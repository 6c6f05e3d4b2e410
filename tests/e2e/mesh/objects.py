"""Istio's objects, short to write."""

from typing import Any

import yaml

SUBSETS = [{"name": v, "labels": {"version": v}} for v in ("v1", "v2", "v3")]


def _object(group: str, kind: str, name: str, spec: dict[str, Any], namespace: str = "default") -> str:
    metadata = {"name": name, "namespace": namespace}
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


def networking(kind: str, name: str, **spec: Any) -> str:
    return _object("networking", kind, name, spec)


def security(kind: str, name: str, **spec: Any) -> str:
    return _object("security", kind, name, spec)
