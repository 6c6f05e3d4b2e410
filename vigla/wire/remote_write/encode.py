"""Samples of our own makers, scraping and rules, as remote write 1.0 requests.

They take the same way as everybody's samples: checked by the collector, durable on the bus.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigla.wire.remote_write import envelope
from vigla.wire.remote_write.descriptors import METRIC_TYPES, MetricType, Version, message_class

VERSION: Version = "1"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An example of what a sample counts; ``labels`` name its trace."""

    labels: Mapping[str, str]
    value: float
    ts_ms: int


@dataclass(frozen=True, slots=True)
class Side:
    """Filled buckets of one sign: spans (buckets left out before, buckets given) and absolute counts."""

    spans: Sequence[tuple[int, int]]
    counts: Sequence[float]


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """A native histogram with counts as floats; ``bounds`` with custom buckets, ``hint`` as its number."""

    schema: int
    zero_threshold: float
    zero_count: float
    count: float
    sum: float
    positive: Side
    negative: Side
    bounds: Sequence[float]
    hint: int


@dataclass(frozen=True, slots=True)
class Point:
    """One sample of one series; ``labels`` has ``__name__``."""

    labels: Mapping[str, str]
    ts_ms: int
    value: float | NativeHistogram
    exemplar: Exemplar | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a metric family is."""

    name: str
    type: MetricType = "unknown"
    help: str = ""
    unit: str = ""


def encode(points: Sequence[Point], metadata: Iterable[Metadata] = ()) -> bytes:
    """A compressed request of version ``VERSION``, as ``Admission.accept_remote_write`` takes it."""
    request: Any = message_class(VERSION)()
    for point in points:
        series = request.timeseries.add()
        _add_labels(series, point.labels)
        if isinstance(point.value, NativeHistogram):
            _add_histogram(series, point.value, point.ts_ms)
        else:
            series.samples.add(value=point.value, timestamp=point.ts_ms)
        if point.exemplar is not None:
            _add_exemplar(series, point.exemplar)
    _add_metadata(request, metadata)
    return envelope.compress(request.SerializeToString())


def encode_told(
    exemplars: Iterable[tuple[Mapping[str, str], Exemplar]], metadata: Iterable[Metadata]
) -> bytes:
    """A compressed request without samples: exemplars by the labels of their series, and metadata."""
    request: Any = message_class(VERSION)()
    for labels, exemplar in exemplars:
        series = request.timeseries.add()
        _add_labels(series, labels)
        _add_exemplar(series, exemplar)
    _add_metadata(request, metadata)
    return envelope.compress(request.SerializeToString())


def histogram_field(value: NativeHistogram, ts_ms: int) -> bytes:
    """A histogram of a series, as it is in its message."""
    request: Any = message_class(VERSION)()
    series = request.timeseries.add()
    _add_histogram(series, value, ts_ms)
    made: bytes = series.SerializeToString()
    return made


def _add_exemplar(series: Any, exemplar: Exemplar) -> None:
    _add_labels(series.exemplars.add(value=exemplar.value, timestamp=exemplar.ts_ms), exemplar.labels)


def _add_metadata(request: Any, metadata: Iterable[Metadata]) -> None:
    for told in metadata:
        request.metadata.add(
            type=METRIC_TYPES.index(told.type),
            name=told.name.encode(),
            help=told.help.encode(),
            unit=told.unit.encode(),
        )


def _add_labels(message: Any, labels: Mapping[str, str]) -> None:
    for name in sorted(labels):
        message.labels.add(name=name.encode(), value=labels[name].encode())


def _add_histogram(series: Any, value: NativeHistogram, ts_ms: int) -> None:
    histogram = series.histograms.add(
        count_float=value.count,
        sum=value.sum,
        schema=value.schema,
        zero_threshold=value.zero_threshold,
        zero_count_float=value.zero_count,
        positive_counts=value.positive.counts,
        negative_counts=value.negative.counts,
        reset_hint=value.hint,
        timestamp=ts_ms,
        custom_values=value.bounds,
    )
    for spans, side in (
        (histogram.positive_spans, value.positive),
        (histogram.negative_spans, value.negative),
    ):
        for offset, length in side.spans:
            spans.add(offset=offset, length=length)
