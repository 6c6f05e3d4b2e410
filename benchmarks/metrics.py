"""What OTLP metrics cost to decode, and what it costs to make metrics of spans.

In one run, on the same payloads: samples a CPU-second of the decoder and of a plain walk over the messages
that protobuf's C parser (upb) makes; spans a CPU-second decoded, and decoded and counted.
"""

from collections.abc import Sequence
from functools import partial
from time import process_time
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE as CUMULATIVE
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from benchmarks.decode import PAYLOADS, SHAPES, spans_per_cpu_second
from benchmarks.report import publish, table
from ingester.derived.metrics import DerivedMetrics
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import IngesterSettings
from vigla.wire.otlp.metrics import MetricDecoder
from vigla.wire.otlp.spans import SpanDecoder

INSTANCES, COUNTERS, ROUTES, HISTOGRAMS = 20, 20, 20, 5
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
EPOCH_NS = 1_790_000_000_000_000_000
CALLS = 5


def payloads() -> list[bytes]:
    """What the SDK of each instance exports: 20 counters and 5 histograms of 20 routes."""
    return [_payload(instance) for instance in range(INSTANCES)]


def _payload(instance: int) -> bytes:
    request = ExportMetricsServiceRequest()
    entry = request.resource_metrics.add()
    own = {"service.name": "shop", "service.instance.id": f"i{instance}", "host.name": f"h{instance}"}
    for key, value in own.items():
        entry.resource.attributes.add(key=key).value.string_value = value
    metrics = entry.scope_metrics.add().metrics
    for number in range(COUNTERS + HISTOGRAMS):
        metric = metrics.add(name=f"shop.m{number}", unit="s")
        for route in range(ROUTES):
            point = _spread(metric) if number >= COUNTERS else _count(metric, route)
            point.time_unix_nano, point.start_time_unix_nano = EPOCH_NS, EPOCH_NS - 10**9
            texts = {"http.route": f"/r{route}", "http.method": "GET", "code": str(route % 5)}
            for key, value in texts.items():
                point.attributes.add(key=key).value.string_value = value
    return request.SerializeToString()


def _count(metric: Metric, value: int) -> Any:
    metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, CUMULATIVE
    return metric.sum.data_points.add(as_double=value)


def _spread(metric: Metric) -> Any:
    metric.histogram.aggregation_temporality = CUMULATIVE
    counts = [5] * (len(BOUNDS) + 1)
    return metric.histogram.data_points.add(
        count=sum(counts), sum=3, explicit_bounds=BOUNDS, bucket_counts=counts
    )


def walk(given: Sequence[bytes]) -> list[tuple[str, tuple[tuple[str, str], ...], int, float]]:
    """Less than the decoder does: names are not translated, labels neither hashed nor written."""
    rows = []
    for payload in given:
        for resource in ExportMetricsServiceRequest.FromString(payload).resource_metrics:
            own = [(pair.key, pair.value.string_value) for pair in resource.resource.attributes]
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                for point in metric.sum.data_points:
                    labels = (*own, *((a.key, a.value.string_value) for a in point.attributes))
                    rows.append((metric.name, labels, point.time_unix_nano, point.as_double))
                for spread in metric.histogram.data_points:
                    labels = (*own, *((a.key, a.value.string_value) for a in spread.attributes))
                    total = 0
                    for bound, count in zip(
                        (*spread.explicit_bounds, float("inf")), spread.bucket_counts, strict=True
                    ):
                        total += count
                        le = ("le", str(bound))
                        rows.append((f"{metric.name}_bucket", (*labels, le), spread.time_unix_nano, total))
                    rows.append((f"{metric.name}_sum", labels, spread.time_unix_nano, spread.sum))
                    rows.append((f"{metric.name}_count", labels, spread.time_unix_nano, spread.count))
    return rows


def decoding() -> str:
    """Samples a CPU-second."""
    given = payloads()
    decoder = MetricDecoder(IngesterSettings().metric_names)
    samples = sum(part.cumulative.samples.num_rows for part in decoder.decode(given))

    def speed(calls: int, *, plain: bool) -> float:
        begin = process_time()
        for _ in range(calls):
            if plain:
                walk(given)
            else:
                decoder.decode(given)
        return float(calls * samples / (process_time() - begin))

    columns, plain = speed(CALLS, plain=False), speed(CALLS, plain=True)
    header = ("samples a call", "decoder, samples/CPU-s", "plain walk", "ratio")
    return table(header, [(f"{samples:,}", f"{columns:,.0f}", f"{plain:,.0f}", f"{columns / plain:.1f}")])


def deriving() -> str:
    """Spans a CPU-second with and without metrics made of them."""
    decoder = SpanDecoder(DEFAULT_PROMOTED)
    rows = []
    for shape, make in SHAPES.items():
        given = make()
        derived = DerivedMetrics(IngesterSettings(), SystemClock())
        alone = spans_per_cpu_second(decoder.decode, given)
        both = spans_per_cpu_second(partial(_counted, derived, decoder), given)
        rows.append((shape, f"{PAYLOADS * 500:,}", f"{alone:,.0f}", f"{both:,.0f}", f"{both / alone:.2f}"))
    header = ("shape", "spans a call", "decoded, spans/CPU-s", "decoded and counted", "ratio")
    return table(header, rows)


def _counted(derived: DerivedMetrics, decoder: SpanDecoder, given: Sequence[bytes]) -> None:
    derived.observe_spans(decoder.decode(given))


def main() -> None:
    """Measure and publish."""
    publish("metrics", "OTLP metrics decoded, and metrics made of spans", f"{decoding()}\n\n{deriving()}")


if __name__ == "__main__":
    main()
