"""Values of attributes as the text of labels."""

from base64 import b64encode
from decimal import Decimal
from functools import lru_cache
from math import isfinite, isinf, isnan

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from vigla.wire.otlp import nested

_CACHED = 200_000
_PLAIN_FROM, _PLAIN_TO = 1e-6, 1e21


@lru_cache(_CACHED)
def pair(raw: bytes) -> tuple[str, str]:
    """Key and text of an encoded ``KeyValue``; what does not parse has an empty key."""
    try:
        message = KeyValue.FromString(raw)
    except DecodeError:
        return "", ""
    return message.key, _text(message.value)


def _text(value: AnyValue) -> str:  # noqa: PLR0911  one for each kind of value
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return number(value.double_value)
        case "bytes_value":
            return b64encode(value.bytes_value).decode()
        case "array_value":
            return nested.array_text(value.array_value.SerializeToString())
        case "kvlist_value":
            return nested.kvlist_text(value.kvlist_value.SerializeToString())
    return ""


def number(value: float) -> str:
    """Shortest digits, with an exponent only below 1e-6 and from 1e21."""
    if value and isfinite(value) and not _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
        return f"{mantissa}e{int(exponent):+d}"
    return plain(value)


def plain(value: float) -> str:
    """Shortest digits without an exponent: ``le`` and ``quantile`` are written so."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")
