"""Where a destination of a virtual service leads: its cluster, and how requests to it are spread."""

from dataclasses import dataclass

from proxy.api.destination_rule import (
    ConsistentHashLB,
    DestinationRule,
    LoadBalancerSettings,
    TrafficPolicy,
)
from proxy.api.virtual_service import Destination
from proxy.config.objects import ConfigObject
from proxy.registry.model import Service
from proxy.translate.names import full_host, matches, outbound_cluster, specificity
from proxy.translate.world import Proxy, World

BLACK_HOLE = "BlackHoleCluster"


@dataclass(frozen=True, slots=True)
class RouteScope:
    """Where routes are for.

    Attributes:
        world: the mesh.
        proxy: whose routes they are.
        port: of the listener; taken where neither a destination nor its service tells the port.
        gateways: that the listener belongs to: ``mesh`` or ``namespace/name``.
        service: that the listener's host belongs to; None on gateways.
    """

    world: World
    proxy: Proxy
    port: int
    gateways: frozenset[str]
    service: Service | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A port and subset of a host.

    Attributes:
        host: full name.
        service: of that host, when the registry has it.
    """

    host: str
    port: int
    subset: str
    service: Service | None

    @property
    def cluster(self) -> str:
        """Name of its cluster."""
        return outbound_cluster(self.port, self.subset, self.host)


def find_service(world: World, host: str, namespace: str) -> Service | None:
    """The service of this name; one in the namespace comes before others."""
    found: Service | None = None
    for service in world.services:
        if service.hostname == host:
            if service.namespace == namespace:
                return service
            found = found or service
    return found


def target(scope: RouteScope, destination: Destination | None, namespace: str) -> Target | None:
    """The target of a destination, written in an object of this namespace; None where it names no host."""
    if destination is None or not destination.host:
        return None
    host = full_host(destination.host, namespace, scope.proxy.domain)
    own = scope.service
    found = own if own and own.hostname == host else find_service(scope.world, host, namespace)
    if found and found.alias_of:
        host = found.alias_of
        found = find_service(scope.world, host, namespace) or found
    number = destination.port.number if destination.port else 0
    if not number and found and len(found.ports) == 1:
        number = found.ports[0].number
    return Target(host, number or scope.port, destination.subset, found)


def consistent_hash(world: World, proxy: Proxy, to: Target) -> ConsistentHashLB | None:
    """How the destination rule hashes requests to this target; None: it does not."""
    rule = _destination_rule(world, proxy, to)
    if rule is None:
        return None
    subset = next((s.traffic_policy for s in rule.spec.subsets if s.name == to.subset), None)
    for policy in (subset, rule.spec.traffic_policy):
        balancer = _load_balancer(policy, to.port)
        if balancer is not None:
            return balancer.consistent_hash
    return None


def _load_balancer(policy: TrafficPolicy | None, port: int) -> LoadBalancerSettings | None:
    if policy is None:
        return None
    for setting in policy.port_level_settings:
        if setting.port and setting.port.number == port:
            return setting.load_balancer
    return policy.load_balancer


def _destination_rule(world: World, proxy: Proxy, to: Target) -> ConfigObject[DestinationRule] | None:
    namespaces = [proxy.namespace, to.service.namespace if to.service else "", world.mesh.root_namespace]
    for namespace in dict.fromkeys(n for n in namespaces if n):
        hosts = [
            (full_host(rule.spec.host, rule.namespace, proxy.domain), rule)
            for rule in world.config.all(DestinationRule)
            if rule.namespace == namespace and _visible(world, rule, proxy) and _selects(rule, proxy)
        ]
        found = [(specificity(host), rule) for host, rule in hosts if matches(to.host, host)]
        if found:
            return max(found, key=lambda pair: pair[0])[1]
    return None


def _visible(world: World, rule: ConfigObject[DestinationRule], proxy: Proxy) -> bool:
    scopes = rule.spec.export_to or world.mesh.default_destination_rule_export_to or ("*",)
    own = rule.namespace == proxy.namespace
    return any(s in ("*", proxy.namespace) or (s == "." and own) for s in scopes)


def _selects(rule: ConfigObject[DestinationRule], proxy: Proxy) -> bool:
    selector = rule.spec.workload_selector
    return selector is None or all(proxy.labels.get(k) == v for k, v in selector.labels.items())
