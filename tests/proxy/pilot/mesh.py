"""A real pilot with its HTTP API on free ports, and the objects that its tests apply."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from proxy.pilot.api import router
from proxy.pilot.server import Pilot
from tests.proxy.xds.plane import NODE, Client
from vigla.clock import SystemClock
from vigla.listen import HttpServer, bind
from vigla.settings import MeshSettings

ROOT = "/api/vigla/v1/mesh"

SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 9080}}]
---
"""
ROUTES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec:
  hosts: [{host}]
  http:
  - timeout: {timeout}
    route:
    - destination: {{host: {host}}}
---
"""
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - port: {{number: {port}, name: http, protocol: HTTP}}
    hosts: ["*"]
---
"""


def service(name: str = "reviews") -> str:
    """A Kubernetes Service."""
    return SERVICE.format(name=name)


def routes(name: str = "reviews", host: str = "reviews", timeout: str = "2s") -> str:
    """A VirtualService."""
    return ROUTES.format(name=name, host=host, timeout=timeout)


def gateway(port: int, name: str = "edge") -> str:
    """A Gateway with one plain port."""
    return GATEWAY.format(name=name, port=port)


@dataclass(slots=True)
class Mesh:
    """A running pilot and a client of its API."""

    pilot: Pilot
    api: httpx.AsyncClient

    async def post(self, text: str, **asked: Any) -> httpx.Response:
        return await self.api.post(f"{ROOT}/apply", content=text, params=asked)

    async def apply(self, text: str, **asked: Any) -> Any:
        """The answer to a text that is accepted."""
        answer = await self.post(text, **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, text: str) -> list[Any]:
        """The problems of a text that is not; nothing of it may be applied."""
        before = await self.number()
        answer = await self.post(text)
        assert answer.status_code == 422, answer.text
        assert await self.number() == before
        return [p for p in answer.json()["problems"] if p["severity"] == "error"]

    async def get(self, path: str, **asked: Any) -> Any:
        answer = await self.api.get(f"{ROOT}{path}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def number(self) -> int:
        found = (await self.get("/revisions", limit=1))["revisions"]
        return found[0]["number"] if found else 0

    async def findings(self, code: str) -> list[Any]:
        """What the analyzer says under a code."""
        return [m for m in (await self.get("/analyze"))["messages"] if m["code"] == code]

    def proxy(self, *, delta: bool = True, node: str = NODE) -> Client:
        """A raw proxy."""
        return Client(self.pilot.port, delta=delta, node=node)


@asynccontextmanager
async def running(folder: Path, **settings: Any) -> AsyncIterator[Mesh]:
    """A pilot while inside."""
    wanted = MeshSettings(**{"enabled": True, "xds_port": 0, **settings})
    pilot = Pilot(wanted, folder, SystemClock(), CollectorRegistry())
    app = FastAPI()
    app.include_router(router(pilot))
    await pilot.start()
    server = HttpServer(app, bind("127.0.0.1", 0, "test"))
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as api:
            yield Mesh(pilot, api)
    finally:
        await server.stop()
        await pilot.stop()
