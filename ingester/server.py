"""The ingester: reads the bus, decodes, and keeps the lake's hot buffer moving to disk.

A thread for each topic and one more, so that decoding goes on while a flush waits for the disk:

    bus --poll--> decode, derive --buffer--> hot buffer --flush--> lake --commit--> bus
    `-------------- reading ---------------'`------------ flushing ------------------'

What is counted of spans and access logs is buffered as samples by one more, at intervals.

Records of the topic ``logs`` wait on the bus, within its bounds.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from ingester.decode import DeadLetters, Decoding
from ingester.deltas import Deltas
from ingester.derive import summaries
from ingester.derived.metrics import DerivedMetrics
from ingester.series import NumberedSeries
from vigla.bus.api import Consumer, Record, Topic
from vigla.clock import Clock
from vigla.errors import StorageUnavailable
from vigla.model.spans import Promoted
from vigla.settings import IngesterSettings
from vigla.storage.api import Writer
from vigla.telemetry.metrics import Metrics
from vigla.wire.access_logs.decode import AccessLogDecoder
from vigla.wire.otlp.metrics import DecodedMetrics, MetricDecoder
from vigla.wire.otlp.spans import SpanDecoder
from vigla.wire.remote_write.decode import RemoteWriteDecoder

log = logging.getLogger(__name__)

POLL_S = 0.25  # how long stop() may wait for a poll
GATHER_S = 0.05  # a decode has fixed costs of milliseconds: a trickle is decoded 20 times a second at most
FLUSH_BYTES = 64 * 1024 * 1024  # payload bytes that start a flush, be they few rows
BUFFERED_FLUSHES = 3  # rows and bytes held when the disk is behind, in flushes
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 10.0


@dataclass(frozen=True, slots=True)
class Stream:
    """One topic's way into the lake.

    Attributes:
        decoding: records to rows.
        tables: what is stored of the decoded batches, by table; gets the first offset behind them, too.
        counter: metric that counts rows.
        counted: the tables whose rows it counts.
        order: held from the making of tables until they are visible; for streams that number their rows
            together.
    """

    topic: Topic
    decoding: Decoding[Any]
    tables: Callable[[list[Any], int], dict[str, pa.Table]]
    counter: str
    counted: tuple[str, ...]
    order: AbstractContextManager[object] = field(default_factory=nullcontext)


class Ingester:
    """Moves spans, access logs and samples from bus to lake until stopped.

    Args:
        consumer: the bus.
        store: the lake.
        settings: sizes and intervals.
        promoted: attributes with a column of their own.
        metrics: where to count.
        clock: source of time.
        dead_letters: where undecodable records go.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts a pipeline is made of
        self,
        consumer: Consumer,
        store: Writer,
        settings: IngesterSettings,
        promoted: tuple[Promoted, ...],
        metrics: Metrics,
        clock: Clock,
        dead_letters: DeadLetters,
    ) -> None:
        self._consumer = consumer
        self._store = store
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._series, self._order = NumberedSeries(clock), threading.Lock()
        self._derived = DerivedMetrics(settings, clock) if settings.derived_metrics else None
        series, order = self._series, self._order
        self._streams = (
            Stream(
                "traces",
                Decoding("traces", SpanDecoder(promoted), dead_letters, metrics),
                self._span_tables,
                "vigla_ingester_spans_total",
                ("spans",),
            ),
            Stream(
                "access_logs",
                Decoding("access_logs", AccessLogDecoder(), dead_letters, metrics),
                self._access_log_tables,
                "vigla_ingester_access_logs_total",
                ("access_logs",),
            ),
            Stream(
                "remote_write",
                Decoding("remote_write", RemoteWriteDecoder(), dead_letters, metrics),
                lambda parts, _: series.tables([each for part in parts for each in part]),
                "vigla_ingester_samples_total",
                ("samples", "histograms"),
                order,
            ),
            Stream(
                "metrics",
                Decoding("metrics", MetricDecoder(settings.metric_names), dead_letters, metrics),
                _metric_tables(series),
                "vigla_ingester_samples_total",
                ("samples", "histograms"),
                order,
            ),
        )
        self._stopping = threading.Event()
        self._drained = threading.Event()
        self._changed = threading.Condition()
        self._waiting_since: float | None = None
        self._waiting_bytes = 0
        self._reading = len(self._streams) + 1
        self._problem = ""
        self._threads = (
            *(
                threading.Thread(
                    target=self._guarded, args=(partial(self._read, s),), name=f"ingester-read-{s.topic}"
                )
                for s in self._streams
            ),
            threading.Thread(target=self._guarded, args=(self._derive,), name="ingester-derive"),
            threading.Thread(target=self._guarded, args=(self._flush,), name="ingester-flush"),
        )

    def start(self) -> None:
        """Read on from where the lake's last flush ended."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop reading, flush what was read, and return. What cannot be flushed is read again next time."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def problem(self) -> str:
        """Why what was accepted does not reach the lake now, empty when it does."""
        return self._problem

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._problem = f"{threading.current_thread().name} ended: {error!r}"
            log.critical("%s; records stay on the bus until the process is started again", self._problem)
            raise

    def _read(self, stream: Stream) -> None:
        offset = self._store.committed(stream.topic)
        try:
            while not self._stopping.is_set():
                records = self._consumer.poll(
                    stream.topic, offset, max_bytes=self._settings.batch_bytes, timeout_s=POLL_S
                )
                if records:
                    if self._take_or_wait(stream, records):
                        offset = records[-1].offset + 1
                    self._gather(records)
        finally:
            self._ended()

    def _ended(self) -> None:
        """A thread buffers nothing any more; after the last one a flush has all."""
        with self._changed:
            self._reading -= 1
            if not self._reading:
                self._drained.set()
            self._changed.notify_all()

    def _derive(self) -> None:
        """Store what is derived, at intervals and at the end."""
        try:
            while self._derived is not None:
                ending = self._stopping.wait(self._settings.derived_interval_s)
                self._store_derived(self._derived)
                if ending:
                    break
        finally:
            self._ended()

    def _store_derived(self, derived: DerivedMetrics) -> None:
        found = derived.samples()
        self._metrics.set("vigla_ingester_derived_left_out", derived.overflowed())
        if not found:
            return
        self._await_room()
        with self._order:
            tables = self._series.tables(found)
            self._store.buffer(tables, {})
        self._metrics.add("vigla_ingester_samples_total", tables["samples"].num_rows)
        with self._changed:
            if self._waiting_since is None:
                self._waiting_since = self._clock.monotonic()
            self._changed.notify_all()

    def _span_tables(self, parts: list[pa.Table], _: int) -> dict[str, pa.Table]:
        spans = pa.concat_tables(parts)
        if self._derived is not None:
            self._derived.observe_spans(spans)
        return {"spans": spans, "traces": summaries(spans)}

    def _access_log_tables(self, parts: list[pa.Table], _: int) -> dict[str, pa.Table]:
        rows = pa.concat_tables(parts)
        if self._derived is not None:
            self._derived.observe_access_logs(rows)
        return {"access_logs": rows}

    def _take_or_wait(self, stream: Stream, records: Sequence[Record]) -> bool:
        """Take the records, or leave them to the next poll when a dead letter cannot be kept."""
        try:
            self._take(stream, records)
        except OSError as error:
            self._problem = f"cannot keep a dead letter: {error}"
            log.exception("cannot keep a dead letter")
            self._stopping.wait(RETRY_FIRST_S)
            return False
        return True

    def _take(self, stream: Stream, records: Sequence[Record]) -> None:
        """Decode, and buffer once there is room."""
        began = self._clock.monotonic()
        decoded = stream.decoding.decode(records)
        self._metrics.observe("vigla_ingester_decode_seconds", self._clock.monotonic() - began)
        self._await_room()
        end = records[-1].offset + 1
        with stream.order:
            tables = stream.tables(decoded, end) if decoded else {}
            self._store.buffer(tables, {stream.topic: end})
        self._metrics.add(stream.counter, sum(tables[t].num_rows for t in stream.counted if t in tables))
        with self._changed:
            self._waiting_bytes += _size(records)
            if self._waiting_since is None:
                self._waiting_since = self._clock.monotonic()
            self._changed.notify_all()

    def _gather(self, records: Sequence[Record]) -> None:
        """After a small batch, let the next one grow."""
        if _size(records) < self._settings.batch_bytes // 2:
            self._stopping.wait(GATHER_S)

    def _await_room(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping.is_set() or self._held() < BUFFERED_FLUSHES)

    def _held(self) -> float:
        """What is not on disk, in flushes."""
        rows = self._store.buffered_rows() / self._settings.flush_rows
        return max(rows, self._waiting_bytes / FLUSH_BYTES)

    def _flush(self) -> None:
        delay = RETRY_FIRST_S
        while self._await_due():
            began, self._waiting_since = self._clock.monotonic(), None
            size = self._waiting_bytes
            try:
                self._store.flush()
            except StorageUnavailable as error:
                self._fail(error, began)
                if self._stopping.wait(delay):
                    return
                delay = min(2 * delay, RETRY_LAST_S)
                continue
            self._problem, delay = "", RETRY_FIRST_S
            self._metrics.observe("vigla_ingester_flush_seconds", self._clock.monotonic() - began)
            for stream in self._streams:
                self._consumer.commit(stream.topic, self._store.committed(stream.topic))
            with self._changed:
                self._waiting_bytes -= size
                self._changed.notify_all()

    def _fail(self, error: StorageUnavailable, began: float) -> None:
        self._problem = str(error)
        self._waiting_since = began
        self._metrics.add("vigla_ingester_flush_failures_total")
        log.error("flush failed, it is repeated: %s", error)

    def _await_due(self) -> bool:
        """Wait until a flush is due; False when there is nothing left to flush and nothing will come."""
        with self._changed:
            while not self._drained.is_set():
                age = 0.0 if self._waiting_since is None else self._clock.monotonic() - self._waiting_since
                if age >= self._settings.flush_interval_s:
                    return True
                if self._held() >= 1:
                    return True
                self._changed.wait(self._settings.flush_interval_s - age)
            return self._waiting_since is not None


def _metric_tables(
    series: NumberedSeries,
) -> Callable[[list[list[DecodedMetrics]], int], dict[str, pa.Table]]:
    deltas = Deltas()

    def tables(parts: list[list[DecodedMetrics]], _: int) -> dict[str, pa.Table]:
        found = []
        for each in (each for part in parts for each in part):
            found.append(each.cumulative)
            if each.deltas is not None:
                found.append(deltas.accumulated(each.deltas))
        return series.tables(found)

    return tables


def _size(records: Sequence[Record]) -> int:
    return sum(len(record.payload) for record in records)
