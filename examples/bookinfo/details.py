"""details: facts about a book, kept in a cache that now and then has to fetch them slowly."""

import json
import random
import time

from opentelemetry import trace

from bookinfo.web import Answer, Handler, Request, work

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


def details(request: Request) -> Answer:
    """The facts of one book."""
    product = request.parameters["product"]
    with tracer.start_as_current_span("cache lookup", attributes={"cache.key": f"book:{product}"}) as span:
        work(LOOKUP_MS)
        hit = random.random() >= MISS_RATE
        span.set_attribute("cache.hit", hit)
        if not hit:
            span.add_event("cache.miss", {"cache.key": f"book:{product}"})
    if not hit:
        _fetch(product)
    return Answer(200, json.dumps({"id": product, **BOOK}))


def _fetch(product: str) -> None:
    with tracer.start_as_current_span("fetch from catalogue", attributes={"book.id": product}):
        time.sleep(random.uniform(*FETCH_S))


ROUTES: dict[str, Handler] = {"/details/{product}": details}
