"""Badges of nodes: what the configuration did to their calls at that time."""

from query.topology.configuration import Configuration
from query.topology.nodes import Node, known
from query.topology.options import GraphOptions
from query.topology.traffic import TrafficMap


def badges(traffic: TrafficMap, options: GraphOptions, configuration: Configuration) -> None:
    """``hasCB``, ``hasVS`` and so on, of the services that a node is, or was called through."""
    badges_of = configuration.badges(options.at)
    for node in traffic.nodes():
        for namespace, service in _services(node):
            node.marks |= badges_of(namespace, service)


def _services(node: Node) -> list[tuple[str, str]]:
    own = (node.peer.namespace, node.peer.service)
    called = {(namespace, name) for _, namespace, name in node.destinations}
    return sorted(called | ({own} if node.kind == "service" and known(own[1]) else set()))
