"""VirtualService."""

from proxy.api.virtual_service import TCPRoute, TLSMatchAttributes, TLSRoute, VirtualService
from proxy.validate import checks, scope
from proxy.validate.addresses import is_ip, subnet
from proxy.validate.http_route import CLAIM, destination, http_route, weights
from proxy.validate.reachable import unreachable
from proxy.validate.spot import Spot

MESH = "mesh"


def virtual_service(at: Spot, spec: VirtualService) -> None:
    """All rules of the kind."""
    is_delegate = not spec.hosts
    if is_delegate:
        for name, value in (("gateways", spec.gateways), ("tls", spec.tls), ("tcp", spec.tcp)):
            if value:
                (at / name).error("a VirtualService without hosts is a delegate: it has only http")
    _hosts(at, spec)
    _gateways(at / "gateways", spec.gateways)
    if not (spec.http or spec.tls or spec.tcp):
        at.error("it needs one of http, tls, tcp")
    for spot, http in at.each("http", spec.http):
        http_route(spot, http, is_delegate=is_delegate)
        for where, match in spot.each("match", http.match):
            _gateways(where / "gateways", match.gateways)
            if not _for_gateways(spec):
                _claims(where / "headers", match.headers)
                _claims(where / "withoutHeaders", match.without_headers)
    for spot, tls in at.each("tls", spec.tls):
        _tls_route(spot, tls, spec)
    for spot, tcp in at.each("tcp", spec.tcp):
        _tcp_route(spot, tcp)
    scope.export_to(at, spec.export_to)
    unreachable(at, spec)


def _for_gateways(spec: VirtualService) -> bool:
    """It is for gateways only."""
    return bool(spec.gateways) and MESH not in spec.gateways


def _hosts(at: Spot, spec: VirtualService) -> None:
    sni = _for_gateways(spec) and any(match.sni_hosts for route in spec.tls for match in route.match)
    sound = True
    for spot, host in at.each("hosts", spec.hosts):
        if is_ip(host):
            continue
        if host == "*" and not _for_gateways(spec):
            spot.error("* is not allowed inside the mesh: name hosts, or gateways other than mesh")
            sound = False
        else:
            sound &= checks.hostname(spot, host, wildcard=True, sni=sni)
    for index, host in enumerate(spec.hosts) if sound else ():
        for earlier in spec.hosts[:index]:
            if _covers(earlier, host) or _covers(host, earlier):
                (at / "hosts" / index).error(f"{host!r} and {earlier!r} are duplicate hosts: keep one")


def _covers(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*") else pattern == host


def _gateways(at: Spot, names: tuple[str, ...]) -> None:
    for index, name in enumerate(names):
        spot = at / index
        namespace, slash, gateway = name.partition("/")
        if slash:
            checks.label(spot, namespace, "namespace")
            checks.label(spot, gateway, "gateway name")
        elif checks.hostname(spot, name) and "." in name:
            parts = name.split(".")
            spot.warn(f"write {parts[1]}/{parts[0]}: dotted names of gateways are of old releases")


def _claims(at: Spot, headers: dict[str, object] | object) -> None:
    for header in headers if isinstance(headers, dict) else ():
        if header.startswith(CLAIM):
            (at / header).error("routing by claims works on gateways only: name gateways other than mesh")


def _tls_route(at: Spot, route: TLSRoute, spec: VirtualService) -> None:
    if not route.match:
        at.error("a TLS route needs a match with sniHosts")
    for spot, match in at.each("match", route.match):
        _tls_match(spot, match, spec)
    _targets(at, route)


def _tls_match(at: Spot, match: TLSMatchAttributes, spec: VirtualService) -> None:
    if not match.sni_hosts:
        (at / "sniHosts").error("required: the server names that this route is for")
    for spot, host in at.each("sniHosts", match.sni_hosts):
        if is_ip(host):
            spot.warn(f"clients send no server name for an address like {host}")
        elif checks.hostname(spot, host, wildcard=True, sni=_for_gateways(spec)) and not any(
            _covers(own, host) for own in spec.hosts
        ):
            spot.error(f"{host!r} is none of the VirtualService's hosts: {', '.join(spec.hosts) or 'none'}")
    _l4(at, match.destination_subnets, match.port)
    checks.labels(at / "sourceLabels", match.source_labels)
    _gateways(at / "gateways", match.gateways)


def _tcp_route(at: Spot, route: TCPRoute) -> None:
    for spot, match in at.each("match", route.match):
        _l4(spot, match.destination_subnets, match.port)
        checks.labels(spot / "sourceLabels", match.source_labels)
        _gateways(spot / "gateways", match.gateways)
    _targets(at, route)


def _l4(at: Spot, subnets: tuple[str, ...], port: int) -> None:
    for spot, block in at.each("destinationSubnets", subnets):
        subnet(spot, block)
    if port:
        checks.port(at / "port", port)


def _targets(at: Spot, route: TLSRoute | TCPRoute) -> None:
    if not route.route:
        (at / "route").error("required: where to forward to")
    for spot, target in at.each("route", route.route):
        destination(spot / "destination", target.destination)
    weights(at / "route", route.route)
