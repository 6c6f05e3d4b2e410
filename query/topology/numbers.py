"""Our own JSON of a graph: numbers, and only what is known."""

from query.topology.kiali_json import failures
from query.topology.options import GraphOptions
from query.topology.traffic import TrafficMap


def graph(traffic: TrafficMap, options: GraphOptions) -> dict[str, object]:
    """``nodes`` and ``edges``; ``rate`` and ``errors`` are a second, ``p95_ms`` is null where unknown."""
    nodes = [
        {
            "id": node.id,
            "kind": node.kind,
            "cluster": node.peer.cluster,
            "namespace": node.peer.namespace,
            "workload": node.peer.workload,
            "app": node.peer.app,
            "version": node.peer.version,
            "service": node.peer.service,
            "marks": node.marks,
        }
        for node in sorted(traffic.nodes(), key=lambda node: node.key)
    ]
    edges = [
        {
            "id": edge.id,
            "source": traffic[edge.source].id,
            "target": traffic[edge.target].id,
            "protocol": edge.protocol,
            "rate": edge.rate,
            "errors": 0.0 if edge.protocol == "tcp" else failures(edge),
            "p95_ms": edge.p95_ms,
            "codes": dict(edge.codes),
            "health": edge.marks.get("healthStatus", "NA"),
        }
        for edge in sorted(traffic.edges(), key=lambda edge: (edge.source, edge.target, edge.protocol))
    ]
    return {"at": options.at, "duration_s": options.duration, "nodes": nodes, "edges": edges}
