"""Our own endpoints about traces and for the pages: ``/api/vigla/v1``."""

import orjson
from fastapi import APIRouter, Request, Response

from query import native_errors
from query.limits import Limits
from query.promql.signatures import AGGREGATIONS, SIGNATURES
from query.traces import attributes
from query.traces.engine import TraceEngine
from vigla.errors import ViglaError
from vigla.storage.api import QueryContext


def router(engine: TraceEngine, limits: Limits) -> APIRouter:
    """The routes.

    Args:
        engine: what is asked.
        limits: bounds of every query.
    """
    routes = APIRouter(prefix="/api/vigla/v1", tags=["traces"])

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
