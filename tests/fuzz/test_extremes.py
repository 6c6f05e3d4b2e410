"""Payloads that are well-formed but extreme: sizes, bombs, graphs, ids, times and text."""

import gzip
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.serving import Server

MIB = 2**20
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"content-type": "application/x-protobuf"}
NOW_NS = 1_790_000_000_000_000_000
YEAR_2200_NS = 7_258_118_400_000_000_000

AwaitTrace = Callable[[str], httpx.Response]


def _span(trace: uuid.UUID, number: int, parent: int = 0, name: str = "work", start_ns: int = NOW_NS) -> Span:
    return Span(
        trace_id=trace.bytes,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + 1000,
    )


def _request(*spans: Span) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request.SerializeToString()


@pytest.fixture
def stored(otlp: httpx.Client, await_trace: AwaitTrace) -> Callable[..., list[dict[str, Any]]]:
    """Sends spans of one trace and gives them as the v1 API does."""

    def send(trace: uuid.UUID, *spans: Span) -> list[dict[str, Any]]:
        answer = otlp.post("/v1/traces", content=_request(*spans), headers=PROTOBUF)
        assert answer.status_code == httpx.codes.OK, answer.text
        (found,) = await_trace(trace.hex).json()["data"]
        spans_found: list[dict[str, Any]] = found["spans"]
        return spans_found

    return send


@pytest.fixture(scope="session")
def export(server: Server) -> Iterator[Callable[..., grpc.StatusCode]]:
    """Sends bytes over gRPC and gives the code of the answer."""
    unlimited = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.grpc_target, options=unlimited) as channel:
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)

        def call(content: bytes, compression: grpc.Compression = grpc.Compression.NoCompression) -> Any:
            try:
                method(content, timeout=120, compression=compression)
            except grpc.RpcError as error:
                return error.code()
            return grpc.StatusCode.OK

        yield call


class TestSize:
    def test_64_mib_body(self, otlp: httpx.Client) -> None:
        answer = otlp.post("/v1/traces", content=bytes(64 * MIB), headers=PROTOBUF)
        assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE

    def test_64_mib_body_of_unknown_length(self, otlp: httpx.Client) -> None:
        chunks = (bytes(MIB) for _ in range(64))
        try:
            answer = otlp.post("/v1/traces", content=chunks, headers=PROTOBUF)
        except httpx.WriteError:
            return  # it answered and closed before all was sent
        assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE

    @pytest.mark.parametrize("path", ["/api/transform", "/api/vigla/v1/sql"])
    def test_64_mib_body_to_the_query_port(self, api: httpx.Client, path: str) -> None:
        try:
            answer = api.post(path, content=b"[" * 64 * MIB, headers={"content-type": "application/json"})
        except httpx.WriteError:
            return
        assert 400 <= answer.status_code < 500

    def test_64_mib_message(self, export: Callable[..., grpc.StatusCode]) -> None:
        assert export(bytes(64 * MIB)) is grpc.StatusCode.RESOURCE_EXHAUSTED

    @pytest.mark.parametrize("layers", [1, 2])
    def test_gzip_bomb(self, otlp: httpx.Client, layers: int) -> None:
        bomb = gzip.compress(bytes(300 * MIB), compresslevel=1)
        for _ in range(layers - 1):
            bomb = gzip.compress(bomb)
        headers = {**PROTOBUF, "content-encoding": "gzip"}
        answer = otlp.post("/v1/traces", content=bomb, headers=headers)
        assert answer.status_code in {400, 413}

    def test_gzip_bomb_over_grpc(self, export: Callable[..., grpc.StatusCode]) -> None:
        assert export(bytes(200 * MIB), grpc.Compression.Gzip) is grpc.StatusCode.RESOURCE_EXHAUSTED

    def test_deep_json(self, otlp: httpx.Client) -> None:
        for content in (b"[" * 100_000, b'{"resourceSpans":' * 50_000):
            answer = otlp.post("/v1/traces", content=content, headers={"content-type": "application/json"})
            assert answer.status_code == httpx.codes.BAD_REQUEST


