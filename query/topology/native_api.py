"""Our own API of the mesh's graph: numbers in place of strings, exports, comparison, dependents, health."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import cast, get_args

import orjson
from fastapi import APIRouter, Request, Response

from query import native_errors
from query.limits import Limits
from query.promql.series import SeriesSource
from query.topology import exports, numbers, span_edges
from query.topology.build import build
from query.topology.compare import compared
from query.topology.configuration import Configuration
from query.topology.dependents import dependents
from query.topology.durations import Durations
from query.topology.echoes import without_echoes
from query.topology.health import health
from query.topology.health_history import History, Kind, Span, histories
from query.topology.options import GraphOptions
from query.topology.parameters import names, options_of, seconds, whole
from query.topology.status import Status
from query.topology.telemetry import Metrics
from query.topology.tolerances import Tolerances
from query.topology.traffic import TrafficMap
from query.traces import relations
from query.traces.engine import TraceEngine
from vigla.clock import Clock
from vigla.errors import BadInput, ViglaError
from vigla.settings import HealthSettings
from vigla.storage.api import QueryContext

NS_PER_S = 1_000_000_000
MAX_STEPS = 500
Made = tuple[bytes, str]
"""Body and media type."""
Work = Callable[[Mapping[str, str], QueryContext, int], Made]


def router(  # noqa: PLR0913, PLR0917 (what graphs are made of)
    series: SeriesSource,
    engine: TraceEngine,
    configuration: Configuration,
    settings: HealthSettings,
    limits: Limits,
    clock: Clock,
) -> APIRouter:
    """The routes below ``/api/vigla/v1``.

    Args:
        series: the metrics.
        engine: the spans, for ranges of which no metric tells.
        configuration: what is defined.
        settings: of health.
        limits: bounds of every query.
        clock: where a request gives no time.
    """
    routes = APIRouter(prefix="/api/vigla/v1", tags=["topology"])
    graphs = _Graphs(series, engine, configuration, settings)

    def serve(path: str, work: Work, description: str) -> None:
        async def answer(request: Request) -> Response:
            try:
                now = clock.now_ns() // NS_PER_S
                query = request.query_params
                body, media = await limits.read(request, lambda context: work(query, context, now))
            except ViglaError as error:
                return native_errors.answer(error)
            return _tagged(request, body, media)

        routes.add_api_route(path, answer, methods=["GET"], description=description)

    serve("/graph", graphs.graph, "The mesh's graph; format: json, dot, mermaid.")
    serve(
        "/graph/compare",
        graphs.compare,
        "The graph at time beside that at before: new, gone, slower, failing.",
    )
    serve("/graph/dependents", graphs.dependents, "Everything that depends on a node.")
    serve("/health", graphs.health, "Health of apps, services and workloads, with history over a range.")
    return routes


def _tagged(request: Request, body: bytes, media: str) -> Response:
    """With an entity tag; without a body where the client has it already."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media, headers=headers)


