"""Health by Kiali's rules: the worst of all tolerances decides; latency is one more input."""

import re
from collections.abc import Iterator, Sequence

from query.topology.status import Health, Status
from query.topology.traffic import Edge, TrafficMap
from vigla.settings import HealthSettings, Tolerance


def health(traffic: TrafficMap, settings: HealthSettings) -> None:
    """The appender: health of nodes and edges, and what Kiali's JSON says of it."""
    for edge in traffic.edges():
        edge.health = judge([edge], settings)
        if edge.health.status is not Status.NA:
            edge.marks["healthStatus"] = edge.health.status.text
    for node in traffic.nodes():
        inbound, outbound = traffic.incoming(node.key), traffic.outgoing(node.key)
        node.health = judge(inbound, settings, "inbound ").worse(judge(outbound, settings, "outbound "))
        requests = {"inbound": requests_of(inbound), "outbound": requests_of(outbound)}
        node.marks["healthData"] = {
            "requests": {**requests, "healthAnnotations": {}},
            "status": node.health.status.text,
        }


def requests_of(edges: Sequence[Edge]) -> dict[str, dict[str, float]]:
    """Requests a second by protocol and response code."""
    found: dict[str, dict[str, float]] = {}
    for edge in edges:
        if edge.protocol != "tcp":
            codes = found.setdefault(edge.protocol, {})
            for code, rate in edge.codes.items():
                codes[code] = codes.get(code, 0.0) + rate
    return found


def judge(edges: Sequence[Edge], settings: HealthSettings, side: str = "") -> Health:
    """Health of calls in one direction; NA without requests.

    Args:
        edges: the calls.
        settings: tolerances and the bound of the p95.
        side: begins each reason.
    """
    found = Health()
    requests = requests_of(edges)
    for tolerance in settings.tolerances:
        for each in _tolerated(requests, tolerance, side):
            found = found.worse(each)
    for edge in edges if settings.p95_ms else ():
        slow = edge.p95_ms
        if slow is not None and slow > settings.p95_ms:
            reason = f"{side}p95 of {edge.protocol} {slow:.0f} ms is above {settings.p95_ms:.0f} ms"
            found = found.worse(Health(Status.DEGRADED, (reason,)))
    return found


def _tolerated(requests: dict[str, dict[str, float]], tolerance: Tolerance, side: str) -> Iterator[Health]:
    for protocol, codes in requests.items():
        total = sum(codes.values())
        if total and re.fullmatch(tolerance.protocol, protocol):
            matched = {code: rate for code, rate in codes.items() if re.fullmatch(tolerance.code, code)}
            percent = sum(matched.values()) / total * 100
            status = _status(percent, tolerance)
            names = ", ".join(code.replace("-", "no response") for code in sorted(matched))
            bad = status > Status.HEALTHY
            yield Health(status, (f"{side}{protocol} {names}: {percent:.3g} % of calls",) if bad else ())


def _status(percent: float, tolerance: Tolerance) -> Status:
    if percent <= 0:
        return Status.HEALTHY
    if percent >= tolerance.failure:
        return Status.FAILURE
    return Status.DEGRADED if percent >= tolerance.degraded else Status.HEALTHY
