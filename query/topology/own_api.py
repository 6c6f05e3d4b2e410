"""``GET /api/vigla/v1/graph``: the mesh and what only spans tell of, in numbers."""

from collections.abc import Iterable
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from query import native_errors
from query.limits import Limits
from query.microseconds import NS_PER_US, Microseconds
from query.promql.series import SeriesSource
from query.topology import own_json, span_edges
from query.topology.build import build
from query.topology.configuration import Configuration
from query.topology.echoes import without_echoes
from query.topology.nodes import GraphType
from query.topology.options import GraphOptions
from query.topology.span_edges import Call
from query.topology.telemetry import Metrics
from query.topology.traffic import TrafficMap
from query.traces import relations
from query.traces.engine import TraceEngine
from vigla.errors import BadInput, ViglaError
from vigla.settings import HealthSettings
from vigla.storage.api import QueryContext

US_PER_S = 1_000_000
LEAST_S = 60
"""Seconds: a rate needs two samples, and metrics come every 15 seconds."""

Words = Annotated[str, Query(description="several by commas; none: all")]
_APPENDERS = frozenset({"responseTime", "securityPolicy", "health"})


class MeshGraph:
    """Makes graphs.

    Args:
        series: the metrics.
        engine: the spans, for ranges of which no metric tells.
        configuration: what is defined.
        settings: of health.
    """

    def __init__(
        self,
        series: SeriesSource,
        engine: TraceEngine,
        configuration: Configuration,
        settings: HealthSettings,
    ) -> None:
        self._series = series
        self._engine = engine
        self._configuration = configuration
        self._settings = settings

    def graph(self, start: int, end: int, options: GraphOptions, context: QueryContext) -> own_json.Json:
        """The graph of a range of microseconds."""
        metrics = Metrics(self._series, options.at, context.stop)
        traffic = build(metrics, options, self._configuration, self._settings)
        if not options.namespaces:  # services without a proxy have none
            calls = span_edges.measured(metrics, options.duration)
            if not calls and not any(traffic.edges()):
                return self._of_spans(start, end, options, context)
            span_edges.join(traffic, calls)
        without_echoes(traffic)
        return own_json.graph(traffic, options, self._settings)

    def _of_spans(self, start: int, end: int, options: GraphOptions, context: QueryContext) -> own_json.Json:
        """Of traces that were imported, or came before metrics were made of them."""
        engine, traffic = self._engine, TrafficMap()
        low, high = start * NS_PER_US, end * NS_PER_US
        seconds = max((end - start) / US_PER_S, 1)
        found = relations.edges(engine.store, engine.tables, low, high, context, own=False)
        span_edges.join(traffic, _calls(found, seconds))
        span_edges.alone(
            traffic,
            (each.service for each in relations.nodes(engine.store, engine.tables, low, high, context)),
        )
        return own_json.graph(traffic, options, self._settings)


def _calls(edges: Iterable[relations.Edge], seconds: float) -> Iterable[Call]:
    return (
        Call(each.parent, each.child, "", each.calls / seconds, each.errors / seconds, each.p95)
        for each in edges
    )


def router(graphs: MeshGraph, limits: Limits) -> APIRouter:
    """The route.

    Args:
        graphs: makes them.
        limits: bounds of every query.
    """
    routes = APIRouter(tags=["topology"])

    @routes.get("/api/vigla/v1/graph")
    async def graph(
        request: Request,
        start: Microseconds,
        end: Microseconds,
        kind: Annotated[GraphType, Query(alias="type", description="what nodes stand for")] = "versionedApp",
        namespaces: Words = "",
    ) -> Response:
        """Who calls whom in a time range, and how well.

        ``nodes``: ``in`` and ``out`` have ``rate`` and ``errors`` (calls a second), ``bytes`` (TCP, a second)
        and ``p95_ms``. ``edges``: of one protocol each; ``span`` are calls that no proxy saw.
        """
        try:
            if end <= start:
                raise BadInput("end is not after start")
            options = GraphOptions(
                namespaces=[each for each in namespaces.split(",") if each],
                graph_type=kind,
                at=-(-end // US_PER_S),
                duration=max(-(-(end - start) // US_PER_S), LEAST_S),
                appenders=_APPENDERS,
            )
            body = await limits.read(request, lambda context: graphs.graph(start, end, options, context))
        except ViglaError as error:
            return native_errors.answer(error)
        return Response(orjson.dumps(body), media_type="application/json")

    return routes
