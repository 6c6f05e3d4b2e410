"""Listeners of traffic that the workload sends."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from proxy.envoy.messages import typed
from proxy.registry.model import Protocol, Resolution, Service, ServicePort
from proxy.registry.protocols import protocol_named
from proxy.registry.workloads import socket_path
from proxy.translate.clusters import BLACK_HOLE, PASSTHROUGH, dns_cache
from proxy.translate.destination_rules import destination_rule, policy_for
from proxy.translate.destinations import RouteScope
from proxy.translate.hosts import prefix_range
from proxy.translate.http_manager import Build, http_manager, rds, tcp_proxy
from proxy.translate.inbound import PLAIN_HTTP, listener_filter
from proxy.translate.names import full_host, outbound_cluster, seconds
from proxy.translate.scope import MESH, Egress, Scope, best_virtual_service
from proxy.translate.tcp_routes import Connections, tcp_routes, tls_routes
from proxy.translate.world import Direction, Interception

Json = dict[str, Any]

WILDCARD = "0.0.0.0"  # noqa: S104  what the application wanted to reach, not where anything listens
HTTP_PROXY = "http_proxy"
_OUT = Direction.OUTBOUND


@dataclass(slots=True)
class _Plan:
    """A listener under construction.

    Attributes:
        bind: address or path of a socket.
        real: it binds to its port; else traffic is handed to it by ``virtualOutbound``.
        routes: name of its routes where it carries HTTP.
        undeclared: a port without a known protocol uses it.
        chains: for TLS by server name and for parts of the address space.
        rest: filters for all other connections.
    """

    bind: str
    port: int
    real: bool
    routes: str = ""
    undeclared: bool = False
    chains: list[tuple[Json, list[Json]]] = field(default_factory=list)
    rest: list[Json] = field(default_factory=list)

    def add(self, match: Json, filters: list[Json]) -> None:
        """Add a chain; of two chains for one match the first counts."""
        if match:
            if all(known != match for known, _ in self.chains):
                self.chains.append((match, filters))
        elif not self.rest:
            self.rest = filters


def outbound_listeners(build: Build, seen: Scope) -> list[Json]:
    """The listeners of traffic that the workload sends."""
    plans: dict[tuple[str, int], _Plan] = {}
    taken = {egress.port for egress in seen.egress if egress.port}
    for egress in seen.egress:
        if egress.port:
            _declared(build, plans, egress)
        else:
            for service in egress.services:
                for port in service.ports:
                    if port.number not in taken and service.resolution is not Resolution.ALIAS:
                        _plan_port(build, plans, egress, service, port)
    made = [_listener(build, seen, plan) for plan in plans.values()]
    if build.proxy.interception is not Interception.NONE:
        made.append(_virtual(build, seen))
    if build.proxy.http_proxy_port:
        made.append(_http_proxy(build))
    return made


def _real(build: Build, egress: Egress) -> bool:
    return build.proxy.interception is Interception.NONE or egress.listener.capture_mode == "NONE"


def _plan(plans: dict[tuple[str, int], _Plan], bind: str, port: int, *, real: bool) -> _Plan:
    return plans.setdefault((bind, port), _Plan(bind, port, real))


def _declared(build: Build, plans: dict[tuple[str, int], _Plan], egress: Egress) -> None:
    """The listener of a Sidecar that names its port."""
    port = egress.listener.port
    protocol = protocol_named(port.protocol if port else "")
    bind = egress.listener.bind
    if not protocol.http:
        for service in egress.services:
            found = service.port(egress.port) or (service.ports[0] if len(service.ports) == 1 else None)
            if found and service.resolution is not Resolution.ALIAS:
                chosen = ServicePort(found.name, found.number, protocol)
                _plan_port(build, plans, egress, service, chosen, bind)
        if protocol is not Protocol.AUTO:
            return
    real = _real(build, egress) or bool(socket_path(bind))
    default = build.proxy.bind if real else WILDCARD
    plan = _plan(plans, bind or default, egress.port, real=real)
    plan.routes = plan.routes or (bind if socket_path(bind) else str(egress.port))
    plan.undeclared = plan.undeclared or protocol is Protocol.AUTO


def _plan_port(  # noqa: PLR0913, PLR0917  all of it describes one port
    build: Build,
    plans: dict[tuple[str, int], _Plan],
    egress: Egress,
    service: Service,
    port: ServicePort,
    bind: str = "",
) -> None:
    """Give a port of a service its place in the listeners."""
    if port.protocol is Protocol.UDP:
        return
    real = _real(build, egress)
    number = egress.port or port.number
    everywhere = build.proxy.bind if real else WILDCARD
    if port.protocol.http:
        plan = _plan(plans, bind or everywhere, number, real=real)
        plan.routes = plan.routes or str(number)
        return
    for address, block in [(bind, "")] if bind else _addresses(build, service, everywhere, real=real):
        plan = _plan(plans, address, number, real=real)
        own = address not in (everywhere, WILDCARD) and not bind
        if port.protocol is Protocol.AUTO:
            plan.routes = plan.routes or (f"{service.hostname}:{number}" if own else str(number))
            plan.undeclared = True
        for match, filters in _connections(build, egress, service, port, block, alone=own or bool(block)):
            plan.add(match, filters)


def _addresses(build: Build, service: Service, everywhere: str, *, real: bool) -> list[tuple[str, str]]:
    """Where a service's connections arrive: each address, or everywhere with a block of addresses."""
    found = service.addresses
    if not found and build.proxy.dns_capture and service.auto_address:
        found = (service.auto_address,)
    if not found and service.resolution is Resolution.PASSTHROUGH:
        found = tuple(dict.fromkeys(e.address for e in service.endpoints))
    single = [a for a in found if "/" not in a]
    if real:
        local = [a for a in single if ipaddress.ip_address(a).is_loopback]
        return [(a, "") for a in local] or [(everywhere, "")]
    blocks = [(everywhere, a) for a in found if "/" in a]
    return [(a, "") for a in single] + blocks or [(everywhere, "")]


