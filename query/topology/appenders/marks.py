"""Marks that follow from the graph itself: roots, nodes outside the namespaces asked for, out of reach."""

from query.topology.configuration import Configuration
from query.topology.nodes import known
from query.topology.options import GraphOptions
from query.topology.traffic import TrafficMap


def outsider(traffic: TrafficMap, options: GraphOptions, configuration: Configuration) -> None:
    """``isOutside``: of another namespace; ``isInaccessible``: of one that may not be looked into."""
    asked = {options.focus.namespace} if options.focus else set(options.namespaces)
    accessible = configuration.namespaces(options.at)
    for node in traffic.nodes():
        namespace = node.peer.namespace
        if asked and known(namespace) and namespace not in asked:
            node.marks["isOutside"] = True
        if accessible is not None and namespace not in accessible and "isServiceEntry" not in node.marks:
            node.marks["isInaccessible"] = True


def traffic_generator(traffic: TrafficMap) -> None:
    """``isRoot``: calls, and is not called."""
    for node in traffic.nodes():
        if traffic.outgoing(node.key) and not traffic.incoming(node.key):
            node.marks["isRoot"] = True
