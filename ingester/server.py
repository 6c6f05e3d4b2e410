"""The ingester: reads the bus, decodes, and keeps the lake's hot buffer moving to disk.

A thread for each topic and one more, so that decoding goes on while a flush waits for the disk:

    bus --poll--> decode, derive --buffer--> hot buffer --flush--> lake --commit--> bus
    `-------------- reading ---------------'`------------ flushing ------------------'

What is counted of spans and access logs is buffered as samples by one more, at intervals.

It reads each of its partitions on from where the lake ends, not from what the bus remembers.
When the lake refuses a flush because another ingester has written some of it (this one was paused, and its
partitions went to another), all that is buffered is dropped, and it begins as after a restart.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ingester.decode import DeadLetters
from ingester.streams import STREAMED, Streams
from vigla.bus.api import Consumer, Record, Topic
from vigla.clock import Clock
from vigla.errors import Fenced, StorageUnavailable
from vigla.model.partitions import Partition, Reach
from vigla.model.spans import Promoted
from vigla.settings import IngesterSettings
from vigla.storage.api import Writer
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

POLL_S = 0.25  # how long stop() may wait for a poll
GATHER_S = 0.05  # a decode has fixed costs of milliseconds: a trickle is decoded 20 times a second at most
FLUSH_BYTES = 64 * 1024 * 1024  # payload bytes that start a flush, be they few rows
BUFFERED_FLUSHES = 3  # rows and bytes held when the disk is behind, in flushes
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 10.0


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
        self._new_streams = partial(Streams, settings, promoted, metrics, clock, dead_letters)
        self._streams = self._new_streams()
        self._stopping = threading.Event()
        self._drained = threading.Event()
        self._changed = threading.Condition()
        self._waiting_since: float | None = None
        self._waiting_bytes = 0
        self._reading = len(STREAMED) + 1
        self._problem = ""
        self._threads = (
            *(
                threading.Thread(
                    target=self._guarded, args=(partial(self._read, topic),), name=f"ingester-read-{topic}"
                )
                for topic in STREAMED
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

    def _read(self, topic: Topic) -> None:
        streams, positions = self._streams, dict[Partition, int]()
        try:
            while not self._stopping.is_set():
                if streams is not self._streams:
                    streams, positions = self._streams, {}
                try:
                    positions = self._positions(topic, positions)
                    records = self._consumer.poll(
                        topic, positions, max_bytes=self._settings.batch_bytes, timeout_s=POLL_S
                    )
                    if records:
                        positions |= self._take(streams, topic, records, positions)
                        self._gather(records)
                except Fenced as error:
                    self._start_over(streams, error)
                except (OSError, StorageUnavailable) as error:
                    self._problem = f"cannot read {topic}: {error}"
                    log.error("%s", self._problem)  # noqa: TRY400  no bug of ours
                    self._stopping.wait(RETRY_FIRST_S)
        finally:
            self._ended()

    def _positions(self, topic: Topic, known: Mapping[Partition, int]) -> dict[Partition, int]:
        """Where to read on, in the partitions that are ours now; of those that are new, the lake knows."""
        return {
            partition: known[partition] if partition in known else self._store.position(partition)
            for partition in self._consumer.partitions(topic)
        }

    def _start_over(self, streams: Streams, reason: Fenced) -> None:
        """Drop what is buffered, because another ingester wrote some of it, and read on from the lake."""
        with streams.order:
            if streams is not self._streams:
                return
            self._store.drop()
            self._streams = self._new_streams()
        self._metrics.add("vigla_ingester_fenced_total")
        log.warning("%s; what was buffered is read again", reason)
        with self._changed:
            self._waiting_bytes = 0
            self._changed.notify_all()

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
            while self._settings.derived_metrics:
                ending = self._stopping.wait(self._settings.derived_interval_s)
                self._store_derived(self._streams)
                if ending:
                    break
        finally:
            self._ended()

    def _store_derived(self, streams: Streams) -> None:
        if streams.derived is None:
            return
        found = streams.derived.samples()
        self._metrics.set("vigla_ingester_derived_left_out", streams.derived.overflowed())
        if not found:
            return
        self._await_room()
        with streams.order:
            if streams is not self._streams:
                return
            tables = streams.series.tables(found)
            self._store.buffer(tables, {})
        self._metrics.add("vigla_ingester_samples_total", tables["samples"].num_rows)
        with self._changed:
            if self._waiting_since is None:
                self._waiting_since = self._clock.monotonic()
            self._changed.notify_all()

    def _take(
        self, streams: Streams, topic: Topic, records: Sequence[Record], positions: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        """Decode, and buffer once there is room.

        Returns:
            The new position of each partition that had records; none when streams were replaced meanwhile.

        Raises:
            OSError: a dead letter cannot be kept; nothing was buffered.
            Fenced: the records do not go on from what is stored.
        """
        stream, began = streams.of(topic), self._clock.monotonic()
        decoded = stream.decoding.decode(records)
        self._metrics.observe("vigla_ingester_decode_seconds", self._clock.monotonic() - began)
        self._await_room()
        ends = {record.partition: record.offset + 1 for record in records}
        reached = {partition: Reach(positions[partition], end) for partition, end in ends.items()}
        with stream.order:
            if streams is not self._streams:
                return {}
            tables = stream.tables(decoded) if decoded else {}
            self._store.buffer(tables, reached)
        self._metrics.add(stream.counter, sum(tables[t].num_rows for t in stream.counted if t in tables))
        with self._changed:
            self._waiting_bytes += _size(records)
            if self._waiting_since is None:
                self._waiting_since = self._clock.monotonic()
            self._changed.notify_all()
        return ends

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
            streams = self._streams
            try:
                self._store.flush()
            except Fenced as error:
                self._start_over(streams, error)
                continue
            except StorageUnavailable as error:
                self._fail(error, began)
                if self._stopping.wait(delay):
                    return
                delay = min(2 * delay, RETRY_LAST_S)
                continue
            self._problem, delay = "", RETRY_FIRST_S
            self._metrics.observe("vigla_ingester_flush_seconds", self._clock.monotonic() - began)
            for topic in STREAMED:
                for partition in self._consumer.partitions(topic):
                    self._consumer.commit(partition, self._store.committed(partition))
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


def _size(records: Sequence[Record]) -> int:
    return sum(len(record.payload) for record in records)
