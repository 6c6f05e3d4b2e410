"""What translation knows about services and workloads, wherever they were declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from proxy.config.objects import EPOCH


class Protocol(StrEnum):
    """Of a port, as Istio names them; ``AUTO`` is found out by looking at the first bytes."""

    HTTP = "HTTP"
    HTTP2 = "HTTP2"
    GRPC = "GRPC"
    GRPC_WEB = "GRPC-Web"
    HTTPS = "HTTPS"
    TLS = "TLS"
    TCP = "TCP"
    MONGO = "Mongo"
    REDIS = "Redis"
    MYSQL = "MySQL"
    UDP = "UDP"
    AUTO = "UnsupportedProtocol"

    @property
    def http(self) -> bool:
        """Whether requests can be routed."""
        return self in (Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB)

    @property
    def http2(self) -> bool:
        """Whether it needs HTTP/2."""
        return self in (Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB)

    @property
    def tls(self) -> bool:
        """Whether it is TLS that passes through, routed by server name."""
        return self in (Protocol.HTTPS, Protocol.TLS)


class Resolution(StrEnum):
    """How the addresses of a service are found; values are Envoy's cluster types where there is one."""

    EDS = "EDS"
    STRICT_DNS = "STRICT_DNS"
    LOGICAL_DNS = "LOGICAL_DNS"
    PASSTHROUGH = "ORIGINAL_DST"
    DYNAMIC_DNS = "DYNAMIC_DNS"
    ALIAS = "ALIAS"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a service."""

    name: str
    number: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that serves one port of a service.

    Attributes:
        address: IP address, host name (DNS resolutions), or path of a socket (``port`` is 0 then).
        port: where the workload listens.
        service_port: name of the service's port.
        labels: of the workload.
        namespace, workload, service_account: of the workload.
        mesh: whether a proxy that takes Istio's mutual TLS stands before it (metadata ``tlsMode: istio``).
        locality: ``region/zone/subzone``.
        weight: share among endpoints; 0: one.
        network: empty for the mesh's own.
        healthy: whether it may get traffic.
    """

    address: str
    port: int
    service_port: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    workload: str = ""
    service_account: str = ""
    mesh: bool = False
    locality: str = ""
    weight: int = 0
    network: str = ""
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """A host that can be called.

    Attributes:
        hostname: fully qualified, maybe with a wildcard.
        namespace, name: of the object that declared it; ``name`` is what ``istio_*`` metrics call it.
        addresses: virtual IPs or CIDR blocks; empty: reached by name only (headless).
        external: outside the mesh: no mutual TLS unless said.
        export_to: namespaces that see it; ``*`` all, ``.`` its own; empty: the mesh's default.
        subject_alt_names: accepted of its servers, besides its endpoints' service accounts.
        alias_of: host name that an ``ALIAS`` stands for.
        auto_address: virtual IP of one that has none, for workloads that resolve names by the mesh.
    """

    hostname: str
    namespace: str
    name: str
    ports: tuple[ServicePort, ...]
    addresses: tuple[str, ...] = ()
    resolution: Resolution = Resolution.EDS
    external: bool = False
    export_to: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    selector: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
    alias_of: str = ""
    auto_address: str = ""
    created: datetime = EPOCH

    @property
    def identity(self) -> tuple[str, str, tuple[int, ...]]:
        """Host name, namespace and numbers of ports: no two services of one registry share it."""
        return self.hostname, self.namespace, tuple(port.number for port in self.ports)

    def port(self, number: int) -> ServicePort | None:
        """The port of this number."""
        return next((port for port in self.ports if port.number == number), None)
