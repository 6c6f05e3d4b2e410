"""What tells proxies apart when they look at the mesh; most workloads of a namespace see the same."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from proxy.api.destination_rule import DestinationRule, LocalityLoadBalancerSetting, TrafficPolicy
from proxy.api.virtual_service import VirtualService
from proxy.translate.world import Proxy, World


@dataclass(frozen=True, slots=True)
class Viewer:
    """A proxy without what is its own.

    Attributes:
        proxy: has neither id nor addresses nor ports, and only those labels that some rule asks for.
        key: the same for viewers that see the same.
    """

    proxy: Proxy
    key: tuple[object, ...]


def viewer(world: World, proxy: Proxy) -> Viewer:
    """The viewer that a proxy is."""
    asked = _asked_labels(world)
    labels = {key: value for key, value in sorted(proxy.labels.items()) if key in asked}
    bare = replace(
        proxy,
        id="",
        addresses=(),
        inbound=(),
        workload="",
        service_account="",
        bind="",
        http_proxy_port=0,
        labels=labels,
    )
    key = (
        bare.type,
        bare.namespace,
        tuple(labels.items()),
        bare.dns_domain,
        bare.locality,
        bare.network,
        bare.cluster,
        bare.interception,
        bare.dns_capture,
        bare.sds_cluster,
    )
    return Viewer(bare, key)


def _asked_labels(world: World) -> frozenset[str]:
    """Labels of the calling workload that routes, destination rules or locality settings ask for."""
    return world.once(("asked labels",), lambda: frozenset(_keys(world)))


def _keys(world: World) -> Iterator[str]:
    for virtual_service in world.config.all(VirtualService):
        for rule in virtual_service.spec.http:
            for match in rule.match:
                yield from match.source_labels
    for found in world.config.all(DestinationRule):
        if found.spec.workload_selector:
            yield from found.spec.workload_selector.labels
        for policy in (found.spec.traffic_policy, *(s.traffic_policy for s in found.spec.subsets)):
            yield from _priorities_of(policy)
    yield from _priorities(world.mesh.locality_lb_setting)


def _priorities_of(policy: TrafficPolicy | None) -> Iterator[str]:
    if policy is None:
        return
    for balancer in (policy.load_balancer, *(p.load_balancer for p in policy.port_level_settings)):
        if balancer is not None:
            yield from _priorities(balancer.locality_lb_setting)


def _priorities(setting: LocalityLoadBalancerSetting | None) -> Iterator[str]:
    for key in setting.failover_priority if setting else ():
        yield key.partition("=")[0]
