"""The HTTP connection manager of a gateway's server."""

from typing import Any

from proxy.envoy.messages import typed
from proxy.translate.faults import FAULT
from proxy.translate.gateway_servers import GatewayServer
from proxy.translate.plugins import Plugins
from proxy.translate.route_policy import CORS
from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]
_HTTP = "envoy.extensions.filters.http"
_FILTERS = (
    {"name": CORS, "typed_config": typed(f"{_HTTP}.cors.v3.Cors")},
    {"name": FAULT, "typed_config": typed(f"{_HTTP}.fault.v3.HTTPFault")},
    {"name": "envoy.filters.http.router", "typed_config": typed(f"{_HTTP}.router.v3.Router")},
)


def connection_manager(world: World, proxy: Proxy, plugins: Plugins, server: GatewayServer) -> Json:
    """The network filter that routes the server's requests."""
    direction = Direction.GATEWAY
    filters = plugins.http_filters(world, proxy, direction, server.port)
    made: Json = {
        "stat_prefix": f"outbound_{server.server.bind or '0.0.0.0'}_{server.listen}",  # noqa: S104
        "rds": {
            "route_config_name": server.route_name,
            "config_source": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"},
        },
        "http_filters": [*filters, *_FILTERS],
        "server_name": "istio-envoy",
        "use_remote_address": True,
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"subject": True, "cert": True, "dns": True, "uri": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "stream_idle_timeout": "0s",
        **_normalization(world),
    }
    if logs := plugins.access_logs(world, proxy, direction, http=True):
        made["access_log"] = logs
    if tracing := plugins.tracing(world, proxy, direction):
        made["tracing"] = tracing
    manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": typed(manager, made)}


def _normalization(world: World) -> Json:
    """How paths are changed before anything is decided by them."""
    mode = world.mesh.path_normalization.normalization
    made: Json = {"normalize_path": mode != "NONE"}
    if mode in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"):
        made["merge_slashes"] = True
    if mode == "DECODE_AND_MERGE_SLASHES":
        made["path_with_escaped_slashes_action"] = "UNESCAPE_AND_FORWARD"
    return made
