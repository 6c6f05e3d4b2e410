"""What Grafana's Prometheus data source asks, over the whole application and a store."""

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
FAR_MS = 1_700_000_000_000  # taken for seconds this is in the year 55840
COUNTER, GAUGE = 1, 2


@pytest.fixture(scope="module", params=["", "/prometheus"])
def http(
    request: pytest.FixtureRequest, serving: Callable[[FastAPI], AbstractContextManager[str]]
) -> Iterator[httpx.Client]:
    store = MemoryStore(DEFAULT_PROMOTED)
    log = SeriesLog(SystemClock())
    for number, message in enumerate((_written(), _written())):  # senders repeat exemplars and metadata
        record = admit("1", packed(message), T * 1000).record
        tables = log.tables(RemoteWriteDecoder().decode([record]), number)
        store.buffer(tables, upto(store, remote_write=number + 1))
    app = create_app(store, DEFAULT_PROMOTED, QuerySettings(), Metrics(), SystemClock())
    with serving(app) as url, httpx.Client(base_url=url + request.param) as client:
        yield client
    store.close()


def _written() -> Any:
    message = request_v1(
        ({"__name__": "http_requests_total", "job": "b"}, [(T * 1000, 2.0)]),
        ({"__name__": "http_requests_total", "job": "a"}, [(T * 1000, 1.0)]),
        ({"__name__": "http.up", "k8s.pod": "x"}, [(T * 1000 + 1, 1.0)]),
    )
    for series in message.timeseries[:2]:
        for value, time in ((0.25, 500), (6.0, 0)):
            exemplar = series.exemplars.add(value=value, timestamp=T * 1000 + time)
            exemplar.labels.add(name=b"trace_id", value=b'a"b')
    message.metadata.add(type=COUNTER, name=b"http_requests_total", help=b"Requests.", unit=b"")
    message.metadata.add(type=GAUGE, name=b"http.up", help=b"", unit=b"1")
    return message


def data(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "success"
    return body["data"]


def test_save_and_test(http: httpx.Client) -> None:
    found = data(http.post("/api/v1/query", data={"query": "1+1", "time": "4"}))
    assert found == {"resultType": "scalar", "result": [4, "2"]}
    build = data(http.get("/api/v1/status/buildinfo"))
    assert build["version"].startswith("3.")
    assert "features" not in build


def test_metadata(http: httpx.Client) -> None:
    found = data(http.get("/api/v1/metadata", params={"limit": 40000}))
    assert found == {
        "http.up": [{"type": "gauge", "help": "", "unit": "1"}],
        "http_requests_total": [{"type": "counter", "help": "Requests.", "unit": ""}],
    }
    assert data(http.get("/api/v1/metadata", params={"metric": "http.up"})).keys() == {"http.up"}
    assert data(http.get("/api/v1/metadata", params={"limit": 0})) == {}
    assert http.get("/api/v1/metadata", params={"limit": "x"}).status_code == 400


def test_exemplars_of_the_selectors_in_an_expression(http: httpx.Client) -> None:
    query = 'sum(rate(http_requests_total{job=~"a|b"}[5m])) / ignoring(job) http_requests_total{job="a"}'
    asked = {"query": query, "start": str(T - 10), "end": f"{T + 10}.5"}
    found = data(http.post("/api/v1/query_exemplars", data=asked))
    assert [each["seriesLabels"]["job"] for each in found] == ["a", "b"]
    labels = {"trace_id": 'a"b'}
    assert found[0]["exemplars"] == [
        {"labels": labels, "value": "6", "timestamp": T},
        {"labels": labels, "value": "0.25", "timestamp": T + 0.5},
    ]


def test_exemplars_are_asked_for_in_milliseconds_too(http: httpx.Client) -> None:
    asked = {"query": "test", "start": str(FAR_MS), "end": str(FAR_MS + 1)}
    assert data(http.get("/api/v1/query_exemplars", params=asked)) == []
    asked["query"] = "http_requests_total"
    assert data(http.get("/api/v1/query_exemplars", params=asked)) == []
    assert http.get("/api/v1/query_exemplars", params={"query": "1"}).status_code == 204
    assert http.get("/api/v1/query_exemplars", params={"query": "sum("}).status_code == 400


def test_names_with_characters_of_their_own(http: httpx.Client) -> None:
    assert data(http.get("/api/v1/label/U__k8s_2e_pod/values")) == ["x"]
    assert data(http.get("/api/v1/series", params={"match[]": '{"http.up"}'})) == [
        {"__name__": "http.up", "k8s.pod": "x"}
    ]


def test_statistics(http: httpx.Client) -> None:
    found = data(http.get("/api/v1/status/tsdb"))
    head = {"numSeries": 3, "numLabelPairs": 5, "chunkCount": 0, "minTime": T * 1000, "maxTime": T * 1000 + 1}
    assert found["headStats"] == head
    assert found["seriesCountByMetricName"][0] == {"name": "http_requests_total", "value": 2}
    assert {"name": "job", "value": 2} in found["labelValueCountByLabelName"]
    assert http.get("/api/v1/status/tsdb", params={"limit": 10_001}).status_code == 400
    assert data(http.get("/api/v1/status/runtimeinfo"))["timeSeriesCount"] == 3
    assert data(http.get("/api/v1/status/flags"))["query.lookback-delta"] == "5m"


def test_health(http: httpx.Client) -> None:
    assert http.get("/-/healthy").status_code == http.head("/-/ready").status_code == 200
