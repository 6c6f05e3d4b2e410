"""The routes below ``/api/v1``: queries and lookups, as Grafana and Prometheus' own tools call them."""

from dataclasses import replace

import numpy as np
from fastapi import APIRouter, Request, Response

from query.limits import Limits
from query.prometheus import answers, encode, params
from query.prometheus.requests import Form, Requests, one, parsed
from query.prometheus.store import MetricStore
from query.promql.engine import Engine, EngineOptions
from query.promql.prettifier import prettify
from query.promql.results import Result, Series, Vector
from query.promql.selection import rows
from query.promql.series import Labels
from query.promql.tree_json import tree_json
from vigla.clock import Clock
from vigla.errors import QueryError
from vigla.storage.api import QueryContext

NS_PER_MS = 1_000_000
TRUNCATED = "results truncated due to limit"


def router(store: MetricStore, limits: Limits, clock: Clock) -> APIRouter:
    """The routes.

    Args:
        store: what is queried.
        limits: bounds of every query.
        clock: for times that are not given.
    """
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)
    both = ["GET", "POST"]
    queries, requests = _Queries(store, clock), Requests(limits)

    @routes.api_route("/query", methods=both)
    async def query(request: Request) -> Response:
        return await requests.answered(request, queries.instant)

    @routes.api_route("/query_range", methods=both)
    async def query_range(request: Request) -> Response:
        return await requests.answered(request, queries.range)

    @routes.api_route("/format_query", methods=both)
    async def format_query(request: Request) -> Response:
        return await requests.answered(request, lambda form, _: answers.json(prettify(parsed(form))))

    @routes.api_route("/parse_query", methods=both)
    async def parse_query(request: Request) -> Response:
        return await requests.answered(request, lambda form, _: answers.json(tree_json(parsed(form))))

    @routes.api_route("/labels", methods=both)
    async def labels(request: Request) -> Response:
        return await requests.answered(request, queries.labels)

    @routes.get("/label/{name}/values")
    async def label_values(request: Request, name: str) -> Response:
        return await requests.answered(request, lambda form, context: queries.values(name, form, context))

    @routes.api_route("/series", methods=both)
    async def series(request: Request) -> Response:
        return await requests.answered(request, queries.series)

    return routes


class _Queries:
    """Answers; in a thread."""

    def __init__(self, store: MetricStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def instant(self, form: Form, context: QueryContext) -> Response:
        """``/query``."""
        text = one(form, "time")
        at = params.time_ms("time", text) if text else self._now()
        expr = parsed(form)
        result = self._engine(form).instant(self._store, expr, at, context.stop)
        return _result(result, params.limit(one(form, "limit")))

    def range(self, form: Form, context: QueryContext) -> Response:
        """``/query_range``."""
        start = params.time_ms("start", one(form, "start"))
        end = params.time_ms("end", one(form, "end"))
        step = params.duration_ms("step", one(form, "step"))
        params.steps(start, end, step)
        expr = parsed(form)
        engine = self._engine(form)
        result = engine.range(self._store, expr, start, end, step, context.stop)
        return _result(result, params.limit(one(form, "limit")))

    def labels(self, form: Form, context: QueryContext) -> Response:
        """``/labels``: names."""
        names = {name for own in self._label_sets(form, context) for name, _ in own}
        return answers.limited(sorted(names), params.limit(one(form, "limit")))

    def values(self, name: str, form: Form, context: QueryContext) -> Response:
        """``/label/<name>/values``."""
        wanted = params.label_name(name)
        found = {value for own in self._label_sets(form, context) for key, value in own if key == wanted}
        return answers.limited(sorted(found), params.limit(one(form, "limit")))

    def series(self, form: Form, context: QueryContext) -> Response:
        """``/series``: label sets."""
        if not form.get("match[]"):
            raise QueryError("no match[] parameter provided")
        found = [dict(own) for own in self._label_sets(form, context)]
        return answers.limited(found, params.limit(one(form, "limit")))

    def _label_sets(self, form: Form, context: QueryContext) -> list[Labels]:
        start, end = params.period(one(form, "start"), one(form, "end"))
        selectors = params.selectors(form.get("match[]", ()))
        return self._store.label_sets(selectors, start, end, context.stop)

    def _engine(self, form: Form) -> Engine:
        text = one(form, "lookback_delta")
        if not text:
            return Engine()
        lookback = params.duration_ms("lookback_delta", text)
        return Engine(EngineOptions(lookback_ms=lookback) if lookback > 0 else None)

    def _now(self) -> int:
        return self._clock.now_ns() // NS_PER_MS


def _result(result: Result, limit: int) -> Response:
    value, warnings = result.value, result.warnings
    if limit and isinstance(value, Vector | Series) and len(value.matrix.labels) > limit:
        chosen = rows(value.matrix, np.arange(limit))
        warnings = (*warnings, TRUNCATED)
        value = replace(value, matrix=chosen)
    return answers.ok(encode.body(value), warnings, result.infos)
