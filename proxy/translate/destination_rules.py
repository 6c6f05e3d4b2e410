"""Which DestinationRule applies to a host, and what it says for a port and a subset."""

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.api.destination_rule import (
    ClientTLSSettings,
    ConnectionPoolSettings,
    DestinationRule,
    LoadBalancerSettings,
    OutlierDetection,
    ProxyProtocol,
    RetryBudget,
    Subset,
    TrafficPolicy,
    TunnelSettings,
)
from proxy.config.objects import ConfigObject
from proxy.registry.model import Service
from proxy.registry.workloads import selects
from proxy.translate.names import full_host, matches, specificity
from proxy.translate.world import Proxy, World


@dataclass(frozen=True, slots=True)
class Rule:
    """All rules of one host, merged.

    Attributes:
        name, namespace: of the first object.
        policy: of the host; None: none of the objects has one.
        subsets: of all objects, by name.
    """

    name: str
    namespace: str
    policy: TrafficPolicy | None
    subsets: tuple[Subset, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What applies to one port of one cluster."""

    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None
    tunnel: TunnelSettings | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


def exported(export_to: Sequence[str], owner: str, viewer: str) -> bool:
    """Whether an object of namespace ``owner`` is seen from ``viewer``."""
    return any(to == "*" or (to == "." and owner == viewer) or to == viewer for to in export_to)


def destination_rule(world: World, proxy: Proxy, service: Service) -> Rule | None:
    """The merged rule that this proxy applies to a service.

    Its own namespace is asked first, then the service's, then the root namespace; the first that has a
    rule for the host wins, exact host names before wildcards.
    """
    every = _visible(world, proxy)
    chosen = [r for r in every if _for_workload(r, proxy)]
    groups = [[r for r in chosen if r.namespace == proxy.namespace]]
    general = [r for r in every if not _selector(r)]
    groups += [
        [r for r in general if r.namespace == namespace]
        for namespace in dict.fromkeys((proxy.namespace, service.namespace, world.mesh.root_namespace))
    ]
    for group in groups:
        found = _best(group, service.hostname, proxy.domain)
        if found:
            return _merged(found)
    return None


def _visible(world: World, proxy: Proxy) -> list[ConfigObject[DestinationRule]]:
    default = world.mesh.default_destination_rule_export_to or ("*",)
    return [
        r
        for r in world.config.all(DestinationRule)
        if exported(r.spec.export_to or default, r.namespace, proxy.namespace)
    ]


def _selector(rule: ConfigObject[DestinationRule]) -> bool:
    return bool(rule.spec.workload_selector and rule.spec.workload_selector.labels)


def _for_workload(rule: ConfigObject[DestinationRule], proxy: Proxy) -> bool:
    selector = rule.spec.workload_selector
    return (
        bool(selector and selector.labels) and selects(selector.labels, proxy.labels) if selector else False
    )


def _best(
    rules: Sequence[ConfigObject[DestinationRule]], host: str, domain: str
) -> list[ConfigObject[DestinationRule]]:
    by_pattern: dict[str, list[ConfigObject[DestinationRule]]] = {}
    for rule in rules:
        pattern = full_host(rule.spec.host, rule.namespace, domain)
        if matches(host, pattern):
            by_pattern.setdefault(pattern, []).append(rule)
    return by_pattern[max(by_pattern, key=specificity)] if by_pattern else []


def _merged(rules: Sequence[ConfigObject[DestinationRule]]) -> Rule:
    subsets: dict[str, Subset] = {}
    for rule in rules:
        for subset in rule.spec.subsets:
            subsets.setdefault(subset.name, subset)
    policy = next((r.spec.traffic_policy for r in rules if r.spec.traffic_policy), None)
    return Rule(rules[0].name, rules[0].namespace, policy, tuple(subsets.values()))


def policy_for(world: World, rule: Rule | None, port: int, subset: Subset | None = None) -> Policy:
    """What applies to a port: the subset's word replaces the host's, block by block."""
    top = _for_port(rule.policy if rule else None, port)
    own = _for_port(subset.traffic_policy if subset else None, port)
    default = world.mesh.default_traffic_policy
    return Policy(
        load_balancer=own.load_balancer or top.load_balancer,
        connection_pool=own.connection_pool
        or top.connection_pool
        or (default.connection_pool if default else None),
        outlier_detection=own.outlier_detection
        or top.outlier_detection
        or (default.outlier_detection if default else None),
        tls=own.tls or top.tls,
        tunnel=own.tunnel or top.tunnel,
        proxy_protocol=own.proxy_protocol or top.proxy_protocol,
        retry_budget=own.retry_budget or top.retry_budget,
    )


def _for_port(policy: TrafficPolicy | None, port: int) -> Policy:
    if policy is None:
        return Policy()
    special = next((s for s in policy.port_level_settings if s.port and s.port.number == port), None)
    if special is not None:
        # A port's settings stand alone: what they leave out falls to Istio's defaults, not to the host's.
        return Policy(
            load_balancer=special.load_balancer,
            connection_pool=special.connection_pool,
            outlier_detection=special.outlier_detection,
            tls=special.tls,
            tunnel=policy.tunnel,
            proxy_protocol=policy.proxy_protocol,
            retry_budget=policy.retry_budget,
        )
    return Policy(
        load_balancer=policy.load_balancer,
        connection_pool=policy.connection_pool,
        outlier_detection=policy.outlier_detection,
        tls=policy.tls,
        tunnel=policy.tunnel,
        proxy_protocol=policy.proxy_protocol,
        retry_budget=policy.retry_budget,
    )
