"""Revisions of the configuration: what one change did, as values and as text."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from proxy.config.objects import Key


@dataclass(frozen=True, slots=True)
class Change:
    """One object's part of a revision.

    Attributes:
        before: the document until then; None: the object is new.
        after: the document from then on; None: the object was deleted.
    """

    key: Key
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Revision:
    """An accepted change of the configuration.

    Attributes:
        number: from 1, without gaps; 0: the empty configuration before all changes.
        time: with time zone, UTC.
        changes: sorted by key.
    """

    number: int
    time: datetime
    author: str
    message: str
    changes: tuple[Change, ...] = ()


def diff(revision: Revision) -> str:
    """What a revision changed as unified diffs of YAML, one for each object."""
    return "".join(_diff(revision.number, change) for change in revision.changes)


def _diff(number: int, change: Change) -> str:
    lines = difflib.unified_diff(
        _lines(change.before),
        _lines(change.after),
        "/dev/null" if change.before is None else f"{change.key} (revision {number - 1})",
        "/dev/null" if change.after is None else f"{change.key} (revision {number})",
    )
    return "".join(lines)


def _lines(document: Mapping[str, Any] | None) -> list[str]:
    if document is None:
        return []
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True).splitlines(keepends=True)
