"""The network filters that end a chain: the HTTP connection manager and the TCP proxy."""

from dataclasses import dataclass
from typing import Any

from proxy.envoy.messages import typed
from proxy.registry.model import Protocol
from proxy.translate.cluster_tls import config_source
from proxy.translate.clusters import dns_cache
from proxy.translate.peer_metadata import strangers_filter
from proxy.translate.plugins import Plugins
from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]

_HTTP = "envoy.extensions.filters.http"
_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_TCP = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_NORMALIZED = ("DEFAULT", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES")


@dataclass(frozen=True, slots=True)
class Build:
    """What every part of a proxy's listeners needs."""

    world: World
    proxy: Proxy
    plugins: Plugins


def rds(name: str) -> Json:
    """Routes that are served by name."""
    return {"rds": {"route_config_name": name, "config_source": config_source()}}


def http_manager(  # noqa: PLR0913, PLR0917  each says one thing about the manager
    build: Build,
    direction: Direction,
    port: int,
    routes: Json,
    stat_prefix: str,
    protocol: Protocol = Protocol.HTTP,
    *,
    mutual: bool = True,
) -> Json:
    """The filter of a chain that carries HTTP.

    Args:
        build: the proxy.
        direction: of the traffic.
        port: of the listener; of the workload if inbound.
        routes: ``{"rds": ...}`` (see ``rds``) or ``{"route_config": ...}``.
        stat_prefix: of its own counters.
        protocol: ``AUTO`` if it was found out from the bytes.
        mutual: callers prove who they are by the mesh's TLS; else nothing that they say of themselves counts.
    """
    mesh, plugins = build.world.mesh, build.plugins
    normalization = mesh.path_normalization.normalization
    made: Json = {
        "stat_prefix": stat_prefix,
        "codec_type": "AUTO",
        "server_name": "envoy" if direction is Direction.OUTBOUND else "istio-envoy",
        "use_remote_address": direction is Direction.GATEWAY,
        "normalize_path": normalization in _NORMALIZED,
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": [
            *([] if mutual else [strangers_filter()]),
            *_http_filters(build, direction, port, protocol),
        ],
        **routes,
    }
    if normalization in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"):
        made["merge_slashes"] = True
    if normalization == "DECODE_AND_MERGE_SLASHES":
        made["path_with_escaped_slashes_action"] = "UNESCAPE_AND_FORWARD"
    if direction is Direction.INBOUND:
        made["forward_client_cert_details"] = "APPEND_FORWARD"
        made["set_current_client_cert_details"] = {"subject": True, "uri": True, "dns": True}
    if direction is Direction.GATEWAY:
        made["preserve_external_request_id"] = True  # one id for a request on all of its way
        made["forward_client_cert_details"] = "SANITIZE_SET"
        made["set_current_client_cert_details"] = {"subject": True, "cert": True, "uri": True, "dns": True}
    logs = plugins.access_logs(build.world, build.proxy, direction, http=True)
    if logs:
        made["access_log"] = logs
    tracing = plugins.tracing(build.world, build.proxy, direction)
    if tracing is not None:
        made["tracing"] = tracing
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": typed(_MANAGER, made)}


def _http_filters(build: Build, direction: Direction, port: int, protocol: Protocol) -> list[Json]:
    made = build.plugins.http_filters(build.world, build.proxy, direction, port)
    if protocol is Protocol.GRPC_WEB:
        made.append(_filter("grpc_web", "GrpcWeb"))
    stats = {"emit_filter_state": True, "stats_for_all_methods": False}
    made.append(_filter("grpc_stats", "FilterConfig", stats))
    if direction is Direction.OUTBOUND and protocol is Protocol.AUTO:
        made.append(_http_alpn())
    made += [_filter("fault", "HTTPFault"), _filter("cors", "Cors")]
    if direction is not Direction.INBOUND:
        made.append(_filter("dynamic_forward_proxy", "FilterConfig", {"dns_cache_config": dns_cache()}))
    made.append(_filter("router", "Router"))
    return made


def _filter(name: str, message: str, config: Json | None = None) -> Json:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": typed(f"{_HTTP}.{name}.v3.{message}", config),
    }


def _http_alpn() -> Json:
    """A server with an undeclared protocol knows HTTP inside mutual TLS by this ALPN name."""
    value = {
        "object_key": "envoy.network.application_protocols",
        "format_string": {"text_format_source": {"inline_string": "istio-http/1.1"}},
        "shared_with_upstream": "ONCE",
    }
    return _filter("set_filter_state", "Config", {"on_request_headers": [value]})


def tcp_proxy(
    build: Build, direction: Direction, port: int, action: Json, options: Json | None = None
) -> list[Json]:
    """The filters of a chain that carries TCP.

    Args:
        build: the proxy.
        direction: of the traffic.
        port: of the listener; of the workload if inbound.
        action: ``{"cluster": ...}`` or ``{"weighted_clusters": ...}``.
        options: more fields of the TCP proxy: ``idle_timeout``, ``hash_policy``, ``tunneling_config``.
    """
    clusters = action.get("weighted_clusters", {}).get("clusters", ())
    name = action.get("cluster") or clusters[0]["name"]
    made: Json = {"stat_prefix": name, **action, **(options or {})}
    logs = build.plugins.access_logs(build.world, build.proxy, direction, http=False)
    if logs:
        made["access_log"] = logs
        made["access_log_options"] = {
            "flush_access_log_on_connected": True,
            "access_log_flush_interval": "5s",
        }
    before = build.plugins.network_filters(build.world, build.proxy, direction, port)
    return [*before, {"name": "envoy.filters.network.tcp_proxy", "typed_config": typed(_TCP, made)}]
