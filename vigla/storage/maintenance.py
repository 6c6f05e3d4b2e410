"""Keeps the lake small and quick, in the background: merges, retention, clean-up."""

import logging
import os
import sys
import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa

from vigla.clock import Clock
from vigla.errors import StorageUnavailable
from vigla.model.samples import SAMPLE_TABLES
from vigla.settings import StorageSettings
from vigla.storage import offsets
from vigla.storage.api import QueryContext
from vigla.storage.lake import Lake
from vigla.storage.merge import SAMPLE_TARGET_ROWS, TARGET_ROWS, dropping, merge, plan, weight
from vigla.storage.retention import HOUR_NS, TrustedTime, excess, older_than
from vigla.storage.statements import compiled
from vigla.storage.tables import time_value
from vigla.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

TABLES = ("spans", "traces", "archived_spans", "access_logs", *SAMPLE_TABLES)
SIZED = (
    "spans",
    "access_logs",
    "samples",
    "histograms",
    "exemplars",
)  # what retention by size drops, oldest first
AGED = (*SIZED, "traces", "series", "metric_metadata")
NICENESS = 10  # merges use what decoding and queries leave

# The newest snapshot stays; running readers have the catalog's state of when they began, so none needs older.
_EXPIRE = "CALL ducklake_expire_snapshots('lake', older_than => CAST(? AS TIMESTAMPTZ))"
_INLINED = "SELECT table_name FROM __ducklake_metadata_lake.ducklake_inlined_data_tables"
_CLEAN_UP = "CALL ducklake_cleanup_old_files('lake', older_than => CAST(? AS TIMESTAMPTZ))"


class Maintenance:
    """One thread that maintains a lake.

    Args:
        lake: what to maintain.
        settings: intervals and bounds.
        clock: source of time.
        metrics: where to count.
    """

    def __init__(self, lake: Lake, settings: StorageSettings, clock: Clock, metrics: Metrics) -> None:
        self._lake = lake
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._time = TrustedTime()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance")

    def start(self) -> None:
        """Run in the background until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the merge that is being done and return."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def run_once(self) -> None:
        """Do now what the thread does at its intervals.

        Raises:
            StorageUnavailable: the disk or the catalog refuses; what was done before stands.
        """
        self._merge()
        self._clean()

    def _run(self) -> None:
        _be_nice()
        cleaned = self._clock.monotonic()
        while not self._stopping.wait(self._settings.merge_interval_s):
            try:
                self._merge()
                if self._clock.monotonic() - cleaned >= self._settings.maintenance_interval_s:
                    cleaned = self._clock.monotonic()
                    self._clean()
            except StorageUnavailable:
                log.exception("maintenance failed, it is repeated")

    def _merge(self) -> None:
        for table in TABLES:
            schema = self._lake.schema(table)
            target = SAMPLE_TARGET_ROWS if "sid" in schema.names else TARGET_ROWS
            for group in plan(self._lake.commits.files(table), weight, target):
                if self._stopping.is_set():
                    return
                merge(self._lake.commits, table, schema, group)
                self._metrics.add("vigla_storage_merged_files_total", len(group))
                pa.default_memory_pool().release_unused()

    def _clean(self) -> None:
        self._retain_by_age()
        self._retain_by_size()
        with self._lake.commits.transaction() as cursor:
            offsets.trim(cursor)
        self._remove_replaced()
        self._metrics.set(
            "vigla_storage_bytes", sum(f.size for t in TABLES for f in self._lake.commits.files(t))
        )

    def _remove_replaced(self) -> None:
        """Remove what no reader can need any more. The engine's own clock wrote the times to compare with."""
        with self._lake.commits.autocommit() as cursor:
            cursor.execute(_EXPIRE, [datetime.now(UTC).isoformat()]).fetchall()
            before = datetime.now(UTC) - timedelta(seconds=self._settings.snapshot_grace_s)
            cursor.execute(_CLEAN_UP, [before.isoformat()]).fetchall()
            for (name,) in cursor.execute(_INLINED).fetchall():
                cursor.execute(*compiled(_ended(name)))

    def _retain_by_age(self) -> None:
        now_ns = self._time.update(self._clock.now_ns(), self._clock.monotonic(), self._newest_ns())
        if self._settings.retention_hours and now_ns is not None:
            cutoff_ns = now_ns - int(self._settings.retention_hours * HOUR_NS)
            for table in AGED:
                self._delete(table, older_than(table, cutoff_ns))

    def _retain_by_size(self) -> None:
        bound = self._settings.retention_bytes
        files = {table: self._lake.commits.files(table) for table in TABLES}
        sized = [file for table in SIZED for file in files[table]]
        others = sum(file.size for table in TABLES if table not in SIZED for file in files[table])
        if not bound or not (dropped := excess(sized, others, bound)):
            return
        for table in SIZED:
            if gone := [file for file in files[table] if file in dropped]:
                self._delete(table, dropping(table, gone))
        if gone := [file for file in files["spans"] if file in dropped]:
            kept = [file.min_ns for file in files["spans"] if file not in dropped]
            self._delete("traces", older_than("traces", min(kept, default=max(f.max_ns for f in gone) + 1)))

    def _delete(self, table: str, statement: sa.Delete) -> None:
        with self._lake.commits.transaction() as cursor:
            rows = cursor.execute(*compiled(statement)).fetchall()[0][0]
        if rows:
            self._lake.forget_operations()
        self._metrics.add("vigla_storage_deleted_rows_total", rows, table=table)

    def _newest_ns(self) -> int | None:
        """Newest stored start that is not in the future; clocks of senders may be years ahead."""
        found = [self._newest_of(table) for table in self._lake.tables.dated]
        return max((ns for ns in found if ns is not None), default=None)

    def _newest_of(self, table: sa.Table) -> int | None:
        ts = table.c.ts
        newest = sa.select(sa.func.epoch_ns(sa.func.max(ts))).where(
            ts <= time_value(table, self._clock.now_ns())
        )
        value: int | None = self._lake.select(newest, QueryContext()).column(0)[0].as_py()
        return value


def _ended(inlined: str) -> sa.Delete:
    """Removes deleted rows of an inlined table, which DuckLake 1.5 keeps when their snapshots expire."""
    end: sa.ColumnClause[int] = sa.column("end_snapshot")
    return sa.delete(sa.table(inlined, end, schema="__ducklake_metadata_lake")).where(end.is_not(None))


def _be_nice() -> None:
    """Lower this thread's priority. Only Linux has priorities by thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
