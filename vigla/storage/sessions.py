"""Reading: one cursor a query, each with a consistent view of lake and hot buffer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from vigla.errors import ResultTooLarge
from vigla.storage.api import QueryContext
from vigla.storage.failures import of_query
from vigla.storage.hot import HotBuffer

BATCH_ROWS = 20_480


class Sessions:
    """Cursors of one engine, kept for the next query as opening one and its views costs milliseconds.

    Args:
        connection: of the engine; cursors are opened from it.
        hot: its tables are registered as ``hot_<table>`` in each cursor.
        prepare: creates the views in a new cursor; the ``hot_`` tables exist then.
        pin: a statement that makes the transaction's snapshot definite.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        hot: HotBuffer,
        prepare: Callable[[duckdb.DuckDBPyConnection], None],
        pin: str,
    ) -> None:
        self._connection = connection
        self._hot = hot
        self._prepare = prepare
        self._pin = pin
        self._lock = threading.Lock()
        self._idle: list[duckdb.DuckDBPyConnection] = []

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor inside a read-only transaction."""
        cursor = self._take()
        try:
            with self._hot.frozen() as tables:
                for name, table in tables.items():
                    cursor.register(f"hot_{name}", table)
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                cursor.execute(self._pin).fetchall()
            yield cursor
        except BaseException:
            cursor.close()  # its state is not known
            raise
        cursor.rollback()
        for name in tables:
            cursor.unregister(f"hot_{name}")  # an idle cursor must not hold flushed rows in memory
        with self._lock:
            self._idle.append(cursor)

    def close(self) -> None:
        """Close the idle cursors."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            cursor = self._connection.cursor()
        with self._hot.frozen() as tables:
            for name, table in tables.items():
                cursor.register(f"hot_{name}", table)
        self._prepare(cursor)
        return cursor


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
