"""Arbitrary OTLP metric requests for hypothesis, and the samples they are, by a plain walk."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from vigla.wire.otlp.label_values import pair, plain
from vigla.wire.otlp.metric_names import Kind, label_name, metric_name

STRATEGY = "UnderscoreEscapingWithSuffixes"
Sample = tuple[tuple[tuple[str, str], ...], int, float]

NS = 1_000_000
times = st.integers(1, 10**6).map(lambda ms: 1_700_000_000_000 * NS + ms * NS)
values = st.builds(AnyValue, string_value=st.text(max_size=4)) | st.builds(
    AnyValue, int_value=st.integers(-5, 5)
)
keys = st.sampled_from(["a", "a.b", "a_b", "job", "le", "__name__", "0x", "_y", "service.name", "k.8"])
attributes = st.lists(st.builds(KeyValue, key=keys, value=values), max_size=4)
resource_keys = st.sampled_from(["service.name", "service.namespace", "service.instance.id", "host", "h.o"])
resources = st.builds(
    Resource, attributes=st.lists(st.builds(KeyValue, key=resource_keys, value=values), max_size=4)
)
numbers = st.lists(
    st.builds(NumberDataPoint, time_unix_nano=times, as_int=st.integers(-9, 9), attributes=attributes)
    | st.builds(
        NumberDataPoint, time_unix_nano=times, as_double=st.floats(allow_nan=False), attributes=attributes
    ),
    max_size=3,
)
histogram_points = st.builds(
    HistogramDataPoint,
    time_unix_nano=times,
    count=st.integers(0, 9),
    sum=st.none() | st.floats(0, 9),
    bucket_counts=st.lists(st.integers(0, 9), max_size=4),
    explicit_bounds=st.lists(st.sampled_from([0.5, 1.0, 2.0]), max_size=3, unique=True).map(sorted),
    attributes=attributes,
)
quantiles = st.lists(
    st.builds(SummaryDataPoint.ValueAtQuantile, quantile=st.sampled_from([0.5, 1.0]), value=st.floats(0, 9)),
    max_size=2,
    unique_by=lambda each: each.quantile,
)
summary_points = st.builds(
    SummaryDataPoint,
    time_unix_nano=times,
    count=st.integers(0, 9),
    sum=st.floats(0, 9),
    quantile_values=quantiles,
    attributes=attributes,
)
names = st.sampled_from(["a.b", "total", "x", "9", ".", "é"])
units = st.sampled_from(["", "s", "1", "By/s", "{x}"])
metrics = st.one_of(
    st.builds(Metric, name=names, unit=units, gauge=st.builds(Gauge, data_points=numbers)),
    st.builds(
        Metric,
        name=names,
        unit=units,
        sum=st.builds(
            Sum, data_points=numbers, is_monotonic=st.booleans(), aggregation_temporality=st.just(2)
        ),
    ),
    st.builds(
        Metric,
        name=names,
        unit=units,
        histogram=st.builds(
            Histogram, data_points=st.lists(histogram_points, max_size=3), aggregation_temporality=st.just(2)
        ),
    ),
    st.builds(
        Metric,
        name=names,
        unit=units,
        summary=st.builds(Summary, data_points=st.lists(summary_points, max_size=3)),
    ),
    st.builds(Metric, name=names),
)
requests = st.builds(
    ExportMetricsServiceRequest,
    resource_metrics=st.lists(
        st.builds(
            ResourceMetrics,
            resource=resources,
            scope_metrics=st.lists(
                st.builds(ScopeMetrics, metrics=st.lists(metrics, max_size=4)), max_size=2
            ),
        ),
        max_size=3,
    ),
)


def samples(request: ExportMetricsServiceRequest) -> Iterator[Sample]:
    """What the request's points are, without ``target_info``."""
    for resource in request.resource_metrics:
        own = dict(pair(each.SerializeToString()) for each in resource.resource.attributes)
        service, namespace = own.get("service.name", ""), own.get("service.namespace", "")
        target = {
            "job": f"{namespace}/{service}" if service and namespace else service,
            "instance": own.get("service.instance.id", ""),
        }
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield from _of_metric(metric, {key: value for key, value in target.items() if value})


def _of_metric(metric: Metric, target: dict[str, str]) -> Iterator[Sample]:
    field = metric.WhichOneof("data")
    if field is None:
        return
    kind: Kind = "gauge" if field == "gauge" else "other"
    if field == "sum" and metric.sum.is_monotonic:
        kind = "counter"
    name = metric_name(metric.name, metric.unit, kind, STRATEGY)
    if not name:
        return
    for point in getattr(metric, field).data_points:
        for suffix, extra, value in _values(field, point):
            labels = _labels(point) | target | extra | {"__name__": name + suffix}
            shown = tuple(sorted((key, text) for key, text in labels.items() if text))
            yield shown, point.time_unix_nano // NS, value


def _labels(point: Any) -> dict[str, str]:
    merged: dict[str, list[str]] = {}
    for key, value in sorted(dict(pair(each.SerializeToString()) for each in point.attributes).items()):
        merged.setdefault(label_name(key, STRATEGY), []).append(value)
    return {name: ";".join(values) for name, values in merged.items()}


def _values(field: str, point: Any) -> Iterator[tuple[str, dict[str, str], float]]:
    match field:
        case "gauge" | "sum":
            double = point.WhichOneof("value") == "as_double"
            yield "", {}, point.as_double if double else float(point.as_int)
        case "summary":
            yield "_count", {}, float(point.count)
            yield "_sum", {}, point.sum
            for each in point.quantile_values:
                yield "", {"quantile": plain(each.quantile)}, each.value
        case "histogram":
            yield "_count", {}, float(point.count)
            if point.HasField("sum"):
                yield "_sum", {}, point.sum
            total = 0
            for bound, count in zip(point.explicit_bounds, point.bucket_counts, strict=False):
                total += count
                yield "_bucket", {"le": plain(bound)}, float(total)
            yield "_bucket", {"le": "+Inf"}, float(point.count)
