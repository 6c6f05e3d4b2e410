"""Which AuthorizationPolicies hold for a proxy, and what is done with values that mean nothing."""

from typing import Any

import pytest

from proxy.envoy.messages import build
from proxy.translate.authorization import authorization_http, authorization_tcp
from proxy.translate.trust_domains import TrustDomains
from tests.proxy.translate.real_envoy import sidecar, world

HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"


def policy(name: str, spec: str, namespace: str = "default") -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n---\n"
    )


def names(filters: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    made = []
    for each in filters:
        config = each["typed_config"]
        rules = config.get("rules") or config.get("shadow_rules") or {}
        made.append(
            (rules.get("action", ""), sorted(n.split("policy")[1] for n in rules.get("policies", {})))
        )
    return made


ANY_PORT = "rules: [{to: [{operation: {ports: ['80']}}]}]"


def test_root_namespace_own_namespace_and_selectors() -> None:
    yaml = (
        policy("mesh", "{}", "istio-system")
        + policy("own", "{}")
        + policy("other", "{}", "elsewhere")
        + policy("mine", "{selector: {matchLabels: {app: reviews}}}")
        + policy("not-mine", "{selector: {matchLabels: {app: ratings}}}")
        + policy("attached", "{targetRefs: [{kind: Gateway, name: g}]}")
    )
    found = names(authorization_http(world(yaml), sidecar("reviews")))
    assert found == [("ALLOW", ["[mesh]-rule[0]", "[mine]-rule[0]", "[own]-rule[0]"])]


def test_order_of_actions() -> None:
    yaml = "".join(policy(a.lower(), f"{{action: {a}, {ANY_PORT}}}") for a in ("ALLOW", "DENY", "AUDIT"))
    yaml += policy("ask", f"{{action: CUSTOM, provider: {{name: none}}, {ANY_PORT}}}")
    for made in (authorization_http, authorization_tcp):
        filters = made(world(yaml), sidecar("reviews"))
        actions = [f["typed_config"]["rules"]["action"] for f in filters]
        assert actions == ["DENY", "LOG", "DENY", "ALLOW"]  # the first: an authorizer that is missing


def test_no_policy_no_filter() -> None:
    assert authorization_http(world(), sidecar("reviews")) == []
    assert authorization_tcp(world(), sidecar("reviews")) == []


@pytest.mark.parametrize(
    "rule",
    [
        "{to: [{operation: {ports: [http]}}]}",
        "{from: [{source: {ipBlocks: [10.0.0.0/99]}}]}",
        "{when: [{key: nothing.known, values: [x]}]}",
        "{when: [{key: request.headers, values: [x]}]}",
        "{when: [{key: 'request.auth.claims', values: [x]}]}",
        "{when: [{key: 'experimental.envoy.filters.a', values: [x]}]}",
    ],
)
def test_a_rule_with_a_bad_value_allows_nothing(rule: str) -> None:
    (made,) = authorization_http(world(policy("bad", f"{{rules: [{rule}]}}")), sidecar("reviews"))
    assert made["typed_config"]["rules"] == {"action": "ALLOW", "policies": {}}
    build(HTTP, made)


def test_a_bad_value_of_a_deny_rule_denies_more() -> None:
    spec = "{action: DENY, rules: [{to: [{operation: {ports: [http], methods: [GET]}}]}]}"
    (made,) = authorization_http(world(policy("bad", spec)), sidecar("reviews"))
    (permissions,) = next(iter(made["typed_config"]["rules"]["policies"].values()))["permissions"]
    method = {"header": {"name": ":method", "string_match": {"exact": "GET"}}}
    assert permissions == {"and_rules": {"rules": [{"or_rules": {"rules": [method]}}]}}


def test_lists_in_metadata() -> None:
    key = "experimental.envoy.filters.http.ext[roles]"
    spec = f"{{rules: [{{when: [{{key: '{key}', values: ['[admin*]']}}]}}]}}"
    (made,) = authorization_http(world(policy("list", spec)), sidecar("reviews"))
    (permission,) = next(iter(made["typed_config"]["rules"]["policies"].values()))["permissions"]
    (found,) = permission["and_rules"]["rules"]
    assert found["metadata"]["value"] == {"list_match": {"one_of": {"string_match": {"prefix": "admin"}}}}
    build(HTTP, made)


def test_trust_domains_of_identities() -> None:
    domains = TrustDomains(("td", "old-td"))
    assert domains.expand(("td/ns/a/sa/b",)) == ("td/ns/a/sa/b", "old-td/ns/a/sa/b")
    assert domains.expand(("*td/ns/a/sa/b",)) == ("*td/ns/a/sa/b",)
    assert domains.expand(("other/ns/a/sa/b", "*", "short")) == ("other/ns/a/sa/b", "*", "short")


def test_aliases_of_the_mesh() -> None:
    spec = "{rules: [{from: [{source: {principals: [new/ns/a/sa/b]}}]}]}"
    mesh = {"trustDomain": "new", "trustDomainAliases": ["old"]}
    (made,) = authorization_tcp(world(policy("a", spec), mesh), sidecar("reviews"))
    (principal,) = next(iter(made["typed_config"]["rules"]["policies"].values()))["principals"]
    (either,) = principal["and_ids"]["ids"]
    found = [p["authenticated"]["principal_name"]["exact"] for p in either["or_ids"]["ids"]]
    assert found == ["spiffe://new/ns/a/sa/b", "spiffe://old/ns/a/sa/b"]


@pytest.mark.parametrize(
    "provider",
    [
        {"envoyExtAuthzHttp": {"service": "authz.default.svc.cluster.local", "port": 0}},
        {"envoyExtAuthzHttp": {"service": "unknown", "port": 80}},
        {"envoyExtAuthzHttp": {"service": "authz.default.svc.cluster.local", "port": 80, "pathPrefix": "x"}},
        {
            "envoyExtAuthzGrpc": {
                "service": "authz.default.svc.cluster.local",
                "port": 80,
                "statusOnError": "x",
            }
        },
        {"prometheus": {}},
    ],
)
def test_a_bad_authorizer_denies(provider: dict[str, Any]) -> None:
    yaml = policy("ask", f"{{action: CUSTOM, provider: {{name: p}}, {ANY_PORT}}}")
    mesh = {"extensionProviders": [{"name": "p", **provider}]}
    for made in (authorization_http, authorization_tcp):
        (denied,) = made(world(yaml, mesh), sidecar("reviews"))
        assert denied["typed_config"]["rules"]["action"] == "DENY"


def test_an_http_authorizer_is_not_asked_about_connections() -> None:
    yaml = policy("ask", f"{{action: CUSTOM, provider: {{name: p}}, {ANY_PORT}}}")
    service = {"service": "default/authz.default.svc.cluster.local", "port": 80}
    mesh = {"extensionProviders": [{"name": "p", "envoyExtAuthzHttp": service}]}
    assert authorization_tcp(world(yaml, mesh), sidecar("reviews")) == []
    assert len(authorization_http(world(yaml, mesh), sidecar("reviews"))) == 2
