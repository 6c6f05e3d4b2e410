"""Topics that the OpenTelemetry Collector, Jaeger and Zipkin's clients write and read, on a real broker."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

from tests.bus.kafka import sdk
from tests.bus.kafka.broker import Broker, settings_for
from tests.bus.kafka.reading import kafka_bus, read
from vigla.bus.kafka.topics import create_missing
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import KafkaSettings
from vigla.telemetry.metrics import Metrics
from vigla.wire.jaeger_spans import _span_class
from vigla.wire.otlp.spans import SpanDecoder

Encoder = Callable[[list[ReadableSpan]], list[bytes]]


def jaeger_proto(spans: list[ReadableSpan]) -> list[bytes]:
    return [json_format.Parse(text, _span_class()()).SerializeToString() for text in sdk.jaeger_json(spans)]


ENCODERS: Mapping[str, Encoder] = {
    "otlp_proto": sdk.otlp_proto,
    "otlp_json": sdk.otlp_json,
    "jaeger_proto": jaeger_proto,
    "jaeger_json": sdk.jaeger_json,
    "zipkin_json": sdk.zipkin_json,
}


def write(settings: KafkaSettings, name: str, values: list[bytes], codec: str | None = None) -> None:
    async def send() -> None:
        servers = list(settings.servers)
        async with AIOKafkaProducer(bootstrap_servers=servers, compression_type=codec) as producer:
            for value in values:
                await producer.send_and_wait(name, value)

    asyncio.run(send())


def messages(settings: KafkaSettings, name: str, count: int) -> list[Any]:
    async def receive() -> list[Any]:
        servers = list(settings.servers)
        consumer = AIOKafkaConsumer(name, bootstrap_servers=servers, auto_offset_reset="earliest")
        async with consumer:
            return [await asyncio.wait_for(consumer.getone(), 60) for _ in range(count)]

    return asyncio.run(receive())


def with_source(broker: Broker, name: str, encoding: str, **more: object) -> KafkaSettings:
    source = {"topic": f"{name}-source", "encoding": encoding}
    return settings_for(broker, name, sources=[source], **more)


def make_topic(broker: Broker, name: str) -> None:
    """As its owner would; it stands for another bus's topic here."""
    asyncio.run(create_missing(settings_for(broker, f"{name}-other", traces_topic=f"{name}-source")))


@pytest.mark.parametrize("encoding", ENCODERS)
def test_spans_of_a_real_sdk_are_read_in_each_encoding(
    broker: Broker, name: str, tmp_path: Path, encoding: str
) -> None:
    spans = sdk.sdk_spans(5)
    make_topic(broker, name)
    settings = with_source(broker, name, encoding)
    values = ENCODERS[encoding](spans)
    write(settings, f"{name}-source", values)
    with kafka_bus(tmp_path / "spool", settings) as bus:
        records = read(bus, len(values))
    rows = SpanDecoder(DEFAULT_PROMOTED).decode([record.payload for record in records]).to_pylist()
    found = {row["span_id"] & (2**64 - 1): row for row in rows}
    assert len(found) == len(rows) == len(spans)
    exact = encoding != "zipkin_json"  # which has microseconds
    for span in spans:
        context, row = span.context, found[span.context.span_id]  # type: ignore[union-attr]
        assert row["trace_id"] == f"{context.trace_id:032x}"  # type: ignore[union-attr]
        assert row["name"] == span.name
        assert row["service"] == sdk.SERVICE
        assert row["kind"] == span.kind.value + 1
        assert row["parent_id"] & (2**64 - 1) == (span.parent.span_id if span.parent else 0)
        assert row["status_code"] == (2 if span.name == "charge" else 0)
        start = row["ts"].value if hasattr(row["ts"], "value") else row["ts"]
        if exact and isinstance(start, int):
            assert start == span.start_time
            assert row["dur"] == (span.end_time or 0) - (span.start_time or 0)
        if span.name != "charge":
            assert row["a.http.request.method"] == "GET"
            assert "reserved" in row["events"]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_compression_is_read(broker: Broker, name: str, tmp_path: Path, codec: str) -> None:
    values = sdk.otlp_proto(sdk.sdk_spans(50))
    settings = settings_for(broker, name)
    with kafka_bus(tmp_path / "spool", settings) as bus:
        asyncio.run(bus.append("traces", b""))
        write(settings, settings.traces_topic, values, codec)
        records = read(bus, 2)
    assert sorted(record.payload for record in records) == [b"", *values]


def test_others_read_what_we_write_and_find_the_trace_id_as_key(
    broker: Broker, name: str, tmp_path: Path
) -> None:
    (value,) = sdk.otlp_proto(sdk.sdk_spans(1))
    trace_id = ExportTraceServiceRequest.FromString(value).resource_spans[0].scope_spans[0].spans[0].trace_id
    settings = settings_for(broker, name)
    with kafka_bus(tmp_path / "spool", settings) as bus:
        asyncio.run(bus.append("traces", value, trace_id.hex().encode()))
    (message,) = messages(settings, settings.traces_topic, 1)
    assert (message.key, message.value) == (trace_id.hex().encode(), value)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_what_is_not_of_the_encoding_is_set_aside_with_the_reason(
    broker: Broker, name: str, tmp_path: Path, encoding: str
) -> None:
    good = ENCODERS[encoding](sdk.sdk_spans(1))
    make_topic(broker, name)
    settings = with_source(broker, name, encoding)
    write(settings, f"{name}-source", [b"\xffgarbage", *good])
    with kafka_bus(tmp_path / "spool", settings) as bus:
        records = read(bus, 1 + len(good))
    assert [record.payload for record in records if not record.payload] == [b""]
    (dead,) = messages(settings, settings.dead_letter_topic, 1)
    headers = dict(dead.headers)
    assert dead.value == b"\xffgarbage"
    assert headers["vigla-topic"] == f"{name}-source".encode()
    assert headers["vigla-signal"] == b"traces"
    assert encoding.encode() in headers["vigla-reason"]
    assert {"vigla-partition", "vigla-offset"} <= headers.keys()


def test_dead_letters_past_the_bound_are_only_counted(broker: Broker, name: str, tmp_path: Path) -> None:
    make_topic(broker, name)
    settings = with_source(broker, name, "otlp_json", dead_letter_bytes=2_000)
    write(settings, f"{name}-source", [b"x" * 700] * 5)
    metrics = Metrics()
    with kafka_bus(tmp_path / "spool", settings, metrics) as bus:
        read(bus, 5)
    labels = {"topic": "traces"}
    dropped = metrics.registry.get_sample_value("vigla_bus_dead_letters_dropped_total", labels)
    assert dropped == 3
    assert len(messages(settings, settings.dead_letter_topic, 2)) == 2
