"""The store of configuration: every accepted change is one revision, and every revision can be had again."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    func,
    insert,
    select,
    update,
)

from proxy.api.base import Model
from proxy.config import tables
from proxy.config.collection import Collection
from proxy.config.database import create_tables, engine_of, take_turn
from proxy.config.objects import EPOCH, ConfigObject, Key
from proxy.config.revisions import Change, Revision, diff
from proxy.config.tables import CHANGES, REVISIONS
from vigla.clock import Clock, SystemClock

Objects = Mapping[Key, ConfigObject[Model]]


class UnknownRevisionError(LookupError):
    """There is no revision of this number."""


class ConfigStore:
    """Revisions of the configuration in SQLite or PostgreSQL; used from any thread.

    Args:
        url: ``sqlite:///mesh.db``, ``sqlite://`` (memory) or ``postgresql://...``.
        clock: of revisions and of objects' creation.

    Raises:
        SettingsError: the database cannot be used.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._engine = engine_of(url)
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[Revision], None]] = []
        self._known: tuple[int, Collection] = (0, Collection())
        create_tables(self._engine, tables.METADATA)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def subscribe(self, callback: Callable[[Revision], None]) -> Callable[[], None]:
        """Call back after each new revision of this process, on its thread; what is returned ends it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def number(self) -> int:
        """The latest revision's number; it grows with every change, also by other processes."""
        with self._reading() as connection:
            return _latest(connection)

    def current(self) -> Collection:
        """All objects now."""
        with self._reading() as connection:
            number = _latest(connection)
            return self._collection(connection, number)

    def at(self, moment: int | datetime) -> Collection:
        """All objects at a revision or time.

        Raises:
            UnknownRevisionError: there is no such revision; before the first one all is empty.
        """
        number = moment if isinstance(moment, int) else self.number_at(moment)
        with self._reading() as connection:
            return Collection.of(_objects(connection, self._checked(connection, number)).values())

    def number_at(self, moment: datetime) -> int:
        """Number of the revision that was in force at a time; 0: there was none yet."""
        with self._reading() as connection:
            query = select(func.max(REVISIONS.c.number)).where(REVISIONS.c.time <= tables.moment(moment))
            return connection.scalar(query) or 0

    def history(self, limit: int = 50) -> list[Revision]:
        """The latest revisions, newest first, with their changes."""
        with self._reading() as connection:
            rows = connection.execute(select(REVISIONS).order_by(REVISIONS.c.number.desc()).limit(limit))
            return [_revision(connection, row) for row in rows.mappings()]

    def revision(self, number: int) -> Revision:
        """One revision with its changes.

        Raises:
            UnknownRevisionError: there is none of this number.
        """
        with self._reading() as connection:
            rows = connection.execute(select(REVISIONS).where(REVISIONS.c.number == number))
            row = rows.mappings().first()
            if row is None:
                raise _unknown(number, _latest(connection))
            return _revision(connection, row)

    def diff(self, number: int) -> str:
        """What a revision changed, as unified diffs of YAML.

        Raises:
            UnknownRevisionError: there is none of this number.
        """
        return diff(self.revision(number))

    def apply(
        self,
        objects: Iterable[ConfigObject[Model]],
        author: str,
        message: str,
        delete: Iterable[Key] = (),
    ) -> Revision:
        """Create, replace and delete objects at once: all or nothing.

        Objects keep their time of creation over changes. Objects that are as they were, and keys that are not
        there, change nothing; if nothing changes, no revision is made.

        Args:
            objects: in their new form; judged before (``proxy.config.apply.judge``).
            author: who changes it.
            message: why.
            delete: objects that go.

        Returns:
            The new revision, or the latest one if nothing changed.
        """
        wanted = {obj.key: obj for obj in objects}
        unwanted = set(delete) - wanted.keys()

        def planned(before: Objects) -> dict[Key, ConfigObject[Model] | None]:
            plan: dict[Key, ConfigObject[Model] | None] = {key: None for key in unwanted if key in before}
            for key, obj in wanted.items():
                old = before.get(key)
                plan[key] = replace(obj, created=old.created) if old else self._dated(obj)
            return plan

        return self._commit(planned, author, message)

    def rollback(self, number: int, author: str) -> Revision:
        """Make the configuration what it was at a revision, as a new revision.

        Args:
            number: of the revision; 0 is the empty configuration.
            author: who wants it.

        Raises:
            UnknownRevisionError: there is none of this number.
        """
        with self._reading() as connection:
            target = _objects(connection, self._checked(connection, number))

        def planned(before: Objects) -> dict[Key, ConfigObject[Model] | None]:
            return {**dict.fromkeys(before.keys() - target.keys()), **target}

        return self._commit(planned, author, f"Rollback to revision {number}")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lock, self._engine.connect() as connection:
            yield connection

    def _collection(self, connection: Connection, number: int) -> Collection:
        if number != self._known[0]:
            self._known = number, Collection.of(_objects(connection, number).values())
        return self._known[1]

    def _dated(self, obj: ConfigObject[Model]) -> ConfigObject[Model]:
        return obj if obj.created > EPOCH else replace(obj, created=self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC)

    def _checked(self, connection: Connection, number: int) -> int:
        latest = _latest(connection)
        if not 0 <= number <= latest:
            raise _unknown(number, latest)
        return number

    def _commit(
        self, planned: Callable[[Objects], dict[Key, ConfigObject[Model] | None]], author: str, message: str
    ) -> Revision:
        with self._lock:
            made = self._write(planned, author, message)
        if made is None:
            return self.revision(self.number()) if self.number() else Revision(0, EPOCH, "", "")
        for subscriber in tuple(self._subscribers):
            subscriber(made)
        return made

    def _write(
        self, planned: Callable[[Objects], dict[Key, ConfigObject[Model] | None]], author: str, message: str
    ) -> Revision | None:
        with self._engine.begin() as connection:
            take_turn(connection)
            latest = _latest(connection)
            before = self._collection(connection, latest).by_key
            plan = planned(before)
            same = {
                k for k, obj in plan.items() if obj and k in before and obj.document == before[k].document
            }
            for key in same:
                _move(connection, before[key], plan[key])
            kept = {k: before[k] for k in same if (new := plan[k]) and new.origin == before[k].origin}
            rows = [_row(latest + 1, key, before.get(key), plan[key]) for key in sorted(plan.keys() - same)]
            after = Collection.of(obj for obj in {**before, **plan, **kept}.values() if obj)
            if not rows:
                self._known = latest, after
                return None
            head = {
                "number": latest + 1,
                "time": tables.moment(self._now()),
                "author": tables.storable(author),
                "message": tables.storable(message),
            }
            connection.execute(insert(REVISIONS).values(head))
            connection.execute(insert(CHANGES), rows)
        self._known = latest + 1, after
        return self.revision(latest + 1)


