"""The ingester between a real bus and a store: exactly once, whatever fails."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from ingester.server import Ingester
from tests.ingester.payloads import GARBAGE, payload
from tests.wire.access_log_messages import http_entries, identified
from vigla.bus.dead_letter import DeadLetters
from vigla.bus.local import LocalBus
from vigla.clock import SystemClock
from vigla.errors import Fenced, StorageUnavailable
from vigla.model.partitions import Partition, Reach
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import IngesterSettings
from vigla.storage.api import QueryContext, Writer
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.access_logs.admit import admit
from vigla.wire.otlp.spans import SpanDecoder

QUICK = IngesterSettings(flush_interval_s=0.02)
NEVER = IngesterSettings(flush_interval_s=3600)
PATIENCE_S = 60.0


class Unreliable:
    """A store whose flushes fail while told to."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.failing = True

    def flush(self) -> int:
        if self.failing:
            raise StorageUnavailable("the disk is full")
        return self._store.flush()

    def buffer(self, tables: Mapping[str, pa.Table], reached: Mapping[Partition, Reach]) -> None:
        self._store.buffer(tables, reached)

    def drop(self) -> None:
        self._store.drop()

    def position(self, partition: Partition) -> int:
        return self._store.position(partition)

    def buffered_rows(self) -> int:
        return self._store.buffered_rows()

    def committed(self, partition: Partition) -> int:
        return self._store.committed(partition)

    def archive(self, spans: pa.Table) -> None:
        self._store.archive(spans)


@contextmanager
def running(
    bus: LocalBus, store: Writer, settings: IngesterSettings, metrics: Metrics, path: Path
) -> Iterator[Ingester]:
    dead_letters = DeadLetters(path / "dead", 2**20)
    ingester = Ingester(bus, store, settings, DEFAULT_PROMOTED, metrics, SystemClock(), dead_letters)
    ingester.start()
    try:
        yield ingester
    finally:
        ingester.stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def append(bus: LocalBus, *payloads: bytes) -> None:
    async def send() -> None:
        await asyncio.gather(*(bus.append("traces", body) for body in payloads))

    asyncio.run(send())


def span_ids(store: MemoryStore) -> list[int]:
    return [
        row["span_id"]
        for row in store.sql("SELECT span_id FROM spans ORDER BY 1", QueryContext()).to_pylist()
    ]


