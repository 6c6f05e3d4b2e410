"""The table of own metrics and what is made of it."""

import pytest

from vigla.telemetry.metrics import DEFINITIONS, Metrics


def test_names_are_unique_and_say_their_kind() -> None:
    names = [d.name for d in DEFINITIONS]
    assert len(set(names)) == len(names)
    assert all(d.name.startswith("vigla_") for d in DEFINITIONS)
    assert all((d.kind == "counter") == d.name.endswith("_total") for d in DEFINITIONS)


def test_counter_gauge_histogram() -> None:
    metrics = Metrics()
    metrics.add("vigla_collector_accepted_total", 3, signal="traces", transport="grpc")
    metrics.set("vigla_storage_buffered_rows", 7)
    metrics.observe("vigla_ingester_flush_seconds", 0.25)
    sample = metrics.registry.get_sample_value
    assert sample("vigla_collector_accepted_total", {"signal": "traces", "transport": "grpc"}) == 3
    assert sample("vigla_storage_buffered_rows") == 7
    assert sample("vigla_ingester_flush_seconds_sum") == 0.25


def test_wrong_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="is no Counter"):
        Metrics().add("vigla_storage_buffered_rows")
