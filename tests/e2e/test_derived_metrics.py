"""Metrics of spans, from an SDK's exporter to PromQL."""

import time
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from benchmarks.serving import Server

VISIBLE_WITHIN_S = 20.0
SPANS = 30


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    environment = {"VIGLA_INGESTER__DERIVED_INTERVAL_S": "0.2"}
    with Server(tmp_path_factory.mktemp("derived") / "lake", environment) as server:
        _send(server)
        with httpx.Client(base_url=server.query_url, timeout=30) as client:
            yield client


def _send(server: Server) -> None:
    """Calls of ``front`` to ``back``, every third one failed."""
    front, back = (
        TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
        for name in ("front", "back")
    )
    for provider in (front, back):
        exporter = OTLPSpanExporter(endpoint=server.grpc_target, insecure=True)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    for number in range(SPANS):
        with (
            front.get_tracer("e2e").start_as_current_span("call", kind=SpanKind.CLIENT),
            back.get_tracer("e2e").start_as_current_span("answer", kind=SpanKind.SERVER) as answer,
        ):
            if number % 3 == 0:
                answer.set_status(StatusCode.ERROR)
    for provider in (front, back):
        assert provider.force_flush()
        provider.shutdown()


def assert_value(api: httpx.Client, query: str, expected: str) -> None:
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    found: list[str] = []
    while found != [expected] and time.monotonic() < deadline:
        answer = api.get("/api/v1/query", params={"query": query}).json()
        found = [element["value"][1] for element in answer["data"]["result"]]
        time.sleep(0.1)
    assert found == [expected], query


def test_operations(api: httpx.Client) -> None:
    answers = 'service="back",span_name="answer",span_kind="SPAN_KIND_SERVER"'
    assert_value(api, f"sum(traces_spanmetrics_calls_total{{{answers}}})", "30")
    failed = f'traces_spanmetrics_calls_total{{{answers},status_code="STATUS_CODE_ERROR"}}'
    assert_value(api, failed, "10")
    assert_value(api, f'sum(traces_spanmetrics_latency_bucket{{{answers},le="+Inf"}})', "30")
    told = api.get("/api/v1/metadata", params={"metric": "traces_spanmetrics_latency"}).json()["data"]
    assert told["traces_spanmetrics_latency"][0]["type"] == "histogram"


def test_edges(api: httpx.Client) -> None:
    edge = 'client="front",server="back",connection_type=""'
    assert_value(api, f"traces_service_graph_request_total{{{edge}}}", "30")
    assert_value(api, f"traces_service_graph_request_failed_total{{{edge}}}", "10")
    assert_value(api, f"traces_service_graph_request_server_seconds_count{{{edge}}}", "30")
    assert_value(api, f'traces_service_graph_request_client_seconds_bucket{{{edge},le="+Inf"}}', "30")


def test_an_exemplar_names_a_trace_that_is_there(api: httpx.Client) -> None:
    asked = {"query": 'traces_spanmetrics_latency_bucket{service="back"}'}
    found = api.get("/api/v1/query_exemplars", params=asked).json()["data"]
    (trace_id, *_) = [each["labels"]["trace_id"] for each in found[0]["exemplars"]]
    assert api.get(f"/api/traces/{trace_id}").status_code == httpx.codes.OK
