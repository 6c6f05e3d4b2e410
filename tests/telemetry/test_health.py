"""Health endpoints and the exposition of own metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from vigla.errors import SettingsError
from vigla.listen import HttpServer, bind
from vigla.telemetry import health
from vigla.telemetry.metrics import Metrics


@pytest.fixture
def checks() -> dict[str, health.Check]:
    return {"storage": lambda: "", "collector": lambda: ""}


@pytest.fixture
async def client(checks: dict[str, health.Check]) -> AsyncIterator[httpx.AsyncClient]:
    server = HttpServer(health.create_app(Metrics(), checks), bind("127.0.0.1", 0, "telemetry.port"))
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client
    await server.stop()


async def test_all_well(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/status")).json() == {"status": "StatusOK"}
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["parts"]) == (200, {"storage": "ready", "collector": "ready"})


async def test_one_part_that_cannot_work(client: httpx.AsyncClient, checks: dict[str, health.Check]) -> None:
    checks["storage"] = lambda: "disk full"
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["parts"]["storage"]) == (503, "disk full")
    assert (await client.get("/status")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_as_text_and_openmetrics(client: httpx.AsyncClient) -> None:
    text = await client.get("/metrics")
    assert text.headers["content-type"].startswith("text/plain")
    assert "# TYPE vigla_storage_buffered_rows gauge" in text.text
    assert "process_resident_memory_bytes" in text.text
    asked = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert asked.headers["content-type"].startswith("application/openmetrics-text")
    assert asked.text.endswith("# EOF\n")


async def test_lateness_of_the_event_loop_is_counted() -> None:
    metrics = Metrics()
    watching = asyncio.create_task(health.watch_event_loop(metrics))
    await asyncio.sleep(3 * health.LATENESS_INTERVAL_S)
    watching.cancel()
    assert metrics.registry.get_sample_value("vigla_event_loop_lateness_seconds_count") in {1, 2, 3}


def test_busy_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"127.0.0.1:{port} .*change telemetry.port"):
            bind("127.0.0.1", port, "telemetry.port")
