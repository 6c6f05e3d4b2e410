"""What the API tells of itself: blocks, own metrics, its description."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute

from ingester.series import SeriesLog
from query.prometheus.openapi import OPERATIONS
from query.server import create_app
from tests.wire.remote_write_messages import packed, request_v1
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings, StorageSettings
from vigla.storage.lake import Lake
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.remote_write.admit import admit
from vigla.wire.remote_write.decode import RemoteWriteDecoder

T = 1_700_000_000_000


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    settings = StorageSettings(path=tmp_path_factory.mktemp("status"))
    with_files = Lake(settings, DEFAULT_PROMOTED, Metrics(), SystemClock())
    for number in range(2):
        message = request_v1(({"__name__": "m", "job": "a"}, [(T + number * 1000, 1.0), (T + 500, 2.0)]))
        record = admit("1", packed(message), T).record
        with_files.buffer(SeriesLog(SystemClock()).tables(RemoteWriteDecoder().decode([record]), number), {})
        with_files.flush()
    yield with_files
    with_files.close()


@pytest.fixture(scope="module")
def app(lake: Lake) -> FastAPI:
    metrics = Metrics()
    metrics.add("vigla_ingester_spans_total", 5)
    metrics.observe("vigla_query_seconds", 0.3, endpoint="a")
    return create_app(lake, DEFAULT_PROMOTED, QuerySettings(), metrics, SystemClock())


@pytest.fixture(scope="module")
def http(app: FastAPI, serving: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    with serving(app) as url, httpx.Client(base_url=url) as client:
        yield client


def data(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_files_of_samples_are_blocks(http: httpx.Client, lake: Lake) -> None:
    first, second = data(http.get("/api/v1/status/tsdb/blocks"))["blocks"]
    assert (first["minTime"], first["maxTime"], first["stats"]["numSamples"]) == (T, T + 501, 2)
    assert (second["minTime"], second["maxTime"]) == (T + 500, T + 1001)
    sizes = [file.path.stat().st_size for file in lake.files("samples")]
    assert [each["stats"]["numBytes"] for each in (first, second)] == sizes
    number = 0
    for letter in first["ulid"]:
        number = number << 5 | "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    assert uuid.UUID(int=number) == uuid.UUID(Path(lake.files("samples")[0].path).stem)


def test_in_memory_there_are_no_files() -> None:
    store = MemoryStore(DEFAULT_PROMOTED)
    assert store.files("samples") == ()
    store.close()


def test_own_metrics(http: httpx.Client) -> None:
    def told(pattern: str) -> Any:
        return data(http.get("/api/v1/status/self_metrics", params={"metric_name_pattern": pattern}))

    (counter,) = told("vigla_ingester_spans_.*")
    assert (counter["name"], counter["type"]) == ("vigla_ingester_spans_total", "COUNTER")
    assert counter["metric"] == [{"counter": {"value": 5.0}}]
    assert told("vigla_query") == []
    (family,) = told("vigla_query_seconds")
    found = next(each for each in family["metric"] if each["label"] == [{"name": "endpoint", "value": "a"}])
    histogram = found["histogram"]
    assert (histogram["sampleCount"], histogram["sampleSum"]) == ("1", 0.3)
    assert histogram["bucket"][0] == {"cumulativeCount": "0", "upperBound": 0.005}
    assert histogram["bucket"][-1] == {"cumulativeCount": "1", "upperBound": "Infinity"}
    assert len(data(http.get("/api/v1/status/self_metrics"))) > 10
    bad = http.get("/api/v1/status/self_metrics", params={"metric_name_pattern": "("})
    assert bad.status_code == 400
    assert "metric_name_pattern" in bad.json()["error"]


def test_the_description_names_every_route_and_no_other(http: httpx.Client, app: FastAPI) -> None:
    described = yaml.safe_load(http.get("/api/v1/openapi.yaml").text)
    assert described["openapi"] == "3.1.0"
    found = {(path, method) for path, operations in described["paths"].items() for method in operations}
    actions = {each for each in found if each[0].startswith("/admin/tsdb/")}
    generic = {("/admin/tsdb/{action}", method) for _, method in actions}
    assert (found - actions) | generic == routes_below(app, "/api/v1")


def routes_below(app: FastAPI, prefix: str) -> set[tuple[str, str]]:
    included = [each.original_router for each in app.routes if hasattr(each, "original_router")]
    return {
        (route.path.removeprefix(prefix), method.lower())
        for router in included
        for route in router.routes
        if isinstance(route, APIRoute) and route.path.startswith(prefix + "/")
        for method in route.methods
    }


def test_operations_are_told_apart(http: httpx.Client) -> None:
    described = yaml.safe_load(http.get("/prometheus/api/v1/openapi.yaml").text)
    ids = [each["operationId"] for path in described["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids)) == sum(len(operation.methods) for operation in OPERATIONS)
    values = described["paths"]["/label/{name}/values"]["get"]
    assert values["operationId"] == "get-label-values"
    assert values["parameters"][0] == {
        "name": "name",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }
