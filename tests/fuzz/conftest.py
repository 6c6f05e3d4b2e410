"""A server that is fed garbage, with valid neighbours before and after."""

import time
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.serving import Server

PROTOBUF = {"content-type": "application/x-protobuf"}
VISIBLE_WITHIN_S = 20.0


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("fuzz") / "lake") as running:
        yield running


@pytest.fixture(scope="session")
def otlp(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.otlp_url, timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.query_url, timeout=120) as client:
        yield client


def _valid_request() -> tuple[str, bytes]:
    trace_id = uuid.uuid4()
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(
        Span(
            trace_id=trace_id.bytes,
            span_id=trace_id.bytes[:8],
            name="neighbour",
            start_time_unix_nano=time.time_ns(),
            end_time_unix_nano=time.time_ns() + 1,
        )
    )
    return trace_id.hex, request.SerializeToString()


@pytest.fixture(scope="session")
def await_trace(api: httpx.Client) -> Callable[[str], httpx.Response]:
    """The v1 answer for a trace, asked for until it is visible."""

    def get(trace_id: str) -> httpx.Response:
        deadline = time.monotonic() + VISIBLE_WITHIN_S
        while (answer := api.get(f"/api/traces/{trace_id}")).status_code == httpx.codes.NOT_FOUND:
            assert time.monotonic() < deadline, f"trace {trace_id} did not become visible"
            time.sleep(0.05)
        return answer

    return get


@pytest.fixture(autouse=True)
def neighbours(
    server: Server, otlp: httpx.Client, await_trace: Callable[[str], httpx.Response]
) -> Iterator[None]:
    """A valid span sent before the test and one sent after it are both stored, once and whole."""
    before, payload = _valid_request()
    assert otlp.post("/v1/traces", content=payload, headers=PROTOBUF).status_code == httpx.codes.OK
    yield
    assert server.alive(), server.log_tail()
    after, payload = _valid_request()
    assert otlp.post("/v1/traces", content=payload, headers=PROTOBUF).status_code == httpx.codes.OK
    for trace_id in (before, after):
        (trace,) = await_trace(trace_id).json()["data"]
        assert [span["operationName"] for span in trace["spans"]] == ["neighbour"]
