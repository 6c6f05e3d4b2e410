"""Whether a workload's port takes mutual TLS, plain text or both."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from proxy.api.security import MtlsMode, PeerAuthentication
from proxy.config.objects import ConfigObject
from proxy.registry.workloads import selects
from proxy.translate.world import World


class Mtls(StrEnum):
    """Effective mode of a port."""

    DISABLE = "DISABLE"
    PERMISSIVE = "PERMISSIVE"
    STRICT = "STRICT"


def mtls_mode(world: World, namespace: str, labels: Mapping[str, str], port: int) -> Mtls:
    """The mode of a workload's port: port before workload before namespace before mesh.

    Args:
        world: the mesh.
        namespace: of the workload.
        labels: of the workload.
        port: where the workload listens.
    """
    for mode in _said(_chain(world, namespace, labels), port):
        if mode != "UNSET":
            return Mtls(mode)
    return Mtls.PERMISSIVE


def port_exceptions(world: World, namespace: str, labels: Mapping[str, str]) -> tuple[int, ...]:
    """Ports of a workload that have a mode of their own."""
    return tuple(
        sorted(
            {p for o in _chain(world, namespace, labels) if o.spec.selector for p in o.spec.port_level_mtls}
        )
    )


def _said(chain: Sequence[ConfigObject[PeerAuthentication]], port: int) -> Iterator[MtlsMode]:
    workload = [o for o in chain if o.spec.selector and o.spec.selector.match_labels]
    for found in workload:
        if port in found.spec.port_level_mtls:
            yield found.spec.port_level_mtls[port].mode
    for found in chain:
        if found.spec.mtls is not None:
            yield found.spec.mtls.mode


def _chain(world: World, namespace: str, labels: Mapping[str, str]) -> list[ConfigObject[PeerAuthentication]]:
    """Policies of the workload, then its namespace's, then the mesh's; of each scope the oldest one."""
    every = world.config.all(PeerAuthentication)
    own = [o for o in every if o.namespace == namespace]
    workload = [o for o in own if _labels(o) and selects(_labels(o), labels)]
    general = [o for o in own if not _labels(o)]
    root = [o for o in every if o.namespace == world.mesh.root_namespace and not _labels(o)]
    return [*workload[:1], *general[:1], *root[:1]]


def _labels(policy: ConfigObject[PeerAuthentication]) -> Mapping[str, str]:
    return policy.spec.selector.match_labels if policy.spec.selector else {}
