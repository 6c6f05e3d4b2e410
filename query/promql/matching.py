"""Whether a matcher accepts a label's value."""

from query.promql.ast import Matcher
from vigla.prometheus.regex import compile_regex, utf8


def accepts(matcher: Matcher, value: str) -> bool:
    """Whether the matcher accepts a label's value; an absent label has the empty value."""
    if matcher.op == "=":
        return matcher.value == value
    if matcher.op == "!=":
        return matcher.value != value
    matched = compile_regex(matcher.value).fullmatch(utf8(value)) is not None
    return matched == (matcher.op == "=~")
