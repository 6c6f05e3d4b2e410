"""What rules made, as points of remote write."""

from collections.abc import Iterator, Sequence

from query.promql.histograms.wire import to_native
from query.rules.evaluation import Made
from vigla.wire.remote_write.encode import Point, encode

PER_REQUEST = 10_000


def requests(made: Sequence[Made], at_ms: int) -> Iterator[bytes]:
    """Compressed requests of at most ``PER_REQUEST`` samples each."""
    for start in range(0, len(made), PER_REQUEST):
        part = made[start : start + PER_REQUEST]
        yield encode([_point(made, at_ms) for made in part])


def _point(made: Made, at_ms: int) -> Point:
    labels, value = made
    return Point(dict(labels), at_ms, value if isinstance(value, float) else to_native(value))
