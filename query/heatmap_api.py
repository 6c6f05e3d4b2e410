"""``GET /api/vigla/v1/traces/heatmap``: how many spans lasted how long, when."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from query import native_errors
from query.jaeger import params
from query.limits import Limits
from query.microseconds import NS_PER_US, Microseconds
from query.traces.engine import TraceEngine
from query.traces.heatmap import BUCKETS_PER_OCTAVE, Heatmap, heatmap
from query.traces.search import TraceQuery
from vigla.errors import BadInput, QueryError, ViglaError
from vigla.storage.api import QueryContext

MOST_COLUMNS = 240
NS_PER_S = 10**9

Value = TypeVar("Value")


class Parameters(BaseModel):
    """The filters of a search for traces; all must hold for a span."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Microseconds
    end: Microseconds
    service: str = Field("", description="exact name")
    operation: str = Field("", description="exact name")
    tags: str = Field("{}", description='JSON, as {"error":"true"}')
    min_duration: str = Field("0", description="with a unit, as 1.2s or 500us")
    max_duration: str = Field("0", description="0: any")
    columns: int = Field(60, ge=1, le=MOST_COLUMNS, description="parts of the range")

    def query(self) -> TraceQuery:
        """What the engine is asked.

        Raises:
            BadInput: what cannot be read, with the parameter's name.
        """
        if self.start >= self.end:
            raise BadInput("start must be before end")
        return TraceQuery(
            self.start * NS_PER_US,
            self.end * NS_PER_US + NS_PER_US - 1,
            self.service,
            self.operation,
            _read("tags", params.string_map, self.tags),
            _read("min_duration", params.duration_ns, self.min_duration),
            _read("max_duration", params.duration_ns, self.max_duration),
        )


def router(engine: TraceEngine, limits: Limits) -> APIRouter:
    """The route.

    Args:
        engine: what is asked.
        limits: bounds of every query.
    """
    routes = APIRouter(prefix="/api/vigla/v1/traces", tags=["traces"])

    @routes.get("/heatmap")
    async def counted(request: Request, parameters: Annotated[Parameters, Query()]) -> Response:
        """Counts of all spans that match, by start and duration, and where such spans usually are.

        ``cells`` lists ``column``, ``bucket``, ``spans`` and ``errors``. A column is ``step``
        microseconds long; bucket k is of durations from ``2 ** (k / buckets_per_octave)`` microseconds.
        ``usual`` is null without spans a week and a day earlier.
        """

        def work(context: QueryContext) -> Heatmap:
            return heatmap(engine.store, engine.tables, parameters.query(), parameters.columns, context)

        try:
            found = await limits.read(request, work)
        except ViglaError as error:
            return native_errors.answer(error)
        return Response(orjson.dumps(_body(parameters, found)), media_type="application/json")

    return routes


def _read(name: str, read: Callable[[str], Value], text: str) -> Value:
    try:
        return read(text)
    except QueryError as error:
        raise BadInput(f"{name}: {error}") from error


def _body(parameters: Parameters, found: Heatmap) -> dict[str, object]:
    usual = found.usual
    earlier = usual and {
        "ago": usual.ago // NS_PER_S,
        "step": usual.step / NS_PER_US,
        "parts": list(map(asdict, usual.parts)),
    }
    return {
        "start": parameters.start,
        "end": parameters.end,
        "step": found.step / NS_PER_US,
        "buckets_per_octave": BUCKETS_PER_OCTAVE,
        "cells": asdict(found.cells),
        "usual": earlier,
    }
