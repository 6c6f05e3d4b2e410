"""Reads a message in Thrift's binary protocol (UDP port 6832).

Source: Apache Thrift, "Thrift Binary protocol encoding".
"""

import struct
from collections.abc import Callable

from vigla.errors import BadInput
from vigla.wire.jaeger_thrift.values import Call, Cursor, Struct, Value, deeper

_VERSION, _VERSION_BITS = 0x8001_0000, 0xFFFF_0000
_BOOL, _BYTE, _DOUBLE, _I16, _I32, _I64 = 2, 3, 4, 6, 8, 10
_STRING, _STRUCT, _MAP, _SET, _LIST, _UUID = 11, 12, 13, 14, 15, 16
_UUID_BYTES = 16


def message(data: bytes) -> Call:
    """Read one message, with or without a version in front.

    Raises:
        BadInput: it is none in this protocol.
    """
    cursor = Cursor(data)
    head = _integer(cursor, 4)
    if head >= 0:  # the older form: the length of the name
        method = cursor.take(head)
        cursor.take(1)  # kind of message
    elif head & _VERSION_BITS == _VERSION:
        method = _string(cursor)
    else:
        raise BadInput("no message in Thrift's binary protocol")
    _integer(cursor, 4)  # sequence number
    return Call(method.decode(errors="replace"), _struct(cursor, 0))


def _struct(cursor: Cursor, depth: int) -> Struct:
    fields: Struct = {}
    depth = deeper(depth)
    while kind := cursor.byte():
        number = _integer(cursor, 2)
        fields[number] = _value(cursor, kind, depth)
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
    raise BadInput(f"type {kind} at byte {cursor.position} is none of Thrift's binary protocol")


def _list(cursor: Cursor, depth: int) -> list[Value]:
    kind, depth = cursor.byte(), deeper(depth)
    size = cursor.count(_integer(cursor, 4))
    return [_value(cursor, kind, depth) for _ in range(size)]


def _map(cursor: Cursor, depth: int) -> list[Value]:
    """Keys and values in turn; Jaeger has no maps, but unknown fields are passed over."""
    kinds, depth = (cursor.byte(), cursor.byte()), deeper(depth)
    size = cursor.count(_integer(cursor, 4))
    return [_value(cursor, kind, depth) for _ in range(size) for kind in kinds]


def _integer(cursor: Cursor, size: int) -> int:
    return int.from_bytes(cursor.take(size), signed=True)


def _string(cursor: Cursor) -> bytes:
    return cursor.take(_integer(cursor, 4))


def _double(cursor: Cursor) -> float:
    number: float = struct.unpack(">d", cursor.take(8))[0]
    return number


_SCALARS: dict[int, Callable[[Cursor], Value]] = {
    _BOOL: lambda cursor: bool(cursor.byte()),
    _BYTE: lambda cursor: _integer(cursor, 1),
    _I16: lambda cursor: _integer(cursor, 2),
    _I32: lambda cursor: _integer(cursor, 4),
    _I64: lambda cursor: _integer(cursor, 8),
    _DOUBLE: _double,
    _STRING: _string,
    _UUID: lambda cursor: cursor.take(_UUID_BYTES),
}
