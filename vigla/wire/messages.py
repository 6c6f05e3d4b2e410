"""Protobuf messages written down as text, where no package on PyPI ships their descriptors.

A field is ``number [repeated|optional] type name``; a type that is not a scalar is a message of the same set.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

Fields = Mapping[str, Sequence[str]]
"""Fields by the message's name."""

_TYPES = {
    name: FieldDescriptorProto.Type.Value(f"TYPE_{name.upper()}")
    for name in ("bytes", "double", "int32", "int64", "sint32", "sint64", "uint32", "uint64")
}


def described(package: str, messages: Fields) -> FileDescriptor:
    """A file of these messages, in a pool of its own."""
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for text in fields:
            _add_field(message, text, package)
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindFileByName(file.name)


def _add_field(message: Any, text: str, package: str) -> None:
    number, *rule, kind, name = text.split()
    field = message.field.add(name=name, number=int(number), label=FieldDescriptorProto.LABEL_OPTIONAL)
    if rule == ["repeated"]:
        field.label = FieldDescriptorProto.LABEL_REPEATED
    elif rule == ["optional"]:
        field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{package}.{kind}"
