"""The labels of ``istio_*`` metrics as Envoy's command operators.

An operator that finds nothing gives an empty text, where Istio says ``unknown`` (or ``latest`` for a
revision): ``COALESCE`` falls back on filter state that holds the word.
"""

import json
from typing import Literal

from proxy.translate.peer_metadata import FACTS, LATEST_STATE, NAMESPACE, UNKNOWN, UNKNOWN_STATE, Identity
from proxy.translate.world import Direction, Proxy

Tags = dict[str, str]
Kind = Literal["http", "grpc", "tcp"]
Operator = tuple[str, str]

_LABELS = {
    "workload": "{}_workload",
    "canonical": "{}_canonical_service",
    "revision": "{}_canonical_revision",
    "namespace": "{}_workload_namespace",
    "app": "{}_app",
    "version": "{}_version",
    "cluster": "{}_cluster",
}
_SERVICE = "xds.cluster_metadata.filter_metadata['istio']['services'][0]['{}']"
ORDER = (
    "reporter",
    "source_workload",
    "source_canonical_service",
    "source_canonical_revision",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_cluster",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_service_name",
    "destination_service_namespace",
    "destination_cluster",
    "request_protocol",
    "response_code",
    "grpc_response_status",
    "response_flags",
    "connection_security_policy",
)


def literal(text: str) -> str:
    """A text as a format that gives it."""
    return text.replace("%", "%%")


def coalesce(*operators: Operator) -> str:
    """The first of these operators that finds something."""
    listed = [{"command": c, "param": p} if p else {"command": c} for c, p in operators]
    return f"%COALESCE({json.dumps({'operators': listed}, separators=(',', ':'))})%"


def _known(*operators: Operator, state: str = UNKNOWN_STATE) -> str:
    return coalesce(*operators, ("FILTER_STATE", f"{state}:PLAIN"))


def tags(proxy: Proxy, direction: Direction, kind: Kind) -> Tags:
    """Name and format of each label, in Istio's order.

    Args:
        proxy: that reports.
        direction: inbound ones are reported by the destination, all others by the source.
        kind: of the traffic; connections have no response code.
    """
    inbound = direction is Direction.INBOUND
    own = {name: literal(value) for name, value in Identity.of(proxy).facts.items()}
    peer = _inbound_peer(kind) if inbound else _upstream_peer()
    source, destination = (peer, own) if inbound else (own, peer)
    near, far = ("DOWNSTREAM_LOCAL", "DOWNSTREAM_PEER") if inbound else ("UPSTREAM_LOCAL", "UPSTREAM_PEER")
    callee, caller = (near, far) if inbound else (far, near)
    made = {
        "reporter": "destination" if inbound else "source",
        **{label.format("source"): source[name] for name, label in _LABELS.items()},
        **{label.format("destination"): destination[name] for name, label in _LABELS.items()},
        "source_principal": _known((f"{caller}_URI_SAN", "")),
        "destination_principal": _known((f"{callee}_URI_SAN", "")),
        **_service(direction, kind),
        "request_protocol": kind,
        "response_flags": "%RESPONSE_FLAGS%",
        "connection_security_policy": "%CEL(connection.mtls ? 'mutual_tls' : 'none')%"
        if inbound
        else UNKNOWN,
    }
    if kind != "tcp":
        made |= {"response_code": "%RESPONSE_CODE%", "grpc_response_status": "%GRPC_STATUS_NUMBER%"}
    return {name: made[name] for name in ORDER if name in made}


def _state(name: str) -> str:
    return LATEST_STATE if name == "revision" else UNKNOWN_STATE


def _inbound_peer(kind: Kind) -> dict[str, str]:
    """What the caller's proxy said; connections carry no headers."""
    if kind == "tcp":
        return dict.fromkeys(FACTS, UNKNOWN) | {"revision": "latest"}
    return {n: _known(("DYNAMIC_METADATA", f"{NAMESPACE}:{n}"), state=_state(n)) for n in FACTS}


def _upstream_peer() -> dict[str, str]:
    """What is known of the endpoint that was called."""
    return {n: _known(("UPSTREAM_METADATA", f"{NAMESPACE}:{n}"), state=_state(n)) for n in FACTS}


def _service(direction: Direction, kind: Kind) -> dict[str, str]:
    host: list[Operator] = [("CEL", _SERVICE.format("host"))]
    name: list[Operator] = [("CEL", _SERVICE.format("name"))]
    if direction is Direction.OUTBOUND and kind != "tcp":
        host.append(("REQ", ":AUTHORITY"))
    if direction is Direction.OUTBOUND:
        name.append(("UPSTREAM_CLUSTER_RAW", ""))  # PassthroughCluster, BlackHoleCluster
        if kind != "tcp":
            name.append(("METADATA", "ROUTE:istio:cluster"))  # of a route that answers in a cluster's place
    return {
        "destination_service": _known(*host),
        "destination_service_name": _known(*name),
        "destination_service_namespace": _known(("CEL", _SERVICE.format("namespace"))),
    }
