"""Envoy's access log streams, from a real gRPC client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.wire.access_log_messages import http_entries, identified
from vigla.model.partitions import Partition
from vigla.wire.access_logs.decode import AccessLogDecoder

METHOD = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs"


def _stream(running: Any) -> Any:
    return running.channel.stream_unary(METHOD)(timeout=60)


async def _send(running: Any, *messages: bytes) -> bytes:
    call = _stream(running)
    for message in messages:
        await call.write(message)
    await call.done_writing()
    answer: bytes = await call
    return answer


async def _refusal(running: Any, *messages: bytes) -> Any:
    async def sent() -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await running.channel.stream_unary(METHOD)(sent(), timeout=60)
    return refused.value


async def test_each_record_says_who_sent_it(running: Any) -> None:
    first = http_entries(0, 3, into=identified("a")).SerializeToString()
    assert await _send(running, first, http_entries(3, 2).SerializeToString()) == b""
    records = running.kept("access_logs")
    assert len(records) == 2
    alone = AccessLogDecoder().decode(records[1:])
    assert alone.column("node").to_pylist() == ["a", "a"]
    assert alone.column("log_name").to_pylist() == ["http_envoy_accesslog"] * 2
    assert alone.column("request_id").to_pylist() == ["r3", "r4"]
    assert len(records[1]) < len(first)  # the node's metadata is not repeated
    assert running.count("accepted_total", signal="access_logs", transport="grpc") == 5


async def test_streams_keep_their_own_identifiers(running: Any) -> None:
    one, other = _stream(running), _stream(running)
    await one.write(http_entries(0, 1, into=identified("one")).SerializeToString())
    await other.write(http_entries(1, 1, into=identified("other")).SerializeToString())
    await one.write(http_entries(2, 1).SerializeToString())
    await other.write(http_entries(3, 1).SerializeToString())
    for call in (one, other):
        await call.done_writing()
        await call
    rows = AccessLogDecoder().decode(running.kept("access_logs")).to_pylist()
    assert {row["request_id"]: row["node"] for row in rows} == {
        "r0": "one",
        "r1": "other",
        "r2": "one",
        "r3": "other",
    }


async def test_a_message_without_entries_leaves_no_record(running: Any) -> None:
    await _send(running, identified().SerializeToString())
    assert running.kept("access_logs") == []


async def test_text_that_is_not_utf8_is_repaired(running: Any) -> None:
    message = http_entries(0, 1, into=identified()).SerializeToString()
    await _send(running, message.replace(b"/reviews/0", b"/review\xff/0"))
    rows = AccessLogDecoder().decode(running.kept("access_logs"))
    assert rows.column("path").to_pylist() == ["/review\ufffd/0"]


async def test_garbage(running: Any) -> None:
    error = await _refusal(running, b"\xff garbage")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "StreamAccessLogsMessage" in error.details()
    assert running.count("refused_total", signal="access_logs", transport="grpc", reason="invalid") == 1


@pytest.mark.parametrize(
    "settings", [{"bus": {"max_backlog_bytes": 10}}, {"max_inflight_bytes": 10}], ids=["bus", "memory"]
)
async def test_overload(start_collector: Any, settings: Any) -> None:
    running = await start_collector(**settings)
    error = await _refusal(running, http_entries(0, 1, into=identified()).SerializeToString())
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert running.count("refused_total", signal="access_logs", transport="grpc", reason="overload") == 1
    assert running.kept("access_logs") == []


async def test_stopping_ends_streams_that_wait(running: Any) -> None:
    call = _stream(running)
    await call.write(http_entries(0, 1, into=identified()).SerializeToString())
    start = {Partition("access_logs"): 0}
    await asyncio.to_thread(running.bus.poll, "access_logs", start, max_bytes=1, timeout_s=30)
    async with asyncio.timeout(3):  # the collector would wait 5 s for a call that does not end
        await running.collector.stop()
        assert await call == b""


async def test_access_logs_among_otlp_logs(running: Any) -> None:
    request = ExportLogsServiceRequest()
    for log_name in ("otel_envoy_accesslog", "app"):
        entry = request.resource_logs.add()
        entry.resource.attributes.add(key="log_name").value.string_value = log_name
        entry.resource.attributes.add(key="node_name").value.string_value = "sidecar~1"
        record = entry.scope_logs.add().log_records.add(time_unix_nano=5, trace_id=b"\xab" * 16)
        record.body.string_value = "a line"
        for key, value in (
            ("method", "GET"),
            ("response_code", "503"),
            ("response_flags", "UF,URX"),
            ("duration", "12"),
            ("bytes_sent", "-"),
            ("upstream_cluster", "outbound|80||cart.shop"),
            ("requested_server_name", "-"),
            ("custom", "c"),
        ):
            record.attributes.add(key=key).value.string_value = value
    await running.export(request.SerializeToString(), "logs")
    (kept,) = running.kept("logs")
    assert [r.resource.attributes[0].value.string_value for r in _resources(kept)] == ["app"]
    (row,) = AccessLogDecoder().decode(running.kept("access_logs")).to_pylist()
    found = {name: value for name, value in row.items() if value is not None}
    assert found.pop("ts").value == 5
    assert found == {
        "node": "sidecar~1",
        "log_name": "otel_envoy_accesslog",
        "method": "GET",
        "status": 503,
        "flags": ["UF", "URX"],
        "dur": 12_000_000,
        "service": "cart.shop",
        "reporter": "source",
        "upstream_cluster": "outbound|80||cart.shop",
        "trace_id": "ab" * 16,
        "tags": '{"body":"a line","custom":"c"}',
    }
    assert running.count("accepted_total", signal="logs", transport="grpc") == 2


def _resources(payload: bytes) -> Any:
    return ExportLogsServiceRequest.FromString(payload).resource_logs
