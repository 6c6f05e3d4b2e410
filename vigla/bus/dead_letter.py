"""Records that cannot be decoded are set aside, for they would otherwise block or vanish."""

import json
import logging
from pathlib import Path

from vigla.bus.api import Record, Topic

log = logging.getLogger(__name__)

PAYLOAD, REASON = ".bin", ".json"


class DeadLetters:
    """A folder of set-aside records, the oldest removed above a size.

    Each is two files named after its place on the bus: ``.bin`` with the payload, ``.json`` with the reason.

    Args:
        directory: made when the first record comes.
        max_bytes: size of all payloads kept.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    def put(self, topic: Topic, record: Record, reason: str) -> None:
        """Keep one record. Idempotent: a record that is read again after a restart replaces itself.

        Raises:
            OSError: the disk refuses.
        """
        name, number = record.partition
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{name}-{number}-{record.offset:020d}{PAYLOAD}"
        path.write_bytes(record.payload)
        path.with_suffix(REASON).write_text(
            json.dumps(
                {
                    "topic": topic,
                    "log": name,
                    "partition": number,
                    "offset": record.offset,
                    "reason": reason,
                }
            )
        )
        log.warning("record set aside", extra={"path": str(path), "reason": reason})
        self._trim()

    def _trim(self) -> None:
        kept = sorted(
            self._directory.glob(f"*{PAYLOAD}"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        )
        size = sum(path.stat().st_size for path in kept)
        for path in kept[:-1]:
            if size <= self._max_bytes:
                return
            size -= path.stat().st_size
            path.unlink()
            path.with_suffix(REASON).unlink(missing_ok=True)
