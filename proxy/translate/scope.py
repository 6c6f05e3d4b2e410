"""What a proxy sees: services and virtual services, by its Sidecar and everyone's ``exportTo``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from proxy.api.base import Model
from proxy.api.sidecar import IstioEgressListener, Sidecar
from proxy.api.virtual_service import Destination, VirtualService
from proxy.config.objects import ConfigObject
from proxy.registry.model import Service
from proxy.registry.workloads import selects
from proxy.translate.destination_rules import exported
from proxy.translate.hosts import overlap
from proxy.translate.names import full_host, matches
from proxy.translate.viewer import viewer
from proxy.translate.world import Proxy, World

MESH = "mesh"
_EVERYTHING = IstioEgressListener(hosts=("*/*",))
Outbound = Literal["REGISTRY_ONLY", "ALLOW_ANY", "ALLOW_ANY_DYNAMIC_DNS"]


@dataclass(frozen=True, slots=True)
class Egress:
    """One listener of a Sidecar's ``egress``, and what it reaches.

    Attributes:
        listener: as declared; without a port it stands for the ports of all its services.
        services: that it reaches; oldest first, one for each host name.
        virtual_services: that route its traffic.
        routed: the same by full host; of two for one host the older counts.
        wildcards: of these hosts, the longest first.
    """

    listener: IstioEgressListener
    services: tuple[Service, ...]
    virtual_services: tuple[ConfigObject[VirtualService], ...]
    routed: Mapping[str, ConfigObject[VirtualService]]
    wildcards: tuple[str, ...]

    @property
    def port(self) -> int:
        """Its port; 0: those of its services."""
        return self.listener.port.number if self.listener.port else 0


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a proxy sees.

    Attributes:
        sidecar: the object that says so; None: none applies.
        egress: its listeners; the one without a port is last.
        services: of all listeners together.
        outbound: what happens to traffic to other hosts.
        egress_proxy: where that traffic goes instead of where it wants to.
        by_host: ``services`` by host name.
        key: of who sees just this, in this world.
    """

    sidecar: ConfigObject[Sidecar] | None
    egress: tuple[Egress, ...]
    services: tuple[Service, ...]
    outbound: Outbound
    egress_proxy: Destination | None = None

    by_host: Mapping[str, Service] = field(default_factory=dict)
    key: tuple[object, ...] = ()


def select_sidecar(world: World, proxy: Proxy) -> ConfigObject[Sidecar] | None:
    """The Sidecar that applies: by workload, else its namespace's, else the root namespace's."""
    every = world.config.all(Sidecar)
    own = [s for s in every if s.namespace == proxy.namespace]
    for sidecar in own:
        selector = sidecar.spec.workload_selector
        if selector and selector.labels and selects(selector.labels, proxy.labels):
            return sidecar
    root = [s for s in every if s.namespace == world.mesh.root_namespace]
    return next((s for s in (*own, *root) if not _labels(s)), None)


def _labels(sidecar: ConfigObject[Sidecar]) -> Mapping[str, str]:
    return sidecar.spec.workload_selector.labels if sidecar.spec.workload_selector else {}


def scope(world: World, proxy: Proxy) -> Scope:
    """What this proxy sees; worked out once for all that see the same."""
    sidecar = select_sidecar(world, proxy)
    who = viewer(world, proxy)
    key = (*who.key, sidecar.key if sidecar else None)
    return world.once(("scope", *key), lambda: replace(_scope(world, who.proxy, sidecar), key=key))


def _scope(world: World, proxy: Proxy, sidecar: ConfigObject[Sidecar] | None) -> Scope:
    declared = (sidecar.spec.egress if sidecar else ()) or (_EVERYTHING,)
    visible = [s for s in world.services if exported(s.export_to or ("*",), s.namespace, proxy.namespace)]
    routing = _mesh_virtual_services(world, proxy)
    ordered = sorted(declared, key=lambda listener: not _number(listener))
    egress = tuple(_egress(listener, proxy, visible, routing) for listener in ordered)
    outbound: Outbound = world.mesh.outbound_traffic_policy.mode
    chosen = sidecar.spec.outbound_traffic_policy if sidecar else None
    services = _one_each((s for e in egress for s in e.services), proxy.namespace)
    return Scope(
        sidecar=sidecar,
        egress=egress,
        services=services,
        outbound=chosen.mode if chosen else outbound,
        egress_proxy=chosen.egress_proxy if chosen else None,
        by_host={s.hostname: s for s in services},
    )


