"""Which ports a sidecar serves for its workload, and where each leads."""

from dataclasses import dataclass

from proxy.api.destination_rule import ConnectionPoolSettings
from proxy.api.gateway import ServerTLSSettings
from proxy.api.sidecar import IstioIngressListener
from proxy.registry.model import Protocol, Service
from proxy.registry.protocols import protocol_named
from proxy.registry.workloads import socket_path
from proxy.translate.scope import Scope
from proxy.translate.world import InboundBind, Instance, Interception, Proxy, World

WILDCARD = "0.0.0.0"  # noqa: S104  a name in filter chains
LOCALHOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class InboundPort:
    """A port of the workload.

    Attributes:
        number: where the workload, or its sidecar for it, is reached.
        protocol: of its oldest service.
        target: ``address:port`` or path of a socket where the application listens; empty: where the caller
            wanted to go.
        name: of its filter chains.
        bind: address of a listener of its own; empty: part of ``virtualInbound``.
        services: that have this port; oldest first.
        tls: what the Sidecar says instead of mutual TLS.
        pool: limits of connections to the application.
    """

    number: int
    protocol: Protocol
    target: str
    name: str
    bind: str = ""
    services: tuple[Service, ...] = ()
    tls: ServerTLSSettings | None = None
    pool: ConnectionPoolSettings | None = None


def inbound_ports(world: World, proxy: Proxy, seen: Scope) -> tuple[InboundPort, ...]:
    """The ports of a sidecar, each once: those of its Sidecar's ``ingress``, else those of its services."""
    spec = seen.sidecar.spec if seen.sidecar else None
    pool = spec.inbound_connection_pool if spec else None
    instances = world.instances(proxy)
    found: list[InboundPort] = [_bound(bind, instances, pool) for bind in proxy.inbound]
    if spec and spec.ingress:
        found += [_declared(listener, proxy, pool) for listener in spec.ingress if listener.port]
    elif proxy.interception is not Interception.NONE:
        found += _served(world, instances, pool)
    return tuple({port.number: port for port in reversed(found)}.values())[::-1]


def _bound(
    bind: InboundBind, instances: tuple[Instance, ...], pool: ConnectionPoolSettings | None
) -> InboundPort:
    services = _of_port(instances, bind.port)
    protocol = bind.protocol
    if protocol is Protocol.AUTO and services:
        protocol = _protocol(instances, bind.port)
    return InboundPort(
        number=bind.port,
        protocol=protocol,
        target=f"{LOCALHOST}:{bind.app_port}",
        name=f"{bind.bind}_{bind.port}",
        bind=bind.bind,
        services=services,
        pool=pool,
    )


def _declared(
    listener: IstioIngressListener, proxy: Proxy, pool: ConnectionPoolSettings | None
) -> InboundPort:
    number = listener.port.number if listener.port else 0
    address = listener.bind or proxy.addresses[0]
    real = proxy.interception is Interception.NONE or listener.capture_mode == "NONE"
    return InboundPort(
        number=number,
        protocol=protocol_named(listener.port.protocol if listener.port else ""),
        target=_target(listener.default_endpoint, proxy),
        name=f"{address}_{number}",
        bind=address if real else "",
        tls=listener.tls,
        pool=listener.connection_pool or pool,
    )


def _target(endpoint: str, proxy: Proxy) -> str:
    """``defaultEndpoint`` as an address; ``0.0.0.0`` stands for the workload's own."""
    if path := socket_path(endpoint):
        return path
    host, _, port = endpoint.rpartition(":")
    return f"{proxy.addresses[0]}:{port}" if host in (WILDCARD, "[::]") else endpoint


def _served(
    world: World, instances: tuple[Instance, ...], pool: ConnectionPoolSettings | None
) -> list[InboundPort]:
    local = world.mesh.inbound_traffic_policy.mode == "LOCALHOST"
    numbers = dict.fromkeys(i.endpoint.port for i in instances if i.endpoint.port)
    return [
        InboundPort(
            number=number,
            protocol=_protocol(instances, number),
            target=f"{LOCALHOST}:{number}" if local else "",
            name=f"{WILDCARD}_{number}",
            services=_of_port(instances, number),
            pool=pool,
        )
        for number in numbers
        if _protocol(instances, number) is not Protocol.UDP
    ]


def _of_port(instances: tuple[Instance, ...], number: int) -> tuple[Service, ...]:
    found = {i.service.hostname: i.service for i in reversed(instances) if i.endpoint.port == number}
    return tuple(found.values())[::-1]


def _protocol(instances: tuple[Instance, ...], number: int) -> Protocol:
    """That of the oldest service; services of one workload port that differ are the user's mistake."""
    for instance in instances:
        if instance.endpoint.port == number:
            for port in instance.service.ports:
                if port.name == instance.endpoint.service_port:
                    return port.protocol
    return Protocol.AUTO
