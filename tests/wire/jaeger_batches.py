"""Batches of Jaeger's Thrift model, written by Thrift's own library and Jaeger's own generated code."""

import warnings
from typing import Any

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.transport.TTransport import TMemoryBuffer

with warnings.catch_warnings():  # generated long ago
    warnings.simplefilter("ignore")
    from jaeger_client.thrift_gen.agent import Agent
    from jaeger_client.thrift_gen.jaeger.ttypes import Batch, Log, Process, Span, SpanRef, Tag

PROTOCOLS = {"compact": TCompactProtocol, "binary": TBinaryProtocol}
TYPES, REFERENCES = ("STRING", "DOUBLE", "BOOL", "LONG", "BINARY"), ("CHILD_OF", "FOLLOWS_FROM")
ONE_WAY = 4  # TMessageType
TRACE_LOW, TRACE_HIGH, SPAN, PARENT = -2, 2**62 + 1, -(2**63), 77
START_US = 1_790_000_000_123_456


def batch(name: str = "checkout", spans: int = 1) -> Any:
    """A batch with all that the model has."""
    tags = [
        Tag(key="text", vType=0, vStr="grüß dich"),
        Tag(key="ratio", vType=1, vDouble=0.25),
        Tag(key="retry", vType=2, vBool=True),
        Tag(key="not", vType=2, vBool=False),
        Tag(key="count", vType=3, vLong=-(2**40)),
        Tag(key="raw", vType=4, vBinary="ÿ\0"),
        Tag(key="span.kind", vType=0, vStr="server"),
        Tag(key="error", vType=2, vBool=True),
    ]
    made = Span(
        traceIdLow=TRACE_LOW, traceIdHigh=TRACE_HIGH, spanId=SPAN, parentSpanId=PARENT, operationName=name,
        references=[SpanRef(refType=1, traceIdLow=5, traceIdHigh=0, spanId=6)],
        flags=1, startTime=START_US, duration=1500, tags=tags,
        logs=[Log(timestamp=START_US + 10, fields=[Tag(key="event", vType=0, vStr="paid")])],
    )  # fmt: skip
    process = Process(serviceName="shop", tags=[Tag(key="region", vType=0, vStr="eu")])
    return Batch(process=process, spans=[made] * spans)


def message(protocol: str, of: Any) -> bytes:
    """The datagram that calls ``emitBatch``."""
    buffer = TMemoryBuffer()
    writer = PROTOCOLS[protocol](buffer)
    writer.writeMessageBegin("emitBatch", ONE_WAY, 0)
    Agent.emitBatch_args(batch=of).write(writer)
    writer.writeMessageEnd()
    return bytes(buffer.getvalue())


def of_json(written: dict[str, Any]) -> Any:
    """A batch from its members as JSON; numbers that are left out are 0."""
    process = written["process"]
    return Batch(
        process=Process(serviceName=process["serviceName"], tags=_tags(process)),
        spans=[_span(span) for span in written["spans"]],
    )


def _span(span: dict[str, Any]) -> Any:
    zero = {"traceIdLow": 0, "traceIdHigh": 0, "spanId": 0, "parentSpanId": 0, "flags": 0, "duration": 0}
    references = [_reference(reference) for reference in span.get("references") or []]
    logs = [Log(timestamp=log["timestamp"], fields=_tags(log, "fields")) for log in span.get("logs") or []]
    return Span(**zero | span | {"tags": _tags(span), "references": references, "logs": logs})


def _reference(reference: dict[str, Any]) -> Any:
    kind = REFERENCES.index(reference.get("refType", REFERENCES[0]))
    return SpanRef(**{"traceIdLow": 0, "traceIdHigh": 0, "spanId": 0} | reference | {"refType": kind})


def _tags(of: dict[str, Any], name: str = "tags") -> list[Any]:
    return [Tag(**tag | {"vType": TYPES.index(tag.get("vType", "STRING"))}) for tag in of.get(name) or []]
