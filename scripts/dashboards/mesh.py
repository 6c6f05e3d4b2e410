"""The mesh, a service, and a workload: Istio's metrics, from proxies or made of access logs."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from scripts.dashboards.panels import Query, choice, lines, number, page, rows

RATE = "[$__rate_interval]"
SENT = 'reporter="source"'
GOT = 'reporter="destination"'
OF_SERVICE = f'{GOT}, destination_service=~"$service"'
INBOUND = f'{GOT}, destination_workload_namespace=~"$namespace", destination_workload=~"$workload"'
OUTBOUND = f'{SENT}, source_workload_namespace=~"$namespace", source_workload=~"$workload"'
QUANTILES = (0.5, 0.95, 0.99)
WORKLOAD = ("destination_workload_namespace", "destination_workload")


def requests(matchers: str, *by: str) -> str:
    """Requests a second."""
    return f"sum{_by(by)}(rate(istio_requests_total{{{matchers}}}{RATE}))"


def failing(matchers: str, *by: str) -> str:
    """Share of requests that the server failed; 0 where none did."""
    wrong = requests(f'{matchers}, response_code=~"5..|0"', *by)
    return f"({wrong} or {requests(matchers, *by)} * 0) / {requests(matchers, *by)}"


def quantile(q: float, matchers: str, *by: str) -> str:
    """Duration of requests in milliseconds."""
    buckets = f"rate(istio_request_duration_milliseconds_bucket{{{matchers}}}{RATE})"
    return f"histogram_quantile({q}, sum{_by((*by, 'le'))}({buckets}))"


def tcp(way: str, matchers: str, *by: str) -> str:
    """Bytes a second: ``sent`` by the server, or ``received``."""
    return f"sum{_by(by)}(rate(istio_tcp_{way}_bytes_total{{{matchers}}}{RATE}))"


def mesh() -> Dashboard:
    """All services of the mesh."""
    service = ("destination_service_name", "destination_service_namespace")
    named = "{{destination_service_name}}.{{destination_service_namespace}}"
    return page(
        "vigla-mesh",
        "Mesh",
        "Traffic of all services, as the callers' proxies saw it.",
        [
            (
                "Now",
                [
                    number("Requests", requests(SENT), "reqps"),
                    number("Failing", failing(SENT), "percentunit", good="low", bounds=(0.01, 0.05)),
                    number("95th percentile", quantile(0.95, SENT), "ms"),
                    number("Proxies connected", "sum(pilot_xds)", "short"),
                ],
            ),
            (
                "Services",
                [
                    lines(
                        "Requests by service", "reqps", Query(requests(SENT, *service), named), stacked=True
                    ),
                    lines("Failing by service", "percentunit", Query(failing(SENT, *service), named)),
                    lines("95th percentile by service", "ms", Query(quantile(0.95, SENT, *service), named)),
                    lines(
                        "Bytes of TCP by service",
                        "Bps",
                        Query(tcp("sent", GOT, *service), f"{named} sent"),
                        Query(tcp("received", GOT, *service), f"{named} received"),
                    ),
                ],
            ),
            (
                "Workloads",
                [
                    rows(
                        "Workloads that get requests",
                        WORKLOAD,
                        [
                            ("Requests", requests(GOT, *WORKLOAD), "reqps"),
                            ("Failing", failing(GOT, *WORKLOAD), "percentunit"),
                            ("p50", quantile(0.5, GOT, *WORKLOAD), "ms"),
                            ("p95", quantile(0.95, GOT, *WORKLOAD), "ms"),
                            ("p99", quantile(0.99, GOT, *WORKLOAD), "ms"),
                        ],
                    )
                ],
            ),
        ],
    )


def service() -> Dashboard:
    """One service: who calls it, how it answers, by which versions."""
    secure = f'{OF_SERVICE}, connection_security_policy="mutual_tls"'
    return page(
        "vigla-service",
        "Service",
        "One service, as its own proxies saw the requests.",
        [
            (
                "Now",
                [
                    number("Requests", requests(OF_SERVICE), "reqps"),
                    number("Failing", failing(OF_SERVICE), "percentunit", good="low", bounds=(0.01, 0.05)),
                    number("95th percentile", quantile(0.95, OF_SERVICE), "ms"),
                    number(
                        "Mutual TLS",
                        f"{requests(secure)} / {requests(OF_SERVICE)}",
                        "percentunit",
                        good="high",
                        bounds=(0.5, 0.999),
                    ),
                ],
            ),
            (
                "Requests",
                [
                    lines(
                        "Requests by response code",
                        "reqps",
                        Query(
                            requests(OF_SERVICE, "response_code", "response_flags"),
                            "{{response_code}} {{response_flags}}",
                        ),
                        stacked=True,
                    ),
                    lines(
                        "Requests by caller",
                        "reqps",
                        Query(requests(OF_SERVICE, "source_workload"), "{{source_workload}}"),
                        stacked=True,
                    ),
                    lines(
                        "Duration", "ms", *_quantiles(OF_SERVICE), description="Exemplars open their trace."
                    ),
                    lines(
                        "Requests by version",
                        "reqps",
                        Query(requests(OF_SERVICE, "destination_version"), "{{destination_version}}"),
                        stacked=True,
                    ),
                    lines(
                        "95th percentile by version",
                        "ms",
                        Query(quantile(0.95, OF_SERVICE, "destination_version"), "{{destination_version}}"),
                    ),
                    lines(
                        "Bytes",
                        "Bps",
                        Query(_bytes("request", OF_SERVICE), "received"),
                        Query(_bytes("response", OF_SERVICE), "sent"),
                    ),
                ],
            ),
        ],
        [choice("service", "Service", "label_values(istio_requests_total, destination_service)")],
    )


def workload() -> Dashboard:
    """One workload: what it gets, what it calls, and its proxy."""
    pod = 'job="envoy", namespace=~"$namespace", pod=~"$workload-.+"'
    return page(
        "vigla-workload",
        "Workload",
        "One workload and its proxy.",
        [
            (
                "Now",
                [
                    number("Requests", requests(INBOUND), "reqps"),
                    number("Failing", failing(INBOUND), "percentunit", good="low", bounds=(0.01, 0.05)),
                    number("95th percentile", quantile(0.95, INBOUND), "ms"),
                    number("Proxies running", f"sum(mesh_agent_envoy_running{{{pod}}})", "short"),
                ],
            ),
            (
                "Inbound",
                [
                    lines(
                        "Requests by caller",
                        "reqps",
                        Query(requests(INBOUND, "source_workload"), "{{source_workload}}"),
                        stacked=True,
                    ),
                    lines("Duration", "ms", *_quantiles(INBOUND), description="Exemplars open their trace."),
                ],
            ),
            (
                "Outbound",
                [
                    lines(
                        "Requests by service",
                        "reqps",
                        Query(requests(OUTBOUND, "destination_service_name"), "{{destination_service_name}}"),
                        stacked=True,
                    ),
                    lines(
                        "95th percentile by service",
                        "ms",
                        Query(
                            quantile(0.95, OUTBOUND, "destination_service_name"),
                            "{{destination_service_name}}",
                        ),
                    ),
                ],
            ),
            (
                "Proxy",
                [
                    lines(
                        "Memory of Envoy",
                        "bytes",
                        Query(f"envoy_server_memory_allocated{{{pod}}}", "{{pod}}"),
                    ),
                    lines(
                        "Connections to other workloads",
                        "short",
                        Query(f"sum by (pod) (envoy_cluster_upstream_cx_active{{{pod}}})", "{{pod}}"),
                    ),
                ],
            ),
        ],
        [
            choice(
                "namespace", "Namespace", "label_values(istio_requests_total, destination_workload_namespace)"
            ),
            choice(
                "workload",
                "Workload",
                "label_values(istio_requests_total"
                '{destination_workload_namespace=~"$namespace"}, destination_workload)',
            ),
        ],
    )


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""


def _quantiles(matchers: str) -> list[Query]:
    return [Query(quantile(q, matchers), f"p{q * 100:g}", exemplars=True) for q in QUANTILES]


def _bytes(way: str, matchers: str) -> str:
    return f"sum(rate(istio_{way}_bytes_sum{{{matchers}}}{RATE}))"
