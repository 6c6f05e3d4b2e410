"""Rows that readers see already and the disk has not yet."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from vigla.errors import Fenced
from vigla.model.partitions import Partition, Reach
from vigla.storage.columns import conform

FAN_IN = 8
"""Chunks of a table that become one."""


@dataclass(slots=True)
class Part:
    """Rows by table, and the stretches of the bus they are of."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    reached: dict[Partition, Reach] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows over all tables."""
        return sum(table.num_rows for table in self.tables.values())

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write, not even an offset."""
        return not self.tables and not self.reached


class HotBuffer:
    """Two parts: the open one takes new rows, the sealed one is being written. Readers see both.

    Args:
        schemas: columns by table name.
        stored: where the lake ends.
    """

    def __init__(
        self, schemas: Mapping[str, pa.Schema], stored: Mapping[Partition, int] | None = None
    ) -> None:
        self._stored = dict(stored or {})
        self._schemas = dict(schemas)
        self._empty = {name: schema.empty_table() for name, schema in schemas.items()}
        self._lock = threading.Lock()
        self._open = Part()
        self._sealed = Part()
        self._appended = dict.fromkeys(schemas, 0)

    @contextmanager
    def frozen(self) -> Iterator[dict[str, pa.Table]]:
        """What is visible now, by table; nothing is added or taken away while inside.

        A reader starts its transaction inside, and a flush commits inside ``emptying``: so a reader finds a
        row here or in the lake, never in both.
        """
        with self._lock:
            yield {name: self._visible(name) for name in self._schemas}

    def append(self, tables: Mapping[str, pa.Table], reached: Mapping[Partition, Reach]) -> None:
        """Add rows to the open part.

        Raises:
            Fenced: the rows do not go on where their partition's ``position`` is; nothing was added.
        """
        ready = {name: conform(table, self._schemas[name]) for name, table in tables.items()}
        with self._lock:
            known = {partition: self._position(partition) for partition in reached}
            extended({partition: Reach(end, end) for partition, end in known.items()}, reached)
            self._open.reached = extended(self._open.reached, reached)
            for name, table in ready.items():
                present = self._open.tables.get(name)
                self._open.tables[name] = table if present is None else _joined(present, table)
                self._appended[name] += table.num_rows > 0

    def appended(self, name: str) -> int:
        """How often rows were added to a table."""
        with self._lock:
            return self._appended[name]

    def rows(self) -> int:
        """Rows in both parts."""
        with self._lock:
            return self._open.rows + self._sealed.rows

    def seal(self) -> Part:
        """Close the open part for writing and start a new one.

        What is sealed already, because it could not be written, is part of it. One thread seals and empties.
        """
        with self._lock:
            tables = {name: self._visible(name) for name in self._sealed.tables | self._open.tables}
            self._sealed = Part(tables, self._reached())
            self._open = Part()
            return self._sealed

    @contextmanager
    def emptying(self) -> Iterator[None]:
        """Forget the sealed part when the body, its commit, has succeeded."""
        with self._lock:
            yield
            self._stored |= {partition: reach.end for partition, reach in self._sealed.reached.items()}
            self._sealed = Part()

    def drop(self, *, sealed: bool = True) -> None:
        """Forget what was buffered, or only the open part."""
        with self._lock:
            self._open = Part()
            if sealed:
                self._sealed = Part()

    def stored(self, partition: Partition) -> int:
        """Where the lake ends, as far as this is known here."""
        with self._lock:
            return self._stored.get(partition, 0)

    def position(self, partition: Partition, stored: int) -> int:
        """The first offset behind what is buffered and ``stored``, which is where the lake ends now."""
        with self._lock:
            if partition not in self._reached():
                self._stored[partition] = stored
            return self._position(partition)

    def _position(self, partition: Partition) -> int:
        reach = self._reached().get(partition)
        return self._stored.get(partition, 0) if reach is None else reach.end

    def _reached(self) -> dict[Partition, Reach]:
        return extended(self._sealed.reached, self._open.reached)

    def _visible(self, name: str) -> pa.Table:
        parts = [part.tables[name] for part in (self._sealed, self._open) if name in part.tables]
        if not parts:
            return self._empty[name]
        return pa.concat_tables(parts) if len(parts) > 1 else parts[0]


def extended(before: Mapping[Partition, Reach], after: Mapping[Partition, Reach]) -> dict[Partition, Reach]:
    """The stretches of both.

    Raises:
        Fenced: one of ``after`` does not begin where its partition's of ``before`` ends.
    """
    both = dict(before)
    for partition, reach in after.items():
        known = before.get(partition, Reach(reach.start, reach.start))
        if known.end != reach.start:
            raise Fenced(
                f"rows of {partition.topic}/{partition.number} begin at offset {reach.start},"
                f" but the rows before them end at {known.end}"
            )
        both[partition] = Reach(known.start, reach.end)
    return both


def _joined(present: pa.Table, added: pa.Table) -> pa.Table:
    """Both, in chunks: n appends copy each row log8(n) times and leave some 7 log8(n) chunks."""
    if added.num_rows == 0:
        return present
    whole: list[pa.RecordBatch] = present.to_batches()
    for batch in added.to_batches():
        whole.append(batch)
        while (alike := _alike(whole)) >= FAN_IN:
            whole[-alike:] = [pa.concat_batches(whole[-alike:])]
    return pa.Table.from_batches(whole, present.schema)


def _alike(batches: list[pa.RecordBatch]) -> int:
    """How many of the last batches are not much larger than the last one."""
    largest = FAN_IN * batches[-1].num_rows // 2
    count = 0
    for batch in reversed(batches):
        if batch.num_rows > largest:
            break
        count += 1
    return count
