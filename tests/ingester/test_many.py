"""Several ingesters of one group on Kafka, with one catalog: exactly once through rebalances and pauses."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from ingester.server import Ingester
from tests.bus.kafka.broker import Broker, available, settings_for
from tests.bus.kafka.reading import kafka_bus
from tests.ingester.payloads import payload
from vigla.bus.kafka.bus import KafkaBus
from vigla.clock import SystemClock
from vigla.model.partitions import Partition, Reach
from vigla.model.spans import DEFAULT_PROMOTED, span_schema, summary_schema
from vigla.settings import IngesterSettings
from vigla.storage import offsets
from vigla.storage.hot import HotBuffer
from vigla.telemetry.metrics import Metrics

SETTINGS = IngesterSettings(flush_interval_s=0.05, derived_metrics=False)
PATIENCE_S = 60.0
SPANS = 10  # a payload


@dataclass
class Catalog:
    """What processes have in common: rows and offsets, which change together."""

    offsets: dict[Partition, int] = field(default_factory=dict)
    span_ids: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Process:
    """One process's way to the catalog: its own buffer, and the lake's check in each flush."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._hot = HotBuffer({"spans": span_schema(DEFAULT_PROMOTED), "traces": summary_schema()})
        self.running = threading.Event()  # cleared: no flush gets through, as in a paused process
        self.running.set()

    def buffer(self, tables: Mapping[str, pa.Table], reached: Mapping[Partition, Reach]) -> None:
        self._hot.append(tables, reached)

    def flush(self) -> int:
        part = self._hot.seal()
        self.running.wait()
        with self._catalog.lock:
            offsets.check(self._catalog.offsets, part.reached)
            with self._hot.emptying():
                if "spans" in part.tables:
                    self._catalog.span_ids += part.tables["spans"].column("span_id").to_pylist()
                self._catalog.offsets |= {p: reach.end for p, reach in part.reached.items()}
        return part.rows

    def drop(self) -> None:
        self._hot.drop()

    def position(self, partition: Partition) -> int:
        with self._catalog.lock:
            return self._hot.position(partition, self._catalog.offsets.get(partition, 0))

    def committed(self, partition: Partition) -> int:
        return self._hot.stored(partition)

    def buffered_rows(self) -> int:
        return self._hot.rows()

    def archive(self, spans: pa.Table) -> None:
        raise NotImplementedError


@dataclass
class Member:
    """One ingester and what a test needs of it."""

    bus: KafkaBus
    process: Process
    metrics: Metrics

    @property
    def fenced(self) -> float:
        return self.metrics.registry.get_sample_value("vigla_ingester_fenced_total") or 0.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if not available():
        pytest.skip("no Kafka: `make test` gets it with Maven")
    running = Broker(tmp_path_factory.mktemp("kafka"))
    running.start()
    yield running
    running.stop()


@contextmanager
def member(broker: Broker, name: str, catalog: Catalog, path: Path) -> Iterator[Member]:
    metrics, process = Metrics(), Process(catalog)
    with kafka_bus(path, settings_for(broker, name, partitions=4), metrics) as bus:
        ingester = Ingester(
            bus, process, SETTINGS, DEFAULT_PROMOTED, metrics, SystemClock(), bus.dead_letters
        )
        ingester.start()
        try:
            yield Member(bus, process, metrics)
        finally:
            process.running.set()
            ingester.stop()


def append(bus: KafkaBus, first: int, count: int) -> None:
    async def send() -> None:
        bodies = (payload(n * SPANS, SPANS) for n in range(first, first + count))
        await asyncio.gather(*(bus.append("traces", body) for body in bodies))

    asyncio.run(send())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def exactly(catalog: Catalog, payloads: int) -> None:
    until(lambda: len(catalog.span_ids) >= payloads * SPANS)
    assert sorted(catalog.span_ids) == [n + 1 for n in range(payloads * SPANS)]


def test_members_that_come_and_go_lose_and_double_nothing(broker: Broker, tmp_path: Path) -> None:
    catalog, sent = Catalog(), 0
    with member(broker, "come-and-go", catalog, tmp_path / "first") as first:
        for n in range(3):
            with member(broker, "come-and-go", catalog, tmp_path / str(n)) as other:
                append(first.bus, sent, 40)
                until(lambda: bool(other.bus.partitions("traces")))
                append(first.bus, sent + 40, 40)
                sent += 80
        append(first.bus, sent, 40)
        exactly(catalog, sent + 40)


def test_one_that_was_paused_past_its_session_writes_nothing_that_others_wrote(
    broker: Broker, tmp_path: Path
) -> None:
    catalog = Catalog()
    with member(broker, "paused", catalog, tmp_path / "a") as paused:
        append(paused.bus, 0, 20)
        exactly(catalog, 20)
        paused.process.running.clear()
        append(paused.bus, 20, 40)
        until(lambda: paused.process.buffered_rows() >= 40 * SPANS)
        with member(broker, "paused", catalog, tmp_path / "b") as other:
            until(lambda: len(other.bus.partitions("traces")) == 2)
            append(other.bus, 60, 40)
            until(lambda: len(catalog.span_ids) > 20 * SPANS)
            time.sleep(0.2)  # the longer, the more of the paused one's rows the other has written
            paused.process.running.set()
            exactly(catalog, 100)
        assert paused.fenced >= 1
        append(paused.bus, 100, 20)
        exactly(catalog, 120)
