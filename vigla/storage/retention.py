"""Which rows are too old, or too many, to keep."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vigla.model.samples import SAMPLE_TABLES
from vigla.storage.inventory import DataFile
from vigla.storage.tables import timestamp, timestamp_ms

HOUR_NS = 3600 * 10**9


class TrustedTime:
    """A "now" that a jump of the wall clock does not move forward, as that would delete everything at once.

    It is the newest time there is evidence for: a stored span's, or an earlier trusted time plus what has
    passed since on the monotonic clock. It is never ahead of the wall clock. After a long stop it lags until
    the first new spans come, which only means that old rows stay until then.
    """

    def __init__(self) -> None:
        self._trusted_ns: int | None = None
        self._at = 0.0

    def update(self, wall_ns: int, monotonic: float, newest_ns: int | None) -> int | None:
        """Now, in Unix nanoseconds; None while there is no evidence at all.

        Args:
            wall_ns: the wall clock.
            monotonic: the monotonic clock, seconds.
            newest_ns: the newest stored time that is not after ``wall_ns``.
        """
        passed = None
        if self._trusted_ns is not None:
            passed = self._trusted_ns + int((monotonic - self._at) * 1e9)
        evidence = [time for time in (passed, newest_ns) if time is not None]
        if not evidence:
            return None
        self._trusted_ns, self._at = min(max(evidence), wall_ns), monotonic
        return self._trusted_ns


def older_than(table: str, cutoff_ns: int) -> sa.Delete:
    """Deletes rows before a time; files that are older as a whole go without being read."""
    ts: sa.ColumnClause[Any] = sa.column("ts")
    in_ms = table in SAMPLE_TABLES
    cutoff = timestamp_ms(cutoff_ns // 10**6) if in_ms else timestamp(cutoff_ns)
    return sa.delete(sa.table(table, ts, schema="lake.main")).where(ts < cutoff)


def excess(files: Sequence[DataFile], other_bytes: int, bound: int) -> list[DataFile]:
    """The files to drop, oldest first, until everything is at most ``bound`` bytes.

    Args:
        files: that may be dropped.
        other_bytes: of the other tables' files.
        bound: bytes.
    """
    total = other_bytes + sum(file.size for file in files)
    dropped: list[DataFile] = []
    for file in sorted(files, key=lambda file: file.max_ns):
        if total <= bound:
            break
        dropped.append(file)
        total -= file.size
    return dropped
