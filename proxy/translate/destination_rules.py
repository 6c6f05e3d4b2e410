"""Which DestinationRule applies to a host, and what it says for a port and a subset."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
from proxy.translate.names import full_host, matches
from proxy.translate.world import Proxy, World

_Rules = tuple[ConfigObject[DestinationRule], ...]


@dataclass(slots=True)
class _Patterns:
    """Rules of one namespace by host: names, and wildcards from the longest to the shortest."""

    exact: dict[str, _Rules] = field(default_factory=dict)
    wildcards: list[tuple[str, _Rules]] = field(default_factory=list)


_NOTHING = _Patterns()


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
    default = world.mesh.default_destination_rule_export_to or ("*",)
    for namespace, for_workload in (
        (proxy.namespace, True),
        (proxy.namespace, False),
        (service.namespace, False),
        (world.mesh.root_namespace, False),
    ):
        for rules in world.look(_covering, namespace, service.hostname, proxy.domain):
            found = [
                rule
                for rule in rules
                if _applies(rule, proxy, for_workload=for_workload)
                and exported(rule.spec.export_to or default, namespace, proxy.namespace)
            ]
            if found:
                return _merged(found)
    return None


def _applies(rule: ConfigObject[DestinationRule], proxy: Proxy, *, for_workload: bool) -> bool:
    labels = rule.spec.workload_selector.labels if rule.spec.workload_selector else {}
    return selects(labels, proxy.labels) if labels and for_workload else bool(labels) == for_workload


def _covering(world: World, namespace: str, host: str, domain: str) -> tuple[_Rules, ...]:
    """Rules of a namespace for a host, by their pattern: the exact one, then long wildcards before short."""
    by_namespace = world.once(("destination rules", domain), lambda: _patterns(world, domain))
    patterns = by_namespace.get(namespace, _NOTHING)
    found = [rules for pattern, rules in patterns.wildcards if pattern != host and matches(host, pattern)]
    exact = patterns.exact.get(host)
    return (exact, *found) if exact else tuple(found)


def _patterns(world: World, domain: str) -> dict[str, _Patterns]:
    """All rules by namespace and full host."""
    by_host: dict[tuple[str, str], list[ConfigObject[DestinationRule]]] = {}
    for rule in world.config.all(DestinationRule):
        host = full_host(rule.spec.host, rule.namespace, domain)
        by_host.setdefault((rule.namespace, host), []).append(rule)
    made: dict[str, _Patterns] = {}
    for (namespace, host), rules in sorted(by_host.items(), key=lambda item: -len(item[0][1])):
        patterns = made.setdefault(namespace, _Patterns())
        patterns.exact[host] = tuple(rules)
        if host.startswith("*"):
            patterns.wildcards.append((host, tuple(rules)))
    return made


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
