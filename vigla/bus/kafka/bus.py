"""Both sides of the bus on Kafka, for blocking threads and for any event loop."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from vigla.bus.api import TOPICS, Record, Topic
from vigla.bus.kafka.connection import connection
from vigla.bus.kafka.consumer import KafkaConsumer
from vigla.bus.kafka.dead_letter import KafkaDeadLetters
from vigla.bus.kafka.loop import LoopThread
from vigla.bus.kafka.producer import Away, KafkaProducer
from vigla.bus.kafka.spool import Spool
from vigla.bus.kafka.topics import OwnTopics, sources
from vigla.model.partitions import Partition
from vigla.settings import BusSettings, KafkaSettings
from vigla.telemetry.metrics import Metrics


class KafkaBus:
    """Both sides of the bus, see ``vigla.bus.api.Bus``. Kafka may be away when it is made.

    Args:
        directory: of the spool.
        bus: bounds of the spool.
        settings: of Kafka.
        metrics: where to count.

    Attributes:
        dead_letters: where undecodable records go.

    Raises:
        SettingsError: the settings contradict each other, or a certificate cannot be read.
        StorageUnavailable: the spool's directory cannot be used.
    """

    def __init__(self, directory: Path, bus: BusSettings, settings: KafkaSettings, metrics: Metrics) -> None:
        connection(settings)
        read = sources(settings)
        self._metrics = metrics
        self._spool = Spool(directory, bus, settings, metrics)
        self._loop = LoopThread("bus kafka")
        topics = OwnTopics(settings)
        self._producer = KafkaProducer(settings, topics)
        self._consumers = {
            topic: KafkaConsumer(
                settings, topic, [source for source in read if source.topic == topic], topics
            )
            for topic in TOPICS
        }
        self._committed: dict[Partition, int] = {}
        self.dead_letters = KafkaDeadLetters(self._producer, self._loop, settings, metrics)
        self._drained = threading.Event()
        self._loop.spawn(self._drain())

    async def append(self, topic: Topic, payload: bytes, key: bytes = b"") -> int | None:
        """See ``Producer.append``; gives no offset for what waits in the spool.

        Raises:
            Overloaded: Kafka does not acknowledge, or the spool is full too.
            PayloadTooLarge: larger than a record may be.
        """
        try:
            return await self._loop.await_(self._producer.append(topic, payload, key))
        except Away:
            await self._spool.append(topic, payload)
            self._metrics.add("vigla_bus_spooled_total", topic=topic)
            return None

    def partitions(self, topic: Topic) -> frozenset[Partition]:
        """See ``Consumer.partitions``."""
        return self._consumers[topic].assigned

    def poll(
        self,
        topic: Topic,
        positions: Mapping[Partition, int],
        *,
        max_bytes: int,  # noqa: ARG002  what a fetch brings is bounded by partition
        timeout_s: float,
    ) -> Sequence[Record]:
        """See ``Consumer.poll``. What is of no known format is set aside, and empty in what is given.

        Raises:
            OSError: a dead letter cannot be kept.
        """
        polled = self._loop.call(self._consumers[topic].poll(positions, timeout_s))
        for each in polled.undecodable:
            self.dead_letters.put(topic, each.record, each.reason)
            self._metrics.add("vigla_ingester_undecodable_total", topic=topic)
        return polled.records

    def commit(self, partition: Partition, offset: int) -> None:
        """See ``Consumer.commit``; Kafka frees nothing by it, but its tools show the lag."""
        if self._committed.get(partition) == offset:
            return
        self._committed[partition] = offset
        for topic, consumer in self._consumers.items():
            if partition in consumer.assigned:
                self._loop.spawn(consumer.commit({partition: offset}))
                lag = sum(max(0, self.end(p) - self._committed.get(p, 0)) for p in consumer.assigned)
                self._metrics.set("vigla_bus_lag_records", lag, topic=topic)

    def end(self, partition: Partition) -> int:
        """See ``Consumer.end``."""
        return max(consumer.end(partition) for consumer in self._consumers.values())

    def problem(self, topic: Topic) -> str:
        """See ``Producer.problem``; Kafka being away is one only once the spool is full."""
        return self._spool.problem(topic)

    def close(self) -> None:
        """See ``Bus.close``."""
        self._loop.call(self._spool.close())
        self._drained.wait()
        for consumer in self._consumers.values():
            self._loop.call(consumer.close())
        self._loop.call(self._producer.close())
        self._loop.close()
        with suppress(OSError):
            self._spool.release()

    async def _drain(self) -> None:
        try:
            await self._spool.run()
        finally:
            self._drained.set()
