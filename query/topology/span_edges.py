"""Calls that no proxy saw, from the metrics made of spans: ``traces_service_graph_*``.

Databases and queues have no spans of their own; the calling span names them, and they become nodes here.
"""

from collections import defaultdict

from query.topology.durations import Durations
from query.topology.nodes import Node, NodeType, Peer
from query.topology.telemetry import Metrics
from query.topology.traffic import Edge, TrafficMap

_BY = "client,server,connection_type"
_PREFIX = "traces_service_graph_request"
_KINDS: dict[str, NodeType] = {"database": "database", "messaging_system": "queue"}
MS_PER_S = 1000

Pair = tuple[str, str, str]


def add_span_edges(traffic: TrafficMap, metrics: Metrics, duration: int) -> None:
    """Add the pairs of services of which the traffic map lacks the call; ``duration`` in seconds.

    A failed call has the code ``error``, another one ``ok``; the edges' protocol is ``span``. Only calls from
    or to a node of the map are added, but all of them where the map is empty.
    """
    nodes = _by_name(traffic)
    known = {(_name(traffic, edge.source), _name(traffic, edge.target)) for edge in traffic.edges()}
    rates = _pairs(metrics, f"sum(rate({_PREFIX}_total[{duration}s])) by ({_BY}) > 0")
    failed = _pairs(metrics, f"sum(rate({_PREFIX}_failed_total[{duration}s])) by ({_BY}) > 0")
    buckets = f"sum(rate({_PREFIX}_server_seconds_bucket[{duration}s])) by (le,{_BY})"
    durations: defaultdict[Pair, Durations] = defaultdict(Durations)
    for labels, rate in metrics.vector(buckets):
        durations[_pair(labels)].buckets[float(labels["le"]) * MS_PER_S] += rate
    whole = not nodes
    for pair, rate in sorted(rates.items()):
        client, server, kind = pair
        if (client, server) in known or not (whole or client in nodes or server in nodes):
            continue
        ends = [_node(traffic, nodes, client, ""), _node(traffic, nodes, server, kind)]
        edge = traffic.edge(ends[0].key, ends[1].key, "span")
        _fill(edge, rate, failed.get(pair, 0.0))
        edge.durations = durations.get(pair)


def _fill(edge: Edge, rate: float, failed: float) -> None:
    for code, each in (("ok", rate - failed), ("error", failed)):
        if each > 0:
            edge.add(code, "", "", each)


def _node(traffic: TrafficMap, nodes: dict[str, Node], name: str, kind: str) -> Node:
    if name not in nodes:
        peer = Peer("", "", service=name)
        nodes[name] = traffic.node(Node(f"span_{kind}_{name}", _KINDS.get(kind, "service"), peer))
    return nodes[name]


def _pairs(metrics: Metrics, query: str) -> dict[Pair, float]:
    return {_pair(labels): value for labels, value in metrics.vector(query)}


def _pair(labels: dict[str, str]) -> Pair:
    return labels.get("client", ""), labels.get("server", ""), labels.get("connection_type", "")


def _by_name(traffic: TrafficMap) -> dict[str, Node]:
    """Nodes by the name that spans give them; a service node counts where there is nothing behind it."""
    nodes = sorted(traffic.nodes(), key=lambda node: (node.kind != "service", node.key))
    return {_name(traffic, node.key): node for node in nodes}


def _name(traffic: TrafficMap, key: str) -> str:
    peer = traffic[key].peer
    return peer.app or peer.service or peer.workload
