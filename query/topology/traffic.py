"""The traffic map: nodes, and one edge for each protocol between two of them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

import networkx as nx

from query.topology.nodes import Node, digest

Protocol = Literal["grpc", "http", "tcp"]
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
        p95_ms: of the response times, where they are known.
        marks: findings of appenders by their name in Kiali's JSON, as ``responseTime``.
    """

    source: str
    target: str
    protocol: Protocol
    rate: float = 0.0
    codes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    flags: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    hosts: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    p95_ms: float | None = None
    marks: dict[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The identity in answers."""
        return digest(f"{digest(self.source)}.{digest(self.target)}.{self.protocol}")

    def add(self, code: str, flags: str, host: str, rate: float) -> None:
        """Add calls that ended alike."""
        self.rate += rate
        self.codes[code] += rate
        if flags:
            self.flags[code, flags] += rate
        if host:
            self.hosts[code, host] += rate

    def absorb(self, other: "Edge") -> None:
        """Add another edge's calls; what was found out about both stays as it was."""
        self.marks = {**other.marks, **self.marks}
        if other.p95_ms is not None:
            self.p95_ms = max(self.p95_ms or 0.0, other.p95_ms)
        self.rate += other.rate
        for code, rate in other.codes.items():
            self.codes[code] += rate
        for pair, rate in other.flags.items():
            self.flags[pair] += rate
        for pair, rate in other.hosts.items():
            self.hosts[pair] += rate


class TrafficMap:
    """A directed multigraph.

    Attributes:
        graph: for algorithms of networkx, keyed by ``Node.key``.
        folded: edges that are shown as part of another; they count in the rates of their nodes.
    """

    def __init__(self) -> None:
        self.graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        self.folded: list[Edge] = []

    def node(self, node: Node) -> Node:
        """The node of that key, added when it is new."""
        if node.key not in self.graph:
            self.graph.add_node(node.key, node=node)
        return self[node.key]

    def edge(self, source: str, target: str, protocol: Protocol) -> Edge:
        """The edge, added when it is new."""
        if not self.graph.has_edge(source, target, protocol):
            self.graph.add_edge(source, target, protocol, edge=Edge(source, target, protocol))
        return cast("Edge", self.graph.edges[source, target, protocol]["edge"])

    def __getitem__(self, key: str) -> Node:
        return cast("Node", self.graph.nodes[key]["node"])

    def __contains__(self, key: str) -> bool:
        return key in self.graph

    def nodes(self) -> list[Node]:
        """All nodes."""
        return [self[key] for key in self.graph]

    def edges(self) -> Iterator[Edge]:
        """All edges."""
        return (edge for _, _, edge in self.graph.edges(data="edge"))

    def incoming(self, key: str) -> list[Edge]:
        """Calls of a node's clients."""
        return [edge for _, _, edge in self.graph.in_edges(key, data="edge")]

    def outgoing(self, key: str) -> list[Edge]:
        """Calls that a node makes."""
        return [edge for _, _, edge in self.graph.out_edges(key, data="edge")]

    def find(self, source: str, target: str, protocol: Protocol) -> Edge | None:
        """The edge, if there is one."""
        data = self.graph.get_edge_data(source, target, protocol)
        return None if data is None else cast("Edge", data["edge"])

    def fold(self, edge: Edge) -> None:
        """Take an edge out of the graph and keep its calls."""
        self.graph.remove_edge(edge.source, edge.target, edge.protocol)
        self.folded.append(edge)

    def remove(self, key: str) -> None:
        """Take a node away with its edges."""
        self.graph.remove_node(key)
