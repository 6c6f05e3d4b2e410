"""What a graph is asked for; the parameters of Kiali's graph API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from query.topology.nodes import GraphType


@dataclass(frozen=True, slots=True)
class Rates:
    """Which metric each protocol's rate is taken from."""

    http: Literal["none", "requests"] = "requests"
    grpc: Literal["none", "received", "requests", "sent", "total"] = "requests"
    tcp: Literal["none", "received", "sent", "total"] = "sent"


@dataclass(frozen=True, slots=True)
class Focus:
    """The one node that a node graph is about; only the names that are given are compared."""

    namespace: str
    workload: str = ""
    app: str = ""
    version: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """A graph.

    Attributes:
        namespaces: whose traffic is shown, none: of all; without meaning where ``focus`` is given.
        graph_type: what nodes stand for.
        at: end of the range, Unix seconds.
        duration: of the range, seconds.
        rates: metrics.
        inject_services: put a service node between client and workload.
        idle_edges: also edges whose series did not move.
        box_by: any of app, namespace, cluster.
        appenders: names; None is all.
        response_time: quantile in percent, or ``avg``.
        throughput: which bodies.
        focus: of a node graph.
        ambient: also what waypoints report.
    """

    namespaces: Sequence[str]
    graph_type: GraphType
    at: int
    duration: int = 600
    rates: Rates = Rates()
    inject_services: bool = False
    idle_edges: bool = False
    box_by: frozenset[str] = frozenset()
    appenders: frozenset[str] | None = None
    response_time: Literal["50", "95", "99", "avg"] = "95"
    throughput: Literal["request", "response"] = "request"
    focus: Focus | None = None
    ambient: bool = False

    def wants(self, appender: str) -> bool:
        """Whether an optional appender runs."""
        return self.appenders is None or appender in self.appenders