def _latest(connection: Connection) -> int:
    return connection.scalar(select(func.max(REVISIONS.c.number))) or 0


def _objects(connection: Connection, number: int) -> dict[Key, ConfigObject[Model]]:
    """All objects at a revision: of each the latest change until then."""
    same = [CHANGES.c.kind, CHANGES.c.namespace, CHANGES.c.name]
    last = (
        select(*same, func.max(CHANGES.c.revision).label("revision"))
        .where(CHANGES.c.revision <= number)
        .group_by(*same)
        .subquery()
    )
    matches = and_(*(CHANGES.c[name] == last.c[name] for name in ("kind", "namespace", "name", "revision")))
    query = select(CHANGES).join(last, matches).where(CHANGES.c.after.is_not(None))
    return {tables.key_of(row): tables.object_of(row) for row in connection.execute(query).mappings()}


def _row(
    number: int, key: Key, before: ConfigObject[Model] | None, after: ConfigObject[Model] | None
) -> dict[str, object]:
    present = after or before
    if present is None:
        raise ValueError(f"{key}: neither before nor after")
    return {
        "revision": number,
        **tables.place(key),
        "before": tables.document_text(before.document if before else None),
        "after": tables.document_text(after.document if after else None),
        "created": tables.moment(present.created),
        **tables.origin_columns(present.origin),
    }


def _move(connection: Connection, old: ConfigObject[Model], new: ConfigObject[Model] | None) -> None:
    """The same document at another place of the source: no revision, but messages must name the new place."""
    if new is None or new.origin == old.origin:
        return
    place = and_(*(CHANGES.c[name] == value for name, value in tables.place(old.key).items()))
    last = select(func.max(CHANGES.c.revision)).where(place).scalar_subquery()
    where = and_(place, CHANGES.c.revision == last)
    connection.execute(update(CHANGES).where(where).values(tables.origin_columns(new.origin)))


def _revision(connection: Connection, row: Any) -> Revision:
    query = select(CHANGES).where(CHANGES.c.revision == row["number"])
    changes = [
        Change(
            tables.key_of(change),
            tables.document_of(change["before"]),
            tables.document_of(change["after"]),
        )
        for change in connection.execute(query).mappings()
    ]
    return Revision(
        row["number"],
        datetime.fromisoformat(row["time"]),
        row["author"],
        row["message"],
        tuple(sorted(changes, key=lambda change: change.key)),
    )


def _unknown(number: int, latest: int) -> UnknownRevisionError:
    return UnknownRevisionError(f"there is no revision {number}: the latest is {latest}")
