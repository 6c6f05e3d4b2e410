"""ServiceEntry, WorkloadEntry, WorkloadGroup (networking.istio.io): services and workloads of any kind."""

from typing import Literal

from pydantic import Field

from proxy.api.base import Labels, Model, Port, WorkloadSelector

Location = Literal["MESH_EXTERNAL", "MESH_INTERNAL"]
Resolution = Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]


class WorkloadEntry(Model):
    """One workload: spec of a WorkloadEntry, and an endpoint of a ServiceEntry."""

    address: str = ""
    ports: dict[str, int] = Field(default_factory=dict)
    labels: Labels = Field(default_factory=dict)
    network: str = ""
    locality: str = ""
    weight: int = 0
    service_account: str = ""


class ServiceEntry(Model):
    """Spec of a ServiceEntry."""

    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    location: Location = "MESH_EXTERNAL"
    resolution: Resolution = "NONE"
    endpoints: tuple[WorkloadEntry, ...] = ()
    workload_selector: WorkloadSelector | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()


class ObjectMeta(Model):
    """Labels and annotations of the entries that a group makes."""

    labels: Labels = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class HTTPHeader(Model):
    """A header of a probe."""

    name: str = ""
    value: str = ""


class HTTPHealthCheckConfig(Model):
    """Probe by HTTP GET."""

    path: str = ""
    port: int = 0
    host: str = ""
    scheme: str = ""
    http_headers: tuple[HTTPHeader, ...] = ()


class TCPHealthCheckConfig(Model):
    """Probe by connecting."""

    host: str = ""
    port: int = 0


class ExecHealthCheckConfig(Model):
    """Probe by a command."""

    command: tuple[str, ...] = ()


class GrpcHealthCheckConfig(Model):
    """Probe by gRPC's health service."""

    port: int = 0
    service: str = ""


class ReadinessProbe(Model):
    """When a workload is ready."""

    initial_delay_seconds: int = 0
    timeout_seconds: int = 0
    period_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    http_get: HTTPHealthCheckConfig | None = None
    tcp_socket: TCPHealthCheckConfig | None = None
    exec: ExecHealthCheckConfig | None = None
    grpc: GrpcHealthCheckConfig | None = None


class WorkloadGroup(Model):
    """Spec of a WorkloadGroup: the template of the workloads that its proxies register."""

    metadata: ObjectMeta | None = None
    template: WorkloadEntry | None = None
    probe: ReadinessProbe | None = None
