"""Listeners of traffic to the workload: ``virtualInbound``, and those that bind for themselves."""

from collections.abc import Sequence
from typing import Any

from proxy.api.gateway import ServerTLSSettings
from proxy.envoy.messages import typed
from proxy.registry.model import Protocol
from proxy.translate.cluster_tls import TRUST_SECRET, WORKLOAD_SECRET, secret, tls_params
from proxy.translate.clusters import BLACK_HOLE
from proxy.translate.hosts import inbound_cluster
from proxy.translate.http_manager import Build, http_manager, tcp_proxy
from proxy.translate.inbound_clusters import INBOUND_PASSTHROUGH
from proxy.translate.inbound_ports import WILDCARD, InboundPort, inbound_ports
from proxy.translate.peer_authentication import Mtls, mtls_mode, port_exceptions
from proxy.translate.scope import Scope
from proxy.translate.world import Direction, Interception

Json = dict[str, Any]

_DOWNSTREAM = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_LISTENER_FILTERS = "envoy.extensions.filters.listener"
MESH_HTTP = ["istio-http/1.0", "istio-http/1.1", "istio-h2"]
MESH_ALPN = ["istio-peer-exchange", "istio", *MESH_HTTP]
PLAIN_HTTP = ["http/1.1", "h2c"]
_NAMES = {
    "tls_inspector": "tls_inspector.v3.TlsInspector",
    "http_inspector": "http_inspector.v3.HttpInspector",
    "original_dst": "original_dst.v3.OriginalDst",
}


def listener_filter(name: str, disabled_on: Sequence[int] = ()) -> Json:
    """A listener filter, without effect on some destination ports."""
    config = typed(f"{_LISTENER_FILTERS}.{_NAMES[name]}")
    made: Json = {"name": f"envoy.filters.listener.{name}", "typed_config": config}
    ports = [{"destination_port_range": {"start": p, "end": p + 1}} for p in disabled_on]
    if len(ports) == 1:
        made["filter_disabled"] = ports[0]
    elif ports:
        made["filter_disabled"] = {"or_match": {"rules": ports}}
    return made


def inbound_listeners(build: Build, seen: Scope) -> list[Json]:
    """The listeners of traffic to the workload."""
    ports = inbound_ports(build.world, build.proxy, seen)
    made = [_bound(build, port) for port in ports if port.bind]
    if build.proxy.interception is not Interception.NONE:
        made.append(_virtual(build, [port for port in ports if not port.bind]))
    return made


def _mode(build: Build, port: int) -> Mtls:
    return mtls_mode(build.world, build.proxy.namespace, build.proxy.labels, port)


def _bound(build: Build, port: InboundPort) -> Json:
    mode = _mode(build, port.number)
    filters = []
    if mode is not Mtls.DISABLE or port.tls or port.protocol is Protocol.AUTO:
        filters.append(listener_filter("tls_inspector"))
    if port.protocol is Protocol.AUTO:
        filters.append(listener_filter("http_inspector"))
    return {
        "name": f"{port.bind}_{port.number}",
        "address": {"socket_address": {"address": port.bind, "port_value": port.number}},
        "traffic_direction": "INBOUND",
        "listener_filters": filters,
        "listener_filters_timeout": "0s",
        "continue_on_listener_filters_timeout": True,
        "filter_chains": _chains(build, port, mode, {}),
    }


