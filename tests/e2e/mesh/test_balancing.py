"""Load balancers and localities by real Envoys."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.e2e.mesh.external import HOST, outside
from tests.e2e.mesh.mesh import Mesh, eventually, request
from tests.e2e.mesh.objects import destination_rule, entry, networking, to, virtual_service
from vigla.listen import reserve

ALL = {"v1", "v2", "v3"}
OUTLIER = {
    "consecutive5xxErrors": 1,
    "interval": "0.2s",
    "baseEjectionTime": "60s",
    "maxEjectionPercent": 100,
}
OUT = "books.example.com"


def versions(mesh: Mesh, count: int = 24, url: str = "http://echo:8000/", **headers: str) -> Counter[str]:
    return Counter(mesh.call(url, headers).version for _ in range(count))


def only(mesh: Mesh, expected: set[str], **headers: str) -> bool:
    return set(versions(mesh, 12, **headers)) == expected


BALANCERS: dict[str, dict[str, Any]] = {
    "round robin": {"simple": "ROUND_ROBIN"},
    "least request": {"simple": "LEAST_REQUEST"},
    "random": {"simple": "RANDOM"},
    "warm-up": {"simple": "ROUND_ROBIN", "warmup": {"duration": "1s"}},
}


@pytest.mark.parametrize("name", BALANCERS)
def test_all_endpoints_get_requests(mesh: Mesh, name: str) -> None:
    with mesh.applied(destination_rule(loadBalancer=BALANCERS[name])):
        policy = {"round robin": 24, "warm-up": 24}.get(name, 60)
        assert eventually(lambda: _policy(mesh) == BALANCERS[name]["simple"])
        found = versions(mesh, policy)
        assert set(found) == ALL
        if name == "round robin":
            assert set(found.values()) == {8}  # each in its turn


def _policy(mesh: Mesh) -> str:
    """Balancer of the client's cluster of ``echo``, as Envoy has it."""
    where = mesh.proxy("client-v1")["admin"].rpartition(":")
    text = request(where[0], int(where[2]), "/config_dump?resource=dynamic_active_clusters").body
    clusters = (c["cluster"] for c in text["configs"])
    echo = next(c for c in clusters if c["name"] == "outbound|8000||echo.default.svc.cluster.local")
    return str(echo.get("lb_policy", "ROUND_ROBIN"))


def _subsets(mesh: Mesh) -> bool:
    """Whether the client's Envoy, not only the control plane, has the clusters of the destination rule."""
    address = mesh.proxy("client-v1")["admin"]
    return "outbound|8000|v3|echo" in httpx.get(f"http://{address}/clusters", timeout=5).text


def test_least_request_avoids_the_busy_endpoint(mesh: Mesh) -> None:
    rule = destination_rule(loadBalancer={"simple": "LEAST_REQUEST"})
    slow = {"match": [{"headers": {"x-slow": {}}}], "route": [to()]}
    with mesh.applied(rule, virtual_service(slow, {"route": [to()]})), ThreadPoolExecutor(1) as pool:
        eventually(lambda: _policy(mesh) == "LEAST_REQUEST")
        assert eventually(lambda: _subsets(mesh)), "a request that began before would not count"
        busy = pool.submit(lambda: mesh.call(headers={"x-slow": "1", "x-delay": "5"}).version)
        time.sleep(0.3)
        found: Counter[str] = Counter()
        while not busy.done() and found.total() < 60:
            found[mesh.call().version] += 1
        assert found[busy.result()] < min(found[v] for v in ALL - {busy.result()})


HASHES: dict[str, tuple[dict[str, Any], str]] = {
    "query": ({"httpQueryParameterName": "user"}, "http://echo:8000/?user={}"),
    "source address": ({"useSourceIp": True}, "http://echo:8000/"),
    "maglev": ({"httpQueryParameterName": "user", "maglev": {}}, "http://echo:8000/?user={}"),
    "ring": (
        {"httpQueryParameterName": "user", "ringHash": {"minimumRingSize": 64}},
        "http://echo:8000/?user={}",
    ),
}


@pytest.mark.parametrize("name", HASHES)
def test_equal_hashes_go_to_one_endpoint(mesh: Mesh, name: str) -> None:
    hashing, url = HASHES[name]
    with mesh.applied(destination_rule(loadBalancer={"consistentHash": hashing})):
        eventually(lambda: len(versions(mesh, 8, url.format("a"))) == 1)
        users = [versions(mesh, 4, url.format(f"user-{n}")) for n in range(12)]
        assert all(len(found) == 1 for found in users)
        assert len(set().union(*users)) == 1 if name == "source address" else len(set().union(*users)) > 1


def test_a_cookie_is_made_and_keeps_to_its_endpoint(mesh: Mesh) -> None:
    cookie = {"name": "user", "ttl": "60s"}
    with mesh.applied(destination_rule(loadBalancer={"consistentHash": {"httpCookie": cookie}})):

        def made() -> str:
            return mesh.call().headers.get("set-cookie", "").partition(";")[0]

        first = eventually(made)
        assert first.startswith("user=")
        assert len(versions(mesh, 8, cookie=first)) == 1


def _local(**setting: Any) -> str:
    return destination_rule(outlierDetection=OUTLIER, loadBalancer={"localityLbSetting": setting})


def test_the_own_locality_comes_first_and_shares_can_be_told(mesh: Mesh) -> None:
    with mesh.applied(_local(enabled=True)):
        assert eventually(lambda: only(mesh, {"v1"}))
    shares = [{"from": "r1/z1/*", "to": {"r1/z2/*": 50, "r2/z1/*": 50}}]
    with mesh.applied(_local(enabled=True, distribute=shares)):
        assert eventually(lambda: only(mesh, {"v2", "v3"}))
    with mesh.applied(_local(enabled=False)):
        assert eventually(lambda: only(mesh, ALL))


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"enabled": True}, "near"),
        ({"enabled": True, "failover": [{"from": "r1", "to": "r3"}]}, "near"),
        ({"enabled": True, "failoverPriority": ["side=b"]}, "far"),
    ],
    ids=["next zone", "region told", "labels"],
)
def test_the_next_locality_takes_over(mesh: Mesh, setting: dict[str, Any], expected: str) -> None:
    """The endpoint beside the client refuses; a zone away is nearer than a region away."""
    with reserve() as held:
        dead = held.getsockname()[1]  # nothing listens there any more
    with outside("near") as near, outside("far") as far:
        places = (
            (dead, "r1/z1", "a"),
            (near.port, "r1/z9" if expected == "near" else "r2/z1", "a"),
            (far.port, "r3/z1", "b"),
        )
        endpoints = [
            {"address": HOST, "ports": {"http": port}, "locality": locality, "labels": {"side": side}}
            for port, locality, side in places
        ]
        balancer = {"localityLbSetting": setting}
        rule = networking(
            "DestinationRule",
            "books",
            host=OUT,
            trafficPolicy={"outlierDetection": OUTLIER, "loadBalancer": balancer},
        )
        with mesh.applied(entry(OUT, 80, resolution="STATIC", endpoints=endpoints), rule):
            url = f"http://{OUT}/"
            assert eventually(lambda: set(versions(mesh, 8, url)) == {expected})
