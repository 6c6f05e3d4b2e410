"""Reading from Kafka: the group gives the partitions, the lake the offsets.

aiokafka speaks the group protocol's eager form only: at each rebalance all partitions are given up and most
of them given back, by its sticky assignor. That costs a pause and no work, for what an ingester has buffered
of a partition that it keeps stays valid, and it reads on behind it.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from vigla.bus.api import Record, Topic
from vigla.bus.kafka.connection import connection
from vigla.bus.kafka.formats import payload_of
from vigla.bus.kafka.topics import OwnTopics, Source
from vigla.errors import BadInput
from vigla.model.partitions import Partition
from vigla.settings import KafkaSettings

log = logging.getLogger(__name__)

RETRY_S = 1.0
FETCH_BYTES = 1024 * 1024  # of one partition at a time; a larger record comes alone
HEARTBEATS = 3  # in a session timeout


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record of which nothing was made.

    Attributes:
        record: as Kafka has it.
        reason: what is wrong with it.
    """

    record: Record
    reason: str


@dataclass(slots=True)
class Polled:
    """What a poll gave: records to decode, and those whose format is wrong, which are empty there."""

    records: list[Record] = field(default_factory=list)
    undecodable: list[Undecodable] = field(default_factory=list)


class KafkaConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """A member of the group that reads one kind of payload. For one event loop.

    Args:
        settings: of Kafka.
        topic: the kind of payload.
        sources: the Kafka topics that have it; those of others may be made later.
        topics: made before anything is read.

    Attributes:
        assigned: the partitions that are this member's.
        problem: why nothing can be read now, empty when it can.
    """

    def __init__(
        self, settings: KafkaSettings, topic: Topic, sources: Sequence[Source], topics: OwnTopics
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._topic = topic
        self._sources = {source.name: source for source in sources}
        self._consumer: AIOKafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}
        self.assigned: frozenset[Partition] = frozenset()
        self.problem = ""

    async def poll(self, positions: Mapping[Partition, int], timeout_s: float) -> Polled:
        """See ``Consumer.poll``; of each partition at most what one fetch brings."""
        try:
            consumer = await self._started()
            places = self._seek(consumer, positions)
            if not places:
                await asyncio.sleep(timeout_s)
                return Polled()
            fetched = await consumer.getmany(*places, timeout_ms=int(timeout_s * 1000))
        except IllegalStateError:  # a partition was taken away in between
            self._next.clear()
            return Polled()
        except KafkaError as error:
            self.problem = f"Kafka: {error or type(error).__name__}"
            log.warning("cannot read %s: %s", self._topic, self.problem)
            self._next.clear()
            await asyncio.sleep(RETRY_S)
            return Polled()
        self.problem = ""
        return self._converted(fetched, positions)

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell Kafka how far the lake is, for tools that show lag; nothing is read from there."""
        mine = {TopicPartition(*p): offset for p, offset in offsets.items() if p in self.assigned and offset}
        if self._consumer is None or not mine:
            return
        try:
            await self._consumer.commit(mine)
        except KafkaError as error:
            log.info("offsets of %s not told to Kafka: %s", self._topic, error or type(error).__name__)

    def end(self, partition: Partition) -> int:
        """See ``Consumer.end``; 0 before the first fetch."""
        if self._consumer is None or partition not in self.assigned:
            return 0
        return int(self._consumer.highwater(TopicPartition(*partition)) or 0)

    async def close(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            await self._consumer.stop()
            self._consumer = None

    async def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002  the library's
        """A rebalance begins."""
        self.assigned = frozenset()
        self._next.clear()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """A rebalance has ended; what is assigned is all that is this member's."""
        self._next.clear()
        self.assigned = frozenset(Partition(place.topic, place.partition) for place in assigned)
        log.info("partitions of %s: %s", self._topic, sorted(self.assigned))

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            session_ms = int(self._settings.session_timeout_s * 1000)
            consumer = AIOKafkaConsumer(
                **connection(self._settings),
                group_id=f"{self._settings.group}-{self._topic}",
                group_instance_id=self._settings.instance or None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                partition_assignment_strategy=(StickyPartitionAssignor,),
                session_timeout_ms=session_ms,
                heartbeat_interval_ms=session_ms // HEARTBEATS,
                max_partition_fetch_bytes=FETCH_BYTES,
                metadata_max_age_ms=30_000,
            )
            names = "|".join(map(re.escape, self._sources))
            consumer.subscribe(pattern=f"^({names})$", listener=self)  # names alone would have to exist
            try:
                await self._topics.ensure()
                await consumer.start()
            except KafkaError:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer

    def _seek(self, consumer: AIOKafkaConsumer, positions: Mapping[Partition, int]) -> list[TopicPartition]:
        """Move to the positions, where the last poll did not end there."""
        places = []
        for partition, position in positions.items():
            if partition not in self.assigned:
                continue
            place = TopicPartition(*partition)
            if self._next.get(place) != position:
                consumer.seek(place, position)
                self._next[place] = position
            places.append(place)
        return places

    def _converted(
        self, fetched: Mapping[TopicPartition, Sequence[Any]], positions: Mapping[Partition, int]
    ) -> Polled:
        polled = Polled()
        for place, messages in fetched.items():
            partition, source = Partition(place.topic, place.partition), self._sources[place.topic]
            for message in messages:
                if message.offset < positions[partition]:
                    self._report_anew(partition, message.offset)
                    continue
                value = message.value or b""
                try:
                    payload = value if source.encoding is None else payload_of(source, value)
                except BadInput as error:
                    polled.undecodable.append(
                        Undecodable(Record(message.offset, value, partition), str(error))
                    )
                    payload = b""
                polled.records.append(Record(message.offset, payload, partition))
                self._next[place] = message.offset + 1
        return polled

    def _report_anew(self, partition: Partition, offset: int) -> None:
        self.problem = (
            f"{partition.topic}/{partition.number} has offset {offset}, but the lake is behind a later one:"
            " the topic was made anew. Use a topic of another name"
        )
        log.error("%s", self.problem)
