"""Regular expressions of matchers and relabelling: RE2, ``.`` matches a newline."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import re2  # type: ignore[import-untyped]

_GO_WORDS = {
    "invalid escape sequence": "invalid escape sequence",
    "bad character class": "invalid character class",
    "invalid character class range": "invalid character class range",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}
"""Messages of RE2 in C++ to those of Go's regexp."""

_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")
_COMPILED = 1000  # patterns kept


class Pattern(Protocol):
    """A compiled expression."""

    def fullmatch(self, text: str) -> Any | None:
        """A match of the whole text, or None."""

    def search(self, text: str) -> Any | None:
        """The first match anywhere, or None."""

    def sub(self, replacement: Callable[[Any], str], text: str) -> str:
        """The text with every match replaced."""


class RegexError(ValueError):
    """The pattern is not RE2; the message is that of Go's regexp."""


@lru_cache(_COMPILED)
def compile_regex(pattern: str) -> Pattern:
    """The compiled pattern.

    Raises:
        RegexError: it cannot be compiled.
    """
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(utf8(pattern), options)
    except re2.error as error:
        raise RegexError(_go_message(error.args[0])) from error
    return compiled


def utf8(text: str) -> str:
    """The text as RE2 can read it: bytes that are no UTF-8 become U+FFFD."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _go_message(message: bytes | str) -> str:
    text = message.decode(errors="replace") if isinstance(message, bytes) else message
    reason, _, part = text.partition(": ")
    shown = f"`{part}`" if part else ""
    return f"error parsing regexp: {_GO_WORDS.get(reason, reason)}" + (f": {shown}" if shown else "")


def escaped(text: str) -> str:
    """A pattern that accepts this text alone."""
    pattern: str = re2.escape(text)
    return pattern


def expanded(template: str, found: Any) -> str:
    """The replacement with ``$1`` and ``${name}`` filled in; what does not exist is empty."""

    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        if name.isdigit():
            number = int(name)
            return (found.group(number) or "") if number <= len(found.groups()) else ""
        return found.groupdict().get(name) or ""

    return _REFERENCE.sub(value, template)
