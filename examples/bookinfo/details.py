"""details: facts about a book, kept in a cache that now and then has to fetch them slowly."""

import json
import random
import time

from opentelemetry import trace

from bookinfo.web import Answer, Handler, Request, UpstreamError, get, work

tracer = trace.get_tracer("bookinfo.details")

MISS_RATE = 0.3
LOOKUP_MS = 1
FETCH_S = (0.03, 0.12)
BOOK = {
    "author": "William Shakespeare",
    "year": 1595,
    "type": "paperback",
    "pages": 200,
    "language": "English",
}


def routes(catalogue_url: str) -> dict[str, Handler]:
    """The handlers.

    Args:
        catalogue_url: base address of the catalogue, outside the mesh; empty: it is imitated.
    """
    return {"/details/{product}": lambda request: _details(request, catalogue_url)}


def _details(request: Request, catalogue_url: str) -> Answer:
    product = request.parameters["product"]
    with tracer.start_as_current_span("cache lookup", attributes={"cache.key": f"book:{product}"}) as span:
        work(LOOKUP_MS)
        hit = random.random() >= MISS_RATE
        span.set_attribute("cache.hit", hit)
        if not hit:
            span.add_event("cache.miss", {"cache.key": f"book:{product}"})
    if not hit:
        _fetch(product, catalogue_url)
    return Answer(200, json.dumps({"id": product, **BOOK}))


def _fetch(product: str, catalogue_url: str) -> None:
    with tracer.start_as_current_span("fetch from catalogue", attributes={"book.id": product}) as span:
        if not catalogue_url:
            time.sleep(random.uniform(*FETCH_S))
            return
        try:
            get(f"{catalogue_url}/books/{product}")
        except UpstreamError as error:
            span.add_event("catalogue unavailable", {"reason": str(error)})
