"""The agent's HTTP server: readiness, and the metrics of Envoy, agent and application in one page."""

import re

import httpx
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from proxy.agent.admin import EnvoyAdmin
from proxy.agent.bootstrap import READY_PATH

_PREFIXED = re.compile(rb"^((?:# (?:TYPE|HELP) )?)envoy_(istio_)", re.MULTILINE)
_END = re.compile(rb"^# EOF\n?", re.MULTILINE)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class AgentMetrics:
    """What the agent counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.starts = Counter("mesh_agent_envoy_starts", "starts of Envoy", registry=self.registry)
        self.exits = Counter(
            "mesh_agent_envoy_exits", "ends of Envoy not asked for", ["status"], registry=self.registry
        )
        self.running = Gauge("mesh_agent_envoy_running", "1 while Envoy runs", registry=self.registry)
        self.scrape_failures = Counter(
            "mesh_agent_scrape_failures", "metrics left out of the page", ["source"], registry=self.registry
        )


def merge(*pages: bytes) -> bytes:
    """Pages in Prometheus' text format as one; Istio's metrics get their own names back."""
    whole = [_END.sub(b"", page).rstrip(b"\n") for page in pages]
    return _PREFIXED.sub(rb"\1\2", b"\n".join(page for page in whole if page) + b"\n")


def status_app(admin: EnvoyAdmin, metrics: AgentMetrics, app_metrics: str) -> Starlette:
    """The server's application.

    Args:
        admin: of Envoy.
        metrics: the agent's own.
        app_metrics: URL of the application's; empty: none.
    """

    async def page(url: str, source: str) -> bytes:
        try:
            return await (admin.get(url) if url else admin.prometheus())
        except httpx.HTTPError:
            metrics.scrape_failures.labels(source).inc()
            return b""

    async def stats(_: Request) -> Response:
        envoy = await page("", "envoy")
        app = await page(app_metrics, "app") if app_metrics else b""
        return Response(merge(envoy, generate_latest(metrics.registry), app), media_type=_TEXT)

    async def ready(_: Request) -> Response:
        missing = await admin.why_not_ready()
        return PlainTextResponse(missing or "ready", status_code=503 if missing else 200)

    return Starlette(routes=[Route("/stats/prometheus", stats), Route(READY_PATH, ready)])
