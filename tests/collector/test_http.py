"""OTLP over HTTP: every status of the specification, in both content types."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pyarrow as pa
import pytest
from google.protobuf.json_format import MessageToJson
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

MIB = 2**20
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


def _raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


def _zstd(body: bytes) -> bytes:
    compressed: bytes = pa.compress(body, codec="zstd", asbytes=True)
    return compressed


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "two gzip members": ("gzip", lambda body: gzip.compress(body[:10]) + gzip.compress(body[10:])),
    "upper case": ("GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without its frame": ("deflate", _raw_deflate),
    "zstd": ("zstd", _zstd),
    "identity": ("identity", bytes),
}


def _status(answer: httpx.Response) -> tuple[int, str]:
    """Code and message of an error, from the body in the content type of the request."""
    if answer.headers["content-type"] == "application/json":
        parsed = answer.json()
        return parsed["code"], parsed["message"]
    assert answer.headers["content-type"] == "application/x-protobuf"
    status = Status.FromString(answer.content)
    return status.code, status.message


class TestAccepted:
    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    async def test_protobuf(self, running: Any, requests: dict[str, bytes], signal: str) -> None:
        answer = await running.http.post(f"/v1/{signal}", content=requests[signal], headers=PROTOBUF)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"] == "application/x-protobuf"
        assert running.kept(signal) == [requests[signal]]
        assert running.count("accepted_total", signal=signal, transport="http") == 2

    async def test_json(self, running: Any, requests: dict[str, bytes]) -> None:
        request = ExportTraceServiceRequest.FromString(requests["traces"])
        document = json.loads(MessageToJson(request))
        for number, item in enumerate(document["resourceSpans"][0]["scopeSpans"][0]["spans"], 1):
            item |= {"traceId": f"{number:032x}", "spanId": f"{number:016x}"}
        answer = await running.http.post("/v1/traces", json=document)
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert answer.headers["content-type"] == "application/json"
        assert [ExportTraceServiceRequest.FromString(kept) for kept in running.kept()] == [request]

    @pytest.mark.parametrize("size", [200, 3 * MIB])
    @pytest.mark.parametrize("name", ENCODERS)
    async def test_encodings(self, running: Any, traces: Any, span: Any, name: str, size: int) -> None:
        """The larger one leaves the event loop."""
        encoding, encode = ENCODERS[name]
        body = traces(span(name="x" * size)).SerializeToString()
        headers = {**PROTOBUF, "content-encoding": encoding}
        answer = await running.http.post("/v1/traces", content=encode(body), headers=headers)
        assert answer.status_code == 200, answer.text
        assert running.kept() == [body]

    async def test_chunked(self, running: Any, requests: dict[str, bytes]) -> None:
        async def chunks() -> Any:
            for byte in requests["traces"]:
                yield bytes([byte])

        answer = await running.http.post("/v1/traces", content=chunks(), headers=PROTOBUF)
        assert answer.status_code == 200
        assert running.kept() == [requests["traces"]]

    async def test_content_type_with_parameter(self, running: Any, requests: dict[str, bytes]) -> None:
        headers = {"content-type": "Application/X-Protobuf; charset=utf-8"}
        answer = await running.http.post("/v1/traces", content=requests["traces"], headers=headers)
        assert answer.status_code == 200

    async def test_empty_request_is_fine(self, running: Any) -> None:
        assert (await running.http.post("/v1/traces", content=b"", headers=PROTOBUF)).status_code == 200
        assert (await running.http.post("/v1/traces", content=b"{}", headers=JSON)).status_code == 200
        assert running.kept() == []


class TestPartialSuccess:
    async def test_protobuf(self, running: Any, traces: Any, span: Any) -> None:
        body = traces(span(1), span(2, trace_id=b""), span(3)).SerializeToString()
        answer = await running.http.post("/v1/traces", content=body, headers=PROTOBUF)
        assert answer.status_code == 200
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert partial.rejected_spans == 1
        assert "trace_id" in partial.error_message
        assert running.kept() == [traces(span(1), span(3)).SerializeToString()]
        assert running.count("rejected_total", signal="traces", transport="http") == 1

    async def test_json(self, running: Any) -> None:
        item = {"traceId": "0" * 32, "spanId": "1" * 16, "name": "x"}
        document = {"resourceSpans": [{"scopeSpans": [{"spans": [item]}]}]}
        answer = await running.http.post("/v1/traces", json=document)
        assert answer.status_code == 200
        partial = answer.json()["partialSuccess"]
        assert partial["rejectedSpans"] == "1"
        assert "trace_id" in partial["errorMessage"]
        assert running.kept() == []


class TestBadInput:
    @pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])
    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    async def test_garbage(self, running: Any, headers: dict[str, str], signal: str) -> None:
        answer = await running.http.post(f"/v1/{signal}", content=b"\xff garbage", headers=headers)
        assert answer.status_code == 400
        code, message = _status(answer)
        assert code == 3
        assert message
        assert running.count("refused_total", signal=signal, transport="http", reason="invalid") == 1

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
    @pytest.mark.parametrize("body", [b"plain text", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x9c\x00"])
    async def test_not_what_the_encoding_says(self, running: Any, encoding: str, body: bytes) -> None:
        headers = {**PROTOBUF, "content-encoding": encoding}
        answer = await running.http.post("/v1/traces", content=body, headers=headers)
        assert answer.status_code == 400
        assert encoding in _status(answer)[1]

    @pytest.mark.parametrize("name", ["gzip", "deflate", "deflate without its frame", "zstd"])
    async def test_cut_short(self, running: Any, requests: dict[str, bytes], name: str) -> None:
        encoding, encode = ENCODERS[name]
        whole = encode(requests["traces"])
        headers = {**PROTOBUF, "content-encoding": encoding}
        for end in (1, 2, *range(3, len(whole) - 8, 9), *range(len(whole) - 8, len(whole))):
            answer = await running.http.post("/v1/traces", content=whole[:end], headers=headers)
            assert answer.status_code == 400, end
        assert running.kept() == []

    @pytest.mark.parametrize("content_type", ["text/plain", "", "application/grpc", "json"])
    async def test_content_type(self, running: Any, content_type: str) -> None:
        answer = await running.http.post("/v1/traces", content=b"{}", headers={"content-type": content_type})
        assert answer.status_code == 415
        assert running.count("refused_total", signal="traces", transport="http", reason="media_type") == 1

    @pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "snappy"])
    async def test_unknown_encoding(self, running: Any, encoding: str) -> None:
        headers = {**JSON, "content-encoding": encoding}
        answer = await running.http.post("/v1/traces", content=b"{}", headers=headers)
        assert answer.status_code == 415
        assert encoding in _status(answer)[1]

    @pytest.mark.parametrize("path", ["/", "/v1/profiles", "/v1/traces/", "/v1"])
    async def test_unknown_path(self, running: Any, path: str) -> None:
        assert (await running.http.post(path, content=b"", headers=PROTOBUF)).status_code == 404

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
    async def test_other_methods(self, running: Any, method: str) -> None:
        answer = await running.http.request(method, "/v1/traces")
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


class TestTooLarge:
    @pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])
    async def test_announced(self, running: Any, headers: dict[str, str]) -> None:
        answer = await running.http.post("/v1/traces", content=bytes(64 * MIB), headers=headers)
        assert answer.status_code == 413
        assert "larger" in _status(answer)[1]
        assert running.count("refused_total", signal="traces", transport="http", reason="too_large") == 1

    async def test_unknown_length(self, start_collector: Any) -> None:
        running = await start_collector(max_body_bytes=1000)

        async def chunks() -> Any:
            for _ in range(11):
                yield bytes(100)

        answer = await running.http.post("/v1/traces", content=chunks(), headers=PROTOBUF)
        assert answer.status_code == 413

    @pytest.mark.parametrize("name", ["gzip", "deflate", "deflate without its frame", "zstd"])
    @pytest.mark.parametrize("limit", [1000, 3 * MIB])
    async def test_bomb(self, start_collector: Any, name: str, limit: int) -> None:
        running = await start_collector(max_inflated_bytes=limit)
        encoding, encode = ENCODERS[name]
        headers = {**PROTOBUF, "content-encoding": encoding}
        answer = await running.http.post("/v1/traces", content=encode(bytes(8 * MIB)), headers=headers)
        assert answer.status_code == 413
        assert "inflates" in _status(answer)[1]
        assert running.metrics.registry.get_sample_value("vigla_collector_inflight_bytes") == 0


class TestFull:
    @pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])
    async def test_bus(self, start_collector: Any, headers: dict[str, str]) -> None:
        running = await start_collector(bus={"max_backlog_bytes": 10})
        item = {"traceId": "1" * 32, "spanId": "1" * 16, "name": "x"}
        as_json = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [item]}]}]}).encode()
        as_protobuf = b"\x0a\x20\x12\x1e\x12\x1c\x0a\x10" + b"\x01" * 16 + b"\x12\x08" + b"\x01" * 8
        body = as_json if headers is JSON else as_protobuf
        answer = await running.http.post("/v1/traces", content=body, headers=headers)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert _status(answer)[0] == 8
        assert running.count("refused_total", signal="traces", transport="http", reason="overload") == 1

    async def test_memory(self, start_collector: Any) -> None:
        running = await start_collector(max_inflight_bytes=1000)
        answer = await running.http.post("/v1/traces", content=bytes(2000), headers=PROTOBUF)
        assert answer.status_code == 429
        assert running.metrics.registry.get_sample_value("vigla_collector_inflight_bytes") == 0

    async def test_memory_while_inflating(self, start_collector: Any) -> None:
        running = await start_collector(max_inflight_bytes=5 * MIB)
        headers = {**PROTOBUF, "content-encoding": "gzip"}
        body = gzip.compress(bytes(8 * MIB), compresslevel=1)
        answer = await running.http.post("/v1/traces", content=body, headers=headers)
        assert answer.status_code == 429
        assert running.metrics.registry.get_sample_value("vigla_collector_inflight_bytes") == 0


class TestBrowsers:
    async def test_preflight(self, running: Any) -> None:
        answer = await running.http.options(
            "/v1/traces",
            headers={"origin": "https://shop.example", "access-control-request-method": "POST"},
        )
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "*" in answer.headers["access-control-allow-headers"]

    async def test_answers_may_be_read(self, running: Any, requests: dict[str, bytes]) -> None:
        for content in (requests["traces"], b"garbage"):
            answer = await running.http.post("/v1/traces", content=content, headers=PROTOBUF)
            assert answer.headers["access-control-allow-origin"] == "*"


class TestConnections:
    """What httpx does not send: written to a socket."""

    async def _talk(self, running: Any, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.collector.http_port)
        writer.write(request)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    @pytest.mark.parametrize("length", [b"100", b"-1", b"abc", b"99999999999999999999999999"])
    async def test_content_length_lies(self, running: Any, requests: dict[str, bytes], length: bytes) -> None:
        head = (
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: "
        )
        answer = await self._talk(running, head + length + b"\r\n\r\n" + b"\x0a\x00")
        assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
        assert running.kept() == []
        good = await running.http.post("/v1/traces", content=requests["traces"], headers=PROTOBUF)
        assert good.status_code == 200

    async def test_client_goes_away_in_the_middle(self, running: Any) -> None:
        head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
        _, writer = await asyncio.open_connection("127.0.0.1", running.collector.http_port)
        writer.write(head + b"content-length: 1000\r\n\r\n" + bytes(500))
        await writer.drain()
        writer.close()
        counted = {"signal": "traces", "transport": "http", "reason": "disconnect"}
        async with asyncio.timeout(30):
            while not running.count("refused_total", **counted):  # noqa: ASYNC110  nothing tells us
                await asyncio.sleep(0.01)
        assert running.metrics.registry.get_sample_value("vigla_collector_inflight_bytes") == 0

    async def test_slow_sender_is_given_up(self, running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("collector.http_body.TIMEOUT_S", 0.05)
        head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", running.collector.http_port)
        writer.write(head + b"content-length: 1000\r\n\r\n" + b"slow")
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
        writer.close()
        assert running.count("refused_total", signal="traces", transport="http", reason="timeout") == 1
