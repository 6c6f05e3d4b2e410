"""The routes below ``/api/v1``: queries and lookups, as Grafana and Prometheus' own tools call them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
from fastapi import APIRouter, Request, Response

from query import bodies
from query.limits import MAX_ROWS, Limits
from query.prometheus import answers, encode, params
from query.prometheus.store import MetricStore
from query.promql.ast import Expr
from query.promql.engine import Engine, EngineOptions
from query.promql.parser import parse
from query.promql.prettifier import prettify
from query.promql.results import Result, Series, Vector
from query.promql.selection import rows
from query.promql.series import Labels
from query.promql.tree_json import tree_json
from vigla.clock import Clock
from vigla.errors import QueryError, ViglaError
from vigla.storage.api import QueryContext

NS_PER_MS = 1_000_000
MS_PER_S = 1000
MAX_FORM_BYTES = 10 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"
TRUNCATED = "results truncated due to limit"
Form = Mapping[str, Sequence[str]]


def router(store: MetricStore, limits: Limits, clock: Clock) -> APIRouter:
    """The routes.

    Args:
        store: what is queried.
        limits: bounds of every query.
        clock: for times that are not given.
    """
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)
    both = ["GET", "POST"]
    queries = _Queries(store, limits, clock)

    @routes.api_route("/query", methods=both)
    async def query(request: Request) -> Response:
        return await queries.answered(request, queries.instant)

    @routes.api_route("/query_range", methods=both)
    async def query_range(request: Request) -> Response:
        return await queries.answered(request, queries.range)

    @routes.api_route("/format_query", methods=both)
    async def format_query(request: Request) -> Response:
        return await queries.answered(request, lambda form, _: answers.json(prettify(_parsed(form))))

    @routes.api_route("/parse_query", methods=both)
    async def parse_query(request: Request) -> Response:
        return await queries.answered(request, lambda form, _: answers.json(tree_json(_parsed(form))))

    @routes.api_route("/labels", methods=both)
    async def labels(request: Request) -> Response:
        return await queries.answered(request, queries.labels)

    @routes.get("/label/{name}/values")
    async def label_values(request: Request, name: str) -> Response:
        return await queries.answered(request, lambda form, context: queries.values(name, form, context))

    @routes.api_route("/series", methods=both)
    async def series(request: Request) -> Response:
        return await queries.answered(request, queries.series)

    return routes


def _parsed(form: Form) -> Expr:
    try:
        return parse(_one(form, "query"))
    except QueryError as error:
        raise QueryError(f'invalid parameter "query": {error}') from error


def _one(form: Form, name: str) -> str:
    return form.get(name, ("",))[0]


class _Queries:
    """Answers requests; the methods that take a context run in a thread."""

    def __init__(self, store: MetricStore, limits: Limits, clock: Clock) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock

    async def answered(self, request: Request, work: Callable[[Form, QueryContext], Response]) -> Response:
        """Run a lookup or query within its bounds."""
        try:
            form = await _form(request)
            wanted = _one(form, "timeout")
            timeout = params.duration_ms("timeout", wanted) / MS_PER_S if wanted else float("inf")
            limit = min(timeout, self._limits.settings.timeout_s)
            return await self._limits.run(
                request, lambda context: work(form, context), timeout_s=limit, max_rows=MAX_ROWS
            )
        except ViglaError as error:
            return answers.failed(error)

    def instant(self, form: Form, context: QueryContext) -> Response:
        """``/query``."""
        text = _one(form, "time")
        at = params.time_ms("time", text) if text else self._now()
        expr = _parsed(form)
        result = self._engine(form).instant(self._store, expr, at, context.stop)
        return _result(result, params.limit(_one(form, "limit")))

    def range(self, form: Form, context: QueryContext) -> Response:
        """``/query_range``."""
        start = params.time_ms("start", _one(form, "start"))
        end = params.time_ms("end", _one(form, "end"))
        step = params.duration_ms("step", _one(form, "step"))
        params.steps(start, end, step)
        expr = _parsed(form)
        engine = self._engine(form)
        result = engine.range(self._store, expr, start, end, step, context.stop)
        return _result(result, params.limit(_one(form, "limit")))

    def labels(self, form: Form, context: QueryContext) -> Response:
        """``/labels``: names."""
        names = {name for own in self._label_sets(form, context) for name, _ in own}
        return answers.limited(sorted(names), params.limit(_one(form, "limit")))

    def values(self, name: str, form: Form, context: QueryContext) -> Response:
        """``/label/<name>/values``."""
        wanted = params.label_name(name)
        found = {value for own in self._label_sets(form, context) for key, value in own if key == wanted}
        return answers.limited(sorted(found), params.limit(_one(form, "limit")))

    def series(self, form: Form, context: QueryContext) -> Response:
        """``/series``: label sets."""
        if not form.get("match[]"):
            raise QueryError("no match[] parameter provided")
        found = [dict(own) for own in self._label_sets(form, context)]
        return answers.limited(found, params.limit(_one(form, "limit")))

    def _label_sets(self, form: Form, context: QueryContext) -> list[Labels]:
        start, end = _one(form, "start"), _one(form, "end")
        low = params.time_ms("start", start) if start else params.MIN_TIME
        high = params.time_ms("end", end) if end else params.MAX_TIME
        selectors = params.selectors(form.get("match[]", ()))
        return self._store.label_sets(selectors, low, high, context.stop)

    def _engine(self, form: Form) -> Engine:
        text = _one(form, "lookback_delta")
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


async def _form(request: Request) -> dict[str, list[str]]:
    """Parameters of the body, then those of the address."""
    pairs: list[tuple[str, str]] = []
    if request.method == "POST" and request.headers.get("content-type", "").startswith(FORM):
        pairs += parse_qsl(
            (await bodies.read(request, MAX_FORM_BYTES, "the form")).decode(errors="replace"),
            keep_blank_values=True,
        )
    pairs += request.query_params.multi_items()
    made: dict[str, list[str]] = {}
    for name, value in pairs:
        made.setdefault(name, []).append(value)
    return made
