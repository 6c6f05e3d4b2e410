"""Jaeger's v3 API under ``/api/v3``: OTLP/JSON traces, summaries, services, operations, dependencies.

Times are RFC 3339 with nanoseconds, durations Go's. The deprecated snake_case names are read as well.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request, Response

from query.jaeger import answers, params
from query.jaeger.otlp_model import traces_data
from query.jaeger.v1 import DEFAULT_LIMIT, DEPENDENCIES_LOOKBACK_MS, MAX_LIMIT, NS_PER_MS, called
from query.limits import Limits
from query.traces.adjusters.pipeline import adjusted
from query.traces.engine import TraceEngine
from query.traces.model import Trace
from query.traces.search import TraceQuery
from query.traces.summaries import TraceSummary, find_summaries
from vigla.clock import Clock
from vigla.errors import NotFound, QueryError, ViglaError
from vigla.storage.api import QueryContext

T = TypeVar("T")
D = TypeVar("D")
_UPPER = re.compile(r"([A-Z])")
MAX_BODY_BYTES = 1024 * 1024


def router(  # noqa: C901 (a list of routes)
    engine: TraceEngine, limits: Limits, clock: Clock, max_clock_skew_ns: int
) -> APIRouter:
    """The routes; see ``query.jaeger.v1.router``."""
    routes = APIRouter(prefix="/api/v3", include_in_schema=False)

    def shown(traces: list[Trace], *, raw: bool) -> dict[str, Any]:
        prepared = traces if raw else [adjusted(trace, max_clock_skew_ns) for trace in traces]
        return {"result": traces_data(prepared)}

    async def answered(request: Request, work: Callable[[QueryContext], object]) -> Response:
        try:
            return answers.ok(request, await limits.read(request, work))
        except ViglaError as error:
            return answers.failed_v3(error)

    @routes.get("/services")
    async def services(request: Request) -> Response:
        return answers.ok(request, {"services": engine.services()})

    @routes.get("/operations")
    async def operations(request: Request) -> Response:
        given = _Given(request.query_params)
        found = engine.operations(given.text("service"), given.text("spanKind"))
        return answers.ok(
            request, {"operations": [{"name": o.name, "spanKind": o.kind or "internal"} for o in found]}
        )

    @routes.get("/traces/{trace_id}")
    async def trace(request: Request, trace_id: str) -> Response:
        def work(context: QueryContext) -> object:
            given = _Given(request.query_params)
            for name in ("startTime", "endTime"):
                given.parsed(name, params.rfc3339_ns, 0)  # hints; wrong ones are refused all the same
            raw = given.parsed("rawTraces", params.boolean, default=False)
            found = engine.get(given.checked("traceId", trace_id, params.trace_id), context)
            return shown([found], raw=raw)

        return await answered(request, work)

    async def found_traces(request: Request, given: "_Given") -> Response:
        def work(context: QueryContext) -> object:
            query, raw = _query(given), given.parsed("query.rawTraces", params.boolean, default=False)
            found = engine.find(query, context)
            if not found:
                raise NotFound("No traces found")
            return shown(found, raw=raw)

        return await answered(request, work)

    async def found_summaries(request: Request, given: "_Given") -> Response:
        def work(context: QueryContext) -> object:
            return {"summaries": [_summary(s) for s in find_summaries(engine, _query(given), context)]}

        return await answered(request, work)

    @routes.get("/traces")
    async def traces(request: Request) -> Response:
        return await found_traces(request, _Given(request.query_params))

    @routes.get("/trace-summaries")
    async def summaries(request: Request) -> Response:
        return await found_summaries(request, _Given(request.query_params))

    @routes.post("/traces")
    async def traces_by_body(request: Request) -> Response:
        try:
            given = await _from_body(request)
        except ViglaError as error:
            return answers.failed_v3(error)
        return await found_traces(request, given)

    @routes.post("/trace-summaries")
    async def summaries_by_body(request: Request) -> Response:
        try:
            given = await _from_body(request)
        except ViglaError as error:
            return answers.failed_v3(error)
        return await found_summaries(request, given)

    @routes.get("/dependencies")
    async def dependencies(request: Request) -> Response:
        def work(context: QueryContext) -> object:
            given = _Given(request.query_params)
            end = given.parsed("endTime", params.rfc3339_ns, clock.now_ns())
            start = given.parsed("startTime", params.rfc3339_ns, end - DEPENDENCIES_LOOKBACK_MS * NS_PER_MS)
            return {"dependencies": called(engine, start, end, given.text("service"), context)}

        return await answered(request, work)

    return routes


class _Given:
    """Parameters by their camelCase name, whatever way they were sent."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A parameter's text, empty when it is absent."""
        snake = _UPPER.sub(lambda m: f"_{m[1].lower()}", name)
        return self._values.get(name) or self._values.get(snake) or ""

    def parsed(self, name: str, parse: Callable[[str], T], default: D) -> T | D:
        """A parameter's value, or the default when it is absent."""
        text = self.text(name)
        return self.checked(name, text, parse) if text else default

    @staticmethod
    def checked(name: str, text: str, parse: Callable[[str], T]) -> T:
        """Parse a value; the error names the parameter."""
        try:
            return parse(text)
        except QueryError as error:
            raise QueryError(f"malformed parameter {name}: {error}") from error


async def _from_body(request: Request) -> _Given:
    """The parameters of a JSON body ``{"query":{..}}``, as the IDL's POST bindings have it."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise QueryError(f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        parsed = orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise QueryError(f"malformed body: {error}") from error
    query = parsed.get("query") if isinstance(parsed, dict) else None
    if not isinstance(query, dict):
        raise QueryError('malformed body: expected {"query":{..}}')
    return _Given({f"query.{name}": _as_text(value) for name, value in query.items()})


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _query(given: _Given) -> TraceQuery:
    if given.text("query.filter"):
        raise QueryError("query.filter is not supported: use query.attributes")
    start = given.parsed("query.startTimeMin", params.rfc3339_ns, None)
    end = given.parsed("query.startTimeMax", params.rfc3339_ns, None)
    if start is None or end is None:
        raise QueryError("query.startTimeMin and query.startTimeMax are required")
    if start >= end:
        raise QueryError("query.startTimeMin must be before query.startTimeMax")
    low = given.parsed("query.durationMin", params.duration_ns, 0)
    high = given.parsed("query.durationMax", params.duration_ns, 0)
    if low and high and high < low:
        raise QueryError("query.durationMax must not be less than query.durationMin")
    depth = given.parsed("query.searchDepth", params.integer, 0) or given.parsed(
        "query.numTraces", params.integer, 0
    )
    return TraceQuery(
        start=start,
        end=end,
        service=given.text("query.serviceName"),
        operation=given.text("query.operationName"),
        tags=given.parsed("query.attributes", params.string_map, {}),
        duration_min=low,
        duration_max=high,
        limit=min(depth, MAX_LIMIT) if depth > 0 else DEFAULT_LIMIT,
    )


def _summary(summary: TraceSummary) -> dict[str, Any]:
    services = [
        _present(name=service.name, spanCount=service.spans, errorSpanCount=service.errors)
        for service in summary.services
    ]
    return _present(
        traceId=summary.trace_id,
        rootServiceName=summary.root_service,
        rootOperationName=summary.root_name,
        minStartTimeUnixNano=str(summary.start) if summary.start else "",
        maxEndTimeUnixNano=str(summary.end) if summary.end else "",
        spanCount=summary.spans,
        errorSpanCount=summary.errors,
        orphanSpanCount=summary.orphans,
        services=services,
    )


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
