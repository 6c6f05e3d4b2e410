"""The few Kubernetes objects that describe services, workloads and certificates; other fields are ignored."""

from typing import Any

from pydantic import Field

from proxy.api.base import Labels, Lenient


class ServicePort(Lenient):
    """A port of a Service; ``target_port`` is a number or a container port's name."""

    name: str = ""
    protocol: str = "TCP"
    app_protocol: str = ""
    port: int = 0
    target_port: int | str | None = None
    node_port: int = 0


class Service(Lenient):
    """Spec of a Service."""

    selector: Labels = Field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()
    cluster_ip: str = Field(default="", alias="clusterIP")
    cluster_ips: tuple[str, ...] = Field(default=(), alias="clusterIPs")
    external_ips: tuple[str, ...] = Field(default=(), alias="externalIPs")
    external_name: str = ""
    type: str = "ClusterIP"


class ContainerPort(Lenient):
    """A port of a container."""

    name: str = ""
    container_port: int = 0
    protocol: str = "TCP"


class Container(Lenient):
    """A container of a pod."""

    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[dict[str, Any], ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    security_context: dict[str, Any] = Field(default_factory=dict)


class PodSpec(Lenient):
    """Spec of a Pod."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    service_account_name: str = ""
    host_network: bool = False
    security_context: dict[str, Any] = Field(default_factory=dict)


class PodStatus(Lenient):
    """Where a pod runs."""

    pod_ip: str = Field(default="", alias="podIP")
    phase: str = ""


class PodMeta(Lenient):
    """Metadata of a Deployment's pods."""

    labels: Labels = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class PodTemplate(Lenient):
    """The pods of a Deployment."""

    metadata: PodMeta = PodMeta()
    spec: PodSpec = PodSpec()


class DeploymentSelector(Lenient):
    """Which pods are a Deployment's."""

    match_labels: Labels = Field(default_factory=dict)


class Deployment(Lenient):
    """Spec of a Deployment."""

    replicas: int = 1
    selector: DeploymentSelector = DeploymentSelector()
    template: PodTemplate = PodTemplate()


class Secret(Lenient):
    """A Secret: ``data`` in base64, ``string_data`` plain. Both stand beside the metadata, not in a spec."""

    type: str = "Opaque"
    data: dict[str, str] = Field(default_factory=dict)
    string_data: dict[str, str] = Field(default_factory=dict)


class ConfigMap(Lenient):
    """A ConfigMap."""

    data: dict[str, str] = Field(default_factory=dict)


class EndpointAddress(Lenient):
    """An address of an Endpoints object."""

    ip: str = ""


class Endpoint(Lenient):
    """An endpoint of a slice."""

    addresses: tuple[str, ...] = ()


class EndpointPort(Lenient):
    """A port of a slice."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"


class EndpointSlice(Lenient):
    """Where a service's pods are, as the cluster found it."""

    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Empty(Lenient):
    """A Namespace, a ServiceAccount: only their metadata counts."""


class IngressPort(Lenient):
    """A port of a Service by number or by name."""

    name: str = ""
    number: int = 0


class IngressService(Lenient):
    """A Service in the namespace of the Ingress."""

    name: str = ""
    port: IngressPort = IngressPort()


class IngressBackend(Lenient):
    """Where requests go."""

    service: IngressService | None = None


class IngressPath(Lenient):
    """Requests by path."""

    path: str = ""
    path_type: str = "ImplementationSpecific"
    backend: IngressBackend = IngressBackend()


class IngressPaths(Lenient):
    """Rules of one host."""

    paths: tuple[IngressPath, ...] = ()


class IngressRule(Lenient):
    """A host and its paths; without a host: all hosts."""

    host: str = ""
    http: IngressPaths | None = None


class IngressTls(Lenient):
    """The certificate of some hosts."""

    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class Ingress(Lenient):
    """Spec of an Ingress (networking.k8s.io)."""

    ingress_class_name: str = ""
    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] = ()
    tls: tuple[IngressTls, ...] = ()
