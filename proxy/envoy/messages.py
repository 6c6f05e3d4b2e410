"""Envoy's API (v3) in its JSON form: messages from dicts and back."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from vigla.wire.envoy.descriptors import message_class, pool

__all__ = ["TYPE_URL", "build", "message_class", "pool", "to_json", "typed"]

TYPE_URL = "type.googleapis.com/"


def build(name: str, value: Mapping[str, Any]) -> Message:
    """A message from its JSON form; ``Any`` fields hold ``@type`` (see ``typed``).

    Raises:
        json_format.ParseError: a field is unknown or of another type.
    """
    return json_format.ParseDict(dict(value), message_class(name)(), descriptor_pool=pool())


def to_json(message: Message) -> dict[str, Any]:
    """A message as JSON values, with the proto's own field names."""
    made: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, descriptor_pool=pool()
    )
    return made


def typed(name: str, value: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON form of an ``Any`` that holds this message."""
    return {"@type": TYPE_URL + name, **(value or {})}
