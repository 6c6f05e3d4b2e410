"""The bus: a durable, ordered log of protocol payloads for each topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Topic = Literal["traces", "logs", "metrics", "access_logs", "remote_write"]
TOPICS: tuple[Topic, ...] = ("traces", "logs", "metrics", "access_logs", "remote_write")


@dataclass(frozen=True, slots=True)
class Record:
    """One payload as it was accepted.

    Attributes:
        offset: position in its topic; offsets are dense and only grow.
        payload: the protocol's own bytes, uncompressed but for remote write (its snappy is part of it).
    """

    offset: int
    payload: bytes


class Producer(Protocol):
    """The collector's side."""

    async def append(self, topic: Topic, payload: bytes) -> int:
        """Append one payload and return its offset once it is durable.

        Raises:
            Overloaded: the topic's backlog or the disk is full; nothing was appended.
        """


class Consumer(Protocol):
    """The ingester's side. Blocking calls; one consumer a topic."""

    def poll(self, topic: Topic, offset: int, *, max_bytes: int, timeout_s: float) -> Sequence[Record]:
        """Records from ``offset`` on, in order; waits up to ``timeout_s`` for the first, then gives ``[]``.

        At least one record is returned when there is one, even if larger than ``max_bytes``. Records below
        the first kept offset are gone: the read starts at the first kept one. The same holds behind a gap
        that damage left, so go on from the last record's offset, not by the number of records.
        """

    def commit(self, topic: Topic, offset: int) -> None:
        """Everything below ``offset`` is in the lake: its space may be freed."""

    def end(self, topic: Topic) -> int:
        """The offset that the next append gets; ``end - committed`` is the lag."""


class Bus(Producer, Consumer, Protocol):
    """Both sides, as the local bus gives them in one process."""

    def close(self) -> None:
        """Finish what was appended and release the files."""
