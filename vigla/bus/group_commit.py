"""One write and one sync for all payloads that wait at the same time."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from vigla.bus.topic_log import TopicLog
from vigla.errors import Overloaded

log = logging.getLogger(__name__)

GROUP_BYTES = 16 * 1024 * 1024
"""A larger group makes the first of it wait for a long write and saves no further sync worth it."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    payload: bytes
    loop: asyncio.AbstractEventLoop
    offset: asyncio.Future[int]


class GroupCommit:
    """Appends to one topic's log from any event loop; a thread of its own writes and syncs."""

    def __init__(self, topic_log: TopicLog, max_backlog_bytes: int, name: str) -> None:
        self._log = topic_log
        self._max_backlog_bytes = max_backlog_bytes
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._queued_bytes = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"bus {name}", daemon=True)
        self._thread.start()

    async def append(self, payload: bytes) -> int:
        """See ``Producer.append``. Cancelling it leaves open whether the payload is appended."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(payload, loop, loop.create_future())
        with self._lock:
            if self._closed:
                raise Overloaded("bus is closed")
            if self._log.size + self._queued_bytes + len(payload) > self._max_backlog_bytes:
                raise Overloaded("bus backlog is full")
            self._queued_bytes += len(payload)
            self._queue.put(waiting)
        return await waiting.offset

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            group, last = self._next_group()
            if group:
                self._write(group)

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        """What waits, at least one, and whether it is the end."""
        group: list[_Waiting] = []
        size = 0
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            size += len(waiting.payload)
            if size >= GROUP_BYTES:
                return group, False
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _write(self, group: Sequence[_Waiting]) -> None:
        payloads = [waiting.payload for waiting in group]
        try:
            outcome: int | Overloaded = self._log.append(payloads)
        except Overloaded as error:
            log.warning("bus: %d payloads refused: %s", len(group), error)
            outcome = error
        with self._lock:
            self._queued_bytes -= sum(map(len, payloads))
        for loop in {waiting.loop for waiting in group}:
            with suppress(RuntimeError):  # the loop was closed with its appends still waiting
                loop.call_soon_threadsafe(_resolve, loop, group, outcome)


def _resolve(loop: asyncio.AbstractEventLoop, group: Sequence[_Waiting], outcome: int | Overloaded) -> None:
    """Answer the waiting appends of this loop; those of clients that went away are done already."""
    for place, waiting in enumerate(group):
        if waiting.loop is not loop or waiting.offset.done():
            continue
        if isinstance(outcome, Overloaded):
            waiting.offset.set_exception(Overloaded(str(outcome), outcome.retry_after_s))
        else:
            waiting.offset.set_result(outcome + place)
