"""Options and hypothesis profiles of the whole suite."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import hypothesis
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import HealthCheck
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingester.derive import summaries
from query.server import create_app
from vigla.clock import SystemClock
from vigla.listen import HttpServer, bind
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.otlp.spans import SpanDecoder

LIVE = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)  # examples talk to a running server

hypothesis.settings.register_profile(
    "default", max_examples=30, deadline=None, suppress_health_check=LIVE, derandomize=True
)
hypothesis.settings.register_profile("long", max_examples=3000, deadline=None, suppress_health_check=LIVE)
hypothesis.settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rounds``: how often tests/faults kills the server."""
    parser.addoption("--rounds", type=int, default=6, help="kill -9 rounds of tests/faults")


@contextmanager
def _trace_server() -> Iterator[str]:
    """OTLP/HTTP in, all query APIs out, in memory, on one port."""
    store, decoder = MemoryStore(DEFAULT_PROMOTED), SpanDecoder(DEFAULT_PROMOTED)
    app = create_app(store, DEFAULT_PROMOTED, QuerySettings(sql_max_rows=1000), Metrics(), SystemClock())

    @app.post("/v1/traces")
    async def receive(request: Request) -> Response:
        spans = decoder.decode([await request.body()])
        store.buffer({"spans": spans, "traces": summaries(spans)}, {})
        return Response(b"", media_type="application/x-protobuf")

    with _serving(app) as url:
        yield url
    store.close()


@pytest.fixture
def trace_server() -> Iterator[str]:
    """URL of a server for this test alone."""
    with _trace_server() as url:
        yield url


@pytest.fixture
def another_server() -> Iterator[str]:
    """As ``trace_server``, with its own data."""
    with _trace_server() as url:
        yield url


@pytest.fixture(scope="session")
def sql_url() -> Iterator[str]:
    """URL of a server with four spans: two services, one error, ids that JavaScript would round."""
    request = ExportTraceServiceRequest()
    for number in range(4):
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = (
            "shop" if number % 2 else "bank"
        )
        span = group.scope_spans.add().spans.add(
            trace_id=(1 + number // 2).to_bytes(16, "big"),
            span_id=(2**62 + number).to_bytes(8, "big"),
            name="pay",
            start_time_unix_nano=1_790_000_000_123_456_789 + number,
            end_time_unix_nano=1_790_000_000_123_456_789 + number * 1_000_001,
        )
        span.status.code = 2 if number == 3 else 0
    with _trace_server() as url:
        httpx.post(f"{url}/v1/traces", content=request.SerializeToString()).raise_for_status()
        yield url


@contextmanager
def _serving(app: FastAPI) -> Iterator[str]:
    """Serve from a thread, as the clients under test block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> HttpServer:
        server = HttpServer(app, bind("127.0.0.1", 0, "test"))
        await server.start()
        return server

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def serving() -> Callable[[FastAPI], AbstractContextManager[str]]:
    """Serves an application on a free port while inside; the value is its URL."""
    return _serving
