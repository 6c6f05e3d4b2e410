"""Which operations each service has: kept in memory, for forms ask on every page and the answer is small."""

import threading
from collections.abc import Callable
from typing import TypeAlias

import pyarrow as pa

Operation: TypeAlias = tuple[str, str, int]
"""Service, span name, OTLP span kind."""

COLUMNS = ("service", "name", "kind")
MAX_OPERATIONS = 200_000  # names with ids in them would grow without end; the newest are left out then


class Operations:
    """The set of operations seen.

    Args:
        stored: reads the operations of the rows on disk, distinct; called once, by the first reader.
    """

    def __init__(self, stored: Callable[[], pa.Table]) -> None:
        self._stored: Callable[[], pa.Table] | None = stored
        self._lock = threading.Lock()
        self._known: frozenset[Operation] = frozenset()

    def add(self, spans: pa.Table) -> None:
        """Take in the operations of new rows."""
        self._merge(_distinct(spans))

    def all(self) -> frozenset[Operation]:
        """Every operation known."""
        with self._lock:
            if self._stored is not None:
                self._known = self._known | _rows(self._stored())
                self._stored = None  # only now: a reading that fails is repeated
            return self._known

    def forget(self, stored: Callable[[], pa.Table]) -> None:
        """Read what is on disk anew at the next call: rows were deleted."""
        with self._lock:
            self._known, self._stored = frozenset(), stored

    def _merge(self, found: frozenset[Operation]) -> None:
        with self._lock:
            if not found <= self._known and len(self._known) < MAX_OPERATIONS:
                self._known = self._known | found


def _distinct(spans: pa.Table) -> frozenset[Operation]:
    if not set(COLUMNS) <= set(spans.column_names):
        return frozenset()  # rows without a name, as old files have columns missing, name no operation
    narrow = pa.table({name: _plain(spans.column(name)) for name in COLUMNS})
    return _rows(narrow.group_by(list(COLUMNS)).aggregate([]))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _rows(table: pa.Table) -> frozenset[Operation]:
    return frozenset(zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True))
