"""Connections of the configuration store."""

from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import make_url


def engine_of(url: str) -> Engine:
    """An engine whose transactions do not run into each other: SQLite takes its lock at the start."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
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