def _virtual(build: Build, ports: Sequence[InboundPort]) -> Json:
    number = build.world.mesh.proxy_inbound_listen_port
    modes = {port.number: _mode(build, port.number) for port in ports}
    chains = [_black_hole(build, number)]
    for port in ports:
        chains += _chains(build, port, modes[port.number], {"destination_port": port.number})
    for special in port_exceptions(build.world, build.proxy.namespace, build.proxy.labels):
        if special not in modes:
            match: Json = {"destination_port": special}
            chains += _passthrough(build, special, _mode(build, special), match)
    chains += _passthrough(build, 0, _mode(build, 0), {})
    plain = [p.number for p in ports if modes[p.number] is Mtls.DISABLE and not p.tls]
    known = [p.number for p in ports if p.protocol is not Protocol.AUTO]
    declared = [p for p in plain if p in known]
    # No ``use_original_dst``: Envoy would hand connections to the outbound listener of their port.
    return {
        "name": "virtualInbound",
        "address": {"socket_address": {"address": WILDCARD, "port_value": number}},
        "traffic_direction": "INBOUND",
        **({"transparent": True} if build.proxy.interception is Interception.TPROXY else {}),
        "listener_filters": [
            listener_filter("original_dst"),
            listener_filter("tls_inspector", declared),
            listener_filter("http_inspector", known),
        ],
        "listener_filters_timeout": "0s",
        "continue_on_listener_filters_timeout": True,
        "filter_chains": chains,
    }


def _black_hole(build: Build, number: int) -> Json:
    """Calls to the sidecar's own port would come back to it for ever."""
    return {
        "name": "virtualInbound-blackhole",
        "filter_chain_match": {"destination_port": number},
        "filters": tcp_proxy(build, Direction.INBOUND, number, {"cluster": BLACK_HOLE}),
    }


def _chains(build: Build, port: InboundPort, mode: Mtls, match: Json) -> list[Json]:
    """The filter chains of one port, by its protocol and mode."""
    cluster = inbound_cluster(port.number)
    host = port.services[0].hostname if port.services else "workload"
    service_port = f"{host}:{port.number}"
    protocol = port.protocol
    if port.tls and mode is Mtls.DISABLE:
        # TLS that the Sidecar ends itself: what is inside HTTPS is HTTP.
        http = protocol.http or protocol is Protocol.HTTPS
        filters = (
            _http(build, port, cluster, service_port, mutual=False)
            if http
            else _tcp(build, port.number, cluster)
        )
        return [_chain(port.name, {**match, "transport_protocol": "tls"}, filters, _own_tls(build, port.tls))]
    plans = _plans(protocol, mode)
    made = []
    for http, extra, secured in plans:
        filters = (
            _http(build, port, cluster, service_port, mutual=secured)
            if http
            else _tcp(build, port.number, cluster)
        )
        made.append(_chain(port.name, {**match, **extra}, filters, mutual_tls(build) if secured else None))
    return made


def _plans(protocol: Protocol, mode: Mtls) -> list[tuple[bool, Json, bool]]:
    """Chains as (it carries HTTP, what it matches, it ends mutual TLS).

    Envoy looks at the transport before the ALPN and does not come back, so each transport has a chain for
    whatever the ALPN is.
    """
    tls: Json = {"transport_protocol": "tls"}
    raw: Json = {"transport_protocol": "raw_buffer"}
    by_mesh: Json = {**tls, "application_protocols": MESH_ALPN}
    if protocol is Protocol.AUTO:
        http_mesh: Json = {**tls, "application_protocols": MESH_HTTP}
        http_raw: Json = {**raw, "application_protocols": PLAIN_HTTP}
        tcp_mesh: Json = {**tls, "application_protocols": ["istio-peer-exchange", "istio"]}
        return {
            Mtls.STRICT: [(True, http_mesh, True), (False, tls, True)],
            Mtls.PERMISSIVE: [
                (True, http_mesh, True),
                (True, http_raw, False),
                (False, tcp_mesh, True),
                (False, raw, False),
                (False, tls, False),
            ],
            Mtls.DISABLE: [(True, http_raw, False), (False, raw, False), (False, tls, False)],
        }[mode]
    http = protocol.http
    if mode is Mtls.STRICT:
        return [(http, tls, True)]
    if mode is Mtls.DISABLE:
        return [(http, {}, False)]
    both = [(http, by_mesh, True), (http, raw, False)]
    return both if http else [both[0], (False, tls, False), both[1]]


def _chain(name: str, match: Json, filters: list[Json], socket: Json | None) -> Json:
    made: Json = {"name": name, "filters": filters}
    if match:
        made["filter_chain_match"] = match
    return {**made, "transport_socket": socket} if socket else made


