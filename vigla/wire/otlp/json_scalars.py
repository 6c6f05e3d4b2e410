"""Readers of the scalar types of the proto3 JSON mapping.

Source: https://protobuf.dev/programming-guides/json/. What the mapping lets a parser accept is accepted:
numbers as strings, integers with a zero fraction or an exponent, either alphabet of base64, padded or not.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any, TypeAlias

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

Scalar: TypeAlias = Callable[[Any], Any]

_URL_SAFE = str.maketrans("-_", "+/")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_LONGEST_INTEGER = 40  # characters; 64 bits take 20, and Python's int() of a long text is slow
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})


class Wrong(Exception):
    """A value is not of its field's type. Never leaves this package.

    Attributes:
        reason: completes the sentence that starts with the path.
        path: from the outermost reader that has seen the error, such as ``.spans[2].traceId``.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def within(self, step: str) -> "Wrong":
        """The same error, seen one step further out."""
        return Wrong(self.reason, step + self.path)


def string(value: Any) -> str:
    """Text."""
    if isinstance(value, str):
        return value
    raise Wrong("is not a string")


def boolean(value: Any) -> bool:
    """Only ``true`` and ``false``."""
    if isinstance(value, bool):
        return value
    raise Wrong("is not true or false")


def integer(bits: int, *, signed: bool) -> Scalar:
    """Reader of an integer type."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def read(value: Any) -> int:
        number = _integer(value)
        if low <= number <= high:
            return number
        raise Wrong(f"is outside {low}..{high}")

    return read


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str):
        return _integer_text(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Wrong("is not an integer")


def _integer_text(text: str) -> int:
    if len(text) <= _LONGEST_INTEGER and _NUMBER.fullmatch(text):
        if text.lstrip("-").isdigit():
            return int(text)
        number = float(text)
        if number.is_integer():
            return int(number)
    raise Wrong("is not an integer")


def floating(value: Any) -> float:
    """A double."""
    if type(value) is float or type(value) is int:
        return float(value)
    if isinstance(value, str) and (value in _NOT_FINITE or _NUMBER.fullmatch(value)):
        return float(value)
    raise Wrong("is not a number")


def binary(value: Any) -> bytes:
    """Base64, standard or URL-safe."""
    text = string(value).translate(_URL_SAFE).rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (Base64Error, ValueError):
        raise Wrong("is not base64") from None


def hex_id(value: Any) -> bytes:
    """A trace or span id."""
    text = string(value)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Wrong("is not hex") from None


def enumeration(descriptor: EnumDescriptor) -> Scalar:
    """Reader of an enum: a name of it, or any number, as later versions may add some."""
    numbers = {value.name: value.number for value in descriptor.values}
    number = integer(32, signed=True)

    def read(value: Any) -> int:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        try:
            return int(number(value))
        except Wrong:
            raise Wrong(f"is no {descriptor.name}") from None

    return read


SCALARS: dict[int, Scalar] = {
    FieldDescriptor.TYPE_STRING: string,
    FieldDescriptor.TYPE_BOOL: boolean,
    FieldDescriptor.TYPE_BYTES: binary,
    FieldDescriptor.TYPE_DOUBLE: floating,
    FieldDescriptor.TYPE_INT32: integer(32, signed=True),
    FieldDescriptor.TYPE_SINT32: integer(32, signed=True),
    FieldDescriptor.TYPE_SFIXED32: integer(32, signed=True),
    FieldDescriptor.TYPE_INT64: integer(64, signed=True),
    FieldDescriptor.TYPE_SINT64: integer(64, signed=True),
    FieldDescriptor.TYPE_SFIXED64: integer(64, signed=True),
    FieldDescriptor.TYPE_UINT32: integer(32, signed=False),
    FieldDescriptor.TYPE_FIXED32: integer(32, signed=False),
    FieldDescriptor.TYPE_UINT64: integer(64, signed=False),
    FieldDescriptor.TYPE_FIXED64: integer(64, signed=False),
}
"""Readers by ``FieldDescriptor.type``; OTLP has no field of type float."""
