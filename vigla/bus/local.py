"""The embedded bus: one log a topic, with one fsync for all appends that wait.

Appends are collected while the disk is busy and written together, so that durability costs one fsync for each
group and not for each request. The event loop never waits for the disk.
"""

import asyncio
import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vigla.bus.api import TOPICS, Record, Topic
from vigla.bus.topic_log import TopicLog
from vigla.errors import Overloaded, StorageUnavailable
from vigla.settings import BusSettings
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

LOCK = "lock"
SPACE_CHECK_S = 0.25  # statvfs once a quarter second: at 200 MB/s the floor is passed by 50 MB at most


@dataclass(frozen=True, slots=True)
class _Waiting:
    topic: Topic
    payload: bytes
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[int]


class LocalBus:
    """Implements ``vigla.bus.api.Bus`` in a directory of this machine, for one process.

    Args:
        directory: made when absent; one folder a topic below it.

    Raises:
        StorageUnavailable: another process has the directory.
    """

    def __init__(self, directory: Path, settings: BusSettings, metrics: Metrics) -> None:
        self._directory = directory
        self._settings = settings
        self._metrics = metrics
        self._lock_file = _lock(directory)
        self._logs = {topic: TopicLog(directory / topic, settings.segment_bytes) for topic in TOPICS}
        self._consumed: dict[Topic, int] = dict.fromkeys(TOPICS, 0)
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = dict.fromkeys(TOPICS, 0)
        self._work = threading.Condition()
        self._closing = False
        self._space_checked_at = 0.0
        self._space_free = 0
        self._writer = threading.Thread(target=self._write_groups, name="bus-writer")
        self._writer.start()

    async def append(self, topic: Topic, payload: bytes) -> int:
        """Append one payload; see ``Producer.append``."""
        self._admit(topic, len(payload))
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        with self._work:
            if self._closing:
                raise Overloaded("the bus is shutting down: retry at another instance or later")
            self._waiting.append(_Waiting(topic, payload, loop, done))
            self._waiting_bytes[topic] += len(payload)
            self._work.notify()
        return await done

    def poll(self, topic: Topic, offset: int, *, max_bytes: int, timeout_s: float) -> Sequence[Record]:
        """Read records; see ``Consumer.poll``."""
        return self._logs[topic].read(offset, max_bytes, timeout_s)

    def commit(self, topic: Topic, offset: int) -> None:
        """Free what is in the lake; see ``Consumer.commit``."""
        self._logs[topic].free(offset)
        self._consumed[topic] = offset
        self._metrics.set("vigla_bus_lag_records", self.end(topic) - offset, topic=topic)
        self._metrics.set("vigla_bus_backlog_bytes", self._logs[topic].backlog_bytes(), topic=topic)

    def end(self, topic: Topic) -> int:
        """Offset that the next append gets."""
        return self._logs[topic].end

    def reserve(self, topic: Topic, offset: int) -> None:
        """Never give out an offset below ``offset``: the lake already counts those as read.

        Called at start, for a log directory that was deleted or restored from an older copy.
        """
        self._logs[topic].reserve(offset)

    def close(self) -> None:
        """Write what waits, then release the files. Idempotent."""
        with self._work:
            if self._closing:
                return
            self._closing = True
            self._work.notify()
        self._writer.join()
        for topic_log in self._logs.values():
            topic_log.close()
        os.close(self._lock_file)

    def _admit(self, topic: Topic, size: int) -> None:
        backlog = self._logs[topic].backlog_bytes() + self._waiting_bytes[topic]
        if backlog + size > self._settings.max_backlog_bytes:
            raise Overloaded(
                f"the backlog of {topic} is full ({backlog} bytes wait for the lake): retry later"
            )
        if self._free_bytes() < self._settings.min_free_bytes:
            raise Overloaded("the disk is nearly full: retry later", retry_after_s=10.0)

    def _free_bytes(self) -> int:
        now = time.monotonic()
        if now - self._space_checked_at > SPACE_CHECK_S:
            self._space_free = shutil.disk_usage(self._directory).free
            self._space_checked_at = now
        return self._space_free

    def _write_groups(self) -> None:
        while True:
            with self._work:
                while not self._waiting and not self._closing:
                    self._work.wait()
                group, self._waiting = self._waiting, []
                self._waiting_bytes = dict.fromkeys(TOPICS, 0)
            if not group:
                return
            for topic in TOPICS:
                mine = [w for w in group if w.topic == topic]
                if mine:
                    self._write(topic, mine)

    def _write(self, topic: Topic, group: Sequence[_Waiting]) -> None:
        begin = time.perf_counter()
        try:
            first = self._logs[topic].write([w.payload for w in group])
        except OSError as error:
            log.error("bus write failed", extra={"topic": topic, "error": str(error)})  # noqa: TRY400 (errno says all)
            refusal = Overloaded(
                f"the log cannot be written ({error.strerror}): retry later", retry_after_s=5.0
            )
            _answer(group, [refusal] * len(group))
            return
        self._metrics.observe("vigla_bus_fsync_seconds", time.perf_counter() - begin)
        _answer(group, range(first, first + len(group)))


def _answer(group: Sequence[_Waiting], answers: Sequence[int | Overloaded]) -> None:
    """Hand each answer to the loop that waits for it, in one call a loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[int], int | Overloaded]]] = {}
    for waiting, answer in zip(group, answers, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.done, answer))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: Sequence[tuple[asyncio.Future[int], int | Overloaded]]) -> None:
    for done, answer in pairs:
        if done.done():  # its client went away; the record stands all the same
            continue
        if isinstance(answer, Overloaded):
            done.set_exception(answer)
        else:
            done.set_result(answer)


def _lock(directory: Path) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    file = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise StorageUnavailable(
            f"{directory} is used by another vigla process: stop it, or set storage.path to another directory"
        ) from error
    return file
