"""Access logs over HTTP: ``GET /api/vigla/v1/access-logs``."""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from query import native_errors
from query.access_logs import NS_PER_US, AccessLogQuery, Page, find
from query.explain import explain
from query.limits import Limits
from query.microseconds import Microseconds
from query.response_flags import MEANINGS
from vigla.clock import Clock
from vigla.errors import ViglaError
from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables

DEFAULT_RANGE_NS = 3600 * 10**9
EXPLAIN_RANGE_NS = 24 * 3600 * 10**9
MAX_LIMIT = 1000


class Parameters(BaseModel):
    """The filters; all must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Microseconds | None = Field(
        None, description="Unix microseconds; an hour before `end` when missing"
    )
    end: Microseconds | None = Field(None, description="Unix microseconds; now when missing")
    source: str = Field("", description="workload that called")
    destination: str = Field("", description="workload that was called")
    namespace: str = Field("", description="of either side")
    service: str = Field("", description="host of the destination, or its first labels")
    reporter: Literal["", "source", "destination"] = Field("", description="which side logged")
    status: int | None = Field(None, ge=0, le=999, description="response code")
    status_class: str = Field("", description="as 5xx")
    flag: str = Field("", description="one of Envoy's response flags, as UH")
    method: str = Field("", description="request method")
    path_prefix: str = Field("", description="how the path begins")
    route: str = Field("", description="name of the route")
    request_id: str = Field("", description="x-request-id")
    trace_id: str = Field("", description="32 lower-case hex digits")
    min_duration: Microseconds = Field(0, description="microseconds")
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="entries of a page")
    cursor: str = Field("", description="`next` of the page before")

    def query(self, now_ns: int) -> AccessLogQuery:
        """What the engine is asked."""
        end = now_ns if self.end is None else self.end * NS_PER_US + NS_PER_US - 1
        start = end - DEFAULT_RANGE_NS if self.start is None else self.start * NS_PER_US
        filters = self.model_dump(exclude={"start", "end", "min_duration"})
        return AccessLogQuery(start, end, min_duration=self.min_duration * NS_PER_US, **filters)


def router(store: Reader, tables: LakeTables, limits: Limits, clock: Clock) -> APIRouter:
    """The route.

    Args:
        store: what is asked.
        tables: its tables.
        limits: bounds of every query.
        clock: for a range without an end.
    """
    routes = APIRouter(prefix="/api/vigla/v1", tags=["access logs"])

    @routes.get("/access-logs")
    async def access_logs(request: Request, parameters: Annotated[Parameters, Query()]) -> Response:
        """Entries that proxies logged, newest first: columns of ``access_logs`` that are not null.

        ``next`` is the ``cursor`` of the next page, null on the last one; ask with the same filters, and with
        the same ``end``.
        """

        def work(context: QueryContext) -> Page:
            return find(store, tables, parameters.query(clock.now_ns()), context)

        try:
            page = await limits.read(request, work)
        except ViglaError as error:
            return native_errors.answer(error)
        body = {"entries": page.entries, "next": page.next or None}
        return Response(orjson.dumps(body), media_type="application/json")

    @routes.get("/response-flags")
    async def response_flags() -> Response:
        """Envoy's response flags in words."""
        return Response(orjson.dumps({"flags": MEANINGS}), media_type="application/json")

    @routes.get("/explain/{given}")
    async def explained(
        request: Request, given: str, start: Microseconds | None = None, end: Microseconds | None = None
    ) -> Response:
        """What each proxy on a request's way decided, and which object and line of configuration made it.

        ``given`` is a trace id or a request id; the range is the last day when it is missing.
        """
        last = clock.now_ns() if end is None else end * NS_PER_US + NS_PER_US - 1
        first = last - EXPLAIN_RANGE_NS if start is None else start * NS_PER_US

        def work(context: QueryContext) -> dict[str, object]:
            return explain(store, tables, AccessLogQuery(first, last), given, context)

        try:
            body = await limits.read(request, work)
        except ViglaError as error:
            return native_errors.answer(error)
        return Response(orjson.dumps(body), media_type="application/json")

    return routes
