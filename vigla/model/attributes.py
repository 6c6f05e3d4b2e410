r"""How OpenTelemetry attribute values are written as JSON text, and read back.

``attrs``, ``resource`` and the attributes inside ``scope``, ``events`` and ``links`` are one JSON object
each, compact (no spaces), keys in the sender's order; of equal keys the last stands.
Values keep their OTLP type:

| AnyValue | JSON |
|---|---|
| string | string |
| bool | ``true``, ``false`` |
| int | number without ``.`` or exponent |
| double | number with ``.`` or exponent; ``{"$double":"NaN"}``, ``"Infinity"``, ``"-Infinity"`` |
| bytes | ``{"$bytes":"<base64>"}`` |
| array | array of the same |
| kvlist | object of the same; ``{"$kvlist":[[key,value],..]}`` when a key starts with ``$`` or stands twice |
| no value set | ``null`` |

Other columns:
``scope``: ``{"name":..,"version":..,"attributes":{..},"schema_url":..,"resource_schema_url":..,"dropped":n,
"resource_dropped":n}``, empty and zero members left out, ``{}`` when all are.
``events``: ``[{"ts":<ns>,"name":..,"attributes":{..},"dropped":n}]``.
``links``: ``[{"trace_id":<hex>,"span_id":<hex>,"trace_state":..,"flags":n,"attributes":{..},"dropped":n}]``;
``ts``, ``name``, ``trace_id`` and ``span_id`` always stand, other members only when not empty or zero.
``dropped``: ``{"attributes":n,"events":n,"links":n}``.
"""

from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""A value as ``json.loads`` gives it."""

AnyValue: TypeAlias = dict[str, Any]
"""OTLP/JSON ``AnyValue``: one member such as ``stringValue``, or none."""


def to_any_value(value: Json) -> AnyValue:
    """Read one value of the convention above as an OTLP/JSON ``AnyValue``.

    Args:
        value: parsed from the JSON text of a column; integers and floats must have stayed apart in parsing.
    """
    return _TO_ANY_VALUE[type(value)](value)


def _object_to_any_value(value: dict[str, Json]) -> AnyValue:
    match value:
        case {"$bytes": str(encoded)}:
            return {"bytesValue": encoded}
        case {"$double": str(name)}:
            return {"doubleValue": name}
        case {"$kvlist": list(pairs)}:
            return {"kvlistValue": {"values": [_pair(pair) for pair in pairs]}}
    return {"kvlistValue": {"values": to_key_values(value)}}


def _pair(pair: Json) -> dict[str, Any]:
    match pair:
        case [str(key), value]:
            return {"key": key, "value": to_any_value(value)}
    raise ValueError(f"$kvlist holds [key, value] pairs, not {pair!r}")


def to_key_values(attributes: Mapping[str, Json]) -> list[dict[str, Any]]:
    """Read an object of attributes as OTLP/JSON ``KeyValue`` messages."""
    return [{"key": key, "value": to_any_value(value)} for key, value in attributes.items()]


def from_any_value(value: Mapping[str, Any]) -> Json:
    """Write an OTLP/JSON ``AnyValue`` by the convention above.

    Args:
        value: camelCase names, as ``to_any_value`` gives them; numbers may be numbers or text.

    Raises:
        ValueError: a number is none.
    """
    for name, content in value.items():
        if name in _FROM_ANY_VALUE:
            return _FROM_ANY_VALUE[name](content)
    return None


def _kvlist_from(content: Mapping[str, Any]) -> Json:
    return kvlist((pair.get("key", ""), from_any_value(pair.get("value", {}))) for pair in _values(content))


def _values(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    values: Iterable[Mapping[str, Any]] = content.get("values", ())
    return values


def from_key_values(pairs: Iterable[Mapping[str, Any]]) -> dict[str, Json]:
    """Write OTLP/JSON ``KeyValue`` messages as an object of attributes; the last of equal keys stands."""
    return {kv.get("key", ""): from_any_value(kv.get("value", {})) for kv in pairs}


def double(value: float) -> Json:
    """A double; what JSON has no number for becomes an object."""
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return {"$double": "NaN"}
    if value in (float("inf"), float("-inf")):
        return {"$double": "Infinity" if value > 0 else "-Infinity"}
    return value


def kvlist(pairs: Iterable[tuple[str, Json]]) -> Json:
    """A nested list of key-values: an object where that is unambiguous."""
    listed = list(pairs)
    members = dict(listed)
    if len(members) < len(listed) or any(key.startswith("$") for key in members):
        return {"$kvlist": [[key, value] for key, value in listed]}
    return members


_TO_ANY_VALUE: dict[type, Callable[[Any], AnyValue]] = {
    NoneType: lambda _: {},
    bool: lambda value: {"boolValue": value},
    str: lambda value: {"stringValue": value},
    int: lambda value: {"intValue": str(value)},
    float: lambda value: {"doubleValue": value},
    list: lambda value: {"arrayValue": {"values": [to_any_value(item) for item in value]}},
    dict: _object_to_any_value,
}

_FROM_ANY_VALUE: dict[str, Callable[[Any], Json]] = {
    "stringValue": str,
    "boolValue": bool,
    "intValue": int,
    "doubleValue": lambda content: double(float(content)),
    "bytesValue": lambda content: {"$bytes": content},
    "arrayValue": lambda content: [from_any_value(item) for item in _values(content)],
    "kvlistValue": _kvlist_from,
}
