"""Start and stop of the collector."""

import asyncio
import socket
from typing import Any

import grpc.aio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from collector.server import Collector
from vigla.bus.api import Topic
from vigla.errors import SettingsError
from vigla.settings import CollectorSettings
from vigla.telemetry.metrics import Metrics

PROTOBUF = {"content-type": "application/x-protobuf"}


class SlowBus:
    """A disk that answers when the test says so."""

    def __init__(self) -> None:
        self.appending = asyncio.Event()
        self.answer = asyncio.Event()

    async def append(self, topic: Topic, payload: bytes, key: bytes = b"") -> int:  # noqa: ARG002  the interface's
        self.appending.set()
        await self.answer.wait()
        return 0


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_stop_answers_what_is_in_flight(requests: dict[str, bytes], transport: str) -> None:
    bus = SlowBus()
    collector = Collector(CollectorSettings(otlp_grpc_port=0, otlp_http_port=0), bus, Metrics())
    await collector.start()
    target, url = f"127.0.0.1:{collector.grpc_port}", f"http://127.0.0.1:{collector.http_port}/v1/traces"
    async with grpc.aio.insecure_channel(target) as channel, httpx.AsyncClient() as http:

        async def send() -> None:
            if transport == "grpc":
                method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
                assert await channel.unary_unary(method)(requests["traces"]) == b""
            else:
                answer = await http.post(url, content=requests["traces"], headers=PROTOBUF)
                assert answer.status_code == 200

        sending = asyncio.create_task(send())
        await bus.appending.wait()
        stopping = asyncio.create_task(collector.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        bus.answer.set()
        await sending
        await stopping
    for port in (collector.grpc_port, collector.http_port):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize("setting", ["otlp_grpc_port", "otlp_http_port"])
async def test_port_in_use_is_named(setting: str) -> None:
    ports = {"otlp_grpc_port": 0, "otlp_http_port": 0}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = CollectorSettings.model_validate({**ports, setting: taken.getsockname()[1]})
        collector = Collector(settings, SlowBus(), Metrics())
        with pytest.raises(SettingsError, match=f"collector.{setting}"):
            await collector.start()
        await collector.stop()


async def test_stop_without_start() -> None:
    await Collector(CollectorSettings(), SlowBus(), Metrics()).stop()


async def test_mounted_below_another_path(running: Any, requests: dict[str, bytes]) -> None:
    """Pages send to the origin that they came from."""
    site = Starlette(routes=[Mount("/api/otlp", running.collector.http_app)])
    transport = httpx.ASGITransport(site)
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as http:
        answer = await http.post("/api/otlp/v1/traces", content=requests["traces"], headers=PROTOBUF)
        assert answer.status_code == 200
        assert (await http.post("/api/otlp/v1/other", content=b"")).status_code == 404
    assert running.kept() == [requests["traces"]]
