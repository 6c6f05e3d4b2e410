"""Traces beside others: ``/api/vigla/v1/traces/explain`` and ``/api/vigla/v1/traces/{id}/usual``."""

from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from query import bodies, native_errors
from query.jaeger import params
from query.limits import Limits
from query.microseconds import NS_PER_US, Microseconds
from query.traces.contrast import contrast
from query.traces.engine import TraceEngine
from query.traces.search import LATEST_NS
from query.traces.usual import usual
from vigla.errors import BadInput, QueryError, ViglaError
from vigla.storage.api import QueryContext

MOST_TRACES = 1500  # of one side; as many as the search page shows
MAX_BODY_BYTES = 512 * 1024

Traces = Annotated[
    dict[str, Annotated[int, Field(ge=0, le=LATEST_NS // NS_PER_US)]],
    Field(min_length=1, max_length=MOST_TRACES),
]


class Sides(BaseModel):
    """Two sets of traces: ids, each with its start in Unix microseconds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    selected: Traces
    others: Traces


def router(engine: TraceEngine, limits: Limits) -> APIRouter:
    """The routes.

    Args:
        engine: what is asked.
        limits: bounds of every query.
    """
    routes = APIRouter(prefix="/api/vigla/v1/traces", tags=["traces"])

    @routes.post("/explain")
    async def explained(request: Request) -> Response:
        """Values that the selected traces have more or less often than the others.

        Body: ``{"selected":{id: start},"others":{id: start}}``, starts in Unix microseconds. Answer:
        ``{"differences":[{level,key,value,selected,others,p}]}``, the greatest difference of shares first.
        """
        try:
            sides = _sides(await bodies.read(request, MAX_BODY_BYTES, "the body"))

            def work(context: QueryContext) -> dict[str, object]:
                found = contrast(engine, _ns(sides.selected), _ns(sides.others), context)
                return {"differences": list(map(asdict, found))}

            return _json(await limits.read(request, work))
        except ViglaError as error:
            return native_errors.answer(error)

    @routes.get("/{trace_id}/usual")
    async def usually(request: Request, trace_id: str, start: Microseconds, end: Microseconds) -> Response:
        """How long the operations of a trace take in other traces of a time range that holds it.

        ``operations``: service, operation, spans, p50 and p95 in microseconds.
        """

        def work(context: QueryContext) -> dict[str, object]:
            low, high = start * NS_PER_US, end * NS_PER_US
            found = usual(engine.store, engine.tables, params.trace_id(trace_id), low, high, context)
            return {"operations": list(map(asdict, found))}

        try:
            return _json(await limits.read(request, work))
        except ViglaError as error:
            return native_errors.answer(error)

    return routes


def _sides(body: bytes) -> Sides:
    try:
        sides = Sides.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise BadInput(f"{place}: {first['msg']}") from error
    if both := sides.selected.keys() & sides.others.keys():
        raise BadInput(f"trace {min(both)} is on both sides; each belongs to one")
    return sides


def _ns(traces: dict[str, int]) -> dict[str, int]:
    try:
        return {params.trace_id(trace): start * NS_PER_US for trace, start in traces.items()}
    except QueryError as error:
        raise BadInput(str(error)) from error


def _json(body: object) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
