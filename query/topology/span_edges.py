"""Calls that no proxy saw, from the metrics made of spans: ``traces_service_graph_*``."""

from query.topology.telemetry import Metrics
from query.topology.traffic import TrafficMap

_BY = "client,server,connection_type"
_TOTAL, _FAILED = "traces_service_graph_request_total", "traces_service_graph_request_failed_total"
_SECONDS = "traces_service_graph_request_server_seconds_bucket"

Pair = tuple[str, str, str]


def span_edges(metrics: Metrics, duration: int, traffic: TrafficMap) -> list[dict[str, object]]:
    """Pairs of services of which the traffic map lacks the call.

    Each has ``client``, ``server``, ``connection_type`` (``database`` for one), ``rate``, ``errors`` (a
    second) and ``p95_ms``, null where no histogram tells it.
    """
    known = {(_name(traffic, edge.source), _name(traffic, edge.target)) for edge in traffic.edges()}
    rates = _pairs(metrics, f"sum(rate({_TOTAL}[{duration}s])) by ({_BY}) > 0")
    failed = _pairs(metrics, f"sum(rate({_FAILED}[{duration}s])) by ({_BY}) > 0")
    quantile = f"histogram_quantile(0.95, sum(rate({_SECONDS}[{duration}s])) by (le,{_BY})) >= 0"
    slow = _pairs(metrics, quantile)
    return [
        {
            **dict(zip(_BY.split(","), pair, strict=True)),
            "rate": rate,
            "errors": failed.get(pair, 0.0),
            "p95_ms": slow[pair] * 1000 if pair in slow else None,
        }
        for pair, rate in sorted(rates.items())
        if pair[:2] not in known
    ]


def _pairs(metrics: Metrics, query: str) -> dict[Pair, float]:
    return {
        (labels.get("client", ""), labels.get("server", ""), labels.get("connection_type", "")): value
        for labels, value in metrics.vector(query)
    }


def _name(traffic: TrafficMap, key: str) -> str:
    peer = traffic[key].peer
    return peer.app or peer.service or peer.workload
