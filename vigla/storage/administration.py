"""What an operator asks of a lake by hand: deleting samples, and snapshots."""

import os
import secrets
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from vigla.storage.catalog import catalog_file, data_directory
from vigla.storage.failures import of_write
from vigla.storage.lake import Lake
from vigla.storage.merge import rewrite
from vigla.storage.statements import compiled
from vigla.storage.tables import in_range

SNAPSHOTS = "snapshots"
_OF_SERIES = ("samples", "histograms", "exemplars")
_CHECKPOINT = "CHECKPOINT __ducklake_metadata_lake"


class Administration:
    """Acts on one lake. Thread-safe.

    Args:
        lake: which.
        directory: ``storage.path``; snapshots go below it.
    """

    def __init__(self, lake: Lake, directory: Path) -> None:
        self._lake = lake
        self._directory = directory.resolve()
        self._lock = threading.Lock()

    def delete(self, sids: npt.NDArray[np.int64], start_ms: int, end_ms: int) -> int:
        """Delete samples, native histograms and exemplars of series; how many.

        Readers miss them at once; the files shrink by ``clean``.

        Args:
            sids: of the series, sorted, at least one.
            start_ms: first time, milliseconds since the epoch.
            end_ms: last time.

        Raises:
            StorageUnavailable: nothing was deleted.
        """
        self._lake.flush()
        deleted = 0
        with self._lake.commits.transaction() as cursor:
            for name in _OF_SERIES:
                columns: list[sa.ColumnClause[Any]] = [sa.column("sid"), sa.column("ts")]
                table: Any = sa.table(name, *columns, schema="lake.main")
                statement = sa.delete(table).where(*in_range(table, sids, start_ms, end_ms))
                deleted += cursor.execute(*compiled(statement)).fetchall()[0][0]
        return deleted

    def clean(self) -> int:
        """Write files anew that have deleted rows; how many there were.

        Raises:
            StorageUnavailable: what was written before stands.
        """
        written = 0
        with self._lock:
            for name in _OF_SERIES:
                for file in self._lake.commits.files(name):
                    if file.deletions:
                        rewrite(self._lake.commits, name, self._lake.schema(name), file)
                        written += 1
        return written

    def snapshot(self, *, with_buffer: bool = True) -> str:
        """Keep the lake as it is now; the name of its directory below ``snapshots``.

        It is a lake of its own: ``storage.path`` may name it. Files never change, and are shared by links.

        Args:
            with_buffer: with the rows that are not on disk yet.

        Raises:
            StorageUnavailable: the disk refuses.
        """
        if with_buffer:
            self._lake.flush()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
        root = self._directory / SNAPSHOTS / name
        with of_write("write a snapshot"), self._lake.commits.autocommit() as cursor:
            try:
                cursor.execute(_CHECKPOINT)
                self._copy(root)
            except BaseException:
                shutil.rmtree(root, ignore_errors=True)
                raise
        return name

    def _copy(self, root: Path) -> None:
        root.mkdir(parents=True)
        shutil.copyfile(catalog_file(self._directory), catalog_file(root))
        source, target = data_directory(self._directory), data_directory(root)
        for path in source.rglob("*.parquet"):
            linked = target / path.relative_to(source)
            linked.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, linked)
