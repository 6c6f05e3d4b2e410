"""Jaeger's SPM API: ``/api/metrics/{latencies,calls,errors}``, computed from spans.

Times are milliseconds. The answers have no envelope: they are OpenMetrics' JSON, as Jaeger gives it.
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from query.jaeger import answers
from query.jaeger.params import FALSE, TRUE
from query.jaeger.v1 import answered, integer
from query.limits import Limits
from query.traces import spm
from query.traces.engine import TraceEngine
from query.traces.search import KINDS
from query.traces.spm import Measure, MetricsQuery, Series
from vigla.clock import Clock
from vigla.errors import QueryError
from vigla.storage.api import QueryContext

NS_PER_MS = 10**6
LOOKBACK_MS, STEP_MS, RATE_PER_MS = 3_600_000, 5_000, 600_000
LARGEST_MS = 10**15  # keeps the arithmetic inside 64 bits

NAMES: dict[Measure, tuple[str, str]] = {
    "latencies": ("latencies", "{quantile}th quantile latency, grouped by service"),
    "calls": ("call_rate", "calls/sec, grouped by service"),
    "errors": (
        "error_rate",
        "error rate, computed as a fraction of errors/sec over calls/sec, grouped by service",
    ),
}


def router(engine: TraceEngine, limits: Limits, clock: Clock) -> APIRouter:
    """The routes; see ``query.jaeger.v1.router``."""
    routes = APIRouter(prefix="/api/metrics", include_in_schema=False)

    @routes.get("/minstep")
    async def least_step(request: Request) -> Response:
        return answers.ok(request, answers.envelope(1))

    @routes.get("/latencies")
    async def latencies(request: Request) -> Response:
        return await answered(
            request, limits, lambda context: _family(engine, request, clock, "latencies", context)
        )

    @routes.get("/calls")
    async def calls(request: Request) -> Response:
        return await answered(
            request, limits, lambda context: _family(engine, request, clock, "calls", context)
        )

    @routes.get("/errors")
    async def errors(request: Request) -> Response:
        return await answered(
            request, limits, lambda context: _family(engine, request, clock, "errors", context)
        )

    return routes


def _family(
    engine: TraceEngine, request: Request, clock: Clock, what: Measure, context: QueryContext
) -> dict[str, Any]:
    query = _query(request, clock, what)
    found = spm.measure(engine.store, engine.tables, what, query, context)
    name, help_text = NAMES[what]
    help_text = help_text.format(quantile=f"{query.quantile:.2f}")
    if query.by_operation:
        name, help_text = f"operation_{name}", f"{help_text} & operation"
    return {
        "name": f"service_{name}",
        "type": "GAUGE",
        "help": help_text,
        "metrics": list(map(_metric, found)),
    }


def _metric(series: Series) -> dict[str, Any]:
    labels = [{"name": "service_name", "value": series.service}]
    if series.operation is not None:
        labels.insert(0, {"name": "operation", "value": series.operation})
    points = [
        {"gaugeValue": {"doubleValue": value}, "timestamp": _rfc3339(ns)} for ns, value in series.points
    ]
    return {"labels": labels, "metricPoints": points}


def _rfc3339(ns: int) -> str:
    """To the millisecond; whole seconds without a fraction, as Go prints them."""
    text = datetime.fromtimestamp(ns // NS_PER_MS / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return text.removesuffix(".000") + "Z"


def _query(request: Request, clock: Clock, what: Measure) -> MetricsQuery:
    given = request.query_params
    services = tuple(dict.fromkeys(given.getlist("service")))
    if not any(services):
        raise QueryError("unable to parse param 'service': please provide at least one service name")
    end = integer(request, "endTs", clock.now_ns() // NS_PER_MS)
    lookback = _positive(request, "lookback", LOOKBACK_MS)
    return MetricsQuery(
        services=services,
        by_operation=_flag(given.get("groupByOperation", "")),
        start=max(end - lookback, 0) * NS_PER_MS,
        end=min(max(end, 0), LARGEST_MS) * NS_PER_MS,
        step=_positive(request, "step", STEP_MS) * NS_PER_MS,
        window=_positive(request, "ratePer", RATE_PER_MS) * NS_PER_MS,
        kinds=_kinds(given.getlist("spanKind")),
        quantile=_quantile(given.get("quantile", "")) if what == "latencies" else 0.0,
    )


def _positive(request: Request, name: str, default: int) -> int:
    number = integer(request, name, default)
    if not 0 < number <= LARGEST_MS:
        raise QueryError(f"unable to parse param '{name}': expected a positive number of milliseconds")
    return number


def _flag(text: str) -> bool:
    if not text or text in FALSE:
        return False
    if text in TRUE:
        return True
    raise QueryError(
        f"unable to parse param 'groupByOperation': strconv.ParseBool: parsing \"{text}\": invalid syntax"
    )


def _quantile(text: str) -> float:
    try:
        quantile = float(text)
    except ValueError as error:
        raise QueryError(
            f"unable to parse param 'quantile': strconv.ParseFloat: parsing \"{text}\": invalid syntax"
        ) from error
    if not 0 < quantile <= 1:
        raise QueryError(f"unable to parse param 'quantile': {text} is not above 0 and at most 1")
    return quantile


def _kinds(names: list[str]) -> tuple[int, ...]:
    for name in names:
        if name not in KINDS:
            raise QueryError(f"unable to parse param 'spanKind': unsupported span kind: '{name}'")
    return tuple(map(KINDS.index, names)) or (KINDS.index("server"),)
