"""How many spans a CPU-second turns from OTLP bytes into columns.

Goal: 120,000 on the shape of Jaeger's ``tracegen``, 20,000 spans a call. In the same run and on the same
payloads: a plain walk over the messages that protobuf's C parser (upb) makes, the same decoder on smaller
calls, ways to read attributes, and what the collector does per span before it answers.
"""

import random
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import orjson
import pyarrow as pa
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks import tracegen
from benchmarks.report import publish, table, verdict
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.wire.otlp import descriptors
from vigla.wire.otlp.admit import admit
from vigla.wire.otlp.from_json import from_json
from vigla.wire.otlp.spans import SpanDecoder

GOAL = 120_000  # spans a CPU-second
SPANS_PER_PAYLOAD = 500
PAYLOADS = 40
CALLS = 5
EPOCH_NS = 1_790_000_000_000_000_000

Payloads = Sequence[bytes]


def tracegen_payloads() -> Payloads:
    """11 string attributes a span, nearly all distinct, none promoted."""
    generator = tracegen.Generator(PAYLOADS)
    return [generator.next(EPOCH_NS).payload for _ in range(PAYLOADS)]


def mesh_payloads() -> Payloads:
    """What an HTTP server's SDK sends: 10 attributes a span, 7 of them promoted, 3 integers."""
    return [_payload(_mesh_span) for _ in range(PAYLOADS)]


def rich_payloads() -> Payloads:
    """The same with an event, a link, text to escape, a double and an array in each span."""
    return [_payload(_rich_span) for _ in range(PAYLOADS)]


_CHANCE = random.Random(7)


def _payload(add: Callable[[Span], None]) -> bytes:
    request = ExportTraceServiceRequest()
    entry = request.resource_spans.add()
    entry.resource.attributes.add(key="service.name").value.string_value = f"s{_CHANCE.randrange(10)}"
    spans = entry.scope_spans.add().spans
    for _ in range(SPANS_PER_PAYLOAD):
        add(spans.add(trace_id=_CHANCE.randbytes(16), span_id=_CHANCE.randbytes(8), kind=2))
    return request.SerializeToString()


def _mesh_span(span: Span) -> None:
    route = _CHANCE.randrange(30)
    span.name = f"GET /r{route}"
    span.start_time_unix_nano = EPOCH_NS
    span.end_time_unix_nano = EPOCH_NS + _CHANCE.randrange(10**8)
    texts = {
        "http.request.method": "GET",
        "url.path": f"/api/{_CHANCE.randrange(10**5)}",
        "server.address": f"s{_CHANCE.randrange(20)}",
        "http.route": f"/r{route}",
        "url.scheme": "http",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
        "network.peer.address": f"10.0.{_CHANCE.randrange(256)}.{_CHANCE.randrange(256)}",
    }
    numbers = {
        "http.response.status_code": _CHANCE.choice((200, 200, 404, 500)),
        "server.port": 8080,
        "thread.id": _CHANCE.randrange(64),
    }
    for key, text in texts.items():
        span.attributes.add(key=key).value.string_value = text
    for key, number in numbers.items():
        span.attributes.add(key=key).value.int_value = number


def _rich_span(span: Span) -> None:
    _mesh_span(span)
    span.attributes.add(key="db.query").value.string_value = f'SELECT "a"\nFROM t{_CHANCE.randrange(100)}'
    span.attributes.add(key="score").value.double_value = _CHANCE.random()
    span.attributes.add(key="tags").value.array_value.values.add().string_value = f"t{_CHANCE.randrange(100)}"
    event = span.events.add(name="exception", time_unix_nano=EPOCH_NS)
    event.attributes.add(key="exception.message").value.string_value = f"no {_CHANCE.randrange(1000)}"
    span.links.add(trace_id=_CHANCE.randbytes(16), span_id=_CHANCE.randbytes(8))


SHAPES = {"tracegen": tracegen_payloads, "mesh": mesh_payloads, "rich": rich_payloads}


def walk(payloads: Payloads) -> pa.Table:
    """Half of the decoder's work in plain Python: no promotion, nesting, events, links or sanitizers."""
    rows: list[dict[str, Any]] = []
    for payload in payloads:
        for resource in ExportTraceServiceRequest.FromString(payload).resource_spans:
            texts = orjson.dumps(_attributes(resource.resource))
            for scope in resource.scope_spans:
                rows.extend(_row(span, texts) for span in scope.spans)
    return pa.Table.from_pylist(rows)


