"""Routes of HTTP requests: what a virtual service says, in Envoy's terms."""

from typing import Any

from proxy.api.virtual_service import Destination, HTTPMatchRequest, HTTPRetry, HTTPRoute, VirtualService
from proxy.config.objects import ConfigObject
from proxy.registry.model import Service
from proxy.translate.delegates import Rule, rules
from proxy.translate.destinations import RouteScope, Target, consistent_hash, target
from proxy.translate.faults import FAULT, fault_filter
from proxy.translate.names import seconds
from proxy.translate.peer_metadata import HEADERS
from proxy.translate.route_action import (
    authority,
    direct_response,
    header_changes,
    mirrored,
    redirect_action,
    rewritten,
)
from proxy.translate.route_match import applies, catches_all, route_match
from proxy.translate.route_policy import CORS, cors_filter, hash_policy, retry_policy
from proxy.translate.world import Proxy, World

Json = dict[str, Any]
PRIVATE: Json = {"request_headers_to_remove": list(HEADERS)}
"""The field of routes out of the mesh that keeps the caller's identity inside."""
_NO_LIMIT = {"timeout": "0s", "max_grpc_timeout": "0s"}


class _Routing:
    """Translates the rules of one virtual service for one listener."""

    def __init__(self, scope: RouteScope) -> None:
        self.scope, self.port = scope, scope.port

    def route(self, rule: Rule, match: HTTPMatchRequest | None) -> Json | None:
        """One ``Route``; None where the rule says nothing about what to do."""
        route = rule.route
        made: Json = {"match": route_match(match), "metadata": _metadata(rule)}
        if name := ".".join(n for n in (route.name, match.name if match else "") if n):
            made["name"] = name
        if match and match.stat_prefix:
            made["stat_prefix"] = match.stat_prefix
        if route.redirect is not None:
            made["redirect"] = redirect_action(route.redirect, self.port)
        elif route.direct_response is not None:
            made["direct_response"] = direct_response(route.direct_response)
        elif (action := self._action(rule)) is not None:
            made["route"] = action
        else:
            return None
        made |= header_changes(route.headers)
        if len(route.route) == 1:
            _extend(made, header_changes(route.route[0].headers))
        if "route" in made and any(self._leaves(rule, d.destination) for d in route.route):
            _extend(made, PRIVATE)
        made["decorator"] = {"operation": self._operation(rule, made)}
        if filters := _filters(route):
            made["typed_per_filter_config"] = filters
        return made

    def _action(self, rule: Rule) -> Json | None:
        route = rule.route
        targets = [self._target(rule, d.destination) for d in route.route]
        found = [t for t in targets if t is not None]
        if not found:
            return None
        made: Json = dict(_NO_LIMIT)
        if route.timeout is not None:
            made = dict.fromkeys(_NO_LIMIT, seconds(route.timeout))
        if host := authority(route.headers):
            made["host_rewrite_literal"] = host
        if len(route.route) == 1:
            made["cluster"] = found[0].cluster
            if host := authority(route.route[0].headers):
                made["host_rewrite_literal"] = host
        else:
            made["weighted_clusters"] = {"clusters": _weighted(route, targets)}
        if route.rewrite is not None:
            made |= rewritten(route.rewrite)
        hashes = [h for t in found if (h := self._hash(t)) is not None]
        if hashes:
            made["hash_policy"] = hashes
        retries = retry_policy(
            route.retries, self.scope.world.mesh.default_http_retry_policy, hashed=bool(hashes)
        )
        if retries is not None:
            made["retry_policy"] = retries
        if mirrors := self._mirrors(rule):
            made["request_mirror_policies"] = mirrors
        return made

    def _target(self, rule: Rule, destination: Destination | None) -> Target | None:
        return target(self.scope, destination, rule.source.namespace)

    def _leaves(self, rule: Rule, destination: Destination | None) -> bool:
        """Whether a destination is outside the mesh."""
        to = self._target(rule, destination)
        return to is not None and to.service is not None and to.service.external

    def _hash(self, to: Target) -> Json | None:
        consistent = consistent_hash(self.scope.world, self.scope.proxy, to)
        return hash_policy(consistent) if consistent else None

    def _mirrors(self, rule: Rule) -> list[Json]:
        return [
            {
                "cluster": to.cluster,
                "runtime_fraction": {"default_value": share},
                "trace_sampled": False,
                "disable_shadow_host_suffix_append": True,
            }
            for destination, share in mirrored(rule.route)
            if (to := self._target(rule, destination)) is not None
        ]

    def _operation(self, rule: Rule, route: Json) -> str:
        """The name of spans: one cluster's host and port, or the virtual service where there are several."""
        match = route["match"]
        path = match.get("path") or match.get("safe_regex", {}).get("regex") or match["prefix"] + "*"
        cluster = route.get("route", {}).get("cluster")
        if cluster:
            _, port, _, host = cluster.split("|")
            return f"{host}:{port}{path}"
        return f"{rule.source.name}:{self.port}{path}"


