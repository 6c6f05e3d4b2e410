"""Files of traces: what they may hold, and cutting them to requests."""

import gzip
import io
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from vigla.errors import BadInput
from vigla.wire.trace_files import bounded, read_requests

FIXTURES = Path(__file__).parents[3] / "shared" / "conformance" / "jaeger"


def request(spans: int = 3, name: str = "get") -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add(schema_url="r")
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_spans.add(schema_url="s")
    scope.scope.name = "lib"
    for number in range(spans):
        scope.spans.add(
            trace_id=bytes(15) + b"\1",
            span_id=(number + 1).to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=1_700_000_000_000_000_000,
            end_time_unix_nano=1_700_000_000_000_000_001,
        )
    return made


def spans_in(content: bytes) -> int:
    messages = read_requests(io.BytesIO(content))
    return sum(len(s.spans) for m in messages for r in m.resource_spans for s in r.scope_spans)


JSON_SPAN = {"traceId": f"{1:032x}", "spanId": f"{2:016x}", "name": "get"}
OTLP = {"resourceSpans": [{"scopeSpans": [{"spans": [JSON_SPAN, JSON_SPAN]}]}]}
JAEGER_SPAN = {"traceID": "1", "spanID": "2", "operationName": "get", "startTime": 1, "processID": "p1"}
JAEGER = {"traceID": "1", "spans": [JAEGER_SPAN, JAEGER_SPAN], "processes": {"p1": {"serviceName": "shop"}}}
PROTO = request(2).SerializeToString()
FRAME = len(PROTO).to_bytes(4, "big") + PROTO

CONTENTS = {
    "otlp json": (orjson.dumps(OTLP), 2),
    "otlp json, indented": (b"\n " + orjson.dumps(OTLP, option=orjson.OPT_INDENT_2), 2),
    "otlp json lines": (orjson.dumps(OTLP) + b"\n\n" + orjson.dumps(OTLP) + b"\n", 4),
    "jaeger v3 answer": (orjson.dumps({"result": OTLP}), 2),
    "jaeger envelope": (orjson.dumps({"data": [JAEGER, JAEGER]}, option=orjson.OPT_INDENT_2), 4),
    "jaeger trace": (orjson.dumps(JAEGER), 2),
    "jaeger list": (orjson.dumps([JAEGER]), 2),
    "protobuf": (PROTO, 2),
    "protobuf, one after the other": (PROTO + PROTO, 4),
    "protobuf with lengths": (FRAME * 3, 6),
}


@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd"])
@pytest.mark.parametrize("name", CONTENTS)
def test_content_tells_the_format(name: str, packed: str):
    content, spans = CONTENTS[name]
    pack = {
        "plain": bytes,
        "gzip": gzip.compress,
        "zstd": lambda c: pa.compress(c, codec="zstd", asbytes=True),
    }
    assert spans_in(pack[packed](content)) == spans


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "no JSON"),
        (b"{}", "neither OTLP"),
        (b"[1]", "neither OTLP"),
        (b"\xff\xff\xff", "neither JSON nor OTLP protobuf"),
        (FRAME + FRAME[:-1], "ends within a message"),
        (FRAME + b"\0", "ends within a message"),
        (orjson.dumps(OTLP) + b'\n{"resourceSpans": 5}\n', "line 2: resourceSpans"),
        (gzip.compress(orjson.dumps(OTLP))[:-9], "cannot be read"),
        (
            orjson.dumps({"data": [JAEGER | {"spans": [JAEGER_SPAN | {"spanID": "x"}]}]}),
            "data[0].spans[0].spanID",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",  # gzip's bytes hold the time
)
def test_refuses_with_the_place(content: bytes, said: str):
    with pytest.raises(BadInput) as caught:
        spans_in(content)
    assert said in str(caught.value)


@given(content=st.binary(max_size=200) | st.binary(max_size=50).map(lambda b: b"\0\0\0" + b))
def test_any_bytes_are_read_or_refused(content: bytes):
    try:
        spans_in(content)
    except BadInput:
        return


@given(
    sizes=st.lists(st.integers(0, 12), max_size=6),
    max_spans=st.integers(1, 8),
    max_bytes=st.integers(1, 400),
)
def test_bounded_keeps_every_span_once_with_its_resource(sizes: list[int], max_spans: int, max_bytes: int):
    requests = [request(size, name=f"r{number}") for number, size in enumerate(sizes)]
    pieces = list(bounded(requests, max_spans, max_bytes))
    names = []
    for piece, count in pieces:
        assert 0 < count <= max_spans
        assert count == 1 or piece.ByteSize() < max_bytes + 200  # the resource's own size
        for group in piece.resource_spans:
            assert group.resource.attributes[0].value.string_value == "shop"
            assert (group.schema_url, group.scope_spans[0].schema_url) == ("r", "s")
            names += [span.name for span in group.scope_spans[0].spans]
    assert names == [f"r{number}" for number, size in enumerate(sizes) for _ in range(size)]


@pytest.mark.skipif(not FIXTURES.exists(), reason="Jaeger's fixtures are not here")
def test_jaegers_own_documents_are_read():
    files = [
        *FIXTURES.glob("traces/*.json"),
        FIXTURES / "uimodel/ui_01.json",
        FIXTURES / "otlp2jaeger-out.json",
    ]
    assert all(spans_in(path.read_bytes()) > 0 for path in files)