def _connections(  # noqa: PLR0913  all of it describes one port
    build: Build, egress: Egress, service: Service, port: ServicePort, block: str, *, alone: bool
) -> Iterator[tuple[Json, list[Json]]]:
    """Chains of a port that carries TCP or TLS: by its virtual service, else all to its cluster.

    Args:
        build: the proxy.
        egress: the listener of the Sidecar.
        service: whose port it is.
        port: that is called.
        block: addresses that the chains are for; empty: all that arrive.
        alone: the address says already which service is meant.
    """
    ranges: Json = {"prefix_ranges": [prefix_range(block)]} if block else {}
    options = _options(build, service, port)
    found = _routed(build, egress, service, port)
    for connections in found:
        match = _tls_names({**ranges, **connections.match})
        yield match, tcp_proxy(build, _OUT, port.number, connections.proxy, options)
    if any(not connections.match for connections in found):
        return
    to = {"cluster": outbound_cluster(port.number, "", service.hostname)}
    filters = tcp_proxy(build, _OUT, port.number, to, options)
    if service.resolution is Resolution.DYNAMIC_DNS and port.protocol.tls:
        filters = [_dynamic_server(port.number), *filters]
    if port.protocol.tls and not alone:
        if not any("server_names" in connections.match for connections in found):
            yield (
                _tls_names({**ranges, "transport_protocol": "tls", "server_names": [service.hostname]}),
                filters,
            )
    else:
        yield ranges, filters


def _routed(build: Build, egress: Egress, service: Service, port: ServicePort) -> list[Connections]:
    virtual_service = best_virtual_service(egress, service.hostname)
    if virtual_service is None:
        return []
    number = egress.port or port.number
    routing = RouteScope(build.world, build.proxy, number, frozenset({MESH}), service)
    if port.protocol.tls:
        return list(tls_routes(routing, virtual_service))
    tls = list(tls_routes(routing, virtual_service)) if port.protocol is Protocol.AUTO else []
    return [*tls, *tcp_routes(routing, virtual_service)]


def _tls_names(match: Json) -> Json:
    """Envoy takes no ``*`` for any name: such a chain needs TLS only."""
    names = match.get("server_names")
    if names is None:
        return match
    rest = {key: value for key, value in match.items() if key != "server_names"}
    kept = {} if "*" in names else {"server_names": names}
    return {**rest, **kept, "transport_protocol": "tls"}


def _dynamic_server(port: int) -> Json:
    name = "envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig"
    config = {"port_value": port, "dns_cache_config": dns_cache()}
    return {"name": "envoy.filters.network.sni_dynamic_forward_proxy", "typed_config": typed(name, config)}


def _options(build: Build, service: Service, port: ServicePort) -> Json:
    policy = policy_for(build.world, destination_rule(build.world, build.proxy, service), port.number)
    made: Json = {}
    tcp = policy.connection_pool.tcp if policy.connection_pool else None
    if tcp and tcp.idle_timeout:
        made["idle_timeout"] = seconds(tcp.idle_timeout)
    hashing = policy.load_balancer.consistent_hash if policy.load_balancer else None
    if hashing and hashing.use_source_ip:
        made["hash_policy"] = [{"source_ip": {}}]
    if policy.tunnel and policy.tunnel.target_host:
        hostname = f"{policy.tunnel.target_host}:{policy.tunnel.target_port}"
        made["tunneling_config"] = {"hostname": hostname, "use_post": policy.tunnel.protocol == "POST"}
    return made


