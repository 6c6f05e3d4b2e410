"""Quoted strings of PromQL: Go's escapes, in double, single or back quotes."""

from query.promql.gotext import describe_character

_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_NUMERIC = {"x": (2, 16, 0xFF), "u": (4, 16, 0x10FFFF), "U": (8, 16, 0x10FFFF)}
_OCTAL = (3, 8, 0xFF)
_SURROGATES = range(0xD800, 0xE000)


class StringError(ValueError):
    """The text is no string; the message is Prometheus'."""


def read_string(text: str, start: int) -> tuple[str, int]:
    """Read the string whose opening quote is at ``start``.

    Returns:
        Its value (bytes that are no UTF-8 as lone surrogates) and the offset behind its closing quote.

    Raises:
        StringError: it does not end, or has an unknown escape.
    """
    return _raw(text, start) if text[start] == "`" else _quoted(text, start)


def _raw(text: str, start: int) -> tuple[str, int]:
    end = text.find("`", start + 1)
    _check_characters(text[start + 1 : end if end >= 0 else len(text)])
    if end < 0:
        raise StringError("unterminated raw string")
    return text[start + 1 : end], end + 1


def _quoted(text: str, start: int) -> tuple[str, int]:
    mark = text[start]
    value = bytearray()
    at = start + 1
    while at < len(text) and text[at] not in (mark, "\n"):
        if text[at] == "\\":
            at = _escape(text, at + 1, mark, value)
            continue
        _check_characters(text[at])
        value += text[at].encode()
        at += 1
    if at >= len(text) or text[at] == "\n":
        raise StringError("unterminated quoted string")
    return value.decode(errors="surrogateescape"), at + 1


def _escape(text: str, at: int, mark: str, value: bytearray) -> int:
    character = text[at : at + 1]
    if not character:
        raise StringError("escape sequence not terminated")
    if character in _SIMPLE or character == mark:
        value.append(_SIMPLE.get(character, ord(character)))
        return at + 1
    if character in "01234567":
        return _number(text, at, _OCTAL, value)
    if character not in _NUMERIC:
        raise StringError(f"unknown escape sequence {describe_character(character)}")
    return _number(text, at + 1, _NUMERIC[character], value)


def _number(text: str, at: int, form: tuple[int, int, int], value: bytearray) -> int:
    digits, base, largest = form
    code = 0
    for place in range(at, at + digits):
        if place >= len(text):
            raise StringError("escape sequence not terminated")
        if text[place] not in "0123456789abcdefABCDEF"[: 8 if base == _OCTAL[1] else None]:
            raise StringError(f"illegal character {describe_character(text[place])} in escape sequence")
        code = code * base + int(text[place], base)
    if code > largest or code in _SURROGATES:
        raise StringError("escape sequence is an invalid Unicode code point")
    value += bytes([code]) if largest == _OCTAL[2] else chr(code).encode()
    return at + digits


def _check_characters(text: str) -> None:
    if any(ord(character) in _SURROGATES or character == "\ufffd" for character in text):
        raise StringError("invalid UTF-8 rune")