class TestGraph:
    def test_trace_of_10_000_spans(self, stored: Callable[..., list[dict[str, Any]]]) -> None:
        trace = uuid.uuid4()
        spans = [_span(trace, n, parent=n - 1) for n in range(1, 10_001)]
        assert len(stored(trace, *spans)) == 10_000

    def test_cyclic_parents(self, api: httpx.Client, stored: Callable[..., list[dict[str, Any]]]) -> None:
        trace = uuid.uuid4()
        cycle = (_span(trace, 1, parent=2), _span(trace, 2, parent=3), _span(trace, 3, parent=1))
        own_parent = _span(trace, 4, parent=4)
        assert len(stored(trace, *cycle, own_parent)) == 4
        for path in (f"/api/v3/traces/{trace.hex}", f"/trace/{trace.hex}", "/api/dependencies"):
            assert api.get(path).status_code == httpx.codes.OK

    def test_duplicate_span_ids(self, stored: Callable[..., list[dict[str, Any]]]) -> None:
        trace = uuid.uuid4()
        spans = stored(trace, _span(trace, 1, name="one"), _span(trace, 1, name="other"))
        assert sorted(span["operationName"] for span in spans) == ["one", "other"]

    def test_missing_ids_are_not_stored_as_such(self, otlp: httpx.Client) -> None:
        nameless = Span(name="no ids", start_time_unix_nano=NOW_NS, end_time_unix_nano=NOW_NS)
        answer = otlp.post("/v1/traces", content=_request(nameless), headers=PROTOBUF)
        assert answer.status_code in {200, 400}


class TestTime:
    @pytest.mark.parametrize("start_ns", [0, 1, YEAR_2200_NS], ids=["unset", "1970", "2200"])
    def test_far_years_are_kept(self, stored: Callable[..., list[dict[str, Any]]], start_ns: int) -> None:
        trace = uuid.uuid4()
        (span,) = stored(trace, _span(trace, 1, start_ns=start_ns))
        assert span["startTime"] == start_ns // 1000

    @pytest.mark.parametrize("start_ns", [2**63 - 1, 2**63, 2**64 - 2000])
    def test_beyond_the_clock(self, otlp: httpx.Client, start_ns: int) -> None:
        content = _request(_span(uuid.uuid4(), 1, start_ns=start_ns))
        assert otlp.post("/v1/traces", content=content, headers=PROTOBUF).status_code in {200, 400}

    def test_end_before_start(self, stored: Callable[..., list[dict[str, Any]]]) -> None:
        trace = uuid.uuid4()
        span = _span(trace, 1)
        span.end_time_unix_nano = NOW_NS - 5_000_000_000
        (found,) = stored(trace, span)
        assert found["duration"] >= 0


class TestText:
    def test_empty_names(self, stored: Callable[..., list[dict[str, Any]]]) -> None:
        trace = uuid.uuid4()
        (span,) = stored(trace, _span(trace, 1, name=""))
        assert span["operationName"] == "empty-span-name"

    @pytest.mark.parametrize(
        "bad", [b"\xff\xfe\x80", b"\xed\xa0\x80", b"abc\xc3"], ids=["bytes", "surrogate", "cut"]
    )
    def test_invalid_utf8(self, otlp: httpx.Client, await_trace: AwaitTrace, bad: bytes) -> None:
        trace = uuid.uuid4()
        placeholder = "~" * len(bad)
        content = _request(_span(trace, 1, name=placeholder)).replace(placeholder.encode(), bad)
        answer = otlp.post("/v1/traces", content=content, headers=PROTOBUF)
        assert answer.status_code in {200, 400}
        if answer.status_code == httpx.codes.OK:
            (span,) = await_trace(trace.hex).json()["data"][0]["spans"]
            assert span["operationName"]

    def test_control_characters_and_html(self, stored: Callable[..., list[dict[str, Any]]]) -> None:
        trace = uuid.uuid4()
        name = "\x00\x1b[31m<script>alert(1)</script>\u2028'\"`"
        (span,) = stored(trace, _span(trace, 1, name=name))
        assert span["operationName"] == name

    def test_long_name(self, stored: Callable[..., list[dict[str, Any]]]) -> None:
        trace = uuid.uuid4()
        (span,) = stored(trace, _span(trace, 1, name="x" * MIB))
        assert len(span["operationName"]) == MIB
