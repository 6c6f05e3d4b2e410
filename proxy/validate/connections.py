"""Connection pools and outlier detection."""

from proxy.api.destination_rule import ConnectionPoolSettings, HTTPSettings, OutlierDetection, TCPSettings
from proxy.validate import checks
from proxy.validate.spot import Spot


def connection_pool(at: Spot, pool: ConnectionPoolSettings | None) -> None:
    """Limits of connections and requests."""
    if pool is None:
        return
    if pool.http is None and pool.tcp is None:
        at.error("a connection pool needs tcp or http")
    if pool.tcp is not None:
        _tcp(at / "tcp", pool.tcp)
    if pool.http is not None:
        _http(at / "http", pool.http)


def _tcp(at: Spot, tcp: TCPSettings) -> None:
    checks.not_negative(at / "maxConnections", tcp.max_connections)
    checks.duration(at / "connectTimeout", tcp.connect_timeout)
    checks.duration(at / "maxConnectionDuration", tcp.max_connection_duration)
    checks.duration(at / "idleTimeout", tcp.idle_timeout, zero=True)
    if tcp.tcp_keepalive is not None:
        checks.not_negative(at / "tcpKeepalive" / "probes", tcp.tcp_keepalive.probes)
        checks.duration(at / "tcpKeepalive" / "time", tcp.tcp_keepalive.time)
        checks.duration(at / "tcpKeepalive" / "interval", tcp.tcp_keepalive.interval)


def _http(at: Spot, http: HTTPSettings) -> None:
    for name, value in (
        ("http1MaxPendingRequests", http.http1_max_pending_requests),
        ("http2MaxRequests", http.http2_max_requests),
        ("maxRequestsPerConnection", http.max_requests_per_connection),
        ("maxRetries", http.max_retries),
        ("maxConcurrentStreams", http.max_concurrent_streams),
    ):
        checks.not_negative(at / name, value)
    checks.duration(at / "idleTimeout", http.idle_timeout)
    if http.h2_upgrade_policy == "UPGRADE" and http.use_client_protocol:
        (at / "useClientProtocol").error("cannot be true with h2UpgradePolicy UPGRADE")
    if http.http2_keep_alive is not None:
        checks.duration(at / "http2KeepAlive" / "interval", http.http2_keep_alive.interval)
        checks.duration(at / "http2KeepAlive" / "timeout", http.http2_keep_alive.timeout)


def outlier_detection(at: Spot, outlier: OutlierDetection | None) -> None:
    """When endpoints are ejected."""
    if outlier is None:
        return
    if outlier.consecutive_errors:
        (at / "consecutiveErrors").warn(
            "is deprecated: write consecutive5xxErrors or consecutiveGatewayErrors"
        )
    for name, value in (
        ("consecutiveErrors", outlier.consecutive_errors),
        ("consecutive5xxErrors", outlier.consecutive_5xx_errors),
        ("consecutiveGatewayErrors", outlier.consecutive_gateway_errors),
        ("consecutiveLocalOriginFailures", outlier.consecutive_local_origin_failures),
    ):
        checks.not_negative(at / name, value)
    if outlier.consecutive_local_origin_failures and not outlier.split_external_local_origin_errors:
        (at / "consecutiveLocalOriginFailures").error("needs splitExternalLocalOriginErrors: true")
    checks.duration(at / "interval", outlier.interval)
    checks.duration(at / "baseEjectionTime", outlier.base_ejection_time)
    checks.percent(at / "maxEjectionPercent", outlier.max_ejection_percent)
    checks.percent(at / "minHealthPercent", outlier.min_health_percent)
