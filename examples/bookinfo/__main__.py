"""``python -m bookinfo ROLE``: run one service, or the traffic in front of them."""

import argparse
from collections.abc import Mapping

from bookinfo import details, productpage, ratings, reviews, tracing, traffic
from bookinfo.web import Handler, serve


def main() -> None:
    """Read the options, run the role until SIGTERM, then send the last spans."""
    options = _options()
    provider = tracing.start(options.role, options.version, options.otlp)
    if options.role == "traffic":
        traffic.run(options.productpage, options.otlp, options.rate)
    else:
        serve(options.host, options.port, _routes(options))
    provider.shutdown()


def _routes(options: argparse.Namespace) -> Mapping[str, Handler]:
    if options.role == "productpage":
        return productpage.routes(options.details, options.reviews)
    if options.role == "reviews":
        return reviews.routes(options.version, options.ratings)
    return details.ROUTES if options.role == "details" else ratings.ROUTES


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bookinfo", description=__doc__)
    parser.add_argument("role", choices=["productpage", "details", "reviews", "ratings", "traffic"])
    parser.add_argument("--version", default="v1", help="service.version; of reviews: v1, v2 or v3")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=9080, help="port to listen on")
    parser.add_argument("--otlp", default="http://127.0.0.1:4317", help="where spans go (OTLP gRPC)")
    parser.add_argument("--details", default="http://127.0.0.1:9081", help="address of details")
    parser.add_argument(
        "--reviews", nargs="+", default=["http://127.0.0.1:9082"], help="addresses of reviews, used in turn"
    )
    parser.add_argument("--ratings", default="http://127.0.0.1:9085", help="address of ratings")
    parser.add_argument("--productpage", default="http://127.0.0.1:9080", help="address of productpage")
    parser.add_argument("--rate", type=float, default=5.0, help="pages opened a second")
    return parser.parse_args()


if __name__ == "__main__":
    main()
