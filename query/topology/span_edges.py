"""Calls that no proxy saw, from the metrics made of spans: ``traces_service_graph_*``; or from spans."""

from collections.abc import Iterable
from dataclasses import dataclass

from query.topology.nodes import Node, NodeType, Peer
from query.topology.telemetry import Metrics
from query.topology.traffic import FAILED, OK, TrafficMap

_BY = "client,server,connection_type"
_TOTAL, _FAILED = "traces_service_graph_request_total", "traces_service_graph_request_failed_total"
_SECONDS = "traces_service_graph_request_server_seconds_bucket"
_KINDS: dict[str, NodeType] = {
    "database": "database",
    "messaging_system": "queue",
    "virtual_node": "external",
}
_MARKS = {"database": "isDatabase", "queue": "isQueue", "external": "isExternal"}

Pair = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """Calls between two services.

    Attributes:
        client, server: names of services.
        connection: ``database``, ``messaging_system``, ``virtual_node``, or empty.
        rate, failed: a second.
        p95_ms: of the server; None where not known.
    """

    client: str
    server: str
    connection: str
    rate: float
    failed: float
    p95_ms: float | None


def measured(metrics: Metrics, duration: int) -> list[Call]:
    """Calls of a range.

    Args:
        metrics: of the end of the range.
        duration: seconds.
    """
    rates = _pairs(metrics, f"sum(rate({_TOTAL}[{duration}s])) by ({_BY}) > 0")
    failed = _pairs(metrics, f"sum(rate({_FAILED}[{duration}s])) by ({_BY}) > 0")
    quantile = f"histogram_quantile(0.95, sum(rate({_SECONDS}[{duration}s])) by (le,{_BY})) >= 0"
    slow = _pairs(metrics, quantile)
    return [
        Call(*pair, rate, failed.get(pair, 0.0), slow[pair] * 1000 if pair in slow else None)
        for pair, rate in sorted(rates.items())
    ]


def _pairs(metrics: Metrics, query: str) -> dict[Pair, float]:
    return {
        (labels.get("client", ""), labels.get("server", ""), labels.get("connection_type", "")): value
        for labels, value in metrics.vector(query)
    }


class _Places:
    """Nodes by the names that spans give to services: ``reviews``, or ``reviews.default`` as Envoy says."""

    def __init__(self, traffic: TrafficMap) -> None:
        self._traffic = traffic
        self._nodes: dict[str, list[Node]] = {}
        for node in traffic.nodes():
            for name in (_name(node), f"{_name(node)}.{node.peer.namespace}"):
                self._nodes.setdefault(name, []).append(node)

    def of(self, name: str) -> list[Node]:
        return self._nodes.get(name, [])

    def one(self, name: str, kind: NodeType) -> Node:
        """Of several versions the one that is called most; a new node where there is none."""
        if not (found := self.of(name)):
            found = [self._traffic.node(Node(f"span_{kind}_{name}", kind, Peer("", "", service=name)))]
            self._nodes[name] = found
        return max(found, key=lambda node: sum(edge.rate for edge in self._traffic.incoming(node.key)))


def join(traffic: TrafficMap, calls: Iterable[Call]) -> None:
    """Add the calls that the traffic map lacks; a service that has no node there gets one."""
    known = {(edge.source, edge.target) for edge in traffic.edges()}
    places = _Places(traffic)
    for call in calls:
        if call.client == call.server:  # a database may have its service's name
            continue
        kind = _KINDS.get(call.connection, "service")
        for node in places.of(call.server) if kind != "service" else ():
            node.marks[_MARKS[kind]] = True
        pairs = ((a.key, b.key) for a in places.of(call.client) for b in places.of(call.server))
        if any(pair in known for pair in pairs):
            continue
        _add(traffic, call, places.one(call.client, "service"), places.one(call.server, kind))


def _add(traffic: TrafficMap, call: Call, client: Node, server: Node) -> None:
    edge = traffic.edge(client.key, server.key, "span")
    edge.add(OK, "", "", call.rate - call.failed)
    if call.failed:
        edge.add(FAILED, "", "", call.failed)
    edge.p95_ms = call.p95_ms


def alone(traffic: TrafficMap, services: Iterable[str]) -> None:
    """Add services that nobody calls and that call nobody."""
    places = _Places(traffic)
    for name in services:
        places.one(name, "service")


def _name(node: Node) -> str:
    return node.peer.app or node.peer.service or node.peer.workload
