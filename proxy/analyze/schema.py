"""What the validator says of single objects, as messages."""

from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.messages import Message, message


def schema(context: Context, kind: str) -> Iterator[Message]:
    """The findings of ``context.validate`` about the objects of a kind."""
    for o in context.objects.by_key.values():
        for problem in context.validate(o) if kind == o.kind.name else ():
            name = "SchemaWarning" if problem.severity == "warning" else "SchemaValidationError"
            yield message(problem.known_as or name, o, problem.path, problem.message)