class _Graphs:
    """What the routes answer; see ``router`` for the arguments."""

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

    def graph(self, query: Mapping[str, str], context: QueryContext, now: int) -> Made:
        wanted = query.get("format") or "json"
        if wanted not in get_args(exports.Format):
            raise BadInput(f"format: one of dot, json and mermaid, not {wanted!r}")
        form = cast("exports.Format", wanted)
        options = _options(query, now)
        traffic = self._made(options, context)
        if form == "json":
            body = orjson.dumps(numbers.graph(traffic, options))
        else:
            body = (exports.dot if form == "dot" else exports.mermaid)(traffic).encode()
        return body, exports.MEDIA_TYPES[form]

    def compare(self, query: Mapping[str, str], context: QueryContext, now: int) -> Made:
        options = _options(query, now)
        if not query.get("before"):
            raise BadInput("before is missing: Unix seconds of the end of the range to compare with")
        before = whole("before", query["before"])
        graphs = [self._made(replace(options, at=each), context) for each in (before, options.at)]
        return orjson.dumps({"before": before, "at": options.at, **compared(*graphs)}), "application/json"

    def dependents(self, query: Mapping[str, str], context: QueryContext, now: int) -> Made:
        if not query.get("node"):
            raise BadInput("node is missing: an id, a name or namespace/name")
        found = dependents(self._made(_options(query, now), context), query["node"])
        return orjson.dumps(found), "application/json"

    def health(self, query: Mapping[str, str], context: QueryContext, now: int) -> Made:
        span = _span(query, now)
        kinds = names(query.get("kinds", "")) or frozenset(get_args(Kind))
        if unknown := kinds - set(get_args(Kind)):
            raise BadInput(f"kinds: any of app, service and workload, not {min(unknown)!r}")
        found = histories(
            self._series,
            self._tolerances(span.end),
            span,
            namespaces=names(query.get("namespaces", "")),
            kinds=cast("frozenset[Kind]", kinds),
            stop=context.stop,
        )
        body = {
            "start": span.start,
            "end": span.end,
            "step_s": span.step,
            "namespaces": _worst(found),
            "objects": [_object(each) for each in found],
        }
        return orjson.dumps(body), "application/json"

    def _made(self, options: GraphOptions, context: QueryContext) -> TrafficMap:
        """The graph with calls that only spans know."""
        metrics = Metrics(self._series, options.at, context.stop)
        traffic = build(metrics, options, self._configuration)
        if options.wants("spans"):
            self._add_spans(traffic, metrics, options, context)
        if options.wants("health"):
            health(traffic, self._tolerances(options.at))
        return traffic

    def _tolerances(self, at: int) -> Tolerances:
        return Tolerances(self._settings, self._configuration.health_annotations(at))

    def _add_spans(
        self, traffic: TrafficMap, metrics: Metrics, options: GraphOptions, context: QueryContext
    ) -> None:
        """Calls without a proxy; the whole graph where no metrics were made of the spans."""
        everywhere = not options.namespaces
        calls = span_edges.measured(metrics, options.duration)
        if calls or traffic.nodes() or not everywhere:
            span_edges.join(traffic, calls, everywhere=everywhere)
            without_echoes(traffic)
            return
        store, tables = self._engine.store, self._engine.tables
        bounds = (options.at - options.duration) * NS_PER_S, options.at * NS_PER_S
        found = relations.edges(store, tables, *bounds, context, own=False)
        span_edges.join(traffic, _calls(found, options.duration), everywhere=True)
        span_edges.alone(traffic, (each.service for each in relations.nodes(store, tables, *bounds, context)))


def _calls(edges: Iterable[relations.Edge], seconds: int) -> Iterator[span_edges.Call]:
    """Of the durations only the p95 is known: a histogram that gives it back."""
    for each in edges:
        rate = each.calls / seconds
        durations = Durations(defaultdict(float, {0.0: 0.0, each.p95: 0.95 * rate, math.inf: rate}))
        yield span_edges.Call(each.parent, each.child, "", rate, each.errors / seconds, durations)


def _options(query: Mapping[str, str], now: int) -> GraphOptions:
    return options_of(query, now, None, everywhere=True)


def _span(query: Mapping[str, str], now: int) -> Span:
    """``start``, ``end`` and ``step`` of a request; without ``start`` the end alone."""
    end = whole("end", query.get("end") or str(now))
    start = whole("start", query.get("start") or str(end))
    step = seconds("step", query.get("step") or "1m")
    if start > end:
        raise BadInput("start: is after end")
    if (end - start) // step >= MAX_STEPS:
        raise BadInput(f"step: gives more than {MAX_STEPS} steps, make it longer or the range shorter")
    return Span(end - (end - start) // step * step, end, step, seconds("window", query.get("window") or "5m"))


def _object(history: History) -> dict[str, object]:
    statuses = [Status(number).text for number in history.statuses.tolist()]
    return {
        "namespace": history.namespace,
        "kind": history.kind,
        "name": history.name,
        "status": statuses[-1],
        "reasons": history.reasons,
        "history": statuses,
    }


def _worst(found: list[History]) -> list[dict[str, object]]:
    """Namespaces: at each step the worst of what is in them."""
    places = sorted({each.namespace for each in found})
    return [
        {
            "namespace": place,
            "status": Status(max(int(each.statuses[-1]) for each in own)).text,
            "history": [
                Status(max(column)).text
                for column in zip(*(each.statuses.tolist() for each in own), strict=True)
            ],
        }
        for place in places
        for own in [[each for each in found if each.namespace == place]]
    ]
