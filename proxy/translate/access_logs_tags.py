"""Custom tags of access logs that go to the mesh's collector: who, to whom, by which route and policy."""

from proxy.translate.metrics_tags import literal
from proxy.translate.peer_metadata import NAMESPACE, UNKNOWN, Identity
from proxy.translate.world import Direction, Proxy

_SERVICE = "%CEL(xds.cluster_metadata.filter_metadata['istio']['services'][0]['host'])%"
_NAMES = {
    "workload": "{}_workload",
    "namespace": "{}_namespace",
    "canonical": "{}_service",
    "revision": "{}_canonical_revision",
    "cluster": "{}_cluster",
}


def log_tags(proxy: Proxy, direction: Direction, *, http: bool) -> dict[str, str]:
    """Name and format of each tag; what is not known stays empty.

    Args:
        proxy: that logs.
        direction: of the traffic.
        http: requests; connections have no routes and say nothing about their caller's workload.
    """
    inbound = direction is Direction.INBOUND
    facts = Identity.of(proxy).facts
    own = {name: literal(facts[name]) for name in _NAMES}
    where = "DYNAMIC_METADATA" if inbound else "UPSTREAM_METADATA"
    peer = {name: f"%{where}({NAMESPACE}:{name})%" for name in _NAMES}
    if inbound and not http:
        peer = dict.fromkeys(_NAMES, UNKNOWN)
    source, destination = (peer, own) if inbound else (own, peer)
    caller, callee = (
        ("DOWNSTREAM_PEER", "DOWNSTREAM_LOCAL") if inbound else ("UPSTREAM_LOCAL", "UPSTREAM_PEER")
    )
    tags = {
        "reporter": "destination" if inbound else "source",
        **{label.format("source"): source[name] for name, label in _NAMES.items()},
        **{label.format("destination"): destination[name] for name, label in _NAMES.items()},
        "source_principal": f"%{caller}_URI_SAN%",
        "destination_principal": f"%{callee}_URI_SAN%",
    }
    tags["destination_canonical_service"] = tags["destination_service"]
    tags["destination_service"] = _SERVICE
    if http:
        tags |= {
            "virtual_service": "%METADATA(ROUTE:istio:config)%",
            "rule": "%METADATA(ROUTE:istio:rule)%",
            "rule_source": "%METADATA(ROUTE:istio:source)%",
            "destination_rule": "%CLUSTER_METADATA(istio:config)%",
            "policy": "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%",
            "trace_id": "%TRACE_ID%",
        }
    return tags
