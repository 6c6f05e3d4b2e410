"""Blast radius: everything that depends on a node, directly or through others."""

import networkx as nx

from query.topology.nodes import Node
from query.topology.numbers import Json, name, node_json
from query.topology.traffic import TrafficMap
from vigla.errors import NotFound


def dependents(traffic: TrafficMap, wanted: str) -> Json:
    """Nodes that call a node, with how many calls lie between.

    Args:
        traffic: the graph.
        wanted: id of the node, its name, or ``namespace/name``.

    Returns:
        ``nodes`` (those asked for), ``dependents`` by ``distance``, then by name; a node that calls itself,
        or is in a cycle, is not its own dependent.

    Raises:
        NotFound: there is no such node.
    """
    found = [node for node in traffic.nodes() if wanted in _names(node)]
    if not found:
        raise NotFound(
            f"no node {wanted!r} in the graph: give an id, a name or namespace/name of one that is"
        )
    own = {node.key for node in found}
    distances = nx.multi_source_dijkstra_path_length(traffic.graph().reverse(copy=False), own)
    others = [(int(hops), traffic[key]) for key, hops in distances.items() if key not in own]
    others.sort(key=lambda each: (each[0], name(each[1]), each[1].key))
    return {
        "nodes": [node_json(node) for node in found],
        "dependents": [{"distance": hops, **node_json(node)} for hops, node in others],
    }


def _names(node: Node) -> set[str]:
    own = name(node)
    return {node.id, own, f"{node.peer.namespace}/{own}"}
