"""Kiali's graph API: ``GET /api/namespaces/graph`` and the graphs about one node."""

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from query import native_errors
from query.limits import Limits
from query.promql.series import SeriesSource
from query.topology import kiali_json
from query.topology.build import build
from query.topology.configuration import Configuration
from query.topology.health import health
from query.topology.options import GraphOptions
from query.topology.parameters import node_focus, options_of
from query.topology.telemetry import Metrics
from query.topology.tolerances import Tolerances
from query.topology.traffic import TrafficMap
from vigla.clock import Clock
from vigla.errors import ViglaError
from vigla.settings import HealthSettings
from vigla.storage.api import QueryContext

NS_PER_S = 1_000_000_000
_PLACE = "/api/namespaces/{namespace}"
_NODE_GRAPHS = (
    f"{_PLACE}/applications/{{app}}/graph",
    f"{_PLACE}/applications/{{app}}/versions/{{version}}/graph",
    f"{_PLACE}/services/{{service}}/graph",
    f"{_PLACE}/workloads/{{workload}}/graph",
)


def router(
    series: SeriesSource, configuration: Configuration, settings: HealthSettings, limits: Limits, clock: Clock
) -> APIRouter:
    """The routes.

    Args:
        series: the metrics.
        configuration: what is defined.
        settings: of health.
        limits: bounds of every query.
        clock: where a request gives no time.
    """
    routes = APIRouter(tags=["topology"])

    def made(request: Request, context: QueryContext) -> tuple[TrafficMap, GraphOptions]:
        now = clock.now_ns() // NS_PER_S
        options = options_of(request.query_params, now, node_focus(request.path_params))
        metrics = Metrics(series, options.at, context.stop)
        traffic = build(metrics, options, configuration)
        if options.wants("health"):
            health(traffic, Tolerances(settings, configuration.health_annotations(options.at)))
        return traffic, options

    async def kiali(request: Request) -> Response:
        """A graph in Kiali's JSON; an error is ``{"error": message}``, as Kiali's are."""
        try:
            body = await limits.read(request, lambda context: kiali_json.graph(*made(request, context)))
        except ViglaError as error:
            return JSONResponse({"error": str(error)}, native_errors.status_of(error))
        return Response(orjson.dumps(body), media_type="application/json")

    for path in ("/api/namespaces/graph", *_NODE_GRAPHS):
        routes.add_api_route(path, kiali, methods=["GET"])

    return routes
