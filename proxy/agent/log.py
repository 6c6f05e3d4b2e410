"""Envoy's output, kept in a file that does not grow without end."""

import asyncio
from collections import deque
from pathlib import Path

_CHUNK = 65_536
_MAX_LINE = 65_536
_TAIL_LINES = 50


class EnvoyLog:
    """A file of at most ``limit`` bytes, the one before it, and the last lines in memory."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._limit = limit
        self._rest = b""
        self._file = path.open("ab")
        path.chmod(0o600)

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Keep what comes until the process closes its output."""
        while chunk := await stream.read(_CHUNK):
            self.write(chunk)

    def write(self, chunk: bytes) -> None:
        """Keep some output."""
        if self._file.tell() + len(chunk) > self._limit:
            self._file.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            self._file = self.path.open("ab")
            self.path.chmod(0o600)
        self._file.write(chunk)
        self._file.flush()
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[-_MAX_LINE:]
        self.tail.extend(line.decode(errors="replace") for line in lines)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
