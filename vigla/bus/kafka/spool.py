"""What was accepted while Kafka was away: a log on this machine's disk, sent on when Kafka is back.

Each batch is sent in a transaction of Kafka's that also holds how far the spool was sent, so that a crash or
a lost answer between the two writes nothing twice.
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from vigla.bus.api import TOPICS, Record, Topic
from vigla.bus.kafka.connection import connection
from vigla.bus.kafka.topics import own_topics
from vigla.bus.local import LocalBus
from vigla.model.partitions import Partition
from vigla.settings import BusSettings, KafkaSettings
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_S = 0.5  # between looks whether something was spooled
RETRY_S = 2.0
BATCH_BYTES = 4 * 1024 * 1024


class Spool:
    """A local bus, and the sending of what is in it.

    Args:
        directory: of the spool.
        bus: bounds of the local bus.
        settings: of Kafka.
        metrics: where to count.
    """

    def __init__(self, directory: Path, bus: BusSettings, settings: KafkaSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._names = own_topics(settings)
        self._log = LocalBus(directory, bus, metrics)
        self._group = f"{settings.group}-spool-{_identity(directory)}"
        self._sent: dict[Topic, int] = {}
        self._closing = asyncio.Event()

    async def append(self, topic: Topic, payload: bytes) -> None:
        """Keep one payload; see ``Producer.append``."""
        await self._log.append(topic, payload)

    def problem(self, topic: Topic) -> str:
        """Why nothing more is taken; see ``Producer.problem``."""
        return self._log.problem(topic)

    async def run(self) -> None:
        """Send what is there and what comes, until closed."""
        while not self._closing.is_set():
            try:
                await self._send_all()
            except (KafkaError, ConnectionError) as error:
                log.warning("spool: not sent to Kafka: %s", str(error) or type(error).__name__)
                await self._pause(RETRY_S)

    async def close(self) -> None:
        """End ``run``, which must be awaited then; what is left is sent after the next start."""
        self._closing.set()

    def release(self) -> None:
        """Release the files, after ``run``."""
        self._log.close()

    async def _send_all(self) -> None:
        while not self._waiting():
            await self._pause(LOOK_S)
            if self._closing.is_set():
                return
        producer = self._producer()
        try:
            await producer.start()  # and thereby end, one way or the other, what an earlier one left open
            await self._learn()
            while not self._closing.is_set() and (waiting := self._waiting()):
                for topic in waiting:
                    await self._send(producer, topic)
        finally:
            await producer.stop()

    def _waiting(self) -> list[Topic]:
        """Topics of which something was not sent."""
        return [topic for topic in TOPICS if self._records(topic, 1)]

    def _records(self, topic: Topic, max_bytes: int) -> Sequence[Record]:
        start = {Partition(topic): self._sent.get(topic, 0)}
        return self._log.poll(topic, start, max_bytes=max_bytes, timeout_s=0)

    async def _send(self, producer: AIOKafkaProducer, topic: Topic) -> None:
        records = await asyncio.to_thread(self._records, topic, BATCH_BYTES)
        if not records:
            return
        end = records[-1].offset + 1
        async with producer.transaction():
            sent = [await producer.send(self._names[topic], record.payload) for record in records]
            await asyncio.gather(*sent)
            await producer.send_offsets_to_transaction({self._place(topic): end}, self._group)
        self._sent[topic] = end
        await asyncio.to_thread(self._log.commit, Partition(topic), end)
        log.info("spool: sent %d records of %s to Kafka", len(records), topic)

    async def _learn(self) -> None:
        """Ask Kafka how far each topic was sent."""
        consumer = AIOKafkaConsumer(
            **connection(self._settings), group_id=self._group, enable_auto_commit=False
        )
        try:
            await consumer.start()
            for topic in TOPICS:
                self._sent[topic] = await consumer.committed(self._place(topic)) or 0
                self._log.commit(Partition(topic), self._sent[topic])
        finally:
            await consumer.stop()

    def _place(self, topic: Topic) -> TopicPartition:
        """Where Kafka keeps the spool's offset: with the topic that it is sent to."""
        return TopicPartition(self._names[topic], 0)

    def _producer(self) -> AIOKafkaProducer:
        compression: Any = None if self._settings.compression == "none" else self._settings.compression
        return AIOKafkaProducer(
            **connection(self._settings),
            transactional_id=self._group,
            max_batch_size=BATCH_BYTES,
            max_request_size=self._settings.max_record_bytes,
            compression_type=compression,
        )

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return


def _identity(directory: Path) -> str:
    """A name of this spool among all of the cluster, kept with it."""
    file = directory / "identity"
    if not file.exists():
        file.write_text(uuid.uuid4().hex)
    return file.read_text()
