"""``/targets``, ``/targets/metadata``, ``/scrape_pools``: what is scraped."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response

from query.limits import Limits
from query.prometheus import answers, params
from query.prometheus.requests import Form, Requests, one
from query.promql.matching import accepts
from vigla.errors import QueryError
from vigla.storage.api import QueryContext

_STATES = ("", "any", "active", "dropped")


class Targets(Protocol):
    """What the collector scrapes, in the API's shapes."""

    def pools(self) -> Sequence[str]:
        """Names of scrape pools."""

    def active(self, pool: str) -> Sequence[dict[str, Any]]:
        """Targets that are scraped; of one pool if it is named."""

    def dropped(self, pool: str) -> Sequence[dict[str, Any]]:
        """Targets that relabelling dropped."""

    def dropped_counts(self) -> dict[str, int]:
        """By pool."""

    def configuration(self) -> str:
        """The file that is followed, as YAML without secrets."""

    def problem(self) -> tuple[str, int]:
        """What keeps a changed file from being used, and since when in milliseconds; empty: nothing."""

    def metadata(self) -> Iterable[dict[str, Any]]:
        """Of each target, its families."""


class NoTargets:
    """A server that scrapes nothing."""

    def pools(self) -> Sequence[str]:
        """None."""
        return ()

    def active(self, pool: str) -> Sequence[dict[str, Any]]:  # noqa: ARG002
        """None."""
        return ()

    def dropped(self, pool: str) -> Sequence[dict[str, Any]]:  # noqa: ARG002
        """None."""
        return ()

    def dropped_counts(self) -> dict[str, int]:
        """None."""
        return {}

    def configuration(self) -> str:
        """None."""
        return ""

    def problem(self) -> tuple[str, int]:
        """None."""
        return "", 0

    def metadata(self) -> Iterable[dict[str, Any]]:
        """None."""
        return ()


def router(targets: Targets, limits: Limits) -> APIRouter:
    """The routes.

    Args:
        targets: that are scraped.
        limits: bounds of every query.
    """
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)
    requests = Requests(limits)

    @routes.get("/targets")
    async def listed(request: Request) -> Response:
        return await requests.answered(request, lambda form, _: _listed(targets, form))

    @routes.get("/targets/metadata")
    async def metadata(request: Request) -> Response:
        return await requests.answered(request, lambda form, context: _metadata(targets, form, context))

    @routes.get("/scrape_pools")
    async def pools(request: Request) -> Response:
        return await requests.answered(
            request, lambda _form, _context: answers.json({"scrapePools": list(targets.pools())})
        )

    return routes


def _listed(targets: Targets, form: Form) -> Response:
    state, pool = one(form, "state").lower(), one(form, "scrapePool")
    if state not in _STATES:
        raise QueryError(f'invalid parameter "state": {state} is none of any, active, dropped')
    data: dict[str, Any] = {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}}
    if state != "dropped":
        data["activeTargets"] = list(targets.active(pool))
    if state != "active":
        data["droppedTargets"] = list(targets.dropped(pool))
        data["droppedTargetCounts"] = targets.dropped_counts()
    return answers.json(data)


def _metadata(targets: Targets, form: Form, _context: QueryContext) -> Response:
    matchers = params.selectors([text])[0] if (text := one(form, "match_target")) else ()
    metric, limit = one(form, "metric"), params.limit(one(form, "limit"))
    found = [
        {name: value for name, value in each.items() if name != "metric" or not metric}
        for each in targets.metadata()
        if metric in {"", each["metric"]}
        and all(accepts(matcher, each["target"].get(matcher.name, "")) for matcher in matchers)
    ]
    return answers.json(found[:limit] if limit else found)
