"""A store without a disk, for tests of what reads and writes stores."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from vigla.model.access_logs import access_log_schema
from vigla.model.partitions import Partition, Reach
from vigla.model.samples import sample_schemas
from vigla.model.spans import Promoted, span_schema, summary_schema
from vigla.storage import sandbox
from vigla.storage.api import Period, Points, QueryContext
from vigla.storage.archive import additions
from vigla.storage.catalog import open_engine
from vigla.storage.columns import conform
from vigla.storage.hot import HotBuffer
from vigla.storage.inventory import DataFile
from vigla.storage.operations import Operation, Operations
from vigla.storage.sample_files import points_of
from vigla.storage.sessions import CursorView, Sessions, run
from vigla.storage.tables import LakeTables, points_query
from vigla.storage.views import create_memory_views

_PIN = "SELECT 1"  # a snapshot of nothing: all tables are frozen when a session opens
_MEMORY_BYTES = 256 * 1024 * 1024


class MemoryStore:
    """A ``vigla.storage.api.Store`` of Arrow tables, read by the same engine through the same statements.

    Args:
        promoted: attributes with a column of their own.

    Attributes:
        promoted: the same.
        tables: for building statements.
    """

    def __init__(self, promoted: tuple[Promoted, ...]) -> None:
        self.promoted = promoted
        self.tables = LakeTables(promoted)
        self._connection = open_engine(_MEMORY_BYTES, threads=1)
        spans = span_schema(promoted)
        self._rows = HotBuffer(
            {
                "spans": spans,
                "traces": summary_schema(),
                "archived_spans": spans,
                "access_logs": access_log_schema(),
                **sample_schemas(),
            }
        )
        self._sessions = Sessions(
            self._connection, self._rows, lambda cursor: create_memory_views(cursor, self.tables), _PIN
        )
        self._operations = Operations(lambda: spans.empty_table().select(["service", "name", "kind"]))
        self._lock = threading.Lock()
        self._buffered = 0
        self._committed: dict[Partition, int] = {}

    def view(self, context: QueryContext) -> AbstractContextManager[CursorView]:
        """One state for several statements; see ``Reader.view``."""
        return self._sessions.view(context)

    def select(self, statement: sa.SelectBase, context: QueryContext) -> pa.Table:
        """Run a statement; see ``Reader.select``."""
        with self.view(context) as view:
            return view.select(statement)

    def points(self, sids: npt.NDArray[np.int64], period: Period, context: QueryContext) -> Points:
        """Samples of series; see ``Reader.points``."""
        return points_of(self.select(points_query(self.tables, sids, period), context))

    def may_have(self, table: str, start_ms: int, end_ms: int) -> bool:  # noqa: ARG002
        """Whether there are rows at all; see ``Reader.may_have``."""
        with self._rows.frozen() as tables:
            return bool(tables[table].num_rows)

    def appended(self, table: str) -> int:
        """Times rows were added; see ``Reader.appended``."""
        return self._rows.appended(table)

    def files(self, table: str) -> Sequence[DataFile]:  # noqa: ARG002  of no table
        """None; see ``Reader.files``."""
        return ()

    def operations(self) -> frozenset[Operation]:
        """Operations; see ``Reader.operations``."""
        return self._operations.all()

    def sql(self, text: str, context: QueryContext) -> pa.Table:
        """Run a user's statement; see ``Reader.sql``."""
        with self._sessions.open() as cursor:
            sandbox.check(cursor, text, self.tables.names)
            return run(cursor, text, [], context)

    def buffer(self, tables: Mapping[str, pa.Table], reached: Mapping[Partition, Reach]) -> None:
        """Make rows visible; see ``Writer.buffer``."""
        if "spans" in tables:
            self._operations.add(conform(tables["spans"], span_schema(self.promoted)))
        self._rows.append(tables, reached)
        with self._lock:
            self._buffered += sum(table.num_rows for table in tables.values())

    def flush(self) -> int:
        """Count what was buffered as moved; see ``Writer.flush``."""
        with self._lock:
            moved, self._buffered = self._buffered, 0
            part = self._rows.seal()
            self._committed = {partition: reach.end for partition, reach in part.reached.items()}
        return moved

    def drop(self) -> None:
        """Forget what was not flushed; see ``Writer.drop``."""
        with self._lock:
            self._rows.drop(sealed=False)
            self._buffered = 0

    def buffered_rows(self) -> int:
        """Rows not flushed; see ``Writer.buffered_rows``."""
        return self._buffered

    def committed(self, partition: Partition) -> int:
        """First offset that was not flushed; see ``Writer.committed``."""
        return self._committed.get(partition, 0)

    def position(self, partition: Partition) -> int:
        """First offset that was not buffered; see ``Writer.position``."""
        return self._rows.position(partition, 0)

    def archive(self, spans: pa.Table) -> None:
        """Keep spans for good; see ``Writer.archive``."""
        given = conform(spans, span_schema(self.promoted))
        with self._lock:
            with self._rows.frozen() as tables:
                present = tables["archived_spans"]
            self._rows.append({"archived_spans": additions(self._connection, given, present)}, {})

    def close(self) -> None:
        """Forget everything; see ``Store.close``."""
        self._sessions.close()
        self._connection.close()
