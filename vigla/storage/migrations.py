"""Brings a lake's tables to today's columns: numbered SQL files once each, then promoted attributes."""

import logging
from importlib.resources import files

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from vigla.errors import SettingsError
from vigla.model.spans import Promoted
from vigla.storage.statements import text_of

log = logging.getLogger(__name__)

_CREATE_MIGRATIONS = "CREATE TABLE IF NOT EXISTS lake.main.migrations (name VARCHAR)"
_PREFIX = "a."
_ADD_COLUMN = {
    "spans": "ALTER TABLE lake.main.spans ADD COLUMN ",
    "archived_spans": "ALTER TABLE lake.main.archived_spans ADD COLUMN ",
}


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Apply the files of ``schema/`` that this lake has not seen, in order, each in one transaction."""
    connection.execute(_CREATE_MIGRATIONS)
    applied = {name for (name,) in connection.execute("SELECT name FROM lake.main.migrations").fetchall()}
    scripts = (
        file for file in files("vigla.storage").joinpath("schema").iterdir() if file.name not in applied
    )
    for script in sorted(scripts, key=lambda file: file.name):
        connection.begin()
        connection.execute(script.read_text(encoding="utf-8"))
        connection.execute("INSERT INTO lake.main.migrations VALUES (?)", [script.name])
        connection.commit()
        log.info("applied schema file %s", script.name)


def promote(connection: duckdb.DuckDBPyConnection, wanted: tuple[Promoted, ...]) -> tuple[Promoted, ...]:
    """Give every wanted attribute a column.

    Returns:
        The wanted attributes, then those that have a column from earlier settings: their values are nowhere
        else, so readers must know them.

    Raises:
        SettingsError: an attribute has a column of another type.
    """
    stored = _stored(connection)
    for promoted in wanted:
        if (present := stored.get(promoted.key, promoted)) != promoted:
            raise SettingsError(
                f"ingester.promoted: {promoted.key} is kept as {present.type} in this lake and cannot "
                f"become {promoted.type}"
            )
    _add_columns(connection, [p for p in wanted if p.key not in stored])
    return (*wanted, *(p for p in stored.values() if p not in wanted))


def _add_columns(connection: duckdb.DuckDBPyConnection, missing: list[Promoted]) -> None:
    connection.begin()  # one commit for all: each costs 50 ms
    for table, add in _ADD_COLUMN.items():
        for promoted in missing:
            column = sa.Column(promoted.column, _type(promoted))
            sa.Table(table, sa.MetaData(), column)
            connection.execute(add + text_of(sa.schema.CreateColumn(column)))
    connection.commit()


def _type(promoted: Promoted) -> sa.BigInteger | sa.Text:
    return sa.BigInteger() if promoted.type == "int" else sa.Text()


def _stored(connection: duckdb.DuckDBPyConnection) -> dict[str, Promoted]:
    columns = connection.execute("SELECT * FROM lake.main.spans LIMIT 0").to_arrow_table().schema
    return {
        column.name.removeprefix(_PREFIX): Promoted(
            column.name.removeprefix(_PREFIX), "int" if pa.types.is_int64(column.type) else "string"
        )
        for column in columns
        if column.name.startswith(_PREFIX)
    }
