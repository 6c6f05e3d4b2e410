"""The names that statements read, ``spans``, ``traces`` and so on, as views of one cursor."""

import duckdb
import sqlalchemy as sa

from vigla.storage.statements import text_of
from vigla.storage.tables import LakeTables

Cursor = duckdb.DuckDBPyConnection


def create_lake_views(cursor: Cursor, tables: LakeTables) -> None:
    """Views over the lake, and what is registered as ``hot_<table>``."""
    for table in tables.all:
        if table is tables.archived_spans:
            continue
        stored, hot = _columns(table, table.name, "lake.main"), _columns(table, f"hot_{table.name}", None)
        _create(cursor, table.name, sa.union_all(stored, hot))
    _create(cursor, "archived_spans", _columns(tables.archived_spans, "archived_spans", "lake.main"))


def create_stored_views(cursor: Cursor, tables: LakeTables) -> None:
    """Views over the lake alone."""
    for table in tables.all:
        _create(cursor, table.name, _columns(table, table.name, "lake.main"))


def create_memory_views(cursor: Cursor, tables: LakeTables) -> None:
    """Views over what is registered as ``hot_<table>`` alone."""
    for table in tables.all:
        _create(cursor, table.name, _columns(table, f"hot_{table.name}", None))


def _columns(table: sa.Table, source: str, schema: str | None) -> sa.SelectBase:
    columns: list[sa.ColumnClause[object]] = [sa.column(column.name) for column in table.columns]
    return sa.select(*columns).select_from(sa.table(source, *columns, schema=schema))


def _create(cursor: Cursor, name: str, body: sa.SelectBase) -> None:
    cursor.execute(text_of(sa.CreateView(body, name, temporary=True)))