def _http(build: Build, port: InboundPort, cluster: str, operation: str, *, mutual: bool) -> list[Json]:
    retries = {} if port.protocol.http2 else {"retry_policy": _RETRIES}
    routes = inbound_routes(port.number, cluster, operation, retries)
    prefix = f"inbound_{port.name}"
    return [http_manager(build, Direction.INBOUND, port.number, routes, prefix, port.protocol, mutual=mutual)]


_RETRIES = {"retry_on": "reset-before-request", "num_retries": 2}


def inbound_routes(port: int, cluster: str, operation: str, action: Json) -> Json:
    """The one route of an inbound port, inline."""
    route = {
        "name": "default",
        "match": {"prefix": "/"},
        "decorator": {"operation": f"{operation}/*"},
        "route": {"cluster": cluster, "timeout": "0s", **action},
    }
    host = {"name": f"inbound|http|{port}", "domains": ["*"], "routes": [route]}
    return {"route_config": {"name": cluster, "virtual_hosts": [host], "validate_clusters": False}}


def _tcp(build: Build, port: int, cluster: str) -> list[Json]:
    return tcp_proxy(build, Direction.INBOUND, port, {"cluster": cluster})


def _passthrough(build: Build, port: int, mode: Mtls, match: Json) -> list[Json]:
    """Chains of ports that nobody declared."""
    routes = inbound_routes(port, INBOUND_PASSTHROUGH, f":{port}", {})
    made = []
    for http, extra, secured in _plans(Protocol.AUTO, mode):
        if http:
            prefix = INBOUND_PASSTHROUGH
            manager = http_manager(
                build, Direction.INBOUND, port, routes, prefix, Protocol.AUTO, mutual=secured
            )
            name, filters = "virtualInbound-catchall-http", [manager]
        else:
            name, filters = "virtualInbound", _tcp(build, port, INBOUND_PASSTHROUGH)
        made.append(_chain(name, {**match, **extra}, filters, mutual_tls(build) if secured else None))
    return made


def mutual_tls(build: Build) -> Json:
    """The transport socket that ends the mesh's mutual TLS."""
    common = {
        "tls_params": tls_params(build.world),
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [secret(build.proxy, WORKLOAD_SECRET)],
        "combined_validation_context": {
            "default_validation_context": _mesh_members(build),
            "validation_context_sds_secret_config": secret(build.proxy, TRUST_SECRET),
        },
    }
    return _socket({"common_tls_context": common, "require_client_certificate": True})


def _mesh_members(build: Build) -> Json:
    mesh = build.world.mesh
    domains = (mesh.trust_domain, *mesh.trust_domain_aliases)
    return {
        "match_typed_subject_alt_names": [
            {"san_type": "URI", "matcher": {"prefix": f"spiffe://{domain}/"}} for domain in domains
        ]
    }


def _own_tls(build: Build, tls: ServerTLSSettings) -> Json:
    name = (
        f"kubernetes://{tls.credential_name}"
        if tls.credential_name
        else f"file-cert:{tls.server_certificate}~{tls.private_key}"
    )
    common: Json = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [secret(build.proxy, name)],
    }
    mutual = tls.mode in ("MUTUAL", "OPTIONAL_MUTUAL")
    if mutual:
        authority = (
            f"kubernetes://{tls.credential_name}-cacert"
            if tls.credential_name
            else f"file-root:{tls.ca_certificates}"
        )
        accepted = [
            {"san_type": kind, "matcher": {"exact": san}}
            for san in tls.subject_alt_names
            for kind in (("URI",) if "://" in san else ("DNS",))
        ]
        common["combined_validation_context"] = {
            "default_validation_context": {"match_typed_subject_alt_names": accepted} if accepted else {},
            "validation_context_sds_secret_config": secret(build.proxy, authority),
        }
    return _socket({"common_tls_context": common, "require_client_certificate": tls.mode == "MUTUAL"})


def _socket(context: Json) -> Json:
    return {"name": "envoy.transport_sockets.tls", "typed_config": typed(_DOWNSTREAM, context)}
