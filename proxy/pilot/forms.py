"""Values of the mesh in the form of its HTTP API."""

from dataclasses import asdict
from typing import Any

from proxy.analyze.messages import Message
from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Origin
from proxy.config.parse import Problem
from proxy.config.revisions import Revision

Json = dict[str, Any]


def origin(origin: Origin) -> Json:
    """Where an object was written."""
    return {"file": origin.file, "line": origin.line(())}


def item(object_: ConfigObject[Model]) -> Json:
    """An object as it was written, the namespace that it is in, and where it was written."""
    written = dict(object_.document)
    return {**written, "namespace": object_.namespace, "origin": origin(object_.origin)}


def problem(problem: Problem) -> Json:
    """Why a text, or a field of it, is refused or doubtful."""
    return {
        "message": problem.message,
        "field": problem.field,
        "file": problem.file,
        "line": problem.line,
        "subject": problem.subject,
        "severity": problem.severity,
    }


def finding(message: Message) -> Json:
    """A finding of the analyzer."""
    return {
        "code": message.code,
        "name": message.name,
        "level": str(message.level),
        "object": str(message.key) if message.key else "",
        "text": message.text,
        "line": message.line,
        "path": message.path,
        "file": message.file,
    }


def revision(revision: Revision) -> Json:
    """A revision, without the documents."""
    return {
        "number": revision.number,
        "time": revision.time.isoformat(),
        "author": revision.author,
        "message": revision.message,
        "changes": [
            {**asdict(c.key), "change": _change(c.before is None, c.after is None)} for c in revision.changes
        ],
    }


def _change(new: bool, gone: bool) -> str:  # noqa: FBT001  two facts of one change
    return "created" if new else "deleted" if gone else "changed"
