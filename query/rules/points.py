"""What rules made, as points of remote write."""

from collections.abc import Iterator, Sequence

from query.promql.histogram import Buckets, Histogram, ResetHint
from query.promql.histograms.wire import to_spans
from query.rules.evaluation import Made
from vigla.wire.remote_write.encode import NativeHistogram, Point, Side, encode

PER_REQUEST = 10_000
_HINTS: dict[ResetHint, int] = {"unknown": 0, "reset": 1, "not_reset": 2, "gauge": 3}


def requests(made: Sequence[Made], at_ms: int) -> Iterator[bytes]:
    """Compressed requests of at most ``PER_REQUEST`` samples each."""
    for start in range(0, len(made), PER_REQUEST):
        part = made[start : start + PER_REQUEST]
        yield encode([Point(dict(labels), at_ms, _value(value)) for labels, value in part])


def _value(value: float | Histogram) -> float | NativeHistogram:
    if isinstance(value, float):
        return value
    return NativeHistogram(
        schema=value.schema,
        zero_threshold=value.zero_threshold,
        zero_count=value.zero_count,
        count=value.count,
        sum=value.sum,
        positive=_side(value.positive),
        negative=_side(value.negative),
        bounds=value.bounds,
        hint=_HINTS[value.hint],
    )


def _side(buckets: Buckets) -> Side:
    spans, counts = to_spans(buckets)
    return Side(spans, counts.tolist())
