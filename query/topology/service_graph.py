"""The service graph: the workload graph with service nodes, of which only services and roots stay."""

from query.topology.traffic import Edge, TrafficMap


def reduced(traffic: TrafficMap) -> TrafficMap:
    """Services, and an edge where workloads behind one call another."""
    found = TrafficMap()
    for node in traffic.nodes():
        if node.kind == "service" or node.marks.get("isRoot"):
            found.node(node)
    for node in found.nodes():
        hops = [node.key] if node.kind != "service" else [edge.target for edge in traffic.outgoing(node.key)]
        for hop in dict.fromkeys(hops):
            for edge in traffic.outgoing(hop):
                _carry(found, node.key, edge)
    return found


def _carry(found: TrafficMap, source: str, edge: Edge) -> None:
    if edge.target in found and found[edge.target].kind == "service":
        found.edge(source, edge.target, edge.protocol).absorb(edge)
