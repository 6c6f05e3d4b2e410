"""``/api/v1/features`` and ``/api/v1/notifications``: what the server can do, and what it has to tell."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from query.prometheus import answers
from query.prometheus.targets import Targets
from query.promql.operators import ARITHMETIC, COMPARISONS, SET_OPERATORS
from query.promql.signatures import AGGREGATIONS, SIGNATURES
from query.rules.template.functions import NAMES

POLL_S = 1.0
LIVE_S = 30.0
"""A stream of notifications ends then, and browsers open it anew: it holds a stopping server no longer."""


def router(targets: Targets, *, admin: bool) -> APIRouter:
    """The routes.

    Args:
        targets: what is scraped; a configuration that cannot be used is told.
        admin: whether data may be deleted.
    """
    routes = APIRouter(prefix="/api/v1", include_in_schema=False)

    @routes.get("/features")
    async def features() -> Response:
        return answers.json(_features(admin=admin))

    @routes.get("/notifications")
    async def notifications() -> Response:
        return answers.json(_notifications(targets))

    @routes.get("/notifications/live")
    async def live(request: Request) -> Response:
        return StreamingResponse(_changes(targets, request), media_type="text/event-stream")

    return routes


def _features(*, admin: bool) -> dict[str, dict[str, bool]]:
    """By category."""
    return {
        "api": {
            "admin": admin,
            "exclude_alerts": True,
            "label_values_match": True,
            "lifecycle": False,
            "otlp_write_receiver": True,
            "query_stats": False,
            "remote_read": True,
            "remote_write_receiver": True,
        },
        "otlp_receiver": {"delta_conversion": True, "native_delta_ingestion": False},
        "promql": {
            "anchored": True,
            "at_modifier": True,
            "bool": True,
            "by": True,
            "delayed_name_removal": True,
            "duration_expr": True,
            "group_left": True,
            "group_right": True,
            "ignoring": True,
            "negative_offset": True,
            "offset": True,
            "on": True,
            "per_query_lookback_delta": True,
            "per_step_stats": False,
            "smoothed": True,
            "subqueries": True,
            "without": True,
        },
        "promql_functions": dict.fromkeys(sorted(SIGNATURES), True),
        "promql_operators": dict.fromkeys(
            sorted(ARITHMETIC | COMPARISONS | SET_OPERATORS | AGGREGATIONS.keys()), True
        ),
        "rules": {"keep_firing_for": True, "query_offset": True},
        "scrape": {"exemplars": True, "protobuf": False},
        "service_discovery_providers": {"file": True, "http": True, "static": True},
        "templating_functions": dict.fromkeys(sorted(NAMES), True),
        "tsdb": {"exemplars": True, "native_histograms": True},
    }


def _notifications(targets: Targets) -> list[dict[str, Any]]:
    """At most the one there is."""
    problem, at_ms = targets.problem()
    if not problem:
        return []
    date = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).isoformat().replace("+00:00", "Z")
    return [{"text": f"Configuration reload has failed: {problem}", "date": date, "active": True}]


async def _changes(targets: Targets, request: Request) -> AsyncIterator[bytes]:
    """Server-sent events: what holds now, then what is new or over."""
    known: list[dict[str, Any]] = []
    yield b": notifications\n\n"
    for _ in range(int(LIVE_S / POLL_S)):
        current = _notifications(targets)
        over = [{**each, "active": False} for each in known if each not in current]
        for each in [*over, *(each for each in current if each not in known)]:
            yield b"data: " + orjson.dumps(each) + b"\n\n"
        known = current
        await asyncio.sleep(POLL_S)
        if await request.is_disconnected():
            return
