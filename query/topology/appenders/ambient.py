"""Waypoints of an ambient mesh: which nodes are one, and which calls are the way back from one."""

from query.topology.configuration import Configuration
from query.topology.kiali_json import returning
from query.topology.nodes import Node
from query.topology.options import GraphOptions
from query.topology.traffic import Edge, TrafficMap


def waypoints(traffic: TrafficMap, options: GraphOptions, configuration: Configuration) -> None:
    """``isWaypoint`` of nodes, ``waypoint`` of edges.

    A waypoint has no app, so that no box of an app is drawn around it. Where calls go to it and back, the
    way back is folded into the way there.
    """
    known = {(peer.cluster, peer.namespace, peer.workload) for peer in configuration.waypoints(options.at)}
    found = [node for node in traffic.nodes() if _place(node) in known]
    for node in found:
        node.marks["isWaypoint"] = True
        node.without_app()
    for node in found:
        for edge in traffic.incoming(node.key):
            _there(traffic, edge)
        for edge in traffic.outgoing(node.key):
            edge.marks.setdefault("waypoint", {"direction": "from"})


def _place(node: Node) -> tuple[str, str, str]:
    return node.peer.cluster, node.peer.namespace, node.peer.workload


def _there(traffic: TrafficMap, edge: Edge) -> None:
    mark: dict[str, object] = {"direction": "to"}
    back = traffic.find(edge.target, edge.source, edge.protocol)
    if back is not None and edge.source != edge.target:
        traffic.fold(back)
        mark["fromEdge"] = returning(back)
    edge.marks["waypoint"] = mark
