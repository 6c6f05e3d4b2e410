"""What the lake offers: writing for the ingester, reading for the query engines.

Two implementations run the same statements: ``lake.Lake`` (DuckLake on disk) and ``memory.MemoryStore``
(Arrow tables in DuckDB). One behaviour suite, ``tests/contracts``, runs over both.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from vigla.errors import DeadlineExceeded, QueryCancelled
from vigla.model.partitions import Partition, Reach
from vigla.storage.inventory import DataFile

StopReason = Literal["deadline", "cancelled"]


class Stop:
    """Ends a running query: by its deadline, or because its client went away. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: StopReason | None = None
        self._interrupt: Callable[[], None] | None = None

    def stop(self, reason: StopReason) -> None:
        """Interrupt what runs now and refuse what comes later. The first reason counts."""
        with self._lock:
            self._reason = self._reason or reason
            if self._interrupt is not None:
                self._interrupt()

    def check(self) -> None:
        """Raise DeadlineExceeded or QueryCancelled if the query was stopped."""
        if self._reason == "deadline":
            raise DeadlineExceeded("the query ran past its deadline: narrow its time range or add filters")
        if self._reason == "cancelled":
            raise QueryCancelled("the client went away")

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """While inside, ``stop`` calls ``interrupt`` (of the connection that executes)."""
        with self._lock:
            self._interrupt = interrupt
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._interrupt = None


@dataclass(frozen=True, slots=True)
class QueryContext:
    """Bounds of one query; every reading call takes one.

    Attributes:
        stop: ends the query early.
        max_rows: rows the answer may have; one more raises ResultTooLarge.
    """

    stop: Stop = field(default_factory=Stop)
    max_rows: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Points:
    """N samples.

    Attributes:
        sids: int64 [N], of their series.
        times: int64 [N], milliseconds since the epoch.
        values: float64 [N].
        seqs: int64 [N]; of several of one series and time the greatest counts; -1: not known; None: of none,
            or it was not asked.
        starts: int64 [N], when the counter began; 0: not known; None: of none.
    """

    sids: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    seqs: npt.NDArray[np.int64] | None
    starts: npt.NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class Period:
    """Which samples of series are read.

    Attributes:
        start_ms, end_ms: the first and the last time, both included.
        sequence: ``seq`` is needed too.
    """

    start_ms: int
    end_ms: int
    sequence: bool = False


class View(Protocol):
    """One consistent state of lake and buffer; for one thread."""

    def select(self, statement: sa.SelectBase) -> pa.Table:
        """Run a statement over ``vigla.storage.tables`` and return its rows.

        Raises:
            QueryStopped: stopped, or more than ``QueryContext.max_rows`` rows.
            QueryError: the statement is wrong for the data (for example a failed cast).
        """


class Reader(Protocol):
    """Reading: blocking calls, safe from any thread; each sees one consistent state of lake and buffer."""

    def view(self, context: QueryContext) -> AbstractContextManager[View]:
        """A state that several statements read, which spares each the cost of finding it."""

    def select(self, statement: sa.SelectBase, context: QueryContext) -> pa.Table:
        """Run one statement in a view of its own; see ``View.select``."""

    def points(self, sids: npt.NDArray[np.int64], period: Period, context: QueryContext) -> Points:
        """Samples of these series (sorted), in any order.

        Raises:
            QueryStopped: as for ``select``.
        """

    def may_have(self, table: str, start_ms: int, end_ms: int) -> bool:
        """False: the table has no row in this range."""

    def appended(self, table: str) -> int:
        """How often rows were added to a table since the store was opened."""

    def files(self, table: str) -> Sequence[DataFile]:
        """What a table consists of on disk, earliest ``ts`` first; nothing of what is only in memory."""

    def operations(self) -> frozenset[tuple[str, str, int]]:
        """Service, span name and span kind of every operation that the lake has or lately had."""

    def sql(self, text: str, context: QueryContext) -> pa.Table:
        """Run one read-only statement that a user wrote (see ``vigla.storage.sandbox``) and return its rows.

        Raises:
            QueryError: not one SELECT, names what it may not read, or fails; the message is the engine's.
            QueryStopped: as for ``select``.
        """


class Writer(Protocol):
    """Writing: one thread a topic buffers; any may flush and archive."""

    def buffer(self, tables: Mapping[str, pa.Table], reached: Mapping[Partition, Reach]) -> None:
        """Make rows visible to readers at once, before they are on disk.

        Args:
            tables: rows by lake table name (``spans``, ``access_logs``, ``samples`` ..), columns as in
                ``vigla.model``.
            reached: the stretch of each partition that the rows are of.

        Raises:
            Fenced: a stretch does not begin at the partition's ``position``; nothing was buffered.
        """

    def flush(self) -> int:
        """Move all buffered rows and the newest offsets to disk in one transaction; returns the rows moved.

        For a reader, a row is in the buffer or in the lake, never in both and never in neither.

        Raises:
            StorageUnavailable: nothing was committed; the rows stay in the buffer, the call may be repeated.
            Fenced: another writer wrote some of it; nothing was committed, nor will be before ``drop``.
        """

    def drop(self) -> None:
        """Forget what is buffered. Every partition is to be read on from its ``position``."""

    def buffered_rows(self) -> int:
        """Rows that wait for ``flush``, over all tables."""

    def committed(self, partition: Partition) -> int:
        """The first offset that this writer knows not to be in the lake; 0 at first."""

    def position(self, partition: Partition) -> int:
        """The first offset that is neither buffered nor, whoever wrote it, in the lake.

        Raises:
            StorageUnavailable: the catalog cannot be read.
        """

    def archive(self, spans: pa.Table) -> None:
        """Keep these spans in ``archived_spans``, out of retention's reach, without doubles."""


class Store(Reader, Writer, Protocol):
    """Both sides, as one process has them."""

    def close(self) -> None:
        """Release the catalog and the files. What was buffered and not flushed is read again from the bus."""
