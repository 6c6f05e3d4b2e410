"""Jaeger's v1 API under ``/api``: what Grafana, Kiali and the UI up to 2.20 call.

Times are Unix microseconds, except for dependencies and metrics, where they are milliseconds.
"""

from collections.abc import Callable, Iterator

import orjson
from fastapi import APIRouter, Request, Response

from query import bodies
from query.jaeger import answers, params
from query.jaeger.v1_model import short_id, trace_json
from query.limits import Limits
from query.traces import relations
from query.traces.adjusters.pipeline import adjusted
from query.traces.engine import TraceEngine
from query.traces.model import Trace, from_table
from query.traces.search import LATEST_NS, TraceQuery
from vigla.clock import Clock
from vigla.errors import NotFound, PayloadTooLarge, QueryError, ViglaError
from vigla.storage.api import QueryContext
from vigla.wire.otlp.from_json import from_json
from vigla.wire.otlp.spans import SpanDecoder

DEFAULT_LOOKBACK_NS = 48 * 3600 * 10**9
DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
NS_PER_MS = 10**6
DEPENDENCIES_LOOKBACK_MS = 24 * 3600 * 1000
MAX_TRANSFORM_BYTES = 64 * 1024 * 1024


def router(  # noqa: C901 (a list of routes)
    engine: TraceEngine, limits: Limits, clock: Clock, max_clock_skew_ns: int
) -> APIRouter:
    """The routes.

    Args:
        engine: what is asked.
        limits: bounds of every query.
        clock: for times that are not given.
        max_clock_skew_ns: of the clock skew adjuster.
    """
    routes = APIRouter(prefix="/api", include_in_schema=False)
    as_sent = SpanDecoder(())  # without promoted columns attributes keep their order

    def shown(traces: list[Trace], *, raw: bool) -> list[object]:
        return [trace_json(trace if raw else adjusted(trace, max_clock_skew_ns)) for trace in traces]

    @routes.get("/services")
    async def services(request: Request) -> Response:
        found = engine.services()
        return answers.ok(request, answers.envelope(found, total=len(found)))

    @routes.get("/services/{service:path}/operations")
    async def service_operations(request: Request, service: str) -> Response:
        found = sorted({operation.name for operation in engine.operations(service)})
        return answers.ok(request, answers.envelope(found, total=len(found)))

    @routes.get("/operations")
    async def operations(request: Request) -> Response:
        service = request.query_params.get("service", "")
        if not service:
            return answers.failed_v1(QueryError("parameter 'service' is required"))
        kind = request.query_params.get("spanKind", "")
        found = [{"name": o.name, "spanKind": o.kind} for o in engine.operations(service, kind)]
        return answers.ok(request, answers.envelope(found, total=len(found)))

    @routes.get("/traces")
    async def search(request: Request) -> Response:
        def work(context: QueryContext) -> dict[str, object]:
            raw = _boolean(request, "raw")
            wanted = request.query_params.getlist("traceID")
            if wanted:
                found, missing = _several(engine, wanted, context)
                return answers.envelope(shown(found, raw=raw), problems=missing)
            return answers.envelope(shown(engine.find(_query(request, clock), context), raw=raw))

        return await answered(request, limits, work)

    @routes.get("/traces/{trace_id}")
    async def trace(request: Request, trace_id: str) -> Response:
        def work(context: QueryContext) -> dict[str, object]:
            raw = _boolean(request, "raw")
            found = engine.get(params.trace_id(trace_id), context)
            return answers.envelope(shown([found], raw=raw))

        return await answered(request, limits, work)

    @routes.post("/archive/{trace_id}")
    async def archive(request: Request, trace_id: str) -> Response:
        def work(context: QueryContext) -> dict[str, object]:
            engine.archive(params.trace_id(trace_id), context)
            return answers.envelope([])

        return await answered(request, limits, work)

    @routes.post("/transform")
    async def transform(request: Request) -> Response:
        try:
            body = await bodies.read(request, MAX_TRANSFORM_BYTES, "the file")
        except PayloadTooLarge as error:
            return answers.failed_v1(error)

        def work(_context: QueryContext) -> dict[str, object]:
            rows = as_sent.decode([from_json("traces", body)])
            return answers.envelope(shown(from_table(rows, ()), raw=True))

        return await answered(request, limits, work)

    @routes.get("/dependencies")
    async def dependencies(request: Request) -> Response:
        def work(context: QueryContext) -> dict[str, object]:
            return answers.envelope(_called(engine, request, clock, context))

        return await answered(request, limits, work)

    @routes.get("/deep-dependencies")
    @routes.get("/quality-metrics")
    async def none_kept(request: Request) -> Response:
        return answers.ok(request, answers.envelope([]))

    return routes


