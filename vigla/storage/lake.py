"""The lake: DuckLake tables of Parquet files, and the hot buffer before them."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

import pyarrow as pa
import sqlalchemy as sa

from vigla.clock import Clock
from vigla.model.access_logs import access_log_schema
from vigla.model.partitions import Partition, Reach
from vigla.model.samples import sample_schemas
from vigla.model.spans import Promoted, span_schema, summary_schema
from vigla.settings import StorageSettings
from vigla.storage import offsets, sandbox
from vigla.storage.api import Period, Points, QueryContext
from vigla.storage.archive import additions
from vigla.storage.catalog import data_directory, open_catalog
from vigla.storage.columns import conform
from vigla.storage.commits import Commits
from vigla.storage.failures import of_read, of_write
from vigla.storage.hot import HotBuffer, Part
from vigla.storage.inventory import DataFile
from vigla.storage.migrations import migrate, promote
from vigla.storage.operations import COLUMNS, MAX_OPERATIONS, Operation, Operations
from vigla.storage.recovery import remove_orphans
from vigla.storage.sample_files import NS_PER_MS, Ints, SampleFiles, among, joined, points_of
from vigla.storage.sessions import CursorView, Sessions, run
from vigla.storage.tables import LakeTables, points_query
from vigla.storage.views import create_lake_views, create_stored_views
from vigla.telemetry.metrics import Metrics

_PIN = "FROM lake.current_snapshot()"


class Lake:
    """A ``vigla.storage.api.Store`` in one directory, owned by this process until ``close``.

    Args:
        settings: directory, and the engine's bounds.
        promoted: attributes with a column of their own; columns are added as needed.
        metrics: where to count.
        clock: source of time.

    Attributes:
        promoted: ``promoted``, and what earlier settings promoted in this lake.
        tables: for building statements.
        commits: for maintenance.

    Raises:
        StorageUnavailable: the directory cannot be used, or another process holds its catalog.
        SettingsError: an attribute is promoted with another type than before.
    """

    def __init__(
        self, settings: StorageSettings, promoted: tuple[Promoted, ...], metrics: Metrics, clock: Clock
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        directory = data_directory(settings.path.resolve())
        self._connection = open_catalog(settings)
        self.commits = Commits(self._connection, directory)
        with self._closing_on_failure(), of_write("open the lake"):
            migrate(self._connection)
            self.promoted = promote(self._connection, promoted)
            remove_orphans(self._connection, directory)
            stored = offsets.newest(self._connection)
        self.tables = LakeTables(self.promoted)
        self._schemas = {
            "spans": span_schema(self.promoted),
            "traces": summary_schema(),
            "archived_spans": span_schema(self.promoted),
            "access_logs": access_log_schema(),
            **sample_schemas(),
        }
        self._hot = HotBuffer(
            {name: s for name, s in self._schemas.items() if name != "archived_spans"}, stored
        )
        self._sessions = Sessions(
            self._connection,
            self._hot,
            lambda cursor: create_lake_views(cursor, self.tables),
            _PIN,
            lambda cursor: create_stored_views(cursor, self.tables),
        )
        self._operations = Operations(self._stored_operations)
        self._archiving = threading.Lock()
        self._flushing = threading.Lock()  # what is sealed is written once
        self._samples = SampleFiles(settings.sample_cache_bytes)

    def view(self, context: QueryContext) -> AbstractContextManager[CursorView]:
        """One state for several statements; see ``Reader.view``."""
        return self._sessions.view(context)

    def select(self, statement: sa.SelectBase, context: QueryContext) -> pa.Table:
        """Run a statement; see ``Reader.select``."""
        with self.view(context) as view:
            return view.select(statement)

    def points(self, sids: Ints, period: Period, context: QueryContext) -> Points:
        """Samples of series; see ``Reader.points``. Files with deleted rows are left to the engine."""
        with self._hot.frozen() as tables:
            hot, files = tables["samples"], self._overlapping("samples", period.start_ms, period.end_ms)
        if any(file.deletions for file in files):
            return points_of(self.select(points_query(self.tables, sids, period), context))
        with of_read():
            parts = self._samples.read(files, sids, period, context)
        if hot.num_rows:
            parts.append(among(points_of(hot, sequence=period.sequence), sids, period))
        return joined(parts)

    def may_have(self, table: str, start_ms: int, end_ms: int) -> bool:
        """Whether files or buffer may have rows; see ``Reader.may_have``."""
        with self._hot.frozen() as tables:
            return bool(tables[table].num_rows) or bool(self._overlapping(table, start_ms, end_ms))

    def appended(self, table: str) -> int:
        """Times rows were added; see ``Reader.appended``."""
        return self._hot.appended(table)

    def files(self, table: str) -> Sequence[DataFile]:
        """Files; see ``Reader.files``."""
        return tuple(self.commits.known_files(table))

    def _overlapping(self, table: str, start_ms: int, end_ms: int) -> list[DataFile]:
        return [
            file
            for file in self.commits.known_files(table)
            if file.max_ns >= start_ms * NS_PER_MS and file.min_ns <= end_ms * NS_PER_MS
        ]

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
            self._operations.add(conform(tables["spans"], self.schema("spans")))
        self._hot.append(tables, reached)
        self._metrics.set("vigla_storage_buffered_rows", self._hot.rows())

    def flush(self) -> int:
        """Move buffered rows to disk; see ``Writer.flush``."""
        with self._flushing:
            return self._flush(self._hot.seal())

    def _flush(self, part: Part) -> int:
        if part.empty:
            return 0
        commits, began = self.commits, self._clock.monotonic()
        with commits.staged(part.tables) as files, commits.transaction(self._hot.emptying) as cursor:
            for table, path in files.items():
                commits.add(cursor, table, path)
            offsets.advance(cursor, part.reached)
        self._metrics.observe("vigla_storage_commit_seconds", self._clock.monotonic() - began)
        self._metrics.set("vigla_storage_buffered_rows", self._hot.rows())
        return part.rows

    def drop(self) -> None:
        """Forget what is buffered; see ``Writer.drop``."""
        with self._flushing:
            self._hot.drop()

    def buffered_rows(self) -> int:
        """Rows not on disk; see ``Writer.buffered_rows``."""
        return self._hot.rows()

    def committed(self, partition: Partition) -> int:
        """First offset that is not in the lake; see ``Writer.committed``."""
        return self._hot.stored(partition)

    def position(self, partition: Partition) -> int:
        """First offset that is not here; see ``Writer.position``."""
        with of_write("read the offsets"), self._connection.cursor() as cursor:
            return self._hot.position(partition, offsets.newest(cursor).get(partition, 0))

    def schema(self, table: str) -> pa.Schema:
        """Columns of a table."""
        return self._schemas[table]

    def forget_operations(self) -> None:
        """Read anew which operations there are, for rows were deleted."""
        self._operations.forget(self._stored_operations)

    def archive(self, spans: pa.Table) -> None:
        """Keep spans for good; see ``Writer.archive``."""
        with self._archiving:  # else two calls for one trace would not see each other's rows
            added = additions(
                self._connection, conform(spans, span_schema(self.promoted)), self._archived(spans)
            )
            with (
                self.commits.staged({"archived_spans": added}) as files,
                self.commits.transaction() as cursor,
            ):
                for table, path in files.items():
                    self.commits.add(cursor, table, path)

    def close(self) -> None:
        """Release catalog and files; see ``Store.close``."""
        self._sessions.close()
        self._connection.close()

    def _stored_operations(self) -> pa.Table:
        columns = [self.tables.spans.c[name] for name in COLUMNS]
        return self.select(sa.select(*columns).distinct().limit(MAX_OPERATIONS), QueryContext())

    @contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        """A lake that cannot be opened must not hold the catalog."""
        try:
            yield
        except BaseException:
            self._connection.close()
            raise

    def _archived(self, spans: pa.Table) -> pa.Table:
        """What the archive has of the same traces."""
        archived = self.tables.archived_spans
        ids = spans.column("trace_id").unique().to_pylist()
        return self.select(sa.select(archived).where(archived.c.trace_id.in_(ids)), QueryContext())
