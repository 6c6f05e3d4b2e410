"""One file of a topic's log: frames of a fixed header and a payload, named by the first offset.

A frame is ``length`` (u32), ``checksum`` (u32), ``offset`` (u64), all little-endian, then ``length`` bytes of
payload. The checksum is CRC-32 over offset, length and payload, so that a frame of zeroes, as file systems
leave them after a power cut, is not taken for a record, nor one that an earlier use of the file left behind.
"""

import os
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from isal import isal_zlib

from vigla.bus.api import Record

HEADER = struct.Struct("<IIQ")
_SEED = struct.Struct("<QI")
_NAME = re.compile(r"(\d{20})\.log")


class Damaged(Exception):
    """What stands at the reader's place is no record."""


@dataclass(slots=True)
class Segment:
    """A file of the log.

    Attributes:
        base: offset of its first record, present or to come.
        size: bytes of it that hold whole, synced frames.
    """

    path: Path
    base: int
    size: int


def path_of(directory: Path, base: int) -> Path:
    """Where the segment that starts at ``base`` is kept."""
    return directory / f"{base:020d}.log"


def segments_in(directory: Path) -> list[Segment]:
    """The segments of a topic in order; other files are ignored."""
    found = ((_NAME.fullmatch(path.name), path) for path in directory.iterdir())
    segments = [Segment(path, int(match[1]), path.stat().st_size) for match, path in found if match]
    return sorted(segments, key=lambda segment: segment.base)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power cut."""
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def frames(base: int, payloads: Iterable[bytes]) -> bytes:
    """Frames of consecutive records, ready to be written."""
    parts: list[bytes] = []
    for offset, payload in enumerate(payloads, base):
        parts += (HEADER.pack(len(payload), _checksum(offset, payload), offset), payload)
    return b"".join(parts)


def _checksum(offset: int, payload: bytes) -> int:
    return isal_zlib.crc32(payload, isal_zlib.crc32(_SEED.pack(offset, len(payload))))


class Parsed(NamedTuple):
    """What a stretch of a file held.

    Attributes:
        used: bytes that the records take.
        missing: bytes that the next frame needs beyond the stretch; 0 when nothing of it is there.
        intact: whether the parse ended for want of bytes, and not at something else than a record.
    """

    records: list[Record]
    used: int
    missing: int
    intact: bool


def parse(data: bytes, offset: int) -> Parsed:
    """Read frames from the start of ``data``, the first of which should be ``offset``'s."""
    records: list[Record] = []
    position = 0
    while position + HEADER.size <= len(data):
        length, checksum, found = HEADER.unpack_from(data, position)
        begin, end = position + HEADER.size, position + HEADER.size + length
        if found != offset:
            return Parsed(records, position, 0, intact=False)
        if end > len(data):
            return Parsed(records, position, end - len(data), intact=True)
        payload = data[begin:end]
        if _checksum(offset, payload) != checksum:
            return Parsed(records, position, 0, intact=False)
        records.append(Record(offset, payload))
        position, offset = end, offset + 1
    missing = HEADER.size - (len(data) - position) if position < len(data) else 0
    return Parsed(records, position, missing, intact=True)


class Reader:
    """A place in a segment that moves forward as records are read.

    Attributes:
        position: bytes of the file that were read as whole records.
        offset: of the record that comes next.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.position = 0
        self.offset = segment.base
        self._file = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)

    def seek(self, offset: int, max_bytes: int) -> list[Record]:
        """Go to ``offset``; gives the records at and behind it that were read on the way.

        Raises:
            Damaged: what stands before it is no record.
        """
        if offset < self.offset:
            self.position, self.offset = 0, self.segment.base
        while self.offset < offset:
            passed = self.read(max_bytes)
            if not passed or passed[-1].offset >= offset:
                return [record for record in passed if record.offset >= offset]
        return []

    def read(self, max_bytes: int) -> list[Record]:
        """The next records, with one read of the file; none at its end.

        At least one record is given when there is one, even if larger than ``max_bytes``.

        Raises:
            Damaged: what comes next is no record.
        """
        left = self.segment.size - self.position
        data = os.pread(self._file, min(max(max_bytes, HEADER.size), left), self.position)
        parsed = parse(data, self.offset)
        if not parsed.records and 0 < parsed.missing <= left - len(data):
            data += os.pread(self._file, parsed.missing, self.position + len(data))
            parsed = parse(data, self.offset)
        if not parsed.records and (data or left):
            raise Damaged(f"no record {self.offset} at byte {self.position} of {self.segment.path}")
        self.position += parsed.used
        self.offset += len(parsed.records)
        return parsed.records

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)
