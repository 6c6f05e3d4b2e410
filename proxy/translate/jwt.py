"""RequestAuthentications of a proxy as Envoy's jwt_authn filter.

A bad token is refused, a missing one passes: that is for an AuthorizationPolicy to refuse.
"""

from collections.abc import Mapping
from typing import Any

from proxy.api.security import JWTRule, RequestAuthentication
from proxy.api.virtual_service import VirtualService
from proxy.envoy.messages import typed
from proxy.translate.authorization import selects
from proxy.translate.jwt_keys import usable
from proxy.translate.world import Proxy, ProxyType, World

Json = dict[str, Any]

_FILTER = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_SPACE_DELIMITED = ("scope", "permission")
_CLAIM_HEADER = "@request.auth.claims"
_BEARER = {"name": "Authorization", "value_prefix": "Bearer "}
_PARAMETER = "access_token"


def jwt_filters(world: World, proxy: Proxy, jwks: Mapping[str, str]) -> list[Json]:
    """The filter that checks tokens, or nothing where no RequestAuthentication holds.

    Args:
        world: holds the RequestAuthentications.
        proxy: that checks.
        jwks: what each ``jwksUri`` answered; one that is missing has no keys, so its tokens are refused.
    """
    rules = rules_of(world, proxy)
    if not rules:
        return []
    claims = proxy.type is ProxyType.GATEWAY and _routes_by_claims(world)
    providers = {f"origins-{i}": _provider(rule, jwks, claims=claims) for i, rule in enumerate(rules)}
    config = {
        "providers": providers,
        "rules": [{"match": {"prefix": "/"}, "requires": _requirement(tuple(providers))}],
        "bypass_cors_preflight": True,
    }
    return [{"name": "envoy.filters.http.jwt_authn", "typed_config": typed(_FILTER, config)}]


def rules_of(world: World, proxy: Proxy) -> tuple[JWTRule, ...]:
    """The issuers that a proxy accepts, by name; all objects of its scopes count."""
    found = [
        o
        for o in world.config.all(RequestAuthentication)
        if o.namespace in (world.mesh.root_namespace, proxy.namespace)
        and not o.spec.target_ref
        and not o.spec.target_refs
        and selects(o.spec.selector, proxy.labels)
    ]
    return tuple(sorted((rule for o in found for rule in o.spec.jwt_rules), key=lambda rule: rule.issuer))


def jwks_uris(world: World) -> frozenset[str]:
    """Where keys have to be fetched from, for all RequestAuthentications."""
    rules = (rule for o in world.config.all(RequestAuthentication) for rule in o.spec.jwt_rules)
    return frozenset(rule.jwks_uri for rule in rules if rule.jwks_uri and not rule.jwks)


def _routes_by_claims(world: World) -> bool:
    return any(
        header.startswith(_CLAIM_HEADER)
        for o in world.config.all(VirtualService)
        for route in o.spec.http
        for match in route.match
        for header in (*match.headers, *match.without_headers)
    )


def _provider(rule: JWTRule, jwks: Mapping[str, str], *, claims: bool) -> Json:
    keys = usable(rule.jwks or jwks.get(rule.jwks_uri, ""))
    made: Json = {
        "local_jwks": {"inline_string": keys},
        "payload_in_metadata": "payload",
        "normalize_payload_in_metadata": {
            "space_delimited_claims": list(dict.fromkeys((*_SPACE_DELIMITED, *rule.space_delimited_claims)))
        },
        **_locations(rule),
    }
    optional: Json = {
        "issuer": rule.issuer,
        "audiences": list(rule.audiences),
        "forward": rule.forward_original_token,
        "forward_payload_header": rule.output_payload_to_header,
        "claim_to_headers": [
            {"header_name": c.header, "claim_name": c.claim} for c in rule.output_claim_to_headers
        ],
        "clear_route_cache": claims,
    }
    return made | {key: value for key, value in optional.items() if value}


def _locations(rule: JWTRule) -> Json:
    if not (rule.from_headers or rule.from_params or rule.from_cookies):
        return {"from_headers": [_BEARER], "from_params": [_PARAMETER]}
    made: Json = {
        "from_headers": [{"name": h.name, "value_prefix": h.prefix} for h in rule.from_headers],
        "from_params": list(rule.from_params),
        "from_cookies": list(rule.from_cookies),
    }
    return {key: value for key, value in made.items() if value}


def _requirement(providers: tuple[str, ...]) -> Json:
    """One provider's token or none at all; with several, one of them, or tokens of several that all hold."""
    optional = [
        {"requires_any": {"requirements": [{"provider_name": name}, {"allow_missing": {}}]}}
        for name in providers
    ]
    if len(providers) == 1:
        return optional[0]
    each: list[Json] = [{"provider_name": name} for name in providers]
    return {"requires_any": {"requirements": [*each, {"requires_all": {"requirements": optional}}]}}
