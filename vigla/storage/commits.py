"""Changing the lake: staged files, and one transaction at a time."""

import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import duckdb
import pyarrow as pa

from vigla.errors import StorageUnavailable
from vigla.storage.columns import write_sorted
from vigla.storage.failures import of_write
from vigla.storage.inventory import DataFile, live_files

log = logging.getLogger(__name__)

# A catalog that fails in the middle of a commit is unusable until it is opened again, so nothing is tried on
# a disk that is nearly full.
RESERVE_BYTES = 16 * 1024 * 1024

_ADD = "CALL ducklake_add_data_files('lake', ?, ?, schema => 'main', allow_missing => true)"
_LISTED = "SELECT data_file FROM ducklake_list_files('lake', ?)"


class Commits:
    """Transactions on the catalog.

    Args:
        connection: of the engine with the catalog attached as ``lake``.
        directory: of the lake's tables.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
        self._connection = connection
        self._directory = directory
        # One lock for every thread's commit: DuckLake refuses transactions that overlap in what they change.
        self._lock = threading.Lock()
        self._version = 0
        self._lists: dict[str, tuple[int, list[DataFile]]] = {}

    @contextmanager
    def transaction(
        self, around_commit: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in a transaction that is committed at the end, or rolled back when anything is raised.

        Args:
            around_commit: entered for the commit alone.

        Raises:
            StorageUnavailable: nothing was committed.
        """
        with self._lock, of_write("write to the lake"), self._connection.cursor() as cursor:
            self._check_space()
            cursor.begin()
            try:
                yield cursor
                with around_commit():
                    cursor.commit()
                    self._version += 1
            except BaseException:
                _roll_back(cursor)
                raise

    @contextmanager
    def autocommit(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for calls that are transactions of their own, while nobody else commits.

        Raises:
            StorageUnavailable: a call failed.
        """
        with self._lock, of_write("maintain the lake"), self._connection.cursor() as cursor:
            self._check_space()
            yield cursor

    def files(self, table: str) -> list[DataFile]:
        """The files of a table, earliest ``ts`` first."""
        with of_write("read the catalog"), self._connection.cursor() as cursor:
            return live_files(cursor, self._directory, table)

    def known_files(self, table: str) -> list[DataFile]:
        """``files`` as of the last transaction; listed again only after one."""
        version = self._version
        known, files = self._lists.get(table, (-1, []))
        if known != version:
            files = self.files(table)
            self._lists[table] = (version, files)
        return files

    def new_path(self, table: str) -> Path:
        """A path for a new file of ``table``."""
        directory = self._directory / table
        directory.mkdir(exist_ok=True)
        return directory / f"{uuid.uuid4()}.parquet"

    @contextmanager
    def staged(self, tables: Mapping[str, pa.Table]) -> Iterator[dict[str, Path]]:
        """Durable files with these rows, for a transaction to ``add``; removed when anything is raised."""
        files = {name: self.new_path(name) for name, table in tables.items() if table.num_rows}
        with of_write("write to the lake"), self.removing_on_failure(files):
            for name, path in files.items():
                self._check_space()
                write_sorted(path, tables[name])
            yield files

    @contextmanager
    def removing_on_failure(self, files: Mapping[str, Path]) -> Iterator[None]:
        """Remove the files when the body raises, unless the catalog has them after all."""
        try:
            yield
        except BaseException:
            for table, path in files.items():
                self._remove_unlisted(table, path)
            raise

    def add(self, cursor: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
        """Make a file part of a table, in the cursor's transaction. Twice would double its rows."""
        cursor.execute(_ADD, [table, str(path)]).fetchall()

    def _remove_unlisted(self, table: str, path: Path) -> None:
        # What stays because of an error here is removed when the lake is next opened.
        try:
            with self._connection.cursor() as cursor:
                listed = {Path(name).name for (name,) in cursor.execute(_LISTED, [table]).fetchall()}
            if path.name not in listed:
                path.unlink(missing_ok=True)
        except (duckdb.Error, OSError) as error:
            log.warning("left the file %s behind: %s", path, error)

    def _check_space(self) -> None:
        free = shutil.disk_usage(self._directory).free
        if free < RESERVE_BYTES:
            raise StorageUnavailable(f"the disk of {self._directory} is full: {free:,} bytes are free")


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.rollback()
    except duckdb.Error as error:
        log.debug("the transaction had ended by itself: %s", error)
