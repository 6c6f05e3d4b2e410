"""Tables of the configuration store, and how objects become rows."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
)

from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Key, Origin
from proxy.config.parse import read

METADATA = MetaData()
REVISIONS = Table(
    "config_revisions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", String(40), nullable=False),  # ISO 8601 in UTC: sorts as text, the same in every database
    Column("author", Text, nullable=False),
    Column("message", Text, nullable=False),
)
CHANGES = Table(
    "config_changes",
    METADATA,
    Column("revision", ForeignKey("config_revisions.number"), primary_key=True),
    Column("kind", String(63), primary_key=True),
    Column("namespace", String(253), primary_key=True),
    Column("name", String(253), primary_key=True),
    Column("before", Text),  # JSON; null: new
    Column("after", Text),  # JSON; null: deleted
    Column("created", String(40), nullable=False),
    Column("file", Text, nullable=False),
    Column("lines", Text, nullable=False),  # JSON: [[path, line], ...]
    Index("config_changes_of_object", "kind", "namespace", "name", "revision"),
)


class StoredObjectError(Exception):
    """A stored object cannot be read by this release."""


def moment(time: datetime) -> str:
    """A time as it is stored."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def storable(text: str) -> str:
    """Text as it is stored: PostgreSQL has no NUL."""
    return text.replace("\0", "\ufffd")


def key_of(row: RowMapping) -> Key:
    """Whose change a row is."""
    return Key(row["kind"], row["namespace"], row["name"])


def document_of(text: str | None) -> dict[str, Any] | None:
    """A stored document."""
    return None if text is None else json.loads(text)


def place(key: Key) -> dict[str, str]:
    """Columns of a key."""
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}


def origin_columns(origin: Origin) -> dict[str, str]:
    """Columns of an origin."""
    lines = [[list(path), line] for path, line in origin.lines.items()]
    return {"file": storable(origin.file), "lines": json.dumps(lines, separators=(",", ":"))}


def document_text(document: Mapping[str, object] | None) -> str | None:
    """A document as it is stored; the order of its fields stays."""
    return None if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def object_of(row: RowMapping) -> ConfigObject[Model]:
    """The object that a row's change left, with its time of creation and its place in the source.

    Raises:
        StoredObjectError: this release knows its kind or a field no more.
    """
    document = document_of(row["after"]) or {}
    lines = {tuple(path): line for path, line in json.loads(row["lines"])}
    metadata = {**document.get("metadata", {}), "creationTimestamp": row["created"]}
    made = read({**document, "metadata": metadata}, Origin(row["file"], lines), row["namespace"])
    if not isinstance(made, ConfigObject):
        reasons = made if isinstance(made, str) else "; ".join(map(str, made))
        raise StoredObjectError(f"revision {row['revision']}: {key_of(row)}: {reasons}")
    return ConfigObject(
        kind=made.kind,
        api_version=made.api_version,
        namespace=made.namespace,
        name=made.name,
        spec=made.spec,
        labels=made.labels,
        annotations=made.annotations,
        created=made.created,
        document=document,
        origin=made.origin,
    )
