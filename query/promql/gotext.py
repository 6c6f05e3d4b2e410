"""Go's spelling of strings, which Prometheus' messages have; that of numbers is in ``histograms.numbers``."""

_ESCAPES = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\"}
_LONE = range(0xD800, 0xE000)
_SURROGATES = range(0xDC80, 0xDD00)  # bytes 0x80 to 0xff that are no UTF-8


def quote(text: str) -> str:
    """A string in double quotes, as ``%q`` writes it."""
    return '"' + "".join(_escaped(character, '"') for character in text) + '"'


def quote_character(character: str) -> str:
    """One character in single quotes; the empty string (end of text) is U+FFFD."""
    return f"'{_escaped(chr(_code(character)), chr(39))}'"


def describe_character(character: str) -> str:
    """One character as ``%#U`` writes it: ``U+00F6 'ö'``."""
    code = _code(character)
    shown = f" '{chr(code)}'" if chr(code).isprintable() else ""
    return f"U+{code:04X}{shown}"


def _code(character: str) -> int:
    return 0xFFFD if not character or ord(character) in _LONE else ord(character)


def _escaped(character: str, mark: str) -> str:
    code = ord(character)
    if character == mark:
        return f"\\{mark}"
    if code in _ESCAPES:
        return _ESCAPES[code]
    if code in _SURROGATES:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    if code < 0x80:  # noqa: PLR2004 - ASCII
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - what \u can hold
