"""Health and own metrics over HTTP, for probes and for Prometheus.

``/healthz`` says that the process answers, ``/readyz`` that it can do its work, ``/status`` what Jaeger's
health check says, ``/metrics`` gives the Prometheus text (or OpenMetrics) exposition.
"""

import asyncio
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import GCCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from vigla.telemetry.metrics import Metrics

Check = Callable[[], str]
"""Gives "" while its part can work, else the reason why not."""

LATENESS_INTERVAL_S = 0.1


def create_app(metrics: Metrics, checks: Mapping[str, Check]) -> FastAPI:
    """The health application.

    Args:
        metrics: exposed under ``/metrics``, with the process's own CPU, memory and files.
        checks: by the name of the part; all must be "" for ``/readyz`` to answer 200.
    """
    ProcessCollector(registry=metrics.registry)
    GCCollector(registry=metrics.registry)
    app = FastAPI(openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/status")
    async def status() -> JSONResponse:
        reasons = _reasons(checks)
        return JSONResponse(
            {"status": "StatusUnavailable" if reasons else "StatusOK"}, 503 if reasons else 200
        )

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        reasons = _reasons(checks)
        parts = {name: reasons.get(name, "ready") for name in checks}
        return JSONResponse(
            {"status": "not ready" if reasons else "ready", "parts": parts}, 503 if reasons else 200
        )

    @app.get("/metrics")
    async def exposition(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), media_type=content_type)

    return app


def _reasons(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: reason for name, check in checks.items() if (reason := check())}


async def watch_event_loop(metrics: Metrics) -> None:
    """Measure, until cancelled, how much later than asked the event loop wakes a sleeper."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LATENESS_INTERVAL_S
        await asyncio.sleep(LATENESS_INTERVAL_S)
        metrics.observe("vigla_event_loop_lateness_seconds", max(0.0, loop.time() - due))
