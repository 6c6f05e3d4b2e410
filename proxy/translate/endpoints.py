"""Endpoints of clusters, with what loggers and transport sockets read of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from proxy.api.destination_rule import LocalityLoadBalancerSetting, Subset
from proxy.registry.model import Endpoint, Resolution, Service
from proxy.registry.workloads import selects, socket_path
from proxy.translate.cluster_policy import locality_setting
from proxy.translate.destination_rules import Policy, Rule, destination_rule, policy_for
from proxy.translate.peer_authentication import Mtls, mtls_mode
from proxy.translate.scope import Scope, scope
from proxy.translate.viewer import Viewer, viewer
from proxy.translate.world import Proxy, World

Json = dict[str, Any]

PEER_METADATA = "mesh.peer"
"""Namespace of endpoint metadata with one key for each fact about the workload."""
_NAME_PARTS = 4
_CANONICAL = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
_REVISION = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")


def endpoints(world: World, proxy: Proxy, names: Collection[str]) -> list[Json]:
    """The ClusterLoadAssignments of these clusters, as far as the proxy sees them; others are empty."""
    seen, who = scope(world, proxy), viewer(world, proxy)
    return [
        world.once(("endpoints", name, *seen.key), partial(_kept, world, who, seen, name)) for name in names
    ]


def _kept(world: World, who: Viewer, seen: Scope, name: str) -> Json:
    service = seen.by_host.get(name.rpartition("|")[2])
    key = ("endpoints", who.key, name)
    given = (service, world.mesh)
    return world.cells.looked(key, world, given, lambda w: _assignment(w, who.proxy, service, name))


def _assignment(world: World, proxy: Proxy, service: Service | None, name: str) -> Json:
    parts = name.split("|")
    if service is None or len(parts) != _NAME_PARTS or parts[0] != "outbound" or not parts[1].isdigit():
        return {"cluster_name": name, "endpoints": []}
    subset = parts[2]
    rule = destination_rule(world, proxy, service)
    return load_assignment(world, proxy, service, int(parts[1]), _subset(rule, subset), subset)


def _subset(rule: Rule | None, name: str) -> Subset | None:
    return next((s for s in rule.subsets if s.name == name), None) if rule and name else None


def load_assignment(  # noqa: PLR0913, PLR0917  all of it describes one cluster
    world: World, proxy: Proxy, service: Service, port: int, subset: Subset | None, subset_name: str = ""
) -> Json:
    """The ClusterLoadAssignment of one port and subset of a service."""
    name = f"outbound|{port}|{subset_name}|{service.hostname}"
    declared = service.port(port)
    chosen = [
        e
        for e in service.endpoints
        if declared is not None
        and e.service_port == declared.name
        and e.healthy
        and (not subset_name or (subset is not None and selects(subset.labels, e.labels)))
    ]
    rule = destination_rule(world, proxy, service)
    policy = policy_for(world, rule, port, subset)
    return {"cluster_name": name, "endpoints": _localities(world, proxy, policy, service, chosen)}


def _localities(
    world: World, proxy: Proxy, policy: Policy, service: Service, chosen: Sequence[Endpoint]
) -> list[Json]:
    setting = locality_setting(world, policy)
    ranks = _ranks(setting, policy, proxy, chosen)
    groups: dict[tuple[int, str], list[Endpoint]] = {}
    for endpoint, rank in zip(chosen, ranks, strict=True):
        groups.setdefault((rank, endpoint.locality), []).append(endpoint)
    shares = _distributed(setting, proxy, [locality for _, locality in groups])
    made = []
    for (rank, locality), members in sorted(groups.items()):
        weight = sum(e.weight or 1 for e in members) if shares is None else shares.get(locality, 0)
        if weight:
            piece: Json = {
                "locality": _locality(locality),
                "lb_endpoints": [lb_endpoint(world, proxy, service, e) for e in members],
                "load_balancing_weight": weight,
            }
            made.append({**piece, "priority": rank} if rank else piece)
    return made


def _locality(text: str) -> Json:
    parts = text.split("/")
    return {key: part for key, part in zip(("region", "zone", "sub_zone"), parts, strict=False) if part}


def _ranks(
    setting: LocalityLoadBalancerSetting | None, policy: Policy, proxy: Proxy, chosen: Sequence[Endpoint]
) -> list[int]:
    """Priority of each endpoint, from 0 without gaps: near ones first, if failing ones are found out."""
    if setting is None or policy.outlier_detection is None or setting.distribute:
        return [0] * len(chosen)
    if setting.failover_priority:
        ranks = [_label_rank(setting.failover_priority, proxy, e) for e in chosen]
    elif proxy.locality:
        ranks = [_distance(setting, proxy.locality, e.locality) for e in chosen]
    else:
        return [0] * len(chosen)
    order = {rank: place for place, rank in enumerate(sorted(set(ranks)))}
    return [order[rank] for rank in ranks]


def _label_rank(wanted: Sequence[str], proxy: Proxy, endpoint: Endpoint) -> int:
    for place, label in enumerate(wanted):
        key, equals, value = label.partition("=")
        expected = value if equals else _label(proxy.labels, proxy.locality, key)
        if _label(endpoint.labels, endpoint.locality, key) != expected:
            return len(wanted) - place
    return 0


def _label(labels: Mapping[str, str], locality: str, key: str) -> str:
    parts = [*locality.split("/"), "", ""]
    known = {
        "topology.kubernetes.io/region": parts[0],
        "topology.kubernetes.io/zone": parts[1],
        "topology.istio.io/subzone": parts[2],
    }
    return labels.get(key) or known.get(key, "")


def _distance(setting: LocalityLoadBalancerSetting, here: str, there: str) -> int:
    own, other = here.split("/"), there.split("/")
    if own == other:
        return 0
    if own[0] == other[0]:
        return 1 if own[1:2] == other[1:2] else 2
    target = next((f.to for f in setting.failover if f.from_ == own[0]), "")
    return 3 if target == other[0] else 4


def _distributed(
    setting: LocalityLoadBalancerSetting | None, proxy: Proxy, localities: Iterable[str]
) -> dict[str, int] | None:
    """Weight of each locality where the settings distribute traffic of the proxy's own one."""
    if setting is None:
        return None
    rule = next((d for d in setting.distribute if _covers(d.from_, proxy.locality)), None)
    if rule is None:
        return None
    made: dict[str, int] = {}
    present = list(dict.fromkeys(localities))
    for pattern, share in rule.to.items():
        covered = [locality for locality in present if _covers(pattern, locality) and locality not in made]
        for locality in covered:
            made[locality] = max(1, share // len(covered))
    return made


def _covers(pattern: str, locality: str) -> bool:
    """``region/*`` and ``*`` cover what lies below."""
    if pattern in ("*", locality):
        return True
    head = pattern.removesuffix("/*")
    return locality == head or locality.startswith(head + "/")


def address(host: str, port: int) -> Json:
    """An Envoy Address of an IP address or a socket."""
    path = socket_path(host)
    return {"pipe": {"path": path}} if path else {"socket_address": {"address": host, "port_value": port}}


def lb_endpoint(world: World, proxy: Proxy, service: Service, endpoint: Endpoint) -> Json:
    """One endpoint, with who it is and whether it takes mutual TLS."""
    made: Json = {
        "endpoint": {"address": address(endpoint.address, endpoint.port)},
        "load_balancing_weight": endpoint.weight or 1,
        "metadata": {"filter_metadata": _metadata(world, proxy, service, endpoint)},
    }
    return made


def _metadata(world: World, proxy: Proxy, service: Service, endpoint: Endpoint) -> Json:
    canonical = _first(endpoint.labels, _CANONICAL) or endpoint.workload
    revision = _first(endpoint.labels, _REVISION) or "latest"
    cluster = "" if service.external else proxy.cluster
    whole = (endpoint.workload, endpoint.namespace, canonical, revision, cluster)
    peer = {
        "workload": endpoint.workload,
        "namespace": endpoint.namespace,
        "canonical": canonical,
        "revision": revision,
        "cluster": cluster,
        "app": endpoint.labels.get("app", ""),
        "version": endpoint.labels.get("version", ""),
    }
    made: Json = {"istio": {"workload": ";".join(whole)}, PEER_METADATA: {k: v for k, v in peer.items() if v}}
    if takes_mtls(world, endpoint):
        made["envoy.transport_socket_match"] = {"tlsMode": "istio"}
    return made


def takes_mtls(world: World, endpoint: Endpoint) -> bool:
    """Whether a proxy of the mesh stands before the endpoint, and its policy does not switch TLS off."""
    if not endpoint.mesh:
        return False
    mode = mtls_mode(world, endpoint.namespace, endpoint.labels, endpoint.port)
    return mode is not Mtls.DISABLE


def _first(labels: Mapping[str, str], keys: Iterable[str]) -> str:
    return next((labels[key] for key in keys if labels.get(key)), "")


def by_name(resolution: Resolution) -> bool:
    """Whether Envoy finds the addresses by DNS."""
    return resolution in (Resolution.STRICT_DNS, Resolution.LOGICAL_DNS)
