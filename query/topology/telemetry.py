"""From Istio's metrics to a traffic map.

Each namespace is asked for what comes in, as the called side reports it, for what goes out, as the calling
side does, and for calls that never reached a workload. Series that both sides report count once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from query.promql.engine import Engine
from query.promql.gotext import quote
from query.promql.results import Vector
from query.promql.series import SeriesSource
from query.topology.nodes import NO_SERVICE, Peer, known
from query.topology.options import Focus, GraphOptions, Rates
from query.topology.traffic import NO_RESPONSE, Protocol, TrafficMap
from vigla.storage.api import Stop

Labels = dict[str, str]

PEER_LABELS: Final = (
    "source_cluster,source_workload_namespace,source_workload,source_canonical_service,source_canonical_revision,"
    "destination_cluster,destination_service_namespace,destination_service,destination_service_name,"
    "destination_workload_namespace,destination_workload,destination_canonical_service,"
    "destination_canonical_revision"
)
EDGE_LABELS: Final = f"{PEER_LABELS},request_protocol"
_REQUESTS: Final = f"{EDGE_LABELS},response_code,grpc_response_status,response_flags"
_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+(:\d+)?")
_UNSERVED: Final = 'destination_workload_namespace="unknown",destination_workload="unknown"'
_CLIENTS: Final = "waypoint|source"
_SERVERS: Final = "waypoint|destination"
_HTTP_ERROR: Final = re.compile(r"[45]\d\d")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where queries are sent.

    Attributes:
        source: the series.
        at: Unix seconds of every query.
        stop: ends it.
    """

    source: SeriesSource
    at: int
    stop: Stop

    def vector(self, query: str) -> Iterator[tuple[Labels, float]]:
        """Elements of an instant vector."""
        value = Engine().instant(self.source, query, self.at * 1000, self.stop).value
        if isinstance(value, Vector):
            for labels, number in zip(value.matrix.labels, value.matrix.values[:, 0].tolist(), strict=True):
                yield dict(labels), number


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that gives edges; ``protocols``: which of its series count."""

    name: str
    by: str
    protocols: frozenset[Protocol]


def metrics_of(rates: Rates) -> list[Metric]:
    """The metrics that the asked rates need.

    Istio's TCP counters are named from the proxy's view, so "sent" is what was received by it.
    """
    requests: set[Protocol] = set()
    requests |= {"http"} if rates.http == "requests" else set()
    requests |= {"grpc"} if rates.grpc == "requests" else set()
    found = [Metric("istio_requests_total", _REQUESTS, frozenset(requests))] if requests else []
    messages = {"sent": "istio_request_messages_total", "received": "istio_response_messages_total"}
    found += [
        Metric(name, PEER_LABELS, frozenset({"grpc"}))
        for kind, name in messages.items()
        if rates.grpc in {kind, "total"}
    ]
    volumes = {"sent": "istio_tcp_received_bytes_total", "received": "istio_tcp_sent_bytes_total"}
    found += [
        Metric(name, f"{PEER_LABELS},response_flags", frozenset({"tcp"}))
        for kind, name in volumes.items()
        if rates.tcp in {kind, "total"}
    ]
    return found


def selectors(options: GraphOptions) -> list[str]:
    """Matchers of the series that a graph is made of; all namespaces at once, so that each is read once."""
    if options.focus is not None:
        return _about(options.focus)
    source, target = ("source", "destination") if not options.ambient else (_CLIENTS, _SERVERS)
    if not options.namespaces:
        return [f'reporter=~"{target}"', f'reporter=~"{source}"']
    asked = "|".join(map(re.escape, options.namespaces))
    own, host = quote(asked), quote(rf"^.+\.({asked})\..+$")
    found = [
        f'reporter=~"{source}",source_workload_namespace!~{own},{_UNSERVED},destination_service=~{host}',
        f'reporter=~"{target}",destination_workload_namespace=~{own}',
        f'reporter=~"{source}",source_workload_namespace=~{own}',
    ]
    if options.ambient:
        away = f"source_workload_namespace!~{own},destination_workload_namespace=~{own}"
        found.append(f'reporter="source",{away}')
    return found


def _about(focus: Focus) -> list[str]:
    place = quote(focus.namespace)
    if focus.service:
        name = f"destination_service_name={quote(focus.service)}"
        incoming = f"destination_service_namespace={place},{name}"
        return [f'reporter="destination",{incoming}', f'reporter="source",{incoming}']
    if focus.workload:
        own = quote(focus.workload)
        return [
            f'reporter="destination",destination_workload_namespace={place},destination_workload={own}',
            f'reporter="source",source_workload_namespace={place},source_workload={own}',
        ]
    names = {"canonical_service": focus.app, "canonical_revision": focus.version}
    given = {label: quote(value) for label, value in names.items() if value}
    incoming = "".join(f",destination_{label}={value}" for label, value in given.items())
    outgoing = "".join(f",source_{label}={value}" for label, value in given.items())
    return [
        f'reporter="destination",destination_service_namespace={place}{incoming}',
        f'reporter="source",source_workload_namespace={place}{outgoing}',
    ]


def traffic_map(metrics: Metrics, options: GraphOptions) -> TrafficMap:
    """Nodes and edges of a range.

    Raises:
        ExecutionError: the range holds more samples than a query may read.
        QueryStopped: by ``metrics.stop``.
    """
    found, seen = TrafficMap(), set[tuple[str, ...]]()
    above = "" if options.idle_edges else " > 0"
    for metric in metrics_of(options.rates):
        names = metric.by.split(",")
        for selector in selectors(options):
            rate = f"rate({metric.name}{{{selector}}}[{options.duration}s])"
            query = f"round(sum({rate}) by ({metric.by}){above},0.001)"
            for labels, value in metrics.vector(query):
                identity = (metric.name, *(labels.get(name, "") for name in names))
                if identity not in seen:
                    seen.add(identity)
                    _add(found, metric, labels, value, options)
    return found


def _add(found: TrafficMap, metric: Metric, labels: Labels, rate: float, options: GraphOptions) -> None:
    protocol = _protocol(metric, labels)
    ends = peers(labels)
    if protocol not in metric.protocols or ends is None:
        return
    source, target, service = ends
    client = found.node_of(source, options.graph_type)
    server = found.node_of(target, options.graph_type)
    path = [client.key, server.key]
    if service.service not in NO_SERVICE and server.kind != "service":
        destination = (service.cluster, service.namespace, service.service)
        server.destinations.add(destination)
        if options.inject_services or options.graph_type == "service":
            between = found.node_of(service, options.graph_type)
            between.marks["isInjected"] = True
            between.destinations.add(destination)
            path.insert(1, between.key)
    elif known(service.service) and server.kind != "service":
        server.destinations.add((service.cluster, service.namespace, service.service))
    ended = (
        response_code(protocol, labels),
        labels.get("response_flags", ""),
        labels.get("destination_service", ""),
    )
    for start, end in pairwise(path):
        found.edge(start, end, protocol).add(*ended, rate)


def _protocol(metric: Metric, labels: Labels) -> Protocol:
    if metric.name == "istio_requests_total":
        return "grpc" if labels.get("request_protocol") == "grpc" else "http"
    return "tcp" if "tcp" in metric.protocols else "grpc"


def response_code(protocol: Protocol, labels: Labels) -> str:
    """The code by which calls are told apart: gRPC's status unless HTTP itself failed; ``-`` is none."""
    code = labels.get("response_code", "")
    if protocol == "grpc" and not _HTTP_ERROR.fullmatch(code):
        code = labels.get("grpc_response_status", "") or code
        return code or NO_RESPONSE
    return NO_RESPONSE if protocol == "tcp" or code in {"", "0"} else code


