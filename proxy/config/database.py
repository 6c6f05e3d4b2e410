"""Connections of the configuration store."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, StaticPool, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from vigla.errors import SettingsError

_LOCK = 0x7669676C61  # "vigla": one number for all stores of a database


def engine_of(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL; it connects later.

    Raises:
        SettingsError: the URL is of no such database, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            return create_engine(parsed, pool_pre_ping=True)  # the server may have been restarted meanwhile
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"mesh.store_url needs the Python package {error.name}: install vigla[postgresql]"
        ) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise _unusable() from error
    raise _unusable()


def create_tables(engine: Engine, tables: MetaData) -> None:
    """Make the tables that are not there.

    Raises:
        SettingsError: the database cannot be used.
    """
    try:
        with engine.begin() as connection:
            take_turn(connection)  # another process may start at the same time
            tables.create_all(connection)
    except OperationalError as error:
        engine.dispose()
        raise SettingsError(f"mesh.store_url: the database cannot be used: {error.orig}") from error


def take_turn(connection: Connection) -> None:
    """Wait until no other process writes; what is read then stays true until the transaction ends."""
    if connection.dialect.name == "postgresql":  # SQLite's transactions begin with its lock
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def _unusable() -> SettingsError:
    return SettingsError(
        "mesh.store_url is no database that can be used: write sqlite:///<file> or "
        "postgresql://<user>:<password>@<host>/<database>"
    )


def _sqlite(parsed: URL) -> Engine:
    """Its transactions do not run into each other: SQLite takes its lock at the start."""
    in_memory = parsed.database in {None, "", ":memory:"}
    # One connection for a database in memory: a second one would have its own.
    engine = create_engine(
        parsed,
        connect_args={"check_same_thread": False, "timeout": 30},
        **({"poolclass": StaticPool} if in_memory else {}),
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # Writers wait here for each other; a lock taken later could fail after the reading.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
