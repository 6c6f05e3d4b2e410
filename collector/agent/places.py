"""Where in which file a tail is: survives renames, restarts, and other files of the same name or number."""

import os
import zlib
from typing import NamedTuple, Self

HEAD_BYTES = 256


class Place(NamedTuple):
    """A position in a file.

    Attributes:
        device, inode: which file.
        position: bytes of it that are done.
        head: CRC-32 of the first ``HEAD_BYTES`` of these, or of all when they are fewer: a file that was
            truncated, or another one with a number that was free again, begins otherwise.
    """

    device: int
    inode: int
    position: int
    head: int

    @classmethod
    def at(cls, file: int, position: int) -> Self:
        """The place in an open file."""
        found = os.fstat(file)
        return cls(found.st_dev, found.st_ino, position, _head(file, position))

    @classmethod
    def parse(cls, text: str) -> Self:
        """From what ``str`` gave."""
        return cls(*map(int, text.split(":")))

    def __str__(self) -> str:
        return ":".join(map(str, self))

    @property
    def file(self) -> tuple[int, int]:
        """Identity of the file while it exists."""
        return self.device, self.inode

    def holds(self, file: int) -> bool:
        """Whether an open file still has what was read up to here."""
        return os.fstat(file).st_size >= self.position and _head(file, self.position) == self.head


def _head(file: int, position: int) -> int:
    return zlib.crc32(os.pread(file, min(position, HEAD_BYTES), 0))
