"""Reads a message in Thrift's compact protocol (UDP port 6831).

Source: Apache Thrift, "Thrift Compact protocol encoding".
"""

import struct
from collections.abc import Callable

from vigla.errors import BadInput
from vigla.wire.jaeger_thrift.values import Call, Cursor, Struct, Value, deeper

PROTOCOL, VERSION = 0x82, 1

_VERSION_BITS, _LOW, _SHORT_LIST = 0x1F, 0x0F, 15
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = range(1, 14)
_MORE, _VARINT_BYTES = 0x80, 10
_UUID_BYTES = 16


def message(data: bytes) -> Call:
    """Read one message.

    Raises:
        BadInput: it is none in this protocol.
    """
    cursor = Cursor(data)
    if cursor.byte() != PROTOCOL or cursor.byte() & _VERSION_BITS != VERSION:
        raise BadInput("no message in Thrift's compact protocol")
    _varint(cursor)  # sequence number
    method = _binary(cursor).decode(errors="replace")
    return Call(method, _struct(cursor, 0))


def _struct(cursor: Cursor, depth: int) -> Struct:
    fields: Struct = {}
    number, depth = 0, deeper(depth)
    while head := cursor.byte():
        kind, step = head & _LOW, head >> 4
        number = number + step if step else _zigzag(cursor)
        fields[number] = kind == _TRUE if kind in {_TRUE, _FALSE} else _value(cursor, kind, depth)
    return fields


def _value(cursor: Cursor, kind: int, depth: int) -> Value:
    if kind in _SCALARS:
        return _SCALARS[kind](cursor)
    if kind == _STRUCT:
        return _struct(cursor, depth)
    if kind in {_LIST, _SET}:
        return _list(cursor, depth)
    if kind == _MAP:
        return _map(cursor, depth)
    raise BadInput(f"type {kind} at byte {cursor.position} is none of Thrift's compact protocol")


def _list(cursor: Cursor, depth: int) -> list[Value]:
    head, depth = cursor.byte(), deeper(depth)
    size = head >> 4
    size = cursor.count(_varint(cursor) if size == _SHORT_LIST else size)
    return [_value(cursor, head & _LOW, depth) for _ in range(size)]


def _map(cursor: Cursor, depth: int) -> list[Value]:
    """Keys and values in turn; Jaeger has no maps, but unknown fields are passed over."""
    size, depth = cursor.count(_varint(cursor)), deeper(depth)
    if not size:
        return []
    kinds = cursor.byte()
    return [_value(cursor, kind, depth) for _ in range(size) for kind in (kinds >> 4, kinds & _LOW)]


def _varint(cursor: Cursor) -> int:
    number = 0
    for place in range(_VARINT_BYTES):
        byte = cursor.byte()
        number |= (byte & (_MORE - 1)) << (7 * place)
        if byte < _MORE:
            return number
    raise BadInput(f"a number at byte {cursor.position} does not end")


def _zigzag(cursor: Cursor) -> int:
    number = _varint(cursor)
    return (number >> 1) ^ -(number & 1)


def _binary(cursor: Cursor) -> bytes:
    return cursor.take(_varint(cursor))


def _double(cursor: Cursor) -> float:
    number: float = struct.unpack("<d", cursor.take(8))[0]
    return number


_SCALARS: dict[int, Callable[[Cursor], Value]] = {
    _TRUE: lambda cursor: cursor.byte() == _TRUE,  # in a list a bool has a byte of its own
    _FALSE: lambda cursor: cursor.byte() == _TRUE,
    _BYTE: lambda cursor: int.from_bytes(cursor.take(1), signed=True),
    _I16: _zigzag,
    _I32: _zigzag,
    _I64: _zigzag,
    _DOUBLE: _double,
    _BINARY: _binary,
    _UUID: lambda cursor: cursor.take(_UUID_BYTES),
}
