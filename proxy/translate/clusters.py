"""Clusters: of every service port and subset that a proxy sees, of its own ports, and the special ones."""

from typing import Any

from proxy.api.destination_rule import Subset
from proxy.envoy.messages import typed
from proxy.registry.model import Protocol, Resolution, Service, ServicePort
from proxy.translate.cluster_policy import (
    connection_pool,
    load_balancing,
    outlier_detection,
    protocol_options,
)
from proxy.translate.cluster_tls import config_source, transport
from proxy.translate.destination_rules import Policy, Rule, destination_rule, policy_for
from proxy.translate.endpoints import by_name, load_assignment
from proxy.translate.inbound_clusters import inbound_clusters
from proxy.translate.names import outbound_cluster, seconds
from proxy.translate.scope import Scope, scope
from proxy.translate.viewer import Viewer, viewer
from proxy.translate.world import Interception, Proxy, ProxyType, World

Json = dict[str, Any]

BLACK_HOLE = "BlackHoleCluster"
PASSTHROUGH = "PassthroughCluster"
ANY_BY_DNS = "AllowAnyDynamicDNSCluster"
_DYNAMIC = "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig"
_DEFAULT_TIMEOUT = 10


def dns_cache() -> Json:
    """The one cache of names that clusters and filters of dynamic forwarding share."""
    return {"name": "dynamic", "dns_lookup_family": "V4_PREFERRED"}


def clusters(world: World, proxy: Proxy) -> list[Json]:
    """All clusters of a proxy, as JSON of ``envoy.config.cluster.v3.Cluster``; names are unique."""
    seen = scope(world, proxy)
    made = [*world.once(("clusters", *seen.key), lambda: _outbound(world, viewer(world, proxy), seen))]
    if proxy.type is ProxyType.SIDECAR:
        made += inbound_clusters(world, proxy, seen)
    return list({c["name"]: c for c in made}.values())


def _outbound(world: World, who: Viewer, seen: Scope) -> list[Json]:
    """The clusters of all that a viewer may call."""
    made = [c for service in seen.services for c in _kept_clusters(world, who, service)]
    return made + _special(world, who.proxy, seen)


def _kept_clusters(world: World, who: Viewer, service: Service) -> list[Json]:
    key = ("clusters", who.key, *service.identity)
    given = (service, world.mesh)
    return world.cells.looked(key, world, given, lambda w: service_clusters(w, who.proxy, service))


def service_clusters(world: World, proxy: Proxy, service: Service) -> list[Json]:
    """The clusters of a service: one for each port, and for each subset of each port."""
    if service.resolution is Resolution.ALIAS:
        return []
    rule = destination_rule(world, proxy, service)
    subsets: tuple[Subset | None, ...] = (None, *(rule.subsets if rule else ()))
    return [
        _cluster(world, proxy, service, port, rule, subset)
        for port in service.ports
        if port.protocol is not Protocol.UDP
        for subset in subsets
    ]


def _cluster(  # noqa: PLR0913, PLR0917  all of it describes one cluster
    world: World, proxy: Proxy, service: Service, port: ServicePort, rule: Rule | None, subset: Subset | None
) -> Json:
    policy = policy_for(world, rule, port.number, subset)
    subset_name = subset.name if subset else ""
    return {
        "name": outbound_cluster(port.number, subset_name, service.hostname),
        **connection_pool(world, policy),
        **_discovery(world, proxy, service, port, policy, subset),
        **outlier_detection(policy.outlier_detection),
        **protocol_options(world, service, port.protocol, policy),
        **transport(world, proxy, service, port.number, subset_name, policy),
        "metadata": {"filter_metadata": {"istio": _metadata(service, rule, subset_name)}},
    }


def _discovery(  # noqa: PLR0913, PLR0917  all of it describes one cluster
    world: World, proxy: Proxy, service: Service, port: ServicePort, policy: Policy, subset: Subset | None
) -> Json:
    """How endpoints are found and chosen."""
    resolution = service.resolution
    if resolution is Resolution.PASSTHROUGH and service.endpoints and proxy.interception is Interception.NONE:
        resolution = Resolution.EDS  # nothing keeps the original destination for the proxy
    simple = policy.load_balancer.simple if policy.load_balancer else None
    if (
        resolution is Resolution.PASSTHROUGH
        and proxy.interception is Interception.NONE
        and port.protocol.http
    ):
        return _dynamic()  # the Host header names the destination
    if resolution is Resolution.PASSTHROUGH or (simple == "PASSTHROUGH" and resolution is Resolution.EDS):
        return {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
    if resolution is Resolution.DYNAMIC_DNS:
        return _dynamic()
    balancing = load_balancing(world, policy)
    if not by_name(resolution):
        return {"type": "EDS", "eds_cluster_config": {"eds_config": config_source()}, **balancing}
    assignment = load_assignment(world, proxy, service, port.number, subset, subset.name if subset else "")
    if resolution is Resolution.LOGICAL_DNS:
        assignment = _first_only(assignment)
    return {
        "type": resolution.value,
        "dns_lookup_family": "V4_PREFERRED",
        "dns_refresh_rate": "60s",
        "respect_dns_ttl": True,
        "load_assignment": assignment,
        **balancing,
    }


def _first_only(assignment: Json) -> Json:
    """A logical DNS cluster takes exactly one name."""
    kept = [{**g, "lb_endpoints": g["lb_endpoints"][:1]} for g in assignment["endpoints"][:1]]
    return {**assignment, "endpoints": kept}


def _dynamic() -> Json:
    config = typed(_DYNAMIC, {"dns_cache_config": dns_cache()})
    return {
        "cluster_type": {"name": "envoy.clusters.dynamic_forward_proxy", "typed_config": config},
        "lb_policy": "CLUSTER_PROVIDED",
    }


def _metadata(service: Service, rule: Rule | None, subset: str) -> Json:
    made: Json = {
        "services": [{"host": service.hostname, "name": service.name, "namespace": service.namespace}]
    }
    if service.external:
        made["external"] = True
    if subset:
        made["subset"] = subset
    if rule:
        made["config"] = (
            f"/apis/networking.istio.io/v1/namespaces/{rule.namespace}/destination-rule/{rule.name}"
        )
    return made


def _special(world: World, proxy: Proxy, seen: Scope) -> list[Json]:
    timeout = world.mesh.connect_timeout
    common: Json = {"connect_timeout": seconds(timeout) if timeout else f"{_DEFAULT_TIMEOUT}s"}
    pool = connection_pool(world, Policy())
    through: Json = {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
    if proxy.interception is Interception.NONE:
        through = _dynamic()  # the destination that the caller wanted stands in its Host header only
    made = [
        {"name": BLACK_HOLE, "type": "STATIC", **common},
        {"name": PASSTHROUGH, **pool, **through},
    ]
    if seen.outbound == "ALLOW_ANY_DYNAMIC_DNS":
        made.append({"name": ANY_BY_DNS, **pool, **_dynamic()})
    return made
