"""Names of OpenTelemetry's metrics and attributes as Prometheus' names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigla.wire.otlp.metric_names import Kind, label_name, metric_name, unit_name

DEFAULT = "UnderscoreEscapingWithSuffixes"
CASES: list[tuple[str, str, Kind, str]] = [
    ("http.server.request.duration", "s", "other", "http_server_request_duration_seconds"),
    ("system.memory.usage", "By", "gauge", "system_memory_usage_bytes"),
    ("requests", "", "counter", "requests_total"),
    ("total.requests", "", "counter", "requests_total"),
    ("requests", "{request}", "counter", "requests_total"),
    ("cpu.utilization", "1", "gauge", "cpu_utilization_ratio"),
    ("cpu.utilization", "1", "other", "cpu_utilization"),
    ("network.io", "By/s", "gauge", "network_io_bytes_per_second"),
    ("a__b..c", "", "gauge", "a_b_c"),
    ("wait.seconds", "s", "gauge", "wait_seconds"),
    ("2xx", "", "gauge", "_2xx"),
    ("x", "KiBy/m", "counter", "x_kibibytes_per_minute_total"),
    ("x", "widgets", "gauge", "x_widgets"),
    ("x", "%", "gauge", "x_percent"),
    ("rule:a", "", "gauge", "rule:a"),
    ("...", "", "gauge", ""),
]


@pytest.mark.parametrize(("name", "unit", "kind", "expected"), CASES)
def test_metric_names(name: str, unit: str, kind: Kind, expected: str) -> None:
    assert metric_name(name, unit, kind, DEFAULT) == expected


def test_other_strategies() -> None:
    assert metric_name("a.b", "s", "counter", "UnderscoreEscapingWithoutSuffixes") == "a_b"
    assert metric_name("a.b", "s", "counter", "NoUTF8EscapingWithSuffixes") == "a.b_seconds_total"
    assert metric_name("a.b", "s", "counter", "NoTranslation") == "a.b"


@pytest.mark.parametrize(
    ("key", "expected"),
    [("a.b", "a_b"), ("1a", "key_1a"), ("_a", "key_a"), ("__a__", "__a__"), ("a..b", "a__b"), ("é", "_")],
)
def test_label_names(key: str, expected: str) -> None:
    assert label_name(key, DEFAULT) == (expected if key != "é" else "key_")
    assert label_name(key, "NoTranslation") == key


def test_units_of_metadata() -> None:
    assert [unit_name(unit) for unit in ("By/s", "{x}", "1", "ms")] == [
        "bytes_per_second",
        "",
        "",
        "milliseconds",
    ]


@given(st.text(), st.text(max_size=5), st.sampled_from(["gauge", "counter", "other"]))
def test_every_name_is_one_that_promql_reads_without_quotes(name: str, unit: str, kind: Kind) -> None:
    made = metric_name(name, unit, kind, DEFAULT)
    assert not made or re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", made)
    label = label_name(name, DEFAULT)
    assert not name or re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label)
