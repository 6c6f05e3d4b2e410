"""The embedded HTTP server: free ports, and a stop that lets running requests end."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from vigla.listen import HttpServer, bind


async def test_stop_lets_a_running_request_end() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        entered.set()
        await leave.wait()
        return "done"

    server = HttpServer(app, bind("127.0.0.1", 0, "query.http_port"))
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        asked = asyncio.create_task(client.get("/slow"))
        await entered.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        leave.set()
        assert (await asked).json() == "done"
        await stopping
        with pytest.raises(httpx.ConnectError):
            await client.get("/slow")


async def test_requests_before_start_wait_for_it() -> None:
    """Connections queue in the kernel from ``bind`` on: nobody is refused while the process starts."""
    app = FastAPI()
    server = HttpServer(app, bind("127.0.0.1", 0, "query.http_port"))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        asked = asyncio.create_task(client.get("/none"))
        await asyncio.sleep(0)
        await server.start()
        assert (await asked).status_code == httpx.codes.NOT_FOUND
    await server.stop()
