"""Workloads that registered themselves: every connected proxy stands for one.

Where there is no Kubernetes nobody else knows which workloads run and where. The proxy's node metadata says
it (Istio's names: ``LABELS``, ``SERVICE_ACCOUNT``, ``WORKLOAD_NAME``), and here it becomes a pod.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Origin
from proxy.config.parse import read
from proxy.registry.workloads import LOCALITY_LABEL, TLS_MODE_LABEL
from proxy.translate.world import ProxyType
from proxy.xds.node import Node
from vigla.clock import Clock
from vigla.prometheus.config import TargetGroup

_SCRAPE_PORT, _SCRAPE_PATH = "prometheus.io/port", "prometheus.io/path"

AWAY_S = 10.0
"""A workload stays this long after its proxy left: a proxy that restarts comes back before."""

RESTORED_S = 30.0
"""After a start, workloads known before stay this long for their proxies to come back."""


@dataclass(frozen=True, slots=True)
class _Entry:
    document: Mapping[str, Any]
    pod: ConfigObject[Model] | None
    streams: int
    gone_at: float | None


class Registrations:
    """The workloads, by instance. Thread-safe.

    Args:
        file: where they are kept over restarts.
        clock: source of time.
        changed: called after each change, on the thread that caused it.
    """

    def __init__(self, file: Path, clock: Clock, changed: Callable[[], None]) -> None:
        self._file = file
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        until = clock.monotonic() + RESTORED_S
        self._entries = {
            name: _Entry(document, _pod(document), 0, until) for name, document in _restored(file).items()
        }

    def objects(self) -> tuple[ConfigObject[Model], ...]:
        """The workloads as pods."""
        with self._lock:
            return tuple(entry.pod for _, entry in sorted(self._entries.items()) if entry.pod)

    def scrape_targets(self) -> tuple[TargetGroup, ...]:
        """Where connected proxies show their metrics, with labels of their workloads."""
        with self._lock:
            documents = [entry.document for _, entry in sorted(self._entries.items()) if entry.streams]
        return tuple(_target(document) for document in documents if _SCRAPE_PORT in _annotations(document))

    def joined(self, node: Node) -> None:
        """A proxy connected."""
        document = pod_of(node)
        with self._lock:
            known = self._entries.get(node.instance)
            streams = known.streams if known else 0
            same = known is not None and known.document == document
            pod = known.pod if known and same else _pod(document)
            self._entries[node.instance] = _Entry(document, pod, streams + 1, None)
        if not same:
            self._save()

    def left(self, node: Node) -> None:
        """A proxy's stream ended."""
        with self._lock:
            known = self._entries.get(node.instance)
            if known is not None:
                gone_at = self._clock.monotonic() + AWAY_S if known.streams == 1 else None
                self._entries[node.instance] = replace(known, streams=known.streams - 1, gone_at=gone_at)

    def sweep(self) -> None:
        """Forget workloads whose proxies stayed away."""
        now = self._clock.monotonic()
        with self._lock:
            gone = [n for n, entry in self._entries.items() if entry.gone_at and entry.gone_at <= now]
            for name in gone:
                del self._entries[name]
        if gone:
            self._save()

    def _save(self) -> None:
        with self._lock:
            documents = {name: entry.document for name, entry in self._entries.items()}
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(orjson.dumps(documents))
            fresh.replace(self._file)
        self._changed()


def _annotations(document: Mapping[str, Any]) -> Mapping[str, str]:
    return document["metadata"].get("annotations") or {}


def _target(document: Mapping[str, Any]) -> TargetGroup:
    metadata, annotations = document["metadata"], _annotations(document)
    own = {name: metadata["labels"].get(name, "") for name in ("app", "version")}
    return TargetGroup(
        targets=(f"{document['status']['podIP']}:{annotations[_SCRAPE_PORT]}",),
        labels={
            "__metrics_path__": annotations[_SCRAPE_PATH],
            "namespace": metadata["namespace"],
            "pod": metadata["name"],
            **{name: value for name, value in own.items() if value},
        },
    )


def pod_of(node: Node) -> dict[str, Any]:
    """The pod that a proxy stands for; a gateway's takes TLS as Gateways say, not the mesh's."""
    metadata = node.metadata
    own = {TLS_MODE_LABEL: "istio"} if node.type is ProxyType.SIDECAR else {}
    if node.locality:
        own[LOCALITY_LABEL] = node.locality.replace("/", ".")
    ports = [
        {"name": str(port.get("name", "")), "containerPort": int(port["port"])}
        for port in metadata.get("INBOUND") or ()
    ]
    ports += [
        {"name": str(port.get("name", "")), "containerPort": int(port["containerPort"])}
        for port in metadata.get("POD_PORTS") or ()
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": node.instance.rpartition(".")[0],
            "namespace": node.namespace,
            "labels": {**(metadata.get("LABELS") or {}), **own},
            "annotations": _scraped(str(metadata.get("STATUS", ""))),
        },
        "spec": {
            "serviceAccountName": node.service_account,
            "containers": [{"name": "app", "ports": ports}],
        },
        "status": {"podIP": node.ip, "phase": "Running"},
    }


def _scraped(status: str) -> dict[str, str]:
    """Annotations by which Prometheus' users say that a pod is scraped.

    Args:
        status: address of the agent's server; empty: not known.
    """
    port = status.rpartition(":")[2]
    return {_SCRAPE_PORT: port, _SCRAPE_PATH: "/stats/prometheus"} if port else {}


def _pod(document: Mapping[str, Any]) -> ConfigObject[Model] | None:
    """Its object; None for what an older version may have kept and this one does not take."""
    found = read(document, Origin())
    return found if isinstance(found, ConfigObject) else None


def _restored(file: Path) -> dict[str, dict[str, Any]]:
    try:
        content = orjson.loads(file.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}  # proxies come back and say who they are
    found = content.items() if isinstance(content, dict) else ()
    return {name: document for name, document in found if isinstance(document, dict)}
