"""OTLP/JSON to protobuf.

Source: the OTLP specification, section "JSON Protobuf Encoding": the proto3 JSON mapping, with trace and span
ids in hex. Enum names, snake_case names and numbers as strings, which the mapping lets parsers accept, are
accepted. Each message type is compiled once to a table of field readers; the tree they give is built into a
message by protobuf's own code, which takes a third of the time ``json_format`` needs.
"""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, TypeAlias

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from vigla.errors import BadInput
from vigla.wire.otlp.descriptors import REQUESTS, Signal
from vigla.wire.otlp.json_scalars import SCALARS, Scalar, Wrong, enumeration, hex_id

Reader: TypeAlias = Callable[[Any, int], Any]
"""Takes parsed JSON and the levels it may still nest."""

_IDS = frozenset({"trace_id", "span_id", "parent_span_id"})
_MAX_DEPTH = 100  # messages within messages, protobuf's own limit when the result is parsed again


def from_json(signal: Signal, body: bytes) -> bytes:
    """Turn an OTLP/JSON export request into its protobuf form.

    Raises:
        BadInput: the body is no JSON or has a value of a wrong type; the message holds the path to it.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"body is no JSON: {error}") from error
    request = REQUESTS[signal]
    try:
        fields = _message_reader(request.DESCRIPTOR)(parsed, _MAX_DEPTH)
    except Wrong as error:
        raise BadInput(f"{error.path.lstrip('.') or 'body'}: {error.reason}") from error
    return request(**fields).SerializeToString()


class _MessageReader:
    """Reads a JSON object as the fields of a message.

    The table of fields is made on first use, because ``AnyValue`` contains itself.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    @cached_property
    def _fields(self) -> dict[str, tuple[str, Reader]]:
        fields = {}
        for field in self._descriptor.fields:
            fields[field.name] = fields[field.json_name] = (field.name, _field_reader(field))
        return fields

    def __call__(self, value: Any, depth: int) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Wrong("is not an object")
        if not depth:
            raise Wrong("is nested too deep")
        fields = self._fields
        read = {}
        for name, content in value.items():
            if content is None or name not in fields:
                continue
            field, reader = fields[name]
            try:
                read[field] = reader(content, depth - 1)
            except Wrong as error:
                raise error.within(f".{name}") from None
        return read


_message_reader = cache(_MessageReader)


def _field_reader(field: FieldDescriptor) -> Reader:
    reader = _item_reader(field)
    return _list_reader(reader) if field.is_repeated else reader


def _item_reader(field: FieldDescriptor) -> Reader:
    if field.message_type is not None:
        return _message_reader(field.message_type)
    scalar = _scalar(field)
    return lambda value, _depth: scalar(value)


def _scalar(field: FieldDescriptor) -> Scalar:
    if field.enum_type is not None:
        return enumeration(field.enum_type)
    return hex_id if field.name in _IDS else SCALARS[field.type]


def _list_reader(reader: Reader) -> Reader:
    def read(value: Any, depth: int) -> list[Any]:
        if not isinstance(value, list):
            raise Wrong("is not an array")
        items = []
        for index, item in enumerate(value):
            try:
                items.append(reader(item, depth))
            except Wrong as error:
                raise error.within(f"[{index}]") from None
        return items

    return read
