"""The graph over HTTP, of samples that came by remote write."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from ingester.series import SeriesLog
from query.server import create_app
from tests.contracts.rows import upto
from tests.wire.remote_write_messages import packed, request_v1
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.remote_write.admit import admit
from vigla.wire.remote_write.decode import RemoteWriteDecoder

T = 1_700_000_000
CALL = {
    "source_cluster": "c",
    "source_workload_namespace": "shop",
    "source_workload": "web-v1",
    "source_canonical_service": "web",
    "source_canonical_revision": "v1",
    "destination_cluster": "c",
    "destination_service_namespace": "shop",
    "destination_service": "cart.shop.svc.cluster.local",
    "destination_service_name": "cart",
    "destination_workload_namespace": "shop",
    "destination_workload": "cart-v1",
    "destination_canonical_service": "cart",
    "destination_canonical_revision": "v1",
    "request_protocol": "http",
    "connection_security_policy": "mutual_tls",
    "reporter": "destination",
}


@pytest.fixture(scope="module")
def http(serving: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    store = MemoryStore(DEFAULT_PROMOTED)
    record = admit("1", packed(_written()), T * 1000).record
    tables = SeriesLog(SystemClock()).tables(RemoteWriteDecoder().decode([record]), 0)
    store.buffer(tables, upto(store, remote_write=1))
    app = create_app(store, DEFAULT_PROMOTED, QuerySettings(), Metrics(), SystemClock())
    with serving(app) as url, httpx.Client(base_url=url) as client:
        yield client
    store.close()


def _written() -> Any:
    def counter(
        name: str, per_second: float, **labels: str
    ) -> tuple[dict[str, str], list[tuple[int, float]]]:
        times = range(T - 610, T + 1, 10)
        samples = [(at * 1000, 1e6 + per_second * (at - T + 610)) for at in times]
        return {"__name__": name, **CALL, **labels}, samples

    total = "traces_service_graph_request_total"
    pairs = [
        {"client": "web", "server": "cart"},
        {"client": "cart", "server": "db", "connection_type": "database"},
    ]
    spans = [({"__name__": total, **pair}, counter("x", 2.0)[1]) for pair in pairs]
    latency = "istio_request_duration_milliseconds_bucket"
    return request_v1(
        counter("istio_requests_total", 9.5, response_code="200", response_flags="-"),
        counter("istio_requests_total", 0.5, response_code="503", response_flags="UH"),
        counter("istio_requests_total", 0.5, response_code="503", response_flags="UH", reporter="source"),
        counter(latency, 0.0, le="10"),
        counter(latency, 10.0, le="20"),
        counter(latency, 10.0, le="+Inf"),
        *spans,
    )


def ask(http: httpx.Client, path: str = "/api/namespaces/graph", **params: str) -> Any:
    answer = http.get(path, params={"namespaces": "shop", "queryTime": str(T), **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_edge_with_all_appenders(http: httpx.Client) -> None:
    (edge,) = ask(http)["elements"]["edges"]
    data = edge["data"]
    assert data["traffic"]["rates"] == {
        "http": "10.00",
        "http5xx": "0.50",
        "httpPercentErr": "5.0",
        "httpPercentReq": "100.0",
    }
    assert data["responseTime"] == "20"
    assert data["isMTLS"] == "100"
    assert data["healthStatus"] == "Degraded"


def test_injected_services_have_boxes_around_them(http: httpx.Client) -> None:
    body = ask(http, injectServiceNodes="true", boxBy="namespace", appenders="", graphType="versionedApp")
    kinds = [node["data"]["nodeType"] for node in body["elements"]["nodes"]]
    assert kinds == ["box", "service", "app", "app"]
    box = body["elements"]["nodes"][0]["data"]["id"]
    assert {node["data"].get("parent") for node in body["elements"]["nodes"][1:]} == {box}


def test_services_alone_keep_what_was_measured(http: httpx.Client) -> None:
    (edge,) = ask(http, graphType="service")["elements"]["edges"]
    assert (edge["data"]["responseTime"], edge["data"]["isMTLS"]) == ("20", "100")


def test_services_alone(http: httpx.Client) -> None:
    nodes = ask(http, graphType="service", appenders="")["elements"]["nodes"]
    assert [node["data"].get("service") for node in nodes] == ["cart", None]
    assert nodes[1]["data"]["isRoot"]


@pytest.mark.parametrize("what", ["services/cart", "workloads/cart-v1", "applications/cart/versions/v1"])
def test_graph_of_a_node(http: httpx.Client, what: str) -> None:
    body = ask(http, f"/api/namespaces/shop/{what}/graph", appenders="")
    assert len(body["elements"]["edges"]) == 1


def test_numbers(http: httpx.Client) -> None:
    body = ask(http, "/api/vigla/v1/graph")
    (edge,) = [each for each in body["edges"] if each["protocol"] == "http"]
    assert edge["rate"] == pytest.approx(10)
    assert edge["errors"] == pytest.approx(0.5)
    assert edge["error_ratio"] == pytest.approx(0.05)
    assert edge["p95_ms"] == pytest.approx(19.5)
    assert edge["mtls"] == 1.0
    assert edge["health"] == {"status": "Degraded", "reasons": ["http 503: 5 % of calls"]}
    badges = {node["name"]: node["badges"] for node in body["nodes"]}
    assert badges == {"db": {}, "cart-v1": {}, "web-v1": {"isRoot": True}}


def test_all_namespaces_are_meant_where_none_is_named(http: httpx.Client) -> None:
    body = http.get("/api/vigla/v1/graph", params={"time": str(T), "graphType": "service"}).json()
    assert {"cart", "db"} <= {node["name"] for node in body["nodes"]}
    assert ask(http, "/api/vigla/v1/graph", namespaces="other")["nodes"] == []


def test_calls_that_no_proxy_saw(http: httpx.Client) -> None:
    body = ask(http, "/api/vigla/v1/graph", graphType="app")
    names = {node["id"]: (node["name"], node["kind"]) for node in body["nodes"]}
    (call,) = [edge for edge in body["edges"] if edge["protocol"] == "span"]
    assert names[call["source"]] == ("cart", "app")
    assert names[call["target"]] == ("db", "database")
    assert (call["rate"], call["p95_ms"]) == (pytest.approx(2), None)


def test_nothing_at_another_time(http: httpx.Client) -> None:
    assert ask(http, queryTime=str(T - 100_000))["elements"] == {"nodes": [], "edges": []}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"namespaces": ""}, "namespaces is missing"),
        ({"graphType": "tree"}, "graph_type: "),
        ({"duration": "long"}, "duration"),
        ({"queryTime": "noon"}, "at: "),
    ],
)
def test_wrong_parameters(http: httpx.Client, params: dict[str, str], message: str) -> None:
    answer = http.get("/api/namespaces/graph", params={"namespaces": "shop", **params})
    assert answer.status_code == 400
    assert message in answer.json()["error"]
