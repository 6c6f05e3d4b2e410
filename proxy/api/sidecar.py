"""Sidecar and ProxyConfig (networking.istio.io): what one workload's proxy sees and serves."""

from typing import Literal

from pydantic import Field

from proxy.api.base import CaptureMode, LabelSelector, Model, Port, WorkloadSelector
from proxy.api.destination_rule import ConnectionPoolSettings
from proxy.api.gateway import ServerTLSSettings
from proxy.api.virtual_service import Destination


class IstioIngressListener(Model):
    """A port of the workload."""

    port: Port | None = None
    bind: str = ""
    capture_mode: CaptureMode = "DEFAULT"
    default_endpoint: str = ""
    tls: ServerTLSSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None


class IstioEgressListener(Model):
    """A port that the workload calls out on, and the services (``namespace/host``) that it reaches."""

    port: Port | None = None
    bind: str = ""
    capture_mode: CaptureMode = "DEFAULT"
    hosts: tuple[str, ...] = ()


class OutboundTrafficPolicy(Model):
    """What happens to traffic to hosts that are not known."""

    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] = "REGISTRY_ONLY"
    egress_proxy: Destination | None = None


class Sidecar(Model):
    """Spec of a Sidecar."""

    workload_selector: WorkloadSelector | None = None
    ingress: tuple[IstioIngressListener, ...] = ()
    egress: tuple[IstioEgressListener, ...] = ()
    inbound_connection_pool: ConnectionPoolSettings | None = None
    outbound_traffic_policy: OutboundTrafficPolicy | None = None


class ProxyImage(Model):
    """Which image; nothing here reads it."""

    image_type: str = ""


class ProxyConfig(Model):
    """Spec of a ProxyConfig."""

    selector: LabelSelector | None = None
    concurrency: int | None = None
    environment_variables: dict[str, str] = Field(default_factory=dict)
    image: ProxyImage | None = None