def _number(listener: IstioEgressListener) -> int:
    return listener.port.number if listener.port else 0


def _mesh_virtual_services(world: World, proxy: Proxy) -> list[ConfigObject[VirtualService]]:
    default = world.mesh.default_virtual_service_export_to or ("*",)
    return [
        v
        for v in world.config.all(VirtualService)
        if v.spec.hosts
        and (not v.spec.gateways or MESH in v.spec.gateways)
        and exported(v.spec.export_to or default, v.namespace, proxy.namespace)
    ]


def _egress(
    listener: IstioEgressListener,
    proxy: Proxy,
    visible: Sequence[Service],
    routing: Sequence[ConfigObject[VirtualService]],
) -> Egress:
    wanted = [_split(host, proxy) for host in listener.hosts]
    found = [s for s in visible if _imported(wanted, s.namespace, [s.hostname])]
    rules = tuple(v for v in routing if _imported(wanted, v.namespace, _hosts(v, proxy)))
    if listener.hosts != _EVERYTHING.hosts:
        named = {host for v in rules for host in _destinations(v, proxy)}
        hosts = {s.hostname for s in found}
        found += [s for s in visible if s.hostname in named - hosts]
    order = {id(service): place for place, service in enumerate(visible)}
    found.sort(key=lambda service: order[id(service)])
    port = _number(listener)
    kept = [_narrowed(s, port) for s in found] if port else found
    routed = {host: v for v in reversed(rules) for host in _hosts(v, proxy)}
    wildcards = sorted((host for host in routed if host.startswith("*")), key=len, reverse=True)
    return Egress(listener, _one_each(kept, proxy.namespace), rules, routed, tuple(wildcards))


def _narrowed(service: Service, port: int) -> Service:
    """A listener of one port reaches this port only of a service that has it, else all it has."""
    found = service.port(port)
    return replace(service, ports=(found,)) if found else service


def _split(host: str, proxy: Proxy) -> tuple[str, str]:
    namespace, _, pattern = host.partition("/")
    return (proxy.namespace if namespace == "." else namespace), pattern


def _imported(wanted: Iterable[tuple[str, str]], namespace: str, hosts: Sequence[str]) -> bool:
    return any(
        space != "~" and space in ("*", namespace) and any(overlap(pattern, host) for host in hosts)
        for space, pattern in wanted
    )


def _hosts(virtual_service: ConfigObject[VirtualService], proxy: Proxy) -> list[str]:
    return [full_host(h, virtual_service.namespace, proxy.domain) for h in virtual_service.spec.hosts]


def _destinations(virtual_service: ConfigObject[VirtualService], proxy: Proxy) -> Iterator[str]:
    for found in _within(virtual_service.spec):
        yield full_host(found.host, virtual_service.namespace, proxy.domain)


def _within(spec: Model) -> Iterator[Destination]:
    """Every Destination anywhere in a message."""
    if isinstance(spec, Destination):
        yield spec
        return
    for _, value in spec:
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Model):
                yield from _within(part)


def _one_each(services: Iterable[Service], namespace: str) -> tuple[Service, ...]:
    """One service for each host: the caller's namespace has the first word, then the oldest.

    A host that several listeners reach, each by another port, keeps the ports of all.
    """
    by_host: dict[str, Service] = {}
    for service in services:
        known = by_host.get(service.hostname)
        if known is None or (service.namespace == namespace != known.namespace):
            by_host[service.hostname] = service
        elif known.namespace == service.namespace:
            more = tuple(p for p in service.ports if p not in known.ports)
            by_host[service.hostname] = replace(known, ports=known.ports + more)
    return tuple(by_host.values())


def best_virtual_service(egress: Egress, host: str) -> ConfigObject[VirtualService] | None:
    """The virtual service of a host: exact name, then the longest wildcard; the oldest of equal ones."""
    if host in egress.routed:
        return egress.routed[host]
    found = next((pattern for pattern in egress.wildcards if matches(host, pattern)), None)
    return egress.routed[found] if found else None