def _row(span: Span, resource: bytes) -> dict[str, Any]:
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": int.from_bytes(span.span_id, "big", signed=True),
        "parent_id": int.from_bytes(span.parent_span_id, "big", signed=True),
        "ts": span.start_time_unix_nano,
        "dur": span.end_time_unix_nano - span.start_time_unix_nano,
        "name": span.name,
        "kind": span.kind,
        "status_code": span.status.code,
        "resource": resource,
        "attrs": orjson.dumps(_attributes(span)),
    }


def _attributes(owner: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in owner.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return str(value.array_value) if kind == "array_value" else getattr(value, kind)


def spans_per_cpu_second(
    function: Callable[[Payloads], object], payloads: Payloads, calls: int = CALLS
) -> float:
    """CPU time of all threads of this process, after one call to warm up."""
    function(payloads)
    begin = process_time()
    for _ in range(calls):
        function(payloads)
    return calls * len(payloads) * SPANS_PER_PAYLOAD / (process_time() - begin)


def decoding() -> str:
    """The claim, and the same on smaller calls."""
    decoder = SpanDecoder(DEFAULT_PROMOTED)
    rows = []
    for shape, make in SHAPES.items():
        payloads = make()
        plain = spans_per_cpu_second(walk, payloads, calls=1)
        for count in (PAYLOADS, PAYLOADS // 4, 1):
            speed = spans_per_cpu_second(decoder.decode, payloads[:count], CALLS * PAYLOADS // count)
            reached = verdict(reached=speed >= GOAL) if shape == "tracegen" and count == PAYLOADS else ""
            spans = f"{count * SPANS_PER_PAYLOAD:,}"
            rows.append((shape, spans, f"{speed:,.0f}", f"{plain:,.0f}", f"{speed / plain:.1f}", reached))
    header = ("shape", "spans a call", "decoder, spans/CPU-s", "plain walk", "ratio", f"goal {GOAL:,}")
    return table(header, rows)


def attributes() -> str:
    """Ways to read the attributes of 20,000 spans, without making text of them."""
    whole = descriptors.handler(descriptors.columns, descriptors.TRACES_REQUEST)
    raw = descriptors.handler(descriptors.raw_attributes, descriptors.TRACES_REQUEST)
    single = descriptors.handler(descriptors.columns, descriptors.KEY_VALUE)

    def key_values(payloads: Payloads) -> pa.Array:
        spans = raw.list_to_record_batch(payloads).column(0).flatten().field("scope_spans").flatten()
        return spans.field("spans").flatten().field("attributes").flatten()

    ways: dict[str, Callable[[Payloads], object]] = {
        "with the spans": whole.list_to_record_batch,
        "as bytes, then all at once": lambda p: single.array_to_record_batch(key_values(p)),
        "as bytes, then distinct ones (taken)": (
            lambda p: single.array_to_record_batch(key_values(p).dictionary_encode().dictionary)
        ),
    }
    made = {shape: make() for shape, make in SHAPES.items()}
    rows = [
        (way, *(f"{spans_per_cpu_second(function, payloads):,.0f}" for payloads in made.values()))
        for way, function in ways.items()
    ]
    return table(("KeyValues are parsed", *(f"{shape}, spans/CPU-s" for shape in made)), rows)


def admission() -> str:
    """What the collector does per span before it answers, and protobuf's own code for comparison."""
    payloads = tracegen_payloads()[:4]
    bodies = [_json(payload) for payload in payloads]
    ways: dict[str, tuple[Callable[[bytes], object], Payloads]] = {
        "admit": (lambda payload: admit("traces", payload), payloads),
        "parse only (upb)": (ExportTraceServiceRequest.FromString, payloads),
        "from_json": (lambda body: from_json("traces", body), bodies),
        "json_format.Parse": (lambda body: json_format.Parse(body, ExportTraceServiceRequest()), bodies),
    }
    rows = []
    for way, (function, given) in ways.items():
        speed = spans_per_cpu_second(_each(function), given)
        rows.append((way, f"{speed:,.0f}", f"{1e6 / speed:.2f}"))
    return table(("step", "spans/CPU-s", "µs a span"), rows)


def _each(function: Callable[[bytes], object]) -> Callable[[Payloads], object]:
    return lambda payloads: [function(payload) for payload in payloads]


def _json(payload: bytes) -> bytes:
    tree = json_format.MessageToDict(ExportTraceServiceRequest.FromString(payload))
    for span in tree["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        span["traceId"] = span["spanId"] = "ab" * 8
        span.pop("parentSpanId", None)
    return orjson.dumps(tree)


def main() -> None:
    """Measure and publish."""
    publish("decode", "OTLP spans decoded to columns", f"{decoding()}\n\n{attributes()}\n\n{admission()}")


if __name__ == "__main__":
    main()
