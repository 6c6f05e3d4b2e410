"""Where a destination of a virtual service leads: its cluster, and how requests to it are spread."""

from dataclasses import dataclass

from proxy.api.destination_rule import ConsistentHashLB
from proxy.api.virtual_service import Destination
from proxy.registry.model import Service
from proxy.translate.destination_rules import destination_rule, policy_for
from proxy.translate.names import full_host, outbound_cluster
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


def target(scope: RouteScope, destination: Destination | None, namespace: str) -> Target | None:
    """The target of a destination, written in an object of this namespace; None where it names no host."""
    if destination is None or not destination.host:
        return None
    host = full_host(destination.host, namespace, scope.proxy.domain)
    own = scope.service
    found = own if own and own.hostname == host else scope.world.service(host, namespace)
    if found and found.alias_of:
        host = found.alias_of
        found = scope.world.service(host, namespace) or found
    number = destination.port.number if destination.port else 0
    if not number and found and len(found.ports) == 1:
        number = found.ports[0].number
    return Target(host, number or scope.port, destination.subset, found)


def consistent_hash(world: World, proxy: Proxy, to: Target) -> ConsistentHashLB | None:
    """How the destination rule hashes requests to this target; None: it does not."""
    if to.service is None:
        return None
    rule = destination_rule(world, proxy, to.service)
    subset = next((s for s in rule.subsets if s.name == to.subset), None) if rule else None
    balancer = policy_for(world, rule, to.port, subset).load_balancer
    return balancer.consistent_hash if balancer else None
