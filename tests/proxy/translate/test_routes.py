"""Every field of a virtual service's HTTP rules, and what it becomes."""

from typing import Any

import pytest
import yaml

from proxy.api.virtual_service import VirtualService
from proxy.envoy.messages import build
from proxy.translate.routes import default_route, http_routes
from tests.proxy.translate.meshes import sidecar, world

MESH = frozenset({"mesh"})
HOST = "reviews.shop.svc.cluster.local"
TO = [{"destination": {"host": "reviews"}}]
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 9080}]}
---
apiVersion: v1
kind: Service
metadata: {name: two, namespace: shop}
spec: {clusterIP: 10.0.0.2, ports: [{name: http, port: 1}, {name: other, port: 2}]}
"""


def _document(name: str, spec: dict[str, Any]) -> str:
    metadata = {"name": name, "namespace": "shop"}
    kind = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    return yaml.safe_dump({**kind, "metadata": metadata, "spec": spec})


def _routes(*rules: dict[str, Any], port: int = 80, more: str = "", **mesh: Any) -> list[dict[str, Any]]:
    text = _document("vs", {"hosts": ["reviews"], "http": list(rules)})
    made = world(SERVICE, text, *([more] if more else []), mesh=mesh)
    found = made.config.get(VirtualService, "shop", "vs")
    assert found is not None
    routes = http_routes(made, sidecar(), found, port, MESH)
    for route in routes:
        build("envoy.config.route.v3.Route", route)
    return routes


def _route(**rule: Any) -> dict[str, Any]:
    return _routes({"route": TO, **rule})[0]


def _claim(*path: str) -> dict[str, Any]:
    keys = [{"key": "payload"}, *({"key": part} for part in path)]
    return {"filter": "envoy.filters.http.jwt_authn", "path": keys, "value": {"present_match": True}}


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, {"prefix": "/"}),
        ({"uri": {"exact": "/a"}}, {"path": "/a"}),
        ({"uri": {"prefix": "/a"}}, {"prefix": "/a"}),
        ({"uri": {"regex": "/a.*"}}, {"safe_regex": {"regex": "/a.*"}}),
        ({"uri": {"prefix": "/a"}, "ignoreUriCase": True}, {"prefix": "/a", "case_sensitive": False}),
        ({"method": {"exact": "GET"}}, {"headers": [(":method", {"exact": "GET"})]}),
        ({"scheme": {"exact": "https"}}, {"headers": [(":scheme", {"exact": "https"})]}),
        ({"authority": {"prefix": "a."}}, {"headers": [(":authority", {"prefix": "a."})]}),
        ({"headers": {"x": {"regex": "a+"}}}, {"headers": [("x", {"safe_regex": {"regex": "a+"}})]}),
        ({"headers": {"x": {}}}, {"headers": [{"name": "x", "present_match": True}]}),
        ({"headers": {"x": {"regex": "*"}}}, {"headers": [{"name": "x", "present_match": True}]}),
        (
            {"withoutHeaders": {"x": {}}},
            {"headers": [{"name": "x", "present_match": True, "invert_match": True}]},
        ),
        (
            {"withoutHeaders": {"x": {"exact": "a"}}},
            {
                "headers": [
                    {
                        "name": "x",
                        "string_match": {"exact": "a"},
                        "invert_match": True,
                        "treat_missing_header_as_empty": True,
                    }
                ]
            },
        ),
        ({"queryParams": {"q": {"exact": "1"}}}, {"query_parameters": [("q", {"exact": "1"})]}),
        ({"queryParams": {"q": {}}}, {"query_parameters": [{"name": "q", "present_match": True}]}),
        ({"headers": {"@request.auth.claims.a.b": {}}}, {"dynamic_metadata": [_claim("a", "b")]}),
        ({"headers": {"@request.auth.claims[a.b][c]": {}}}, {"dynamic_metadata": [_claim("a.b", "c")]}),
        (
            {"withoutHeaders": {"@request.auth.claims[a]": {}}},
            {"dynamic_metadata": [{**_claim("a"), "invert": True}]},
        ),
    ],
)
def test_match(match: dict[str, Any], expected: dict[str, Any]):
    for key in ("headers", "query_parameters"):
        entries = expected.get(key, [])
        plain = [e if isinstance(e, dict) else {"name": e[0], "string_match": e[1]} for e in entries]
        expected |= {key: plain} if plain else {}
    if not {"path", "prefix", "safe_regex"} & expected.keys():
        expected |= {"prefix": "/"}
    assert _route(match=[match])["match"] == expected


@pytest.mark.parametrize(
    ("match", "applies"),
    [
        ({"port": 80}, True),
        ({"port": 81}, False),
        ({"sourceLabels": {"app": "productpage"}}, True),
        ({"sourceLabels": {"app": "other"}}, False),
        ({"sourceNamespace": "shop"}, True),
        ({"sourceNamespace": "other"}, False),
        ({"gateways": ["mesh"]}, True),
        ({"gateways": ["edge"]}, False),
    ],
)
def test_conditions_on_the_source_hold_or_the_route_is_left_out(match: dict[str, Any], applies: bool):  # noqa: FBT001
    assert bool(_routes({"route": TO, "match": [match]})) is applies


def test_names_and_statistics():
    route = _route(name="a", match=[{"name": "m", "statPrefix": "s"}])
    assert (route["name"], route["stat_prefix"]) == ("a.m", "s")
    assert "name" not in _route()


def test_each_match_is_a_route_and_what_follows_a_catch_all_is_left_out():
    rules = [
        {"match": [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}], "route": TO},
        {"route": TO},
        {"match": [{"uri": {"prefix": "/c"}}], "route": TO},
    ]
    assert [r["match"]["prefix"] for r in _routes(*rules)] == ["/a", "/b", "/"]


@pytest.mark.parametrize(
    ("destination", "cluster"),
    [
        ({"host": "reviews"}, f"outbound|9080||{HOST}"),
        ({"host": "reviews", "subset": "v1"}, f"outbound|9080|v1|{HOST}"),
        ({"host": "reviews", "port": {"number": 7}}, f"outbound|7||{HOST}"),
        ({"host": "two"}, "outbound|80||two.shop.svc.cluster.local"),
        ({"host": "pay.example.com"}, "outbound|80||pay.example.com"),
    ],
)
def test_destination(destination: dict[str, Any], cluster: str):
    assert _route(route=[{"destination": destination}])["route"]["cluster"] == cluster


def test_weights():
    route = _route(
        route=[
            {"destination": {"host": "reviews", "subset": "v1"}, "weight": 20},
            {"destination": {"host": "reviews", "subset": "v2"}, "weight": 80},
            {"destination": {"host": "reviews", "subset": "v3"}, "weight": 0},
        ]
    )
    clusters = route["route"]["weighted_clusters"]["clusters"]
    assert [(c["name"].split("|")[2], c["weight"]) for c in clusters] == [("v1", 20), ("v2", 80)]
    assert route["decorator"] == {"operation": "vs:80/*"}
    assert _route()["decorator"] == {"operation": f"{HOST}:9080/*"}


def test_headers():
    operations = {
        "request": {"set": {"a": "1", "Host": "other"}, "add": {"b": "2"}, "remove": ["c"]},
        "response": {"set": {"d": "3"}, "remove": ["e"]},
    }

    def added(name: str, value: str, action: str) -> dict[str, Any]:
        return {"header": {"key": name, "value": value}, "append_action": f"{action}_IF_EXISTS_OR_ADD"}

    expected = {
        "request_headers_to_add": [added("a", "1", "OVERWRITE"), added("b", "2", "APPEND")],
        "request_headers_to_remove": ["c"],
        "response_headers_to_add": [added("d", "3", "OVERWRITE")],
        "response_headers_to_remove": ["e"],
    }
    for route in (_route(headers=operations), _route(route=[{**TO[0], "headers": operations}])):
        assert {k: v for k, v in route.items() if k.endswith(("_add", "_remove"))} == expected
        assert route["route"]["host_rewrite_literal"] == "other"
    weighted = _route(route=[{**TO[0], "weight": 1, "headers": operations}, {**TO[0], "weight": 2}])
    entry = weighted["route"]["weighted_clusters"]["clusters"][0]
    assert entry == {
        "name": f"outbound|9080||{HOST}",
        "weight": 1,
        "host_rewrite_literal": "other",
        **expected,
    }


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        ({"uri": "/v1"}, {"path_redirect": "/v1"}),
        ({"prefixRewrite": "/v1"}, {"prefix_rewrite": "/v1"}),
        ({"authority": "other"}, {"host_redirect": "other"}),
        ({"scheme": "https"}, {"scheme_redirect": "https"}),
        ({"scheme": "https", "port": 443}, {"scheme_redirect": "https"}),
        ({"scheme": "https", "port": 8443}, {"scheme_redirect": "https", "port_redirect": 8443}),
        ({"derivePort": "FROM_REQUEST_PORT"}, {"port_redirect": 80}),
        ({"derivePort": "FROM_PROTOCOL_DEFAULT"}, {}),
        ({"redirectCode": 308}, {"response_code": "PERMANENT_REDIRECT"}),
    ],
)
def test_redirect(redirect: dict[str, Any], expected: dict[str, Any]):
    route = _routes({"redirect": redirect})[0]
    assert route["redirect"] == {"response_code": "MOVED_PERMANENTLY", **expected}


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"status": 503}, {"status": 503}),
        ({"status": 200, "body": {"string": "hi"}}, {"status": 200, "body": {"inline_string": "hi"}}),
        ({"status": 200, "body": {"bytes": "aGk="}}, {"status": 200, "body": {"inline_bytes": "aGk="}}),
    ],
)
def test_direct_response(response: dict[str, Any], expected: dict[str, Any]):
    assert _routes({"directResponse": response})[0]["direct_response"] == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"rewrite": {"uri": "/new"}}, {"prefix_rewrite": "/new"}),
        ({"rewrite": {"authority": "other"}}, {"host_rewrite_literal": "other"}),
        (
            {"rewrite": {"uriRegexRewrite": {"match": "/a(.*)", "rewrite": r"/b\1"}}},
            {"regex_rewrite": {"pattern": {"regex": "/a(.*)"}, "substitution": r"/b\1"}},
        ),
        ({"timeout": "1.5s"}, {"timeout": "1.5s", "max_grpc_timeout": "1.5s"}),
        ({}, {"timeout": "0s", "max_grpc_timeout": "0s"}),
    ],
)
def test_action(rule: dict[str, Any], expected: dict[str, Any]):
    assert expected.items() <= _route(**rule)["route"].items()


@pytest.mark.parametrize(
    ("retries", "expected"),
    [
        ({"attempts": 3}, {"num_retries": 3}),
        ({"attempts": 1, "perTryTimeout": "2s"}, {"per_try_timeout": "2s"}),
        (
            {"attempts": 1, "retryOn": "5xx,503, 429"},
            {"retry_on": "5xx,retriable-status-codes", "retriable_status_codes": [503, 429]},
        ),
        ({"attempts": 1, "backoff": "10ms"}, {"retry_back_off": {"base_interval": "0.01s"}}),
    ],
)
def test_retries(retries: dict[str, Any], expected: dict[str, Any]):
    assert expected.items() <= _route(retries=retries)["route"]["retry_policy"].items()


def test_retries_by_default_disabled_and_elsewhere():
    standard = _route()["route"]["retry_policy"]
    assert standard["num_retries"] == 2
    assert standard["retry_on"] == (
        "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
    )
    assert standard["retry_host_predicate"]
    assert "retry_policy" not in _route(retries={"attempts": 0})["route"]
    same = _route(retries={"attempts": 1, "retryIgnorePreviousHosts": False})
    assert "retry_host_predicate" not in same["route"]["retry_policy"]
    far = _route(retries={"attempts": 1, "retryRemoteLocalities": True})["route"]["retry_policy"]
    assert far["retry_priority"]["typed_config"]["update_frequency"] == 2
    own = _routes({"route": TO}, defaultHttpRetryPolicy={"attempts": 5})[0]["route"]["retry_policy"]
    assert own["num_retries"] == 5


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            {"delay": {"fixedDelay": "7s", "percentage": {"value": 0.1}}},
            {"delay": {"fixed_delay": "7s", "percentage": {"numerator": 1000, "denominator": "MILLION"}}},
        ),
        (
            {"abort": {"httpStatus": 500, "percent": 50}},
            {"abort": {"http_status": 500, "percentage": {"numerator": 50, "denominator": "HUNDRED"}}},
        ),
        (
            {"abort": {"grpcStatus": "UNAVAILABLE", "percentage": {"value": 100}}},
            {"abort": {"grpc_status": 14, "percentage": {"numerator": 1_000_000, "denominator": "MILLION"}}},
        ),
    ],
)
def test_fault(fault: dict[str, Any], expected: dict[str, Any]):
    made = _route(fault=fault)["typed_per_filter_config"]["envoy.filters.http.fault"]
    assert made.pop("@type").endswith("HTTPFault")
    assert made == expected


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        ({"mirror": {"host": "two"}}, [(100, "HUNDRED")]),
        ({"mirror": {"host": "two"}, "mirrorPercentage": {"value": 5.5}}, [(55_000, "MILLION")]),
        ({"mirror": {"host": "two"}, "mirrorPercent": 0}, []),
        ({"mirrors": [{"destination": {"host": "two"}, "percentage": {"value": 0}}]}, []),
        (
            {"mirrors": [{"destination": {"host": "two"}}, {"destination": {"host": "reviews"}}]},
            [(100, "HUNDRED")] * 2,
        ),
    ],
)
def test_mirrors(rule: dict[str, Any], shares: list[tuple[int, str]]):
    mirrors = _route(**rule)["route"].get("request_mirror_policies", [])
    found = [m["runtime_fraction"]["default_value"] for m in mirrors]
    assert [(f["numerator"], f["denominator"]) for f in found] == shares
    assert all(m["disable_shadow_host_suffix_append"] and not m["trace_sampled"] for m in mirrors)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"allowOrigins": [{"exact": "a"}]}, {"allow_origin_string_match": [{"exact": "a"}]}),
        ({"allowOrigin": ["a"]}, {"allow_origin_string_match": [{"exact": "a"}]}),
        ({"allowMethods": ["GET", "PUT"]}, {"allow_methods": "GET,PUT"}),
        ({"allowHeaders": ["a", "b"]}, {"allow_headers": "a,b"}),
        ({"exposeHeaders": ["a"]}, {"expose_headers": "a"}),
        ({"maxAge": "24h"}, {"max_age": "86400"}),
        ({"allowCredentials": True}, {"allow_credentials": True}),
        ({"unmatchedPreflights": "IGNORE"}, {"forward_not_matching_preflights": False}),
        ({}, {"forward_not_matching_preflights": True}),
    ],
)
def test_cors(policy: dict[str, Any], expected: dict[str, Any]):
    made = _route(corsPolicy=policy)["typed_per_filter_config"]["envoy.filters.http.cors"]
    assert expected.items() <= made.items()


@pytest.mark.parametrize(
    ("consistent", "expected"),
    [
        ({"httpHeaderName": "x"}, {"header": {"header_name": "x"}}),
        ({"useSourceIp": True}, {"connection_properties": {"source_ip": True}}),
        ({"httpQueryParameterName": "q"}, {"query_parameter": {"name": "q"}}),
        (
            {"httpCookie": {"name": "c", "path": "/", "ttl": "60s"}},
            {"cookie": {"name": "c", "path": "/", "ttl": "60s"}},
        ),
    ],
)
def test_hashing_of_the_destination_rule(consistent: dict[str, Any], expected: dict[str, Any]):
    rule = yaml.safe_dump(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": "dr", "namespace": "shop"},
            "spec": {"host": "reviews", "trafficPolicy": {"loadBalancer": {"consistentHash": consistent}}},
        }
    )
    action = _routes({"route": TO}, more=rule)[0]["route"]
    assert action["hash_policy"] == [expected]
    assert "retry_host_predicate" not in action["retry_policy"]


def test_metadata_leads_back_to_the_rule():
    values = _routes({"match": [{"uri": {"exact": "/"}}], "route": TO}, {"name": "second", "route": TO})[1]
    assert values["metadata"]["filter_metadata"]["istio"] == {
        "config": "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/vs",
        "rule": "http[1]",
        "rule_name": "second",
    }


def test_delegates():
    inner = [
        {"name": "in", "match": [{"uri": {"prefix": "/a/b"}}], "route": TO},
        {"match": [{"uri": {"prefix": "/other"}}], "route": TO},
        {"route": TO, "timeout": "9s"},
    ]
    root = {
        "name": "out",
        "match": [{"uri": {"prefix": "/a"}, "headers": {"x": {"exact": "1"}}}],
        "delegate": {"name": "inner"},
        "timeout": "3s",
    }
    routes = _routes(root, more=_document("inner", {"http": inner}))
    assert [(r["name"], r["match"]["prefix"], r["route"]["timeout"]) for r in routes] == [
        ("out-in", "/a/b", "3s"),
        ("out", "/a", "9s"),
    ]
    assert all(r["match"]["headers"][0]["name"] == "x" for r in routes)
    assert routes[0]["metadata"]["filter_metadata"]["istio"]["config"].endswith("/inner")
    assert _routes({**root, "delegate": {"name": "absent"}}) == []


def test_default_route():
    route = default_route("outbound|80||a", "a:80/*", hashing={"header": {"header_name": "x"}})
    build("envoy.config.route.v3.Route", route)
    assert route["name"] == "default"
    assert "retry_host_predicate" not in route["route"]["retry_policy"]
