"""OTLP over gRPC: every status of the specification, from a client that sends raw bytes."""

import asyncio
import gzip
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

MIB = 2**20


async def _refusal(running: Any, payload: bytes, signal: str = "traces", **options: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await running.export(payload, signal, **options)
    return refused.value


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
async def test_accepted(running: Any, requests: dict[str, bytes], signal: str) -> None:
    assert await running.export(requests[signal], signal) == b""
    assert running.kept(signal) == [requests[signal]]
    assert running.count("accepted_total", signal=signal, transport="grpc") == 2


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compressed(running: Any, traces: Any, span: Any, compression: grpc.Compression) -> None:
    payload = traces(span(name="x" * 3 * MIB)).SerializeToString()
    await running.export(payload, compression=compression)
    assert running.kept() == [payload]


async def test_empty_request_is_fine(running: Any) -> None:
    assert await running.export(b"") == b""
    assert running.kept() == []


async def test_partial_success(running: Any, traces: Any, span: Any) -> None:
    payload = traces(span(1), span(2, span_id=b"short"), span(3)).SerializeToString()
    partial = ExportTraceServiceResponse.FromString(await running.export(payload)).partial_success
    assert partial.rejected_spans == 1
    assert "span_id" in partial.error_message
    assert running.kept() == [traces(span(1), span(3)).SerializeToString()]
    assert running.count("rejected_total", signal="traces", transport="grpc") == 1


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
async def test_garbage(running: Any, signal: str) -> None:
    error = await _refusal(running, b"\xff garbage", signal)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details()
    assert running.count("refused_total", signal=signal, transport="grpc", reason="invalid") == 1


async def test_64_mib(running: Any) -> None:
    assert (await _refusal(running, bytes(64 * MIB))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_bomb(running: Any) -> None:
    error = await _refusal(running, bytes(100 * MIB), compression=grpc.Compression.Gzip)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    "settings", [{"bus": {"max_backlog_bytes": 10}}, {"max_inflight_bytes": 10}], ids=["bus", "memory"]
)
async def test_full(start_collector: Any, requests: dict[str, bytes], settings: dict[str, Any]) -> None:
    running = await start_collector(**settings)
    error = await _refusal(running, requests["traces"])
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = Status.FromString(details)
    assert status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() >= 1000
    assert running.count("refused_total", signal="traces", transport="grpc", reason="overload") == 1
    assert running.metrics.registry.get_sample_value("vigla_collector_inflight_bytes") == 0


async def test_unknown_method(running: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await running.channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Drop")(b"")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_cancelled_call_leaves_the_others_be(running: Any, requests: dict[str, bytes]) -> None:
    calls = [asyncio.create_task(running.export(requests["traces"])) for _ in range(30)]
    await asyncio.sleep(0)
    for call in calls[::3]:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(outcome == b"" for outcome in outcomes) == 20
    assert len(running.kept()) >= 20


async def test_many_calls_at_once(running: Any, requests: dict[str, bytes]) -> None:
    answers = await asyncio.gather(*(running.export(requests["traces"]) for _ in range(300)))
    assert answers == [b""] * 300
    assert len(running.kept()) == 300


@pytest.mark.parametrize("service", ["", "opentelemetry.proto.collector.trace.v1.TraceService"])
async def test_health(running: Any, service: str) -> None:
    stub = health_pb2_grpc.HealthStub(running.channel)  # type: ignore[no-untyped-call]
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_garbage_compression(running: Any, requests: dict[str, bytes]) -> None:
    """A payload that is gzip itself is no OTLP."""
    error = await _refusal(running, gzip.compress(requests["traces"]))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