def called(
    engine: TraceEngine, low: int, high: int, service: str, context: QueryContext
) -> list[dict[str, object]]:
    """Calls between services whose child span starts in a range of Unix ns; of one service if given."""
    found = relations.edges(engine.store, engine.tables, max(low, 0), min(high, LATEST_NS), context)
    return [
        {"parent": edge.parent, "child": edge.child, "callCount": edge.calls}
        for edge in found
        if not service or service in (edge.parent, edge.child)
    ]


def _called(
    engine: TraceEngine, request: Request, clock: Clock, context: QueryContext
) -> list[dict[str, object]]:
    end = integer(request, "endTs", clock.now_ns() // NS_PER_MS)
    lookback = integer(request, "lookback", DEPENDENCIES_LOOKBACK_MS)
    if lookback < 0:
        raise QueryError("unable to parse param 'lookback': it must not be negative")
    service = request.query_params.get("service", "")
    return called(engine, (end - lookback) * NS_PER_MS, end * NS_PER_MS, service, context)


async def answered(request: Request, limits: Limits, work: Callable[[QueryContext], object]) -> Response:
    """Run a query within its bounds and answer, or say in v1 terms what is wrong."""
    try:
        return answers.ok(request, await limits.read(request, work))
    except ViglaError as error:
        return answers.failed_v1(error)


def _several(
    engine: TraceEngine, wanted: list[str], context: QueryContext
) -> tuple[list[Trace], list[dict[str, object]]]:
    found: list[Trace] = []
    missing: list[dict[str, object]] = []
    for trace_id in dict.fromkeys(map(params.trace_id, wanted)):
        try:
            found.append(engine.get(trace_id, context))
        except NotFound as error:
            missing.append({"msg": str(error), "traceID": short_id(trace_id)})
    return found, missing


def _query(request: Request, clock: Clock) -> TraceQuery:
    given = request.query_params
    service = given.get("service", "")
    if not service:
        raise QueryError("parameter 'service' is required")
    now = clock.now_ns()
    low = _duration(request, "minDuration")
    high = _duration(request, "maxDuration")
    if low and high and high < low:
        raise QueryError("'maxDuration' should be greater than 'minDuration'")
    return TraceQuery(
        start=_time(request, "start", now - DEFAULT_LOOKBACK_NS),
        end=_time(request, "end", now),
        service=service,
        operation=given.get("operation", ""),
        tags=dict(_tags(request)),
        duration_min=low,
        duration_max=high,
        limit=_limit(request),
    )


def _tags(request: Request) -> Iterator[tuple[str, str]]:
    for text in request.query_params.getlist("tag"):
        key, colon, value = text.partition(":")
        if not colon:
            raise QueryError(f"malformed 'tag' parameter, expecting key:value, received: {text}")
        yield key, value
    for text in request.query_params.getlist("tags"):
        try:
            parsed = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise QueryError(f"malformed 'tags' parameter, cannot unmarshal JSON: {error}") from error
        if not isinstance(parsed, dict) or not all(isinstance(value, str) for value in parsed.values()):
            raise QueryError(
                "malformed 'tags' parameter, cannot unmarshal JSON: expected an object of strings, such as "
                '{"http.response.status_code":"500"}'
            )
        yield from parsed.items()


def _limit(request: Request) -> int:
    limit = integer(request, "limit", DEFAULT_LIMIT)
    return min(limit, MAX_LIMIT) if limit > 0 else DEFAULT_LIMIT


def _duration(request: Request, name: str) -> int:
    return _parsed(request, name, params.duration_ns, 0)


def _time(request: Request, name: str, default: int) -> int:
    return _parsed(request, name, params.microseconds_ns, default)


def integer(request: Request, name: str, default: int) -> int:
    """A number among the parameters of the URL, or the default."""
    return _parsed(request, name, params.integer, default)


def _boolean(request: Request, name: str) -> bool:
    return bool(_parsed(request, name, params.boolean, 0))


def _parsed(request: Request, name: str, parse: Callable[[str], int], default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    try:
        return parse(text)
    except QueryError as error:
        raise QueryError(f"unable to parse param '{name}': {error}") from error
