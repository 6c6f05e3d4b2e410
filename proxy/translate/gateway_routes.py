"""Route configurations of a gateway proxy."""

from collections.abc import Iterable
from typing import Any

from proxy.api.virtual_service import VirtualService
from proxy.config.objects import ConfigObject
from proxy.translate.gateway_servers import GatewayServer, gateway_servers
from proxy.translate.names import specificity
from proxy.translate.route_match import catches_all
from proxy.translate.routes import http_routes
from proxy.translate.virtual_services import bound_to, common_hosts
from proxy.translate.world import Proxy, World

Json = dict[str, Any]
_BODY_BYTES = 1 << 20


def gateway_routes(world: World, proxy: Proxy, names: Iterable[str]) -> list[Json]:
    """Route configurations of these names; one that no server has answers nothing.

    Args:
        world: the mesh.
        proxy: a gateway.
        names: as the listeners call them, ``http.80``.
    """
    by_name: dict[str, list[GatewayServer]] = {}
    for port in gateway_servers(world, proxy):
        for server in port.servers:
            if server.route_name:
                by_name.setdefault(server.route_name, []).append(server)
    return [_configuration(world, proxy, name, by_name.get(name, [])) for name in names]


def _configuration(world: World, proxy: Proxy, name: str, servers: list[GatewayServer]) -> Json:
    hosts: dict[str, Json] = {}
    done: set[tuple[str, str, str, str]] = set()
    for server in servers:
        for virtual_service in bound_to(world, proxy, server.gateway_name):
            _bind(world, proxy, server, virtual_service, hosts, done)
        if server.server.tls and server.server.tls.https_redirect:
            for host in server.names:
                _host(hosts, host, server)["require_tls"] = "ALL"
    for found in hosts.values():
        # What takes every request would hide the routes of virtual services that came later.
        found["routes"].sort(key=lambda route: catches_all(route["match"]))
    port = servers[0].listen if servers else name.split(".")[1] if "." in name else "0"
    empty = {"name": f"blackhole:{port}", "domains": ["*"], "routes": []}
    ordered = [hosts[host] for host in sorted(hosts, key=specificity, reverse=True)]
    return {
        "name": name,
        "virtual_hosts": ordered or [empty],
        "validate_clusters": False,
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": _BODY_BYTES,
    }


def _bind(  # noqa: PLR0913, PLR0917 - the two last ones are what it fills
    world: World,
    proxy: Proxy,
    server: GatewayServer,
    virtual_service: ConfigObject[VirtualService],
    hosts: dict[str, Json],
    done: set[tuple[str, str, str, str]],
) -> None:
    shared = common_hosts(virtual_service, server.hosts, proxy.domain)
    new = [
        host
        for host in shared
        if (host, server.gateway_name, virtual_service.namespace, virtual_service.name) not in done
    ]
    if not new:
        return
    gateways = frozenset({server.gateway_name})
    routes = http_routes(world, proxy, virtual_service, server.port, gateways)
    for host in new:
        done.add((host, server.gateway_name, virtual_service.namespace, virtual_service.name))
        if routes:
            found = _host(hosts, host, server)
            found["routes"].extend(routes)
            if server.server.tls and server.server.tls.https_redirect:
                found["require_tls"] = "ALL"


def _host(hosts: dict[str, Json], host: str, server: GatewayServer) -> Json:
    made = {
        "name": f"{host}:{server.port}",
        "domains": [host],
        "routes": [],
        "include_request_attempt_count": True,
    }
    return hosts.setdefault(host, made)
