"""DestinationRule (networking.istio.io): what applies to traffic after routing."""

from typing import Literal

from pydantic import Field

from proxy.api.base import Duration, Labels, Model, PortSelector

H2UpgradePolicy = Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]


class HTTPCookieAttribute(Model):
    """An attribute of a generated cookie."""

    name: str = ""
    value: str = ""


class HTTPCookie(Model):
    """A cookie to hash; with a ``ttl`` it is made when absent."""

    name: str = ""
    path: str = ""
    ttl: Duration | None = None
    attributes: tuple[HTTPCookieAttribute, ...] = ()


class RingHash(Model):
    """Ring hash parameters."""

    minimum_ring_size: int = 0


class MagLev(Model):
    """Maglev parameters."""

    table_size: int = 0


class ConsistentHashLB(Model):
    """What is hashed and by which algorithm."""

    http_header_name: str | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: str | None = None
    minimum_ring_size: int = 0
    ring_hash: RingHash | None = None
    maglev: MagLev | None = None


class Distribute(Model):
    """Shares of traffic from one locality to others."""

    from_: str = Field(default="", alias="from")
    to: dict[str, int] = Field(default_factory=dict)


class Failover(Model):
    """Where traffic of a region goes when it has no healthy endpoint."""

    from_: str = Field(default="", alias="from")
    to: str = ""


class LocalityLoadBalancerSetting(Model):
    """Load balancing by locality."""

    distribute: tuple[Distribute, ...] = ()
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    enabled: bool | None = None


class WarmupConfiguration(Model):
    """Slow start of new endpoints."""

    duration: Duration | None = None
    minimum_percent: float | None = None
    aggression: float | None = None


class LoadBalancerSettings(Model):
    """Load-balancing policy."""

    simple: (
        Literal["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"] | None
    ) = None
    consistent_hash: ConsistentHashLB | None = None
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    warmup_duration_secs: Duration | None = None
    warmup: WarmupConfiguration | None = None


class TcpKeepalive(Model):
    """Keep-alive probes of a socket."""

    probes: int = 0
    time: Duration | None = None
    interval: Duration | None = None


class TCPSettings(Model):
    """Connection pool of TCP and of everything above it."""

    max_connections: int = 0
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None
    idle_timeout: Duration | None = None


class Http2KeepAlive(Model):
    """Pings of an HTTP/2 connection."""

    interval: Duration | None = None
    timeout: Duration | None = None


class HTTPSettings(Model):
    """Connection pool of HTTP and gRPC."""

    http1_max_pending_requests: int = Field(default=0, alias="http1MaxPendingRequests")
    http2_max_requests: int = Field(default=0, alias="http2MaxRequests")
    max_requests_per_connection: int = 0
    max_retries: int = 0
    idle_timeout: Duration | None = None
    h2_upgrade_policy: H2UpgradePolicy = Field(default="DEFAULT", alias="h2UpgradePolicy")
    use_client_protocol: bool = False
    max_concurrent_streams: int = 0
    http2_keep_alive: Http2KeepAlive | None = Field(default=None, alias="http2KeepAlive")


class ConnectionPoolSettings(Model):
    """Limits of connections and requests."""

    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class OutlierDetection(Model):
    """When an endpoint is ejected."""

    consecutive_errors: int = 0
    split_external_local_origin_errors: bool = False
    consecutive_local_origin_failures: int | None = None
    consecutive_gateway_errors: int | None = None
    consecutive_5xx_errors: int | None = Field(default=None, alias="consecutive5xxErrors")
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: int = 0
    min_health_percent: int = 0


class ClientTLSSettings(Model):
    """TLS to the upstream."""

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] = "DISABLE"
    client_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    sni: str = ""
    insecure_skip_verify: bool | None = None
    ca_crl: str = ""


class PortTrafficPolicy(Model):
    """What replaces the policy for one port."""

    port: PortSelector | None = None
    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None


class TunnelSettings(Model):
    """Tunnel TCP in HTTP."""

    protocol: str = ""
    target_host: str = ""
    target_port: int = 0


class ProxyProtocol(Model):
    """PROXY protocol to the upstream."""

    version: Literal["V1", "V2"] = "V1"


class RetryBudget(Model):
    """Retries as a share of active requests."""

    percent: float | None = None
    min_retry_concurrency: int = 0


class TrafficPolicy(Model):
    """Policy for all ports that have none of their own."""

    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    tunnel: TunnelSettings | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


class Subset(Model):
    """Endpoints of a service that have these labels."""

    name: str = ""
    labels: Labels = Field(default_factory=dict)
    traffic_policy: TrafficPolicy | None = None


class RuleSelector(Model):
    """Client workloads that have all these labels; written ``matchLabels``, unlike in a Sidecar."""

    labels: Labels = Field(default_factory=dict, alias="matchLabels")


class DestinationRule(Model):
    """Spec of a DestinationRule."""

    host: str = ""
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[str, ...] = ()
    workload_selector: RuleSelector | None = None
