"""What is counted of spans and access logs: see ``ingester.derived``."""

from collections import Counter
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from ingester.derived import access_logs as istio
from ingester.derived.counters import Counters
from ingester.derived.metrics import DerivedMetrics
from tests.contracts.rows import access_logs, spans
from tests.ingester.derived.test_counters import shown
from vigla.clock import FakeClock
from vigla.settings import IngesterSettings

spans_drawn = st.lists(
    st.fixed_dictionaries(
        {
            "service": st.sampled_from(["a", "b"]),
            "name": st.sampled_from(["GET /", "q"]),
            "kind": st.integers(0, 5),
            "status_code": st.integers(0, 2),
            "dur": st.sampled_from([0, 2_000_000, 2_000_001, 10**9, 10**12]),
        }
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=50)
@given(st.lists(spans_drawn, min_size=1, max_size=3))
def test_calls_and_durations_are_those_of_a_plain_walk(batches: list[list[dict[str, Any]]]) -> None:
    derived = DerivedMetrics(IngesterSettings(), FakeClock())
    for batch in batches:
        derived.observe_spans(spans(*batch))
    found: dict[str, float] = {}
    for each in derived.samples():
        found |= shown(each)
    calls, fast = Counter[str](), Counter[str]()
    for row in (row for batch in batches for row in batch):
        kind = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"][row["kind"]]
        code = ("UNSET", "OK", "ERROR")[row["status_code"]]
        labels = f"{row['service']} SPAN_KIND_{kind} {row['name']} STATUS_CODE_{code}"
        calls[f"traces_spanmetrics_calls_total {labels}"] += 1
        bucket = f"0.002 {labels}"
        fast[f"traces_spanmetrics_latency_bucket {bucket}"] += row["dur"] <= 2_000_000
    assert {key: value for key, value in found.items() if "calls" in key} == calls
    assert {key: value for key, value in found.items() if "_bucket 0.002 " in key} == fast


REQUEST = {
    "reporter": "destination",
    "service": "reviews.shop.svc.cluster.local",
    "source_workload": "productpage-v1",
    "source_service": "productpage",
    "source_namespace": "shop",
    "source_principal": "spiffe://cluster.local/ns/shop/sa/productpage",
    "destination_workload": "reviews-v2",
    "destination_namespace": "shop",
    "destination_principal": "spiffe://cluster.local/ns/shop/sa/reviews",
    "peer_principal": "spiffe://cluster.local/ns/shop/sa/productpage",
    "protocol": "HTTP/1.1",
    "status": 503,
    "flags": ["UF", "URX"],
    "dur": 7_000_000,
    "downstream_wire_bytes_received": 600,
    "downstream_wire_bytes_sent": 90,
    "tags": '{"destination_canonical_service":"reviews","destination_canonical_revision":"v2"}',
}


def told(*rows: dict[str, Any]) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Samples by metric name."""
    counters = Counters(istio.FAMILIES, 10_000, 10**9)
    istio.observe(counters, access_logs(*rows), 5)
    decoded = counters.samples(5)
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    if decoded is None:
        return found
    labels = dict(zip(decoded.series["sid"].to_pylist(), decoded.series["labels"].to_pylist(), strict=True))
    for sid, value in zip(*(decoded.samples[name].to_pylist() for name in ("sid", "value")), strict=True):
        own = orjson.loads(labels[sid])
        found.setdefault(own.pop("__name__"), []).append((own, value))
    return found


def test_a_request_has_istios_labels() -> None:
    found = told(REQUEST, REQUEST)
    ((labels, value),) = found["istio_requests_total"]
    assert value == 2.0
    assert labels == {
        "reporter": "destination",
        "source_workload": "productpage-v1",
        "source_canonical_service": "productpage",
        "source_canonical_revision": "latest",
        "source_workload_namespace": "shop",
        "source_principal": "spiffe://cluster.local/ns/shop/sa/productpage",
        "source_app": "productpage",
        "source_version": "unknown",
        "source_cluster": "Kubernetes",
        "destination_workload": "reviews-v2",
        "destination_workload_namespace": "shop",
        "destination_principal": "spiffe://cluster.local/ns/shop/sa/reviews",
        "destination_app": "reviews",
        "destination_version": "v2",
        "destination_service": "reviews.shop.svc.cluster.local",
        "destination_canonical_service": "reviews",
        "destination_canonical_revision": "v2",
        "destination_service_name": "reviews",
        "destination_service_namespace": "shop",
        "destination_cluster": "Kubernetes",
        "request_protocol": "http",
        "response_code": "503",
        "response_flags": "UF,URX",
        "connection_security_policy": "mutual_tls",
    }
    assert {value for _, value in found["istio_request_duration_milliseconds_sum"]} == {14.0}
    assert {value for _, value in found["istio_request_bytes_sum"]} == {1200.0}
    assert {value for _, value in found["istio_response_bytes_sum"]} == {180.0}


def test_grpc_and_a_source_that_knows_little() -> None:
    row = {"protocol": "HTTP/2", "reporter": "source", "response_trailers": '{"grpc-status":"14"}'}
    ((labels, _),) = told(row)["istio_requests_total"]
    assert (labels["request_protocol"], labels["grpc_response_status"]) == ("grpc", "14")
    assert (labels["response_code"], labels["response_flags"]) == ("0", "-")
    assert (labels["source_workload"], labels["connection_security_policy"]) == ("unknown", "unknown")
    assert labels["destination_service_name"] == "shop"


def test_connections_are_counted_at_their_end() -> None:
    row = {"protocol": "TCP", "bytes_received": 5, "bytes_sent": 7}
    found = told(row | {"log_type": "TcpConnectionEnd"}, row | {"log_type": "TcpUpstreamConnected"})
    values = {name: [value for _, value in rows] for name, rows in found.items()}
    assert values == {
        "istio_tcp_connections_opened_total": [1.0],
        "istio_tcp_connections_closed_total": [1.0],
        "istio_tcp_received_bytes_total": [5.0],
        "istio_tcp_sent_bytes_total": [7.0],
    }
    assert "response_code" not in found["istio_tcp_sent_bytes_total"][0][0]


def test_nothing_is_told_of_nothing() -> None:
    assert told() == {}


def edges(*batches: list[dict[str, Any]], seconds: float = 0.0) -> dict[str, float]:
    """Samples of the service graph after some batches with a time between them."""
    clock = FakeClock()
    derived = DerivedMetrics(IngesterSettings(), clock)
    for batch in batches:
        derived.observe_spans(spans(*batch))
        clock.advance(seconds)
    found: dict[str, float] = {}
    for each in derived.samples():
        found |= shown(each)
    return {
        key.removeprefix("traces_service_graph_"): value for key, value in found.items() if "graph" in key
    }


CALL = {"service": "front", "kind": 3, "span_id": 7, "parent_id": 5, "dur": 3 * 10**8}
ANSWER = {"service": "back", "kind": 2, "span_id": 8, "parent_id": 7, "dur": 10**8, "status_code": 2}


def test_a_request_is_whole_in_one_batch_or_in_two() -> None:
    for batches in ([[CALL, ANSWER]], [[ANSWER, CALL]], [[CALL], [ANSWER]], [[ANSWER], [CALL], []]):
        found = edges(*batches, seconds=1)
        assert found["request_total front back"] == 1.0
        assert found["request_failed_total front back"] == 1.0
        assert found["request_client_seconds_bucket front 0.128 back"] == 0.0
        assert found["request_server_seconds_bucket front 0.128 back"] == 1.0


def test_other_traces_and_late_answers_are_no_request() -> None:
    assert edges([CALL, ANSWER | {"trace_id": "f" * 32}]) == {}
    assert edges([CALL], [], [ANSWER], seconds=11) == {}


def test_databases_users_queues_and_peers_are_nodes() -> None:
    database = CALL | {"a.db.system.name": "postgresql", "a.db.namespace": "orders"}
    assert edges([database]) == {}
    assert edges([database], seconds=11)["request_total front database orders"] == 1.0
    assert edges([database], [ANSWER], seconds=1)["request_total front database back"] == 1.0
    older = CALL | {"attrs": '{"db.system":"redis"}'}
    assert edges([older], seconds=11)["request_total front database redis"] == 1.0
    assert edges([ANSWER | {"parent_id": 0}])["request_total user virtual_node back"] == 1.0
    queue = [CALL | {"kind": 4}, ANSWER | {"kind": 5}]
    assert edges(queue)["request_total front messaging_system back"] == 1.0
    peer = CALL | {"a.peer.service": "bank"}
    assert edges([peer]) == {}
    assert edges([peer], seconds=11)["request_total front virtual_node bank"] == 1.0
    assert edges([peer, ANSWER])["request_total front back"] == 1.0


def test_the_slowest_is_the_exemplar_of_its_bucket() -> None:
    derived = DerivedMetrics(IngesterSettings(), FakeClock())
    slow, fast = {"dur": 3_000_000, "trace_id": "a" * 32}, {"dur": 2_500_000, "trace_id": "b" * 32}
    derived.observe_spans(spans(fast, slow, fast | {"name": "other"}))
    derived.observe_access_logs(
        access_logs(REQUEST | {"trace_id": "c" * 32}, REQUEST | {"dur": 1}, {"dur": 5})
    )
    found = {}
    for each in derived.samples():
        texts = dict(zip(each.series["sid"].to_pylist(), each.series["labels"].to_pylist(), strict=True))
        for row in each.exemplars.to_pylist():
            labels = orjson.loads(texts[row["sid"]])
            found[labels["__name__"], labels["le"], labels.get("span_name", "")] = (
                row["value"],
                orjson.loads(row["labels"])["trace_id"][0],
            )
    assert found == {
        ("traces_spanmetrics_latency_bucket", "0.004", "GET /"): (0.003, "a"),
        ("traces_spanmetrics_latency_bucket", "0.004", "other"): (0.0025, "b"),
        ("istio_request_duration_milliseconds_bucket", "10", ""): (7.0, "c"),
    }
    derived.observe_spans(spans({"name": "third", "dur": 10**12}))
    (again,) = derived.samples()
    assert again.exemplars.num_rows == 1
