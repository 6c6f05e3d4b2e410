"""What further metrics say of an edge: response time, throughput, security."""

from collections import defaultdict

from query.topology.nodes import node_of
from query.topology.options import GraphOptions
from query.topology.telemetry import EDGE_LABELS, Labels, Metrics, peers, selectors
from query.topology.traffic import Edge, TrafficMap

P95 = 0.95


def response_time(traffic: TrafficMap, metrics: Metrics, options: GraphOptions) -> None:
    """``responseTime`` in whole ms: the average, or a quantile; and the edge's p95 for its health."""
    histogram = "istio_request_duration_milliseconds"
    for selector in selectors(options):
        asked = f"{{{selector}}}[{options.duration}s]"
        buckets = f"sum(rate({histogram}_bucket{asked})) by (le,{EDGE_LABELS})"
        if options.response_time == "avg":
            sums = f"sum(rate({histogram}_sum{asked})) by ({EDGE_LABELS})"
            shown = f"{sums} / sum(rate({histogram}_count{asked})) by ({EDGE_LABELS})"
        else:
            shown = f"histogram_quantile({int(options.response_time) / 100}, {buckets})"
        slow = shown if options.response_time == "95" else f"histogram_quantile({P95}, {buckets})"
        for labels, value in metrics.vector(f"({shown}) >= 0"):
            for edge in _edges(traffic, labels, options):
                edge.marks["responseTime"] = f"{value:.0f}"
        for labels, value in metrics.vector(f"({slow}) >= 0"):
            for edge in _edges(traffic, labels, options):
                edge.p95_ms = max(edge.p95_ms or 0.0, value)


def throughput(traffic: TrafficMap, metrics: Metrics, options: GraphOptions) -> None:
    """``throughput`` of HTTP in bytes a second; the reporter that says more counts."""
    name = f"istio_{options.throughput}_bytes_sum"
    for selector in selectors(options):
        sums: dict[str, float] = defaultdict(float)
        edges: dict[str, Edge] = {}
        query = f"sum(rate({name}{{{selector}}}[{options.duration}s])) by ({EDGE_LABELS}) > 0"
        for labels, value in metrics.vector(query):
            for edge in _edges(traffic, labels, options):
                if edge.protocol == "http":
                    sums[edge.id] += value
                    edges[edge.id] = edge
        for key, total in sums.items():
            edges[key].marks["throughput"] = f"{total:.0f}"


def security_policy(traffic: TrafficMap, metrics: Metrics, options: GraphOptions) -> None:
    """``isMTLS`` in percent of the calls that say how they were secured, and the principals."""
    by = f"{EDGE_LABELS},connection_security_policy,source_principal,destination_principal"
    secured: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    edges: dict[str, Edge] = {}
    for selector in selectors(options):
        query = f"sum(rate(istio_requests_total{{{selector}}}[{options.duration}s])) by ({by}) > 0"
        for labels, value in metrics.vector(query):
            policy = labels.get("connection_security_policy", "unknown")
            for edge in _edges(traffic, labels, options) if policy != "unknown" else ():
                edges[edge.id] = edge
                secured[edge.id][policy == "mutual_tls"] += value
                edge.marks["sourcePrincipal"] = labels.get("source_principal", "unknown")
                edge.marks["destPrincipal"] = labels.get("destination_principal", "unknown")
    for key, (plain, mutual) in secured.items():
        if mutual:
            edges[key].marks["isMTLS"] = f"{mutual / (plain + mutual) * 100:.0f}"


def _edges(traffic: TrafficMap, labels: Labels, options: GraphOptions) -> list[Edge]:
    """The edges that a series is about: with service nodes the one into the workload, else the direct one."""
    ends = peers(labels)
    if ends is None:
        return []
    source, target, service = (node_of(each, options.graph_type).key for each in ends)
    paths = ((source, target), (source, service), (service, target))
    protocol = "grpc" if labels.get("request_protocol") == "grpc" else "http"
    found = (traffic.graph.get_edge_data(start, end, protocol) for start, end in paths)
    return [data["edge"] for data in found if data is not None]
