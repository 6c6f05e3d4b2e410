"""The pages: HTML frames rendered here, filled in the browser from the JSON APIs of the same origin."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from ui.assets import Assets
from ui.language import ENGLISH, LANGUAGES, Texts, catalogue, language_of
from vigla.settings import QuerySettings

# Trusted types forbid every sink that parses text as HTML, so a span name can never become markup.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Language, Cookie",
}
LISTS = (("services", "Services"), ("workloads", "Workloads"), ("applications", "Applications"))
API_PREFIXES = ("api/", "jaeger/api/")  # their unknown paths are answered as an API does


def router(settings: QuerySettings, *, mesh: bool = False) -> APIRouter:
    """Routes of the pages and their static files.

    Include it after all API routers: its last route answers every path that is left with the page for 404.

    Args:
        settings: ``base_path`` goes before every address in a page.
        mesh: whether this server has one, with its API.
    """
    pages = Pages(settings.base_path.rstrip("/"), Assets(), mesh=mesh)
    routes = APIRouter(include_in_schema=False)
    routes.include_router(pages.assets.router())
    addresses: tuple[tuple[str, Callable[..., Awaitable[Response]]], ...] = (
        ("/", pages.home),
        ("/overview", pages.overview),
        ("/search", pages.search),
        ("/trace/{trace_id}", pages.trace),
        ("/traces/compare", pages.compare),
        ("/graph", pages.graph),
        ("/logs", pages.logs),
        ("/metrics", pages.metrics),
        ("/alerts", pages.alerts),
        ("/configuration", pages.configuration),
        ("/configuration/wizards", pages.wizards),
        ("/configuration/wizards/{kind}", pages.wizards),
        ("/mesh", pages.mesh),
        *((f"/{name}", pages.objects) for name, _ in LISTS),
        *((f"/{name}/{{namespace}}/{{object_name:path}}", pages.object) for name, _ in LISTS),
        ("/sql", pages.sql),
        ("/{path:path}", pages.missing),
    )
    for path, endpoint in addresses:
        routes.add_api_route(path, endpoint, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes


def _list_of(request: Request) -> tuple[str, str]:
    path = str(request.scope["route"].path)
    return next((name, words) for name, words in LISTS if path.startswith(f"/{name}"))


class Pages:
    """One method a page."""

    def __init__(self, base_path: str, assets: Assets, *, mesh: bool) -> None:
        """Load the templates."""
        self.assets = assets
        self._texts = Texts()
        self._base_path = base_path
        self._templates = Environment(
            loader=PackageLoader("ui"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.globals.update(
            base=base_path, mesh=mesh, languages=LANGUAGES, asset=lambda name: base_path + assets.path(name)
        )

    async def home(self) -> Response:
        """``/``: the overview."""
        return RedirectResponse(f"{self._base_path}/overview", status_code=302)

    async def overview(self, request: Request) -> Response:
        """``/overview``."""
        return self._page(request, "overview.html", section="overview")

    async def search(self, request: Request) -> Response:
        """``/search``."""
        return self._page(request, "search.html", section="search")

    async def trace(self, request: Request, trace_id: str) -> Response:
        """``/trace/{trace_id}``: the identifier in any spelling that the trace API takes."""
        return self._page(request, "trace.html", section="search", trace_id=trace_id)

    async def compare(self, request: Request) -> Response:
        """``/traces/compare``: two traces, named in the address."""
        return self._page(request, "compare.html", section="search")

    async def graph(self, request: Request) -> Response:
        """``/graph``."""
        return self._page(request, "graph.html", section="graph")

    async def logs(self, request: Request) -> Response:
        """``/logs``: access logs."""
        return self._page(request, "logs.html", section="logs")

    async def metrics(self, request: Request) -> Response:
        """``/metrics``: of what is stored; the server's own, as text, are on the port of its health."""
        return self._page(request, "metrics.html", section="metrics")

    async def alerts(self, request: Request) -> Response:
        """``/alerts``."""
        return self._page(request, "alerts.html", section="alerts")

    async def configuration(self, request: Request) -> Response:
        """``/configuration``: the mesh's, to read and to change."""
        return self._page(request, "configuration.html", section="configuration")

    async def wizards(self, request: Request) -> Response:
        """``/configuration/wizards/{kind}``: forms that change what happens to the calls of a service."""
        return self._page(request, "wizard.html", section="configuration")

    async def objects(self, request: Request) -> Response:
        """``/services``, ``/workloads``, ``/applications``: what runs."""
        name, words = _list_of(request)
        return self._page(request, "objects.html", section="services", list=name, words=words, lists=LISTS)

    async def object(self, request: Request, object_name: str) -> Response:
        """``/services/{namespace}/{name}`` and so on: one of them; ``-`` stands for no namespace."""
        name, words = _list_of(request)
        return self._page(
            request, "object.html", section="services", list=name, words=words, object_name=object_name
        )

    async def mesh(self, request: Request) -> Response:
        """``/mesh``: control plane, proxies and certificates; intake, bus and storage of this server."""
        return self._page(request, "mesh.html", section="mesh")

    async def sql(self, request: Request) -> Response:
        """``/sql``: a console over the lake's tables."""
        return self._page(request, "sql.html", section="sql")

    async def missing(self, request: Request, path: str) -> Response:
        """Any other path."""
        if path.startswith(API_PREFIXES):
            return PlainTextResponse("404 page not found\n", status_code=404)
        return self._page(request, "missing.html", 404, section="", path=request.url.path)

    def _page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        language = language_of(request)
        content = self._templates.get_template(template).render(
            _=self._texts.translate(language),
            language=language,
            texts=None if language == ENGLISH else catalogue(language),
            **values,
        )
        return HTMLResponse(
            content, status_code=status, headers=PAGE_HEADERS | {"Content-Language": language}
        )
