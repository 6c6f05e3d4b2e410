"""OpenTelemetry's Python metrics, by every exporter, asked for in PromQL."""

import time
from collections.abc import Callable, Iterable

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from benchmarks.serving import Server

VISIBLE_WITHIN_S = 20.0
DELTA = dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA)
EXPORTERS: dict[str, Callable[[Server], MetricExporter]] = {
    "grpc": lambda s: GrpcExporter(endpoint=s.grpc_target, insecure=True),
    "http": lambda s: HttpExporter(endpoint=f"{s.otlp_url}/v1/metrics"),
    "prometheus-path": lambda s: HttpExporter(endpoint=f"{s.query_url}/api/v1/otlp/v1/metrics"),
    "delta": lambda s: HttpExporter(
        endpoint=f"{s.otlp_url}/api/v1/otlp/v1/metrics", preferred_temporality=DELTA
    ),
}


def _queue(_: CallbackOptions) -> Iterable[Observation]:
    return [Observation(4, {"queue.name": "mail"})]


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_every_instrument_is_found(exporter: str, server: Server, api: httpx.Client) -> None:
    reader = PeriodicExportingMetricReader(EXPORTERS[exporter](server), export_interval_millis=3_600_000)
    native = View(instrument_name="fine", aggregation=ExponentialBucketHistogramAggregation())
    resource = Resource.create({"service.name": f"sdk-{exporter}", "host.name": "here"})
    provider = MeterProvider([reader], resource, views=[native], shutdown_on_exit=False)
    meter = provider.get_meter("e2e")
    counter = meter.create_counter("http.requests", unit="{request}")
    spread, fine = meter.create_histogram("took", "s"), meter.create_histogram("fine", "By")
    level = meter.create_up_down_counter("level")
    meter.create_observable_gauge("queue.length", [_queue], unit="1")
    for _ in range(2):  # twice: deltas add up
        with TracerProvider().get_tracer("e2e").start_as_current_span("traced"):
            counter.add(3, {"http.route": "/cart"})
        spread.record(0.3)
        if exporter != "delta":
            fine.record(100)
        level.add(-2)
        assert provider.force_flush()
        time.sleep(0.002)  # so that no two points have one time
    provider.shutdown()
    job = f'job="sdk-{exporter}"'

    def is_(query: str, expected: str) -> None:
        _assert_value(api, query, expected)

    is_(f'http_requests_total{{{job},http_route="/cart"}}', "6")
    is_(f'took_seconds_bucket{{{job},le="0"}}', "0")
    is_(f'took_seconds_bucket{{{job},le="5"}}', "2")
    is_(f"took_seconds_count{{{job}}}", "2")
    is_(f"took_seconds_sum{{{job}}}", "0.6")
    is_(f"level{{{job}}}", "-4")
    is_(f'queue_length_ratio{{{job},queue_name="mail"}}', "4")
    is_(f'target_info{{{job},host_name="here"}}', "1")
    if exporter != "delta":
        is_(f"histogram_count(fine_bytes{{{job}}})", "2")
        is_(f"histogram_sum(fine_bytes{{{job}}})", "200")
    (told,) = api.get("/api/v1/metadata", params={"metric": "took_seconds"}).json()["data"]["took_seconds"]
    assert (told["type"], told["unit"]) == ("histogram", "seconds")


def test_an_exemplar_names_the_trace(server: Server, api: httpx.Client) -> None:
    reader = PeriodicExportingMetricReader(EXPORTERS["http"](server), export_interval_millis=3_600_000)
    provider = MeterProvider(
        [reader], Resource.create({"service.name": "sdk-exemplar"}), shutdown_on_exit=False
    )
    counter = provider.get_meter("e2e").create_counter("traced.calls")
    with TracerProvider().get_tracer("e2e").start_as_current_span("call") as span:
        counter.add(1)
        trace_id = trace.format_trace_id(span.get_span_context().trace_id)
    assert provider.force_flush()
    provider.shutdown()
    _assert_value(api, 'traced_calls_total{job="sdk-exemplar"}', "1")
    asked = {"query": "rate(traced_calls_total[5m])"}
    (found,) = api.get("/api/v1/query_exemplars", params=asked).json()["data"]
    assert [each["labels"]["trace_id"] for each in found["exemplars"]] == [trace_id]


def _assert_value(api: httpx.Client, query: str, expected: str) -> None:
    """Of the one element; what was acknowledged is visible a moment later."""
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    found: list[str] = []
    while found != [expected] and time.monotonic() < deadline:
        answer = api.get("/api/v1/query", params={"query": query}).json()
        found = [element["value"][1] for element in answer["data"]["result"]]
        time.sleep(0.05)
    assert found == [expected], query
