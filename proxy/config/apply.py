"""Reading and judging a text at once, for everything that accepts configuration."""

from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Key
from proxy.config.parse import DEFAULT_NAMESPACE, Problem, parse
from proxy.validate.judge import validate


def judge(
    text: str, file: str = "", namespace: str = DEFAULT_NAMESPACE
) -> tuple[tuple[ConfigObject[Model], ...], tuple[Problem, ...]]:
    """The objects of a text and everything that is wrong or doubtful, in the text's order.

    Nothing of a text that has errors may be applied: see ``refused``.

    Args:
        text: YAML or JSON.
        file: its name, for messages.
        namespace: of objects that name none.
    """
    parsed = parse(text, file, namespace)
    found = [*parsed.problems, *parsed.warnings]
    seen: dict[Key, int] = {}
    for obj in parsed.objects:
        line = obj.origin.line(())
        if obj.key in seen:
            message = f"is already in line {seen[obj.key]}: remove one of them"
            found.append(Problem(message, (), file, line, str(obj.key)))
        seen.setdefault(obj.key, line)
        found.extend(validate(obj))
    found.extend(
        Problem(f"{name} means nothing to the mesh: it is ignored", (), file, severity="warning")
        for name in sorted(set(parsed.ignored))
    )
    return parsed.objects, tuple(sorted(found, key=lambda problem: problem.line))


def refused(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """The errors among problems: with any of them, nothing of the text may be applied."""
    return tuple(problem for problem in problems if problem.severity == "error")
