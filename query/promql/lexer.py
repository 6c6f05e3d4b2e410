"""PromQL text to tokens, one at a time: an error behind the place where the grammar fails is never seen."""

import re
from bisect import bisect_right
from itertools import accumulate

from query.promql.ast import Place
from query.promql.errors import PromqlError, parse_error
from query.promql.gotext import quote, quote_character
from query.promql.strings import StringError, read_string
from query.promql.tokens import (
    DURATION,
    DURATION_FUNCTIONS,
    END,
    IDENTIFIER,
    METRIC_IDENTIFIER,
    NUMBER,
    STRING,
    WORDS,
    Token,
)

_BLANK = re.compile(r"(?:[ \t\n\r]+|#[^\n\r]*)+")
_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER_START = re.compile(r"\.?[0-9]")
_NUMBER = re.compile(
    r"0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*(?:[pP][+-]?[0-9]+)?"
    r"|(?:[0-9]+(?:_[0-9]+)*)?\.?(?:[0-9]+(?:_[0-9]+)*)?(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?"
)
_DURATION = re.compile(r"[0-9.]+[smhdwy]s?(?:[0-9]+[smhdw]s?)*")
_WORD_CHARACTER = re.compile(r"[A-Za-z0-9_]")
_NUMBER_CHARACTER = re.compile(r"[A-Za-z0-9_.]")
_SIGN = re.compile(r"==|!=|<=|>=|</|>/|[-+*/%^=<>,@(){}\[\]:]")
_BRACE_SIGN = re.compile(r"=~|!~|!=|=|,")
_BRACKET_SIGN = re.compile(r"[-+*/%^,]")


class Lexer:
    """Reads one text; the tokens depend on the braces and brackets that are open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._in_braces = False
        self._in_brackets = False
        self._got_duration = False
        self._got_colon = False
        self._parentheses = 0
        self._bytes = None if text.isascii() else _byte_offsets(text)
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def next(self) -> Token:
        """The next token; at the end of the text always one of kind ``END``.

        Raises:
            PromqlError: there is none that PromQL has.
        """
        blank = _BLANK.match(self._text, self._at)
        if blank:
            self._at = blank.end()
        if self._in_braces:
            return self._brace_token()
        if self._in_brackets:
            return self._bracket_token()
        return self._token()

    def place(self, start: int, end: int) -> Place:
        """A place in the text, with its line and column."""
        line = bisect_right(self._lines, start)
        begin = self._lines[line - 1]
        if self._bytes is not None:
            return Place(start, end, line, self._bytes[start] - self._bytes[begin] + 1)
        return Place(start, end, line, start - begin + 1)

    def _token(self) -> Token:
        character = self._text[self._at : self._at + 1]
        if not character:
            if self._parentheses:
                raise self._error("unclosed left parenthesis")
            return self._take(END, self._at)
        if _NUMBER_START.match(self._text, self._at):
            return self._number()
        if character in "\"'`":
            return self._string()
        word = _WORD.match(self._text, self._at)
        if word:
            return self._take(_kind_of(word.group()), word.end())
        return self._sign(character)

    def _sign(self, character: str) -> Token:
        following = self._text[self._at + 1 : self._at + 2]
        if character == "=" and following == "~":
            raise self._error("unexpected character after '=': '~'")
        if character == "!" and following != "=":
            raise self._error(f"unexpected character after '!': {quote_character(following)}")
        sign = _SIGN.match(self._text, self._at)
        if sign is None or character == "}":
            raise self._error(f"unexpected character: {quote_character(character)}")
        if character == "]":
            raise self._error("unexpected right bracket ']'")
        token = self._take(sign.group(), sign.end())
        if character == "{":
            self._in_braces = True
        elif character == "[":
            self._in_brackets, self._got_duration, self._got_colon = True, False, False
        elif character in "()":
            self._count_parenthesis(character)
        return token

    def _brace_token(self) -> Token:
        character = self._text[self._at : self._at + 1]
        if not character:
            raise self._error("unexpected end of input inside braces")
        name = _NAME.match(self._text, self._at)
        if name:
            return self._take(IDENTIFIER, name.end())
        if character in "\"'`":
            return self._string()
        if character == "{":
            raise self._error("unexpected left brace '{'")
        if character == "}":
            self._in_braces = False
            return self._take("}", self._at + 1)
        sign = _BRACE_SIGN.match(self._text, self._at)
        if sign:
            return self._take(sign.group(), sign.end())
        if character == "!":
            following = self._text[self._at + 1 : self._at + 2]
            raise self._error(f"unexpected character after '!' inside braces: {quote_character(following)}")
        raise self._error(f"unexpected character inside braces: {quote_character(character)}")

    def _bracket_token(self) -> Token:
        character = self._text[self._at : self._at + 1]
        if not character:
            raise self._error("unexpected end of input in duration expression")
        word = _NAME.match(self._text, self._at)
        if word and word.group().lower() in DURATION_FUNCTIONS:
            self._got_duration = True
            return self._take(word.group().lower(), word.end())
        if _NUMBER_START.match(self._text, self._at):
            self._got_duration = True
            return self._number()
        if character == ":":
            return self._colon()
        if character == "]":
            self._in_brackets = False
            return self._take("]", self._at + 1)
        if character in "()":
            token = self._take(character, self._at + 1)
            self._count_parenthesis(character)
            return token
        if _BRACKET_SIGN.match(character):
            return self._take(character, self._at + 1)
        raise self._error(f"unexpected character in duration expression: {quote_character(character)}")

    def _colon(self) -> Token:
        token = self._take(":", self._at + 1)
        if not self._got_duration:
            raise self._error("unexpected colon before duration in duration expression")
        if self._got_colon:
            raise self._error("unexpected repeated colon in duration expression")
        self._got_colon = True
        return token

    def _count_parenthesis(self, character: str) -> None:
        self._parentheses += 1 if character == "(" else -1
        if self._parentheses < 0:
            raise self._error("unexpected right parenthesis ')'")

    def _number(self) -> Token:
        end = self._at
        for pattern, kind, wrong in (
            (_NUMBER, NUMBER, _NUMBER_CHARACTER),
            (_DURATION, DURATION, _WORD_CHARACTER),
        ):
            found = pattern.match(self._text, self._at)
            if found and not wrong.match(self._text, found.end()):
                return self._take(kind, found.end())
            end = max(end, found.end() if found else end)
        following = _NUMBER_CHARACTER.match(self._text, end)
        shown = self._text[self._at : following.end() if following else end]
        raise self._error(f"bad number or duration syntax: {quote(shown)}")

    def _string(self) -> Token:
        try:
            value, end = read_string(self._text, self._at)
        except StringError as error:
            raise self._error(str(error)) from error
        return self._take(STRING, end, value)

    def _take(self, kind: str, end: int, value: str = "") -> Token:
        token = Token(kind, self._text[self._at : end], self.place(self._at, end), value)
        self._at = end
        return token

    def _error(self, message: str) -> PromqlError:
        return parse_error(self.place(self._at, len(self._text)), message)


def _kind_of(word: str) -> str:
    lower = word.lower()
    if lower in WORDS:
        return lower
    if lower in {"inf", "nan"}:
        return NUMBER
    return METRIC_IDENTIFIER if ":" in word else IDENTIFIER


def _byte_offsets(text: str) -> list[int]:
    """Where each character begins in UTF-8, and the end of the text."""
    sizes = (len(character.encode(errors="surrogatepass")) for character in text)
    return list(accumulate(sizes, initial=0))
