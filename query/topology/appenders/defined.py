"""Nodes compared with configuration: service entries, dead nodes, idle nodes."""

from query.topology.configuration import Configuration, ServiceEntry
from query.topology.nodes import Node, Peer, node_of
from query.topology.options import GraphOptions
from query.topology.traffic import TrafficMap


def service_entry(traffic: TrafficMap, options: GraphOptions, configuration: Configuration) -> None:
    """``isServiceEntry``: all hosts of one entry become one node."""
    by_host = {host: entry for entry in configuration.service_entries(options.at) for host in entry.hosts}
    for node in traffic.nodes():
        entry = by_host.get(node.peer.service) if node.kind == "service" else None
        if entry is not None:
            _fold(traffic, node, entry)


def _fold(traffic: TrafficMap, node: Node, entry: ServiceEntry) -> None:
    peer = Peer(node.peer.cluster, entry.namespace, service=entry.name)
    folded = traffic.node(node_of(peer, "service"))
    folded.destinations |= node.destinations
    folded.marks["isServiceEntry"] = {
        "hosts": list(entry.hosts),
        "location": entry.location,
        "namespace": entry.namespace,
    }
    if folded.key == node.key:
        return
    for edge in traffic.incoming(node.key):
        traffic.edge(edge.source, folded.key, edge.protocol).absorb(edge)
    for edge in traffic.outgoing(node.key):
        traffic.edge(folded.key, edge.target, edge.protocol).absorb(edge)
    traffic.remove(node.key)


def dead_node(traffic: TrafficMap, options: GraphOptions, configuration: Configuration) -> None:
    """Take away nodes that are gone: no traffic, and no workload that configuration knows."""
    while dead := [node for node in traffic.nodes() if _dead(traffic, node, options, configuration)]:
        for node in dead:
            traffic.remove(node.key)


def _dead(traffic: TrafficMap, node: Node, options: GraphOptions, configuration: Configuration) -> bool:
    edges = traffic.incoming(node.key) + traffic.outgoing(node.key)
    if node.kind == "service" or any(edge.rate for edge in edges):
        return False
    defined = configuration.workloads(node.peer.namespace, options.at)
    return defined is not None and node.peer.workload not in {each.workload for each in defined}


def idle_node(traffic: TrafficMap, options: GraphOptions, configuration: Configuration) -> None:
    """``isIdle``: what is defined and had no traffic."""
    for namespace in options.namespaces:
        for workload in configuration.workloads(namespace, options.at) or ():
            if options.graph_type != "service":
                _idle(traffic, node_of(workload, options.graph_type))
        if options.inject_services or options.graph_type == "service":
            for service in configuration.services(namespace, options.at) or ():
                cluster = next(
                    (n.peer.cluster for n in traffic.nodes() if n.peer.namespace == namespace), "unknown"
                )
                _idle(traffic, node_of(Peer(cluster, namespace, service=service), options.graph_type))


def _idle(traffic: TrafficMap, node: Node) -> None:
    if node.key not in traffic:
        traffic.node(node).marks["isIdle"] = True
