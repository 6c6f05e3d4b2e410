"""Records that cannot be decoded go to a topic of their own, up to a bound."""

import logging
import time

from vigla.bus.api import Record, Topic
from vigla.bus.kafka.loop import LoopThread
from vigla.bus.kafka.producer import Away, KafkaProducer
from vigla.errors import Overloaded, PayloadTooLarge
from vigla.settings import KafkaSettings
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

HOUR_S = 3600.0
MAX_REASON = 1000


class KafkaDeadLetters:
    """Writes the record as it was; the headers say where it stood and what is wrong with it.

    The headers are ``vigla-topic``, ``vigla-partition``, ``vigla-offset``, ``vigla-signal`` and
    ``vigla-reason``.

    Args:
        producer: of the loop.
        loop: where it runs.
        settings: topic and bound.
        metrics: where to count.
    """

    def __init__(
        self, producer: KafkaProducer, loop: LoopThread, settings: KafkaSettings, metrics: Metrics
    ) -> None:
        self._producer = producer
        self._loop = loop
        self._settings = settings
        self._metrics = metrics
        self._left = settings.dead_letter_bytes
        self._since = time.monotonic()

    def put(self, topic: Topic, record: Record, reason: str) -> None:
        """Keep one record, or count that there was no room for it.

        Raises:
            OSError: Kafka does not take it now.
        """
        if not self._room(len(record.payload)):
            self._metrics.add("vigla_bus_dead_letters_dropped_total", topic=topic)
            return
        headers = [
            ("vigla-topic", record.partition.topic.encode()),
            ("vigla-partition", b"%d" % record.partition.number),
            ("vigla-offset", b"%d" % record.offset),
            ("vigla-signal", topic.encode()),
            ("vigla-reason", reason[:MAX_REASON].encode()),
        ]
        sending = self._producer.send(self._settings.dead_letter_topic, record.payload, b"", headers)
        try:
            self._loop.call(sending)
        except (Away, Overloaded) as error:
            raise ConnectionError(str(error)) from error
        except PayloadTooLarge as error:
            log.warning("dead letter dropped: %s", error)
            self._metrics.add("vigla_bus_dead_letters_dropped_total", topic=topic)

    def _room(self, size: int) -> bool:
        now = time.monotonic()
        if now - self._since > HOUR_S:
            self._since, self._left = now, self._settings.dead_letter_bytes
        if size > self._left:
            return False
        self._left -= size
        return True
