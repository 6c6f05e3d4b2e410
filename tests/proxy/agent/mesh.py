"""A real Envoy under its agent, with a control plane that gives it one listener to one application."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from proxy.agent.agent import Agent
from proxy.agent.settings import FREE_PORTS, Address, AgentSettings
from proxy.xds.resources import CDS, LDS, Snapshot
from tests.proxy.translate.real_envoy import cluster, http_listener
from tests.proxy.xds.plane import NODE, running
from vigla.listen import reserve

SOON_S = 30.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with reserve() as listener:
        port: int = listener.getsockname()[1]
    return port


@dataclass(slots=True)
class App:
    """An application that answers when it is let, and has metrics."""

    port: int
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: str = ""


@asynccontextmanager
async def application() -> AsyncIterator[App]:
    """The application while inside: ``/slow`` waits, ``/metrics`` are its own, all else is ``hello``."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                if b"/slow" in line:
                    app.arrived.set()
                    await app.release.wait()
                body = app.metrics if b"/metrics" in line else "hello"
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    app = App(server.sockets[0].getsockname()[1])
    try:
        yield app
    finally:
        app.release.set()
        server.close()


@dataclass(slots=True)
class Proxied:
    """An agent whose Envoy is ready, and where its listener is."""

    agent: Agent
    app: App
    url: str
    client: httpx.AsyncClient

    @property
    def status_url(self) -> str:
        return f"http://127.0.0.1:{self.agent.ports.status}"

    @property
    def ready_url(self) -> str:
        return f"http://127.0.0.1:{self.agent.ports.ready}/healthz/ready"

    async def samples(self) -> dict[str, float]:
        """The agent's page, read as Prometheus' text format."""
        return parsed((await self.client.get(f"{self.status_url}/stats/prometheus")).text)


def parsed(text: str) -> dict[str, float]:
    """Value by series; fails where a line is none."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        series, _, value = line.rpartition(" ")
        assert series, line
        assert series not in found, line
        found[series] = float(value)
    return found


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(SOON_S):
        while not condition():  # noqa: ASYNC110  a process changes it
            await asyncio.sleep(0.02)


def agent_settings(folder: Path, xds: int, **more: Any) -> AgentSettings:
    """Settings for a quick and quiet Envoy."""
    base: dict[str, Any] = {"ports": FREE_PORTS, "drain_s": 1, "kill_s": 5.0}
    return AgentSettings(NODE, "web.default", folder, Address("127.0.0.1", xds), **{**base, **more})


@asynccontextmanager
async def proxied(folder: Path, **more: Any) -> AsyncIterator[Proxied]:
    """Everything, while inside; ``{app}`` in a text setting is the application's port."""
    async with application() as app:
        inbound = free_port()
        value = http_listener(inbound, "app", [])
        found = Snapshot.of({CDS: [cluster("app", app.port)], LDS: [value]})
        async with running({"web-1.default": found}) as plane, httpx.AsyncClient(timeout=10) as client:
            texts = {k: v.format(app=app.port) if isinstance(v, str) else v for k, v in more.items()}
            agent = Agent(agent_settings(folder, plane.port, **texts))
            await agent.start()
            try:
                await agent.ready(SOON_S)
                yield Proxied(agent, app, f"http://127.0.0.1:{inbound}", client)
            finally:
                await agent.stop()
