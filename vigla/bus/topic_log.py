"""The log of one topic: a folder of segments, written at its end and read from any kept offset."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from vigla.bus import segment
from vigla.bus.api import Record

log = logging.getLogger(__name__)

TORN = ".torn"


class TopicLog:
    """Segments of one topic. Written by one thread, read by another; a lock guards what both see.

    Args:
        directory: folder of the topic; made when absent.
        segment_bytes: a segment is closed at this size.
    """

    def __init__(self, directory: Path, segment_bytes: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._readable = threading.Condition()
        self._firsts: list[int] = []
        self._bytes: dict[int, int] = {}  # size of the intact part of each segment
        self._end = 0
        self._cursor = (0, 0, 0)  # first offset of a segment, a byte position in it, the offset there
        self._recover()
        self._file = self._open_last()

    @property
    def end(self) -> int:
        """Offset of the next record."""
        return self._end

    def backlog_bytes(self) -> int:
        """Bytes of all kept segments."""
        with self._readable:
            return sum(self._bytes.values())

    def write(self, payloads: Sequence[bytes]) -> int:
        """Append payloads durably; returns the offset of the first.

        Raises:
            OSError: nothing was appended: the file is as before.
        """
        if self._bytes[self._firsts[-1]] >= self._segment_bytes:
            self._roll()
        first = self._firsts[-1]
        start, size = self._end, self._bytes[first]
        parts = [part for i, p in enumerate(payloads) for part in (segment.frame_header(start + i, p), p)]
        try:
            _write_all(self._file, parts)
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            os.lseek(self._file, size, os.SEEK_SET)
            raise
        with self._readable:
            self._bytes[first] = size + sum(map(len, parts))
            self._end = start + len(payloads)
            self._readable.notify_all()
        return start

    def read(self, offset: int, max_bytes: int, timeout_s: float) -> Sequence[Record]:
        """Records from ``offset`` on; waits for the first. See ``bus.api.Consumer.poll``."""
        deadline = time.monotonic() + timeout_s
        with self._readable:
            while offset >= self._end:
                left = deadline - time.monotonic()
                if left <= 0 or not self._readable.wait(left):
                    return []
            firsts, sizes = list(self._firsts), dict(self._bytes)
        offset = max(offset, firsts[0])
        start = max(f for f in firsts if f <= offset)
        for first in firsts[firsts.index(start) :]:  # the second and later only where one before was damaged
            found = self._read_segment(first, sizes[first], max(offset, first), max_bytes)
            if found:
                return found
        return []

    def free(self, offset: int) -> None:
        """Delete the segments that hold only records below ``offset``; the newest segment stays."""
        with self._readable:
            doomed = [a for a, b in zip(self._firsts, self._firsts[1:], strict=False) if b <= offset]
            for first in doomed:
                self._firsts.remove(first)
                del self._bytes[first]
        for first in doomed:
            segment.path_of(self._directory, first).unlink()

    def reserve(self, offset: int) -> None:
        """Start the next record at ``offset`` or later."""
        if offset > self._end:
            log.warning("log restarts behind the lake's offset", extra={"from": self._end, "to": offset})
            self._end = offset
            self._roll()

    def close(self) -> None:
        """Close the file that is written."""
        os.close(self._file)

    def _read_segment(self, first: int, size: int, offset: int, max_bytes: int) -> Sequence[Record]:
        at_first, position, at = self._cursor
        if at_first != first or at > offset:
            position, at = 0, first
        path = segment.path_of(self._directory, first)
        window = max(max_bytes, segment.HEADER.size)
        found: list[Record] = []
        with path.open("rb") as file:
            while position < size and not found:
                file.seek(position)
                data = file.read(min(window, size - position))
                ends = list(segment.frames(data, at))
                if not ends:
                    if window >= size - position:
                        break  # damaged after start: nothing intact follows
                    window *= 4
                    continue
                position += ends[-1][0]
                at = ends[-1][1].offset + 1
                found = [record for _, record in ends if record.offset >= offset]
        self._cursor = (first, position, at)
        return found

    def _recover(self) -> None:
        firsts = sorted(map(segment.first_offset, self._directory.glob(f"*{segment.SUFFIX}")))
        for first in firsts:
            path = segment.path_of(self._directory, first)
            end, size = segment.measure(path)
            self._cut(path, size)
            self._firsts.append(first)
            self._bytes[first] = size
            self._end = end
        if not firsts:
            self._create(0)

    def _cut(self, path: Path, size: int) -> None:
        """Drop what follows the last intact record; it is set aside, for it may be looked into."""
        torn = path.stat().st_size - size
        if torn:
            log.warning("torn tail cut", extra={"segment": str(path), "bytes": torn})
            with path.open("r+b") as file:
                file.seek(size)
                path.with_suffix(TORN).write_bytes(file.read())
                file.truncate(size)
                os.fsync(file.fileno())

    def _create(self, first: int) -> None:
        segment.path_of(self._directory, first).touch()
        segment.sync_directory(self._directory)
        self._firsts.append(first)
        self._bytes[first] = 0

    def _roll(self) -> None:
        with self._readable:
            self._create(self._end)
        os.close(self._file)
        self._file = self._open_last()

    def _open_last(self) -> int:
        first = self._firsts[-1]
        file = os.open(segment.path_of(self._directory, first), os.O_WRONLY)
        os.lseek(file, self._bytes[first], os.SEEK_SET)
        return file


def _write_all(file: int, parts: Sequence[bytes]) -> None:
    data = memoryview(b"".join(parts))
    while data:
        data = data[os.write(file, data) :]
