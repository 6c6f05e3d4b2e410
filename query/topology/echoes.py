"""Calls of nobody that are those of somebody, told by the other side.

A called proxy that does not learn its caller's workload, as of plain TCP, counts calls from ``unknown``; the
caller's proxy counted the same ones with its name.
"""

from query.topology.traffic import TrafficMap

_SHARE = 0.8
"""Of the unknown calls that known callers must explain: the two sides count at other moments."""


def without_echoes(traffic: TrafficMap) -> None:
    """Take away edges from ``unknown`` that named callers explain, and the node when none is left."""
    for node in [node for node in traffic.nodes() if node.kind == "unknown"]:
        for edge in traffic.outgoing(node.key):
            named = sum(
                other.rate
                for other in traffic.incoming(edge.target)
                if other.protocol == edge.protocol and other.source != node.key
            )
            if named >= _SHARE * edge.rate:
                traffic.drop(edge)
        if not traffic.outgoing(node.key) and not traffic.incoming(node.key):
            traffic.remove(node.key)
