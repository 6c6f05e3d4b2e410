"""What the configuration does to the calls of a service: the badges of the mesh's graph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from proxy.api.destination_rule import DestinationRule, TrafficPolicy
from proxy.api.security import PeerAuthentication
from proxy.api.virtual_service import VirtualService
from proxy.config.collection import Collection
from proxy.config.mesh_config import ROOT_NAMESPACE

Place = tuple[str, str]
"""Namespace and name of a service; of a host that is no service of the mesh, the whole host."""


@dataclass(frozen=True, slots=True)
class Features:
    """Rules that apply to one service, from all objects that name it.

    Attributes:
        virtual_services: ``namespace/name`` of each.
        hosts: that these name.
        mtls: mode of the namespace's PeerAuthentication, else of the mesh's; empty: none says.
    """

    virtual_services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    circuit_breaker: bool = False
    fault_injection: bool = False
    mirroring: bool = False
    request_routing: bool = False
    request_timeout: bool = False
    traffic_shifting: bool = False
    tcp_traffic_shifting: bool = False
    mtls: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """A whole configuration.

    Attributes:
        services: by place; only those that some rule names.
        mtls: mode by namespace; the root namespace's is for all that have none.
    """

    services: Mapping[Place, Features] = field(default_factory=dict)
    mtls: Mapping[str, str] = field(default_factory=dict)

    def of(self, place: Place) -> Features:
        """What applies to a service."""
        mode = self.mtls.get(place[0]) or self.mtls.get(ROOT_NAMESPACE, "")
        return replace(self.services.get(place, Features()), mtls=mode)


def describe(config: Collection) -> Described:
    """The features of every service that a VirtualService or DestinationRule names."""
    found: dict[Place, Features] = {}
    for place, features in (*_routed(config), *_broken(config)):
        found[place] = _joined(found[place], features) if place in found else features
    modes = {
        each.namespace: each.spec.mtls.mode
        for each in config.all(PeerAuthentication)
        if each.spec.selector is None and each.spec.mtls and each.spec.mtls.mode != "UNSET"
    }
    return Described(found, modes)


def place_of(host: str, namespace: str) -> Place:
    """Where a host is; a name without dots is in the namespace of the object that names it."""
    name, _, rest = host.partition(".")
    if not rest:
        return namespace, name
    own, _, suffix = rest.partition(".")
    return (own, name) if suffix.startswith("svc.") or suffix == "svc" else (namespace, host)


def _routed(config: Collection) -> Iterator[tuple[Place, Features]]:
    for each in config.all(VirtualService):
        spec = each.spec
        features = Features(
            virtual_services=(f"{each.namespace}/{each.name}",),
            hosts=spec.hosts,
            fault_injection=any(route.fault for route in spec.http),
            mirroring=any(route.mirror or route.mirrors for route in spec.http),
            request_routing=bool(_destinations(spec)),
            request_timeout=any(route.timeout is not None for route in spec.http),
            traffic_shifting=any(len(route.route) > 1 for route in spec.http),
            tcp_traffic_shifting=any(len(route.route) > 1 for route in spec.tcp),
        )
        for place in dict.fromkeys(
            place_of(host, each.namespace) for host in (*spec.hosts, *_destinations(spec))
        ):
            yield place, features


def _destinations(spec: VirtualService) -> list[str]:
    """Hosts that routes lead to."""
    http = [part.destination for route in spec.http for part in route.route]
    tcp = [part.destination for route in spec.tcp for part in route.route]
    tls = [part.destination for route in spec.tls for part in route.route]
    return [each.host for each in (*http, *tcp, *tls) if each]


def _broken(config: Collection) -> Iterator[tuple[Place, Features]]:
    for each in config.all(DestinationRule):
        policies = (each.spec.traffic_policy, *(subset.traffic_policy for subset in each.spec.subsets))
        if any(_breaks(policy) for policy in policies):
            yield place_of(each.spec.host, each.namespace), Features(circuit_breaker=True)


def _breaks(policy: TrafficPolicy | None) -> bool:
    if policy is None:
        return False
    ports = policy.port_level_settings
    pools = (policy.connection_pool, *(port.connection_pool for port in ports))
    ejections = (policy.outlier_detection, *(port.outlier_detection for port in ports))
    return any(pools) or any(ejections)


def _joined(one: Features, other: Features) -> Features:
    return Features(
        virtual_services=tuple(dict.fromkeys((*one.virtual_services, *other.virtual_services))),
        hosts=tuple(dict.fromkeys((*one.hosts, *other.hosts))),
        circuit_breaker=one.circuit_breaker or other.circuit_breaker,
        fault_injection=one.fault_injection or other.fault_injection,
        mirroring=one.mirroring or other.mirroring,
        request_routing=one.request_routing or other.request_routing,
        request_timeout=one.request_timeout or other.request_timeout,
        traffic_shifting=one.traffic_shifting or other.traffic_shifting,
        tcp_traffic_shifting=one.tcp_traffic_shifting or other.tcp_traffic_shifting,
    )
