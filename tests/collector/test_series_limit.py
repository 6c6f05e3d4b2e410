"""How many series a source may write: see ``collector.series_limit``."""

import httpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from benchmarks.serving import Server
from collector.series_limit import WINDOW_S, SeriesLimit
from tests.wire.otlp_metric_walk import requests as metric_requests
from tests.wire.remote_write_messages import packed, request_v1, request_v2
from vigla.clock import FakeClock
from vigla.wire.otlp.admit import admit
from vigla.wire.series_limit import Series

JOBS = pa.array([b"web", b"db"], pa.binary())


def series(*given: tuple[int, int]) -> Series:
    """Of sources and ids."""
    sources, ids = (np.array(column, np.int64) for column in zip(*given, strict=True))
    return Series(ids, sources, JOBS, np.ones(len(ids), np.int64))


def test_new_series_past_the_limit_are_refused_and_others_go_on() -> None:
    limit = SeriesLimit(2, FakeClock())
    assert limit.over(series((0, 5), (0, 5), (0, 7), (0, 9))).tolist() == [False, False, False, True]
    assert limit.over(series((0, 7), (0, 1), (1, 1), (-1, 9))).tolist() == [False, True, False, False]


def test_what_a_source_stopped_to_write_makes_room() -> None:
    clock = FakeClock()
    limit = SeriesLimit(1, clock)
    assert not limit.over(series((0, 1))).any()
    assert limit.over(series((0, 2))).all()
    clock.advance(WINDOW_S + 1)
    assert not limit.over(series((0, 2))).any()


@given(st.lists(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30)), min_size=1), max_size=12))
def test_it_counts_as_a_set_does(requests: list[list[tuple[int, int]]]) -> None:
    limit = SeriesLimit(10, FakeClock())
    known: dict[int, set[int]] = {0: set(), 1: set()}
    for request in requests:
        found = limit.over(series(*request)).tolist()
        for (source, number), refused in zip(request, found, strict=True):
            own = known[source]
            if number not in own and len(own) < 10:
                own.add(number)
            assert refused == (number not in own)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_label_bomb_is_told_and_harms_no_other(
    tmp_path_factory: pytest.TempPathFactory, version: str
) -> None:
    folder = tmp_path_factory.mktemp("bomb")
    made = request_v1 if version == "1" else request_v2
    proto = "prometheus.WriteRequest" if version == "1" else "io.prometheus.write.v2.Request"
    headers = {"Content-Encoding": "snappy", "Content-Type": f"application/x-protobuf;proto={proto}"}
    bomb = [({"__name__": "m", "job": "bomb", "id": str(n)}, [(1000, 1.0)]) for n in range(50)]
    with Server(folder / "lake", {"VIGLA_COLLECTOR__MAX_SERIES_PER_SOURCE": "20"}) as server:

        def send(*rows: tuple[dict[str, str], list[tuple[int, float]]]) -> httpx.Response:
            return httpx.post(
                server.query_url + "/api/v1/write", content=packed(made(*rows)), headers=headers
            )

        refused = send(*bomb, ({"__name__": "m", "job": "fine"}, [(1000, 1.0)]))
        assert refused.status_code == 400
        assert "too many series of one job" in refused.text
        assert "collector.max_series_per_source" in refused.text
        assert refused.headers["x-prometheus-remote-write-samples-written"] == "21"
        assert send(*bomb[:20]).status_code == 204
        assert send(({"__name__": "n", "job": "fine"}, [(1000, 1.0)])).status_code == 204
        told = httpx.get(f"http://127.0.0.1:{server.ports.telemetry}/metrics").text
        assert 'vigla_collector_rejected_total{signal="remote_write",transport="http"} 30.0' in told


def points_of(service: str, values: int, kind: str = "gauge") -> ResourceMetrics:
    """One metric with a stream for each value of an attribute."""
    metric = Metric(name="m")
    for value in range(values):
        point = getattr(metric, kind).data_points.add(time_unix_nano=10**18)
        if kind == "histogram":
            point.bucket_counts.extend([0, 1, 0])
            point.explicit_bounds.extend([1.0, 2.0])
        point.attributes.add(key="id").value.string_value = str(value)
        point.attributes.add(key="zone").value.string_value = "a"
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value=service))])
    return ResourceMetrics(resource=resource, scope_metrics=[ScopeMetrics(metrics=[metric])])


def request_of(*resources: ResourceMetrics) -> ExportMetricsServiceRequest:
    return ExportMetricsServiceRequest(resource_metrics=resources)


@pytest.mark.parametrize(("kind", "fits"), [("gauge", 20), ("sum", 20), ("histogram", 4), ("summary", 10)])
def test_a_stream_counts_as_many_series_as_it_becomes(kind: str, fits: int) -> None:
    admitted = admit(
        "metrics", request_of(points_of("bomb", 30, kind)).SerializeToString(), SeriesLimit(20, FakeClock())
    )
    assert (admitted.accepted, admitted.rejected) == (fits, 30 - fits)
    assert admitted.reason.endswith(f"{30 - fits} data points of bomb")
    kept = ExportMetricsServiceRequest.FromString(admitted.payload)
    assert kept == request_of(points_of("bomb", fits, kind))


def test_the_order_of_attributes_makes_no_new_stream() -> None:
    limit = SeriesLimit(1, FakeClock())
    request = request_of(points_of("web", 1))
    assert not admit("metrics", request.SerializeToString(), limit).rejected
    attributes = request.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0].attributes
    attributes.reverse()
    assert not admit("metrics", request.SerializeToString(), limit).rejected
    attributes[0].value.string_value = "b"
    assert admit("metrics", request.SerializeToString(), limit).rejected == 1


@settings(deadline=None, derandomize=True, max_examples=60)
@given(metric_requests)
def test_arbitrary_requests_are_walked_in_order(request: ExportMetricsServiceRequest) -> None:
    """Whatever an arbitrary limit refuses is what is left out, and nothing else."""

    class Every:
        def over(self, series: Series) -> npt.NDArray[np.bool_]:
            return np.arange(len(series.ids)) % 2 == 1

    admitted = admit("metrics", request.SerializeToString(), Every())
    before, after = (
        points_in_order(request),
        points_in_order(ExportMetricsServiceRequest.FromString(admitted.payload)),
    )
    assert after == before[::2]
    assert (admitted.accepted, admitted.rejected) == (len(after), len(before) - len(after))


def points_in_order(request: ExportMetricsServiceRequest) -> list[bytes]:
    return [
        point.SerializeToString(deterministic=True)
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if (kind := metric.WhichOneof("data"))
        for point in getattr(metric, kind).data_points
    ]


def test_a_bomb_of_otlp_is_told_as_partial_success(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("otlp-bomb")
    with Server(folder / "lake", {"VIGLA_COLLECTOR__MAX_SERIES_PER_SOURCE": "20"}) as server:
        body = request_of(points_of("bomb", 50), points_of("fine", 1)).SerializeToString()
        answer = httpx.post(
            f"http://127.0.0.1:{server.ports.otlp_http}/v1/metrics",
            content=body,
            headers={"Content-Type": "application/x-protobuf"},
        )
        assert answer.status_code == 200
        partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
        assert partial.rejected_data_points == 30
        assert "too many series of one job" in partial.error_message
        told = httpx.get(f"http://127.0.0.1:{server.ports.telemetry}/metrics").text
        assert 'vigla_collector_rejected_total{signal="metrics",transport="http"} 30.0' in told
