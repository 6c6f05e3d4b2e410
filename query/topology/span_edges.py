"""Calls that no proxy saw, from the metrics made of spans: ``traces_service_graph_*``.

Databases and queues have no spans of their own; the calling span names them, and they become nodes here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from query.topology.durations import Durations
from query.topology.nodes import Node, NodeType, Peer
from query.topology.telemetry import Metrics
from query.topology.traffic import Edge, TrafficMap

_BY = "client,server,connection_type"
_PREFIX = "traces_service_graph_request"
_KINDS: dict[str, NodeType] = {
    "database": "database",
    "messaging_system": "queue",
    "virtual_node": "external",
}
MS_PER_S = 1000

Pair = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """Calls between two services.

    Attributes:
        client, server: names of services.
        connection: ``database``, ``messaging_system``, ``virtual_node``, or empty.
        rate, failed: a second.
        durations: as the server saw them; None where not known.
    """

    client: str
    server: str
    connection: str
    rate: float
    failed: float
    durations: Durations | None


def measured(metrics: Metrics, duration: int) -> list[Call]:
    """Calls of a range.

    Args:
        metrics: of its end.
        duration: seconds.
    """
    rates = _pairs(metrics, f"sum(rate({_PREFIX}_total[{duration}s])) by ({_BY}) > 0")
    failed = _pairs(metrics, f"sum(rate({_PREFIX}_failed_total[{duration}s])) by ({_BY}) > 0")
    buckets = f"sum(rate({_PREFIX}_server_seconds_bucket[{duration}s])) by (le,{_BY})"
    durations: defaultdict[Pair, Durations] = defaultdict(Durations)
    for labels, rate in metrics.vector(buckets):
        durations[_pair(labels)].buckets[float(labels["le"]) * MS_PER_S] += rate
    return [
        Call(*pair, rate, failed.get(pair, 0.0), durations.get(pair)) for pair, rate in sorted(rates.items())
    ]


def join(traffic: TrafficMap, calls: Iterable[Call], *, everywhere: bool) -> None:
    """Add the calls that the traffic map lacks; a service that has no node there gets one.

    A failed call has the code ``error``, another one ``ok``; the edges' protocol is ``span``.

    Args:
        traffic: the map.
        calls: from spans.
        everywhere: also those of services that the map does not have.
    """
    known = {(edge.source, edge.target) for edge in traffic.edges()}
    places = _Places(traffic)
    for call in calls:
        if call.client == call.server:  # a database may have its service's name
            continue
        clients, servers = places.of(call.client), places.of(call.server)
        kind = _KINDS.get(call.connection, "service")
        for node in servers if kind != "service" else ():
            node.kind = kind  # a proxy does not know it
        if any((a.key, b.key) in known for a in clients for b in servers):
            continue
        if everywhere or clients or servers:
            ends = places.one(call.client, "service"), places.one(call.server, kind)
            edge = traffic.edge(ends[0].key, ends[1].key, "span")
            _fill(edge, call.rate, call.failed)
            edge.durations = call.durations


def alone(traffic: TrafficMap, services: Iterable[str]) -> None:
    """Add services that nobody calls and that call nobody."""
    places = _Places(traffic)
    for name in services:
        places.one(name, "service")


class _Places:
    """Nodes by the names that spans give to services: ``reviews``, or ``reviews.default`` as Envoy says."""

    def __init__(self, traffic: TrafficMap) -> None:
        self._traffic = traffic
        self._nodes: defaultdict[str, list[Node]] = defaultdict(list)
        for node in traffic.nodes():
            name = _name(node)
            self._nodes[name].append(node)
            self._nodes[f"{name}.{node.peer.namespace}"].append(node)

    def of(self, name: str) -> list[Node]:
        return self._nodes.get(name, [])

    def one(self, name: str, kind: NodeType) -> Node:
        """Of several versions the one that is called most; a new node where there is none."""
        found = self._nodes[name]
        if not found:
            peer = Peer("", "", service=name)
            found.append(self._traffic.node(Node(f"span_{kind}_{name}", kind, peer)))
        return max(found, key=lambda node: sum(edge.rate for edge in self._traffic.incoming(node.key)))


def _fill(edge: Edge, rate: float, failed: float) -> None:
    for code, each in (("ok", rate - failed), ("error", failed)):
        if each > 0:
            edge.add(code, "", "", each)


def _pairs(metrics: Metrics, query: str) -> dict[Pair, float]:
    return {_pair(labels): value for labels, value in metrics.vector(query)}


def _pair(labels: dict[str, str]) -> Pair:
    return labels.get("client", ""), labels.get("server", ""), labels.get("connection_type", "")


def _name(node: Node) -> str:
    peer = node.peer
    return peer.app or peer.service or peer.workload
