"""Health by Kiali's rules: the worst of all tolerances decides; latency is one more input."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from query.topology.nodes import Node
from query.topology.status import Health, Status
from query.topology.tolerances import ANNOTATION, Bounds, Object, Tolerances
from query.topology.traffic import Edge, TrafficMap
from vigla.settings import Tolerance

Direction = Literal["", "inbound", "outbound"]


def health(traffic: TrafficMap, tolerances: Tolerances) -> None:
    """The appender: health of nodes and edges, and what Kiali's JSON says of it."""
    by_key = {node.key: node for node in traffic.nodes()}
    for edge in traffic.edges():
        edge.health = judge([edge], tolerances.of(*_object(by_key[edge.target])))
        if edge.health.status is not Status.NA:
            edge.marks["healthStatus"] = edge.health.status.text
    for node in by_key.values():
        inbound, outbound = traffic.incoming(node.key), traffic.outgoing(node.key)
        bounds = tolerances.of(*_object(node))
        node.health = judge(inbound, bounds, "inbound").worse(judge(outbound, bounds, "outbound"))
        requests = {"inbound": requests_of(inbound), "outbound": requests_of(outbound)}
        text = tolerances.annotation(*_object(node))
        node.marks["healthData"] = {
            "requests": {**requests, "healthAnnotations": {ANNOTATION: text} if text else {}},
            "status": node.health.status.text,
        }


def _object(node: Node) -> Object:
    """Whose tolerances hold for a node."""
    peer = node.peer
    if node.kind == "workload":
        return peer.namespace, "workload", peer.workload
    if node.kind == "app":
        return peer.namespace, "app", peer.app
    return peer.namespace, "service", peer.service


def requests_of(edges: Sequence[Edge]) -> dict[str, dict[str, float]]:
    """Requests a second by protocol and response code."""
    found: dict[str, dict[str, float]] = {}
    for edge in edges:
        if edge.protocol != "tcp":
            codes = found.setdefault(edge.protocol, {})
            for code, rate in edge.codes.items():
                codes[code] = codes.get(code, 0.0) + rate
    return found


def judge(edges: Sequence[Edge], bounds: Bounds, direction: Direction = "") -> Health:
    """Health of calls in one direction; NA without requests.

    Args:
        edges: the calls.
        bounds: tolerances, and the bound of the p95.
        direction: begins each reason; without one all tolerances hold.
    """
    found = Health()
    requests = requests_of(edges)
    for tolerance in bounds.tolerances:
        if not direction or re.fullmatch(tolerance.direction, direction):
            for each in _tolerated(requests, tolerance, direction):
                found = found.worse(each)
    for edge in edges if bounds.p95_ms else ():
        slow = edge.p95_ms
        if slow is not None and slow > bounds.p95_ms:
            reason = f"p95 of {edge.protocol} {slow:.0f} ms is above {bounds.p95_ms:.0f} ms"
            found = found.worse(Health(Status.DEGRADED, (f"{direction} {reason}".lstrip(),)))
    return found


def _tolerated(
    requests: dict[str, dict[str, float]], tolerance: Tolerance, direction: Direction
) -> Iterator[Health]:
    for protocol, codes in requests.items():
        total = sum(codes.values())
        if total and re.fullmatch(tolerance.protocol, protocol):
            matched = {code: rate for code, rate in codes.items() if re.fullmatch(tolerance.code, code)}
            percent = sum(matched.values()) / total * 100
            status = _status(percent, tolerance)
            names = ", ".join(code.replace("-", "no response") for code in sorted(matched))
            bad = status > Status.HEALTHY
            reason = f"{direction} {protocol} {names}: {percent:.3g} % of calls".lstrip()
            yield Health(status, (reason,) if bad else ())


def _status(percent: float, tolerance: Tolerance) -> Status:
    if percent <= 0:
        return Status.HEALTHY
    if percent >= tolerance.failure:
        return Status.FAILURE
    return Status.DEGRADED if percent >= tolerance.degraded else Status.HEALTHY
