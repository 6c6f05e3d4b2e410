"""Every query is bounded: how many at once, how long, and no longer than somebody waits for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pyarrow as pa
import pytest
from fastapi import FastAPI

from query.server import create_app
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings
from vigla.storage.api import QueryContext
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics

SLOW = {"query": "SELECT count(*) FROM range(1000) a, range(1000) b, range(1000) c, range(1000) d"}
SQL = "/api/vigla/v1/sql"
Serving = Callable[[FastAPI], AbstractContextManager[str]]


class _Watched(MemoryStore):
    """Says when a query begins and ends."""

    def __init__(self) -> None:
        super().__init__(DEFAULT_PROMOTED)
        self.begun, self.ended = threading.Event(), threading.Event()

    def sql(self, text: str, context: QueryContext) -> pa.Table:
        self.begun.set()
        try:
            return super().sql(text, context)
        finally:
            self.ended.set()


@pytest.fixture
def store() -> Iterator[_Watched]:
    made = _Watched()
    yield made
    made.close()


def _app(store: _Watched, **settings: Any) -> FastAPI:
    return create_app(store, DEFAULT_PROMOTED, QuerySettings(**settings), Metrics(), SystemClock())


def test_one_query_too_many_is_told_to_come_back(store: _Watched, serving: Serving):
    with serving(_app(store, max_concurrent=1)) as url, httpx.Client(base_url=url) as client:
        running = threading.Thread(
            target=lambda: httpx.post(url + SQL, json={**SLOW, "timeout_s": 3}, timeout=60)
        )
        running.start()
        assert store.begun.wait(30)
        native = client.post(SQL, json={"query": "SELECT 1"})
        jaeger = client.get("/api/traces/1")
        running.join()
        later = client.post(SQL, json={"query": "SELECT 1"})
    assert (native.status_code, native.headers["retry-after"]) == (429, "1")
    assert (jaeger.status_code, jaeger.headers["retry-after"]) == (429, "1")
    assert later.status_code == 200


def test_a_query_past_its_deadline_is_stopped(store: _Watched, serving: Serving):
    with serving(_app(store, timeout_s=0.2)) as url:
        answer = httpx.post(url + SQL, json=SLOW, timeout=60)
    assert answer.status_code == 504
    assert "deadline" in answer.json()["error"]["message"]


def test_a_query_whose_client_went_away_is_stopped(store: _Watched, serving: Serving):
    with serving(_app(store, timeout_s=300)) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url + SQL, json=SLOW, timeout=1)
        assert store.ended.wait(30)


def test_promql_waits_for_a_place_until_its_timeout(store: _Watched, serving: Serving):
    with serving(_app(store, max_concurrent=1)) as url, httpx.Client(base_url=url) as client:
        body = {**SLOW, "timeout_s": 3}
        running = threading.Thread(target=lambda: httpx.post(url + SQL, json=body, timeout=60))
        running.start()
        assert store.begun.wait(30)
        late = client.get("/api/v1/query", params={"query": "1", "timeout": "200ms"})
        patient = client.get("/api/v1/query", params={"query": "1"}, timeout=60)
        running.join()
    assert (late.status_code, late.json()["errorType"]) == (503, "timeout")
    assert "in query queue" in late.json()["error"]
    assert patient.status_code == 200
