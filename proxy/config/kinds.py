"""Which kinds of objects there are."""

from dataclasses import dataclass

from proxy.api.base import Model
from proxy.api.destination_rule import DestinationRule
from proxy.api.extension import EnvoyFilter, WasmPlugin
from proxy.api.gateway import Gateway
from proxy.api.kubernetes import (
    ConfigMap,
    Deployment,
    Empty,
    EndpointSlice,
    Ingress,
    PodSpec,
    Secret,
    Service,
)
from proxy.api.security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from proxy.api.service_entry import ServiceEntry, WorkloadEntry, WorkloadGroup
from proxy.api.sidecar import ProxyConfig, Sidecar
from proxy.api.telemetry import Telemetry
from proxy.api.virtual_service import VirtualService


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        name: as in ``kind``.
        group: of ``apiVersion``; empty for Kubernetes' core.
        versions: of ``apiVersion``, newest first.
        spec: the type of the content.
        inline: the content stands beside ``metadata``, not below ``spec``.
        namespaced: it lives in a namespace.
    """

    name: str
    group: str
    versions: tuple[str, ...]
    spec: type[Model]
    inline: bool = False
    namespaced: bool = True


_NETWORKING = ("v1", "v1beta1", "v1alpha3")
_SECURITY = ("v1", "v1beta1")

ISTIO = (
    Kind("VirtualService", "networking.istio.io", _NETWORKING, VirtualService),
    Kind("DestinationRule", "networking.istio.io", _NETWORKING, DestinationRule),
    Kind("Gateway", "networking.istio.io", _NETWORKING, Gateway),
    Kind("ServiceEntry", "networking.istio.io", _NETWORKING, ServiceEntry),
    Kind("WorkloadEntry", "networking.istio.io", _NETWORKING, WorkloadEntry),
    Kind("WorkloadGroup", "networking.istio.io", _NETWORKING, WorkloadGroup),
    Kind("Sidecar", "networking.istio.io", _NETWORKING, Sidecar),
    Kind("ProxyConfig", "networking.istio.io", ("v1beta1",), ProxyConfig),
    Kind("EnvoyFilter", "networking.istio.io", ("v1alpha3",), EnvoyFilter),
    Kind("PeerAuthentication", "security.istio.io", _SECURITY, PeerAuthentication),
    Kind("RequestAuthentication", "security.istio.io", _SECURITY, RequestAuthentication),
    Kind("AuthorizationPolicy", "security.istio.io", _SECURITY, AuthorizationPolicy),
    Kind("Telemetry", "telemetry.istio.io", ("v1", "v1alpha1"), Telemetry),
    Kind("WasmPlugin", "extensions.istio.io", ("v1alpha1",), WasmPlugin),
)
KUBERNETES = (
    Kind("Service", "", ("v1",), Service),
    Kind("Pod", "", ("v1",), PodSpec),
    Kind("Deployment", "apps", ("v1",), Deployment),
    Kind("EndpointSlice", "discovery.k8s.io", ("v1",), EndpointSlice, inline=True),
    Kind("Ingress", "networking.k8s.io", ("v1",), Ingress),
    Kind("Secret", "", ("v1",), Secret, inline=True),
    Kind("ConfigMap", "", ("v1",), ConfigMap, inline=True),
    Kind("ServiceAccount", "", ("v1",), Empty, inline=True),
    Kind("Namespace", "", ("v1",), Empty, inline=True, namespaced=False),
)
KINDS = {(kind.group, kind.name): kind for kind in (*ISTIO, *KUBERNETES)}
