"""Our own JSON of a graph: numbers, and only what is known."""

from collections.abc import Sequence

from query.topology.health import of_calls
from query.topology.kiali_json import failures
from query.topology.nodes import Node, known
from query.topology.options import GraphOptions
from query.topology.traffic import Edge, TrafficMap
from vigla.settings import HealthSettings

Json = dict[str, object]


def graph(traffic: TrafficMap, options: GraphOptions, settings: HealthSettings) -> Json:
    """``nodes`` and ``edges``; ``rate`` and ``errors`` are a second, ``p95_ms`` is null where unknown."""
    nodes = [_node(traffic, node, settings) for node in sorted(traffic.nodes(), key=lambda node: node.key)]
    order = sorted(traffic.edges(), key=lambda edge: (edge.source, edge.target, edge.protocol))
    return {
        "at": options.at,
        "duration_s": options.duration,
        "nodes": nodes,
        "edges": [_edge(edge, settings) for edge in order],
    }


def _node(traffic: TrafficMap, node: Node, settings: HealthSettings) -> Json:
    peer, incoming, outgoing = node.peer, traffic.incoming(node.key), traffic.outgoing(node.key)
    status = max(of_calls(incoming, settings), of_calls(outgoing, settings))
    return {
        "id": node.key,
        "kind": _kind(node),
        "name": _name(node),
        "namespace": _known(peer.namespace),
        "workload": _known(peer.workload),
        "app": _known(peer.app),
        "version": _known(peer.version),
        "service": _known(peer.service),
        "marks": sorted(name for name, value in node.marks.items() if value is True),
        "health": status.text,
        "in": _sums(incoming),
        "out": _sums(outgoing),
    }


def _kind(node: Node) -> str:
    """Spans may know better what a workload is."""
    return "database" if "isDatabase" in node.marks else "queue" if "isQueue" in node.marks else node.kind


def _known(text: str) -> str:
    return text if known(text) else ""


def _name(node: Node) -> str:
    """What people call it; the version stands beside it."""
    peer = node.peer
    match node.kind:
        case "workload":
            return peer.workload
        case "app":
            return peer.app or peer.workload
        case _:
            return peer.service or _known(peer.workload) or "unknown"


def _sums(edges: Sequence[Edge]) -> Json:
    slow = [edge.p95_ms for edge in edges if edge.p95_ms is not None]
    return {
        "rate": sum(edge.rate for edge in edges if edge.protocol != "tcp"),
        "errors": sum(map(_failed, edges)),
        "bytes": sum(edge.rate for edge in edges if edge.protocol == "tcp"),
        "p95_ms": max(slow, default=None),
    }


def _failed(edge: Edge) -> float:
    return 0.0 if edge.protocol == "tcp" else failures(edge)


def _edge(edge: Edge, settings: HealthSettings) -> Json:
    """The rate of TCP is in bytes."""
    mtls = edge.marks.get("isMTLS")
    return {
        "id": f"{edge.source} {edge.target} {edge.protocol}",
        "source": edge.source,
        "target": edge.target,
        "protocol": edge.protocol,
        "rate": edge.rate,
        "errors": _failed(edge),
        "p95_ms": edge.p95_ms,
        "mtls_percent": None if mtls is None else float(str(mtls)),
        "codes": {code: rate for code, rate in edge.codes.items() if rate},
        "flags": {flag: rate for (_, flag), rate in edge.flags.items() if flag != "-"},
        "health": of_calls([edge], settings).text,
    }
