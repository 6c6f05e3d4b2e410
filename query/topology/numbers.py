"""Our own JSON of a graph: numbers, and only what is known."""

from query.topology.kiali_json import failures
from query.topology.nodes import Node
from query.topology.options import GraphOptions
from query.topology.status import Health
from query.topology.traffic import Edge, TrafficMap

Json = dict[str, object]
NOT_BADGES = frozenset({"healthData"})


def graph(traffic: TrafficMap, options: GraphOptions) -> Json:
    """``nodes`` and ``edges``; see ``node_json`` and ``edge_json``."""
    nodes = [node_json(node) for node in sorted(traffic.nodes(), key=lambda node: node.key)]
    edges = sorted(traffic.edges(), key=lambda edge: (edge.source, edge.target, edge.protocol))
    return {
        "at": options.at,
        "duration_s": options.duration,
        "graph_type": options.graph_type,
        "nodes": nodes,
        "edges": [edge_json(traffic, edge) for edge in edges],
    }


def node_json(node: Node) -> Json:
    """A node: its names (null where it has none), badges by Kiali's names, health with reasons."""
    peer = node.peer
    return {
        "id": node.id,
        "kind": node.kind,
        "cluster": peer.cluster or None,
        "namespace": peer.namespace or None,
        "workload": peer.workload or None,
        "app": peer.app or None,
        "version": peer.version or None,
        "service": peer.service or None,
        "name": name(node),
        "destinations": [f"{namespace}/{service}" for _, namespace, service in sorted(node.destinations)],
        "badges": {mark: value for mark, value in node.marks.items() if mark not in NOT_BADGES},
        "health": health_json(node.health),
    }


def name(node: Node) -> str:
    """What a node is called."""
    peer = node.peer
    own = peer.service if node.kind == "service" else peer.workload if node.kind == "workload" else peer.app
    return own or peer.service or peer.workload or peer.app or "unknown"


def health_json(health: Health | None) -> Json:
    """``status`` in Kiali's words, and ``reasons``."""
    found = health or Health()
    return {"status": found.status.text, "reasons": list(found.reasons)}


def edge_json(traffic: TrafficMap, edge: Edge) -> Json:
    """An edge: rates a second (bytes of TCP), shares from 0 to 1, ms; null where it is not known."""
    durations = edge.durations
    failed = failed_rate(edge)
    return {
        "id": edge.id,
        "source": traffic[edge.source].id,
        "target": traffic[edge.target].id,
        "protocol": edge.protocol,
        "rate": edge.rate,
        "errors": failed,
        "error_ratio": failed / edge.rate if edge.rate and edge.protocol != "tcp" else None,
        "avg_ms": durations.mean() if durations else None,
        "p50_ms": durations.quantile(0.5) if durations else None,
        "p95_ms": edge.p95_ms,
        "p99_ms": durations.quantile(0.99) if durations else None,
        "throughput": edge.throughput or None,
        "mtls": edge.mtls,
        "principals": [
            {"source": source, "destination": target, "rate": rate}
            for (source, target), rate in sorted(edge.principals.items(), key=lambda item: -item[1])
        ],
        "codes": dict(edge.codes),
        "flags": {flag: rate for (_, flag), rate in edge.flags.items() if flag != "-"},
        "health": health_json(edge.health),
    }


def failed_rate(edge: Edge) -> float:
    """Calls a second that failed; bytes cannot."""
    if edge.protocol == "span":
        return edge.codes.get("error", 0.0)
    return 0.0 if edge.protocol == "tcp" else failures(edge)
