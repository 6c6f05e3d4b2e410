"""A topic's log on disk: segments appended to by one thread, read and deleted by another."""

import errno
import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vigla.bus import damage
from vigla.bus.api import Record, Topic
from vigla.bus.segment import Damaged, Reader, Segment, frames, path_of, segments_in, sync_directory
from vigla.errors import Overloaded
from vigla.settings import BusSettings
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

SCAN_BYTES = 8 * 1024 * 1024
SEGMENTS_IN_BACKLOG = 4
"""Only whole segments are freed: a backlog of fewer would stay full with what is committed."""
DISK_RETRY_S = 5.0  # an operator or a flush has to make room, which takes longer than a passing peak


class TopicLog:
    """Segments of one topic.

    Records are given to readers only when they are synced: one that a crash may take back could otherwise be
    in the lake under an offset that is then used again.
    """

    def __init__(
        self, directory: Path, damaged: Path, topic: Topic, settings: BusSettings, metrics: Metrics
    ) -> None:
        """Open the log; a torn end is cut off.

        Args:
            directory: of this topic's segments; made when missing.
            damaged: directory that damaged segments are copied to.
            topic: for messages and metrics.
            settings: sizes and bounds.
            metrics: counters and gauges.
        """
        self._directory = directory
        self._damaged = damaged
        self._topic = topic
        self._settings = settings
        self._metrics = metrics
        self._segment_bytes = min(settings.segment_bytes, settings.max_backlog_bytes // SEGMENTS_IN_BACKLOG)
        self._changed = threading.Condition()
        self._closed = False
        directory.mkdir(parents=True, exist_ok=True)
        self._segments = segments_in(directory) or [self._create(0)]
        self._committed = self._segments[0].base
        self._reader = Reader(self._segments[-1])
        self._next = self._recover()
        self._file = os.open(self._active.path, os.O_WRONLY | os.O_CLOEXEC)
        self._distrusted = False
        self._report()

    @property
    def end(self) -> int:
        """The offset that the next append gets."""
        return self._next

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(segment.size for segment in tuple(self._segments))

    @property
    def _active(self) -> Segment:
        return self._segments[-1]

    def append(self, payloads: Sequence[bytes]) -> int:
        """Write records, sync them, and return the offset of the first. Called by one thread.

        Raises:
            Overloaded: the disk is full or fails; nothing was appended.
        """
        try:
            self._keep_disk_floor()
            if self._active.size >= self._segment_bytes or self._distrusted:
                self._roll(self._next)
            data = frames(self._next, payloads)
            _write(self._file, data, self._active.size)
            self._sync()
        except OSError as error:
            self._take_back()
            raise Overloaded(f"bus cannot write: {error.strerror}", DISK_RETRY_S) from error
        with self._changed:
            first, self._next = self._next, self._next + len(payloads)
            self._active.size += len(data)
            self._report()
            self._changed.notify_all()
        return first

    def poll(self, offset: int, max_bytes: int, timeout_s: float) -> list[Record]:
        """See ``Consumer.poll``."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not (records := self._read(offset, max_bytes)):
                left = deadline - time.monotonic()
                if self._closed or left <= 0:
                    return []
                self._changed.wait(left)
            return records

    def commit(self, offset: int) -> None:
        """Delete the segments that hold nothing from ``offset`` on; the newest stays."""
        with self._changed:
            self._committed = max(self._committed, min(offset, self._next))
            while len(self._segments) > 1 and self._segments[1].base <= offset:
                _delete(self._segments.pop(0).path)
            self._report()

    def reserve(self, offset: int) -> None:
        """Let no new record get an offset below this one, nor keep what is below. Before the first append."""
        with self._changed:
            if offset > self._next:
                log.warning(
                    "bus: %s ends at %d but the lake has all below %d; going on from there",
                    self._topic,
                    self._next,
                    offset,
                )
                self._roll(offset)
                self._next = offset
        self.commit(offset)

    def close(self) -> None:
        """Release the files; a waiting poll returns."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._reader.close()
            os.close(self._file)

    # Reading

    def _read(self, offset: int, max_bytes: int) -> list[Record]:
        """Records from ``offset`` on, or from the first kept one behind it."""
        while offset < self._next:
            index = self._holding(offset)
            segment = self._segments[index]
            if self._closed:
                return []
            if self._reader.segment is not segment:
                self._reader.close()
                self._reader = Reader(segment)
            offset = max(offset, segment.base)
            try:
                records = self._reader.seek(offset, max_bytes) or self._reader.read(max_bytes)
            except Damaged as found:
                if segment is self._active:
                    self._leave_active(found)
                    return []
                self._set_aside(segment, found)
                continue
            if records or segment is self._active:
                return records
            self._skip_to(self._segments[index + 1].base, segment)
            offset = self._segments[index + 1].base
        return []

    def _holding(self, offset: int) -> int:
        """Index of the segment that has ``offset``, else of the first one."""
        later = (n for n, segment in enumerate(self._segments) if segment.base > offset)
        return max(0, next(later, len(self._segments)) - 1)

    def _skip_to(self, base: int, segment: Segment) -> None:
        lost = base - self._reader.offset
        if lost:
            log.error("bus: %d records of %s behind damage in %s are lost", lost, self._topic, segment.path)
            self._metrics.add("vigla_bus_lost_records_total", lost, topic=self._topic)

    # Damage

    def _recover(self) -> int:
        """Cut the newest segment behind its last whole record; gives the offset that comes next."""
        try:
            while self._reader.read(SCAN_BYTES):
                pass
        except Damaged as found:
            if damage.record_follows(self._active, self._reader.position):
                self._copy_aside(self._active)
            log.warning(
                "bus: end of %s cut by %d bytes: %s",
                self._topic,
                self._active.size - self._reader.position,
                found,
            )
            self._cut(self._active)
        return self._reader.offset

    def _leave_active(self, found: Damaged) -> None:
        """Have the writer go on in another segment; what is damaged is set aside once it is no longer its."""
        if not self._distrusted:
            log.error("bus: damage in the open segment of %s: %s", self._topic, found)
        self._distrusted = True

    def _set_aside(self, segment: Segment, found: Damaged) -> None:
        """Keep a copy of the damaged segment; it goes on with the records before the damage."""
        log.error("bus: damaged segment of %s: %s", self._topic, found)
        self._copy_aside(segment)
        with suppress(OSError):  # the size in memory holds until the next start, which finds the damage again
            self._cut(segment)

    def _copy_aside(self, segment: Segment) -> None:
        damage.copy_aside(segment, self._damaged, f"{self._topic}-{segment.path.name}")

    def _cut(self, segment: Segment) -> None:
        self._metrics.add("vigla_bus_damaged_total", topic=self._topic)
        segment.size = self._reader.position
        os.truncate(segment.path, segment.size)

    # Writing

    def problem(self) -> str:
        """Why appends are refused now, empty when they are not."""
        if self.size >= self._settings.max_backlog_bytes:
            return f"the backlog of {self._topic} is full"
        try:
            self._keep_disk_floor()
        except OSError as error:
            return str(error.strerror)
        return ""

    def _keep_disk_floor(self) -> None:
        disk = os.statvfs(self._directory)
        if disk.f_bavail * disk.f_frsize < self._settings.min_free_bytes:
            raise OSError(errno.ENOSPC, "disk has less than bus.min_free_bytes free")

    def _sync(self) -> None:
        begun = time.perf_counter()
        os.fsync(self._file)
        self._metrics.observe("vigla_bus_fsync_seconds", time.perf_counter() - begun)

    def _take_back(self) -> None:
        """Remove what a failed write left.

        After a failed sync the kernel may take lost pages for written ones, so that a later sync of the same
        file would succeed wrongly: the next record goes to another file.
        """
        self._distrusted = True
        with suppress(OSError):
            os.ftruncate(self._file, self._active.size)

    def _roll(self, base: int) -> None:
        """Append to a new segment from now on."""
        segment = self._create(base)
        file = os.open(segment.path, os.O_WRONLY | os.O_CLOEXEC)
        os.close(self._file)
        self._file = file
        self._distrusted = False
        with self._changed:
            if self._active.base == base:
                self._segments[-1] = segment
            else:
                self._segments.append(segment)

    def _create(self, base: int) -> Segment:
        path = path_of(self._directory, base)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640))
        sync_directory(self._directory)
        return Segment(path, base, 0)

    def _report(self) -> None:
        self._metrics.set("vigla_bus_lag_records", self._next - self._committed, topic=self._topic)
        self._metrics.set("vigla_bus_backlog_bytes", self.size, topic=self._topic)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("bus: cannot delete %s, tried again at the next start: %s", path, error)


def _write(file: int, data: bytes, position: int) -> None:
    """Write all; a nearly full disk takes a part first and fails at the next call."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, position)
        view, position = view[written:], position + written
