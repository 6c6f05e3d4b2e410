"""Clusters that lead to the workload itself."""

from typing import Any

from proxy.envoy.messages import typed
from proxy.registry.model import Protocol
from proxy.translate.cluster_policy import HTTP_OPTIONS, connection_pool, protocol_options
from proxy.translate.destination_rules import Policy
from proxy.translate.hosts import inbound_cluster
from proxy.translate.inbound_ports import InboundPort, inbound_ports
from proxy.translate.scope import Scope
from proxy.translate.world import Interception, Proxy, World

Json = dict[str, Any]

INBOUND_PASSTHROUGH = "InboundPassthroughCluster"
_SOURCE = {"source_address": {"address": "127.0.0.6", "port_value": 0}}
"""Calls that the proxy makes from this address are not intercepted again."""


def inbound_clusters(world: World, proxy: Proxy, seen: Scope) -> list[Json]:
    """One cluster for each port of the workload, and that of ports nobody declared."""
    made = [_cluster(world, proxy, port) for port in inbound_ports(world, proxy, seen)]
    if proxy.interception is not Interception.NONE:
        made.append(
            {
                "name": INBOUND_PASSTHROUGH,
                "type": "ORIGINAL_DST",
                "lb_policy": "CLUSTER_PROVIDED",
                "upstream_bind_config": _SOURCE,
                **connection_pool(world, Policy()),
            }
        )
    return made


def _cluster(world: World, proxy: Proxy, port: InboundPort) -> Json:
    policy = Policy(connection_pool=port.pool)
    name = inbound_cluster(port.number)
    made: Json = {"name": name, **connection_pool(world, policy), **_target(name, proxy, port)}
    if port.services and (port.protocol.http or port.protocol is Protocol.AUTO):
        made |= protocol_options(world, port.services[0], port.protocol, policy)
    elif port.protocol.http2:
        made |= _http2()
    if port.services:
        services = [{"host": s.hostname, "name": s.name, "namespace": s.namespace} for s in port.services]
        made["metadata"] = {"filter_metadata": {"istio": {"services": services}}}
    return made


def _http2() -> Json:
    options = typed(HTTP_OPTIONS, {"explicit_http_config": {"http2_protocol_options": {}}})
    return {"typed_extension_protocol_options": {HTTP_OPTIONS: options}}


def _target(name: str, proxy: Proxy, port: InboundPort) -> Json:
    if not port.target:
        made: Json = {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
        return made if proxy.interception is Interception.NONE else {**made, "upstream_bind_config": _SOURCE}
    if port.target.startswith("/"):
        address: Json = {"pipe": {"path": port.target}}
    else:
        host, _, number = port.target.rpartition(":")
        address = {"socket_address": {"address": host.strip("[]"), "port_value": int(number)}}
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    return {"type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": [endpoint]}}
