"""AuthorizationPolicies of a proxy as filters: CUSTOM, AUDIT, DENY, ALLOW, in this order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from proxy.api.base import LabelSelector
from proxy.api.mesh import MeshConfig
from proxy.api.security import AuthorizationPolicy
from proxy.config.objects import ConfigObject
from proxy.envoy.messages import typed
from proxy.registry.model import Service
from proxy.translate import ext_authz
from proxy.translate.ext_authz import BadProvider
from proxy.translate.rbac import NEVER, Action, Scope, policy
from proxy.translate.trust_domains import TrustDomains
from proxy.translate.world import Proxy, World

Json = dict[str, Any]
Policy = ConfigObject[AuthorizationPolicy]
Level = Literal["http", "network"]

DRY_RUN = "istio.io/dry-run"
DRY_RUN_ALLOW = "istio_dry_run_allow_"
DRY_RUN_DENY = "istio_dry_run_deny_"
_ACTIONS: Mapping[str, Action] = {"AUDIT": "LOG", "DENY": "DENY", "ALLOW": "ALLOW"}


@dataclass(frozen=True, slots=True)
class Authorizer:
    """What filters are made with.

    Attributes:
        mesh: names the external authorizers.
        services: among which theirs are.
        trust_domains: that stand for one another in identities.
        level: of requests or of connections.
    """

    mesh: MeshConfig
    services: tuple[Service, ...]
    trust_domains: TrustDomains
    level: Level

    def filters(self, policies: Sequence[Policy]) -> list[Json]:
        """The filters of AUDIT, DENY and ALLOW policies, one for each of these actions that there is."""
        made = []
        for action, rbac_action in _ACTIONS.items():
            chosen = [p for p in policies if p.spec.action == action]
            if chosen:
                made.append(self._enforced(chosen, rbac_action))
        return made

    def custom(self, policies: Sequence[Policy]) -> list[Json]:
        """The filters of CUSTOM policies, by provider; a bad provider denies what its policies match."""
        chosen = [p for p in policies if p.spec.action == "CUSTOM" and not _dry_run(p)]
        named: dict[str, list[Policy]] = {}
        for each in chosen:
            named.setdefault(each.spec.provider.name if each.spec.provider else "", []).append(each)
        return [f for provider in sorted(named) for f in self._asked(provider, named[provider])]

    def _enforced(self, policies: Sequence[Policy], action: Action) -> Json:
        enforced = self._rules([p for p in policies if not _dry_run(p)], action)
        shadow = self._rules([p for p in policies if _dry_run(p)], action)
        config: Json = {"shadow_rules_stat_prefix": DRY_RUN_ALLOW}
        if enforced is not None:
            config["rules"] = enforced
        if shadow is not None:
            config["shadow_rules"] = shadow
            prefixes = {"ALLOW": DRY_RUN_ALLOW, "DENY": DRY_RUN_DENY, "LOG": ""}
            config["shadow_rules_stat_prefix"] = prefixes[action]
        return self._rbac(config)

    def _asked(self, name: str, policies: Sequence[Policy]) -> list[Json]:
        rules = self._rules(policies, "DENY", f"{ext_authz.PREFIX}-{name}-") or {}
        provider = next((p for p in self.mesh.extension_providers if p.name == name), None)
        make = ext_authz.http_filter if self.level == "http" else ext_authz.network_filter
        try:
            asking = make(provider, self.services)
        except BadProvider:
            denied = {f"{k}-deny-due-to-bad-CUSTOM-action": v for k, v in rules["policies"].items()}
            return [self._rbac({"rules": {**rules, "policies": denied}})]
        if asking is None:
            return []
        config = {"shadow_rules": rules, "shadow_rules_stat_prefix": ext_authz.SHADOW_PREFIX}
        return [self._rbac(config), asking]

    def _rules(self, policies: Sequence[Policy], action: Action, prefix: str = "") -> Json | None:
        if not policies:
            return None
        made: Json = {}
        for each in policies:
            name = f"{prefix}ns[{each.namespace}]-policy[{each.name}]-rule"
            scope = Scope(action, self.level == "network", each.namespace, self.trust_domains)
            found = {f"{name}[{i}]": policy(rule, scope) for i, rule in enumerate(each.spec.rules)}
            made |= {key: value for key, value in found.items() if value is not None}
            if not each.spec.rules:
                made[f"{name}[0]"] = NEVER
        return {"action": action, "policies": made}

    def _rbac(self, config: Json) -> Json:
        kind = f"envoy.extensions.filters.{self.level}.rbac.v3.RBAC"
        extra = {"stat_prefix": "tcp."} if self.level == "network" else {}
        return {"name": f"envoy.filters.{self.level}.rbac", "typed_config": typed(kind, {**config, **extra})}


def _dry_run(each: Policy) -> bool:
    return each.annotations.get(DRY_RUN, "").lower() in ("true", "1", "t")


def selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether a workload has all labels of a selector; no selector selects all."""
    return selector is None or all(labels.get(k) == v for k, v in selector.match_labels.items())


def policies_of(world: World, proxy: Proxy) -> tuple[Policy, ...]:
    """The policies that hold for a proxy: of the root namespace, then of its own."""
    root = world.mesh.root_namespace
    namespaces = dict.fromkeys((root, proxy.namespace))
    found: Iterable[Policy] = world.config.all(AuthorizationPolicy)
    chosen = [
        p
        for p in found
        if not p.spec.target_ref and not p.spec.target_refs and selects(p.spec.selector, proxy.labels)
    ]
    return tuple(p for namespace in namespaces for p in chosen if p.namespace == namespace)


def _authorizer(world: World, level: Level) -> Authorizer:
    return Authorizer(world.mesh, world.services, TrustDomains.of(world.mesh), level)


def authorization_custom_http(world: World, proxy: Proxy) -> list[Json]:
    """HTTP filters of the proxy's CUSTOM policies; they stand before authentication."""
    return _authorizer(world, "http").custom(policies_of(world, proxy))


def authorization_rules_http(world: World, proxy: Proxy) -> list[Json]:
    """HTTP filters of the proxy's AUDIT, DENY and ALLOW policies; they stand behind authentication."""
    return _authorizer(world, "http").filters(policies_of(world, proxy))


def authorization_http(world: World, proxy: Proxy) -> list[Json]:
    """HTTP filters of the proxy's policies, in order CUSTOM, AUDIT, DENY, ALLOW."""
    return [*authorization_custom_http(world, proxy), *authorization_rules_http(world, proxy)]


def authorization_tcp(world: World, proxy: Proxy) -> list[Json]:
    """Network filters of the proxy's policies, in order CUSTOM, AUDIT, DENY, ALLOW."""
    made = _authorizer(world, "network")
    policies = policies_of(world, proxy)
    return [*made.custom(policies), *made.filters(policies)]
