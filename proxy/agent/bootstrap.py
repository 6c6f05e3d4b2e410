"""Envoy's bootstrap: what it knows before it reaches the control plane."""

from typing import Any

from proxy.agent.settings import LOOPBACK, Address, AgentSettings, Ports
from proxy.envoy.messages import typed

XDS_CLUSTER, AGENT_CLUSTER = "xds-grpc", "agent"
READY_PATH = "/healthz/ready"
_PILOT = "/ns/istio-system/sa/istiod"
"""End of the control plane's identity: no other holder of a mesh certificate may stand for it."""
READY_STATS = "agent_ready"  # prefix of the readiness listener's statistics
_STATS = ("istio", "cluster_manager", "listener_manager", "server", f"cluster.{XDS_CLUSTER}", "wasm")
_STATS_SUFFIXES = ("downstream_cx_active", "rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied")
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"
_TLS = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"

Json = dict[str, Any]


def bootstrap(settings: AgentSettings, ports: Ports) -> Json:
    """The bootstrap as JSON.

    Args:
        settings: of the agent.
        ports: the real ones, without zeros.
    """
    xds = _grpc_cluster(XDS_CLUSTER, settings.xds)
    if settings.xds_tls is not None:
        xds["transport_socket"] = _xds_tls(settings)
    clusters = [xds, _cluster(AGENT_CLUSTER, Address(_reach(settings.bind), ports.status))]
    clusters += [_grpc_cluster(name, address) for name, address in settings.collectors.items()]
    return {
        "node": _node(settings),
        "admin": {"address": _socket(Address(LOOPBACK, ports.admin)), "ignore_global_conn_limit": True},
        "dynamic_resources": _dynamic(delta=settings.delta),
        "static_resources": {
            "clusters": clusters,
            "listeners": [_ready_listener(Address(settings.bind, ports.ready))],
        },
        "stats_config": _stats(settings.stats),
    }


def _node(settings: AgentSettings) -> Json:
    region, zone, subzone = [*settings.locality.split("/"), "", ""][:3]
    return {
        "id": settings.node_id,
        "cluster": settings.cluster,
        "metadata": dict(settings.metadata),
        "locality": {"region": region, "zone": zone, "sub_zone": subzone},
    }


def _dynamic(*, delta: bool) -> Json:
    source = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    backoff = {"base_interval": "0.2s", "max_interval": "5s"}
    grpc = {"cluster_name": XDS_CLUSTER, "retry_policy": {"retry_back_off": backoff}}
    return {
        "cds_config": source,
        "lds_config": source,
        "ads_config": {
            "api_type": "DELTA_GRPC" if delta else "GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": grpc}],
        },
    }


def _ready_listener(address: Address) -> Json:
    route = {"match": {"path": READY_PATH}, "route": {"cluster": AGENT_CLUSTER, "timeout": "5s"}}
    manager = {
        "stat_prefix": "agent",
        "route_config": {"virtual_hosts": [{"name": "agent", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": typed(_ROUTER)}],
    }
    filters = [
        {
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": typed(_MANAGER, manager),
        }
    ]
    return {
        "name": "ready",
        "stat_prefix": READY_STATS,
        "address": _socket(address),
        "bypass_overload_manager": True,
        "filter_chains": [{"filters": filters}],
    }


def _stats(more: tuple[str, ...]) -> Json:
    """Few statistics: those of every cluster would take most of a small proxy's memory."""
    if "" in more:
        return {}
    patterns = [{"prefix": prefix} for prefix in (*_STATS, *more)]
    patterns += [{"suffix": suffix} for suffix in _STATS_SUFFIXES]
    return {"stats_matcher": {"inclusion_list": {"patterns": patterns}}}


def _cluster(name: str, address: Address) -> Json:
    endpoint = {"endpoint": {"address": _socket(address)}}
    return {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _grpc_cluster(name: str, address: Address) -> Json:
    alive = {"interval": "30s", "timeout": "10s"}
    explicit = {"http2_protocol_options": {"connection_keepalive": alive}}
    options = typed(_HTTP_OPTIONS, {"explicit_http_config": explicit})
    return {**_cluster(name, address), "typed_extension_protocol_options": {_HTTP_OPTIONS: options}}


def _xds_tls(settings: AgentSettings) -> Json:
    tls = settings.xds_tls
    assert tls is not None  # noqa: S101  the caller looked
    pair = {
        "certificate_chain": {"filename": str(tls.certificate)},
        "private_key": {"filename": str(tls.key)},
    }
    context = {
        "tls_certificates": [pair],
        "validation_context": {
            "trusted_ca": {"filename": str(tls.root)},
            "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"suffix": _PILOT}}],
        },
        "alpn_protocols": ["h2"],
    }
    config = typed(_TLS, {"sni": settings.xds.host, "common_tls_context": context})
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}


def _socket(address: Address) -> Json:
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def _reach(bind: str) -> str:
    return {"0.0.0.0": LOOPBACK, "::": "::1"}.get(bind, bind)  # noqa: S104  compared, not bound
