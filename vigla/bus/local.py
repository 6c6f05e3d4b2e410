"""The embedded bus: a log on this machine's disk, for one process."""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from vigla.bus.api import TOPICS, Record, Topic
from vigla.bus.group_commit import GroupCommit
from vigla.bus.segment import sync_directory
from vigla.bus.topic_log import TopicLog
from vigla.errors import StorageUnavailable
from vigla.model.partitions import Partition
from vigla.settings import BusSettings
from vigla.telemetry.metrics import Metrics


class LocalBus:
    """Both sides of the bus in one process.

    ``directory`` holds a folder of segments for each topic, ``damaged/`` with copies of segments that could
    not be read whole, and ``lock``, which keeps a second process out.
    """

    def __init__(self, directory: Path, settings: BusSettings, metrics: Metrics) -> None:
        """Open the log, made when missing, and cut off what a crash left behind.

        Raises:
            StorageUnavailable: another process has it, or the disk refuses.
        """
        with _explained(directory):
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(directory)
            self._logs: dict[str, TopicLog] = {
                topic: TopicLog(directory / topic, directory / "damaged", topic, settings, metrics)
                for topic in TOPICS
            }
            sync_directory(directory)
            sync_directory(directory.parent)
        self._directory = directory
        self._writers = {
            topic: GroupCommit(topic_log, settings.max_backlog_bytes, topic)
            for topic, topic_log in self._logs.items()
        }

    async def append(self, topic: Topic, payload: bytes, key: bytes = b"") -> int:  # noqa: ARG002  one log
        """See ``Producer.append``."""
        return await self._writers[topic].append(payload)

    def partitions(self, topic: Topic) -> frozenset[Partition]:
        """The only one; see ``Consumer.partitions``."""
        return frozenset({Partition(topic)})

    def poll(
        self, topic: Topic, positions: Mapping[Partition, int], *, max_bytes: int, timeout_s: float
    ) -> Sequence[Record]:
        """See ``Consumer.poll``. Offsets are missing where a damaged segment lost its records.

        Raises:
            StorageUnavailable: the disk cannot be read.
        """
        partition = Partition(topic)
        with _explained(self._directory):
            records = self._logs[topic].poll(positions[partition], max_bytes, timeout_s)
        return [Record(record.offset, record.payload, partition) for record in records]

    def commit(self, partition: Partition, offset: int) -> None:
        """See ``Consumer.commit``. Frees whole segments; the lake keeps the offset itself."""
        self._logs[partition.topic].commit(offset)

    def end(self, partition: Partition) -> int:
        """See ``Consumer.end``."""
        return self._logs[partition.topic].end

    def reserve(self, partition: Partition, offset: int) -> None:
        """Start from the lake's committed offset, before the first append.

        Frees what is below. If the log ends below, because its directory was deleted or lost its end, new
        records go on at ``offset``; at lower ones the ingester would take them for already stored.

        Raises:
            StorageUnavailable: the disk refuses.
        """
        with _explained(self._directory):
            self._logs[partition.topic].reserve(offset)

    def problem(self, topic: Topic) -> str:
        """Why appends to ``topic`` are refused now, empty when they are not; for readiness."""
        return self._logs[topic].problem()

    def close(self) -> None:
        """Finish what was appended, wake waiting polls and release the files."""
        for writer in self._writers.values():
            writer.close()
        for topic_log in self._logs.values():
            topic_log.close()
        os.close(self._lock)


def _lock(directory: Path) -> int:
    file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise StorageUnavailable(
            f"{directory} is in use by another vigla: stop it or choose another storage.path"
        ) from error
    return file


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"cannot use the bus in {directory}: {error}") from error
