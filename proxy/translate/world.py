"""What translation reads: the mesh at one moment, and the proxy that it translates for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.registry.model import Endpoint, Protocol, Service

Labels = Mapping[str, str]


class ProxyType(StrEnum):
    """First part of a node id."""

    SIDECAR = "sidecar"
    GATEWAY = "router"


class Direction(StrEnum):
    """Of traffic, seen from the workload; ``GATEWAY`` is traffic through the edge."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"
    GATEWAY = "GATEWAY"


class Interception(StrEnum):
    """How traffic gets into a sidecar (node metadata ``INTERCEPTION_MODE``)."""

    REDIRECT = "REDIRECT"
    TPROXY = "TPROXY"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class InboundBind:
    """A port of the workload that the sidecar serves for it where nothing intercepts (mode NONE).

    Attributes:
        port: where callers connect; endpoints name this port.
        bind: address that the sidecar listens on.
        app_port: where the application listens on 127.0.0.1.
        protocol: of the port; ``AUTO``: that of the service that has this endpoint, if there is one.
    """

    port: int
    bind: str
    app_port: int
    protocol: Protocol = Protocol.AUTO


@dataclass(frozen=True, slots=True)
class Proxy:
    """One Envoy.

    Attributes:
        id: unique, ``<workload instance>.<namespace>``.
        addresses: of the workload; the first one is its own.
        labels: of the workload.
        workload: name of the Deployment or WorkloadGroup.
        service_account: gives its identity.
        dns_domain: ``<namespace>.svc.<domain>``; short host names are completed by it.
        http_proxy_port: where the sidecar serves as an HTTP proxy, in interception mode NONE; 0: nowhere.
        bind: address that listeners for the application's calls bind to in mode NONE.
        inbound: ports that it serves for the workload in mode NONE.
        dns_capture: the workload resolves names by the mesh: services without an address get one.
        sds_cluster: cluster of its bootstrap that serves secrets; empty: they come with the other resources.
    """

    id: str
    type: ProxyType
    namespace: str
    addresses: tuple[str, ...]
    labels: Labels = field(default_factory=dict)
    workload: str = ""
    service_account: str = "default"
    dns_domain: str = "default.svc.cluster.local"
    locality: str = ""
    network: str = ""
    cluster: str = "Kubernetes"
    interception: Interception = Interception.REDIRECT
    http_proxy_port: int = 0
    bind: str = "127.0.0.1"
    inbound: tuple[InboundBind, ...] = ()
    dns_capture: bool = False
    sds_cluster: str = ""

    @property
    def domain(self) -> str:
        """Suffix of service names: ``cluster.local``; empty where there is none."""
        return self.dns_domain.partition(".svc.")[2]


@dataclass(frozen=True, slots=True)
class Instance:
    """A port of a service that the proxy's own workload serves."""

    service: Service
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class World:
    """The mesh at one moment.

    Attributes:
        config: all objects.
        services: of the registry, in Istio's order: oldest first, then by host name.
        mesh: its settings.
    """

    config: Collection
    services: tuple[Service, ...]
    mesh: MeshConfig = field(default_factory=MeshConfig)

    def instances(self, proxy: Proxy) -> tuple[Instance, ...]:
        """The service ports that this proxy's workload serves, found by its addresses."""
        return tuple(
            Instance(service, endpoint)
            for service in self.services
            for endpoint in service.endpoints
            if endpoint.address in proxy.addresses
        )
