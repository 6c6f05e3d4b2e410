"""Loads of a promqltest file in a lake, on the way that remote write takes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingester.series import SeriesLog
from query.promql.histogram import Buckets, Histogram, ResetHint
from query.promql.histograms.wire import to_spans
from query.promql.lake import LakeSeries
from query.promql.series import Labels
from tests.conformance.promqltest.script import Load
from tests.conformance.promqltest.storage import store
from tests.contracts.rows import upto
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import StorageSettings
from vigla.storage.lake import Lake
from vigla.telemetry.metrics import Metrics
from vigla.wire.remote_write import envelope
from vigla.wire.remote_write.decode import RemoteWriteDecoder
from vigla.wire.remote_write.descriptors import message_class

_HINTS: dict[ResetHint, int] = {"unknown": 0, "reset": 1, "not_reset": 2, "gauge": 3}


@contextmanager
def in_lake(loads: Iterable[Load], folder: Path) -> Iterator[LakeSeries]:
    """A lake that has these series alone, in files."""
    lake = Lake(StorageSettings(path=folder), DEFAULT_PROMOTED, Metrics(), SystemClock())
    try:
        sink = _Request()
        store(loads, sink)
        if sink.samples:
            record = envelope.wrap("2", envelope.compress(sink.message().SerializeToString()))
            tables = SeriesLog(SystemClock()).tables(RemoteWriteDecoder().decode([record]), 1)
            lake.buffer(tables, upto(lake, remote_write=1))
            lake.flush()
        yield LakeSeries(lake)
    finally:
        lake.close()


class _Request:
    """Samples as a request of version 2."""

    def __init__(self) -> None:
        self.samples: defaultdict[Labels, dict[int, tuple[float | Histogram, int]]] = defaultdict(dict)

    def append(self, labels: Labels, time: int, value: float | Histogram, *, start_time: int = 0) -> None:
        self.samples[labels][time] = (value, start_time)

    def message(self) -> Any:
        request: Any = message_class("2")()
        symbols: dict[str, int] = {"": 0}
        for labels, samples in self.samples.items():
            series = request.timeseries.add()
            series.labels_refs.extend(
                symbols.setdefault(text, len(symbols)) for pair in labels for text in pair
            )
            for time, (value, start) in samples.items():
                if isinstance(value, Histogram):
                    _add(series, time, value, start)
                else:
                    series.samples.add(timestamp=time, value=value, start_timestamp=start)
        request.symbols.extend(text.encode(errors="surrogateescape") for text in symbols)
        return request


def _add(series: Any, time: int, value: Histogram, start: int) -> None:
    sent = series.histograms.add(
        timestamp=time,
        schema=value.schema,
        count_float=value.count,
        sum=value.sum,
        zero_threshold=value.zero_threshold,
        zero_count_float=value.zero_count,
        reset_hint=_HINTS[value.hint],
        custom_values=value.bounds,
        start_timestamp=start,
    )
    for spans, counts, buckets in (
        (sent.positive_spans, sent.positive_counts, value.positive),
        (sent.negative_spans, sent.negative_counts, value.negative),
    ):
        _add_side(spans, counts, buckets)


def _add_side(spans: Any, counts: Any, buckets: Buckets) -> None:
    found, values = to_spans(buckets)
    for offset, length in found:
        spans.add(offset=offset, length=length)
    counts.extend(values.tolist())
