"""Repair of text that is not UTF-8. Strict parsers refuse a whole request for one such string."""

from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from vigla.errors import BadInput
from vigla.wire.otlp import descriptors


def repaired(strict: type[Message], payload: bytes) -> bytes:
    """``repaired_as`` for OTLP's own messages."""
    return repaired_as(strict, _lenient(strict.DESCRIPTOR.full_name), payload)


def repaired_as(strict: type[Message], lenient: type[Message], payload: bytes) -> bytes:
    """The payload with bytes that are not UTF-8 replaced by U+FFFD in all its text.

    Args:
        strict: class of the payload's message.
        lenient: the same message, with text read as bytes.
        payload: what did not parse.

    Raises:
        BadInput: the payload does not parse for another reason.
    """
    try:
        message = lenient.FromString(payload)
    except DecodeError as error:
        raise BadInput(f"payload is no {strict.DESCRIPTOR.name}: {error}") from error
    _repair(message, strict.DESCRIPTOR)
    return message.SerializeToString()


@cache
def _lenient(request: str) -> type[Message]:
    return descriptors.message_class(descriptors.strings_as_bytes, request)


def _repair(lenient: Message, strict: Any) -> None:
    """Recursion ends within 100 levels, as protobuf reads no message that is nested deeper."""
    for field, value in lenient.ListFields():
        expected = strict.fields_by_name[field.name]
        if expected.type == FieldDescriptor.TYPE_MESSAGE:
            for child in value if field.is_repeated else (value,):
                _repair(child, expected.message_type)
        elif expected.type == FieldDescriptor.TYPE_STRING and field.is_repeated:
            value[:] = [_text(item) for item in value]
        elif expected.type == FieldDescriptor.TYPE_STRING:
            setattr(lenient, field.name, _text(value))


def _text(raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode()
