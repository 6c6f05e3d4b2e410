"""Route configurations of sidecars: the virtual hosts of a port."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from proxy.api.virtual_service import VirtualService
from proxy.config.objects import ConfigObject
from proxy.registry.model import Protocol, Resolution, Service, ServicePort
from proxy.translate.clusters import ANY_BY_DNS, BLACK_HOLE, PASSTHROUGH
from proxy.translate.destination_rules import destination_rule, policy_for
from proxy.translate.hosts import domains_of, host_addresses
from proxy.translate.names import full_host, matches, outbound_cluster
from proxy.translate.outbound import HTTP_PROXY
from proxy.translate.route_policy import hash_policy
from proxy.translate.routes import PRIVATE, default_route, http_routes
from proxy.translate.scope import MESH, Egress, Scope, best_virtual_service, scope
from proxy.translate.viewer import Viewer, viewer
from proxy.translate.world import Proxy, World

Json = dict[str, Any]

_HTTP_PORT = 80
_BODY_LIMIT = 1024 * 1024
_MESH = frozenset({MESH})


@dataclass(slots=True)
class _Hosts:
    """Virtual hosts of one route configuration: no two have a domain in common; the first counts.

    Attributes:
        with_port: domains end in the port, as the Host headers that an HTTP proxy gets do.
    """

    world: World
    proxy: Proxy
    viewer_key: tuple[object, ...]
    seen: Scope
    egress: Egress
    with_port: bool = False
    made: list[Json] = field(default_factory=list)
    domains: set[str] = field(default_factory=set)
    aliases: dict[str, list[Service]] = field(default_factory=dict)

    def add(self, host: str, port: int, domains: Iterable[str], routes: list[Json]) -> None:
        every = [d for domain in domains for d in self._written(domain, port)]
        free = list(dict.fromkeys(d for d in every if d not in self.domains))
        if free and routes:
            self.domains.update(free)
            self.made.append(
                {
                    "name": f"{host}:{port}",
                    "domains": free,
                    "routes": routes,
                    "include_request_attempt_count": True,
                }
            )

    def _written(self, domain: str, port: int) -> list[str]:
        if not self.with_port or domain == "*":
            return [domain]
        return [domain, f"{domain}:{port}"] if port == _HTTP_PORT else [f"{domain}:{port}"]

    def fill(self, ports: Iterable[tuple[Service, ServicePort, int]]) -> None:
        """Add hosts of services, then of virtual services whose hosts are none."""
        numbers: dict[int, None] = {}
        for alias in (s for s in self.egress.services if s.alias_of):
            self.aliases.setdefault(alias.alias_of, []).append(alias)
        for service, port, listener in ports:
            numbers[listener] = None
            self._service(service, port, listener)
        if self.with_port:
            numbers[_HTTP_PORT] = None  # of a host that no service answers to nobody tells a port
        for listener in numbers:
            self.unknown_hosts(listener)

    def unknown_hosts(self, port: int) -> None:
        """Hosts of virtual services that no service answers to."""
        known = {s.hostname for s in self.egress.services}
        for found in self.egress.virtual_services:
            if not found.spec.http:
                continue
            for written in found.spec.hosts:
                host = full_host(written, found.namespace, self.proxy.domain)
                if host not in known and not _covers_any(host, known):
                    routes = http_routes(self.world, self.proxy, found, port, _MESH)
                    self.add(host, port, [host], routes)

    def _service(self, service: Service, port: ServicePort, listener: int) -> None:
        aliases = self.aliases.get(service.hostname, [])
        names = self._names(service)
        for alias in aliases:
            own = self._virtual_service(alias)
            if own is not None:
                self.add(
                    alias.hostname, listener, self._names(alias), self._routes(service, port, listener, own)
                )
            else:
                names += self._names(alias)
        routes = self._routes(service, port, listener, self._virtual_service(service))
        self.add(service.hostname, listener, [*names, *self._addresses(service)], routes)

    def _addresses(self, service: Service) -> list[str]:
        given = [service.auto_address] if self.proxy.dns_capture and service.auto_address else []
        return [*host_addresses(service), *given]

    def _names(self, service: Service) -> list[str]:
        return domains_of(service, self.proxy.namespace, self.proxy.domain)

    def _virtual_service(self, service: Service) -> ConfigObject[VirtualService] | None:
        found = best_virtual_service(self.egress, service.hostname)
        return found if found and found.spec.http else None

    def _routes(
        self, service: Service, port: ServicePort, listener: int, chosen: ConfigObject[VirtualService] | None
    ) -> list[Json]:
        world, proxy = self.world, self.proxy
        key = (
            "routes",
            self.viewer_key,
            *service.identity,
            port.number,
            listener,
            chosen.key if chosen else None,
        )
        given = (service, port, chosen, world.mesh)
        return world.cells.looked(
            key, world, given, lambda w: _service_routes(w, proxy, service, port, listener, chosen)
        )

    def configuration(self, name: str) -> Json:
        """The whole, with what happens to all other hosts."""
        if "*" not in self.domains:
            self.made.append(_catch_all(self.proxy, self.seen))
        made: Json = {
            "name": name,
            "virtual_hosts": self.made,
            "validate_clusters": False,
            "max_direct_response_body_size_bytes": _BODY_LIMIT,
        }
        return made if self.with_port else {**made, "ignore_port_in_host_matching": True}


def _service_routes(  # noqa: PLR0913, PLR0917  all of it describes one virtual host
    world: World,
    proxy: Proxy,
    service: Service,
    port: ServicePort,
    listener: int,
    chosen: ConfigObject[VirtualService] | None,
) -> list[Json]:
    """What the virtual service says; else all to the service."""
    if chosen is not None:
        routes = http_routes(world, proxy, chosen, listener, _MESH, service)
        if routes:
            return routes
    return [_default(world, proxy, service, port)]


def _default(world: World, proxy: Proxy, service: Service, port: ServicePort) -> Json:
    policy = policy_for(world, destination_rule(world, proxy, service), port.number)
    hashing = policy.load_balancer.consistent_hash if policy.load_balancer else None
    made = default_route(
        outbound_cluster(port.number, "", service.hostname),
        f"{service.hostname}:{port.number}/*",
        world.mesh.default_http_retry_policy,
        hash_policy(hashing) if hashing else None,
    )
    return made | PRIVATE if service.external else made


def _covers_any(host: str, known: Iterable[str]) -> bool:
    """Whether a wildcard stands for one of these hosts."""
    return host.startswith("*") and any(matches(name, host) for name in known)


def sidecar_routes(world: World, proxy: Proxy, names: Collection[str]) -> list[Json]:
    """The route configurations of these names, as JSON of ``envoy.config.route.v3.RouteConfiguration``.

    A name is a port, ``host:port`` of a port without a known protocol, ``http_proxy``, or a socket.
    """
    seen = scope(world, proxy)
    who = viewer(world, proxy)
    return [
        world.once(("routes", name, *seen.key), partial(_configuration, world, who, seen, name))
        for name in names
    ]


def _configuration(world: World, who: Viewer, seen: Scope, name: str) -> Json:
    host, _, number = name.rpartition(":")
    egress = _listener_of(seen, name, int(number) if number.isdigit() else 0)
    if egress is None:
        return {"name": name, "virtual_hosts": [_catch_all(who.proxy, seen)]}
    hosts = _Hosts(world, who.proxy, who.key, seen, egress, with_port=name == HTTP_PROXY)
    if name == HTTP_PROXY:
        hosts.fill((s, p, p.number) for s in egress.services for p in _http_ports(s))
    elif number.isdigit():
        hosts.fill(_ports(egress, host, int(number)))
        if not host:
            hosts.unknown_hosts(int(number))
    else:
        hosts.fill(_ports(egress, "", egress.port))
    return hosts.configuration(name)


def _listener_of(seen: Scope, name: str, port: int) -> Egress | None:
    """The Sidecar's listener of a port or socket, else the one of all other ports."""
    for egress in seen.egress:
        if (port and egress.port == port) or (egress.listener.bind == name):
            return egress
    return next((e for e in seen.egress if not e.port), None)


