"""OTLP metrics to columns: see ``vigla.wire.otlp.metrics``."""

from collections import Counter
from typing import Any

import numpy as np
import orjson
from hypothesis import given, settings
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.wire.otlp_metric_walk import STRATEGY, requests, samples
from vigla.prometheus.staleness import STALE_BITS
from vigla.wire.otlp.metrics import DecodedMetrics, MetricDecoder
from vigla.wire.remote_write.decode import Decoded

T = 1_700_000_000_000
NS = 1_000_000


def decoded(request: ExportMetricsServiceRequest, times: int = 1) -> DecodedMetrics:
    (found,) = MetricDecoder(STRATEGY).decode([request.SerializeToString()] * times)
    return found


def rows(part: Decoded) -> list[tuple[tuple[tuple[str, str], ...], int, float]]:
    labels = {
        sid: tuple(orjson.loads(text).items())
        for sid, text in zip(
            *(part.series.column(name).to_pylist() for name in ("sid", "labels")), strict=True
        )
    }
    points = part.samples
    times = points.column("ts").cast("int64").to_pylist()
    ids, values = (points.column(name).to_pylist() for name in ("sid", "value"))
    return [(labels[sid], time, value) for sid, time, value in zip(ids, times, values, strict=True)]


def named(part: Decoded, *names: str) -> list[tuple[dict[str, str], int, float]]:
    found = [(dict(labels), time, value) for labels, time, value in rows(part)]
    return [row for row in found if row[0]["__name__"] in names]


def request_of(name: str = "m", **resource: str) -> tuple[ExportMetricsServiceRequest, Any]:
    request = ExportMetricsServiceRequest()
    added = request.resource_metrics.add()
    for key, value in resource.items():
        added.resource.attributes.add(key=key.replace("_", ".")).value.string_value = value
    return request, added.scope_metrics.add().metrics.add(name=name)


@settings(deadline=None, max_examples=200)
@given(requests)
def test_columns_are_what_a_plain_walk_finds(request: ExportMetricsServiceRequest) -> None:
    found = [row for row in rows(decoded(request).cumulative) if ("__name__", "target_info") not in row[0]]
    assert Counter(found) == Counter(samples(request))


def test_several_payloads_are_decoded_together() -> None:
    request, metric = request_of(service_name="a")
    metric.gauge.data_points.add(as_int=1, time_unix_nano=T * NS)
    assert len(rows(decoded(request, 3).cumulative)) == 3


def test_target_info_tells_the_resource_over_all_of_its_time() -> None:
    request, metric = request_of(
        service_name="a", service_namespace="n", service_instance_id="i", host_name="h"
    )
    for minutes in (0, 4):
        metric.gauge.data_points.add(as_int=1, time_unix_nano=(T + minutes * 60_000) * NS)
    found = named(decoded(request).cumulative, "target_info")
    labels = {"__name__": "target_info", "job": "n/a", "instance": "i", "host_name": "h"}
    assert found == [(labels, T + ms, 1.0) for ms in (0, 150_000, 240_000)]


def test_a_resource_that_is_only_a_service_has_no_target_info() -> None:
    request, metric = request_of(service_name="a")
    metric.gauge.data_points.add(as_int=1, time_unix_nano=T * NS)
    assert named(decoded(request).cumulative, "target_info") == []


def test_no_recorded_value_is_a_stale_marker() -> None:
    request, metric = request_of()
    metric.histogram.data_points.add(flags=1, time_unix_nano=T * NS, sum=1.0)
    request.resource_metrics[0].scope_metrics[0].metrics.add(name="e").exponential_histogram.data_points.add(
        flags=1, time_unix_nano=T * NS
    )
    found = decoded(request).cumulative
    values = found.samples.column("value").to_numpy().view(np.uint64)
    assert set(values.tolist()) == {STALE_BITS}
    assert len(values) == 3
    assert found.histograms.column("sum").to_numpy().view(np.uint64).tolist() == [STALE_BITS]


def test_exponential_histograms_are_native_ones() -> None:
    request, metric = request_of()
    metric.exponential_histogram.aggregation_temporality = 2
    fine = metric.exponential_histogram.data_points.add(
        time_unix_nano=T * NS, scale=10, count=10, sum=5.0, zero_count=1
    )
    fine.positive.offset = -3
    fine.positive.bucket_counts.extend([1, 2, 3, 4])  # buckets -3 to 0; by fours: -1 (three of them) and 0
    fine.negative.offset = 7
    fine.negative.bucket_counts.append(5)
    metric.exponential_histogram.data_points.add(time_unix_nano=T * NS, scale=-4, zero_threshold=0.5)
    metric.exponential_histogram.data_points.add(time_unix_nano=T * NS, scale=-5)
    first, second = decoded(request).cumulative.histograms.to_pylist()
    assert (first["schema"], first["count"], first["sum"], first["zero_count"]) == (8, 10.0, 5.0, 1.0)
    assert (first["positive_spans"], first["positive_counts"]) == ([0, 2], [6.0, 4.0])
    assert (first["negative_spans"], first["negative_counts"]) == ([2, 1], [5.0])
    assert (second["schema"], second["zero_threshold"], second["positive_spans"]) == (-4, 0.5, [])


def test_exemplars_carry_their_trace() -> None:
    request, metric = request_of()
    metric.sum.aggregation_temporality = 2
    metric.sum.data_points.add(as_int=0, time_unix_nano=T * NS)
    point = metric.sum.data_points.add(as_int=1, time_unix_nano=T * NS)
    point.attributes.add(key="x").value.string_value = "y"
    for value, text in ((1, "short"), (2, "long" * 20)):
        exemplar = point.exemplars.add(as_int=value, time_unix_nano=(T + value) * NS)
        exemplar.trace_id, exemplar.span_id = b"\x01" * 16, b"\x02" * 8
        exemplar.filtered_attributes.add(key="why").value.string_value = text
    found = decoded(request).cumulative
    ids = {"trace_id": "01" * 16, "span_id": "02" * 8}
    own = [orjson.loads(text) for text in found.exemplars.column("labels").to_pylist()]
    assert own == [{**ids, "why": "short"}, ids]
    (sid,) = set(found.exemplars.column("sid").to_pylist())
    assert sid == found.samples.column("sid").to_pylist()[1]


def test_deltas_stand_apart() -> None:
    request, metric = request_of()
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = 1, True
    metric.sum.data_points.add(as_int=1, time_unix_nano=T * NS)
    found = decoded(request)
    assert found.deltas is not None
    assert rows(found.cumulative) == []
    assert named(found.deltas, "m_total") == [({"__name__": "m_total"}, T, 1.0)]


def test_metadata_of_each_name_once() -> None:
    request, metric = request_of("http.size")
    metric.unit, metric.description = "By", "Bytes."
    metric.sum.is_monotonic = True
    metric.sum.data_points.add(as_int=1)
    told = {"name": "http_size_bytes_total", "type": "counter", "help": "Bytes.", "unit": "bytes"}
    assert decoded(request, 3).cumulative.metadata.to_pylist() == [told]
