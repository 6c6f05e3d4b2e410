"""Sets of labels with their samples, put together to one request of remote write's columns."""

import numpy as np
import pyarrow as pa

from vigla.wire.otlp import exponential
from vigla.wire.otlp.label_rows import Ints, LabelRows, Texts, joined, sets_of
from vigla.wire.otlp.metric_blocks import Block, Exemplars, Floats, Mask
from vigla.wire.remote_write.requests import Requests


class RequestParts:
    """Blocks of one temporality on their way into one request."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.sets = 0
        self._labels = [_no_labels()]
        self._samples: list[tuple[Ints, Ints, Ints, Floats]] = []
        self._native: list[tuple[Ints, pa.StructArray]] = []
        self._exemplars: list[Exemplars] = []
        self._exemplar_labels = [_no_labels()]

    def add(self, block: Block, wanted: Mask, exemplars: Exemplars | None) -> None:
        """Take the sets that are wanted, and the exemplars of their points."""
        places = np.flatnonzero(wanted)
        if not len(places):
            return
        numbers = self.sets + np.arange(len(places))
        labels = block.labels if wanted.all() else block.labels.of(places)
        self._labels.append(LabelRows(labels.owners + self.sets, labels.names, labels.values))
        if block.histograms is not None:
            self._native.append((numbers, block.histograms.take(pa.array(places))))
        else:
            chosen = (block.times[places], block.starts[places], block.values[places])
            self._samples.append((numbers, *chosen))
        if exemplars is not None and len(exemplars.points):
            self._add_exemplars(block.points[places], numbers, exemplars)
        self.sets += len(places)

    def _add_exemplars(self, points: Ints, numbers: Ints, exemplars: Exemplars) -> None:
        found = np.searchsorted(points, exemplars.points)
        there = np.flatnonzero(points[np.minimum(found, len(points) - 1)] == exemplars.points)
        before = sum(len(each.points) for each in self._exemplars)
        labels = exemplars.labels.of(there)
        self._exemplar_labels.append(LabelRows(labels.owners + before, labels.names, labels.values))
        chosen = (numbers[found[there]], exemplars.values[there], exemplars.times[there])
        self._exemplars.append(Exemplars(*chosen, labels))

    def requests(self, metadata: pa.StructArray) -> Requests:
        """As remote write's columns."""
        none = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        owners, times, starts, values = (
            np.concatenate(column) for column in zip(none, *self._samples, strict=True)
        )
        samples = pa.StructArray.from_arrays(
            [pa.array(values), pa.array(times), pa.array(starts)], ["value", "timestamp", "start_timestamp"]
        )
        native = pa.concat_arrays([_NO_HISTOGRAMS, *(each for _, each in self._native)])
        native_sets = np.concatenate([none[0], *(each for each, _ in self._native)])
        exemplars = pa.StructArray.from_arrays(
            [
                pa.array(np.concatenate([none[3], *(each.values for each in self._exemplars)])),
                pa.array(np.concatenate([none[0], *(each.times for each in self._exemplars)])),
            ],
            ["value", "timestamp"],
        )
        return Requests(
            sets_of(joined(self._labels), self.sets, self._texts),
            samples,
            owners.astype(np.int64),
            native,
            native_sets,
            exemplars,
            np.concatenate([none[0], *(each.points for each in self._exemplars)]),
            sets_of(joined(self._exemplar_labels), len(exemplars), self._texts),
            metadata,
        )


def _no_labels() -> LabelRows:
    return LabelRows(*(np.zeros(0, np.int64) for _ in range(3)))


def _no_histograms() -> pa.StructArray:
    empty = np.zeros(0, np.int64)
    return exponential.histograms(pa.array([], _POINT), empty, empty, np.zeros(0))


_SIDE = pa.struct([("offset", pa.int32()), ("bucket_counts", pa.list_(pa.uint64()))])
_POINT = pa.struct(
    [
        ("scale", pa.int32()),
        ("count", pa.uint64()),
        ("sum", pa.float64()),
        ("zero_count", pa.uint64()),
        ("zero_threshold", pa.float64()),
        ("positive", _SIDE),
        ("negative", _SIDE),
    ]
)
_NO_HISTOGRAMS = _no_histograms()
