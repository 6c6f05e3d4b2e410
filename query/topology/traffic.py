"""The traffic map: nodes, and one edge for each protocol between two of them."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

import networkx as nx

from query.topology.durations import Durations
from query.topology.nodes import GraphType, Node, Peer, digest, identify, node_of
from query.topology.status import Health

Protocol = Literal["grpc", "http", "span", "tcp"]
NO_RESPONSE = "-"


@dataclass(slots=True)
class Edge:
    """Calls of one protocol.

    Attributes:
        source, target: keys of nodes.
        protocol: what is spoken.
        rate: a second; requests, messages or bytes, as was asked for.
        codes: rate by response code (of gRPC its status); ``-`` is no response. Empty for TCP.
        flags, hosts: rate by (code, response flag) and by (code, host asked for).
        durations: response times; None where they are not known.
        throughput: bytes a second.
        policies: rate by connection security policy; principals: by those of client and server.
        health: None where it was not asked for.
        marks: findings of appenders by their name in Kiali's JSON, as ``responseTime``.
    """

    source: str
    target: str
    protocol: Protocol
    rate: float = 0.0
    codes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    flags: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    hosts: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    durations: Durations | None = None
    throughput: float = 0.0
    policies: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    principals: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    health: Health | None = None
    marks: dict[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The identity in answers."""
        return digest(f"{digest(self.source)}.{digest(self.target)}.{self.protocol}")

    @property
    def p95_ms(self) -> float | None:
        """Of the response times; None where they are not known."""
        return self.durations.quantile(0.95) if self.durations else None

    @property
    def mtls(self) -> float | None:
        """Share of the calls that were secured by mutual TLS, 0 to 1; None where none says."""
        total = sum(self.policies.values())
        return self.policies.get("mutual_tls", 0.0) / total if total else None

    def add(self, code: str, flags: str, host: str, rate: float) -> None:
        """Add calls that ended alike."""
        self.rate += rate
        self.codes[code] += rate
        if flags:
            self.flags[code, flags] += rate
        if host:
            self.hosts[code, host] += rate

    def absorb(self, other: "Edge") -> None:
        """Add another edge's calls, and what was measured of them."""
        self.marks = {**other.marks, **self.marks}
        if other.durations is not None:
            self.durations = self.durations or Durations()
            self.durations.add(other.durations)
        self.throughput += other.throughput
        for policy, rate in other.policies.items():
            self.policies[policy] += rate
        for principals, rate in other.principals.items():
            self.principals[principals] += rate
        self.rate += other.rate
        for code, rate in other.codes.items():
            self.codes[code] += rate
        for pair, rate in other.flags.items():
            self.flags[pair] += rate
        for pair, rate in other.hosts.items():
            self.hosts[pair] += rate


class TrafficMap:
    """A directed multigraph, keyed by ``Node.key``.

    Attributes:
        folded: edges that are shown as part of another; they count in the rates of their nodes.
    """

    def __init__(self) -> None:
        self.folded: list[Edge] = []
        self._nodes: dict[str, Node] = {}
        self._out: defaultdict[str, dict[tuple[str, Protocol], Edge]] = defaultdict(dict)
        self._in: defaultdict[str, dict[tuple[str, Protocol], Edge]] = defaultdict(dict)

    def node(self, node: Node) -> Node:
        """The node of that key, added when it is new."""
        return self._nodes.setdefault(node.key, node)

    def node_of(self, peer: Peer, graph_type: GraphType) -> Node:
        """The node that a peer belongs to, made only when it is new."""
        key, _ = identify(peer, graph_type)
        return self._nodes.get(key) or self.node(node_of(peer, graph_type))

    def edge(self, source: str, target: str, protocol: Protocol) -> Edge:
        """The edge, added when it is new."""
        edge = self._out[source].get((target, protocol))
        if edge is None:
            edge = Edge(source, target, protocol)
            self._out[source][target, protocol] = self._in[target][source, protocol] = edge
        return edge

    def __getitem__(self, key: str) -> Node:
        return self._nodes[key]

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def nodes(self) -> list[Node]:
        """All nodes."""
        return list(self._nodes.values())

    def edges(self) -> list[Edge]:
        """All edges."""
        return [edge for edges in self._out.values() for edge in edges.values()]

    def incoming(self, key: str) -> list[Edge]:
        """Calls of a node's clients."""
        return list(self._in[key].values()) if key in self._in else []

    def outgoing(self, key: str) -> list[Edge]:
        """Calls that a node makes."""
        return list(self._out[key].values()) if key in self._out else []

    def find(self, source: str, target: str, protocol: Protocol) -> Edge | None:
        """The edge, if there is one."""
        return self._out[source].get((target, protocol)) if source in self._out else None

    def fold(self, edge: Edge) -> None:
        """Take an edge out of the graph and keep its calls."""
        self.drop(edge)
        self.folded.append(edge)

    def remove(self, key: str) -> None:
        """Take a node away with its edges."""
        for edge in [*self.incoming(key), *self.outgoing(key)]:
            self.drop(edge)
        del self._nodes[key]

    def graph(self) -> "nx.DiGraph[str]":
        """Who calls whom, for algorithms of networkx."""
        found: nx.DiGraph[str] = nx.DiGraph()
        found.add_nodes_from(self._nodes)
        found.add_edges_from((edge.source, edge.target) for edge in self.edges())
        return found

    def drop(self, edge: Edge) -> None:
        """Take an edge away."""
        self._out[edge.source].pop((edge.target, edge.protocol), None)
        self._in[edge.target].pop((edge.source, edge.protocol), None)
