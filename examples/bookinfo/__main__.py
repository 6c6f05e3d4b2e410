"""``python -m bookinfo ROLE``: run one service, or the traffic in front of them."""

import argparse
import os
from collections.abc import Mapping

from bookinfo import catalogue, details, productpage, ratings, ratingsdb, reviews, tracing, traffic
from bookinfo.web import Handler, serve

ROLES = ["productpage", "details", "reviews", "ratings", "ratingsdb", "catalogue", "traffic"]


def main() -> None:
    """Read the options, run the role until SIGTERM, then send the last spans."""
    options = _options()
    provider = tracing.start(options.role, options.version, options.otlp)
    if options.role == "traffic":
        traffic.run(options.productpage, options.otlp, options.rate)
    elif options.role == "ratingsdb":
        ratingsdb.serve(options.host, options.port)
    else:
        serve(options.host, options.port, _routes(options))
    provider.shutdown()


def _routes(options: argparse.Namespace) -> Mapping[str, Handler]:
    if options.role == "productpage":
        return productpage.routes(options.details, options.reviews)
    if options.role == "reviews":
        return reviews.routes(options.version, options.ratings)
    if options.role == "details":
        return details.routes(options.catalogue)
    return catalogue.ROUTES if options.role == "catalogue" else ratings.routes(options.database)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bookinfo", description=__doc__)
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--version", default="v1", help="service.version; of reviews: v1, v2 or v3")
    environment = os.environ  # a mesh tells its applications there where to listen
    parser.add_argument("--host", default=environment.get("HOST", "127.0.0.1"), help="address to listen on")
    port = int(environment.get("PORT", "9080"))
    parser.add_argument("--port", type=int, default=port, help="port to listen on")
    otlp = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    parser.add_argument("--otlp", default=otlp, help="where spans go (OTLP gRPC)")
    parser.add_argument("--details", default="http://127.0.0.1:9081", help="address of details")
    parser.add_argument(
        "--reviews", nargs="+", default=["http://127.0.0.1:9082"], help="addresses of reviews, used in turn"
    )
    parser.add_argument("--ratings", default="http://127.0.0.1:9085", help="address of ratings")
    parser.add_argument("--database", default="", help="host:port of ratingsdb; else ratings has its own")
    parser.add_argument("--catalogue", default="", help="address of catalogue; else it is imitated")
    parser.add_argument("--productpage", default="http://127.0.0.1:9080", help="address of productpage")
    parser.add_argument("--rate", type=float, default=5.0, help="pages opened a second")
    return parser.parse_args()


if __name__ == "__main__":
    main()
