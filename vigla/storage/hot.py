"""Rows that readers see already and the disk has not yet."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from vigla.storage.columns import conform

FAN_IN = 8
"""Chunks of a table that become one."""


@dataclass(slots=True)
class Part:
    """Rows by table, and the bus offsets they reach to."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows over all tables."""
        return sum(table.num_rows for table in self.tables.values())

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write, not even an offset."""
        return not self.tables and not self.offsets


class HotBuffer:
    """Two parts: the open one takes new rows, the sealed one is being written. Readers see both.

    Args:
        schemas: columns by table name.
    """

    def __init__(self, schemas: Mapping[str, pa.Schema]) -> None:
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

    def append(self, tables: Mapping[str, pa.Table], offsets: Mapping[str, int]) -> None:
        """Add rows to the open part."""
        ready = {name: conform(table, self._schemas[name]) for name, table in tables.items()}
        with self._lock:
            for name, table in ready.items():
                present = self._open.tables.get(name)
                self._open.tables[name] = table if present is None else _joined(present, table)
                self._appended[name] += table.num_rows > 0
            self._open.offsets.update(offsets)

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
            self._sealed = Part(tables, self._sealed.offsets | self._open.offsets)
            self._open = Part()
            return self._sealed

    @contextmanager
    def emptying(self) -> Iterator[None]:
        """Forget the sealed part when the body, its commit, has succeeded."""
        with self._lock:
            yield
            self._sealed = Part()

    def _visible(self, name: str) -> pa.Table:
        parts = [part.tables[name] for part in (self._sealed, self._open) if name in part.tables]
        if not parts:
            return self._empty[name]
        return pa.concat_tables(parts) if len(parts) > 1 else parts[0]


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
