"""Options and hypothesis profiles of the whole suite."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import hypothesis
import pyarrow as pa
import pytest
from fastapi import FastAPI, Request
from hypothesis import HealthCheck

from query import sql
from vigla.listen import HttpServer, bind
from vigla.model.spans import DEFAULT_PROMOTED, span_schema
from vigla.settings import QuerySettings
from vigla.storage.api import QueryContext, Stop
from vigla.storage.memory import MemoryStore

T = TypeVar("T")

LIVE = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)  # examples talk to a running server

hypothesis.settings.register_profile(
    "default", max_examples=30, deadline=None, suppress_health_check=LIVE, derandomize=True
)
hypothesis.settings.register_profile("long", max_examples=3000, deadline=None, suppress_health_check=LIVE)
hypothesis.settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rounds``: how often tests/faults kills the server."""
    parser.addoption("--rounds", type=int, default=6, help="kill -9 rounds of tests/faults")


class _ThreadLimits:
    """Deadline and row cap alone: what SQL over HTTP needs of ``query.limits``."""

    async def run(
        self, _request: Request, work: Callable[[QueryContext], T], *, timeout_s: float, max_rows: int
    ) -> T:
        stop = Stop()
        timer = threading.Timer(timeout_s, stop.stop, ["deadline"])
        timer.start()
        try:
            return await asyncio.to_thread(work, QueryContext(stop, max_rows))
        finally:
            timer.cancel()


@pytest.fixture(scope="session")
def sql_url() -> Iterator[str]:
    """A running server with SQL over four spans: two services, one error, ids that JavaScript would round."""
    store = MemoryStore(DEFAULT_PROMOTED)
    spans = [
        {
            "trace_id": f"{number // 2:032x}",
            "span_id": 2**62 + number,
            "ts": 1_790_000_000_123_456_789 + number,
            "dur": number * 1_000_000,
            "service": "shop" if number % 2 else "bank",
            "name": "pay",
            "kind": 2,
            "status_code": 2 if number == 3 else 0,
            "attrs": f'{{"user":"u{number}"}}',
        }
        for number in range(4)
    ]
    store.buffer({"spans": pa.Table.from_pylist(spans, span_schema())}, {})
    app = FastAPI()
    app.include_router(sql.router(store, DEFAULT_PROMOTED, QuerySettings(sql_max_rows=1000), _ThreadLimits()))
    with _serving(app) as url:
        yield url
    store.close()


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
