"""Parameters as Jaeger's Go code reads them."""

import base64
import binascii
import re
from datetime import UTC, datetime
from fractions import Fraction

import orjson

from vigla.errors import QueryError

NS_OF_UNIT = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DURATION = re.compile(r"([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")
_HEX = re.compile(r"[0-9a-fA-F]{1,32}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")

TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
FALSE = frozenset(("0", "f", "F", "false", "FALSE", "False"))


def duration_ns(text: str) -> int:
    """Nanoseconds of a Go duration such as ``1m30.5s``.

    Raises:
        QueryError: in the words of Go's ``time.ParseDuration``.
    """
    if text in ("0", "+0", "-0"):
        return 0
    match = _DURATION.fullmatch(text)
    if match is None:
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text):
            raise QueryError(f'time: missing unit in duration "{text}"')
        raise QueryError(f'time: invalid duration "{text}"')
    total = sum(
        int(Fraction(number.rstrip(".") or "0") * NS_OF_UNIT[unit])
        for number, unit in _PART.findall(match[2])
    )
    if total >= 2**63:
        raise QueryError(f'time: invalid duration "{text}"')
    return -total if match[1] == "-" else total


def integer(text: str) -> int:
    """A decimal integer of 64 bits.

    Raises:
        QueryError: in the words of Go's ``strconv.ParseInt``.
    """
    if not _INTEGER.fullmatch(text):
        raise QueryError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise QueryError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def boolean(text: str) -> bool:
    """A truth value as Go's ``strconv.ParseBool`` takes it."""
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise QueryError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def microseconds_ns(text: str) -> int:
    """Nanoseconds of a Unix time in microseconds, bounded to what the columns hold."""
    return max(-(2**63), min(integer(text) * 1000, 2**63 - 1))


def rfc3339_ns(text: str) -> int:
    """Nanoseconds of an RFC 3339 time with up to nine digits of fraction.

    A space before the zone is a ``+`` that the client did not encode.

    Raises:
        QueryError: in the words of Go's ``time.Parse``.
    """
    match = _TIME.fullmatch(text.replace(" ", "+"))
    if match is None:
        raise QueryError(
            f'parsing time "{text}" as "2006-01-02T15:04:05.999999999Z07:00": cannot parse "{text}"'
        )
    date, time, fraction, zone = match.groups()
    try:
        parsed = datetime.fromisoformat(f"{date}T{time}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError as error:
        raise QueryError(f'parsing time "{text}": {error}') from error
    seconds = (parsed - datetime(1970, 1, 1, tzinfo=UTC)) // _SECOND
    return max(-(2**63), min(seconds * 10**9 + int((fraction or "").ljust(9, "0")), 2**63 - 1))


def trace_id(text: str) -> str:
    """A trace id of 1 to 32 hex digits, or of 16 bytes in base64, as 32 lower-case hex digits.

    Raises:
        QueryError: neither.
    """
    if _HEX.fullmatch(text):
        return text.lower().rjust(32, "0")
    try:
        raw = base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise QueryError(f'invalid trace ID "{text}": expected 1 to 32 hex digits') from error
    if len(raw) != 16:  # noqa: PLR2004 (bytes of a trace id)
        raise QueryError(f'invalid trace ID "{text}": expected 1 to 32 hex digits')
    return raw.hex()


def string_map(text: str) -> dict[str, str]:
    """A JSON object whose values are strings.

    Raises:
        QueryError: it is something else.
    """
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise QueryError(f"cannot unmarshal JSON: {error}") from error
    if not isinstance(parsed, dict) or not all(isinstance(value, str) for value in parsed.values()):
        raise QueryError('expected an object of strings, such as {"http.response.status_code":"500"}')
    return parsed


_SECOND = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
