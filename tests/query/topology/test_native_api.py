"""Our own API of the graph: exports, comparison, dependents, health over time."""

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
HOUR = 3600
Series = tuple[dict[str, str], list[tuple[int, float]]]


def call(source: str, target: str, code: str = "200", name: str = "istio_requests_total") -> dict[str, str]:
    return {
        "__name__": name,
        "source_cluster": "c",
        "source_workload_namespace": "shop",
        "source_workload": source,
        "source_canonical_service": source,
        "source_canonical_revision": "v1",
        "destination_cluster": "c",
        "destination_service_namespace": "shop",
        "destination_service": f"{target}.shop.svc.cluster.local",
        "destination_service_name": target,
        "destination_workload_namespace": "shop",
        "destination_workload": target,
        "destination_canonical_service": target,
        "destination_canonical_revision": "v1",
        "request_protocol": "http",
        "response_code": code,
        "reporter": "destination",
    }


def counter(labels: dict[str, str], per_second: float, end: int) -> Series:
    times = range(end - 610, end + 1, 10)
    return labels, [(at * 1000, 1e6 + per_second * (at - end + 610)) for at in times]


def histogram(source: str, target: str, le: str, end: int) -> Iterator[Series]:
    """All calls are in the bucket that ends with ``le``."""
    name = "istio_request_duration_milliseconds_bucket"
    for bound in ("10", "100", "+Inf"):
        within = bound == "+Inf" or float(bound) >= float(le)
        yield counter({**call(source, target, name=name), "le": bound}, 10.0 if within else 0.0, end)


def written() -> list[Series]:
    before, now = T - HOUR, T
    return [
        counter(call("web", "cart"), 10.0, before),
        *histogram("web", "cart", "10", before),
        counter(call("cart", "old"), 1.0, before),
        counter(call("web", "cart"), 9.0, now),
        counter(call("web", "cart", "503"), 1.0, now),
        *histogram("web", "cart", "100", now),
        counter(call("cart", "stock"), 1.0, now),
    ]


@pytest.fixture(scope="module")
def http(serving: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    store = MemoryStore(DEFAULT_PROMOTED)
    merged: dict[tuple[tuple[str, str], ...], list[tuple[int, float]]] = {}
    for labels, samples in written():
        merged.setdefault(tuple(sorted(labels.items())), []).extend(samples)
    record = admit("1", packed(request_v1(*((dict(k), v) for k, v in merged.items()))), T * 1000).record
    tables = SeriesLog(SystemClock()).tables(RemoteWriteDecoder().decode([record]), 0)
    store.buffer(tables, upto(store, remote_write=1))
    app = create_app(store, DEFAULT_PROMOTED, QuerySettings(), Metrics(), SystemClock())
    with serving(app) as url, httpx.Client(base_url=f"{url}/api/vigla/v1") as client:
        yield client
    store.close()


def ask(http: httpx.Client, path: str, **params: str) -> httpx.Response:
    return http.get(path, params={"namespaces": "shop", "time": str(T), **params})


def test_a_graph_that_is_known_is_not_sent_again(http: httpx.Client) -> None:
    tag = ask(http, "/graph").headers["etag"]
    again = http.get("/graph", params={"namespaces": "shop", "time": T}, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_dot(http: httpx.Client) -> None:
    answer = ask(http, "/graph", format="dot", graphType="app")
    assert answer.headers["content-type"].startswith("text/vnd.graphviz")
    assert 'subgraph "cluster_shop" {' in answer.text
    assert 'n2 -> n0 [label="http 10 rps, 10% err, p95 95.5 ms", color="red"];' in answer.text


def test_mermaid(http: httpx.Client) -> None:
    lines = ask(http, "/graph", format="mermaid", graphType="app").text.splitlines()
    assert lines[:2] == ["flowchart LR", '  subgraph g0["shop"]']
    assert '  n0 -->|"http 1 rps"| n1' in lines


def test_comparison_tells_what_is_new_gone_slower_and_failing(http: httpx.Client) -> None:
    body: Any = ask(http, "/graph/compare", before=str(T - HOUR)).json()
    names = {key: [node["name"] for node in nodes] for key, nodes in body["nodes"].items()}
    assert names == {"new": ["stock"], "gone": ["old"]}
    assert [(edge["from"], edge["to"]) for edge in body["edges"]["new"]] == [("cart", "stock")]
    (slower,), (failing,) = body["edges"]["slower"], body["edges"]["failing"]
    assert (slower["before"]["p95_ms"], slower["after"]["p95_ms"]) == (
        pytest.approx(9.5),
        pytest.approx(95.5),
    )
    assert (failing["before"]["error_ratio"], failing["after"]["error_ratio"]) == (0, pytest.approx(0.1))


def test_everything_that_depends_on_a_node(http: httpx.Client) -> None:
    body = ask(http, "/graph/dependents", node="shop/stock").json()
    assert [(each["distance"], each["name"]) for each in body["dependents"]] == [(1, "cart"), (2, "web")]


def test_health_over_time(http: httpx.Client) -> None:
    params = {"start": str(T - HOUR), "end": str(T), "step": "30m", "kinds": "service"}
    body = http.get("/health", params=params).json()
    health = {each["name"]: each for each in body["objects"]}
    assert health["cart"]["history"] == ["Healthy", "NA", "Failure"]
    assert health["cart"]["reasons"] == ["inbound http 503: 10 % of calls"]
    assert health["stock"]["status"] == "Healthy"
    (place,) = body["namespaces"]
    assert place == {"namespace": "shop", "status": "Failure", "history": ["Healthy", "NA", "Failure"]}


@pytest.mark.parametrize(
    ("path", "params", "status", "message"),
    [
        ("/graph", {"format": "svg"}, 400, "format: one of"),
        ("/graph/compare", {}, 400, "before is missing"),
        ("/graph/compare", {"before": "noon"}, 400, "before: whole Unix seconds"),
        ("/graph/dependents", {}, 400, "node is missing"),
        ("/graph/dependents", {"node": "nowhere"}, 404, "no node 'nowhere'"),
        ("/health", {"kinds": "pod"}, 400, "kinds: any of"),
        ("/health", {"start": "0", "end": "99999"}, 400, "step: gives more"),
        ("/health", {"start": "2", "end": "1"}, 400, "start: is after end"),
    ],
)
def test_wrong_parameters(
    http: httpx.Client, path: str, params: dict[str, str], status: int, message: str
) -> None:
    answer = ask(http, path, **params)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]
