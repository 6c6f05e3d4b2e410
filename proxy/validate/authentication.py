"""PeerAuthentication, RequestAuthentication."""

import json
import re
from urllib.parse import urlsplit

from proxy.api.security import JWTRule, PeerAuthentication, RequestAuthentication
from proxy.validate import checks, scope
from proxy.validate.spot import Spot

_TARGET_HEADER = re.compile(r"[-_A-Za-z0-9]+")


def peer_authentication(at: Spot, spec: PeerAuthentication) -> None:
    """All rules of the kind."""
    scope.match_labels(at / "selector", spec.selector)
    spot = at / "portLevelMtls"
    if "port_level_mtls" in spec.model_fields_set:
        if not spec.port_level_mtls:
            spot.error("must not be empty: name a port or remove it")
        if spec.selector is None or not spec.selector.match_labels:
            spot.error("needs a selector: ports belong to workloads")
    for number in spec.port_level_mtls:
        checks.port(spot / str(number), number)


def request_authentication(at: Spot, spec: RequestAuthentication) -> None:
    """All rules of the kind."""
    scope.attachment(at, spec.selector, spec.target_ref, spec.target_refs)
    for spot, rule in at.each("jwtRules", spec.jwt_rules):
        _jwt_rule(spot, rule)


def _jwt_rule(at: Spot, rule: JWTRule) -> None:
    if not rule.issuer and not rule.jwks_uri:
        at.error("issuer or jwksUri is required")
    if "issuer" in rule.model_fields_set and not rule.issuer:
        (at / "issuer").error("must not be empty")
    checks.one_of(at, jwks=bool(rule.jwks), jwksUri=bool(rule.jwks_uri))
    if "jwks_uri" in rule.model_fields_set:
        _uri(at / "jwksUri", rule.jwks_uri)
    if rule.jwks:
        _keys(at / "jwks", rule.jwks)
    _token(at, rule)
    checks.duration(at / "timeout", rule.timeout)


def _token(at: Spot, rule: JWTRule) -> None:
    for name, values in (
        ("audiences", rule.audiences),
        ("fromParams", rule.from_params),
        ("fromCookies", rule.from_cookies),
        ("spaceDelimitedClaims", rule.space_delimited_claims),
    ):
        for spot, value in at.each(name, values):
            if not value:
                spot.error("must not be empty")
    for spot, header in at.each("fromHeaders", rule.from_headers):
        if not header.name:
            (spot / "name").error("required: the header that has the token")
    for spot, output in at.each("outputClaimToHeaders", rule.output_claim_to_headers):
        if not output.claim:
            (spot / "claim").error("required: the claim that is passed on")
        if not _TARGET_HEADER.fullmatch(output.header):
            (spot / "header").error(f"{output.header!r} is no header name of letters, digits, - and _")


def _uri(at: Spot, uri: str) -> None:
    try:
        parts = urlsplit(uri)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound:
        at.error(f"{uri!r} is no URL: write http://HOST/PATH or https://HOST/PATH")


def _keys(at: Spot, text: str) -> None:
    try:
        keys = json.loads(text)
    except ValueError as error:
        at.error(f"no JSON: {error}")
        return
    found = keys.get("keys") if isinstance(keys, dict) and "keys" in keys else [keys]
    if not isinstance(found, list) or not all(isinstance(key, dict) and "kty" in key for key in found):
        at.error('no JSON Web Key Set: write {"keys": [{"kty": ...}]}')
