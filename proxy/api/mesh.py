"""MeshConfig: settings of the whole mesh. Fields that concern Kubernetes or other clusters are ignored."""

from typing import Any, Literal

from pydantic import Field

from proxy.api.base import Duration, Lenient
from proxy.api.destination_rule import (
    ConnectionPoolSettings,
    LocalityLoadBalancerSetting,
    OutlierDetection,
    TcpKeepalive,
)
from proxy.api.telemetry import CustomTag
from proxy.api.virtual_service import HTTPRetry


class ServiceProvider(Lenient):
    """Where a provider is reached: ``[namespace/]host`` and its port."""

    service: str = ""
    port: int = 0
    timeout: Duration | None = None


class RequestBody(Lenient):
    """How much of a request body the authorizer sees."""

    max_request_bytes: int = 0
    allow_partial_message: bool = False
    pack_as_bytes: bool = False


class ExtAuthzHttp(ServiceProvider):
    """External authorizer over HTTP."""

    path_prefix: str = ""
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: str = ""
    include_request_headers_in_check: tuple[str, ...] = ()
    include_headers_in_check: tuple[str, ...] = ()
    include_additional_headers_in_check: dict[str, str] = Field(default_factory=dict)
    include_request_body_in_check: RequestBody | None = None
    headers_to_upstream_on_allow: tuple[str, ...] = ()
    headers_to_downstream_on_allow: tuple[str, ...] = ()
    headers_to_downstream_on_deny: tuple[str, ...] = ()


class ExtAuthzGrpc(ServiceProvider):
    """External authorizer over gRPC."""

    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: str = ""
    include_request_body_in_check: RequestBody | None = None


class OpenTelemetryTracing(ServiceProvider):
    """Spans over OTLP."""

    max_tag_length: int = 0
    http: dict[str, Any] | None = None


class ZipkinTracing(ServiceProvider):
    """Spans as Zipkin."""

    max_tag_length: int = 0
    enable_64bit_trace_id: bool = Field(default=False, alias="enable64bitTraceId")
    path: str = ""


class LogFormat(Lenient):
    """Text with command operators, or labels with them."""

    text: str = ""
    labels: dict[str, Any] | None = None


class EnvoyFileAccessLog(Lenient):
    """Access log to a file."""

    path: str = ""
    log_format: LogFormat | None = None


class EnvoyGrpcAccessLog(ServiceProvider):
    """Access log over ALS."""

    log_name: str = ""
    filter_state_objects_to_log: tuple[str, ...] = ()
    additional_request_headers_to_log: tuple[str, ...] = ()
    additional_response_headers_to_log: tuple[str, ...] = ()
    additional_response_trailers_to_log: tuple[str, ...] = ()


class EnvoyOtelAls(ServiceProvider):
    """Access log over OTLP."""

    log_name: str = ""
    log_format: LogFormat | None = None


class ExtensionProvider(Lenient):
    """One of the providers, by name. Unknown ones keep their name only."""

    name: str = ""
    envoy_ext_authz_http: ExtAuthzHttp | None = None
    envoy_ext_authz_grpc: ExtAuthzGrpc | None = None
    opentelemetry: OpenTelemetryTracing | None = None
    zipkin: ZipkinTracing | None = None
    envoy_file_access_log: EnvoyFileAccessLog | None = None
    envoy_http_als: EnvoyGrpcAccessLog | None = None
    envoy_tcp_als: EnvoyGrpcAccessLog | None = None
    envoy_otel_als: EnvoyOtelAls | None = None
    prometheus: dict[str, Any] | None = None
    lightstep: dict[str, Any] | None = None


class DefaultProviders(Lenient):
    """Providers that apply where no Telemetry names one."""

    tracing: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    access_logging: tuple[str, ...] = ()


class Tracing(Lenient):
    """Of all proxies."""

    sampling: float | None = None
    custom_tags: dict[str, CustomTag] = Field(default_factory=dict)
    max_path_tag_length: int = 0


class ProxyConfig(Lenient):
    """Defaults of all proxies."""

    concurrency: int | None = None
    drain_duration: Duration | None = None
    termination_drain_duration: Duration | None = None
    status_port: int = 15020
    tracing: Tracing | None = None
    private_key_provider: dict[str, Any] | None = None
    hold_application_until_proxy_starts: bool | None = None
    gateway_topology: dict[str, Any] | None = None
    proxy_metadata: dict[str, str] = Field(default_factory=dict)


class OutboundTrafficPolicy(Lenient):
    """What happens to traffic to hosts that are not known."""

    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY", "ALLOW_ANY_DYNAMIC_DNS"] = "ALLOW_ANY"


class InboundTrafficPolicy(Lenient):
    """What happens to traffic to ports that are not known."""

    mode: Literal["PASSTHROUGH", "LOCALHOST"] = "PASSTHROUGH"


class TLSConfig(Lenient):
    """Bounds of mesh TLS."""

    min_protocol_version: Literal["TLS_AUTO", "TLSV1_2", "TLSV1_3"] = "TLS_AUTO"
    ecdh_curves: tuple[str, ...] = ()
    cipher_suites: tuple[str, ...] = ()


class PathNormalization(Lenient):
    """How request paths are normalised."""

    normalization: Literal["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] = "DEFAULT"


class DefaultTrafficPolicy(Lenient):
    """What a DestinationRule does not say."""

    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None


class MeshConfig(Lenient):
    """Settings of the mesh (istio.mesh.v1alpha1.MeshConfig), with Istio's defaults."""

    proxy_listen_port: int = 15001
    proxy_inbound_listen_port: int = 15006
    proxy_http_port: int = 0
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    protocol_detection_timeout: Duration | None = None
    access_log_file: str = ""
    access_log_format: str = ""
    access_log_encoding: Literal["TEXT", "JSON"] = "TEXT"
    enable_tracing: bool = True
    enable_prometheus_merge: bool = True
    default_config: ProxyConfig = ProxyConfig()
    outbound_traffic_policy: OutboundTrafficPolicy = OutboundTrafficPolicy()
    inbound_traffic_policy: InboundTrafficPolicy = InboundTrafficPolicy()
    enable_auto_mtls: bool = True
    trust_domain: str = "cluster.local"
    trust_domain_aliases: tuple[str, ...] = ()
    default_service_export_to: tuple[str, ...] = ()
    default_virtual_service_export_to: tuple[str, ...] = ()
    default_destination_rule_export_to: tuple[str, ...] = ()
    root_namespace: str = "istio-system"
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    h2_upgrade_policy: Literal["DO_NOT_UPGRADE", "UPGRADE"] = Field(
        default="DO_NOT_UPGRADE", alias="h2UpgradePolicy"
    )
    default_http_retry_policy: HTTPRetry | None = None
    mesh_mtls: TLSConfig | None = Field(default=None, alias="meshMTLS")
    path_normalization: PathNormalization = PathNormalization()
    extension_providers: tuple[ExtensionProvider, ...] = ()
    default_providers: DefaultProviders | None = None
    default_traffic_policy: DefaultTrafficPolicy | None = None
    ingress_controller_mode: Literal["UNSPECIFIED", "OFF", "DEFAULT", "STRICT"] = "UNSPECIFIED"
    ingress_service: str = "istio-ingressgateway"
    ingress_selector: str = "ingressgateway"
    service_settings: tuple[dict[str, Any], ...] = ()
    discovery_selectors: tuple[dict[str, Any], ...] = ()
