"""What the validator says of single objects, as messages."""

from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.messages import Message, message


def schema(context: Context, kind: str | None = None) -> Iterator[Message]:
    """The findings of ``context.validate`` about all objects, or those of one kind."""
    for o in context.objects.by_key.values():
        for finding in context.validate(o) if kind in (None, o.kind.name) else ():
            name = "SchemaWarning" if finding.warning else "SchemaValidationError"
            yield message(name, o, finding.path, finding.text)
