"""Our own endpoints about traces and for the pages: ``/api/vigla/v1``."""

from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from query import native_errors
from query.limits import Limits
from query.promql.signatures import AGGREGATIONS, SIGNATURES
from query.traces import attributes, relations
from query.traces.engine import TraceEngine
from query.traces.search import LATEST_NS
from vigla.errors import ViglaError
from vigla.storage.api import QueryContext

NS_PER_US = 1000

Microseconds = Annotated[int, Query(ge=0, le=LATEST_NS // NS_PER_US, description="Unix microseconds")]


def router(engine: TraceEngine, limits: Limits) -> APIRouter:
    """The routes.

    Args:
        engine: what is asked.
        limits: bounds of every query.
    """
    routes = APIRouter(prefix="/api/vigla/v1", tags=["traces"])

    @routes.get("/graph/spans")
    async def graph(request: Request, start: Microseconds, end: Microseconds) -> Response:
        """Services and the calls between them in a time range.

        ``nodes``: service, spans, errors, p50 and p95 of its spans in ms. ``edges``: parent, child, calls,
        errors, p95 of the child spans in ms; calls of a service to itself are left out.
        """

        def work(context: QueryContext) -> dict[str, object]:
            low, high = start * NS_PER_US, end * NS_PER_US
            nodes = relations.nodes(engine.store, engine.tables, low, high, context)
            edges = relations.edges(engine.store, engine.tables, low, high, context, own=False)
            return {"nodes": list(map(asdict, nodes)), "edges": list(map(asdict, edges))}

        try:
            return _json(await limits.read(request, work))
        except ViglaError as error:
            return native_errors.answer(error)

    @routes.get("/attributes")
    async def known(request: Request, service: str = "", key: str = "") -> Response:
        """Attribute keys of a service's recent spans, or the values of ``key``; frequent first."""

        def work(context: QueryContext) -> dict[str, list[str]]:
            if key:
                return {"values": attributes.values(engine.store, engine.tables, service, key, context)}
            return {"keys": attributes.keys(engine.store, engine.tables, service, context)}

        try:
            return _json(await limits.read(request, work))
        except ViglaError as error:
            return native_errors.answer(error)

    @routes.get("/promql")
    async def language() -> Response:
        """What an editor completes: names of PromQL's functions and aggregations."""
        return _json({"functions": sorted(SIGNATURES), "aggregations": sorted(AGGREGATIONS)})

    return routes


def _json(body: object) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
