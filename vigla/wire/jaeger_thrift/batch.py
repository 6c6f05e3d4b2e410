"""A batch of Jaeger's Thrift model as an OTLP export request.

Sources: Jaeger ``thrift/agent.thrift`` (``emitBatch``) and ``thrift/jaeger.thrift``. Jaeger's JSON has the
same tags and references, so the batch goes its way.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, TypeVar

from vigla.errors import BadInput
from vigla.wire.jaeger_json import from_jaeger_document
from vigla.wire.jaeger_thrift.values import Call, Struct, Value

METHOD = "emitBatch"

_UINT64 = 2**64 - 1
_FLAGS = 2**32 - 1
_CHILD_OF, _FOLLOWS_FROM = "CHILD_OF", "FOLLOWS_FROM"
_PROCESS = "process"

T = TypeVar("T", int, float, bytes, list[Value], Struct)


def otlp_request(call: Call) -> bytes:
    """The serialised OTLP export request of a call.

    Raises:
        BadInput: another method, or a batch that lacks what it must have.
    """
    if call.method != METHOD:
        raise BadInput(f"method {call.method!r} is not {METHOD}: send Jaeger's own model")
    batch = _get(dict, call.arguments, 1)
    process = _get(dict, batch, 1)
    trace = {
        "processes": {_PROCESS: {"serviceName": _text(process, 1), "tags": _tags(process, 2)}},
        "spans": [_span(span) for span in _structs(batch, 2)],
    }
    return from_jaeger_document(trace)


def _span(span: Struct) -> dict[str, Any]:
    parent = _get(int, span, 4, 0)
    return {
        "processID": _PROCESS,
        "traceID": _trace_id(span, 1, 2),
        "spanID": _span_id(_get(int, span, 3)),
        "parentSpanID": _span_id(parent) if parent else "",
        "operationName": _text(span, 5),
        "references": [_reference(reference) for reference in _structs(span, 6)],
        "flags": _get(int, span, 7, 0) & _FLAGS,
        "startTime": _get(int, span, 8),
        "duration": _get(int, span, 9, 0),
        "tags": _tags(span, 10),
        "logs": [{"timestamp": _get(int, log, 1), "fields": _tags(log, 2)} for log in _structs(span, 11)],
    }


def _reference(reference: Struct) -> dict[str, Any]:
    return {
        "refType": _FOLLOWS_FROM if _get(int, reference, 1, 0) else _CHILD_OF,
        "traceID": _trace_id(reference, 2, 3),
        "spanID": _span_id(_get(int, reference, 4)),
    }


def _tags(of: Struct, number: int) -> list[dict[str, Any]]:
    return [_tag(tag) for tag in _structs(of, number)]


def _tag(tag: Struct) -> dict[str, Any]:
    """Types are those of ``TagType``: string, double, bool, long, binary."""
    key: dict[str, Any] = {"key": _text(tag, 1)}
    match _get(int, tag, 2, 0):
        case 0:
            return key | {"type": "string", "value": _text(tag, 3)}
        case 1:
            return key | {"type": "float64", "value": _get(float, tag, 4, 0.0)}
        case 2:
            return key | {"type": "bool", "value": bool(_get(int, tag, 5, 0))}
        case 3:
            return key | {"type": "int64", "value": _get(int, tag, 6, 0)}
        case 4:
            return key | {"type": "binary", "value": b64encode(_get(bytes, tag, 7, b""))}
        case other:
            raise BadInput(f"tag {key['key']!r} has type {other}, which Jaeger does not have")


def _trace_id(of: Struct, low: int, high: int) -> str:
    return f"{_get(int, of, high, 0) & _UINT64:016x}{_get(int, of, low) & _UINT64:016x}"


def _span_id(number: int) -> str:
    return f"{number & _UINT64:016x}"


def _text(of: Struct, number: int) -> str:
    return _get(bytes, of, number, b"").decode(errors="replace")


def _structs(of: Struct, number: int) -> Iterator[Struct]:
    for item in _get(list, of, number, []):
        if not isinstance(item, dict):
            raise BadInput(f"field {number}: expected a list of structs")
        yield item


def _get(kind: type[T], of: Struct, number: int, default: T | None = None) -> T:
    value = of.get(number, default)
    if value is None:
        raise BadInput(f"field {number} is missing")
    if not isinstance(value, kind):
        raise BadInput(f"field {number}: expected {kind.__name__}, found {type(value).__name__}")
    return value
