import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.wire.otlp_requests import PROMOTED, requests, rows_of
from vigla.errors import BadInput
from vigla.model.spans import DEFAULT_PROMOTED, span_schema
from vigla.wire.otlp.spans import MAX_NS, SpanDecoder

JSON_COLUMNS = ("scope", "resource", "attrs", "events", "links", "dropped")


def unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(set(keys)) == len(keys), "a JSON object names a member twice"
    return dict(pairs)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    table.validate(full=True)
    at = table.schema.get_field_index("ts")
    listed = table.set_column(at, "ts", table["ts"].cast(pa.int64())).to_pylist()
    for row in listed:
        for name in JSON_COLUMNS:
            if row[name] is not None:
                row[name] = json.loads(row[name], object_pairs_hook=unique_object)
    return listed


def decode(*payloads: bytes) -> list[dict[str, Any]]:
    return rows(SpanDecoder(PROMOTED).decode(payloads))


def request_of(*spans: Span, **resource: str) -> bytes:
    request = ExportTraceServiceRequest()
    entry = request.resource_spans.add()
    entry.resource.attributes.extend(
        KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in resource.items()
    )
    entry.scope_spans.add().spans.extend(spans)
    return request.SerializeToString()


def span(**fields: Any) -> Span:
    return Span(**({"trace_id": bytes(15) + b"\1", "span_id": bytes(7) + b"\1"} | fields))


def value(key: str, **content: Any) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**content))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.lists(requests, max_size=3))
def test_rows_are_what_was_sent(sent: list[ExportTraceServiceRequest]):
    decoded = decode(*(request.SerializeToString() for request in sent))
    expected = [row for request in sent for row in rows_of(request)]
    # repr tells 1 from 1.0 and 0.0 from -0.0
    assert [repr(sorted(row.items())) for row in decoded] == [repr(sorted(row.items())) for row in expected]


@pytest.mark.parametrize(
    "payloads", [[], [b""], [ExportTraceServiceRequest().SerializeToString()], [request_of()]]
)
def test_no_spans_make_an_empty_table(payloads: list[bytes]):
    table = SpanDecoder(DEFAULT_PROMOTED).decode(payloads)
    assert table.schema == span_schema(DEFAULT_PROMOTED)
    assert len(table) == 0


def test_promoted_columns_take_their_own_type_only():
    first = span(attributes=[value("p.text", int_value=1), value("p.number", string_value="1")])
    second = span(attributes=[value("p.text", string_value="x"), value("p.number", int_value=2)])
    one, two = decode(request_of(first, second))
    assert (one["a.p.text"], one["a.p.number"], one["attrs"]) == (None, None, {"p.text": 1, "p.number": "1"})
    assert (two["a.p.text"], two["a.p.number"], two["attrs"]) == ("x", 2, {})


def test_the_last_of_equal_keys_stands():
    twice = span(
        attributes=[value("k", int_value=1), value("p.text", string_value="a"), value("k", int_value=2)]
    )
    again = span(attributes=[value("p.text", string_value="a"), value("p.text", int_value=5)])
    one, two = decode(request_of(twice, again))
    assert (one["attrs"], one["a.p.text"]) == ({"k": 2}, "a")
    assert (two["attrs"], two["a.p.text"]) == ({"p.text": 5}, None)


@pytest.mark.parametrize(
    ("start", "end", "ts", "duration"),
    [
        (0, 0, 0, 0),
        (5, 4, 5, 1),
        (2**63 - 1, 2**64 - 1, MAX_NS - 1, 1),
        (0, 2**64 - 1, 0, MAX_NS),
        (7_258_118_400_000_000_000, 7_258_118_400_000_000_001, 7_258_118_400_000_000_000, 1),
    ],
)
def test_times_never_overflow(start: int, end: int, ts: int, duration: int):
    (row,) = decode(request_of(span(start_time_unix_nano=start, end_time_unix_nano=end)))
    assert (row["ts"], row["dur"]) == (ts, duration)


def test_text_is_compact_json_in_the_order_sent():
    table = SpanDecoder(()).decode(
        [
            request_of(
                span(
                    attributes=[
                        value("z", string_value='a"\\\n\x01é'),
                        value("y", int_value=-3),
                        value("x", double_value=3),
                        value("w", bool_value=True),
                    ]
                )
            )
        ]
    )
    assert table["attrs"].to_pylist() == ['{"z":"a\\"\\\\\\n\\u0001é","y":-3,"x":3.0,"w":true}']


def nested(levels: int) -> bytes:
    # by hand, because protobuf does not serialise what it would not parse
    raw = b"\x18\x01"
    for _ in range(levels):
        inner = b"\x0a" + varint(len(raw)) + raw
        raw = b"\x2a" + varint(len(inner)) + inner
    return raw


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def test_a_value_nested_a_thousand_levels_is_kept_as_bytes():
    attribute = field(9, field(1, b"deep") + field(2, nested(1000)))
    payload = field(1, field(2, field(2, span().SerializeToString() + attribute)))
    (row,) = decode(payload)
    assert list(row["attrs"]["deep"]) == ["$bytes"]


def test_two_members_of_a_oneof_still_make_valid_json():
    attribute = field(9, field(1, b"k") + field(2, b"\x0a\x01x\x18\x05"))
    (row,) = decode(field(1, field(2, field(2, span().SerializeToString() + attribute))))
    assert row["attrs"] == {"k": "x"}


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        request_of(span(trace_id=b"short")),
        request_of(span(span_id=b"123456789")),
        request_of(span(parent_span_id=b"1")),
    ],
)
def test_what_admission_refuses_is_bad_input(payload: bytes):
    with pytest.raises(BadInput):
        decode(request_of(span()), payload)


def test_many_keys_per_batch():
    many = [span(attributes=[value(f"k{row}.{n}", int_value=n) for n in range(3)]) for row in range(3000)]
    many.append(span(attributes=[value("k0.0", int_value=1), value("k0.0", int_value=2)]))
    decoded = decode(request_of(*many))
    assert decoded[2999]["attrs"] == {"k2999.0": 0, "k2999.1": 1, "k2999.2": 2}
    assert decoded[3000]["attrs"] == {"k0.0": 2}


def test_decoding_is_thread_safe():
    decoder = SpanDecoder(PROMOTED)
    payloads = [request_of(*[span(name=f"n{n}")] * 50, **{"service.name": f"s{n}"}) for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        tables = list(pool.map(lambda payload: decoder.decode([payload] * 3), payloads))
    assert [{rows(table)[0][c] for c in ("name", "service")} for table in tables] == [
        {f"n{n}", f"s{n}"} for n in range(40)
    ]
