"""Listeners of a gateway proxy."""

from collections.abc import Iterator
from typing import Any

from proxy.envoy.messages import typed
from proxy.registry.model import Protocol
from proxy.translate.destinations import BLACK_HOLE, RouteScope
from proxy.translate.gateway_servers import (
    ANY_ADDRESS,
    GatewayServer,
    PortServers,
    gateway_servers,
    server_names,
)
from proxy.translate.gateway_tls import downstream_tls
from proxy.translate.http_manager import Build, http_manager, rds, tcp_proxy
from proxy.translate.plugins import Plugins
from proxy.translate.tcp_routes import Connections, tcp_routes, tls_routes
from proxy.translate.virtual_services import bound_to, common_hosts
from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]
_TLS_INSPECTOR = {
    "name": "envoy.filters.listener.tls_inspector",
    "typed_config": typed("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"),
}
_SNI_CLUSTER = {
    "name": "envoy.filters.network.sni_cluster",
    "typed_config": typed("envoy.extensions.filters.network.sni_cluster.v3.SniCluster"),
}


def gateway_listeners(world: World, proxy: Proxy, plugins: Plugins) -> list[Json]:
    """One listener for each port of the gateways that apply; a port that leads nowhere has none.

    Args:
        world: the mesh.
        proxy: a gateway.
        plugins: gives the filters and logs of security and telemetry.
    """
    building = _Building(world, proxy, plugins)
    made = [building.listener(port) for port in gateway_servers(world, proxy)]
    return [listener for listener in made if listener is not None]


class _Building:
    def __init__(self, world: World, proxy: Proxy, plugins: Plugins) -> None:
        self.world, self.proxy, self.build = world, proxy, Build(world, proxy, plugins)

    def listener(self, port: PortServers) -> Json | None:
        if not port.servers:
            return None
        chains = list(self._chains(port))
        if not chains:
            return None
        made: Json = {
            "name": port.name,
            "address": {"socket_address": {"address": port.bind, "port_value": port.port}},
            "traffic_direction": "OUTBOUND",
            "filter_chains": _distinct(chains),
        }
        if port.servers[0].tls:
            made["listener_filters"] = [_TLS_INSPECTOR]
        return made

    def _chains(self, port: PortServers) -> Iterator[Json]:
        first = port.servers[0]
        if first.http and not first.tls:
            yield {"filters": [self._http(first)]}
            return
        for server in port.servers:
            if server.http:
                yield self._named(server, [self._http(server)])
            elif server.terminates:
                found = next(self._connections(server, tcp=True), None)
                if found is not None:
                    yield self._named(server, self._tcp(server, found))
            elif server.server.tls and server.server.tls.mode == "AUTO_PASSTHROUGH":
                blind = Connections({}, {"cluster": BLACK_HOLE})
                yield self._named(server, [_SNI_CLUSTER, *self._tcp(server, blind)])
            else:
                for found in self._connections(server, tcp=not server.tls):
                    yield {"filter_chain_match": found.match, "filters": self._tcp(server, found)}

    def _named(self, server: GatewayServer, filters: list[Json]) -> Json:
        """A chain for the server's host names."""
        made: Json = {"filters": filters}
        if names := server_names(server.names):
            made["filter_chain_match"] = {"server_names": names}
        if server.terminates and server.server.tls:
            made["transport_socket"] = downstream_tls(server.server.tls, self.proxy, http=server.http)
        return made

    def _http(self, server: GatewayServer) -> Json:
        protocol = Protocol.GRPC_WEB if server.protocol == "GRPC-WEB" else Protocol.HTTP
        prefix = f"outbound_{server.server.bind or ANY_ADDRESS}_{server.listen}"
        routes = rds(server.route_name)
        return http_manager(self.build, Direction.GATEWAY, server.port, routes, prefix, protocol)

    def _connections(self, server: GatewayServer, *, tcp: bool) -> Iterator[Connections]:
        scope = RouteScope(self.world, self.proxy, server.port, frozenset({server.gateway_name}))
        for found in bound_to(self.world, self.proxy, server.gateway_name):
            if common_hosts(found, server.hosts, self.proxy.domain):
                yield from (tcp_routes if tcp else tls_routes)(scope, found)

    def _tcp(self, server: GatewayServer, found: Connections) -> list[Json]:
        return tcp_proxy(self.build, Direction.GATEWAY, server.port, found.proxy)


def _distinct(chains: list[Json]) -> list[Json]:
    """Chains without those that an older one hides: Envoy refuses two with the same match."""
    taken: set[tuple[str, str]] = set()
    made = []
    for chain in chains:
        match = chain.get("filter_chain_match", {})
        ranges = str(match.get("prefix_ranges", ""))
        names = [n for n in match.get("server_names", [""]) if (n, ranges) not in taken]
        taken.update((name, ranges) for name in names)
        if not names:
            continue
        kept = {"filter_chain_match": {**match, "server_names": names}} if match.get("server_names") else {}
        made.append(chain | kept)
    return made
