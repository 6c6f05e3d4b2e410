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
class Point:
    """One sample of one series; ``labels`` has ``__name__``."""

    labels: Mapping[str, str]
    ts_ms: int
    value: float
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
        series.samples.add(value=point.value, timestamp=point.ts_ms)
        if point.exemplar is not None:
            exemplar = series.exemplars.add(value=point.exemplar.value, timestamp=point.exemplar.ts_ms)
            _add_labels(exemplar, point.exemplar.labels)
    for told in metadata:
        request.metadata.add(
            type=METRIC_TYPES.index(told.type),
            name=told.name.encode(),
            help=told.help.encode(),
            unit=told.unit.encode(),
        )
    return envelope.compress(request.SerializeToString())


def _add_labels(message: Any, labels: Mapping[str, str]) -> None:
    for name in sorted(labels):
        message.labels.add(name=name.encode(), value=labels[name].encode())
