"""One segment: an append-only file of framed records.

Frame: offset (u64), payload length (u32), CRC-32 of offset, length and payload (u32), payload; little-endian.
The file's name is its first offset in twenty digits, so that names sort as offsets.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from vigla.bus.api import Record

HEADER = struct.Struct("<QII")
_CHECKED = struct.Struct("<QI")
SUFFIX = ".log"


def path_of(directory: Path, first_offset: int) -> Path:
    """Path of the segment that starts at this offset."""
    return directory / f"{first_offset:020d}{SUFFIX}"


def first_offset(path: Path) -> int:
    """First offset of a segment, read from its name."""
    return int(path.name.removesuffix(SUFFIX))


def frame_header(offset: int, payload: bytes) -> bytes:
    """The bytes that stand before a payload."""
    return HEADER.pack(offset, len(payload), _checksum(offset, payload))


def _checksum(offset: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_CHECKED.pack(offset, len(payload))))


def frames(data: bytes, expected: int) -> Iterator[tuple[int, Record]]:
    """Whole, intact frames at the start of ``data``, each with the position behind it.

    Ends before the first frame that is cut short, damaged, or not of the expected offset.
    """
    position, offset = 0, expected
    while position + HEADER.size <= len(data):
        stored, length, checksum = HEADER.unpack_from(data, position)
        end = position + HEADER.size + length
        if stored != offset or end > len(data):
            return
        payload = data[position + HEADER.size : end]
        if _checksum(offset, payload) != checksum:
            return
        position, offset = end, offset + 1
        yield position, Record(stored, payload)


def measure(path: Path) -> tuple[int, int]:
    """Scan a whole segment: the offset behind its last intact record, and the byte position behind it."""
    position, offset = 0, first_offset(path)
    for end, record in frames(path.read_bytes(), offset):
        position, offset = end, record.offset + 1
    return offset, position


def sync_directory(directory: Path) -> None:
    """Make the creation or removal of files in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
