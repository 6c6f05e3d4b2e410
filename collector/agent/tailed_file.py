"""One file that grows: gives whole lines, from a place on."""

import os
from pathlib import Path
from typing import NamedTuple

from collector.agent.places import Place

CHUNK_BYTES = 512 * 1024
LINE_END = b"\n"


class Chunk(NamedTuple):
    """Whole lines, and where the file is once they are kept.

    Attributes:
        too_long: lines longer than ``CHUNK_BYTES``, of which only the end may be among ``lines``.
    """

    lines: list[str]
    place: Place
    too_long: int


class TailedFile:
    """An open file.

    Args:
        path: where it is now.
        place: where to go on, if it is known; from its beginning when the file does not hold that.

    Raises:
        OSError: it cannot be read.

    Attributes:
        path: where it was seen last.
        place: up to where it is done.
        renamed: no longer at a path that is followed, so that its writer leaves it.
        grown_at: monotonic seconds when it was last seen to grow.
    """

    def __init__(self, path: Path, place: Place | None, now: float) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        known = place is not None and place.holds(self._file)
        self.place = place if place is not None and known else Place.at(self._file, 0)
        self.path = path
        self.renamed = False
        self.grown_at = now

    def read(self, *, last: bool) -> Chunk | None:
        """The next whole lines; None when there are none.

        Args:
            last: nothing more will come, so that a last line needs no end.

        Raises:
            OSError: it cannot be read.
        """
        if not self.place.holds(self._file):
            self.place = Place.at(self._file, 0)  # truncated, and written from the start again
        data = os.pread(self._file, CHUNK_BYTES, self.place.position)
        used = data.rfind(LINE_END) + 1
        too_long = not used and len(data) == CHUNK_BYTES
        if last or too_long:
            used = used or len(data)
        if not used:
            return None
        lines = [] if too_long else data[:used].decode(errors="replace").split("\n")
        return Chunk(lines, Place.at(self._file, self.place.position + used), int(too_long))

    def close(self) -> None:
        """Release it."""
        os.close(self._file)
