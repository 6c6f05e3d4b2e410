"""What the graph asks the configuration; the mesh answers where there is one."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from query.topology.nodes import Peer
from query.topology.tolerances import NOTHING, Object

Badges = Callable[[str, str], Mapping[str, object]]
"""From namespace and name of a service to what applies to it."""


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """Hosts outside the mesh that configuration knows."""

    name: str
    namespace: str
    hosts: tuple[str, ...]
    location: str = "MESH_EXTERNAL"


class Configuration(Protocol):
    """Configuration as it was at a time (Unix seconds)."""

    def namespaces(self, at: int) -> Collection[str] | None:
        """Namespaces that may be looked into; None where that is not known."""

    def workloads(self, namespace: str, at: int) -> Collection[Peer] | None:
        """Workloads that are defined; None where that is not known."""

    def services(self, namespace: str, at: int) -> Collection[str] | None:
        """Names of the services that are defined; None where that is not known."""

    def waypoints(self, at: int) -> Collection[Peer]:
        """Workloads that are waypoints of an ambient mesh."""

    def service_entries(self, at: int) -> Collection[ServiceEntry]:
        """Service entries of the mesh."""

    def badges(self, at: int) -> Badges:
        """What applied to each service, by the names in Kiali's JSON: ``hasCB``, ``hasVS``, ..."""

    def health_annotations(self, at: int) -> Mapping[Object, str]:
        """Texts of the annotation of tolerances, by object."""


class NoConfiguration:
    """Where nothing is known but traffic; no node is judged idle, dead or inaccessible by it."""

    def namespaces(self, at: int) -> None:
        """Not known."""

    def workloads(self, namespace: str, at: int) -> None:
        """Not known."""

    def services(self, namespace: str, at: int) -> None:
        """Not known."""

    def waypoints(self, at: int) -> tuple[Peer, ...]:  # noqa: ARG002  as the protocol has it
        """None."""
        return ()

    def service_entries(self, at: int) -> tuple[ServiceEntry, ...]:  # noqa: ARG002  as the protocol has it
        """None."""
        return ()

    def badges(self, at: int) -> Badges:  # noqa: ARG002  as the protocol has it
        """None."""
        return lambda _namespace, _service: {}

    def health_annotations(self, at: int) -> Mapping[Object, str]:  # noqa: ARG002  as the protocol has it
        """None."""
        return NOTHING
