"""Reading all that is on a bus, as an ingester does."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vigla.bus.api import Consumer, Record, Topic
from vigla.bus.kafka.bus import KafkaBus
from vigla.model.partitions import Partition
from vigla.settings import BusSettings, KafkaSettings
from vigla.telemetry.metrics import Metrics

PATIENCE_S = 60.0
MIB = 2**20


def read(
    bus: Consumer, count: int, topic: Topic = "traces", positions: Mapping[Partition, int] | None = None
) -> list[Record]:
    """At least so many records, from the positions on, else from the beginning."""
    known = dict(positions or {})
    records: list[Record] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(records) < count:
        assert time.monotonic() < deadline, f"{len(records)} of {count} records"
        places = {partition: known.get(partition, 0) for partition in bus.partitions(topic)}
        found = bus.poll(topic, places, max_bytes=MIB, timeout_s=0.1)
        known |= {record.partition: record.offset + 1 for record in found}
        records += found
    return records


@contextmanager
def kafka_bus(path: Path, settings: KafkaSettings, metrics: Metrics | None = None) -> Iterator[KafkaBus]:
    """A bus, closed at the end."""
    bus = KafkaBus(path, BusSettings(min_free_bytes=0), settings, metrics or Metrics())
    try:
        yield bus
    finally:
        bus.close()
