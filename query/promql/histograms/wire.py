"""Buckets in the wire form of remote write: spans of consecutive buckets with counts or their differences."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from query.promql.histogram import CUSTOM_BUCKETS, Buckets, Histogram, ResetHint
from query.promql.histograms.layout import EMPTY, LARGEST_EXPONENT, Floats
from query.promql.histograms.validation import InvalidHistogram
from vigla.wire.remote_write.encode import NativeHistogram, Side

SMALLEST_EXPONENT = -1074
"""Exponent of the smallest float64; no observation is in a bucket below."""
_HINTS: dict[ResetHint, int] = {"unknown": 0, "reset": 1, "not_reset": 2, "gauge": 3}

Span = tuple[int, int]
"""Buckets left out since the last span (the index of the first one in the first span), and buckets given."""


def from_spans(schema: int, spans: Sequence[Span], counts: npt.ArrayLike) -> Buckets:
    """Dense buckets of one side, from absolute counts; integer deltas are summed up by ``from_deltas``.

    Raises:
        InvalidHistogram: a gap is negative, spans and counts differ in length, or no float64 is in a bucket.
    """
    given = np.asarray(counts, np.float64)
    index = 0
    places: list[npt.NDArray[np.int64]] = []
    for number, (offset, length) in enumerate(spans):
        if offset < 0 and number:
            raise InvalidHistogram(
                f"span number {number + 1} with offset {offset}: "
                "histogram has a span whose offset is negative"
            )
        index += offset
        _check_range(schema, index, length)
        places.append(np.arange(index, index + length))
        index += length
    positions = np.concatenate(places) if places else np.empty(0, np.int64)
    if len(positions) != len(given):
        raise InvalidHistogram(
            f"spans need {len(positions)} buckets, have {len(given)} buckets: "
            "histogram spans specify different number of buckets than provided"
        )
    if not len(positions):
        return EMPTY
    first = int(positions[0])
    dense = np.zeros(int(positions[-1]) - first + 1)
    dense[positions - first] = given
    return Buckets(first, dense)


def from_deltas(schema: int, spans: Sequence[Span], deltas: npt.ArrayLike) -> Buckets:
    """Dense buckets of one side of an integer histogram; raises InvalidHistogram as ``from_spans``."""
    return from_spans(schema, spans, np.cumsum(np.asarray(deltas, np.int64)))


def _check_range(schema: int, first: int, length: int) -> None:
    """Refuse indices no observation can have: a dense array for them would not fit in memory."""
    if schema == CUSTOM_BUCKETS:
        lowest, highest = 0, 1 << 20
    elif schema >= 0:
        lowest, highest = SMALLEST_EXPONENT << schema, (LARGEST_EXPONENT << schema) + 1
    else:
        lowest, highest = SMALLEST_EXPONENT >> -schema, (LARGEST_EXPONENT >> -schema) + 1
    if first < lowest or first + length - 1 > highest:
        raise InvalidHistogram(
            f"buckets {first} to {first + length - 1} are outside of {lowest} to {highest}, all that"
            f" observations can fall into with schema {schema}: send other offsets"
        )


def to_spans(buckets: Buckets) -> tuple[list[Span], Floats]:
    """Spans over the filled buckets, and their absolute counts."""
    filled = np.flatnonzero(buckets.counts)
    if not len(filled):
        return [], np.empty(0)
    runs = np.split(filled, np.flatnonzero(np.diff(filled) > 1) + 1)
    spans: list[Span] = []
    end = -buckets.first
    for run in runs:
        spans.append((int(run[0]) - end, len(run)))
        end = int(run[-1]) + 1
    return spans, buckets.counts[filled]


def to_deltas(buckets: Buckets) -> tuple[list[Span], npt.NDArray[np.int64]]:
    """Spans over the filled buckets, and the difference of each count to the one before; counts are whole."""
    spans, counts = to_spans(buckets)
    whole = counts.astype(np.int64)
    whole[1:] -= counts.astype(np.int64)[:-1]
    return spans, whole


def to_native(value: Histogram) -> NativeHistogram:
    """A histogram as it is sent."""
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
