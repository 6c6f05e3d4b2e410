"""``/api/v1/admin/tsdb``: deleting samples and snapshots, where an operator allowed it."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from query.limits import Limits
from query.prometheus import answers, params
from query.prometheus.requests import Form, Requests, one
from query.promql.lake import EARLIEST_MS, LATEST_MS, LakeSeries
from vigla.errors import QueryError
from vigla.storage.api import QueryContext

WRITING = ["POST", "PUT"]
DONE = 204


class MetricAdmin(Protocol):
    """``vigla.storage.administration.Administration``."""

    def delete(self, sids: npt.NDArray[np.int64], start_ms: int, end_ms: int) -> int:
        """Delete samples of series (sorted, at least one); how many."""

    def clean(self) -> int:
        """Give the room of deleted samples back; how many files were written anew."""

    def snapshot(self, *, with_buffer: bool = True) -> str:
        """Keep all data as it is now; the name of the directory."""


def router(admin: MetricAdmin | None, series: LakeSeries, limits: Limits) -> APIRouter:
    """The routes.

    Args:
        admin: does it; None: not allowed.
        series: of which samples are deleted.
        limits: bounds of every query.
    """
    routes = APIRouter(include_in_schema=False)
    requests = Requests(limits)

    @routes.api_route("/api/v1/admin/tsdb/{action}", methods=WRITING)
    async def act(request: Request, action: str) -> Response:
        if admin is None:
            return _disabled()
        work = _Actions(admin, series).named(action)
        if work is None:
            return PlainTextResponse("404 page not found\n", 404)
        return await requests.answered(request, work)

    @routes.api_route("/-/{action}", methods=WRITING)
    async def lifecycle(action: str) -> Response:
        if action in {"reload", "quit"}:
            return PlainTextResponse("Lifecycle API is not enabled.\n", 403)
        return PlainTextResponse("404 page not found\n", 404)

    return routes


def _disabled() -> Response:
    """Prometheus answers 500 here."""
    said = "admin APIs disabled: set query.admin_api to allow them"
    body = {"status": "error", "errorType": "unavailable", "error": said}
    return Response(orjson.dumps(body), 500, media_type="application/json")


class _Actions:
    """In a thread."""

    def __init__(self, admin: MetricAdmin, series: LakeSeries) -> None:
        self._admin = admin
        self._series = series

    def named(self, action: str) -> Callable[[Form, QueryContext], Response] | None:
        """None: there is no such action."""
        actions = {"delete_series": self.delete, "clean_tombstones": self.clean, "snapshot": self.snapshot}
        return actions.get(action)

    def delete(self, form: Form, context: QueryContext) -> Response:
        """Samples in a range of the series that a selector accepts."""
        if not form.get("match[]"):
            raise QueryError("no match[] parameter provided")
        start, end = params.period(one(form, "start"), one(form, "end"))
        found = self._series.by_id(params.selectors(form["match[]"]), context.stop)
        if found and start <= end:
            sids = np.array(sorted(found), np.int64)
            self._admin.delete(sids, max(start, EARLIEST_MS), min(end, LATEST_MS))
        return Response(status_code=DONE)

    def clean(self, _form: Form, _context: QueryContext) -> Response:
        """Give the room of deleted samples back."""
        self._admin.clean()
        return Response(status_code=DONE)

    def snapshot(self, form: Form, _context: QueryContext) -> Response:
        """Name of the new snapshot."""
        text = one(form, "skip_head") or "false"
        if text not in {"true", "false"}:
            raise QueryError(f'invalid parameter "skip_head": {text} is neither true nor false')
        return answers.json({"name": self._admin.snapshot(with_buffer=text == "false")})