def _listener(build: Build, seen: Scope, plan: _Plan) -> Json:
    """The listener of a plan; HTTP is told from the rest by its first bytes where there is a rest."""
    rest, name = plan.rest, ""
    if not rest and not plan.real and plan.bind == WILDCARD:
        name, rest = _others(build, seen)
    chains: list[Json] = []
    sniffed = bool(plan.routes) and bool(rest or plan.chains)
    if plan.routes:
        protocol = Protocol.AUTO if plan.undeclared else Protocol.HTTP
        prefix = f"outbound_{plan.bind}_{plan.port}"
        manager = http_manager(build, _OUT, plan.port, rds(plan.routes), prefix, protocol)
        http: Json = {"filters": [manager]}
        if sniffed:
            http["filter_chain_match"] = {
                "transport_protocol": "raw_buffer",
                "application_protocols": PLAIN_HTTP,
            }
        chains.append(http)
    chains += [{"filter_chain_match": match, "filters": filters} for match, filters in plan.chains]
    by_tls = sniffed or any("transport_protocol" in match for match, _ in plan.chains)
    made: Json = {
        "name": plan.bind if socket_path(plan.bind) else f"{plan.bind}_{plan.port}",
        "address": _address(plan),
        "traffic_direction": "OUTBOUND",
        "listener_filters": [
            *([listener_filter("tls_inspector")] if by_tls else []),
            *([listener_filter("http_inspector")] if sniffed else []),
        ],
        "listener_filters_timeout": "0s",
        "continue_on_listener_filters_timeout": True,
    }
    if not plan.real:
        made["bind_to_port"] = False
    if rest and chains:
        made["default_filter_chain"] = {**({"name": name} if name else {}), "filters": rest}
    elif rest:
        chains.append({**({"name": name} if name else {}), "filters": rest})
    return {**made, "filter_chains": chains}


def _address(plan: _Plan) -> Json:
    path = socket_path(plan.bind)
    if path:
        return {"pipe": {"path": path}}
    return {"socket_address": {"address": plan.bind, "port_value": plan.port}}


def _others(build: Build, seen: Scope) -> tuple[str, list[Json]]:
    """What happens to connections to unknown addresses, and the name of the chain that does it."""
    cluster = other_cluster(build, seen)
    name = "BlackHoleFilterChain" if cluster == BLACK_HOLE else "PassthroughFilterChain"
    return name, tcp_proxy(build, _OUT, 0, {"cluster": cluster})


def other_cluster(build: Build, seen: Scope) -> str:
    """Cluster of TCP to unknown addresses; names cannot be looked up for it."""
    if seen.outbound == "REGISTRY_ONLY":
        return BLACK_HOLE
    proxy = seen.egress_proxy
    if proxy is not None and proxy.host and seen.sidecar is not None:
        host = full_host(proxy.host, seen.sidecar.namespace, build.proxy.domain)
        return outbound_cluster(proxy.port.number if proxy.port else 0, proxy.subset, host)
    return PASSTHROUGH


def _virtual(build: Build, seen: Scope) -> Json:
    """The listener that intercepted connections arrive at; it hands them to the others."""
    port = build.world.mesh.proxy_listen_port
    cluster = other_cluster(build, seen)
    return {
        "name": "virtualOutbound",
        "address": {"socket_address": {"address": WILDCARD, "port_value": port}},
        "traffic_direction": "OUTBOUND",
        "use_original_dst": True,
        **({"transparent": True} if build.proxy.interception is Interception.TPROXY else {}),
        "filter_chains": [
            {
                "name": "virtualOutbound-blackhole",
                "filter_chain_match": {"destination_port": port},
                "filters": tcp_proxy(build, _OUT, port, {"cluster": BLACK_HOLE}),
            },
            {
                "name": "virtualOutbound-catchall-tcp",
                "filters": tcp_proxy(build, _OUT, port, {"cluster": cluster}),
            },
        ],
    }


def _http_proxy(build: Build) -> Json:
    """An HTTP proxy, for applications that are told to use one."""
    port, bind = build.proxy.http_proxy_port, build.proxy.bind
    routes = {**rds(HTTP_PROXY), "http_protocol_options": {"allow_absolute_url": True}}
    manager = http_manager(build, _OUT, port, routes, HTTP_PROXY)
    return {
        "name": f"{bind}_{port}",
        "address": {"socket_address": {"address": bind, "port_value": port}},
        "traffic_direction": "OUTBOUND",
        "filter_chains": [{"filters": [manager]}],
    }
