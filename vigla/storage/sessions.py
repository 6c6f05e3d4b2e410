"""Reading: one cursor a view, each with a consistent state of lake and hot buffer."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from vigla.errors import ResultTooLarge
from vigla.storage.api import QueryContext
from vigla.storage.failures import of_query
from vigla.storage.hot import HotBuffer
from vigla.storage.statements import compiled

BATCH_ROWS = 20_480


@dataclass(frozen=True, slots=True)
class CursorView:
    """A ``vigla.storage.api.View``: a cursor inside its transaction."""

    cursor: duckdb.DuckDBPyConnection
    context: QueryContext

    def select(self, statement: sa.SelectBase) -> pa.Table:
        """Run a statement; see ``View.select``."""
        text, values = compiled(statement)
        return run(self.cursor, text, values, self.context)


class Sessions:
    """Cursors of one engine, kept for the next query as opening one and its views costs milliseconds.

    Args:
        connection: of the engine; cursors are opened from it.
        hot: its tables are registered as ``hot_<table>`` in each cursor.
        prepare: creates the views in a new cursor; the ``hot_`` tables exist then.
        pin: a statement that makes the transaction's snapshot definite.
        prepare_stored: creates views without the ``hot_`` tables, for the time when the buffer is empty:
            an empty table still costs each statement 3 ms. None: there is nothing but the buffer.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        hot: HotBuffer,
        prepare: Callable[[duckdb.DuckDBPyConnection], None],
        pin: str,
        prepare_stored: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    ) -> None:
        self._connection = connection
        self._hot = hot
        self._prepare = prepare
        self._pin = pin
        self._prepare_stored = prepare_stored
        self._lock = threading.Lock()
        self._idle: dict[bool, list[duckdb.DuckDBPyConnection]] = {True: [], False: []}

    @contextmanager
    def view(self, context: QueryContext) -> Iterator[CursorView]:
        """One state for several statements; see ``Reader.view``."""
        with self.open() as cursor:
            yield CursorView(cursor, context)

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor inside a read-only transaction."""
        with self._hot.frozen() as tables:
            buffered = self._prepare_stored is None or any(table.num_rows for table in tables.values())
            cursor = self._begun(tables if buffered else None)
        try:
            yield cursor
        except BaseException:
            cursor.close()  # its state is not known
            raise
        cursor.rollback()
        if buffered:
            for name in tables:
                cursor.unregister(f"hot_{name}")  # an idle cursor must not hold flushed rows in memory
        with self._lock:
            self._idle[buffered].append(cursor)

    def close(self) -> None:
        """Close the idle cursors."""
        with self._lock:
            for cursors in self._idle.values():
                while cursors:
                    cursors.pop().close()

    def _begun(self, hot: Mapping[str, pa.Table] | None) -> duckdb.DuckDBPyConnection:
        """A cursor in a new transaction; ``hot`` None: that reads the lake alone."""
        with self._lock:
            idle = self._idle[hot is not None]
            cursor = idle.pop() if idle else None
        ready = cursor is not None
        cursor = cursor or self._connection.cursor()
        try:
            for name, table in (hot or {}).items():
                cursor.register(f"hot_{name}", table)
            if not ready:
                self._prepare_new(cursor, buffered=hot is not None)
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            cursor.execute(self._pin).fetchall()
        except BaseException:
            cursor.close()
            raise
        return cursor

    def _prepare_new(self, cursor: duckdb.DuckDBPyConnection, *, buffered: bool) -> None:
        if self._prepare_stored is None or buffered:
            self._prepare(cursor)
        else:
            self._prepare_stored(cursor)


def run(cursor: duckdb.DuckDBPyConnection, text: str, values: list[Any], context: QueryContext) -> pa.Table:
    """Execute one statement within the bounds of ``context``.

    Raises:
        QueryStopped: interrupted, too many rows, or out of memory.
        QueryError: the statement is wrong for the data.
    """
    with of_query(context.stop), context.stop.interrupting(cursor.interrupt):
        reader = cursor.execute(text, values).to_arrow_reader(BATCH_ROWS)
        batches: list[pa.RecordBatch] = []
        rows = 0
        for batch in reader:
            rows += batch.num_rows
            if rows > context.max_rows:
                raise ResultTooLarge(f"the answer has more than {context.max_rows:,} rows: narrow the query")
            batches.append(batch)
            context.stop.check()
        return pa.Table.from_batches(batches, reader.schema)
