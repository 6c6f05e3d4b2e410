"""The names of topics, and the making of those that are missing."""

import asyncio
import logging
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from vigla.bus.api import TOPICS, Topic
from vigla.bus.kafka.connection import connection
from vigla.errors import SettingsError
from vigla.settings import Encoding, KafkaSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """A Kafka topic that is read.

    Attributes:
        name: Kafka's.
        topic: the kind of payload it gives.
        encoding: of its records; None when they are ours, which are taken as they are.
    """

    name: str
    topic: Topic
    encoding: Encoding | None = None


def own_topics(settings: KafkaSettings) -> dict[Topic, str]:
    """Where payloads of each kind are written."""
    return {
        "traces": settings.traces_topic,
        "logs": settings.logs_topic,
        "metrics": settings.metrics_topic,
        "access_logs": settings.access_logs_topic,
        "remote_write": settings.remote_write_topic,
    }


def sources(settings: KafkaSettings) -> tuple[Source, ...]:
    """All that is read.

    Raises:
        SettingsError: a topic is named twice, or an encoding cannot hold its signal.
    """
    own = own_topics(settings)
    found = [Source(own[topic], topic) for topic in TOPICS]
    for each in settings.sources:
        if each.signal != "traces" and not each.encoding.startswith("otlp"):
            raise SettingsError(
                f"kafka.sources: {each.topic}: {each.encoding} holds traces, not {each.signal}"
            )
        found.append(Source(each.topic, each.signal, each.encoding))
    names = [source.name for source in found] + [settings.dead_letter_topic]
    if len(set(names)) < len(names):
        raise SettingsError("kafka: each topic may stand once among the topics and kafka.sources")
    return tuple(found)


class OwnTopics:
    """Our topics, made once by whoever needs them first. For one event loop."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._making = asyncio.Lock()
        self._present = not settings.create_topics

    async def ensure(self) -> None:
        """Return once they are there.

        Raises:
            KafkaError: Kafka is away, or does not allow it.
        """
        async with self._making:
            if not self._present:
                await create_missing(self._settings)
                self._present = True


async def create_missing(settings: KafkaSettings) -> None:
    """Make our topics where there are none, and leave the others as they are.

    Raises:
        KafkaError: Kafka is away, or does not allow it.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        present = set(await admin.list_topics())
        wanted = [*own_topics(settings).values(), settings.dead_letter_topic]
        missing = [_new(name, settings) for name in wanted if name not in present]
        if missing:
            answer = await admin.create_topics(missing)
            for name, code, *_ in answer.topic_errors:
                _raise_for(name, code)
    finally:
        await admin.close()


def _new(name: str, settings: KafkaSettings) -> NewTopic:
    dead = name == settings.dead_letter_topic
    limits = {"max.message.bytes": str(settings.max_record_bytes)}
    if dead:
        limits["retention.bytes"] = str(settings.dead_letter_bytes)
    return NewTopic(
        name, 1 if dead else settings.partitions, settings.replication_factor, topic_configs=limits
    )


def _raise_for(name: str, code: int) -> None:
    error: type[KafkaError] = for_code(code)
    if code and error is not TopicAlreadyExistsError:
        raise error(f"cannot create topic {name}")
    if not code:
        log.info("created Kafka topic %s", name)
