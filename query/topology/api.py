"""Kiali's graph API: ``GET /api/namespaces/graph`` and the graphs about one node.

The same traffic with numbers in place of strings: ``GET /api/vigla/v1/mesh-graph``. It stands beside
``/api/vigla/v1/graph``, which counts spans: that one needs traces and no proxy, this one metrics, and the two
have other units and other nodes (services there, workloads with namespace and protocol here).
"""

from collections.abc import Mapping

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter, ValidationError

from query import native_errors
from query.limits import Limits
from query.prometheus.params import duration_ms
from query.promql.series import SeriesSource
from query.topology import kiali_json, numbers
from query.topology.build import build
from query.topology.configuration import Configuration
from query.topology.options import Focus, GraphOptions
from query.topology.span_edges import span_edges
from query.topology.telemetry import Metrics
from query.topology.traffic import TrafficMap
from vigla.clock import Clock
from vigla.errors import BadInput, QueryError, ViglaError
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
_OPTIONS: TypeAdapter[GraphOptions] = TypeAdapter(GraphOptions)


def node_focus(path: Mapping[str, str]) -> Focus | None:
    """The node that a path is about."""
    return Focus(**path) if path else None


def options_of(query: Mapping[str, str], now: int, focus: Focus | None) -> GraphOptions:
    """What the parameters of a request ask for; an empty ``appenders`` is none of the optional ones.

    Args:
        query: parameters by name.
        now: Unix seconds, where ``queryTime`` is not given.
        focus: of a node graph.

    Raises:
        BadInput: a value is not one of those allowed, or ``namespaces`` is missing.
    """
    namespaces = [each for each in query.get("namespaces", "").split(",") if each]
    if not namespaces and focus is None:
        raise BadInput("namespaces is missing: name one or more, separated by commas")
    rates = {name.removeprefix("rate").lower(): query[name] for name in _RATES if query.get(name)}
    found: dict[str, object] = {
        "namespaces": namespaces,
        "graph_type": query.get("graphType") or "workload",
        "at": query.get("queryTime") or now,
        "duration": max(_seconds(query.get("duration") or "10m"), 1),
        "rates": rates,
        "inject_services": query.get("injectServiceNodes") or False,
        "idle_edges": query.get("includeIdleEdges") or False,
        "box_by": _names(query.get("boxBy", "")),
        "appenders": _names(query["appenders"]) if "appenders" in query else None,
        "response_time": query.get("responseTime") or "95",
        "throughput": query.get("throughputType") or "request",
        "focus": focus,
        "ambient": query.get("ambientTraffic", "none") != "none",
    }
    try:
        return _OPTIONS.validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(f"{place}: {first['msg']}, not {first['input']!r}") from error


_RATES = ("rateGrpc", "rateHttp", "rateTcp")


def _names(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(",") if each.strip())


def _seconds(text: str) -> int:
    try:
        return duration_ms("duration", text) // 1000
    except QueryError as error:
        raise BadInput(str(error)) from error


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
        return build(metrics, options, configuration, settings), options

    async def kiali(request: Request) -> Response:
        """A graph in Kiali's JSON; an error is ``{"error": message}``, as Kiali's are."""
        try:
            body = await limits.read(request, lambda context: kiali_json.graph(*made(request, context)))
        except ViglaError as error:
            return JSONResponse({"error": str(error)}, native_errors.status_of(error))
        return Response(orjson.dumps(body), media_type="application/json")

    for path in ("/api/namespaces/graph", *_NODE_GRAPHS):
        routes.add_api_route(path, kiali, methods=["GET"])

    @routes.get("/api/vigla/v1/mesh-graph")
    async def mesh_graph(request: Request) -> Response:
        """The same graph with numbers: rates a second, latencies in ms; ``spans``: calls no proxy saw."""

        def work(context: QueryContext) -> dict[str, object]:
            traffic, options = made(request, context)
            metrics = Metrics(series, options.at, context.stop)
            spans = span_edges(metrics, options.duration, traffic)
            return {**numbers.graph(traffic, options), "spans": spans}

        try:
            return Response(orjson.dumps(await limits.read(request, work)), media_type="application/json")
        except ViglaError as error:
            return native_errors.answer(error)

    return routes
