"""Jaeger's Thrift to OTLP, in both of Thrift's protocols."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.wire.jaeger_batches import PARENT, START_US, batch, message
from vigla.errors import BadInput
from vigla.wire.jaeger_thrift import binary, compact
from vigla.wire.jaeger_thrift.batch import otlp_request

READERS = {"compact": compact.message, "binary": binary.message}


def read(protocol: str, data: bytes) -> Any:
    return ExportTraceServiceRequest.FromString(otlp_request(READERS[protocol](data)))


def values(attributes: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


@pytest.mark.parametrize("protocol", READERS)
def test_every_field_of_a_batch_comes_through(protocol: str) -> None:
    (entry,) = read(protocol, message(protocol, batch())).resource_spans
    assert values(entry.resource.attributes) == {"service.name": "shop", "region": "eu"}
    (span,) = entry.scope_spans[0].spans
    assert span.trace_id.hex() == "4000000000000001fffffffffffffffe"
    assert span.span_id.hex() == "8000000000000000"
    assert span.parent_span_id == PARENT.to_bytes(8, "big")
    assert (span.name, span.flags, span.kind) == ("checkout", 1, span.SPAN_KIND_SERVER)
    assert span.start_time_unix_nano == START_US * 1000
    assert span.end_time_unix_nano == START_US * 1000 + 1_500_000
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert values(span.attributes) == {
        "text": "grüß dich",
        "ratio": 0.25,
        "retry": True,
        "not": False,
        "count": -(2**40),
        "raw": "ÿ\0".encode(),
    }
    (link,) = span.links
    assert (link.trace_id, link.span_id) == ((5).to_bytes(16, "big"), (6).to_bytes(8, "big"))
    (event,) = span.events
    assert (event.name, event.time_unix_nano) == ("paid", (START_US + 10) * 1000)


@pytest.mark.parametrize("protocol", READERS)
def test_a_batch_of_many_spans_is_read_whole(protocol: str) -> None:
    request = read(protocol, message(protocol, batch(spans=100)))
    assert sum(len(s.spans) for e in request.resource_spans for s in e.scope_spans) == 100


@pytest.mark.parametrize("protocol", READERS)
def test_a_batch_cut_anywhere_is_refused(protocol: str) -> None:
    whole = message(protocol, batch())
    for end in range(len(whole)):
        with pytest.raises(BadInput):
            read(protocol, whole[:end])


@pytest.mark.parametrize("protocol", READERS)
@given(garbage=st.binary(max_size=200), place=st.integers(0, 400))
def test_garbage_raises_bad_input_or_parses(protocol: str, garbage: bytes, place: int) -> None:
    whole = message(protocol, batch())
    for data in (garbage, whole[:place] + garbage + whole[place + len(garbage) :]):
        try:
            read(protocol, data)
        except BadInput:
            continue


def test_another_method_is_refused_by_its_name() -> None:
    data = message("binary", batch()).replace(b"emitBatch", b"emitOther")
    with pytest.raises(BadInput, match="'emitOther' is not emitBatch"):
        read("binary", data)
