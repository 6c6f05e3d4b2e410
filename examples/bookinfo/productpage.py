"""productpage: the page that users open; asks details and one version of reviews at the same time."""

import contextvars
import html
import itertools
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from opentelemetry import trace

from bookinfo.web import Answer, Handler, Request, UpstreamError, get, work

tracer = trace.get_tracer("bookinfo.productpage")

ATTEMPTS = 2
BAD_GATEWAY = 502
RENDER_MS = 8


def routes(details_url: str, reviews_urls: Sequence[str]) -> dict[str, Handler]:
    """The handlers.

    Args:
        details_url: base address of details.
        reviews_urls: base addresses of the versions of reviews, used in turn.
    """
    pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="upstream")
    turns = itertools.cycle(reviews_urls)

    def productpage(request: Request) -> Answer:
        product = request.parameters.get("product", "0")
        details = _submit(pool, lambda: _fetch([f"{details_url}/details/{product}"]))
        attempts = [f"{next(turns)}/reviews/{product}" for _ in range(ATTEMPTS)]
        reviews = _submit(pool, lambda: _fetch(attempts))
        return _page(details.result(), reviews.result())

    def health(_: Request) -> Answer:
        return Answer(200, json.dumps({"status": "productpage is healthy"}))

    return {"/productpage": productpage, "/productpage/{product}": productpage, "/health": health}


def _submit(pool: ThreadPoolExecutor, call: Callable[[], str | None]) -> Future[str | None]:
    """Run ``call`` in the pool as part of the current span."""
    return pool.submit(contextvars.copy_context().run, call)


def _fetch(attempts: Sequence[str]) -> str | None:
    """The first good answer; None if every attempt failed."""
    for number, url in enumerate(attempts, start=1):
        try:
            return get(url).body
        except UpstreamError as error:
            trace.get_current_span().add_event("retry", {"attempt": number, "reason": str(error)})
    return None


def _page(details: str | None, reviews: str | None) -> Answer:
    with tracer.start_as_current_span("render page") as span:
        work(RENDER_MS)
        if details is None and reviews is None:
            return Answer(BAD_GATEWAY, json.dumps({"error": "details and reviews are not available"}))
        span.set_attribute("page.complete", details is not None and reviews is not None)
        sections = [f"<pre>{html.escape(s) if s else 'not available'}</pre>" for s in (details, reviews)]
        return Answer(
            200, "<!doctype html><title>Bookinfo</title>" + "".join(sections), "text/html; charset=utf-8"
        )
