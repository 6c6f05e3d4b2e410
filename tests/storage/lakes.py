"""Opening lakes in tests, and asking what is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vigla.clock import Clock, FakeClock
from vigla.model.spans import DEFAULT_PROMOTED, Promoted
from vigla.settings import StorageSettings
from vigla.storage.api import QueryContext, Store
from vigla.storage.lake import Lake
from vigla.storage.maintenance import Maintenance
from vigla.telemetry.metrics import Metrics


@contextmanager
def opened(
    path: Path,
    promoted: tuple[Promoted, ...] = DEFAULT_PROMOTED,
    clock: Clock | None = None,
    **settings: Any,
) -> Iterator[Lake]:
    """A lake, closed at the end."""
    lake = Lake(StorageSettings(path=path, **settings), promoted, Metrics(), clock or FakeClock())
    try:
        yield lake
    finally:
        lake.close()


def maintenance(lake: Lake, clock: Clock | None = None, **settings: Any) -> Maintenance:
    """Maintenance that removes replaced files at once."""
    given = StorageSettings.model_validate({"snapshot_grace_s": 1e-6, **settings})
    return Maintenance(lake, given, clock or FakeClock(), Metrics())


def span_ids(store: Store, table: str = "spans") -> list[int]:
    """All span ids in order."""
    column: sa.ColumnClause[int] = sa.column("span_id")
    query = sa.select(column).select_from(sa.table(table, column)).order_by(column)
    return [int(n) for n in store.select(query, QueryContext()).column(0).to_pylist()]


def on_disk(path: Path, table: str = "spans") -> set[Path]:
    """Parquet files of a table, live or not."""
    return set((path / "lake" / "main" / table).glob("*.parquet"))