def http_routes(  # noqa: PLR0913, PLR0917 - callers have these apart
    world: World,
    proxy: Proxy,
    virtual_service: ConfigObject[VirtualService],
    port: int,
    gateways: frozenset[str],
    service: Service | None = None,
) -> list[Json]:
    """Routes (``envoy.config.route.v3.Route``) of a virtual service, in order.

    What can never be reached, behind a route for every request, is left out.

    Args:
        world: the mesh.
        proxy: whose routes they are.
        virtual_service: with its delegates still to be merged.
        port: of the listener.
        gateways: that the listener belongs to: ``mesh`` or ``namespace/name``.
        service: that the virtual host belongs to; None on gateways.
    """
    scope = RouteScope(world, proxy, port, gateways, service)
    routing = _Routing(scope)
    made: list[Json] = []
    for rule in rules(world, virtual_service):
        for match in rule.route.match or (None,):
            if match and not applies(match, scope, virtual_service.namespace):
                continue
            route = routing.route(rule, match)
            if route is None:
                continue
            made.append(route)
            if catches_all(route["match"]):
                return made
    return made


def default_route(
    cluster: str, operation: str, retries: HTTPRetry | None = None, hashing: Json | None = None
) -> Json:
    """The route of a service that has no virtual service.

    Args:
        cluster: where all requests go.
        operation: name of spans, ``host:port/*``.
        retries: the mesh's default; None: Istio's.
        hashing: ``HashPolicy`` of the destination rule.
    """
    action: Json = {"cluster": cluster, **_NO_LIMIT}
    if hashing is not None:
        action["hash_policy"] = [hashing]
    policy = retry_policy(None, retries, hashed=hashing is not None)
    if policy is not None:
        action["retry_policy"] = policy
    return {
        "name": "default",
        "match": {"prefix": "/"},
        "route": action,
        "decorator": {"operation": operation},
    }


def _metadata(rule: Rule) -> Json:
    """Lets each request be traced back to the line of YAML that routed it."""
    source = rule.source
    config = f"/apis/{source.kind.group}/v1/namespaces/{source.namespace}/virtual-service/{source.name}"
    line = source.origin.line(("spec", "http", rule.index))
    values: Json = {"config": config, "rule": f"http[{rule.index}]"}
    if rule.route.name:
        values["rule_name"] = rule.route.name
    if source.origin.file:
        values["source"] = f"{source.origin.file}:{line}"
    return {"filter_metadata": {"istio": values}}


def _filters(route: HTTPRoute) -> Json:
    filters: Json = {}
    if route.cors_policy is not None:
        filters[CORS] = cors_filter(route.cors_policy)
    if route.fault is not None and (fault := fault_filter(route.fault)) is not None:
        filters[FAULT] = fault
    return filters


def _weighted(route: HTTPRoute, targets: list[Target | None]) -> list[Json]:
    made = []
    for destination, to in zip(route.route, targets, strict=True):
        if to is None or not destination.weight:
            continue
        entry: Json = {"name": to.cluster, "weight": destination.weight}
        if host := authority(destination.headers):
            entry["host_rewrite_literal"] = host
        made.append(entry | header_changes(destination.headers))
    return made


def _extend(made: Json, more: Json) -> None:
    for key, values in more.items():
        made[key] = [*made.get(key, []), *values]