def test_spans_are_visible_at_once_and_committed_later(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    with running(bus, store, NEVER, metrics, tmp_path):
        append(bus, payload(0, 10), payload(10, 10))
        until(lambda: len(span_ids(store)) == 20)
        assert store.committed(Partition("traces")) == 0
    assert store.committed(Partition("traces")) == 2
    traces = store.sql("SELECT sum(spans)::BIGINT AS n FROM traces", QueryContext()).to_pylist()
    assert traces == [{"n": 20}]
    assert metrics.registry.get_sample_value("vigla_ingester_spans_total") == 20


def test_a_flush_comes_with_time(bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path) -> None:
    with running(bus, store, QUICK, metrics, tmp_path):
        append(bus, payload(0, 10))
        until(lambda: store.committed(Partition("traces")) == 1)
        assert store.buffered_rows() == 0


def test_a_flush_comes_with_rows(bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path) -> None:
    settings = IngesterSettings(flush_interval_s=3600, flush_rows=20)
    with running(bus, store, settings, metrics, tmp_path):
        append(bus, payload(0, 30))
        until(lambda: store.committed(Partition("traces")) == 1)


def test_reading_goes_on_from_the_last_commit(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    append(bus, *(payload(n * 10, 10) for n in range(5)))
    with running(bus, store, QUICK, metrics, tmp_path):
        until(lambda: store.committed(Partition("traces")) == 5)
    append(bus, payload(50, 10))
    with running(bus, store, QUICK, metrics, tmp_path):
        until(lambda: store.committed(Partition("traces")) == 6)
    assert span_ids(store) == [n + 1 for n in range(60)]


def test_garbage_on_the_bus_is_set_aside_and_passed(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    with running(bus, store, QUICK, metrics, tmp_path):
        append(bus, payload(0, 10), GARBAGE, payload(10, 10))
        append(bus, GARBAGE)
        until(lambda: store.committed(Partition("traces")) == 4)
    assert span_ids(store) == [n + 1 for n in range(20)]
    kept = [path.read_bytes() for path in (tmp_path / "dead").glob("*.bin")]
    assert kept == [GARBAGE, GARBAGE]


def test_failing_flushes_are_repeated_and_nothing_is_lost(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    unreliable = Unreliable(store)
    with running(bus, unreliable, QUICK, metrics, tmp_path) as ingester:
        append(bus, payload(0, 10))
        until(lambda: ingester.problem() == "the disk is full")
        append(bus, payload(10, 10))
        until(lambda: len(span_ids(store)) == 20)
        assert store.committed(Partition("traces")) == 0
        unreliable.failing = False
        until(lambda: store.committed(Partition("traces")) == 2)
        until(lambda: not ingester.problem())
    assert span_ids(store) == [n + 1 for n in range(20)]
    assert metrics.registry.get_sample_value("vigla_ingester_flush_failures_total") >= 1


def test_reading_stops_when_the_buffer_is_full(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    unreliable = Unreliable(store)
    settings = IngesterSettings(flush_interval_s=0.02, flush_rows=20, batch_bytes=1)
    with running(bus, unreliable, settings, metrics, tmp_path) as ingester:
        append(bus, *(payload(n * 10, 10) for n in range(50)))
        until(lambda: bool(ingester.problem()))
        until(lambda: store.buffered_rows() >= 60)
        held = store.buffered_rows()
        assert held < 200
        unreliable.failing = False
        until(lambda: store.committed(Partition("traces")) == 50)
    assert span_ids(store) == [n + 1 for n in range(500)]


class Overtaken:
    """A store that another ingester wrote before this one's first flush."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.overtaken = threading.Event()

    def flush(self) -> int:
        if not self.overtaken.is_set():
            self._store.drop()
            rows = {"spans": SpanDecoder(DEFAULT_PROMOTED).decode([payload(0, 10)])}
            self._store.buffer(rows, {Partition("traces"): Reach(0, 1)})
            self._store.flush()
            self.overtaken.set()
            raise Fenced("another ingester wrote it")
        return self._store.flush()

    def drop(self) -> None:
        self._store.drop()

    def position(self, partition: Partition) -> int:
        return self._store.position(partition)

    def buffer(self, tables: Mapping[str, pa.Table], reached: Mapping[Partition, Reach]) -> None:
        self._store.buffer(tables, reached)

    def buffered_rows(self) -> int:
        return self._store.buffered_rows()

    def committed(self, partition: Partition) -> int:
        return self._store.committed(partition)

    def archive(self, spans: pa.Table) -> None:
        self._store.archive(spans)


def test_rows_that_another_ingester_wrote_are_dropped_and_the_rest_is_read_again(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    append(bus, payload(0, 10))
    append(bus, payload(10, 10))
    overtaken = Overtaken(store)
    with running(bus, overtaken, QUICK, metrics, tmp_path):
        until(overtaken.overtaken.is_set)
        append(bus, payload(20, 10))
        until(lambda: store.committed(Partition("traces")) == 3)
    assert span_ids(store) == [n + 1 for n in range(30)]
    assert metrics.registry.get_sample_value("vigla_ingester_fenced_total") == 1


def test_stop_gives_up_on_a_flush_that_fails(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    with running(bus, Unreliable(store), NEVER, metrics, tmp_path):
        append(bus, payload(0, 10))
        until(lambda: len(span_ids(store)) == 10)
    assert store.committed(Partition("traces")) == 0


@pytest.mark.parametrize("topic", ["logs"])
def test_other_topics_are_left_alone(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path, topic: str
) -> None:
    with running(bus, store, QUICK, metrics, tmp_path):
        asyncio.run(bus.append(topic, b"anything"))  # type: ignore[arg-type]
        append(bus, payload(0, 10))
        until(lambda: store.committed(Partition("traces")) == 1)
    assert bus.end(Partition(topic)) == 1
    assert store.committed(Partition(topic)) == 0


def test_access_logs_and_spans_go_their_ways(
    bus: LocalBus, store: MemoryStore, metrics: Metrics, tmp_path: Path
) -> None:
    def append_logs(*payloads: bytes) -> None:
        for body in payloads:
            asyncio.run(bus.append("access_logs", body))

    with running(bus, store, QUICK, metrics, tmp_path):
        first = admit(http_entries(0, 10, into=identified()).SerializeToString(), b"")
        append_logs(first.record, GARBAGE)
        append(bus, payload(0, 10))
        append_logs(admit(http_entries(10, 5).SerializeToString(), first.identifier).record)
        until(lambda: store.committed(Partition("access_logs")) == 3)
        until(lambda: store.committed(Partition("traces")) == 1)
    rows = store.sql("SELECT request_id, node FROM access_logs", QueryContext()).to_pylist()
    assert sorted(row["request_id"] for row in rows) == sorted(f"r{n}" for n in range(15))
    assert {row["node"] for row in rows} == {"sidecar~1"}
    assert len(list((tmp_path / "dead").glob("access_logs-*.bin"))) == 1
    assert metrics.registry.get_sample_value("vigla_ingester_access_logs_total") == 15
    with running(bus, store, QUICK, metrics, tmp_path):
        append_logs(admit(http_entries(15, 1).SerializeToString(), first.identifier).record)
        until(lambda: store.committed(Partition("access_logs")) == 4)
    assert store.sql("SELECT count(*) AS n FROM access_logs", QueryContext()).to_pylist() == [{"n": 16}]
