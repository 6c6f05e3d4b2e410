"""The bus: a durable, ordered log of protocol payloads for each partition of each topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from vigla.model.partitions import Partition

Topic = Literal["traces", "logs", "metrics", "access_logs", "remote_write"]
TOPICS: tuple[Topic, ...] = ("traces", "logs", "metrics", "access_logs", "remote_write")

NOWHERE = Partition("")


@dataclass(frozen=True, slots=True)
class Record:
    """One payload as it was accepted.

    Attributes:
        offset: position in its partition; offsets only grow. The local bus's are dense.
        payload: the protocol's own bytes, uncompressed but for remote write (its snappy is part of it).
        partition: where the bus has it.
    """

    offset: int
    payload: bytes
    partition: Partition = NOWHERE


class Producer(Protocol):
    """The collector's side."""

    async def append(self, topic: Topic, payload: bytes, key: bytes = b"") -> int | None:
        """Append one payload and return its offset, where it is known already, once it is durable.

        Args:
            topic: of the payload's kind.
            payload: the protocol's bytes.
            key: payloads of one key are kept in one partition, in order; without one, anywhere.

        Raises:
            Overloaded: the topic's backlog or the disk is full; nothing was appended.
        """

    def problem(self, topic: Topic) -> str:
        """Why appends to ``topic`` are refused now, empty when they are not; for readiness."""


class Consumer(Protocol):
    """The ingester's side. Blocking calls; one thread a topic.

    Where to read is the caller's knowledge: the lake has the offsets, in the transactions of the rows.
    """

    def partitions(self, topic: Topic) -> frozenset[Partition]:
        """The partitions that this consumer is to read now; others of its group read the rest.

        They bear the name of the log that they are of, which need not be the topic's.
        """

    def poll(
        self, topic: Topic, positions: Mapping[Partition, int], *, max_bytes: int, timeout_s: float
    ) -> Sequence[Record]:
        """Records of some partitions, those of each in order from its position on.

        Waits up to ``timeout_s`` for the first, then gives ``[]``. At least one record is returned when there
        is one, even if larger than ``max_bytes``. Records below the first kept offset are gone: the read
        starts at the first kept one. The same holds behind a gap that damage left, so go on from the last
        record's offset, not by the number of records.

        Args:
            topic: to read.
            positions: the offset to read on from, by partition; those that are not this consumer's any more
                give nothing.
            max_bytes: payload bytes over all partitions.
            timeout_s: seconds.
        """

    def commit(self, partition: Partition, offset: int) -> None:
        """Everything below ``offset`` is in the lake: its space may be freed."""

    def end(self, partition: Partition) -> int:
        """The offset behind the last known record; ``end - committed`` is the lag."""


class Bus(Producer, Consumer, Protocol):
    """Both sides."""

    def close(self) -> None:
        """Finish what was appended and release files and connections."""
