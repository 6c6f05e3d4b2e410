"""reviews: v1 without stars, v2 with black stars and a bug, v3 with red stars; v2 and v3 ask ratings."""

import json
import random
from collections.abc import Mapping

from opentelemetry import trace

from bookinfo.web import Answer, Handler, Request, UpstreamError, get, work

tracer = trace.get_tracer("bookinfo.reviews")

COLOURS = {"v1": "", "v2": "black", "v3": "red"}
BUGGY = "v2"
BUG_RATE = 0.08
RENDER_MS = 6
TEXTS = {
    "Reviewer1": "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!",
    "Reviewer2": "Absolutely fun and entertaining. The play lacks thematic depth when compared to others.",
}


def routes(version: str, ratings_url: str) -> dict[str, Handler]:
    """The handlers of one version.

    Args:
        version: ``v1``, ``v2`` or ``v3``.
        ratings_url: base address of ratings.
    """

    def reviews(request: Request) -> Answer:
        product = request.parameters["product"]
        stars = _stars(f"{ratings_url}/ratings/{product}") if COLOURS[version] else {}
        with tracer.start_as_current_span("render reviews", attributes={"reviews.version": version}):
            work(RENDER_MS)
            if version == BUGGY and random.random() < BUG_RATE:
                raise KeyError("stars")
            return Answer(200, json.dumps(_render(product, stars, COLOURS[version])))

    return {"/reviews/{product}": reviews}


def _stars(url: str) -> Mapping[str, int] | None:
    try:
        found: dict[str, int] = json.loads(get(url).body)["ratings"]
    except UpstreamError as error:
        trace.get_current_span().add_event("ratings unavailable", {"reason": str(error)})
        return None
    return found


def _render(product: str, stars: Mapping[str, int] | None, colour: str) -> dict[str, object]:
    def rating(reviewer: str) -> dict[str, object]:
        if stars is None:
            return {"error": "ratings are not available"}
        return {"stars": stars.get(reviewer, 0), "color": colour} if colour else {}

    return {
        "id": product,
        "reviews": [{"reviewer": r, "text": t, "rating": rating(r)} for r, t in TEXTS.items()],
    }
