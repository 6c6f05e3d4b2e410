"""Values that are no columns: arrays, key-value lists, bytes and doubles as JSON text, one by one.

Called for distinct values only. Source of the text: ``vigla.model.attributes``.
"""

from base64 import b64encode
from struct import Struct
from typing import Any

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from vigla.model.attributes import Json, double, kvlist

_BITS, _DOUBLE = Struct("<q"), Struct("<d")


def double_text(bits: int) -> str:
    """A double, given by its 64 bits as a signed integer, with ``.`` or exponent."""
    (value,) = _DOUBLE.unpack(_BITS.pack(bits))
    return _text(double(value))


def bytes_text(raw: bytes) -> str:
    """Bytes as base64 in an object."""
    return _text(_bytes(raw))


def array_text(raw: bytes) -> str:
    """An encoded ``ArrayValue`` as a JSON array."""
    try:
        message = ArrayValue.FromString(raw)
    except DecodeError:
        return bytes_text(raw)  # nested deeper than protobuf reads: kept, though not as a tree
    return _text([_value(item) for item in message.values])


def kvlist_text(raw: bytes) -> str:
    """An encoded ``KeyValueList`` as a JSON object."""
    try:
        message = KeyValueList.FromString(raw)
    except DecodeError:
        return bytes_text(raw)
    return _text(kvlist((pair.key, _value(pair.value)) for pair in message.values))


def _value(value: AnyValue) -> Json:
    """Recursion ends within 50 levels, as protobuf reads no message that is nested deeper than 100."""
    kind = value.WhichOneof("value")
    match kind:
        case "string_value" | "bool_value" | "int_value":
            plain: Json = _member(value, kind)
            return plain
        case "double_value":
            return double(value.double_value)
        case "bytes_value":
            return _bytes(value.bytes_value)
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return kvlist((pair.key, _value(pair.value)) for pair in value.kvlist_value.values)
    return None


def _member(value: AnyValue, kind: str) -> Any:
    return getattr(value, kind)


def _bytes(raw: bytes) -> Json:
    return {"$bytes": b64encode(raw).decode()}


def _text(value: Json) -> str:
    return orjson.dumps(value).decode()
