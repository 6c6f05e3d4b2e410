"""Appending to Kafka, with acknowledgement by all replicas.

What Kafka does not acknowledge in time is refused, and whether it has it is open, as after a lost
connection. While Kafka is away, or has not acknowledged too much yet, payloads are kept in the spool: they
were given to no connection before, so that none of them is written twice.
"""

import asyncio
import logging
import time

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from vigla.bus.api import Topic
from vigla.bus.kafka.connection import connection
from vigla.bus.kafka.topics import OwnTopics, own_topics
from vigla.errors import Overloaded, PayloadTooLarge
from vigla.settings import KafkaSettings

log = logging.getLogger(__name__)

AWAY_S = 2.0
"""After a failure Kafka is not tried for this long."""
LINGER_MS = 5
BATCH_BYTES = 1024 * 1024
OVERHEAD_BYTES = 1024  # of a record in its batch, with key and headers


class Away(Exception):
    """Kafka cannot be reached, or is behind; the payload was not given to it."""


class KafkaProducer:
    """One idempotent producer for all topics. For one event loop.

    Args:
        settings: of Kafka.
        topics: made before anything is sent.
    """

    def __init__(self, settings: KafkaSettings, topics: OwnTopics) -> None:
        self._settings = settings
        self._topics = topics
        self._names: dict[Topic, str] = own_topics(settings)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._pending = 0
        self._away_until = 0.0
        self.problem = ""

    async def append(self, topic: Topic, payload: bytes, key: bytes) -> int:
        """Send one payload; gives its offset once all replicas in sync have it.

        Raises:
            Away: it was not sent.
            Overloaded: it was sent, and not acknowledged in time.
            PayloadTooLarge: larger than a record may be.
        """
        if len(payload) + OVERHEAD_BYTES > self._settings.max_record_bytes:
            raise PayloadTooLarge(
                f"{len(payload):,} bytes are more than kafka.max_record_bytes: send smaller requests"
            )
        if self._pending + len(payload) > self._settings.max_pending_bytes and self._pending:
            raise Away("Kafka is behind")
        self._pending += len(payload)
        try:
            return await self.send(self._names[topic], payload, key, [])
        finally:
            self._pending -= len(payload)

    async def send(self, name: str, payload: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> int:
        """Send to any topic; see ``append``."""
        producer = await self._started()
        try:
            sent = await producer.send(name, payload, key or None, headers=headers)
        except KafkaError as error:
            raise self._failed(error) from error
        try:
            metadata = await asyncio.wait_for(asyncio.shield(sent), self._settings.send_timeout_s)
        except MessageSizeTooLargeError as error:
            raise PayloadTooLarge(
                f"{len(payload):,} bytes are more than topic {name} takes (its max.message.bytes)"
            ) from error
        except (KafkaError, TimeoutError) as error:
            self._failed(error)
            sent.add_done_callback(_ignored)
            raise Overloaded(f"Kafka did not acknowledge: {_told(error)}", AWAY_S) from error
        self.problem = ""
        return int(metadata.offset)

    async def reachable(self) -> bool:
        """Whether Kafka may be tried now; connects if it was not yet."""
        try:
            await self._started()
        except Away:
            return False
        return True

    async def close(self) -> None:
        """Send what was given and disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def _started(self) -> AIOKafkaProducer:
        if time.monotonic() < self._away_until:
            raise Away(self.problem)
        if self._producer is not None:
            return self._producer
        async with self._starting:
            if self._producer is None:
                self._producer = await self._connected()
            return self._producer

    async def _connected(self) -> AIOKafkaProducer:
        if time.monotonic() < self._away_until:
            raise Away(self.problem)
        producer = AIOKafkaProducer(
            **connection(self._settings),
            enable_idempotence=True,
            acks="all",
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=self._settings.max_record_bytes,
            compression_type=None if self._settings.compression == "none" else self._settings.compression,
            request_timeout_ms=int(self._settings.send_timeout_s * 1000),
        )
        try:
            await self._topics.ensure()
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            raise self._failed(error) from error
        return producer

    def _failed(self, error: Exception) -> Away:
        self.problem = f"Kafka: {_told(error)}"
        self._away_until = time.monotonic() + AWAY_S
        log.warning("%s", self.problem)
        return Away(self.problem)


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


def _ignored(sent: "asyncio.Future[object]") -> None:
    """Take the outcome, which nobody waits for any more."""
    if not sent.cancelled():
        sent.exception()