def _http_ports(service: Service) -> list[ServicePort]:
    if service.resolution is Resolution.ALIAS:
        return []
    return [p for p in service.ports if p.protocol.http or p.protocol is Protocol.AUTO]


def _ports(egress: Egress, host: str, number: int) -> Iterator[tuple[Service, ServicePort, int]]:
    for service in egress.services:
        if host and service.hostname != host:
            continue
        offered = _http_ports(service)
        found = [p for p in offered if p.number == number]
        if not found and egress.port:
            found = offered[:1]  # the Sidecar's port stands for whichever port its services have
        for port in found:
            yield service, port, number


def _catch_all(proxy: Proxy, seen: Scope) -> Json:
    """The virtual host of all other hosts."""
    route: Json = {"match": {"prefix": "/"}}
    if seen.outbound == "REGISTRY_ONLY":
        black_hole = {"filter_metadata": {"istio": {"cluster": BLACK_HOLE}}}
        route |= {"name": "block_all", "direct_response": {"status": 502}, "metadata": black_hole}
    else:
        cluster = ANY_BY_DNS if seen.outbound == "ALLOW_ANY_DYNAMIC_DNS" else PASSTHROUGH
        private = PRIVATE
        other = seen.egress_proxy
        if other is not None and other.host and seen.sidecar is not None:
            host = full_host(other.host, seen.sidecar.namespace, proxy.domain)
            cluster = outbound_cluster(other.port.number if other.port else 0, other.subset, host)
            private = {}
        route |= {"name": "allow_any", "route": {"cluster": cluster, "timeout": "0s"}, **private}
    return {
        "name": route["name"],
        "domains": ["*"],
        "routes": [route],
        "include_request_attempt_count": True,
    }
