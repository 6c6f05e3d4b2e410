"""A template as text and actions, actions as tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from query.promql.strings import StringError, read_string
from query.rules.template.ast import TemplateError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))
    |(?P<field>\.[A-Za-z_]\w*)
    |(?P<variable>\$\w*)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<mark>:=|[|(),=.])""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"/\*.*?\*/\s*(?:-)?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``kind`` is a group of the pattern, ``string`` or ``end``."""

    kind: str
    text: str
    spaced: bool
    """White space stands before it."""


@dataclass(frozen=True, slots=True)
class Action:
    """What stands between braces; ``line`` counts from 1."""

    tokens: tuple[Token, ...]
    line: int


def pieces(text: str) -> Iterator[str | Action]:
    """Text and actions in turn; ``{{-`` and ``-}}`` have taken the white space, comments are gone.

    Raises:
        TemplateError: an action does not end, or has a character that no token begins with.
    """
    at, trimmed = 0, False
    while (start := text.find("{{", at)) >= 0:
        before = text[at:start]
        trims = text.startswith("{{-", start) and text[start + 3 : start + 4].isspace()
        before = before.lstrip() if trimmed else before
        yield before.rstrip() if trims else before
        line = text.count("\n", 0, start) + 1
        inside = start + (3 if trims else 2)
        at, tokens = _action(text, inside, line)
        trimmed = text[:at].endswith("-}}")
        if tokens:
            yield Action(tokens, line)
    rest = text[at:]
    yield rest.lstrip() if trimmed else rest


def _action(text: str, at: int, line: int) -> tuple[int, tuple[Token, ...]]:
    """The offset behind the braces that close an action, and its tokens; a comment has none."""
    comment = _COMMENT.match(text, at + (len(text[at:]) - len(text[at:].lstrip())))
    if comment:
        return comment.end(), ()
    tokens: list[Token] = []
    spaced = False
    while True:
        if text.startswith("}}", at):
            return at + 2, (*tokens, Token("end", "", spaced))
        if spaced and text.startswith("-}}", at):
            return at + 3, (*tokens, Token("end", "", spaced))
        if at >= len(text):
            raise TemplateError(f"line {line}: unclosed action")
        token, at = _token(text, at, spaced=spaced, line=line)
        spaced = token is None
        if token is not None:
            tokens.append(token)


def _token(text: str, at: int, *, spaced: bool, line: int) -> tuple[Token | None, int]:
    """The next token, None for white space, and the offset behind it."""
    if text[at] in '"`':
        try:
            value, end = read_string(text, at)
        except StringError as error:
            raise TemplateError(f"line {line}: {error}") from error
        return Token("string", value, spaced), end
    found = _TOKEN.match(text, at)
    if found is None:
        raise TemplateError(f"line {line}: unexpected {text[at]!r} in command")
    kind = str(found.lastgroup)
    return (None if kind == "space" else Token(kind, found[0], spaced)), found.end()
