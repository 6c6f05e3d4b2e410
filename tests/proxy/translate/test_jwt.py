"""RequestAuthentication as jwt_authn."""

import json
from typing import Any

import pytest

from proxy.envoy.messages import build
from proxy.translate.jwt import jwks_uris, jwt_filters
from proxy.translate.jwt_keys import nobodys_key, usable
from tests.proxy.translate.real_envoy import sidecar, world

KEYS = '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'
HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"


def tokens(rules: str, name: str = "tokens", selector: str = "") -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\n"
        f"metadata: {{name: {name}}}\nspec: {{{selector} jwtRules: [{rules}]}}\n---\n"
    )


def config(yaml: str, jwks: dict[str, str] | None = None, *, gateway: bool = False) -> dict[str, Any]:
    (made,) = jwt_filters(world(yaml), sidecar("reviews", gateway=gateway), jwks or {})
    build(HTTP, made)
    found: dict[str, Any] = made["typed_config"]
    return found


def test_nothing_without_rules() -> None:
    other = tokens("{issuer: a}", selector="selector: {matchLabels: {app: ratings}},")
    assert jwt_filters(world(other), sidecar("reviews"), {}) == []


def test_a_missing_token_passes() -> None:
    made = config(tokens(f"{{issuer: a, jwks: '{KEYS}'}}"))
    (rule,) = made["rules"]
    requirements = rule["requires"]["requires_any"]["requirements"]
    assert requirements == [{"provider_name": "origins-0"}, {"allow_missing": {}}]
    provider = made["providers"]["origins-0"]
    assert provider["local_jwks"] == {"inline_string": KEYS}
    assert provider["from_headers"] == [{"name": "Authorization", "value_prefix": "Bearer "}]
    assert provider["from_params"] == ["access_token"]
    assert "forward" not in provider


def test_several_issuers_of_several_objects() -> None:
    yaml = tokens("{issuer: b, audiences: [x]}") + tokens("{issuer: a}", "more")
    made = config(yaml)
    assert [p["issuer"] for p in made["providers"].values()] == ["a", "b"]
    *each, both = made["rules"][0]["requires"]["requires_any"]["requirements"]
    assert each == [{"provider_name": "origins-0"}, {"provider_name": "origins-1"}]
    assert len(both["requires_all"]["requirements"]) == 2


def test_keys_that_were_fetched() -> None:
    yaml = tokens("{issuer: a, jwksUri: 'https://k/a'}, {issuer: b, jwksUri: 'https://k/b'}")
    assert jwks_uris(world(yaml)) == {"https://k/a", "https://k/b"}
    made = config(yaml, {"https://k/a": KEYS})
    assert made["providers"]["origins-0"]["local_jwks"]["inline_string"] == KEYS
    assert made["providers"]["origins-1"]["local_jwks"]["inline_string"] == nobodys_key()


@pytest.mark.parametrize("gateway", [True, False])
def test_routes_by_claims_are_chosen_after_the_token(gateway: bool) -> None:  # noqa: FBT001 - a parameter
    routes = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r}\nspec:\n"
        "  hosts: [a]\n  http: [{match: [{headers: {'@request.auth.claims.sub': {exact: x}}}]}]\n"
    )
    made = config(tokens("{issuer: a}") + routes, gateway=gateway)
    assert made["providers"]["origins-0"].get("clear_route_cache", False) is gateway


@pytest.mark.parametrize(
    "keys",
    [
        "",
        "[]",
        '{"keys": 1}',
        '{"keys": [1]}',
        '{"keys":[{"kty":"RSA","n":"AQAB"}]}',
        '{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}',
        '{"keys":[{"kty":"EC","crv":"P-1","x":"AQ","y":"AQ"}]}',
        '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"A"}]}',
        '{"keys":[{"kty":"oct","k":"***"}]}',
    ],
)
def test_keys_that_envoy_would_refuse(keys: str) -> None:
    assert usable(keys) == nobodys_key()


def test_nobodys_key_is_a_key() -> None:
    assert usable(nobodys_key()) is nobodys_key()
    assert json.loads(nobodys_key())["keys"][0]["kid"] == "nobody"
