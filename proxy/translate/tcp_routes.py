"""Routes of connections: ``tcp_proxy`` for the tcp and tls rules of a virtual service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from proxy.api.virtual_service import L4MatchAttributes, RouteDestination, VirtualService
from proxy.config.objects import ConfigObject
from proxy.translate.destinations import BLACK_HOLE, RouteScope, target
from proxy.translate.route_match import applies

Json = dict[str, Any]
_BITS = {True: 128, False: 32}


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections that one rule takes.

    Attributes:
        match: the parts of ``FilterChainMatch`` that the rule gives: server_names, prefix_ranges.
        proxy: the ``cluster`` or ``weighted_clusters`` of ``TcpProxy``.
    """

    match: Json
    proxy: Json


def tls_routes(scope: RouteScope, virtual_service: ConfigObject[VirtualService]) -> Iterator[Connections]:
    """TLS connections by server name, one for each match of each rule."""
    for rule in virtual_service.spec.tls:
        for match in rule.match:
            if applies(match, scope, virtual_service.namespace):
                found: Json = {"server_names": list(match.sni_hosts)} if match.sni_hosts else {}
                found |= _ranges(match.destination_subnets)
                to = destinations(scope, virtual_service.namespace, rule.route)
                yield Connections(found, to)


def tcp_routes(scope: RouteScope, virtual_service: ConfigObject[VirtualService]) -> Iterator[Connections]:
    """TCP connections; a rule without match takes all, and those after it are never reached."""
    for rule in virtual_service.spec.tcp:
        to = destinations(scope, virtual_service.namespace, rule.route)
        for match in rule.match or (L4MatchAttributes(),):
            if not applies(match, scope, virtual_service.namespace):
                continue
            found = _ranges(match.destination_subnets)
            yield Connections(found, to)
            if not found:
                return


def destinations(scope: RouteScope, namespace: str, routes: Sequence[RouteDestination]) -> Json:
    """``cluster`` or ``weighted_clusters`` of ``TcpProxy``; no destination at all: the black hole."""
    targets = [(d.weight, target(scope, d.destination, namespace)) for d in routes]
    if len(targets) == 1 and targets[0][1] is not None:
        return {"cluster": targets[0][1].cluster}
    clusters = [{"name": to.cluster, "weight": weight} for weight, to in targets if to and weight]
    return {"weighted_clusters": {"clusters": clusters}} if clusters else {"cluster": BLACK_HOLE}


def _ranges(subnets: Sequence[str]) -> Json:
    ranges = []
    for subnet in subnets:
        address, _, length = subnet.partition("/")
        bits = int(length) if length else _BITS[":" in address]
        ranges.append({"address_prefix": address, "prefix_len": bits})
    return {"prefix_ranges": ranges} if ranges else {}
