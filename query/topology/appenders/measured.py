"""What further metrics say of an edge: response time, throughput, security.

Each reporter's series are summed up by edge. Where both sides of a call report, the one with more counts.
"""

from collections import defaultdict
from collections.abc import Iterator

from query.topology.durations import Durations
from query.topology.nodes import identify
from query.topology.options import GraphOptions
from query.topology.telemetry import EDGE_LABELS, PEER_LABELS, Labels, Metrics, peers, selectors
from query.topology.traffic import Edge, Protocol, TrafficMap

HISTOGRAM = "istio_request_duration_milliseconds"
_SECURITY = "connection_security_policy,source_principal,destination_principal"


def response_time(traffic: TrafficMap, metrics: Metrics, options: GraphOptions) -> None:
    """``durations`` of edges with HTTP or gRPC."""
    for selector in selectors(options):
        found: dict[str, tuple[Edge, Durations]] = {}

        def of(edge: Edge, found: dict[str, tuple[Edge, Durations]] = found) -> Durations:
            return found.setdefault(edge.id, (edge, Durations()))[1]

        for labels, edge, rate in _rates(
            traffic, metrics, options, f"{HISTOGRAM}_bucket{{{selector}}}", "le"
        ):
            of(edge).buckets[float(labels["le"])] += rate
        for _, edge, rate in _rates(traffic, metrics, options, f"{HISTOGRAM}_sum{{{selector}}}"):
            of(edge).total_ms += rate
        for _, edge, rate in _rates(traffic, metrics, options, f"{HISTOGRAM}_count{{{selector}}}"):
            of(edge).count += rate
        for edge, durations in found.values():
            if edge.durations is None or durations.calls > edge.durations.calls:
                edge.durations = durations


def throughput(traffic: TrafficMap, metrics: Metrics, options: GraphOptions) -> None:
    """``throughput``: bytes a second of the requests' or the responses' bodies, of HTTP."""
    name = f"istio_{options.throughput}_bytes_sum"
    for selector in selectors(options):
        sums: dict[str, float] = defaultdict(float)
        edges: dict[str, Edge] = {}
        for _, edge, rate in _rates(traffic, metrics, options, f"{name}{{{selector}}}"):
            if edge.protocol == "http":
                sums[edge.id] += rate
                edges[edge.id] = edge
        for key, total in sums.items():
            edges[key].throughput = max(edges[key].throughput, total)


def security_policy(traffic: TrafficMap, metrics: Metrics, options: GraphOptions) -> None:
    """How calls were secured, and between which principals; calls that do not say are passed over."""
    for name in ("istio_requests_total", "istio_tcp_received_bytes_total"):
        for selector in selectors(options):
            series = f"{name}{{{selector}}}"
            for labels, edge, rate in _rates(traffic, metrics, options, series, _SECURITY):
                policy = labels.get("connection_security_policy", "unknown")
                if policy == "unknown":
                    continue
                edge.policies[policy] += rate
                pair = (
                    labels.get("source_principal", "unknown"),
                    labels.get("destination_principal", "unknown"),
                )
                edge.principals[pair] += rate


def show(traffic: TrafficMap, options: GraphOptions) -> None:
    """What was measured, as Kiali's JSON has it; of several principals those of most calls."""
    for edge in traffic.edges():
        duration = edge.durations.shown(options.response_time) if edge.durations else None
        if duration is not None:
            edge.marks["responseTime"] = f"{duration:.0f}"
        if edge.throughput:
            edge.marks["throughput"] = f"{edge.throughput:.0f}"
        if edge.mtls:
            edge.marks["isMTLS"] = f"{edge.mtls * 100:.0f}"
        if edge.principals:
            pair = max(sorted(edge.principals), key=edge.principals.__getitem__)
            edge.marks["sourcePrincipal"], edge.marks["destPrincipal"] = pair


def _rates(
    traffic: TrafficMap, metrics: Metrics, options: GraphOptions, series: str, more: str = ""
) -> Iterator[tuple[Labels, Edge, float]]:
    """Rates of series by the edges that they are about; ``more``: further labels to tell apart by."""
    tcp = series.startswith("istio_tcp_")
    by = ",".join(filter(None, (PEER_LABELS if tcp else EDGE_LABELS, more)))
    for labels, rate in metrics.vector(f"sum(rate({series}[{options.duration}s])) by ({by}) >= 0"):
        for edge in _edges(traffic, labels, options, tcp=tcp):
            yield labels, edge, rate


def _edges(traffic: TrafficMap, labels: Labels, options: GraphOptions, *, tcp: bool) -> list[Edge]:
    """The direct edge of a series, and with service nodes those into the service and out of it."""
    ends = peers(labels)
    if ends is None:
        return []
    source, target, service = (identify(each, options.graph_type)[0] for each in ends)
    paths = dict.fromkeys(((source, target), (source, service), (service, target)))
    protocol: Protocol = "grpc" if labels.get("request_protocol") == "grpc" else "http"
    found = (traffic.find(start, end, "tcp" if tcp else protocol) for start, end in paths)
    return [edge for edge in found if edge is not None]
