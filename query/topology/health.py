"""Health by Kiali's rules: the worst of all tolerances decides; latency is one more input."""

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum

from query.topology.traffic import Edge, TrafficMap
from vigla.settings import HealthSettings, Tolerance


class Status(IntEnum):
    """How well a node or an edge is, from nothing known to worst."""

    NA = 0
    HEALTHY = 1
    DEGRADED = 3
    FAILURE = 4

    @property
    def text(self) -> str:
        """The name in Kiali's JSON."""
        return "NA" if self is Status.NA else self.name.capitalize()


def health(traffic: TrafficMap, settings: HealthSettings) -> None:
    """The appender: ``healthData`` of nodes, ``healthStatus`` of edges with traffic."""
    for edge in traffic.edges():
        status = of_calls([edge], settings)
        if status is not Status.NA:
            edge.marks["healthStatus"] = status.text
    for node in traffic.nodes():
        sides = (traffic.incoming(node.key), traffic.outgoing(node.key))
        node.marks["healthData"] = {"status": max(of_calls(side, settings) for side in sides).text}


def of_calls(edges: Sequence[Edge], settings: HealthSettings) -> Status:
    """Health of calls in one direction; NA without requests."""
    status = max((_tolerated(edges, each) for each in settings.tolerances), default=Status.NA)
    slowest = max((edge.p95_ms for edge in edges if edge.p95_ms is not None), default=0.0)
    if settings.p95_ms and slowest > settings.p95_ms:
        return max(status, Status.DEGRADED)
    return status


def _tolerated(edges: Iterable[Edge], tolerance: Tolerance) -> Status:
    worst = Status.NA
    calls = [
        edge for edge in edges if edge.protocol != "tcp" and re.fullmatch(tolerance.protocol, edge.protocol)
    ]
    for protocol in {edge.protocol for edge in calls}:
        codes = [pair for edge in calls if edge.protocol == protocol for pair in edge.codes.items()]
        total = sum(rate for _, rate in codes)
        if total:
            pattern = re.compile(tolerance.code)
            matched = sum(rate for code, rate in codes if pattern.fullmatch(code))
            worst = max(worst, _judge(matched / total * 100, tolerance))
    return worst


def _judge(percent: float, tolerance: Tolerance) -> Status:
    if percent <= 0:
        return Status.HEALTHY
    if percent >= tolerance.failure:
        return Status.FAILURE
    return Status.DEGRADED if percent >= tolerance.degraded else Status.HEALTHY
