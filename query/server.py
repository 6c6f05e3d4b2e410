"""The query role: every HTTP API and the pages on one port."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from query import access_logs_api, comparisons_api, heatmap_api, native, sql, storage_api
from query.jaeger import answers, metrics, v1, v3
from query.limits import Limits
from query.prometheus import admin as admin_api
from query.prometheus import api as prometheus
from query.prometheus import features, federate, lookups, openapi, remote_read, self_metrics, status
from query.prometheus import rules as rules_api
from query.prometheus import targets as targets_api
from query.promql.lake import LakeSeries
from query.topology import api as topology
from query.topology import native_api as topology_native
from query.topology.configuration import Configuration, NoConfiguration
from query.traces.engine import TraceEngine
from vigla.clock import Clock
from vigla.listen import HttpServer, bind
from vigla.model.spans import Promoted
from vigla.settings import HealthSettings, QuerySettings
from vigla.storage.api import Store
from vigla.storage.tables import LakeTables
from vigla.telemetry.metrics import Metrics

API, NATIVE = "/api/", "/api/vigla/"
PROMETHEUS_PREFIX = "/prometheus"
JAEGER_PREFIX = "/jaeger"  # where people mount Jaeger behind one host name
COMPRESSED_FROM = 4096
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What other roles show on the same port.

    Attributes:
        routers: further routes, such as the pages; the APIs' come first.
        rules: that run.
        targets: that are scraped.
        series: the metrics in the store, where others read them too.
        admin: deletes metrics; used if the settings allow it.
        configuration: what the mesh defines, for its graph.
        health: tolerances of the graph.
    """

    routers: Sequence[APIRouter] = ()
    rules: rules_api.RuleStates = field(default_factory=rules_api.NoRules)
    targets: targets_api.Targets = field(default_factory=targets_api.NoTargets)
    series: LakeSeries | None = None
    admin: admin_api.MetricAdmin | None = None
    configuration: Configuration = field(default_factory=NoConfiguration)
    health: HealthSettings = field(default_factory=HealthSettings)


NO_PARTS = Parts()


def create_app(  # noqa: PLR0913, PLR0917 (the parts an application is made of)
    store: Store,
    promoted: tuple[Promoted, ...],
    settings: QuerySettings,
    own_metrics: Metrics,
    clock: Clock,
    parts: Parts = NO_PARTS,
) -> FastAPI:
    """The application.

    Args:
        store: what is queried.
        promoted: attributes with a column of their own.
        settings: bounds, base path.
        own_metrics: where queries are counted.
        clock: for times that a request does not give.
        parts: what other roles show here.
    """
    limits = Limits(settings, own_metrics)
    tables = LakeTables(promoted)
    engine = TraceEngine(store, tables, settings.max_trace_spans)
    series = parts.series or LakeSeries(store)
    allowed = parts.admin if settings.admin_api else None
    app = FastAPI(
        title="vigla",
        openapi_url="/api/vigla/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM, compresslevel=1)
    app.add_middleware(_BasePath, base_path=settings.base_path)
    app.add_exception_handler(HTTPException, _unknown)
    skew = int(settings.max_clock_skew_s * NS_PER_S)
    for prefix in ("", JAEGER_PREFIX):
        app.include_router(v3.router(engine, limits, clock, skew), prefix=prefix)
        app.include_router(metrics.router(engine, limits, clock), prefix=prefix)
        app.include_router(v1.router(engine, limits, clock, skew), prefix=prefix)
    for prefix in ("", PROMETHEUS_PREFIX):
        app.include_router(prometheus.router(series, limits, clock), prefix=prefix)
        app.include_router(federate.router(series, limits, clock), prefix=prefix)
        app.include_router(remote_read.router(series, limits), prefix=prefix)
        app.include_router(lookups.router(store, series, limits), prefix=prefix)
        app.include_router(status.router(store, series, limits, clock, parts.targets), prefix=prefix)
        app.include_router(self_metrics.router(own_metrics.registry, limits), prefix=prefix)
        app.include_router(openapi.router(), prefix=prefix)
        app.include_router(features.router(parts.targets, admin=allowed is not None), prefix=prefix)
        app.include_router(admin_api.router(allowed, series, limits), prefix=prefix)
        app.include_router(rules_api.router(parts.rules, limits), prefix=prefix)
        app.include_router(targets_api.router(parts.targets, limits), prefix=prefix)
    configured = parts.configuration, parts.health, limits, clock
    app.include_router(topology.router(series, *configured))
    app.include_router(topology_native.router(series, engine, *configured))
    app.include_router(native.router(engine, limits))
    app.include_router(comparisons_api.router(engine, limits))
    app.include_router(heatmap_api.router(engine, limits))
    app.include_router(access_logs_api.router(store, tables, limits, clock))
    app.include_router(storage_api.router(store, tables))
    app.include_router(sql.router(store, promoted, settings, limits))
    for router in parts.routers:
        app.include_router(router)
    return app


class _BasePath:
    """Takes the base path off, whether or not the reverse proxy in front already did."""

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        self._app = app
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._base_path and scope["type"] == "http" and scope["path"].startswith(self._base_path + "/"):
            scope = {**scope, "root_path": self._base_path}
        await self._app(scope, receive, send)


def _unknown(request: Request, error: Exception) -> Response:
    """Below ``/api`` what Go's router says; elsewhere the status in words."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = request.url.path
    if status == 404 and API in path and NATIVE not in path:  # noqa: PLR2004
        return PlainTextResponse("404 page not found\n", status, answers.NOSNIFF)
    detail = str(error.detail) if isinstance(error, HTTPException) else "internal error"
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return PlainTextResponse(detail + "\n", status, headers)


class QueryServer:
    """Serves the application on ``query.http_port``.

    Args:
        app: from ``create_app``.
        settings: the address.

    Raises:
        SettingsError: the address cannot be listened on.
    """

    def __init__(self, app: FastAPI, settings: QuerySettings) -> None:
        self._server = HttpServer(app, bind(settings.host, settings.http_port, "query.http_port"))
        self.port = self._server.port

    async def start(self) -> None:
        """Accept requests; returns once it does."""
        await self._server.start()

    async def stop(self) -> None:
        """Refuse new requests and let running ones end."""
        await self._server.stop()
