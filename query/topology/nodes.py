"""Nodes of the graph, and how their identity follows from Istio's labels and the graph type."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from query.topology.status import Health

GraphType = Literal["app", "service", "versionedApp", "workload"]
NodeType = Literal["app", "box", "database", "external", "queue", "service", "unknown", "workload"]

UNKNOWN = "unknown"
CACHED = 1 << 15  # identities kept from one graph to the next: some MB
NO_SERVICE = frozenset({"", UNKNOWN, "PassthroughCluster", "BlackHoleCluster"})
"""Service names that get no node between client and workload."""


def known(value: str) -> bool:
    """Whether a label says anything."""
    return value not in {"", UNKNOWN}


@lru_cache(maxsize=CACHED)
def digest(text: str) -> str:
    """The form that identities have in answers: SHA-256 in hex."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Peer:
    """One side of a call as its labels name it; what is not told is empty or ``unknown``."""

    cluster: str
    namespace: str
    workload: str = ""
    app: str = ""
    version: str = ""
    service: str = ""


@dataclass(slots=True)
class Node:
    """A node.

    Attributes:
        key: Kiali's internal identity, as ``wl_<cluster>_<namespace>_<workload>``.
        kind: what it stands for.
        peer: its names.
        destinations: services through which it was called: (cluster, namespace, name).
        marks: flags and findings of appenders by their name in Kiali's JSON, as ``isRoot``.
        health: None where it was not asked for.
    """

    key: str
    kind: NodeType
    peer: Peer
    destinations: set[tuple[str, str, str]] = field(default_factory=set)
    marks: dict[str, object] = field(default_factory=dict)
    health: Health | None = None

    @property
    def id(self) -> str:
        """The identity in answers."""
        return digest(self.key)

    def without_app(self) -> None:
        """Forget the app; the key stays."""
        self.peer = replace(self.peer, app="")


@lru_cache(maxsize=CACHED)
def identify(peer: Peer, graph_type: GraphType) -> tuple[str, NodeType]:
    """The key and the kind of the node that a peer belongs to.

    A node without an app falls back to its workload, one without a workload to its service.
    """
    place = f"{peer.cluster}_{peer.namespace}"
    if not known(peer.workload) and not known(peer.app) and not peer.service:
        return f"{peer.cluster}_unknown_source", "unknown"
    by_app = graph_type in {"app", "versionedApp"}
    if by_app and known(peer.app):
        if graph_type == "app":
            return f"app_{place}_{peer.app}", "app"
        own = peer.workload if known(peer.workload) else f"{peer.app}_{peer.version}"
        return f"vapp_{place}_{own}", "app"
    if known(peer.workload):
        return f"wl_{place}_{peer.workload}", "workload"
    return f"svc_{place}_{peer.service}", "service"


def node_of(peer: Peer, graph_type: GraphType) -> Node:
    """A node with the names that its kind has."""
    key, kind = identify(peer, graph_type)
    match kind:
        case "service":
            names = Peer(peer.cluster, peer.namespace, service=peer.service)
        case "app" if graph_type == "app":
            names = Peer(peer.cluster, peer.namespace, app=peer.app)
        case "unknown":
            names = Peer(peer.cluster, peer.namespace, UNKNOWN, UNKNOWN, UNKNOWN)
        case "workload" if graph_type == "app":
            names = Peer(peer.cluster, peer.namespace, peer.workload, peer.app)
        case _:
            names = Peer(peer.cluster, peer.namespace, peer.workload, peer.app, peer.version)
    return Node(key, kind, names)
