"""Which Telemetry objects hold for a proxy, and how their parts combine."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from proxy.api.telemetry import ProviderRef, Telemetry
from proxy.translate.authorization import selects
from proxy.translate.world import Direction, Proxy, World

OWN = "vigla"
"""Name of the provider that is built in: spans and access logs to this mesh's collector."""


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """What is not in Istio's configuration.

    Attributes:
        als_cluster: Envoy cluster that takes access logs (ALS); empty: none are sent unless asked for.
        otlp_cluster: Envoy cluster that takes spans (OTLP over gRPC); empty likewise.
        sampling: per cent of requests traced, where no Telemetry and no MeshConfig says it.
        max_counters, max_histograms: series that one logger may make in a proxy.
        mesh_id: tag of spans.
    """

    als_cluster: str = "vigla-als"
    otlp_cluster: str = "vigla-otlp"
    sampling: float = 1.0
    max_counters: int = 20_000
    max_histograms: int = 5_000
    mesh_id: str = "cluster.local"


class _Match(Protocol):
    @property
    def mode(self) -> str: ...


def mode_of(direction: Direction) -> str:
    """What Telemetry calls a direction; gateways are clients."""
    return "SERVER" if direction is Direction.INBOUND else "CLIENT"


def matches(match: _Match | None, direction: Direction) -> bool:
    """Whether a part of a Telemetry concerns a direction."""
    return match is None or match.mode in ("CLIENT_AND_SERVER", mode_of(direction))


def names(providers: Iterable[ProviderRef]) -> tuple[str, ...]:
    """The names of providers."""
    return tuple(p.name for p in providers)


def telemetries(world: World, proxy: Proxy) -> tuple[Telemetry, ...]:
    """The specs that hold for a proxy, widest first: mesh, namespace, workload; the oldest of each."""
    found = [o for o in world.config.all(Telemetry) if not o.spec.target_ref and not o.spec.target_refs]
    root, own = world.mesh.root_namespace, proxy.namespace
    wide = [[o for o in found if o.namespace == ns and o.spec.selector is None] for ns in (root, own)]
    if root == own:
        wide = wide[:1]
    narrow = [
        o
        for o in found
        if o.namespace == own and o.spec.selector is not None and selects(o.spec.selector, proxy.labels)
    ]
    return tuple(level[0].spec for level in (*wide, narrow) if level)
