"""The fields of a cluster that a traffic policy sets: load balancing, pools, outliers, protocol options."""

from datetime import timedelta
from typing import Any

from proxy.api.destination_rule import (
    ConsistentHashLB,
    LoadBalancerSettings,
    LocalityLoadBalancerSetting,
    OutlierDetection,
    RetryBudget,
)
from proxy.envoy.messages import typed
from proxy.registry.model import Protocol, Service
from proxy.translate.cluster_tls import names_from_host
from proxy.translate.destination_rules import Policy
from proxy.translate.names import seconds
from proxy.translate.world import World

Json = dict[str, Any]

UNLIMITED = 2**32 - 1
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_MIN_RING = 1024
_SIMPLE = {
    "ROUND_ROBIN": "ROUND_ROBIN",
    "RANDOM": "RANDOM",
    "LEAST_CONN": "LEAST_REQUEST",
    "LEAST_REQUEST": "LEAST_REQUEST",
}


def locality_setting(world: World, policy: Policy) -> LocalityLoadBalancerSetting | None:
    """The locality settings that apply; None: endpoints of all localities are equal."""
    own = policy.load_balancer.locality_lb_setting if policy.load_balancer else None
    setting = own or world.mesh.locality_lb_setting or LocalityLoadBalancerSetting()
    return None if setting.enabled is False else setting


def load_balancing(world: World, policy: Policy) -> Json:
    """``lb_policy`` and what belongs to it, of a cluster whose endpoints are known."""
    settings = policy.load_balancer or LoadBalancerSettings()
    made: Json = {"lb_policy": _SIMPLE.get(settings.simple or "", "LEAST_REQUEST")}
    if settings.consistent_hash:
        made = _hashing(settings.consistent_hash)
    elif warm := _warmup(settings):
        key = "round_robin_lb_config" if made["lb_policy"] == "ROUND_ROBIN" else "least_request_lb_config"
        made[key] = {"slow_start_config": warm}
    common: Json = {}
    detection = policy.outlier_detection
    if detection:
        common["healthy_panic_threshold"] = {"value": detection.min_health_percent}
    setting = locality_setting(world, policy)
    if setting and (setting.distribute or (detection and not settings.consistent_hash)):
        common["locality_weighted_lb_config"] = {}
    return {**made, "common_lb_config": common} if common else made