def peers(labels: Labels) -> tuple[Peer, Peer, Peer] | None:
    """Client, workload and service of a series; None where the labels contradict each other."""

    def get(name: str) -> str:
        return labels.get(name, "")

    cluster = get("source_cluster")
    target_cluster = get("destination_cluster")
    source = Peer(
        cluster,
        get("source_workload_namespace"),
        get("source_workload"),
        get("source_canonical_service"),
        get("source_canonical_revision"),
    )
    own = get("destination_workload_namespace")
    place, name = get("destination_service_namespace"), get("destination_service_name")
    target = Peer(
        target_cluster,
        own if known(own) else place,
        get("destination_workload"),
        get("destination_canonical_service"),
        get("destination_canonical_revision"),
        name or get("destination_service"),
    )
    if _bad(source, "") or _bad(target, name) or _unnamed(target, get("destination_service"), name):
        return None
    return source, target, Peer(target_cluster, place, service=name)


def _bad(peer: Peer, service: str) -> bool:
    nameless = not known(peer.workload) and not known(peer.app) and not known(service)
    return known(peer.namespace) and (nameless or peer.cluster == "unknown")


def _unnamed(peer: Peer, host: str, service: str) -> bool:
    """An address that was called without a workload behind it says nothing."""
    return not known(peer.workload) and host == service and _ADDRESS.fullmatch(service) is not None
