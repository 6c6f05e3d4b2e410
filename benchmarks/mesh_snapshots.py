"""Making one sidecar's snapshot of a large mesh: nothing known before, and after each change.

A change is another timeout of one VirtualService. Pushing the snapshot and Envoy's own work are not in these
times; ``benchmarks.mesh_push`` has them.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from benchmarks.process import resident_bytes
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.pilot.registrations import Registrations
from proxy.pilot.snapshots import Snapshots
from proxy.translate.telemetry_plugins import MeshPlugins
from proxy.xds.node import parse_node
from proxy.xds.resources import Snapshot
from vigla import heap
from vigla.clock import SystemClock

NODE = parse_node("sidecar~127.20.0.1~web-0.default~default.svc.cluster.local")

SERVICE = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: s{n}}}
spec:
  hosts: [s{n}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{name: http, number: 8000, protocol: HTTP}}]
  endpoints:
  - {{address: 10.{a}.{b}.1, labels: {{version: v1}}}}
  - {{address: 10.{a}.{b}.2, labels: {{version: v2}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: s{n}}}
spec:
  hosts: [s{n}.default.svc.cluster.local]
  http:
  - match: [{{headers: {{end-user: {{exact: jason}}}}}}]
    route: [{{destination: {{host: s{n}.default.svc.cluster.local}}}}]
  - timeout: {timeout}s
    route: [{{destination: {{host: s{n}.default.svc.cluster.local}}}}]
---
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of the first snapshot and of each later one; its size and the memory it took, bytes."""

    first_s: float
    changes_s: list[float]
    size: int
    memory: int


def text(number: int, timeout: int = 5) -> str:
    """One service and its VirtualService."""
    return SERVICE.format(n=number, a=number // 250, b=number % 250, timeout=timeout)


def measure(services: int, changes: int, folder: Path) -> Measured:
    """Build once, then after each change."""
    heap.settle()  # as ``vigla serve`` does before it serves
    objects = {o.key: o for o in parse("".join(text(n) for n in range(services))).objects}
    before = resident_bytes(os.getpid())
    current = [Collection.of(objects.values())]
    registrations = Registrations(folder / "workloads.json", SystemClock(), lambda: None)
    snapshots = Snapshots(lambda: current[0], registrations, lambda _: MeshPlugins(), "cluster.local")
    snapshot, first_s = _timed(snapshots, None)
    memory = resident_bytes(os.getpid()) - before
    size = sum(len(r.body) for found in snapshot.resources.values() for r in found.values())
    later = []
    for number in track(range(changes), "changes"):
        objects |= {o.key: o for o in parse(text(number, 6 + number)).objects}
        current[0] = Collection.of(objects.values())
        snapshots.changed()
        snapshot, seconds = _timed(snapshots, snapshot)
        later.append(seconds)
    return Measured(first_s, later, size, memory)


def _timed(snapshots: Snapshots, previous: Snapshot | None) -> tuple[Snapshot, float]:
    began = time.perf_counter()
    snapshot = snapshots.snapshot(NODE, previous)
    return snapshot, time.perf_counter() - began