def _hashing(hashing: ConsistentHashLB) -> Json:
    if hashing.maglev:
        table = {"table_size": hashing.maglev.table_size} if hashing.maglev.table_size else {}
        return {"lb_policy": "MAGLEV", "maglev_lb_config": table}
    wanted = hashing.ring_hash.minimum_ring_size if hashing.ring_hash else hashing.minimum_ring_size
    return {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": wanted or _MIN_RING}}


def _warmup(settings: LoadBalancerSettings) -> Json:
    if settings.simple == "RANDOM":
        return {}
    if settings.warmup and settings.warmup.duration:
        percent = settings.warmup.minimum_percent
        made: Json = {"slow_start_window": seconds(settings.warmup.duration)}
        made["min_weight_percent"] = {"value": 10 if percent is None else percent}
        if settings.warmup.aggression:
            made["aggression"] = {
                "default_value": settings.warmup.aggression,
                "runtime_key": "upstream.warmup.aggression",
            }
        return made
    return (
        {"slow_start_window": seconds(settings.warmup_duration_secs)} if settings.warmup_duration_secs else {}
    )


def connection_pool(world: World, policy: Policy) -> Json:
    """Timeouts and limits of connections."""
    pool = policy.connection_pool
    tcp, http = (pool.tcp, pool.http) if pool else (None, None)
    threshold: Json = {
        "max_connections": (tcp.max_connections if tcp else 0) or UNLIMITED,
        "max_pending_requests": (http.http1_max_pending_requests if http else 0) or UNLIMITED,
        "max_requests": (http.http2_max_requests if http else 0) or UNLIMITED,
        "max_retries": (http.max_retries if http else 0) or UNLIMITED,
    }
    if policy.retry_budget:
        threshold["retry_budget"] = _budget(policy.retry_budget)
    timeout = (tcp.connect_timeout if tcp else None) or world.mesh.connect_timeout or timedelta(seconds=10)
    made: Json = {"connect_timeout": seconds(timeout), "circuit_breakers": {"thresholds": [threshold]}}
    keepalive = (tcp.tcp_keepalive if tcp else None) or world.mesh.tcp_keepalive
    if keepalive:
        probe: Json = {}
        if keepalive.probes:
            probe["keepalive_probes"] = keepalive.probes
        if keepalive.time:
            probe["keepalive_time"] = int(keepalive.time.total_seconds())
        if keepalive.interval:
            probe["keepalive_interval"] = int(keepalive.interval.total_seconds())
        made["upstream_connection_options"] = {"tcp_keepalive": probe}
    return made


def _budget(budget: RetryBudget) -> Json:
    percent = 20.0 if budget.percent is None else budget.percent
    return {
        "budget_percent": {"value": percent},
        "min_retry_concurrency": budget.min_retry_concurrency or 3,
    }


def outlier_detection(detection: OutlierDetection | None) -> Json:
    """When endpoints are ejected."""
    if detection is None:
        return {}
    made: Json = {"enforcing_success_rate": 0}
    fives = detection.consecutive_5xx_errors
    if fives is None and detection.consecutive_errors:
        fives = detection.consecutive_errors
    if fives is not None:
        made |= {"consecutive_5xx": fives, "enforcing_consecutive_5xx": 100 if fives else 0}
    gateway = detection.consecutive_gateway_errors
    if gateway is not None:
        made |= {"consecutive_gateway_failure": gateway}
        made |= {"enforcing_consecutive_gateway_failure": 100 if gateway else 0}
    if detection.split_external_local_origin_errors:
        made["split_external_local_origin_errors"] = True
        local = detection.consecutive_local_origin_failures
        if local:
            made |= {"consecutive_local_origin_failure": local}
            made |= {"enforcing_consecutive_local_origin_failure": 100}
        made["enforcing_local_origin_success_rate"] = 0
    if detection.interval:
        made["interval"] = seconds(detection.interval)
    if detection.base_ejection_time:
        made["base_ejection_time"] = seconds(detection.base_ejection_time)
    if detection.max_ejection_percent:
        made["max_ejection_percent"] = detection.max_ejection_percent
    return {"outlier_detection": made}


def protocol_options(world: World, service: Service, protocol: Protocol, policy: Policy) -> Json:
    """Which HTTP the upstream gets, and limits of its connections; nothing for pure TCP."""
    if not (protocol.http or protocol is Protocol.AUTO):
        return {}
    http = policy.connection_pool.http if policy.connection_pool else None
    made: Json = {**names_from_host(policy, service), **_connection(policy)}
    http2: Json = {}
    if http and http.max_concurrent_streams:
        http2["max_concurrent_streams"] = http.max_concurrent_streams
    upgrade = http.h2_upgrade_policy if http else "DEFAULT"
    if upgrade == "DEFAULT":
        upgrade = world.mesh.h2_upgrade_policy
    if (http and http.use_client_protocol) or protocol is Protocol.AUTO:
        made["use_downstream_protocol_config"] = {
            "http_protocol_options": {},
            "http2_protocol_options": http2,
        }
    elif protocol.http2 or upgrade == "UPGRADE":
        made["explicit_http_config"] = {"http2_protocol_options": http2}
    elif made:
        made["explicit_http_config"] = {"http_protocol_options": {}}
    else:
        return {}
    return {"typed_extension_protocol_options": {HTTP_OPTIONS: typed(HTTP_OPTIONS, made)}}


def _connection(policy: Policy) -> Json:
    pool = policy.connection_pool
    common: Json = {}
    if pool and pool.http and pool.http.max_requests_per_connection:
        common["max_requests_per_connection"] = pool.http.max_requests_per_connection
    idle = (pool.http.idle_timeout if pool and pool.http else None) or (
        pool.tcp.idle_timeout if pool and pool.tcp else None
    )
    if idle:
        common["idle_timeout"] = seconds(idle)
    if pool and pool.tcp and pool.tcp.max_connection_duration:
        common["max_connection_duration"] = seconds(pool.tcp.max_connection_duration)
    return {"common_http_protocol_options": common} if common else {}
