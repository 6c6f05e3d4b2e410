"""Delta temporality: see ``ingester.deltas``."""

from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingester import deltas
from ingester.deltas import Deltas
from vigla.wire.otlp.metrics import MetricDecoder
from vigla.wire.remote_write.decode import Decoded

T = 1_700_000_000_000
NS = 1_000_000


def changes(*points: tuple[str, int, float], flags: int = 0) -> Decoded:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = 1, True
    for series, second, value in points:
        point = metric.sum.data_points.add(time_unix_nano=(T + second * 1000) * NS, flags=flags)
        point.as_double = value
        point.start_time_unix_nano = (T + second * 1000 - 500) * NS
        point.attributes.add(key="s").value.string_value = series
    (found,) = MetricDecoder("NoTranslation").decode([request.SerializeToString()])
    assert found.deltas is not None
    return found.deltas


def sums(decoded: Decoded) -> list[Any]:
    names = dict(zip(decoded.series["sid"].to_pylist(), decoded.series["labels"].to_pylist(), strict=True))
    times = decoded.samples["ts"].cast("int64").to_pylist()
    columns = (decoded.samples[name].to_pylist() for name in ("sid", "value", "start"))
    return sorted(
        (names[sid].split('"')[7], (time - T) // 1000, value, start - T)
        for time, sid, value, start in zip(times, *columns, strict=True)
    )


def test_changes_add_up_by_series_and_time() -> None:
    state = Deltas()
    first = sums(state.accumulated(changes(("a", 2, 5), ("b", 1, 1), ("a", 1, 3))))
    assert first == [("a", 1, 3.0, 500), ("a", 2, 8.0, 500), ("b", 1, 1.0, 500)]
    second = sums(state.accumulated(changes(("c", 3, 7), ("a", 3, 1))))
    assert second == [("a", 3, 9.0, 500), ("c", 3, 7.0, 2500)]


def test_no_value_is_stored_as_such_and_adds_nothing() -> None:
    state = Deltas()
    state.accumulated(changes(("a", 1, 3)))
    (gone,) = sums(state.accumulated(changes(("a", 2, 9), flags=1)))
    assert gone[2] != gone[2]
    assert sums(state.accumulated(changes(("a", 3, 1))))[0][2] == 4.0


def test_past_the_bound_all_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deltas, "MAX_SERIES", 2)
    state = Deltas()
    state.accumulated(changes(("a", 1, 3), ("b", 1, 3)))
    found = sums(state.accumulated(changes(("a", 2, 1), ("c", 2, 1))))
    assert [row[2] for row in found] == [1.0, 1.0]


def test_a_series_leaves_no_trace_in_the_next() -> None:
    state = Deltas()
    points = [("a", 1, 0.1), ("a", 2, 1e17), ("b", 1, float("inf")), ("c", 1, 1), ("c", 2, 1), ("c", 3, 1)]
    found = [(name, value) for name, _, value, _ in sums(state.accumulated(changes(*points)))]
    assert found == [("a", 0.1), ("a", 1e17), ("b", float("inf")), ("c", 1), ("c", 2), ("c", 3)]
