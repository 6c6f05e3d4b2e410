"""Routing by real Envoys: what a VirtualService says is what requests meet."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.mesh.mesh import Answer, Mesh, eventually
from tests.e2e.mesh.objects import destination_rule, networking, to, virtual_service

V1 = {"route": [to("v1")]}
ALL = {"percentage": {"value": 100}}
TEA = {"status": 418, "body": {"string": "tea"}}
Check = Callable[[Mesh], bool]


def versions(mesh: Mesh, count: int, **headers: str) -> Counter[str]:
    return Counter(mesh.call(headers=headers).version for _ in range(count))


def settled(mesh: Mesh, expected: set[str], **headers: str) -> bool:
    return set(versions(mesh, 12, **headers)) == expected


MATCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "header": ({"headers": {"end-user": {"exact": "jason"}}}, {"headers": {"end-user": "jason"}}),
    "header prefix": ({"headers": {"x-a": {"prefix": "ab"}}}, {"headers": {"x-a": "abc"}}),
    "header regex": ({"headers": {"x-a": {"regex": "a[0-9]+"}}}, {"headers": {"x-a": "a42"}}),
    "header present": ({"headers": {"x-a": {}}}, {"headers": {"x-a": "any"}}),
    "cookie": (
        {"headers": {"cookie": {"regex": "^(.*?;)?(user=jason)(;.*)?$"}}},
        {"headers": {"cookie": "user=jason; a=b"}},
    ),
    "uri exact": ({"uri": {"exact": "/here"}}, {"url": "http://echo:8000/here"}),
    "uri prefix": ({"uri": {"prefix": "/her"}}, {"url": "http://echo:8000/here"}),
    "uri regex": ({"uri": {"regex": "/h.*e"}}, {"url": "http://echo:8000/here"}),
    "uri without case": (
        {"uri": {"exact": "/HERE"}, "ignoreUriCase": True},
        {"url": "http://echo:8000/here"},
    ),
    "method": ({"method": {"exact": "POST"}}, {"method": "POST"}),
    "query": ({"queryParams": {"a": {"exact": "1"}}}, {"url": "http://echo:8000/?a=1"}),
    "authority": ({"authority": {"prefix": "echo.default"}}, {"url": "http://echo.default:8000/"}),
}


@pytest.mark.parametrize("name", MATCHES)
def test_only_matching_requests_go_to_v2(mesh: Mesh, name: str) -> None:
    match, arguments = MATCHES[name]
    service = virtual_service({"match": [match], "route": [to("v2")]}, V1)
    with mesh.applied(destination_rule(), service):
        eventually(lambda: mesh.call(**arguments).version == "v2" and settled(mesh, {"v1"}))
        assert {mesh.call(**arguments).version for _ in range(10)} == {"v2"}


def test_without_headers_and_source_labels(mesh: Mesh) -> None:
    routes = (
        {"match": [{"sourceLabels": {"app": "nobody"}}], "route": [to("v3")]},
        {"match": [{"sourceLabels": {"app": "client"}, "withoutHeaders": {"x-a": {}}}], "route": [to("v2")]},
        V1,
    )
    with mesh.applied(destination_rule(), virtual_service(*routes)):
        assert eventually(lambda: settled(mesh, {"v2"}))
        assert settled(mesh, {"v1"}, **{"x-a": "present"})


def test_weights_hold_within_statistical_bounds(mesh: Mesh) -> None:
    with mesh.applied(destination_rule(), virtual_service({"route": [to("v1", 80), to("v3", 20)]})):
        eventually(lambda: settled(mesh, {"v1", "v3"}))
        with ThreadPoolExecutor(8) as pool:
            found = sum(pool.map(lambda _: versions(mesh, 250), range(8)), Counter())
        assert set(found) == {"v1", "v3"}
        assert 400 - 5 * 18 < found["v3"] < 400 + 5 * 18  # five standard deviations


def test_redirect_rewrite_direct_response_and_headers(mesh: Mesh) -> None:
    routes = (
        {"match": [{"uri": {"exact": "/old"}}], "redirect": {"uri": "/new", "redirectCode": 308}},
        {
            "match": [{"uri": {"prefix": "/fixed"}}],
            "directResponse": TEA,
        },
        {"match": [{"uri": {"prefix": "/api/"}}], "rewrite": {"uri": "/", "authority": "other"}, **V1},
        {
            "headers": {
                "request": {"set": {"x-set": "1"}, "add": {"x-add": "2"}, "remove": ["x-gone"]},
                "response": {"set": {"x-answer": "3"}},
            },
            **V1,
        },
    )
    with mesh.applied(destination_rule(), virtual_service(*routes)):
        moved = eventually(lambda: _with(mesh.call("http://echo:8000/old"), 308))
        assert moved.headers["location"] == "http://echo:8000/new"
        fixed = mesh.call("http://echo:8000/fixed")
        assert (fixed.status, fixed.text) == (418, "tea")
        rewritten = mesh.call("http://echo:8000/api/things").body
        assert (rewritten["path"], rewritten["headers"]["host"]) == ("/things", "other")
        plain = mesh.call(headers={"x-gone": "1"})
        assert plain.headers["x-answer"] == "3"
        seen = plain.body["headers"]
        assert (seen["x-set"], seen["x-add"], "x-gone" in seen) == ("1", "2", False)


def _with(answer: Answer, status: int) -> Answer:
    assert answer.status == status, answer.text
    return answer


def test_cors_preflight_is_answered_by_the_proxy(mesh: Mesh) -> None:
    policy = {"allowOrigins": [{"exact": "http://a.example"}], "allowMethods": ["PUT"], "maxAge": "60s"}
    asked = {"origin": "http://a.example", "access-control-request-method": "PUT"}
    with mesh.applied(destination_rule(), virtual_service({"corsPolicy": policy, **V1})):
        answer = eventually(lambda: _cors(mesh.call(headers=asked, method="OPTIONS")))
        assert answer.headers["access-control-allow-methods"] == "PUT"
        assert answer.headers["access-control-max-age"] == "60"


def _cors(answer: Answer) -> Answer:
    assert answer.headers.get("access-control-allow-origin") == "http://a.example"
    return answer


def test_a_delegate_brings_its_routes(mesh: Mesh) -> None:
    root = virtual_service({"delegate": {"name": "parts", "namespace": "default"}})
    parts = networking("VirtualService", "parts", http=[{"route": [to("v3")]}])
    with mesh.applied(destination_rule(), parts, root):
        assert eventually(lambda: settled(mesh, {"v3"}))


def test_delay_and_abort_are_injected_and_flagged(mesh: Mesh) -> None:
    faults = (
        {"match": [{"uri": {"prefix": "/slow"}}], "fault": {"delay": {**ALL, "fixedDelay": "1s"}}, **V1},
        {"match": [{"uri": {"prefix": "/bad"}}], "fault": {"abort": {**ALL, "httpStatus": 555}}, **V1},
        V1,
    )  # fmt: skip
    with mesh.applied(destination_rule(), virtual_service(*faults)):
        aborted = eventually(lambda: _with(mesh.call("http://echo:8000/bad"), 555))
        began = time.monotonic()
        delayed = mesh.call("http://echo:8000/slow")
        assert (delayed.status, time.monotonic() - began >= 1) == (200, True)
        assert "FI" in mesh.entries(aborted)[0]["flags"]
        assert any("DI" in entry["flags"] for entry in mesh.entries(delayed, 2))


def test_retries_are_counted_by_the_upstream(mesh: Mesh) -> None:
    retries = {"attempts": 3, "retryOn": "5xx", "backoff": "1ms"}
    with mesh.applied(destination_rule(), virtual_service({"retries": retries, **V1})):

        def tried() -> Answer:
            key = f"retry-{time.monotonic_ns()}"
            answer = mesh.call(headers={"x-key": key, "x-fail": "2"})
            assert (answer.status, answer.body["count"]) == (200, 3)
            return answer

        answer = eventually(tried)
        assert max(entry.get("attempts", 0) for entry in mesh.entries(answer, 4)) == 3


def test_a_timeout_is_504_with_flag_ut(mesh: Mesh) -> None:
    with mesh.applied(destination_rule(), virtual_service({"timeout": "0.3s", **V1})):
        answer = eventually(lambda: _with(mesh.call(headers={"x-delay": "1"}), 504))
        assert any("UT" in entry["flags"] for entry in mesh.entries(answer, 2))


def test_a_mirror_gets_copies_and_its_answers_are_ignored(mesh: Mesh) -> None:
    route = {"mirror": {"host": "echo", "subset": "v2"}, **V1}
    with mesh.applied(destination_rule(), virtual_service(route)):
        key = f"mirror-{time.monotonic_ns()}"
        eventually(lambda: settled(mesh, {"v1"}))
        assert {mesh.call(headers={"x-key": key}).version for _ in range(10)} == {"v1"}
    with mesh.applied(destination_rule(), virtual_service({"route": [to("v2")]})):
        eventually(lambda: settled(mesh, {"v2"}))
        assert eventually(lambda: mesh.call(f"http://echo:8000/count/{key}").body["count"] == 10)


def test_a_subset_without_endpoints_has_no_healthy_upstream(mesh: Mesh) -> None:
    subset = {"name": "v9", "labels": {"version": "v9"}}
    rule = networking("DestinationRule", "test-echo", host="echo", subsets=[subset])
    with mesh.applied(rule, virtual_service({"route": [to("v9")]})):
        answer = eventually(lambda: _with(mesh.call(), 503))
        assert any("UH" in entry["flags"] for entry in mesh.entries(answer))


def test_consistent_hash_keeps_to_one_endpoint(mesh: Mesh) -> None:
    balancer = {"consistentHash": {"httpHeaderName": "x-user"}}
    with mesh.applied(destination_rule(loadBalancer=balancer)):
        eventually(lambda: len(versions(mesh, 8, **{"x-user": "a"})) == 1)
        users = {f"user-{n}": versions(mesh, 4, **{"x-user": f"user-{n}"}) for n in range(12)}
        assert all(len(found) == 1 for found in users.values())
        assert len(set().union(*users.values())) > 1


def test_tcp_is_shifted_by_weight(mesh: Mesh) -> None:
    tcp = [{"route": [to("v1", 80, "tcp"), to("v2", 20, "tcp")]}]
    with mesh.applied(destination_rule("tcp"), virtual_service(host="tcp", tcp=tcp)):

        def shifted() -> bool:
            found = Counter(mesh.line(9000) for _ in range(400))
            return set(found) == {"v1", "v2"} and 80 - 5 * 8 < found["v2"] < 80 + 5 * 8

        assert eventually(shifted)


def test_the_ingress_gateway_routes_by_host_and_path(mesh: Mesh) -> None:
    port = {"number": mesh.ingress, "name": "http", "protocol": "HTTP"}
    servers = [{"port": port, "hosts": ["*.example.com"]}]
    gate = networking("Gateway", "gate", selector={"istio": "ingressgateway"}, servers=servers)
    route = {"match": [{"uri": {"prefix": "/in"}}], "route": [to("v2")]}
    inside = virtual_service(route, host="echo.example.com", gateways=["gate"])
    with mesh.applied(destination_rule(), gate, inside):
        answer = eventually(lambda: _with(mesh.enter("/in"), 200))
        assert answer.version == "v2"
        assert mesh.enter("/out").status == mesh.enter("/in", host="other.example.com").status == 404


def test_explain_names_the_rule(mesh: Mesh) -> None:
    with mesh.applied(destination_rule(), virtual_service({"name": "mine", "timeout": "9s", **V1})):
        eventually(lambda: settled(mesh, {"v1"}))
        answer = mesh.call()
        mesh.entries(answer, 2)
        with mesh.api as api:
            hops = api.get(f"/explain/{answer.id}").json()["hops"]
        decided = next(hop["decided_by"] for hop in hops if hop["reporter"] == "source")
        assert decided["virtual_service"] == "virtual-service default/test-echo"
        assert (decided["route"], decided["rule"]) == ("mine", "http[0]")
        assert decided["destination_rule"] == "destination-rule default/test-echo"
        assert next(hop["mutual_tls"] for hop in hops if hop["reporter"] == "destination")
