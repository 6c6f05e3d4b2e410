"""Tokens as the grammar takes them, one ahead; and the error for the one that does not fit."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from query.promql.ast import Place
from query.promql.errors import PromqlError, parse_error
from query.promql.lexer import Lexer
from query.promql.tokens import Token


class TokenStream:
    """The tokens of one text."""

    def __init__(self, text: str) -> None:
        self._lexer = Lexer(text)
        self._ahead: deque[Token] = deque()
        self._contexts: list[tuple[str, str]] = [("", "")]
        self._end = 0

    def peek(self, ahead: int = 0) -> Token:
        """A token that is not taken yet."""
        while len(self._ahead) <= ahead:
            self._ahead.append(self._lexer.next())
        return self._ahead[ahead]

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self._ahead.popleft()
        self._end = token.place.end
        return token

    def accept(self, *kinds: str) -> Token | None:
        """The next token if it is of one of these kinds; else None and nothing is taken."""
        return self.take() if self.peek().kind in kinds else None

    def expect(self, kind: str) -> Token:
        """The next token.

        Raises:
            PromqlError: it is of another kind.
        """
        token = self.accept(kind)
        if token is None:
            raise self.unexpected()
        return token

    @contextmanager
    def inside(self, context: str, expected: str = "") -> Iterator[None]:
        """While inside, ``unexpected`` names this construct."""
        self._contexts.append((context, expected))
        yield
        self._contexts.pop()

    def unexpected(self, context: str | None = None, expected: str = "") -> PromqlError:
        """The error of the next token: it does not fit.

        Args:
            context: what is being read; None: the innermost ``inside``.
            expected: what would fit.
        """
        if context is None:
            context, expected = self._contexts[-1]
        token = self.peek()
        message = f"unexpected {token.describe()}"
        message += f" in {context}" if context else ""
        message += f", expected {expected}" if expected else ""
        return parse_error(token.place, message)

    def since(self, start: Place) -> Place:
        """From the beginning of ``start`` to the end of the last token taken."""
        return Place(start.start, self._end, start.line, start.column)
