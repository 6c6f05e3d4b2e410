"""Several series of one edge, and the same call as both sides report it."""

from query.promql.memory import MemorySeries
from query.topology.build import build
from query.topology.configuration import NoConfiguration
from query.topology.options import GraphOptions
from query.topology.telemetry import Metrics
from query.topology.traffic import Edge
from vigla.storage.api import Stop

T = 1_700_000_000
CALL = {
    "source_cluster": "c",
    "source_workload_namespace": "shop",
    "source_workload": "web",
    "destination_cluster": "c",
    "destination_service_namespace": "shop",
    "destination_service": "cart.shop.svc.cluster.local",
    "destination_service_name": "cart",
    "destination_workload_namespace": "shop",
    "destination_workload": "cart",
    "request_protocol": "http",
    "response_code": "200",
    "reporter": "destination",
}


def put(store: MemorySeries, name: str, rate: float, **labels: str) -> None:
    known = tuple(sorted({**CALL, **labels, "__name__": name}.items()))
    for second in range(-610, 1, 10):
        store.append(known, (T + second) * 1000, 1e6 + rate * (second + 610))


def only_edge(store: MemorySeries, **options: str) -> Edge:
    asked = GraphOptions(["shop"], "workload", T, **options)  # type: ignore[arg-type]
    (edge,) = build(Metrics(store, T, Stop()), asked, NoConfiguration()).edges()
    return edge


def test_response_time_is_of_all_series_of_an_edge() -> None:
    store = MemorySeries()
    for code, fast in (("200", 9.0), ("404", 0.0)):
        put(store, "istio_requests_total", 9.0 if fast else 1.0, response_code=code)
        for bound, rate in (("10", fast), ("100", fast or 1.0), ("+Inf", fast or 1.0)):
            put(store, "istio_request_duration_milliseconds_bucket", rate, le=bound, response_code=code)
    assert only_edge(store).marks["responseTime"] == "55"


def test_throughput_is_of_what_was_asked_for_and_of_the_reporter_that_says_more() -> None:
    store = MemorySeries()
    put(store, "istio_requests_total", 1.0)
    put(store, "istio_request_bytes_sum", 100.0)
    put(store, "istio_request_bytes_sum", 120.0, reporter="source")
    put(store, "istio_response_bytes_sum", 3000.0)
    assert only_edge(store).marks["throughput"] == "120"
    assert only_edge(store, throughput="response").marks["throughput"] == "3000"


def test_principals_of_most_calls_are_shown_and_all_are_kept() -> None:
    store = MemorySeries()
    for account, rate in (("old", 1.0), ("new", 3.0)):
        principals = {"source_principal": f"spiffe://{account}", "destination_principal": "spiffe://cart"}
        put(store, "istio_requests_total", rate, connection_security_policy="mutual_tls", **principals)
    put(store, "istio_requests_total", 4.0, connection_security_policy="none")
    put(store, "istio_requests_total", 9.0, connection_security_policy="unknown", response_code="204")
    edge = only_edge(store)
    assert edge.marks["isMTLS"] == "50"
    assert edge.principals["spiffe://new", "spiffe://cart"] == 3.0
    assert edge.principals["spiffe://old", "spiffe://cart"] == 1.0


def test_bytes_are_secured_too() -> None:
    store = MemorySeries()
    put(store, "istio_tcp_received_bytes_total", 5.0, connection_security_policy="mutual_tls")
    assert only_edge(store).marks["isMTLS"] == "100"
